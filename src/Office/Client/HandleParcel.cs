using System.Globalization;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Client;

/// <summary>One statement of this office about a copy that it has.</summary>
/// <param name="Told">The gateway has it, and its receipt is here.</param>
public sealed record OwnStatus(long Sequence, string Code, string? Reason, DateTimeOffset Time, bool Told);

/// <param name="Waits">Why the gateway could not be told yet; null: it was. What waits goes with the next inbox, open or handle.</param>
public sealed record HandleVerdict(ReceivedRecord Record, OwnStatus Status, Refusal? Waits);

/// <summary>
/// What this office says it does with a copy: signed once, durable, then told, the lowest number first. untold/{parcel}.{number}.p7s waits; what was told lies with its receipt
/// beside the envelope's evidence.
/// </summary>
sealed class HandleParcel(OfficeContext office)
{
    /// <summary>The gateway cannot be told now.</summary>
    static readonly HashSet<Refusal> Passing = [Refusal.Unreachable, Refusal.Busy, Refusal.Full, Refusal.TooMany];

    /// <param name="answers">With 15 and 16: what is answered.</param>
    /// <exception cref="RefusedException">Status: not in form. What the gateway refuses it for: it is dropped then.</exception>
    public async Task<HandleVerdict> RunAsync(ReceivedRecord record, string code, string? reason, AnsweredEnvelope? answers, CancellationToken cancel)
    {
        using var alone = new ParcelFiles(office.Files, record.Parcel).TryLock() ?? throw new RefusedException(Refusal.Busy, "another process is at this parcel");
        var status = Sign(record, code, reason, answers);
        var waits = await TellAsync(record, cancel).ConfigureAwait(false);
        return new(record, List(record).LastOrDefault(s => s.Code == code) ?? new OwnStatus(status.Sequence, code, reason, DateTimeOffset.FromUnixTimeMilliseconds(status.Time), false), waits);
    }

    /// <summary>01, once, for what has just been fetched. Nothing that is in its way is in the way of the opening.</summary>
    public async Task ArrivedAsync(ReceivedRecord record, CancellationToken cancel)
    {
        try
        {
            if (List(record).Count == 0) Sign(record, HandlingCode.Arrived, null, null);
            await TellAsync(record, cancel).ConfigureAwait(false);
        }
        catch (RefusedException) { }
    }

    /// <summary>Everything said about this copy here, by number.</summary>
    public IReadOnlyList<OwnStatus> List(ReceivedRecord record) =>
        [.. Told(record).Select(f => (File: f, Told: true)).Concat(Untold(record.Parcel).Select(f => (File: f, Told: false))).Select(f => (Statement.Read(File.ReadAllBytes(f.File), StatementType.Status).As<HandlingStatus>(), f.Told))
            .Select(s => new OwnStatus(s.Item1.Sequence, s.Item1.Code, s.Item1.Reason, DateTimeOffset.FromUnixTimeMilliseconds(s.Item1.Time), s.Told)).OrderBy(s => s.Sequence)];

    /// <summary>Tells the gateway what it does not have yet, of any copy.</summary>
    /// <returns>How many it still does not have.</returns>
    public async Task<int> TellAllAsync(CancellationToken cancel)
    {
        foreach (var file in Untold(null).DistinctBy(f => Path.GetFileName(f).Split('.')[0]))
        {
            var status = Statement.Read(await File.ReadAllBytesAsync(file, cancel).ConfigureAwait(false), StatementType.Status).As<HandlingStatus>();
            if (office.Received.Find(status.Sender, status.Envelope) is not { } record) continue;
            using var alone = new ParcelFiles(office.Files, record.Parcel).TryLock();
            if (alone is null) continue;
            try { await TellAsync(record, cancel).ConfigureAwait(false); }
            catch (RefusedException) { }
        }
        return Untold(null).Count();
    }

