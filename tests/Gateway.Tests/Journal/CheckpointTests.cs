using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;
using Microsoft.Data.Sqlite;

namespace Exchange.Tests;

public sealed class CheckpointTests : IDisposable
{
    readonly TestStore store = new();
    int number;

    LedgerReader Ledger => new(store.Engine, store.Checkpoints);

    List<LedgerEntry> Grow(int count)
    {
        var entries = Enumerable.Range(0, count).Select(_ => TestStore.Entry(++number)).ToList();
        store.Commit(b => { foreach (var entry in entries) b.Log(entry, EntryKind.Start); return true; });
        return entries;
    }

    bool Step(int seconds = 0) => store.Checkpoints.Step(TestStore.Start.AddSeconds(seconds));

    [Fact]
    public void A_checkpoint_is_published_every_interval_when_the_ledger_has_grown()
    {
        Assert.False(Step());
        Grow(1);
        Assert.True(Step());
        Grow(1);
        Assert.False(Step(4));
        Assert.True(Step(5));
        Assert.False(Step(60));
        Grow(1);
        Assert.True(store.Checkpoints.Step(TestStore.Start.AddSeconds(61), force: true));
        Grow(1);
        Assert.False(Step(65));
        Assert.True(store.Checkpoints.Step(TestStore.Start.AddSeconds(65), force: true));

        var opened = Checkpoint.Open(Encoding.UTF8.GetBytes(store.Checkpoints.Newest!.Note), TestStore.VerifierKey);
        Assert.Equal(new Checkpoint(TestStore.Origin, 4, store.Head().Root), opened);
        Assert.Equal([1, 2, 3, 4], store.Guard.Notes().Select(n => n.Size));
    }

    [Fact]
    public void All_checkpoints_ever_signed_are_consistent_in_pairs_over_restarts()
    {
        foreach (var count in new[] { 1, 2, 5, 250, 3, 300, 255 })
        {
            Grow(count);
            Assert.True(Step(number * 10));
            store.Reopen();
        }
        var notes = store.Guard.Notes();
        Assert.Equal(7, notes.Count);
        Assert.Equal(notes[^1], store.Checkpoints.Newest);
        foreach (var older in notes)
            foreach (var newer in notes.Where(n => n.Size >= older.Size))
                Assert.True(MerkleTree.VerifyConsistency(older.Size, older.Root, newer.Size, newer.Root, Ledger.Consistency(older.Size, newer.Size)!));
        Assert.Empty(store.Check());
    }

    [Fact]
    public void Each_entry_is_proved_in_each_size_that_contains_it_and_tiles_are_those_of_the_tree()
    {
        var entries = Grow(300);
        Step();
        var newest = store.Checkpoints.Newest!;
        foreach (var index in new[] { 0, 1, 254, 255, 256, 299 })
        {
            var proof = Ledger.Inclusion(entries[index].Leaf, null)!;
            Assert.Equal((index, 300L), (proof.Index, proof.Size));
            Assert.True(MerkleTree.VerifyInclusion(entries[index].Leaf, proof.Index, proof.Size, proof.Proof, newest.Root));
        }
        var within = Ledger.Inclusion(entries[3].Leaf, 100)!;
        Assert.True(MerkleTree.VerifyInclusion(entries[3].Leaf, 3, 100, within.Proof, MerkleTree.Root([.. entries.Take(100).Select(e => e.Leaf)])));
        Assert.Null(Ledger.Inclusion(entries[200].Leaf, 100));
        Assert.Null(Ledger.Inclusion(entries[0].Leaf, 301));

        Assert.Equal(entries.Take(256).SelectMany(e => e.Leaf.ToArray()), Ledger.Tile(0, 0, 256)!);
        Assert.Equal(entries.Skip(256).Take(44).SelectMany(e => e.Leaf.ToArray()), Ledger.Tile(0, 1, 44)!);
        Assert.Equal(MerkleTree.Root([.. entries.Take(256).Select(e => e.Leaf)]).ToArray(), Ledger.Tile(1, 0, 1)!);
        Assert.Equal(entries.Skip(256).Take(10).Select(e => e.Hash), EntryBundle.Read(Ledger.EntryBundle(1, 10), 10));
        Assert.Null(Ledger.Tile(0, 1, 45));
        Assert.Null(Ledger.Tile(0, 1, 256));
        Assert.Null(Ledger.Tile(2, 0, 1));
    }

