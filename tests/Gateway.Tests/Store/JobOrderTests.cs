using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Tests.Store;

/// <summary>Conversation order in the store: what refers to an earlier envelope waits for it, to the same office.</summary>
public sealed class JobOrderTests : IDisposable
{
    readonly TestStore store = new();

    [Fact]
    public void A_successor_waits_for_the_last_of_its_conversation_and_goes_when_that_has_ended()
    {
        var (first, second, third) = (Queue(), Queue(), Queue());
        Assert.Null(Before(first, first));
        Job(first, after: null);
        Job(second, after: Before(first, second));
        Job(third, after: Before(first, third));
        Assert.Equal([first.Parcels[0].Id], Claimable());
        End(first);
        Assert.Equal([second.Parcels[0].Id], Claimable());
        End(second);
        Assert.Equal([third.Parcels[0].Id], Claimable());
    }

    [Fact]
    public void A_dead_predecessor_blocks_only_its_own_conversation_until_somebody_decides_about_it()
    {
        var (first, second, other) = (Queue(), Queue(), Queue());
        Job(first, after: null);
        Job(second, after: Before(first, second));
        Job(other, after: null);
        End(first, dead: true);
        Assert.Equal([other.Parcels[0].Id], Claimable());
        Assert.Equal(second.Parcels[0].Id, Before(first, other));
        Logged(b => DeadTable.Remove(b, first.Parcels[0].Id));
        Logged(b => { JobOrder.Promote(b, first.Parcels[0].Id); return true; });
        Assert.Equal([second.Parcels[0].Id, other.Parcels[0].Id], Claimable().Order());
    }

    TestDispatch Queue()
    {
        var dispatch = store.NewDispatch();
        dispatch.Parcels[0] = dispatch.Parcels[0] with { State = ParcelState.Queued, Channel = "https" };
        Assert.True(store.Commit(dispatch.Accept));
        return dispatch;
    }

    void Job(TestDispatch dispatch, Guid? after) =>
        Logged(b => b.Add([new JobRow { Parcel = dispatch.Parcels[0].Id, Office = dispatch.Parcels[0].Office, Class = 2, Due = 0, After = after }]) is not null);

    Guid? Before(TestDispatch earlier, TestDispatch of) => store.Commit(b => JobOrder.Predecessor(b, earlier.Row.Sender, earlier.Row.Envelope, of.Parcels[0].Office) is { } found && found != of.Parcels[0].Id ? found : (Guid?)null);

    void End(TestDispatch dispatch, bool dead = false) => Logged(b =>
    {
        var parcel = dispatch.Parcels[0].Id;
        Assert.True(JobTable.Drop(b, parcel, blocks: dead));
        Assert.True(ParcelTable.Move(b, parcel, ParcelState.Queued, dead ? ParcelState.Dead : ParcelState.Recalled));
        if (dead) DeadTable.Add(b, new() { Parcel = parcel, Office = dispatch.Parcels[0].Office, Reason = "E_POISON", DiedAt = 1, Fence = 1 });
        return true;
    });

    void Logged(Change<bool> change)
    {
        var entry = LedgerEntry.Create(new StopDetail { Time = 1 });
        Assert.True(store.Commit(b =>
        {
            b.Log(entry, EntryKind.Stop);
            return change(b);
        }));
    }

    List<Guid> Claimable()
    {
        using var reader = store.Engine.Reader();
        return [.. reader.Query<Guid>("SELECT parcel FROM job WHERE state = 0 ORDER BY parcel")];
    }

    public void Dispose() => store.Dispose();
}
