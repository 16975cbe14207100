using Exchange.Crypto;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Client;

/// <summary>Fetches the time-stamps that could not be had when a dispatch was sealed. They are about the same signatures, which its header names, and stay beside it.</summary>
sealed class StampOutbox(OfficeContext office)
{
    /// <returns>null: it has what it should have; else why not yet.</returns>
    public async Task<Refusal?> RunAsync(OutboxEntry found, CancellationToken cancel)
    {
        if (!found.AwaitsTimeStamp) return null;
        using var alone = Outbox.TryLock(found);
        if (alone is null) return Refusal.Busy;
        // Read again under the lock: another process may have it by now.
        var entry = office.Outbox.Find(found.Id)!;
        found.Record = entry.Record;
        if (!entry.AwaitsTimeStamp) return null;
        var header = Statement.Read(entry.Parts().Header, StatementType.Header).As<Header>();
        try { office.Outbox.SaveTimeStamps(entry, await new FetchTimeStamps(office).RunAsync(header.Dispatch.Signatures, cancel).ConfigureAwait(false)); }
        catch (RefusedException e) when (e.Refusal == Refusal.TimeStampAway) { return e.Refusal; }
        found.Record = entry.Record;
        return null;
    }
}