    [Fact]
    public void Nothing_beyond_the_newest_checkpoint_is_shown()
    {
        Grow(2);
        Step();
        var entry = Grow(1)[0];
        Assert.Null(Ledger.Inclusion(entry.Leaf, null));
        Assert.Null(Ledger.Inclusion(entry.Leaf, 3));
        Assert.Null(Ledger.Tile(0, 0, 3));
        Assert.Null(Ledger.EntryBundle(0, 3));
        Assert.Null(Ledger.Consistency(1, 3));
        Assert.NotNull(Ledger.Consistency(1, 2));
    }

    [Fact]
    public void A_store_restored_from_an_older_copy_refuses_to_run()
    {
        Grow(3);
        Step();
        var copy = CopyOfStore();
        Grow(2);
        Step(10);
        Restore(copy);
        var refused = Assert.Throws<CannotStartException>(() => store.Reopen());
        Assert.Contains("restored from an older copy", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_copy_that_went_on_by_itself_refuses_to_run()
    {
        Grow(3);
        var copy = CopyOfStore();
        Grow(2);
        Step();
        Restore(copy);
        var guard = File.ReadAllBytes(store.GuardFile);
        SwapGuard(0, MerkleTree.EmptyRoot);
        store.Reopen();
        Grow(4);
        store.Close();
        File.WriteAllBytes(store.GuardFile, guard);
        var refused = Assert.Throws<CannotStartException>(() => store.Reopen());
        Assert.Contains("continues another copy", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void When_somebody_else_signed_for_this_ledger_the_gateway_stops_and_signs_nothing()
    {
        Grow(1);
        Step();
        Grow(1);
        Assert.True(store.Guard.CompareAndSwap(store.Guard.Head, (7, MerkleTree.EmptyRoot)));

        Assert.Throws<IoFailure>(() => Step(10));

        Assert.Single(store.Stops);
        Assert.Equal([1], store.Guard.Notes().Select(n => n.Size));
        Assert.Equal(1, store.Checkpoints.Newest!.Size);
    }

    [Fact]
    public void The_guard_swaps_only_from_the_head_it_has_and_only_forward()
    {
        var root = TestStore.Entry().Leaf;
        Assert.False(store.Guard.CompareAndSwap((1, MerkleTree.EmptyRoot), (2, root)));
        Assert.False(store.Guard.CompareAndSwap((0, root), (2, root)));
        Assert.True(store.Guard.CompareAndSwap((0, MerkleTree.EmptyRoot), (2, root)));
        Assert.False(store.Guard.CompareAndSwap((2, root), (2, MerkleTree.EmptyRoot)));
        Assert.False(store.Guard.CompareAndSwap((2, root), (1, root)));
        Assert.Equal((2, root), store.Guard.Head);
    }

    [Fact]
    public void A_crash_between_swap_and_publication_is_finished_by_the_next_start()
    {
        Grow(3);
        var head = store.Head();
        Assert.True(store.Guard.CompareAndSwap(store.Guard.Head, (head.Size, head.Root)));
        store.Reopen();
        Assert.Equal((3, head.Root), (store.Checkpoints.Newest!.Size, store.Checkpoints.Newest.Root));
        Assert.Single(store.Guard.Notes());
    }

    [Fact]
    public void A_ledger_has_one_guard()
    {
        Grow(1);
        Step();
        store.Guard.Dispose();
        Assert.Throws<CannotStartException>(() => Guard.Create(store.GuardFile, TestStore.Origin));
        Assert.Throws<CannotStartException>(() => Guard.Open(store.GuardFile, "another/ledger"));
        Assert.Throws<CannotStartException>(() => Guard.Open(store.GuardFile + ".gone", TestStore.Origin));
    }

    byte[] CopyOfStore()
    {
        store.Close();
        var copy = File.ReadAllBytes(store.Folder.Database);
        store.Reopen();
        return copy;
    }

    void Restore(byte[] copy)
    {
        store.Close();
        File.WriteAllBytes(store.Folder.Database, copy);
    }

    void SwapGuard(long size, Digest root)
    {
        using var connection = new SqliteConnection($"Data Source={store.GuardFile};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "DELETE FROM checkpoint; UPDATE guard SET size = @size, root = @root";
        command.Parameters.AddWithValue("@size", size);
        command.Parameters.AddWithValue("@root", root.ToArray());
        command.ExecuteNonQuery();
    }

    public void Dispose() => store.Dispose();
}
