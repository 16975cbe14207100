using System.Globalization;
using Exchange.Crypto;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Client;

/// <summary>What a clerk wants back.</summary>
public sealed record RecallRequest
{
    /// <summary>Why; sealed, only its receivers read it.</summary>
    public required string Reason { get; init; }
    /// <summary>Offices that it went to; none: all of them.</summary>
    public IReadOnlyList<string> To { get; init; } = [];
    /// <summary>Code of a level; null: that of what is recalled.</summary>
    public string? Level { get; init; }
    public string? As { get; init; }
    public IReadOnlyList<string> Approve { get; init; } = [];
    public IReadOnlyList<string> Release { get; init; } = [];
}

/// <summary>Takes a dispatch of this office back: an envelope without documents about the earlier one.</summary>
sealed class RecallDispatch(OfficeContext office)
{
    const string DocumentType = "Thu hồi văn bản";
    // The register's day is the day in Việt Nam.
    static readonly TimeSpan Zone = TimeSpan.FromHours(7);

    /// <summary>The recalls in the outbox, those that are there already or new ones: of the dispatch, and of each update by which an office has it.</summary>
    /// <exception cref="RefusedException">RecallTarget: it is itself a recall, or was not addressed so.</exception>
    public async Task<IReadOnlyList<OutboxEntry>> RunAsync(OutboxEntry entry, RecallRequest request, CancellationToken cancel)
    {
        if (entry.Record.About is { Kind: "recall" }) throw new RefusedException(Refusal.RecallTarget, "a recall");
        var envelopes = Updates(office, entry.Id).Prepend(entry).Select(e => (Entry: e, Offices: Addressed(HeaderOf(e)))).ToList();
        if (request.To.Except(envelopes.SelectMany(e => e.Offices)).Any()) throw new RefusedException(Refusal.RecallTarget, "an office that it did not go to");
        var recalls = new List<OutboxEntry>();
        foreach (var (envelope, offices) in envelopes)
        {
            string[] to = [.. offices.Where(o => request.To.Count == 0 || request.To.Contains(o))];
            if (to.Length > 0) recalls.Add(await OneAsync(envelope, to, request, cancel).ConfigureAwait(false));
        }
        return recalls;
    }

    /// <summary>Recalls of all updates of a dispatch whose place another one takes.</summary>
    /// <param name="id">Of that one.</param>
    public async Task OfUpdatesAsync(OutboxEntry replaced, SendRequest by, Guid id, CancellationToken cancel)
    {
        var request = new RecallRequest { Reason = $"Được thay thế bởi văn bản {id}.", As = by.As, Approve = by.Approve, Release = by.Release };
        foreach (var update in Updates(office, replaced.Id)) await OneAsync(update, Addressed(HeaderOf(update)), request, cancel).ConfigureAwait(false);
    }

    Task<OutboxEntry> OneAsync(OutboxEntry entry, IReadOnlyList<string> to, RecallRequest request, CancellationToken cancel)
    {
        var header = HeaderOf(entry);
        // Asked for before: the same bytes again, and the same answer.
        if (Earlier(office, entry.Id).FirstOrDefault(e => e.Record.About!.Kind == "recall" && e.State != OutboxState.Refused && e.Record.To.ToHashSet().SetEquals(to)) is { } before) return Task.FromResult(before);
        var send = new SendRequest
        {
            Files = [], To = to, Level = request.Level ?? entry.Record.Level, Label = header.Label, As = request.As, Approve = request.Approve, Release = request.Release, Urgency = header.Urgency,
            About = About(office, entry, "recall"),
            Sheet = new Sheet { Number = null, Notation = null, Subject = request.Reason, DocumentType = DocumentType, Place = null, Date = office.Now.ToOffset(Zone).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), Signatory = null },
        };
        return new SealDispatch(office).RunAsync(send, null, cancel);
    }

    static Header HeaderOf(OutboxEntry entry) => Statement.Read(entry.Parts().Header, StatementType.Header).As<Header>();

    static string[] Addressed(Header header) => [.. header.Recipients.Where(r => r.Role is "to" or "cc").Select(r => r.Office)];

    /// <summary>Envelopes by which a dispatch went to further offices, oldest first.</summary>
    public static IReadOnlyList<OutboxEntry> Updates(OfficeContext office, Guid id) => [.. Earlier(office, id).Where(e => e.Record.About!.Kind == "update" && e.State != OutboxState.Refused)];

    /// <summary>What here is about a dispatch, the lowest revision first.</summary>
    public static IReadOnlyList<OutboxEntry> Earlier(OfficeContext office, Guid id) => [.. office.Outbox.List().Where(e => e.Record.About?.Id == id).OrderBy(e => e.Record.About!.Revision)];

    public static AboutDispatch About(OfficeContext office, OutboxEntry entry, string kind) =>
        new(kind, entry.Id, entry.Record.Ctx, 1 + Earlier(office, entry.Id).Select(e => e.Record.About!.Revision).DefaultIfEmpty().Max());
}