    HandlingStatus Sign(ReceivedRecord record, string code, string? reason, AnsweredEnvelope? answers, long? above = null)
    {
        var now = office.Now;
        var handover = Statement.Read(record.Handover ?? throw new RefusedException(Refusal.Status, "not handed over yet"), StatementType.Receipt).As<Receipt>();
        var status = new HandlingStatus
        {
            V = 1, Type = HandlingStatus.TypeName, Signers = [office.Keys.Sign.Certificate.Key], Sender = record.Sender, Envelope = record.Id, Ctx = record.Ctx, ManifestDigest = record.ManifestDigest,
            Office = office.Profile.Office, Key = handover.Key!.Value, Sequence = 1 + (above ?? (List(record) is [.., var last] ? last.Sequence : 0)), Code = code, Reason = reason, Answers = answers, Time = now.ToUnixTimeMilliseconds(),
        };
        HandlingStatusCheck.Check(status);
        office.Files.Folder("untold");
        // Crash after: it is told at the next occasion, the same bytes.
        office.Files.Write(office.Files.At("untold", string.Create(CultureInfo.InvariantCulture, $"{record.Parcel}.{status.Sequence:0000}.p7s")), Statement.Sign(status, [office.Keys.Sign], now).Der.Span);
        return status;
    }

    async Task<Refusal?> TellAsync(ReceivedRecord record, CancellationToken cancel)
    {
        while (Untold(record.Parcel).FirstOrDefault() is { } file)
        {
            var der = await File.ReadAllBytesAsync(file, cancel).ConfigureAwait(false);
            var statement = Statement.Read(der, StatementType.Status);
            byte[] receipt;
            try
            {
                office.Files.Step("tell status");
                receipt = await office.Api.ReportAsync(record.Parcel, der, cancel).ConfigureAwait(false);
            }
            catch (RefusedException e) when (Passing.Contains(e.Refusal)) { return e.Refusal; }
            catch (RefusedException e) when (e.Refusal == Refusal.StatusSequence)
            {
                // Another machine of this office has used the number: it says the same under the next one.
                var taken = (await office.Api.StatusesOfParcelAsync(record.Parcel, cancel).ConfigureAwait(false)).Max(s => s.Sequence);
                var mine = statement.As<HandlingStatus>();
                Sign(record, mine.Code, mine.Reason, mine.Answers, Math.Max(taken, List(record)[^1].Sequence));
                DurableFile.Delete(file);
                continue;
            }
            catch (RefusedException)
            {
                // It would be refused for ever.
                DurableFile.Delete(file);
                throw;
            }
            Keep(record, statement, receipt, file);
        }
        return null;
    }

    // The receipt first: a crash before the move tells it again, and the answer is the same.
    void Keep(ReceivedRecord record, Statement statement, byte[] der, string file)
    {
        var receipt = ReceiptCheck.Gateway(der, new ReceiptSubject(record.Sender, record.Id, record.Ctx, record.ManifestDigest, []), office.Profile.Pins, office.View.Trust);
        if (receipt.Event != ReceiptEvent.HandlingStatus || receipt.Office != office.Profile.Office || ((StatusDetail)EntryDetails.Read(Encoding.UTF8.GetBytes(receipt.Entry!.Detail))).Statement != statement.Ref)
            throw new RefusedException(Refusal.Receipt, "not of this status");
        var folder = Folder(record);
        if (!Directory.Exists(folder)) DurableFile.CreateFolder(folder);
        var name = statement.As<HandlingStatus>().Sequence.ToString("0000", CultureInfo.InvariantCulture);
        office.Files.Write(Path.Combine(folder, name + ".receipt"), der);
        office.Files.MoveFile(file, Path.Combine(folder, name + ".p7s"));
    }

    string Folder(ReceivedRecord record) => Path.Combine(office.Received.Evidence(record.Sender, record.Id), "statuses");

    IEnumerable<string> Told(ReceivedRecord record) => Directory.Exists(Folder(record)) ? Directory.EnumerateFiles(Folder(record), "*.p7s").Order(StringComparer.Ordinal) : [];

    IEnumerable<string> Untold(Guid? parcel) =>
        Directory.Exists(office.Files.At("untold")) ? Directory.EnumerateFiles(office.Files.At("untold"), parcel is null ? "*.p7s" : $"{parcel}.*.p7s").Order(StringComparer.Ordinal) : [];
}
