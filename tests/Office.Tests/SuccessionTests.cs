using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Office;
using Exchange.Office.Client;

namespace Exchange.Tests;

/// <summary>A gateway was restored from an older copy and goes on under a new name: an office moves on when that admits what is lost, and hears what of it was its own.</summary>
public sealed class SuccessionTests : IDisposable
{
    const string Next = "gateway.dev.exchange/ledger-2";
    readonly Bench bench;
    Pins? first;

    public SuccessionTests(DevPkiFixture pki)
    {
        bench = new Bench(pki.Folder);
        for (var i = 0; i < 5; i++) bench.Gateway.Grow($"entry {i}");
    }

    public void Dispose() => bench.Dispose();

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The new ledger's keys in front of the old ones, as an administrator exports them.</summary>
    Pins Following(Pins old)
    {
        first ??= old;
        var keys = bench.Gateway.Keys.VerifierKeys;
        return old with { Origin = Next, CheckpointKey = keys[0].ToString(), CheckpointKeys = [.. keys.Skip(1).Select(k => k.ToString()), old.CheckpointKey, .. old.CheckpointKeys] };
    }

    async Task<Checkpoint> RefreshAsync(string office = "G22")
    {
        using var client = bench.Start(office);
        Assert.Null(await client.RefreshAsync(Cancel));
        return client.Checkpoints.Newest!;
    }

    IReadOnlyList<LedgerSuccession> Told(string office = "G22")
    {
        using var client = new OfficeClient(bench.Start(office));
        return client.Successions();
    }

    string[] Files(string folder, string office = "G22") => Directory.Exists(bench.At(office, "state", folder)) ? [.. Directory.GetFiles(bench.At(office, "state", folder)).Select(f => Path.GetExtension(f)).Order(StringComparer.Ordinal)] : [];

    /// <summary>Two dispatches, of which the copy that the gateway goes on from has the first; the office has seen the head behind both.</summary>
    async Task<(Guid Kept, Guid Lost)> LostAsync()
    {
        var kept = (await bench.SendAsync()).Entry.Id;
        var lost = (await bench.SendAsync()).Entry.Id;
        bench.Gateway.Grow("later");
        Assert.Equal(8, (await RefreshAsync()).Size);
        return (kept, lost);
    }

    [Fact]
    public async Task Where_nothing_is_lost_the_office_moves_on_and_nobody_is_told()
    {
        await RefreshAsync();
        bench.Gateway.Succeed(Next, 5);
        // Nobody has pinned the new keys: whatever it is, it is not the ledger of this office.
        using (var client = bench.Start("G22")) Assert.Same(Refusal.Note, (await Assert.ThrowsAsync<RefusedException>(() => client.RefreshAsync(Cancel))).Refusal);
        bench.Pins = Following;
        var now = await RefreshAsync();
        Assert.Equal((Next, 6L), (now.Origin, now.Size));
        Assert.Empty(Told());
        bench.Gateway.Grow("later");
        Assert.Equal(7, (await RefreshAsync()).Size);
        // And it seals for the new one.
        var sent = (await bench.SendAsync()).Entry;
        var header = Statement.Read(sent.Parts().Header, StatementType.Header).As<Header>();
        Assert.Equal((Next, Next), (header.Gateway, header.Seen!.Origin));
    }

    [Fact]
    public async Task When_a_year_ends_the_office_moves_on_and_nothing_is_to_be_sent_again()
    {
        var id = (await bench.SendAsync()).Entry.Id;
        await RefreshAsync();
        bench.Gateway.Grow("the stop");
        bench.Gateway.Succeed(Next, 7, d => d with { Code = Succession.Year });
        bench.Pins = Following;
        var now = await RefreshAsync();
        Assert.Equal((Next, 8L), (now.Origin, now.Size));
        Assert.Empty(Told());
        // Every receipt of the year was looked for, and is there; the dispatch goes on.
        Assert.Equal([".head", ".lost", ".tlog-proof"], Files("succession"));
        await OpenAsync(id);
        Assert.NotEqual(id, (await bench.SendAsync()).Entry.Id);
    }

