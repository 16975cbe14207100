using System.Globalization;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Client;

/// <summary>What a receiving office said about its copy, verified.</summary>
/// <param name="Envelope">Header id of the dispatch.</param>
public sealed record StatusView(Guid Envelope, string Office, long Sequence, string Code, string? Reason, AnsweredEnvelope? Answers, DateTimeOffset Time);

/// <summary>The sender's side of handling statuses: each verified here and kept beside the dispatch it is about.</summary>
sealed class FollowHandling(OfficeContext office)
{
    /// <summary>Everything said about this dispatch: fetched, verified, kept.</summary>
    /// <param name="findings">What did not hold.</param>
    public async Task FetchAsync(OutboxEntry entry, Header header, List<string> findings, CancellationToken cancel)
    {
        IReadOnlyList<ListedStatus> listed;
        try { listed = await office.Api.StatusesAsync(entry.Id, cancel).ConfigureAwait(false); }
        // An older gateway has no such route.
        catch (RefusedException e) when (e.Refusal == Refusal.NotFound) { return; }
        foreach (var one in listed) Take(entry, header, one.Statement, findings);
    }

    /// <summary>What is new since the last time, of any dispatch sent from here. The place is kept only after what came before it was.</summary>
    /// <param name="wait">Seconds, 0..30.</param>
    public async Task<IReadOnlyList<StatusView>> NewAsync(int wait, List<string> findings, CancellationToken cancel)
    {
        var place = office.Files.At("statuses.after");
        var after = File.Exists(place) && long.TryParse(await File.ReadAllTextAsync(place, cancel).ConfigureAwait(false), NumberStyles.None, CultureInfo.InvariantCulture, out var read) ? read : 0;
        var listed = await office.Api.NewStatusesAsync(after, wait, cancel).ConfigureAwait(false);
        var views = new List<StatusView>();
        foreach (var one in listed)
            if (office.Outbox.Find(one.Id) is { } entry && Take(entry, Statement.Read(entry.Parts().Header, StatementType.Header).As<Header>(), one.Statement, findings) is { } view) views.Add(view);
        if (listed is [.., { N: { } last }]) office.Files.Write(place, Encoding.ASCII.GetBytes(last.ToString(CultureInfo.InvariantCulture)));
        return views;
    }

    /// <summary>What is kept of a dispatch, copy by copy, by number.</summary>
    public static IReadOnlyList<StatusView> Kept(OutboxEntry entry) => [.. entry.Files("statuses").Select(f => View(Statement.Read(File.ReadAllBytes(f), StatementType.Status).As<HandlingStatus>())).OrderBy(s => s.Office, StringComparer.Ordinal).ThenBy(s => s.Sequence)];

    StatusView? Take(OutboxEntry entry, Header header, byte[] der, List<string> findings)
    {
        try
        {
            var (statement, status) = HandlingStatusCheck.Read(der);
            HandlingStatusCheck.DemandAbout(status, new(header.Sender, header.Id, entry.Record.Ctx, entry.Record.ManifestDigest, status.Office, status.Key));
            if (!header.Recipients.Any(r => r.Office == status.Office && r.Key == status.Key)) throw new RefusedException(Refusal.Status, "not a recipient");
            HandlingStatusCheck.DemandSigner(statement, office.View.Directory, office.View.Trust);
            if (!office.Outbox.SaveStatus(entry, status, der)) throw new RefusedException(Refusal.StatusSequence, $"{status.Office} {status.Sequence}");
            return View(status);
        }
        catch (RefusedException e)
        {
            findings.Add($"{e.Refusal.Code}: a handling status that the gateway gave does not hold ({e.Detail})");
            return null;
        }
    }

    static StatusView View(HandlingStatus s) => new(s.Envelope, s.Office, s.Sequence, s.Code, s.Reason, s.Answers, DateTimeOffset.FromUnixTimeMilliseconds(s.Time));
}
