using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;
using Exchange.Tests.Crash;

namespace Exchange.Tests;

/// <summary>Every kind of change × every call of its commit × every fault: a false answer is never given, and what a fresh start finds is whole.</summary>
public sealed class FaultTests
{
    /// <summary>One kind of change. Prepared in a healthy store; its receipts are what the client holds when it was answered yes. Asked again it may answer no.</summary>
    sealed record Work(Func<TestStore, (Change<bool> Change, Digest[] Receipts)> Prepare);

    static readonly Dictionary<string, Work> Works = new()
    {
        ["accept"] = new(s => s.NewDispatch("G22", "H41", "H14") is var d ? (d.Accept, [d.Receipt.Sha256]) : default),
        ["refuse"] = new(Refuse),
        ["acknowledge"] = new(Acknowledge),
        ["begin an upload"] = new(s => (Awaited(s.NewDispatch()), [])),
        ["settle an upload"] = new(Settle),
        ["queue"] = new(s => s.NewDispatch() is var d ? (Queue(d), [d.Receipt.Sha256]) : default),
        ["claim"] = new(s => (Claim(Queued(s)), [])),
        ["keep a claim"] = new(s => (Claimed(s) is var d ? b => JobTable.Extend(b.Quiet(QuietKind.Heartbeat), d.Parcels[0].Id, 1, 10_000) : default(Change<bool>)!, [])),
        ["settle a delivery"] = new(Deliver),
    };

    public static TheoryData<string, string> Table => [.. from work in Works.Keys from fault in Enum.GetNames<Fault>() select (work, fault)];

    [Theory, Trait("tier", "long")]
    [MemberData(nameof(Table))]
    public async Task Whatever_call_fails_the_store_is_whole_afterwards_and_the_answer_true(string work, string name)
    {
        var fault = Enum.Parse<Fault>(name);
        for (var nth = 1; ; nth++)
        {
            using var store = new TestStore();
            var (change, receipts) = Works[work].Prepare(store);
            var neighbour = store.NewDispatch("H37", "G22");
            FaultyEngine? engine = null;
            store.Reopen(e => engine = new FaultyEngine(e, nth, fault), new JournalOptions());

            var answers = new[] { store.Journal.Commit(change), store.Journal.Commit(neighbour.Accept) };
            while (store.Journal.Step() > 0) { }
            if (!engine!.Hurt)
            {
                Assert.True(nth > 8, "a commit has more calls than that");
                return;
            }
            var said = new List<bool>();
            foreach (var answer in answers)
                try { said.Add(await answer); }
                catch (Exception e) when (e is IoFailure or RefusedException or InvalidOperationException) { said.Add(false); }

            Assert.Equal(fault is Fault.Lost or Fault.KeptButReportedFailed, store.Stops.Count > 0);
            // A mistake in one change does not fail its neighbour; here the injected one strikes once, so both pass when run again alone.
            if (fault == Fault.Throw) Assert.Equal([true, true], said);
            store.Reopen();
            var given = (said[0] ? receipts : []).Concat(said[1] ? [neighbour.Receipt.Sha256] : []);
            Invariants.Check(store, given);
            // Who was not told yes asks again with the same bytes; then everything is there, once.
            store.Commit(change);
            store.Commit(neighbour.Accept);
            Invariants.Check(store, [.. receipts, neighbour.Receipt.Sha256]);
        }
    }

    static (Change<bool>, Digest[]) Refuse(TestStore store)
    {
        var dispatch = store.NewDispatch();
        var entry = LedgerEntry.Create(new RejectionDetail("G22", dispatch.Row.Envelope, dispatch.Row.Ctx, "E_POLICY", dispatch.Decision.Digest) { Time = dispatch.Row.ReceivedAt });
        var receipt = dispatch.NewReceipt(store, ReceiptEvent.SubmissionRejection, entry.Leaf, null, null, TestStore.Origin) with { Dispatch = null };
        return (b =>
        {
            if (EntryTable.Find(b, entry.Leaf) is not null) return false;
            b.Log(entry, EntryKind.Rejection, receipt.Id).Add(receipt).Add(dispatch.Decision);
            return true;
        }, [receipt.Sha256]);
    }

    static (Change<bool>, Digest[]) Acknowledge(TestStore store)
    {
        var dispatch = store.NewDispatch();
        store.Commit(dispatch.Accept);
        return (dispatch.HandOver(store, dispatch.Parcels[0]), [dispatch.Receipt.Sha256]);
    }

