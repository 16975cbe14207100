using System.Globalization;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Admin;

/// <summary>The queue on one screen, and as JSON for programs on this machine.</summary>
static class QueueScreen
{
    /// <summary>Offices on one screen.</summary>
    const int Rows = 16;

    public static IEnumerable<string> Lines(QueueNow queue, bool all)
    {
        yield return $"{queue.Waiting} waiting, {queue.Held} under way, {queue.BreakersOpen} channels closed by failures, {queue.Dead} dead";
        var shown = all ? queue.Offices : [.. queue.Offices.Take(Rows)];
        if (shown.Count > 0) yield return Row("OFFICE", "CHANNEL", "BREAKER", "WIN", "WAITING 0/1/2/3/4", "HELD", "OLDEST", "NEXT", "WHY");
        foreach (var office in shown)
        {
            var first = office.Channels.Count == 0 ? null : office.Channels[0];
            yield return Row(office.Office, first?.Channel ?? "-", Breaker(first, queue.At), first is null ? "-" : Number(first.Window), string.Join('/', office.Waiting.Select(Number)) + (office.Behind > 0 ? $" +{office.Behind}" : ""),
                Number(office.Held), office.Oldest is { } oldest ? Span(queue.At - oldest) : "-", office.Next is { } next ? next <= queue.At ? "now" : "in " + Span(next - queue.At) : "-", office.Why);
            foreach (var other in office.Channels.Skip(1)) yield return Row("", other.Channel, Breaker(other, queue.At), Number(other.Window), "", "", "", "", other.LastError);
        }
        if (queue.Offices.Count > shown.Count) yield return $"and {queue.Offices.Count - shown.Count} more offices: --all";
        if (queue.DeadByReason.Count == 0) yield break;
        yield return "dead, until somebody redrives or discards them:";
        foreach (var dead in all ? queue.DeadByReason : [.. queue.DeadByReason.Take(Rows / 2)]) yield return $"  {dead.Office,-12} {dead.Copies,7}  {dead.Reason,-22} oldest {Span(queue.At - dead.Oldest)}";
        yield return "see: exchange-gateway admin dead; then admin redrive or admin discard";
    }

    /// <summary>GET /queue on the operations listener.</summary>
    public static async Task Answer(HttpContext context, IEngine engine, TimeProvider clock)
    {
        if (!HttpMethods.IsGet(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            return;
        }
        QueueNow now;
        using (var reader = engine.Reader()) now = QueueNow.Read(reader, clock.GetUtcNow());
        await context.Response.WriteAsJsonAsync(now, AdminJson.Default.QueueNow);
    }

    static string Breaker(ChannelNow? channel, long now) => channel switch
    {
        null => "-",
        { Breaker: "open" } => "open, " + Span(channel.Probe!.Value - now),
        _ => channel.Breaker,
    };

    static string Row(string office, string channel, string breaker, string window, string waiting, string held, string oldest, string next, string why) =>
        $"{office,-12} {channel,-8} {breaker,-12} {window,3} {waiting,-20} {held,4} {oldest,7} {next,9}  {why}".TrimEnd();

    internal static string Span(long milliseconds) => TimeSpan.FromMilliseconds(Math.Max(0, milliseconds)) switch
    {
        { TotalDays: >= 2 } t => string.Create(CultureInfo.InvariantCulture, $"{(long)t.TotalDays} d"),
        { TotalHours: >= 2 } t => string.Create(CultureInfo.InvariantCulture, $"{(long)t.TotalHours} h"),
        { TotalMinutes: >= 2 } t => string.Create(CultureInfo.InvariantCulture, $"{(long)t.TotalMinutes} min"),
        var t => string.Create(CultureInfo.InvariantCulture, $"{(long)t.TotalSeconds} s"),
    };

    static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
