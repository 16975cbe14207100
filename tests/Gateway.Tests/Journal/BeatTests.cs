using CsCheck;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Tests;

/// <summary>Heads where it must not show that something exists: at a fixed beat, of sizes that are multiples of sixteen, whatever happened.</summary>
public sealed class BeatTests : IDisposable
{
    const int Multiple = 16;
    readonly TestStore store = new();
    int number;
    bool hides = true;
    Beat beat;

    public BeatTests() => beat = NewBeat(store);

    public void Dispose() => store.Dispose();

    Beat NewBeat(TestStore of) => new(of.Journal, of.Checkpoints, () => hides, Multiple);

    /// <summary>A step, and the journal's with it.</summary>
    static async Task<bool> Step(TestStore store, Beat beat, bool force = false)
    {
        var stepped = beat.Step(store.Clock.GetUtcNow(), force);
        while (store.Journal.Step() > 0) { }
        return await stepped;
    }

    Task<bool> Step(int seconds = 0, bool force = false)
    {
        store.Clock.Advance(TimeSpan.FromSeconds(seconds));
        return Step(store, beat, force);
    }

    static Task Log(TestStore store, int count, ref int number)
    {
        var (first, entries) = (number, new List<LedgerEntry>());
        for (var i = 0; i < count; i++) entries.Add(TestStore.Entry(first + i));
        number += count;
        return store.Journal.Commit(b => { foreach (var entry in entries) b.Log(entry, EntryKind.Start); return true; });
    }

    void Grow(int count)
    {
        var logged = Log(store, count, ref number);
        store.Journal.Step();
        Assert.True(logged.IsCompletedSuccessfully);
    }

    static List<long> Sizes(TestStore store) => [.. store.Guard.Notes().Select(n => n.Size)];

    List<EntryKind> Kinds()
    {
        using var reader = store.Engine.Reader();
        return [.. EntryTable.Walk(reader).Select(e => e.Entry.Kind)];
    }

    [Fact]
    public async Task A_head_is_published_at_each_beat_with_and_without_traffic_and_never_between()
    {
        Assert.True(await Step());
        Assert.Equal([16], Sizes(store));
        for (var second = 1; second <= 60; second++)
        {
            // Nothing for half a minute, then now and then something.
            if (second > 30 && second % 3 == 0) Grow(1);
            Assert.Equal(second % 5 == 0, await Step(1));
        }
        Assert.Equal(Enumerable.Range(1, 13).Select(i => 16L * i), Sizes(store));
        // More than fits into one multiple shows in multiples.
        Grow(40);
        Assert.True(await Step(5));
        Assert.Equal(16L * (13 + 3), Sizes(store)[^1]);
        Assert.Empty(store.Check());
    }

    [Fact]
    public async Task What_is_logged_lies_among_dummies_and_not_only_before_them()
    {
        Assert.True(await Step());
        for (var second = 1; second <= 200; second++)
        {
            Grow(1);
            await Step(1);
        }
        // Of sixteen of a beat, five were logged here; a leaf before the last of them is a dummy often enough.
        var beats = Kinds().Skip(16).Chunk(16).SkipLast(1).ToList();
        Assert.All(beats, b => Assert.Equal(5, b.Count(k => k == EntryKind.Start)));
        Assert.True(beats.Count(b => b.Take(Array.LastIndexOf(b, EntryKind.Start)).Contains(EntryKind.Dummy)) > beats.Count * 3 / 4);
    }

    [Fact]
    public async Task A_stop_fills_up_too_and_without_a_hidden_level_all_is_as_it_was()
    {
        await Step();
        Grow(3);
        Assert.False(await Step(1));
        Assert.True(await Step(0, force: true));
        Assert.Equal([16, 32], Sizes(store));
        hides = false;
        Assert.False(await Step(10));
        Grow(3);
        Assert.True(await Step(10));
        Assert.Equal([16, 32, 35], Sizes(store));
        // A policy that hides a level again: from the next beat on.
        hides = true;
        Assert.True(await Step(10));
        Assert.Equal([16, 32, 35, 48], Sizes(store));
    }

