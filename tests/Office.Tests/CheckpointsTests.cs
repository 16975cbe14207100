using Exchange.Crypto;
using Exchange.Crypto.Ledger;

namespace Exchange.Tests;

public sealed class CheckpointsTests(DevPkiFixture pki)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_newer_head_is_taken_only_when_it_continues_the_one_seen()
    {
        using var bench = new Bench(pki.Folder);
        using var office = bench.Start("G22");
        Assert.Null(await office.Checkpoints.RefreshAsync(office.Api, Cancel));
        for (var size = 1; size <= 9; size++)
        {
            bench.Gateway.Grow($"entry {size}");
            await office.Checkpoints.RefreshAsync(office.Api, Cancel);
            Assert.Equal(size, office.Checkpoints.Newest!.Size);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_head_that_lacks_one_of_the_two_pinned_kinds_of_signature_is_not_taken(int line)
    {
        using var bench = new Bench(pki.Folder);
        using var office = bench.Start("G22");
        bench.Gateway.Grow("entry");
        bench.Gateway.ForgeNote = note => note.Replace(SignedNote.Read(System.Text.Encoding.UTF8.GetBytes(note)).Lines[line].Line + "\n", "", StringComparison.Ordinal);
        Assert.Same(Refusal.Note, (await Assert.ThrowsAsync<RefusedException>(() => office.Checkpoints.RefreshAsync(office.Api, Cancel))).Refusal);
        Assert.Null(office.Checkpoints.Newest);
        bench.Gateway.ForgeNote = note => note;
        Assert.Equal(1, (await office.Checkpoints.RefreshAsync(office.Api, Cancel))!.Size);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task Two_heads_that_contradict_each_other_are_both_kept_and_neither_is_taken(int grown)
    {
        using var bench = new Bench(pki.Folder);
        using var office = bench.Start("G22");
        for (var i = 0; i < 5; i++) bench.Gateway.Grow($"entry {i}");
        var seen = await office.Checkpoints.RefreshAsync(office.Api, Cancel);
        bench.Gateway.Rewrite();
        for (var i = 0; i < grown; i++) bench.Gateway.Grow($"later {i}");
        var refused = await Assert.ThrowsAsync<RefusedException>(() => office.Checkpoints.RefreshAsync(office.Api, Cancel));
        Assert.Same(Refusal.Fork, refused.Refusal);
        Assert.Equal(2, Directory.GetFiles(bench.At("G22", "state", "fork")).Length);
        Assert.Equal(seen, office.Checkpoints.Newest);
    }
}
