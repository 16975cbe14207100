using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Receipts;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Release;

/// <summary>Says once that a copy is late, in one commit with the entry about it.</summary>
sealed class TellDelay(Shared shared)
{
    /// <summary>Half of its time is over: the sender finds a signed receipt.</summary>
    public async Task Sender(DueParcel copy, DateTimeOffset now)
    {
        var entry = LedgerEntry.Create(new DelayDetail(copy.Sender, copy.Envelope, copy.Ctx, copy.Office, copy.Key, Refusal.Delayed.Code, copy.Expires) { Time = now.ToUnixTimeMilliseconds() });
        var receipt = shared.Evidence.Sign(ReceiptEvent.ContentConsignmentDelay, Refusal.Delayed.Code,
            new(copy.Sender, copy.Envelope, copy.Ctx, copy.ManifestDigest, copy.Office, copy.Key), entry, shared.Worlds.Current.Policy.Ref, now);

        // ONE commit. Before: told at the next look. After: told, once.
        await shared.Journal.Commit(b =>
        {
            if (!ParcelExpiry.Told(b, copy.Parcel)) return false;
            b.Log(entry, EntryKind.Delay, copy.Parcel).Add(ReceiptRows.Of(receipt, copy.Dispatch, copy.Parcel));
            return true;
        }, receipt.Der.Length, settle: true);
    }

    /// <summary>A flash copy is not delivered: the administrator hears of it, and the ledger says that he did.</summary>
    public async Task Administrator(DueParcel copy, DateTimeOffset now)
    {
        var since = copy.AlarmAt!.Value - shared.Options.Queue.FlashAlarmSeconds * 1000;
        var entry = LedgerEntry.Create(new FlashAlarmDetail(copy.Sender, copy.Envelope, copy.Ctx, copy.Office, copy.Key, since) { Time = now.ToUnixTimeMilliseconds() });
        var first = await shared.Journal.Commit(b =>
        {
            if (!ParcelExpiry.Alarmed(b, copy.Parcel)) return false;
            b.Log(entry, EntryKind.FlashAlarm, copy.Parcel);
            return true;
        }, settle: true);
        // A crash in between: the alarm is on record and was not raised; the queue's screen still shows the copy.
        if (first) shared.Alarms.Raise(new(AlarmCode.FlashUndelivered, copy.Office, $"parcel {copy.Parcel} waits since {DateTimeOffset.FromUnixTimeMilliseconds(since):u}"));
    }
}