    [Fact]
    public async Task What_calls_itself_a_year_and_has_lost_something_is_a_fork()
    {
        await LostAsync();
        bench.Gateway.Succeed(Next, 6, d => d with { Code = Succession.Year });
        await ForkedAsync(8);
    }

    [Fact]
    public async Task The_lost_range_is_told_with_the_dispatches_to_send_again_until_the_list_is_taken_away()
    {
        var (kept, lost) = await LostAsync();
        bench.Gateway.Succeed(Next, 6);
        bench.Pins = Following;
        List<LedgerSuccession> heard = [];
        using (var client = new OfficeClient(bench.Start("G22")))
        {
            client.OnLedgerEnded(heard.Add);
            Assert.Null(await client.RefreshAsync(Cancel));
        }
        var told = Assert.Single(Told());
        Assert.Equal((Next, 6L, 8L), (told.Origin, told.First, told.End));
        Assert.Equal([lost], told.ToSendAgain);
        Assert.Equal(lost, Assert.Single(told.Lost!).Envelope);
        Assert.DoesNotContain(kept, told.ToSendAgain);
        Assert.Equal(told.File, Assert.Single(heard).File);

        // Both words are kept: the old head under the old keys, and the admission with its proof under the new ones.
        Assert.Equal([".head", ".lost", ".tlog-proof"], Files("succession"));
        Assert.Equal(8, Checkpoint.Open(File.ReadAllText(Path.ChangeExtension(told.File, ".head")), first!.CheckpointKey).Size);
        var (findings, entry) = ProofCheck.Check(new EvidencePart("admission", File.ReadAllBytes(told.File)), null, new LedgerPins(Next, bench.Gateway.Keys.VerifierKeys));
        Assert.Equal(0, findings.ExitCode);
        Assert.IsType<SuccessionDetail>(EntryDetails.Read(entry!.Detail));

        // The clerk hears of it by whatever he does, offline too.
        Repin();
        var (code, text) = await RunAsync("status", "--lang", "vi");
        Assert.Equal(ExchangeProgram.Bad, code);
        Assert.Contains($"hãy gửi lại: {lost}", text, StringComparison.Ordinal);
        Assert.Contains("các mục 6 đến 7", text, StringComparison.Ordinal);
        Assert.DoesNotContain($"gửi lại: {kept}", text, StringComparison.Ordinal);
        File.Delete(Path.ChangeExtension(told.File, ".lost"));
        Assert.Empty(Told());
        Repin();
        Assert.DoesNotContain("gửi lại", (await RunAsync("status", "--lang", "vi")).Text, StringComparison.Ordinal);
    }

    // Each start writes the profile of the PKI again.
    void Repin() => File.WriteAllBytes(bench.At("G22", "profile.json"), Exchange.Office.Join.ProfileJson.WithPins(File.ReadAllBytes(bench.At("G22", "profile.json")), Following(first!)));

    async Task<(int Code, string Text)> RunAsync(params string[] arguments)
    {
        using var text = new StringWriter();
        var code = await ExchangeProgram.RunAsync(["--profile", bench.At("G22"), .. arguments], bench.Clock, text, text);
        return (code, text.ToString());
    }

    [Fact]
    public async Task Whose_receipts_are_all_there_hears_of_the_gap_and_that_nothing_of_it_was_its_own()
    {
        var kept = (await bench.SendAsync()).Entry.Id;
        bench.Gateway.Grow("of others");
        await RefreshAsync();
        bench.Gateway.Succeed(Next, 6);
        bench.Pins = Following;
        await RefreshAsync();
        Assert.Empty(Assert.Single(Told()).Lost!);
        using var client = new OfficeClient(bench.Start("G22"));
        Assert.Empty((await client.TrackAsync(client.Find(kept)!, audit: true, Cancel)).Findings);
    }

    [Fact]
    public async Task A_receipt_that_no_head_had_covered_yet_is_missed_as_well()
    {
        await RefreshAsync();
        var lost = (await bench.SendAsync()).Entry.Id;
        // The last head that the gateway signed had five entries, and so has the copy.
        bench.Gateway.Cut(5);
        bench.Gateway.Succeed(Next, 5);
        bench.Pins = Following;
        await RefreshAsync();
        Assert.Equal([lost], Assert.Single(Told()).ToSendAgain);
    }