    static (Change<bool>, Digest[]) Settle(TestStore store)
    {
        var dispatch = store.NewDispatch();
        store.Commit(Awaited(dispatch));
        return (b =>
        {
            if (!dispatch.Accept(b)) return false;
            UploadTable.Remove(b, dispatch.Row.Id);
            return true;
        }, [dispatch.Receipt.Sha256]);
    }

    static Change<bool> Queue(TestDispatch dispatch)
    {
        dispatch.Parcels[0] = dispatch.Parcels[0] with { State = ParcelState.Queued, Channel = "https" };
        return b =>
        {
            if (!dispatch.Accept(b)) return false;
            b.Add([new JobRow { Parcel = dispatch.Parcels[0].Id, Office = dispatch.Parcels[0].Office, Class = 2, Due = 0 }]);
            return true;
        };
    }

    static TestDispatch Queued(TestStore store)
    {
        var dispatch = store.NewDispatch();
        store.Commit(Queue(dispatch));
        return dispatch;
    }

    static Change<bool> Claim(TestDispatch dispatch) => b => JobTable.Claim(b.Quiet(QuietKind.Claim), dispatch.Parcels[0].Office, 2, 1, now: 1, until: 1000).Count == 1;

    static TestDispatch Claimed(TestStore store)
    {
        var dispatch = Queued(store);
        store.Commit(Claim(dispatch));
        return dispatch;
    }

    static (Change<bool>, Digest[]) Deliver(TestStore store)
    {
        var dispatch = Claimed(store);
        var (row, parcel) = (dispatch.Row, dispatch.Parcels[0]);
        var entry = LedgerEntry.Create(new DeliveryDetail(row.Sender, row.Envelope, row.Ctx, parcel.Office, parcel.Key, "https") { Time = row.ReceivedAt });
        var consignment = dispatch.NewReceipt(store, ReceiptEvent.ContentConsignment, entry.Leaf, parcel.Id, parcel.Office, TestStore.Origin);
        var attempt = new AttemptRow { Parcel = parcel.Id, Fence = 1, Outcome = AttemptOutcome.Delivered, StartedAt = 1, EndedAt = 2, NextAt = null, Detail = "", Leaf = entry.Leaf };
        return (b =>
        {
            if (!JobTable.End(b, parcel.Id, 1)) return false;
            ParcelTable.Move(b, parcel.Id, ParcelState.Queued, ParcelState.Delivered);
            b.Log(entry, EntryKind.Delivery, parcel.Id).Add(consignment).Add(attempt);
            return true;
        }, [dispatch.Receipt.Sha256, consignment.Sha256]);
    }

    static Change<bool> Awaited(TestDispatch dispatch) => b => UploadTable.TryAdd(b, new UploadRow
    {
        Id = dispatch.Row.Id, Sender = dispatch.Row.Sender, Envelope = dispatch.Row.Envelope, Ctx = dispatch.Row.Ctx, ManifestDigest = dispatch.Row.ManifestDigest, PayloadBytes = 48,
        CreatedAt = dispatch.Row.ReceivedAt, ExpiresAt = dispatch.Row.Expires, Header = dispatch.Row.Header, Approvals = [], Manifest = dispatch.Row.Manifest,
    });

    [Fact]
    public async Task A_full_disk_refuses_submissions_and_is_tried_again_later()
    {
        using var store = new TestStore();
        var (first, second, third) = (store.NewDispatch(), store.NewDispatch(), store.NewDispatch());
        store.Reopen(e => new FaultyEngine(e, 1, Fault.DiskFull), new JournalOptions());

        Assert.Equal(Refusal.Full, Assert.Throws<RefusedException>(() => store.Commit(first.Accept)).Refusal);
        Assert.True(store.Journal.Full);
        Assert.Equal(Refusal.Full, (await Assert.ThrowsAsync<RefusedException>(() => store.Journal.Commit(second.Accept))).Refusal);
        Assert.Empty(store.Stops);

        store.Clock.Advance(TimeSpan.FromSeconds(6));
        Assert.True(store.Commit(third.Accept));
        Assert.False(store.Journal.Full);
        Assert.Equal(1, store.Head().Size);
        Assert.Empty(store.Check());
    }

    [Fact]
    public void Settling_is_tried_even_while_the_disk_is_full()
    {
        using var store = new TestStore();
        var dispatch = store.NewDispatch();
        store.Commit(dispatch.Accept);
        store.Reopen(e => new FaultyEngine(e, 1, Fault.DiskFull), new JournalOptions());
        Assert.Throws<RefusedException>(() => store.Commit(store.NewDispatch().Accept));

        Assert.True(store.Commit(dispatch.HandOver(store, dispatch.Parcels[0]), settle: true));
        Assert.False(store.Journal.Full);
    }
}
