using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Receipts;
using Exchange.Gateway.Store;
using Exchange.Gateway.Submission;

namespace Exchange.Gateway.Handling;

/// <param name="Repeat">It was on record: the receipt of then.</param>
/// <param name="Receipt">HandlingStatus, DER.</param>
sealed record Reported(bool Repeat, byte[] Receipt);

/// <summary>
/// POST /mailbox/{parcel}/statuses: what an office says it does with its copy comes in, and reaches the sender. The rule for late, doubled and out-of-order ones: a statement has
/// its number for ever; the same statement again is the same answer; another one under its number is refused; one with a lower number than the highest is kept in its place and undoes nothing.
/// </summary>
sealed class ReportStatus(Quotas quotas, Shared shared)
{
    /// <summary>A status with its certificate; ours are about 2 KiB.</summary>
    public const int MaxBytes = 64 << 10;
    readonly ILogger log = shared.Log<ReportStatus>();

    /// <exception cref="RefusedException">NotFound, Status, StatusSequence, Busy, or what the statement or the certificate is refused for. Nothing was changed.</exception>
    public async Task<Reported> Report(string office, Guid parcel, byte[] der)
    {
        quotas.DemandSubmission(office, shared.Clock.GetUtcNow());
        while (true)
        {
            // 1. Only one's own copies are visible. The same statement again: the first answer was lost on the way.
            var (row, dispatch) = Find(office, parcel);
            var (statement, status) = Read(office, parcel, der);
            if (Before(office, parcel, status.Sequence) is { } before)
            {
                if (before.Row.Ref == statement.Ref) return new Reported(true, before.Receipt);
                throw Refused(office, parcel, new(Refusal.StatusSequence));
            }

            // 2. It must be this office's, by a key of now, about exactly this copy, which it has.
            var (world, now) = (shared.Worlds.Current, shared.Clock.GetUtcNow());
            Verify(row, dispatch, statement, status, world, now);

            // 3. ONE commit: the status, our receipt, the entry. Before it: the office has no answer and says it again. After it: a repeat, and the sender reads it.
            if (await Commit(row, dispatch, statement, status, world, now) is not { } receipt) continue;
            log.OfficeSaid(office, status.Code, parcel, status.Sequence);
            return new Reported(false, receipt);
        }
    }

    async Task<byte[]?> Commit(ParcelRow row, DispatchRow dispatch, Statement statement, HandlingStatus status, World world, DateTimeOffset now)
    {
        var time = now.ToUnixTimeMilliseconds();
        var entry = LedgerEntry.Create(new StatusDetail(dispatch.Sender, dispatch.Envelope, dispatch.Ctx, row.Office, row.Key, status.Sequence, status.Code, statement.Ref) { Time = time });
        var receipt = shared.Evidence.Sign(ReceiptEvent.HandlingStatus, "OK", new(dispatch.Sender, dispatch.Envelope, dispatch.Ctx, dispatch.ManifestDigest, row.Office, row.Key), entry, world.Policy.Ref, now);
        var said = new StatusRow
        {
            Parcel = row.Id, Sequence = status.Sequence, Sender = dispatch.Sender, Code = status.Code, Reason = status.Reason, Ref = statement.Ref, Time = status.Time, ReceivedAt = time,
            Leaf = entry.Leaf, Sha256 = Digest.Of(statement.Der.Span), Der = statement.Der.ToArray(),
        };
        var done = await shared.Journal.Commit(b =>
        {
            // Another request took the number meanwhile, it was erased, or the World has moved on: look again.
            if (b.World.Id != world.Id || ErasureTable.Has(b, row.Dispatch) || !StatusTable.TryAdd(b, said)) return false;
            b.Log(entry, EntryKind.Status, row.Id).Add(ReceiptRows.Of(receipt, row.Dispatch, row.Id));
            return true;
        }, said.Der.Length + receipt.Der.Length, settle: true);
        return done ? receipt.Der : null;
    }

    void Verify(ParcelRow row, DispatchRow dispatch, Statement statement, HandlingStatus status, World world, DateTimeOffset now)
    {
        // A channel has just brought it, and the settling of that is on its way: the office says it again in a moment.
        if (row.State == ParcelState.Queued) throw new RefusedException(Refusal.Busy, "its delivery is not settled yet");
        try
        {
            HandlingStatusCheck.DemandAbout(status, new(dispatch.Sender, dispatch.Envelope, dispatch.Ctx, dispatch.ManifestDigest, row.Office, row.Key));
            HandlingStatusCheck.DemandSigner(statement, world.Directory, world.Trust, now);
            if (row.State != ParcelState.Delivered && !HasItAllTheSame(row)) throw new RefusedException(Refusal.Status, $"of a copy that is {row.State}");
            if (status.Time > now.AddSeconds(shared.Options.Limits.ClockSkewSeconds).ToUnixTimeMilliseconds()) throw new RefusedException(Refusal.Status, "time in the future");
            if (status.Answers is { } answers && !WasAsked(row, answers)) throw new RefusedException(Refusal.Status, "that was not asked");
        }
        catch (RefusedException e) { throw Refused(row.Office, row.Id, e); }
    }

    (Statement, HandlingStatus) Read(string office, Guid parcel, byte[] der)
    {
        try { return HandlingStatusCheck.Read(der); }
        catch (RefusedException e) { throw Refused(office, parcel, e); }
    }

    RefusedException Refused(string office, Guid parcel, RefusedException refused)
    {
        log.StatusWasRefused(office, parcel, refused.Message);
        return refused;
    }

    (ParcelRow, DispatchRow) Find(string office, Guid parcel)
    {
        using var reader = shared.Engine.Reader();
        var row = ParcelTable.Find(reader, office, parcel) ?? throw new RefusedException(Refusal.NotFound);
        return (row, DispatchTable.ReadOfParcel(reader, office, parcel)!);
    }

    // Recalled while it was being fetched: the office's handover came after.
    bool HasItAllTheSame(ParcelRow row)
    {
        using var reader = shared.Engine.Reader();
        return row.State == ParcelState.Recalled && ReceiptTable.OfParcel(reader, row.Office, row.Id).Any(r => r.Issuer == row.Office && r.Event == ReceiptEvent.ContentHandover);
    }

    bool WasAsked(ParcelRow row, AnsweredEnvelope answers)
    {
        using var reader = shared.Engine.Reader();
        return RecallTable.Of(reader, row.Id).Any(a => (a.Envelope, a.Ctx, a.Revision) == (answers.Id, answers.Ref, answers.Revision));
    }

    (StatusRow Row, byte[] Receipt)? Before(string office, Guid parcel, long sequence)
    {
        using var reader = shared.Engine.Reader();
        return StatusTable.Find(reader, office, parcel, sequence) is { } row ? (row, ReceiptTable.OfParcel(reader, office, parcel).First(r => r.Leaf == row.Leaf).Der) : null;
    }
}

static partial class HandlingLog
{
    [LoggerMessage(3101, LogLevel.Information, "{Office} said {Code} of parcel {Parcel}, as number {Sequence}")]
    public static partial void OfficeSaid(this ILogger log, string office, string code, Guid parcel, long sequence);

    [LoggerMessage(3102, LogLevel.Warning, "A handling status of {Office} for parcel {Parcel} was refused: {Detail}")]
    public static partial void StatusWasRefused(this ILogger log, string office, Guid parcel, string detail);
}
