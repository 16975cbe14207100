using Exchange.Crypto.Ledger;
using Exchange.Office;
using Exchange.Office.Client;

namespace Exchange.Tests;

/// <summary>Offices witness each other: what one has signed that it saw of the ledger is held against what is shown to another.</summary>
public sealed class OtherHeadsTests : IDisposable
{
    readonly Bench bench;

    public OtherHeadsTests(DevPkiFixture pki)
    {
        bench = new Bench(pki.Folder);
        for (var i = 0; i < 5; i++) bench.Gateway.Grow($"entry {i}");
    }

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    string[] Waiting(string office) => Files(office, "seen");
    string[] Kept(string office) => Files(office, "fork");
    string[] Files(string office, string folder) => Directory.Exists(bench.At(office, "state", folder)) ? [.. Directory.GetFiles(bench.At(office, "state", folder)).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)] : [];

    async Task<Guid> SentAsync() => (await bench.SendAsync()).Entry.Id;

    async Task OpenAsync(Guid id)
    {
        using var client = new OfficeClient(bench.Start("H41"));
        await client.RefreshAsync(Cancel);
        Assert.Null((await client.OpenAsync(id, bench.At("received"), null, Cancel)).Failure);
    }

    async Task<IReadOnlyList<LedgerContradiction>> RefreshedAsync(string office)
    {
        using var client = new OfficeClient(bench.Start(office));
        await client.RefreshAsync(Cancel);
        return client.Contradictions();
    }

    [Fact]
    public async Task A_head_of_the_same_ledger_is_asked_about_and_forgotten()
    {
        var id = await SentAsync();
        bench.Gateway.Grow("later");
        await OpenAsync(id);
        Assert.StartsWith("seen-5-", Assert.Single(Waiting("H41")), StringComparison.Ordinal);
        Assert.Empty(await RefreshedAsync("H41"));
        Assert.Empty(Waiting("H41"));
        Assert.Empty(Kept("H41"));
    }

    [Fact]
    public async Task A_recipient_who_is_shown_another_ledger_than_the_sender_finds_out_opens_all_the_same_and_hears_of_it_every_time()
    {
        var id = await SentAsync();
        bench.Gateway.Rewrite();
        bench.Gateway.Grow("later");
        await OpenAsync(id);
        var found = Assert.Single(await RefreshedAsync("H41"));
        Assert.Equal(("G22", 5L), (found.Office, found.Size));
        // Both words are kept: the sender's under his signature, and the gateway's under its own.
        var kept = Kept("H41");
        Assert.Equal([Path.GetFileName(found.File), Path.GetFileName(found.File) + ".shown"], kept);
        Assert.Empty(Waiting("H41"));
        using (var office = bench.Start("H41")) Assert.True(Checkpoint.Open(File.ReadAllText(found.File + ".shown"), office.Profile.Pins.CheckpointKey).Size > 5);
        // The same word again is no second one.
        await OpenAsync(id);
        Assert.Single(await RefreshedAsync("H41"));
        Assert.Equal(kept, Kept("H41"));

        using var text = new StringWriter();
        var code = await ExchangeProgram.RunAsync(["--profile", bench.At("H41"), "status", "--lang", "vi"], bench.Clock, text, text);
        Assert.Equal(ExchangeProgram.Bad, code);
        Assert.Contains("E_FORK: G22 đã ký rằng đã thấy sổ gồm 5 mục", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_ledger_of_one_size_with_two_roots_is_a_contradiction_without_a_proof()
    {
        var id = await SentAsync();
        bench.Gateway.Rewrite();
        await OpenAsync(id);
        Assert.Single(await RefreshedAsync("H41"));
    }

    [Fact]
    public async Task Somebody_who_was_shown_more_than_this_office_is_found()
    {
        using (var client = new OfficeClient(bench.Start("H41"))) await client.RefreshAsync(Cancel);
        bench.Gateway.Grow("later");
        var id = await SentAsync();
        bench.Gateway.Cut(5);
        await OpenAsync(id);
        Assert.Equal(6, Assert.Single(await RefreshedAsync("H41")).Size);
    }

    [Fact]
    public async Task A_word_that_was_damaged_here_is_kept_and_told_and_stops_nothing()
    {
        var id = await SentAsync();
        bench.Gateway.Grow("later");
        await OpenAsync(id);
        var waiting = bench.At("H41", "state", "seen", Assert.Single(Waiting("H41")));
        File.WriteAllBytes(waiting, File.ReadAllBytes(waiting)[..^1]);
        Assert.Equal("?", Assert.Single(await RefreshedAsync("H41")).Office);
        Assert.Empty(Waiting("H41"));
        await OpenAsync(await SentAsync());
    }

    [Fact]
    public async Task While_the_gateway_is_away_a_word_waits()
    {
        var id = await SentAsync();
        bench.Gateway.Rewrite();
        bench.Gateway.Grow("later");
        await OpenAsync(id);
        bench.Gateway.Away = true;
        Assert.Empty(await RefreshedAsync("H41"));
        Assert.Single(Waiting("H41"));
        bench.Gateway.Away = false;
        Assert.Single(await RefreshedAsync("H41"));
    }

    [Fact]
    public async Task A_sender_hears_by_the_receipts_of_his_recipients()
    {
        var id = await SentAsync();
        bench.Gateway.Grow("later");
        await OpenAsync(id);
        bench.Gateway.OfficeReceipts.AddRange(bench.Gateway.Acknowledged);
        using (var client = new OfficeClient(bench.Start("G22"))) await client.TrackAsync(client.Find(id)!, audit: false, Cancel);
        Assert.Single(Waiting("G22"));
        Assert.Empty(await RefreshedAsync("G22"));
        Assert.Empty(Waiting("G22"));
        // What is kept was compared: it is not asked about again.
        using (var client = new OfficeClient(bench.Start("G22"))) await client.TrackAsync(client.Find(id)!, audit: false, Cancel);
        Assert.Empty(Waiting("G22"));
    }

    public void Dispose() => bench.Dispose();
}
