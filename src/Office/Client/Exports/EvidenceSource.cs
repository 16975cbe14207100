using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Office.Client.Exports;

/// <summary>What this office has of one dispatch that proves something, whichever side it was on. Names of parts are relative to the evidence.</summary>
/// <param name="Directory">By which its signatures are judged.</param>
sealed record EvidenceSource(Guid Id, EnvelopeParts Parts, IReadOnlyList<ReadOnlyMemory<byte>> Receipts, OfficeDirectory Directory)
{
    public IReadOnlyList<EvidencePart> Statuses { get; init; } = [];
    public IReadOnlyList<EvidencePart> Recalls { get; init; } = [];
    /// <summary>In the order in which the header names the author's signatures.</summary>
    public IReadOnlyList<EvidencePart> TimeStamps { get; init; } = [];
    /// <summary>R, which only the sender has; null: not here.</summary>
    public byte[]? Opened { get; init; }
    /// <summary>What the author signed, in clear; null: it goes nowhere.</summary>
    public ReadOnlyMemory<byte>? Dispatch { get; init; }

    /// <summary>Of what this office sent; nothing in it says what the dispatch says.</summary>
    public static EvidenceSource OfSent(OfficeContext office, OutboxEntry entry) => new(entry.Id, entry.Parts(), entry.Receipts(), office.View.Directory)
    {
        Statuses = [.. entry.Files("statuses").Select(f => Read("statuses", f))],
        Recalls = [.. RecallDispatch.Earlier(office, entry.Id).Select(about => new EvidencePart($"recalls/{about.Id}.p7s", about.Parts().Header))],
        TimeStamps = [.. entry.Files("timestamps", "*.tst").Select(f => Read("timestamps", f))],
        Opened = entry.Opened(),
    };

    /// <summary>Of a copy that is just opened: what came with it, what the author signed, and where it was received what this office said of it.</summary>
    public static EvidenceSource OfCopy(OfficeContext office, AsideResult opened)
    {
        var header = opened.Inside.Envelope.Header;
        var record = office.Received.Find(header.Sender, header.Id) is { } found && found.Ctx == opened.Inside.Envelope.Ctx ? found : null;
        var said = record is null ? null : Path.Combine(office.Received.Evidence(header.Sender, header.Id), "statuses");
        string[] Said(string pattern) => said is not null && System.IO.Directory.Exists(said) ? [.. System.IO.Directory.GetFiles(said, pattern).Order(StringComparer.Ordinal)] : [];
        var stamps = Statement.Read(opened.Inside.DispatchDer, StatementType.Dispatch).TimeStamps.Where(t => t.Token is not null).ToDictionary(t => t.Signature, t => t.Token!.Value);
        return new EvidenceSource(header.Id, opened.Parts, [.. new ReadOnlyMemory<byte>[] { opened.Submission, record?.Handover, record?.Outcome }.Where(r => r.Length > 0), .. Said("*.receipt").Select(f => (ReadOnlyMemory<byte>)File.ReadAllBytes(f))],
            office.View.DirectoryOf(header.Directory))
        {
            Statuses = [.. Said("*.p7s").Select(f => new EvidencePart($"statuses/{office.Profile.Office}-{Path.GetFileName(f)}", File.ReadAllBytes(f)))],
            TimeStamps = [.. header.Dispatch.Signatures.Where(stamps.ContainsKey).Select((s, i) => new EvidencePart(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"timestamps/{i + 1:00}.tst"), stamps[s]))],
            Dispatch = opened.Inside.DispatchDer,
        };
    }

    static EvidencePart Read(string folder, string file) => new($"{folder}/{Path.GetFileName(file)}", File.ReadAllBytes(file));
}
