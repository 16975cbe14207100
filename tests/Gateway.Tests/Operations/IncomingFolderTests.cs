using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;

namespace Exchange.Tests.Operations;

public sealed class IncomingFolderTests
{
    [Fact]
    public async Task What_officers_signed_is_put_in_force_and_the_rest_is_refused_with_its_reason()
    {
        await using var gateway = await TestGateway.Start();
        var incoming = Path.Combine(gateway.Data, "incoming");
        var world = gateway.Host.Shared.Worlds.Current;

        await File.WriteAllBytesAsync(Path.Combine(incoming, "standing-2.p7s"), DevPkiFolder.WithoutClearance(2, "H41"));
        await File.WriteAllTextAsync(Path.Combine(incoming, "letter.txt"), "please activate");
        await gateway.Host.Loops.StepAll();

        Assert.True(File.Exists(Path.Combine(incoming, "done", "standing-2.p7s")));
        Assert.True(File.Exists(Path.Combine(incoming, "refused", "letter.txt")));
        Assert.StartsWith("E_", await File.ReadAllTextAsync(Path.Combine(incoming, "refused", "letter.txt.reason")), StringComparison.Ordinal);
        Assert.NotEqual(world.Id, gateway.Host.Shared.Worlds.Current.Id);
        Assert.Equal(2, gateway.Host.Shared.Worlds.Current.Standing.Version);
        var (_, file) = await gateway.SealFile("H41");
        Assert.Equal("E_NOT_RELEASABLE", (await gateway.Submit(file)).Code);

        // Older than what is in force: refused, and what is in force stays.
        File.Copy(DevPkiFolder.At("statements", "standing.p7s"), Path.Combine(incoming, "standing-1.p7s"));
        await gateway.Host.Loops.StepAll();
        Assert.StartsWith("E_VERSION_OLD", await File.ReadAllTextAsync(Path.Combine(incoming, "refused", "standing-1.p7s.reason")), StringComparison.Ordinal);
        await gateway.Restart();
        Assert.Equal(2, gateway.Host.Shared.Worlds.Current.Standing.Version);
    }

    [Fact]
    public async Task What_is_handed_over_comes_as_one_and_its_fate_is_told()
    {
        await using var gateway = await TestGateway.Start();
        var incoming = Path.Combine(gateway.Data, "incoming");
        var given = Directory.CreateDirectory(Path.Combine(gateway.Data, "given"));
        File.WriteAllBytes(Path.Combine(given.FullName, "standing.p7s"), DevPkiFolder.WithoutClearance(2, "H41"));
        File.WriteAllText(Path.Combine(given.FullName, "letter.txt"), "please activate");
        using var said = new StringWriter();
        var handed = HandOver.Run(gateway.Data, given.GetFiles(), said, gateway.Clock, TestContext.Current.CancellationToken);
        while (!handed.IsCompleted) await gateway.Host.Loops.StepAll();
        Assert.StartsWith("letter.txt: refused: E_DER", Assert.Single(await handed), StringComparison.Ordinal);
        Assert.Equal("standing.p7s: in force", said.ToString().Trim());
        Assert.Equal(2, gateway.Host.Shared.Worlds.Current.Standing.Version);
        Assert.Equal(["done", "refused"], Directory.GetFileSystemEntries(incoming).Select(Path.GetFileName).Order());
        // A folder that is still being filled is not looked at.
        Directory.CreateDirectory(Path.Combine(incoming, ".later"));
        File.WriteAllText(Path.Combine(incoming, ".later", "x"), "half");
        await gateway.Host.Loops.StepAll();
        Assert.True(File.Exists(Path.Combine(incoming, ".later", "x")));
        Assert.Equal($"{Path.Combine(given.FullName, "none")}: no such file", Assert.Single(await HandOver.Run(gateway.Data, [new FileInfo(Path.Combine(given.FullName, "none"))], said, gateway.Clock, default)));
    }

    [Fact]
    public async Task Why_an_order_is_refused_is_one_line_in_which_code_detail_and_sentence_are_told_apart()
    {
        await using var gateway = await TestGateway.Start();
        var given = HandOver.Give(gateway.Data, "no order"u8.ToArray(), IncomingFolder.Order, gateway.Clock, TestContext.Current.CancellationToken);
        while (!given.IsCompleted) await gateway.Host.Loops.StepAll();
        Assert.Equal((null, $"{Refusal.Request}: not an order: {Refusal.Request.En}"), await given);
    }

    [Fact]
    public async Task Start_and_clean_stop_are_entries_and_the_last_head_is_signed()
    {
        await using var gateway = await TestGateway.Start();
        await gateway.Restart();
        using var reader = gateway.Host.Shared.Engine.Reader();
        var kinds = EntryTable.Walk(reader).Select(e => e.Entry.Kind).ToList();
        Assert.Equal([EntryKind.Start, EntryKind.Stop, EntryKind.Start], kinds.Where(k => k is EntryKind.Start or EntryKind.Stop));
        Assert.Equal(kinds.Count - 1, gateway.Host.Shared.Ledger.Newest!.Size);
    }
}
