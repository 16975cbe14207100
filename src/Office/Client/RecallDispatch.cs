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

    /// <summary>The recall in the outbox: the one that is there already, or a new one.</summary>
    /// <exception cref="RefusedException">RecallTarget: it is itself a recall, or was not addressed so.</exception>
    public Task<OutboxEntry> RunAsync(OutboxEntry entry, RecallRequest request, CancellationToken cancel)
    {
        var header = Statement.Read(entry.Parts().Header, StatementType.Header).As<Header>();
        if (entry.Record.About is { Kind: "recall" }) throw new RefusedException(Refusal.RecallTarget, "a recall");
        var addressed = header.Recipients.Where(r => r.Role is "to" or "cc").Select(r => r.Office).ToList();
        var to = request.To.Count > 0 ? request.To : addressed;
        if (to.Except(addressed).Any()) throw new RefusedException(Refusal.RecallTarget, "an office that it did not go to");
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

    /// <summary>What here is about a dispatch, the lowest revision first.</summary>
    public static IReadOnlyList<OutboxEntry> Earlier(OfficeContext office, Guid id) => [.. office.Outbox.List().Where(e => e.Record.About?.Id == id).OrderBy(e => e.Record.About!.Revision)];

    public static AboutDispatch About(OfficeContext office, OutboxEntry entry, string kind) =>
        new(kind, entry.Id, entry.Record.Ctx, 1 + Earlier(office, entry.Id).Select(e => e.Record.About!.Revision).DefaultIfEmpty().Max());
}