    [Fact]
    public async Task While_the_gateway_cannot_be_asked_the_look_for_lost_receipts_is_owed()
    {
        var (_, lost) = await LostAsync();
        bench.Gateway.Succeed(Next, 6);
        bench.Pins = Following;
        using (var client = bench.Start("G22")) await client.Checkpoints.RefreshAsync(client.Api, Cancel);
        Assert.Null(Assert.Single(Told()).Lost);
        bench.Gateway.Away = true;
        using (var client = bench.Start("G22")) Assert.Same(Refusal.Unreachable, await client.RefreshAsync(Cancel));
        Assert.Null(Assert.Single(Told()).Lost);
        bench.Gateway.Away = false;
        await RefreshAsync();
        Assert.Equal([lost], Assert.Single(Told()).ToSendAgain);
    }

    public static TheoryData<string> Forks => [.. Wrong.Keys];

    static readonly Dictionary<string, Func<SuccessionDetail, SuccessionDetail?>> Wrong = new()
    {
        ["nothing is admitted"] = _ => null,
        ["another last head"] = d => d with { Follows = [d.Follows[0] with { Root = Digest.Of([9]) }] },
        ["less than was signed"] = d => d with { Follows = [d.Follows[0] with { Size = 7 }] },
        ["nothing is said to be lost"] = d => d with { Follows = [d.Follows[0] with { Common = 8 }] },
        ["another ledger is named"] = d => d with { Follows = [d.Follows[0] with { Origin = "other/ledger" }] },
        ["a place where it does not stand"] = d => d with { Had = 5, Follows = [d.Follows[0] with { Common = 5 }] },
        ["the name of a third"] = d => d with { Origin = "gateway.dev.exchange/ledger-3" },
    };

    [Theory]
    [MemberData(nameof(Forks))]
    public async Task A_beginning_that_hides_what_this_office_has_seen_is_a_fork(string what)
    {
        await LostAsync();
        bench.Gateway.Succeed(Next, 6, Wrong[what]);
        await ForkedAsync(8);
    }

    [Fact]
    public async Task A_ledger_that_says_it_continues_and_was_rewritten_is_a_fork()
    {
        Assert.Equal(5, (await RefreshAsync()).Size);
        bench.Gateway.Grow("later");
        bench.Gateway.Rewrite();
        bench.Gateway.Succeed(Next, 6);
        await ForkedAsync(5);
    }

    async Task ForkedAsync(long seen)
    {
        bench.Pins = Following;
        using var client = bench.Start("G22");
        Assert.Same(Refusal.Fork, (await Assert.ThrowsAsync<RefusedException>(() => client.RefreshAsync(Cancel))).Refusal);
        Assert.Equal(2, Directory.GetFiles(bench.At("G22", "state", "fork")).Length);
        Assert.Equal(seen, client.Checkpoints.Newest!.Size);
        Assert.NotEqual(Next, client.Checkpoints.Newest.Origin);
        Assert.Empty(Files("succession"));
    }

    [Fact]
    public async Task Dead_at_any_step_of_moving_on_nothing_is_forgotten()
    {
        var (_, lost) = await LostAsync();
        bench.Gateway.Succeed(Next, 6);
        bench.Pins = Following;
        var state = Directory.CreateDirectory(bench.At("before"));
        Copy(bench.At("G22", "state"), state.FullName);
        for (var at = 1; ; at++)
        {
            var steps = 0;
            var died = false;
            using (var client = bench.Start("G22", _ => { if (++steps == at) throw new KilledException(); }))
            {
                try { await client.RefreshAsync(Cancel); }
                catch (KilledException) { died = true; }
            }
            if (!died) { Assert.True(at > 5); break; }
            Assert.Equal(Next, (await RefreshAsync()).Origin);
            Assert.Equal([lost], Assert.Single(Told()).ToSendAgain);
            Assert.Equal([".head", ".lost", ".tlog-proof"], Files("succession"));
            Directory.Delete(bench.At("G22", "state"), recursive: true);
            Copy(state.FullName, bench.At("G22", "state"));
        }
    }