    [Fact]
    public async Task Changes_of_the_same_batch_before_and_behind_do_not_move_the_head()
    {
        await Step();
        store.Clock.Advance(TimeSpan.FromSeconds(5));
        var before = Log(store, 3, ref number);
        var stepped = beat.Step(store.Clock.GetUtcNow());
        var behind = Log(store, 4, ref number);
        Assert.Equal(3, store.Journal.Step());
        Assert.True(await stepped && before.IsCompletedSuccessfully && behind.IsCompletedSuccessfully);
        Assert.Equal((32, 36), (store.Checkpoints.Newest!.Size, store.Head().Size));
        using var reader = store.Engine.Reader();
        Assert.Equal(Tiles.Root(32, TileTable.ReaderOf(reader)), store.Checkpoints.Newest.Root);
        // Nothing of what is behind it is shown, nor how much there is.
        var ledger = new LedgerReader(store.Engine, store.Checkpoints);
        Assert.True(ledger.Tile(0, 0, 32) is not null && ledger.Tile(0, 0, 33) is null && ledger.EntryBundle(0, 33) is null);
        Assert.Null(ledger.Inclusion(EntryTable.LeafAt(reader, 33)!.Value, null));
        Assert.Null(ledger.Inclusion(EntryTable.LeafAt(reader, 3)!.Value, 36));
        Assert.Null(ledger.Consistency(16, 36));
        Assert.True(await Step(5));
        Assert.Equal(48, store.Checkpoints.Newest.Size);
    }

    [Theory, InlineData("lost"), InlineData("kept")]
    public async Task Dead_at_any_write_of_filling_up_the_next_start_signs_a_multiple_again(string what)
    {
        var sizes = new List<List<long>>();
        for (var nth = 1; ; nth++)
        {
            using var own = new TestStore(options: new JournalOptions());
            await Step(own, NewBeat(own));
            var logged = Log(own, 5, ref number);
            own.Journal.Step();
            await logged;
            FaultyEngine? engine = null;
            own.Reopen(e => engine = new FaultyEngine(e, nth, what == "kept" ? Fault.KeptButReportedFailed : Fault.Lost), new JournalOptions());
            own.Clock.Advance(TimeSpan.FromSeconds(5));
            // Kept at the commit: the dummies are durable, and nobody signed.
            try { await Step(own, NewBeat(own)); }
            catch (IoFailure) { Assert.Equal([16], Sizes(own)); }
            if (!engine!.Hurt) break;
            own.Reopen(options: new JournalOptions());
            var more = Log(own, 1, ref number);
            own.Journal.Step();
            await more;
            Assert.True(await Step(own, NewBeat(own)));
            sizes.Add(Sizes(own));
            Assert.Empty(own.Check());
        }
        Assert.True(sizes.Count > 3);
        Assert.All(sizes.SkipLast(1), s => Assert.Equal([16, 32], s));
        Assert.Equal(what == "kept" ? [16L, 48L] : [16L, 32L], sizes[^1]);
    }

    [Fact]
    public async Task A_disk_that_is_full_or_a_busy_journal_stops_no_head_after_it()
    {
        await Step();
        var faulty = new Journal(new FaultyEngine(store.Engine, 1, Fault.DiskFull), store.Worlds, store.Clock, new JournalOptions(), store.Stops.Add);
        var waiting = new Beat(faulty, store.Checkpoints, () => true, Multiple);
        store.Clock.Advance(TimeSpan.FromSeconds(5));
        var stepped = waiting.Step(store.Clock.GetUtcNow());
        faulty.Step();
        Assert.Equal(Refusal.Full, (await Assert.ThrowsAsync<RefusedException>(() => stepped)).Refusal);
        faulty.Dispose();
        Assert.True(await Step(1));
        Assert.Equal([16, 32], Sizes(store));
        Assert.Empty(store.Stops);
    }

    /// <summary>Seconds that pass, entries that come, a stop, a kill: in any order.</summary>
    [Fact]
    public void Whatever_comes_every_published_size_is_a_multiple_and_all_heads_are_of_one_tree() =>
        Gen.Select(Gen.Int[0, 9], Gen.Int[1, 40]).Array[5, 60].Sample(steps => Run(steps).GetAwaiter().GetResult(), iter: 25);

    static async Task Run((int What, int Much)[] steps)
    {
        using var store = new TestStore(options: new JournalOptions());
        var beat = new Beat(store.Journal, store.Checkpoints, () => true, Multiple);
        var (number, published) = (0, 0);
        foreach (var (what, much) in steps)
            switch (what)
            {
                case 0 or 1 or 2:
                    var logged = Log(store, much, ref number);
                    store.Journal.Step();
                    await logged;
                    break;
                case 3:
                    store.Reopen(options: new JournalOptions());
                    beat = new Beat(store.Journal, store.Checkpoints, () => true, Multiple);
                    break;
                case 4:
                    if (await Step(store, beat, force: true)) published++;
                    break;
                default:
                    store.Clock.Advance(TimeSpan.FromSeconds(what >= 8 ? 5 : 1));
                    if (await Step(store, beat)) published++;
                    break;
            }
        var notes = store.Guard.Notes();
        Assert.Equal(published, notes.Count);
        Assert.All(notes, n => Assert.Equal(0, n.Size % Multiple));
        // Each head against the tree that is there now, each entry against its promise.
        Assert.Empty(store.Check());
        Assert.Empty(store.Stops);
    }
}
