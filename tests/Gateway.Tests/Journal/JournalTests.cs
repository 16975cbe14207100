using CsCheck;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;
using Microsoft.Extensions.Time.Testing;

namespace Exchange.Tests;

public sealed class JournalTests : IDisposable
{
    readonly TestStore store = new();

    [Fact]
    public void Commit_answers_with_what_the_change_returned_and_its_rows_are_there()
    {
        var dispatch = store.NewDispatch("G22", "H41", "H14");

        Assert.True(store.Commit(dispatch.Accept));

        using var reader = store.Engine.Reader();
        var found = DispatchTable.Read(reader, "G22", dispatch.Row.Envelope)!;
        Assert.Equal(dispatch.Row.Manifest, found.Manifest);
        Assert.Equal(dispatch.Row with { Header = found.Header, Manifest = found.Manifest, Payload = found.Payload, Approvals = found.Approvals }, found);
        Assert.Equal(dispatch.Parcels, ParcelTable.OfDispatch(reader, "G22", dispatch.Row.Id));
        Assert.Equal(dispatch.Receipt.Der, ReceiptTable.Acceptance(reader, "G22", dispatch.Row.Envelope)!.Der);
        var entry = EntryTable.Find(reader, dispatch.Entry.Leaf)!;
        Assert.Equal((0L, EntryKind.Submission, (Guid?)dispatch.Row.Id), (entry.Seq, entry.Kind, entry.Subject));
        Assert.Equal(dispatch.Entry.Detail, EntryTable.Secret(reader, 0)!.Detail);
        Assert.Equal(dispatch.Decision.Record, DecisionTable.Find(reader, dispatch.Decision.Digest)!.Record);
        Assert.Empty(store.Check());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_change_that_throws_fails_alone_and_the_others_of_its_batch_stand(bool rehearse)
    {
        store.Reopen(options: new JournalOptions { Rehearse = rehearse });
        var (one, two) = (store.NewDispatch(), store.NewDispatch());
        var first = store.Journal.Commit(one.Accept);
        var bad = store.Journal.Commit<bool>(b =>
        {
            b.Log(TestStore.Entry(), EntryKind.Start);
            throw new InvalidOperationException("a bug");
        });
        var second = store.Journal.Commit(two.Accept);

        Assert.Equal(3, store.Journal.Step());

        Assert.True(await first);
        Assert.True(await second);
        Assert.Equal("a bug", (await Assert.ThrowsAsync<InvalidOperationException>(() => bad)).Message);
        Assert.Equal(2, store.Head().Size);
        Assert.Empty(store.Stops);
        Assert.Empty(store.Check());
    }

    [Fact]
    public void A_change_that_writes_without_an_entry_is_refused_and_nothing_of_it_stays()
    {
        var dispatch = store.NewDispatch();
        Assert.Throws<InvalidOperationException>(() => store.Commit(b => DispatchTable.TryAdd(b, dispatch.Row)));
        Assert.Throws<InvalidOperationException>(() => store.Commit(b => b.Add(dispatch.Decision)));
        using var reader = store.Engine.Reader();
        Assert.Null(DispatchTable.Find(reader, "G22", dispatch.Row.Envelope));
        Assert.Null(DecisionTable.Find(reader, dispatch.Decision.Digest));
        Assert.Equal(0, store.Head().Size);
    }

    [Fact]
    public void A_quiet_change_leaves_no_entry_and_may_promise_nothing()
    {
        var dispatch = store.NewDispatch();
        Assert.True(store.Commit(b => UploadTable.TryAdd(b, Upload(dispatch.Row))));
        Assert.False(store.Commit(b => UploadTable.TryAdd(b, Upload(dispatch.Row))));
        Assert.Equal(0, store.Head().Size);
        using (var reader = store.Engine.Reader()) Assert.Equal(48, UploadTable.Find(reader, "G22", dispatch.Row.Envelope)!.PayloadBytes);

        Assert.Throws<InvalidOperationException>(() => store.Commit(b => b.Quiet(QuietKind.UploadProgress).Add(dispatch.Decision)));
        Assert.Throws<InvalidOperationException>(() => store.Commit(b => b.Quiet(QuietKind.Claim).Log(TestStore.Entry(), EntryKind.Start)));
        Assert.Equal(["Claim", "Heartbeat", "UploadProgress"], Enum.GetNames<QuietKind>());
    }

    [Fact]
    public void A_change_that_only_reads_needs_no_entry()
    {
        var dispatch = store.NewDispatch();
        Assert.True(store.Commit(dispatch.Accept));
        var head = store.Head();

        Assert.False(store.Commit(dispatch.Accept));
        Assert.Equal(head.Root, store.Head().Root);
        Assert.Equal(dispatch.Receipt.Sha256, store.Commit(b => ReceiptTable.Acceptance(b, "G22", dispatch.Row.Envelope))!.Sha256);
    }

    [Fact]
    public void Changes_of_a_batch_are_applied_in_the_order_of_arrival_and_see_each_other()
    {
        var dispatch = store.NewDispatch();
        var again = new[] { store.Journal.Commit(dispatch.Accept), store.Journal.Commit(dispatch.Accept) };
        var entries = Enumerable.Range(0, 20).Select(n => TestStore.Entry(n)).ToArray();
        foreach (var entry in entries) store.Journal.Commit(b => b.Log(entry, EntryKind.Start));

        Assert.Equal(22, store.Journal.Step());

        Assert.Equal([true, false], again.Select(a => a.Result));
        using var reader = store.Engine.Reader();
        Assert.Equal(Enumerable.Range(1, 20).Select(n => (long)n), entries.Select(e => EntryTable.Find(reader, e.Leaf)!.Seq));
        Assert.Equal(MerkleTree.Root([dispatch.Entry.Leaf, .. entries.Select(e => e.Leaf)]), store.Head().Root);
    }

    [Fact]
    public void The_time_of_the_journal_never_goes_back_even_when_the_clock_does()
    {
        var (one, two) = (TestStore.Entry(1), TestStore.Entry(2));
        var first = store.Commit(b => b.Log(one, EntryKind.Start).Now);
        store.Clock = new FakeTimeProvider(TestStore.Start.AddHours(-1));
        store.Reopen();

        Assert.Equal(first, store.Commit(b => b.Log(two, EntryKind.Start).Now));
        store.Clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(TestStore.Start.AddHours(1), store.Commit(b => b.Now));
    }

    [Fact]
    public async Task Too_many_waiting_changes_are_refused_as_busy_and_settling_has_a_share_of_its_own()
    {
        store.Reopen(options: new JournalOptions { MaxWaiting = 16, MaxBytes = 8000 });
        Change<bool> change = b => { b.Log(TestStore.Entry(), EntryKind.Start); return true; };
        var taken = Enumerable.Range(0, 14).Select(_ => store.Journal.Commit(change, 500)).ToList();

        Assert.False(store.Journal.HasRoom(1));
        Assert.Equal(Refusal.Busy, (await Assert.ThrowsAsync<RefusedException>(() => store.Journal.Commit(change))).Refusal);
        taken.Add(store.Journal.Commit(change, 500, settle: true));
        taken.Add(store.Journal.Commit(change, 500, settle: true));
        Assert.Equal(Refusal.Busy, (await Assert.ThrowsAsync<RefusedException>(() => store.Journal.Commit(change, settle: true))).Refusal);

        Assert.Equal(16, store.Journal.Step());
        Assert.All(await Task.WhenAll(taken), Assert.True);
        var large = store.Journal.Commit(change, 6000);
        Assert.False(store.Journal.HasRoom(1001));
        Assert.True(store.Journal.HasRoom(1000));
        store.Journal.Step();
        Assert.True(await large);
    }

    [Fact]
    public void A_change_that_is_not_the_same_when_run_again_is_found_by_the_rehearsal()
    {
        Assert.Throws<InvalidOperationException>(() => store.Commit(b => b.Log(TestStore.Entry(), EntryKind.Start)));
        var entry = TestStore.Entry();
        store.Commit(b => b.Log(entry, EntryKind.Start));
        Assert.Equal(1, store.Head().Size);
    }

    [Fact]
    public async Task When_somebody_else_wrote_the_world_or_the_head_the_journal_stops()
    {
        store.Tamper("UPDATE head SET world = 7");
        var task = store.Journal.Commit(store.NewDispatch().Accept);
        store.Journal.Step();
        await Assert.ThrowsAsync<IoFailure>(() => task);
        Assert.Single(store.Stops);
        await Assert.ThrowsAsync<IoFailure>(() => store.Journal.Commit(b => b.Now));
    }

    [Fact]
    public async Task The_writer_thread_answers_many_senders_and_wakes_who_waits_for_news()
    {
        store.Reopen(options: new JournalOptions());
        var news = store.Journal.NextCommit;
        store.Journal.Start();
        var dispatches = Enumerable.Range(0, 64).Select(_ => store.NewDispatch()).ToList();

        var answers = await Task.WhenAll(dispatches.Select(d => Task.Run(() => store.Journal.Commit(d.Accept))));

        Assert.All(answers, Assert.True);
        await news;
        Assert.Equal(64, store.Head().Size);
        Assert.Empty(store.Check());
    }

    [Fact]
    public async Task A_closed_journal_finishes_what_waits_and_takes_nothing_more()
    {
        var entry = TestStore.Entry();
        var waiting = store.Journal.Commit(b => { b.Log(entry, EntryKind.Stop); return true; });
        store.Journal.Dispose();
        Assert.True(await waiting);
        await Assert.ThrowsAsync<RefusedException>(() => store.Journal.Commit(b => b.Now));
    }

    [Fact]
    public void Any_mixture_of_changes_gives_one_root_however_it_is_cut_into_batches() =>
        // 0 accept, 1 accept again, 2 hand over, 3 an entry, 4 a bug; true: end of a batch.
        Gen.Select(Gen.Int[0, 4], Gen.Bool).List[1, 30].Sample(steps =>
        {
            using var together = new TestStore();
            using var alone = new TestStore();
            var changes = Changes(together, [.. steps.Select(s => s.Item1)]);
            var cut = changes.Zip(steps, (change, step) => (Task: together.Journal.Commit(change), Step: step.Item2 && together.Journal.Step() > 0)).ToList();
            while (together.Journal.Step() > 0) { }
            var single = changes.Select(change => { var task = alone.Journal.Commit(change); alone.Journal.Step(); return task; }).ToList();

            Assert.Equal(alone.Head() with { Frontier = [] }, together.Head() with { Frontier = [] });
            Assert.Equal(single.Select(Outcome), cut.Select(c => Outcome(c.Task)));
            Assert.Empty(together.Check());
        }, iter: 8, seed: "0000KOIPe036", threads: 1);

    static string Outcome(Task<bool> task) => task.IsFaulted ? task.Exception!.InnerException!.Message : $"{task.Result}";

    static List<Change<bool>> Changes(TestStore store, IReadOnlyList<int> kinds)
    {
        var known = new List<TestDispatch> { store.NewDispatch("G22", "H41", "H14") };
        return [.. kinds.Select((kind, n) =>
        {
            if (kind == 0) known.Add(store.NewDispatch("G22", "H41", "H37"));
            var last = known[^1];
            var entry = TestStore.Entry(n);
            return (Change<bool>)(kind switch
            {
                0 or 1 => last.Accept,
                2 => last.HandOver(store, last.Parcels[n % 2]),
                3 => b => b.Log(entry, EntryKind.Start) is not null,
                _ => b => throw new InvalidOperationException($"bug {b.Log(entry, EntryKind.Start).Now.Ticks}"),
            });
        })];
    }

    static UploadRow Upload(DispatchRow row) => new()
    {
        Id = row.Id, Sender = row.Sender, Envelope = row.Envelope, Ctx = row.Ctx, ManifestDigest = row.ManifestDigest, PayloadBytes = 48, CreatedAt = row.ReceivedAt,
        ExpiresAt = row.Expires, Header = row.Header, Approvals = [], Manifest = row.Manifest,
    };

    public void Dispose() => store.Dispose();
}