    static void Copy(string from, string to)
    {
        foreach (var folder in Directory.GetDirectories(from, "*", SearchOption.AllDirectories).Prepend(from)) Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories)) File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
    }

    [Fact]
    public async Task What_was_sealed_and_receipted_under_the_old_name_opens_and_a_head_that_its_sender_saw_then_is_no_contradiction()
    {
        var id = (await bench.SendAsync()).Entry.Id;
        bench.Gateway.Succeed(Next, 6);
        bench.Pins = Following;
        await OpenAsync(id);
        Assert.Equal([".p7s"], Files("seen", "H41"));
        await RefreshAsync("H41");
        Assert.Empty(Files("seen", "H41"));
        Assert.Empty(Files("fork", "H41"));
    }

    [Fact]
    public async Task A_head_of_the_old_name_that_the_new_ledger_neither_continues_nor_admits_is_kept()
    {
        var id = (await bench.SendAsync()).Entry.Id;
        bench.Gateway.Rewrite();
        bench.Gateway.Succeed(Next, 6);
        bench.Pins = Following;
        await OpenAsync(id);
        await RefreshAsync("H41");
        Assert.Equal([".p7s", ".shown"], Files("fork", "H41"));
    }

    async Task OpenAsync(Guid id)
    {
        using var client = new OfficeClient(bench.Start("H41"));
        await client.RefreshAsync(Cancel);
        Assert.Null((await client.OpenAsync(id, bench.At("received"), null, Cancel)).Failure);
    }

    [Fact]
    public async Task Who_watches_is_alarmed_once_with_the_admission_and_goes_on_with_the_new_ledger()
    {
        var files = new OfficeFiles(bench.At("watch"));
        AuditWatch Watch(LedgerPins pins) => new(new AuditApi(new GatewayApi(new HttpClient(bench.Gateway, disposeHandler: false) { BaseAddress = new Uri("https://localhost") }, bench.Clock)), pins, files, bench.Clock);
        var keys = bench.Gateway.Keys.VerifierKeys;
        var old = new LedgerPins(keys[0].Name, keys);
        Assert.Equal(WatchVerdict.Grown, (await Watch(old).LookAsync(TimeSpan.FromMinutes(1), Cancel)).Verdict);
        for (var i = 0; i < 3; i++) bench.Gateway.Grow($"lost {i}");
        Assert.Equal(WatchVerdict.Grown, (await Watch(old).LookAsync(TimeSpan.FromMinutes(1), Cancel)).Verdict);
        bench.Gateway.Succeed(Next, 5);
        var pins = new LedgerPins(Next, [.. bench.Gateway.Keys.VerifierKeys, .. keys]);
        var found = await Watch(pins).LookAsync(TimeSpan.FromMinutes(1), Cancel);
        Assert.Equal((WatchVerdict.Succeeded, 6L, true), (found.Verdict, found.Size, found.IsAlarm));
        Assert.Contains("entries 5 to 7 are admitted to be lost", found.Detail, StringComparison.Ordinal);
        Assert.Equal(WatchVerdict.Quiet, (await Watch(pins).LookAsync(TimeSpan.FromMinutes(1), Cancel)).Verdict);
        for (var i = 0; i < 2; i++) bench.Gateway.Grow($"new {i}");
        Assert.Equal(WatchVerdict.Grown, (await Watch(pins).LookAsync(TimeSpan.FromMinutes(1), Cancel)).Verdict);
        // The head of eight entries under the old name is kept beside the one of eight under the new.
        var eights = Directory.GetFiles(files.Root, "008", SearchOption.AllDirectories).Select(f => Checkpoint.Parse(SignedNote.Read(File.ReadAllBytes(f)).Text).Origin).Order(StringComparer.Ordinal);
        Assert.Equal([keys[0].Name, Next], eights);
    }

    [Fact]
    public async Task Who_watches_is_not_alarmed_when_a_year_ends()
    {
        var files = new OfficeFiles(bench.At("watch"));
        AuditWatch Watch(LedgerPins pins) => new(new AuditApi(new GatewayApi(new HttpClient(bench.Gateway, disposeHandler: false) { BaseAddress = new Uri("https://localhost") }, bench.Clock)), pins, files, bench.Clock);
        var keys = bench.Gateway.Keys.VerifierKeys;
        await Watch(new LedgerPins(keys[0].Name, keys)).LookAsync(TimeSpan.FromMinutes(1), Cancel);
        bench.Gateway.Grow("the stop");
        bench.Gateway.Succeed(Next, 6, d => d with { Code = Succession.Year });
        var pins = new LedgerPins(Next, [.. bench.Gateway.Keys.VerifierKeys, .. keys]);
        var found = await Watch(pins).LookAsync(TimeSpan.FromMinutes(1), Cancel);
        Assert.Equal((WatchVerdict.NextYear, 7L, false), (found.Verdict, found.Size, found.IsAlarm));
        Assert.Equal(WatchVerdict.Quiet, (await Watch(pins).LookAsync(TimeSpan.FromMinutes(1), Cancel)).Verdict);
    }

    [Fact]
    public async Task Who_watches_a_ledger_that_hides_what_he_kept_is_told_of_a_fork()
    {
        var files = new OfficeFiles(bench.At("watch"));
        AuditWatch Watch(LedgerPins pins) => new(new AuditApi(new GatewayApi(new HttpClient(bench.Gateway, disposeHandler: false) { BaseAddress = new Uri("https://localhost") }, bench.Clock)), pins, files, bench.Clock);
        var keys = bench.Gateway.Keys.VerifierKeys;
        await Watch(new LedgerPins(keys[0].Name, keys)).LookAsync(TimeSpan.FromMinutes(1), Cancel);
        bench.Gateway.Succeed(Next, 3, d => d with { Follows = [d.Follows[0] with { Root = Digest.Of([9]) }] });
        var pins = new LedgerPins(Next, [.. bench.Gateway.Keys.VerifierKeys, .. keys]);
        var found = await Watch(pins).LookAsync(TimeSpan.FromMinutes(1), Cancel);
        Assert.Equal(WatchVerdict.Fork, found.Verdict);
        Assert.Contains("last head", found.Detail, StringComparison.Ordinal);
        Assert.Equal(WatchVerdict.Fork, (await Watch(pins).LookAsync(TimeSpan.FromMinutes(1), Cancel)).Verdict);
    }

    [Fact]
    public async Task New_pins_are_taken_with_the_old_keys_in_them_and_shown_before()
    {
        Pins old;
        using (var client = bench.Start("G22")) old = client.Profile.Pins;
        bench.Gateway.Succeed(Next, 5);
        void Write(Pins pins) => File.WriteAllBytes(bench.At("pins.json"), PinsFile.Write(pins));
        var before = File.ReadAllText(bench.At("G22", "profile.json"));

        Write(Following(old) with { CheckpointKeys = [.. bench.Gateway.Keys.VerifierKeys.Skip(1).Select(k => k.ToString())] });
        var (code, text) = await RunAsync("keys", "pin", bench.At("pins.json"), "--yes", "--lang", "en");
        Assert.Equal(ExchangeProgram.Usage, code);
        Assert.Contains(old.Origin, text, StringComparison.Ordinal);
        Write(Following(old));
        Assert.Equal(ExchangeProgram.Usage, (await RunAsync("keys", "pin", bench.At("pins.json"), "--lang", "en")).Code);
        Assert.Equal(before, File.ReadAllText(bench.At("G22", "profile.json")));

        (code, text) = await RunAsync("keys", "pin", bench.At("pins.json"), "--yes", "--lang", "en");
        Assert.True(code == ExchangeProgram.Good, text);
        Assert.Contains($"ledger: {old.Origin} -> {Next}", text, StringComparison.Ordinal);
        var taken = Profile.Load(bench.At("G22", "profile.json"));
        Assert.Equal(PinsFile.Write(Following(old)), PinsFile.Write(taken.Pins));
        Assert.Contains("the pins that the profile has", (await RunAsync("keys", "pin", bench.At("pins.json"), "--lang", "en")).Text, StringComparison.Ordinal);
    }
}
