using Exchange.Crypto;

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
