using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Office;
using Exchange.Office.Client;
using Exchange.Tests.Evidence;

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

    /// <summary>Some office's signed word.</summary>
    static byte[] Word(Seen seen) => EvidenceCase.Sign("", EvidenceCase.Shared.Receipt(ReceiptEvent.ContentHandover, "OK", "H37") with { Seen = seen }, TestPki.Shared["H37"].Sign).Bytes.ToArray();

    static void Note(OfficeContext office, Seen seen) => office.OtherHeads.Note(seen, Word(seen));

    [Fact]
    public async Task Only_a_word_that_may_tell_something_new_is_kept_to_be_asked_about()
    {
        using var former = CheckpointKey.Create("former.example/ledger");
        bench.Pins = p => p with { CheckpointKeys = [.. p.CheckpointKeys, former.VerifierKey.ToString()] };
        using var office = bench.Start("H41");
        await office.RefreshAsync(Cancel);
        var (ours, other) = (office.Checkpoints.Newest!, Digest.Of([1]));
        office.OtherHeads.Note(null, Word(new(ours.Origin, 3, other)));
        Note(office, new("strange.example/ledger", 3, other));
        Note(office, new(ours.Origin, 0, other));
        Note(office, new(ours.Origin, ours.Size, ours.Root));
        Assert.Empty(Waiting("H41"));
        // What differs in anything is another word.
        foreach (var seen in new Seen[] { new(ours.Origin, ours.Size, other), new(ours.Origin, 3, ours.Root), new("former.example/ledger", ours.Size, ours.Root) })
        {
            Note(office, seen);
            Assert.Equal([$"seen-{seen.Size}-{seen.Root}.p7s"], Waiting("H41"));
            File.Delete(bench.At("H41", "state", "seen", Assert.Single(Waiting("H41"))));
        }
        // One that was found to contradict is not asked about again, as long as it is kept.
        var wrong = new Seen(ours.Origin, ours.Size, other);
        Note(office, wrong);
        await office.RefreshAsync(Cancel);
        Assert.Equal(2, Kept("H41").Length);
        Note(office, wrong);
        Assert.Empty(Waiting("H41"));
        for (var size = 1; size <= 120; size++) Note(office, new(ours.Origin, size, other));
        Assert.Equal(100, office.OtherHeads.Waiting().Count);
    }

    [Fact]
    public async Task What_cannot_be_asked_about_now_waits_and_is_no_contradiction()
    {
        var other = Digest.Of([1]);
        using (var office = bench.Start("H41"))
        {
            var origin = office.Profile.Pins.Origin;
            // Before the office has any head of its own.
            Note(office, new(origin, 3, other));
            await office.OtherHeads.CompareAsync(office.Api, office.OtherHeads.Waiting(), Cancel);
            Assert.Single(Waiting("H41"));
            // While the gateway has no time, or another process has asked meanwhile.
            bench.Gateway.Unproven = (Refusal.Busy, 503);
            Assert.Equal(Refusal.Busy, await office.RefreshAsync(Cancel));
            await office.OtherHeads.CompareAsync(office.Api, [bench.At("H41", "state", "seen", "gone.p7s")], Cancel);
            Assert.Single(Waiting("H41"));
            Assert.Empty(Kept("H41"));
        }
        // Of the ledger that follows, while this office is shown the one that ended.
        bench.Pins = p => p with { Origin = "next.example/ledger" };
        using (var ahead = bench.Start("H41"))
        {
            File.Delete(bench.At("H41", "state", "seen", Assert.Single(Waiting("H41"))));
            Note(ahead, new("next.example/ledger", 9, other));
            await ahead.OtherHeads.CompareAsync(ahead.Api, ahead.OtherHeads.Waiting(), Cancel);
            Assert.Single(Waiting("H41"));
        }
        Assert.Empty(Kept("H41"));
    }

    [Fact]
    public async Task A_gateway_that_says_that_it_cannot_prove_what_was_seen_contradicts_it()
    {
        using var office = bench.Start("H41");
        await office.RefreshAsync(Cancel);
        foreach (var answer in new[] { (Refusal.NotFound, 404), (Refusal.Request, 400) })
        {
            bench.Gateway.Unproven = answer;
            var seen = new Seen(office.Profile.Pins.Origin, 3, Digest.Of([(byte)answer.Item2]));
            Note(office, seen);
            Assert.Null(await office.RefreshAsync(Cancel));
            Assert.Contains(office.OtherHeads.Contradictions(), c => c.Office == "H37" && c.File.Contains($"{seen.Root}", StringComparison.Ordinal));
            Assert.Empty(Waiting("H41"));
        }
        // Two roots of one size, and more than is shown here, need no answer.
        bench.Gateway.Unproven = (Refusal.Busy, 503);
        var ours = office.Checkpoints.Newest!;
        foreach (var size in new[] { ours.Size, ours.Size + 4 })
        {
            Note(office, new(ours.Origin, size, Digest.Of([2])));
            Assert.Null(await office.RefreshAsync(Cancel));
            Assert.Contains(office.OtherHeads.Contradictions(), c => c.Size == size);
        }
    }

    [Fact]
    public async Task A_word_of_a_ledger_that_ended_is_judged_by_what_the_next_admits()
    {
        const string next = "gateway.dev.exchange/ledger-2";
        using (var office = bench.Start("H41")) await office.RefreshAsync(Cancel);
        var (origin, first) = ("", default(Checkpoint)!);
        using (var office = bench.Start("H41")) (origin, first) = (office.Profile.Pins.Origin, office.Checkpoints.Newest!);
        // The copy that it goes on from had one entry less.
        bench.Gateway.Succeed(next, (int)first.Size - 1);
        bench.Pins = p => p with { Origin = next, CheckpointKey = bench.Gateway.Keys.VerifierKeys[0].ToString(), CheckpointKeys = [.. bench.Gateway.Keys.VerifierKeys.Skip(1).Select(k => k.ToString()), p.CheckpointKey, .. p.CheckpointKeys] };
        using var moved = bench.Start("H41");
        Assert.Null(await moved.RefreshAsync(Cancel));
        Note(moved, new(origin, first.Size, first.Root));
        Note(moved, new(origin, first.Size, Digest.Of([1])));
        Assert.Null(await moved.RefreshAsync(Cancel));
        Assert.Empty(Waiting("H41"));
        Assert.Equal(first.Size, Assert.Single(moved.OtherHeads.Contradictions()).Size);
        Assert.Equal(2, Kept("H41").Length);
    }

    public void Dispose() => bench.Dispose();
}
