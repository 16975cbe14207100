using Exchange.Crypto;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Tests;

/// <summary>Every call of a commit × every fault: a false answer is never given, and what a fresh start finds is whole.</summary>
public sealed class FaultTests
{
    public static TheoryData<string> Faults => [.. Enum.GetNames<Fault>()];

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Whatever_call_fails_the_store_is_whole_afterwards_and_the_answer_true(string name)
    {
        var fault = Enum.Parse<Fault>(name);
        for (var nth = 1; ; nth++)
        {
            using var store = new TestStore();
            var (dispatch, neighbour) = (store.NewDispatch("G22", "H41", "H14"), store.NewDispatch("H37", "G22"));
            FaultyEngine? engine = null;
            store.Reopen(e => engine = new FaultyEngine(e, nth, fault), new JournalOptions());

            var answers = new[] { store.Journal.Commit(dispatch.Accept), store.Journal.Commit(neighbour.Accept) };
            while (store.Journal.Step() > 0) { }
            if (!engine!.Hurt)
            {
                Assert.True(nth > 8, "a commit has more calls than that");
                return;
            }
            var accepted = new List<bool>();
            foreach (var answer in answers)
                try { accepted.Add(await answer); }
                catch (Exception e) when (e is IoFailure or RefusedException or InvalidOperationException) { accepted.Add(false); }

            Assert.Equal(fault is Fault.Lost or Fault.KeptButReportedFailed, store.Stops.Count > 0);
            // A mistake in one change does not fail its neighbour; here the injected one strikes once, so both pass when run again alone.
            if (fault == Fault.Throw) Assert.Equal([true, true], accepted);
            store.Reopen();
            Assert.Empty(store.Check());
            foreach (var (one, said) in new[] { dispatch, neighbour }.Zip(accepted))
            {
                using (var reader = store.Engine.Reader())
                    if (said) Assert.NotNull(ReceiptTable.Acceptance(reader, one.Row.Sender, one.Row.Envelope));
                // The sender asks again with the same bytes, whatever he was told.
                store.Commit(one.Accept);
                using var after = store.Engine.Reader();
                Assert.Equal(one.Parcels.Length, ParcelTable.OfDispatch(after, one.Row.Sender, one.Row.Id).Count);
            }
            Assert.Equal(2, store.Head().Size);
            Assert.Empty(store.Check());
        }
    }

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
