extern alias witness;
using System.Net;
using System.Text;
using Exchange.Crypto.Ledger;
using Microsoft.Extensions.Logging.Abstractions;
using witness::Exchange.Witnessing;

namespace Exchange.Tests.Witnesses;

/// <summary>exchange-witness over real HTTP: what it cosigns, what it refuses, and what it still knows after it died.</summary>
public sealed class WitnessServerTests : IDisposable
{
    readonly TestLedger ledger = new("ledger.test/1"), other = new("ledger.test/2", seed: 1);

    public void Dispose()
    {
        ledger.Dispose();
        other.Dispose();
    }

    WitnessReply Read((int Status, string? Type, byte[] Body) answer, int size, TestWitness of) => WitnessReply.Read(answer.Status, answer.Type, answer.Body, ledger.Head(size), of.Keys);

    [Fact]
    public async Task A_checkpoint_is_cosigned_by_both_keys_and_its_successors_with_a_proof()
    {
        await using var witness = await TestWitness.Start(ledger.Keys);
        var first = Read(await witness.Ask(ledger, 0, 5), 5, witness);
        Assert.Equal(2, first.Lines.Count);
        Assert.All(first.Lines, l => Assert.Equal(TestStore.Start.ToUnixTimeSeconds(), witness.Keys.Single(l.IsBy).TimeOf(l)));
        // Asked as before: it says what it has; asked from there, again and further.
        var replayed = await witness.Ask(ledger, 0, 5);
        Assert.Equal((409, "text/x.tlog.size", "5\n"), (replayed.Status, replayed.Type, Encoding.UTF8.GetString(replayed.Body)));
        Assert.Equal(2, Read(await witness.Ask(ledger, 5, 5), 5, witness).Lines.Count);
        Assert.Equal(2, Read(await witness.Ask(ledger, 5, 30), 30, witness).Lines.Count);
        Assert.Equal(200, await witness.Get("/health"));
    }

    [Fact]
    public async Task A_fork_a_stranger_and_what_is_no_request_are_refused_and_change_nothing()
    {
        await using var witness = await TestWitness.Start(ledger.Keys);
        Assert.Equal(200, (await witness.Ask(ledger, 0, 12)).Status);
        var before = File.ReadAllBytes(Directory.GetFiles(witness.Heads).Single());

        Assert.Equal((409, 0), (await witness.Ask(ledger, 12, 12, ledger.Forked(other, 12))) is var twin ? (twin.Status, twin.Body.Length) : default);
        Assert.Equal(422, (await witness.Ask(other, 12, 20, ledger.Forked(other, 20))).Status);
        Assert.Equal(404, (await witness.Ask(other, 0, 20)).Status);
        using var forger = new TestLedger("ledger.test/1");
        Assert.Equal(403, (await witness.Ask(ledger, 12, 20, forger.Note(20))).Status);
        Assert.Equal(400, (await witness.Ask(ledger, 21, 20)).Status);
        Assert.Equal(400, (await witness.Post("nothing of the kind"u8.ToArray())).Status);
        Assert.Equal(400, (await witness.Post([])).Status);
        Assert.Equal(413, (await witness.Post(new byte[WitnessRequest.MaxBytes + 1])).Status);
        Assert.Equal(404, (await witness.Post([], "/")).Status);
        Assert.Equal(404, (await witness.Post([], "/sign-subtree")).Status);
        Assert.Equal(405, await witness.Get("/add-checkpoint"));

        Assert.Equal(before, File.ReadAllBytes(Directory.GetFiles(witness.Heads).Single()));
        Assert.Equal(200, (await witness.Ask(ledger, 12, 20)).Status);
    }

    [Fact]
    public async Task Dead_between_keeping_and_answering_it_knows_the_head_and_cosigns_no_fork_of_it()
    {
        await using var witness = await TestWitness.Start(ledger.Keys);
        witness.Step = step => { if (step == "answer") throw new InvalidOperationException("dead"); };
        Assert.Equal(500, (await witness.Ask(ledger, 0, 9)).Status);
        witness.Step = null;
        await witness.Restart();

        Assert.Equal(409, (await witness.Ask(ledger, 0, 9, ledger.Forked(other, 9))).Status);
        var same = await witness.Ask(ledger, 0, 9);
        Assert.Equal((409, "9\n"), (same.Status, Encoding.UTF8.GetString(same.Body)));
        Assert.Equal(2, Read(await witness.Ask(ledger, 9, 9), 9, witness).Lines.Count);
    }

    [Fact]
    public async Task Dead_before_keeping_nothing_happened()
    {
        await using var witness = await TestWitness.Start(ledger.Keys);
        Assert.Equal(200, (await witness.Ask(ledger, 0, 4)).Status);
        witness.Step = step => { if (step == "keep") throw new InvalidOperationException("dead"); };
        Assert.Equal(500, (await witness.Ask(ledger, 4, 9)).Status);
        witness.Step = null;
        File.WriteAllText(Path.Combine(witness.Heads, ".tmp-0123456789abcdef"), "half");
        await witness.Restart();
        Assert.Equal(2, Read(await witness.Ask(ledger, 4, 9), 9, witness).Lines.Count);
        Assert.Single(Directory.GetFiles(witness.Heads));
    }

    [Fact]
    public async Task A_head_that_cannot_be_kept_is_not_cosigned()
    {
        await using var witness = await TestWitness.Start(ledger.Keys);
        Directory.Delete(witness.Heads, recursive: true);
        var answer = await witness.Ask(ledger, 0, 9);
        Assert.Equal((503, 0), (answer.Status, answer.Body.Length));
        Directory.CreateDirectory(witness.Heads);
        Assert.Equal(200, (await witness.Ask(ledger, 0, 9)).Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData("time 1800000000\n")]
    [InlineData("time x\nledger.test/1\n")]
    public async Task A_damaged_head_is_not_taken_for_none(string damaged)
    {
        await using var witness = await TestWitness.Start(ledger.Keys);
        Assert.Equal(200, (await witness.Ask(ledger, 0, 9)).Status);
        await witness.Stop();
        var file = Directory.GetFiles(witness.Heads).Single();
        File.WriteAllText(file, damaged);
        Assert.Contains("cannot be read", (await Assert.ThrowsAsync<WitnessException>(() => witness.Run())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_head_under_another_ledgers_name_is_found()
    {
        await using var witness = await TestWitness.Start([.. ledger.Keys, .. other.Keys]);
        Assert.Equal(200, (await witness.Ask(ledger, 0, 9)).Status);
        var mine = Directory.GetFiles(witness.Heads).Single();
        Assert.Equal(200, (await witness.Ask(other, 0, 3)).Status);
        await witness.Stop();
        var theirs = Directory.GetFiles(witness.Heads).Single(f => f != mine);
        File.Copy(theirs, mine, overwrite: true);
        await Assert.ThrowsAsync<WitnessException>(() => witness.Run());
    }

    [Fact]
    public async Task One_process_serves_a_folder_and_plain_HTTP_stays_on_the_machine()
    {
        await using var witness = await TestWitness.Start(ledger.Keys);
        Assert.Contains("Another witness", Assert.Throws<WitnessException>(() => WitnessFolder.Open(witness.Folder, alone: true)).Message, StringComparison.Ordinal);
        await witness.Stop();
        var everywhere = witness.Settings() with { Listen = new IPEndPoint(IPAddress.Any, 0), Logs = NullLoggerFactory.Instance };
        Assert.Contains("--plain", (await Assert.ThrowsAsync<WitnessException>(() => WitnessHost.Start(WitnessFolder.Open(witness.Folder, alone: true), everywhere))).Message, StringComparison.Ordinal);
        // It let go of the folder.
        await witness.Run();
    }

    [Fact]
    public async Task Time_does_not_go_back_with_the_clock()
    {
        await using var witness = await TestWitness.Start(ledger.Keys, new Microsoft.Extensions.Time.Testing.FakeTimeProvider(TestStore.Start.AddDays(1)));
        Assert.Equal(200, (await witness.Ask(ledger, 0, 4)).Status);
        await witness.Stop();
        var host = await WitnessHost.Start(WitnessFolder.Open(witness.Folder, alone: true), witness.Settings(witness.Address.Port) with { Clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(TestStore.Start) });
        var reply = Read(await witness.Ask(ledger, 4, 9), 9, witness);
        Assert.All(reply.Lines, l => Assert.Equal(TestStore.Start.AddDays(1).ToUnixTimeSeconds(), witness.Keys.Single(l.IsBy).TimeOf(l)));
        await host.DisposeAsync();
    }

    [Fact]
    public async Task Who_asks_too_often_is_told_so()
    {
        await using var witness = await TestWitness.Start(ledger.Keys, perMinute: 3);
        for (var i = 0; i < 3; i++) Assert.Equal(404, (await witness.Ask(other, 0, 2)).Status);
        Assert.Equal(429, (await witness.Ask(other, 0, 2)).Status);
    }

    [Fact]
    public void A_folder_is_made_once_and_its_logs_are_keys_of_ledgers()
    {
        var outside = Directory.CreateTempSubdirectory("exchange-witness-").FullName;
        var (folder, passphrase) = (Path.Combine(outside, "w"), Path.Combine(outside, "passphrase"));
        File.WriteAllText(passphrase, "\n");
        Assert.Throws<WitnessException>(() => WitnessFolder.Create(folder, "w.test/1", passphrase));
        File.WriteAllText(passphrase, "secret\n");
        Assert.Throws<WitnessException>(() => WitnessFolder.Create(folder, "with space", passphrase));
        Assert.Throws<WitnessException>(() => WitnessFolder.Open(folder, alone: true));
        WitnessFolder.Create(folder, "w.test/1", passphrase);
        Assert.Throws<WitnessException>(() => WitnessFolder.Create(folder, "w.test/1", passphrase));
        using var opened = WitnessFolder.Open(folder, alone: true);
        opened.AddLog([ledger.Keys[0].ToString()]);
        opened.AddLog([.. ledger.Keys.Select(k => k.ToString())]);
        Assert.Equal(ledger.Keys, opened.Logs()["ledger.test/1"]);
        // A witness's key, and a text.
        using var cosigner = CosignerKey.Create("w.test/2", NoteKeyType.Ed25519Cosignature);
        Assert.Throws<WitnessException>(() => opened.AddLog([cosigner.VerifierKey.ToString()]));
        Assert.Throws<WitnessException>(() => opened.AddLog(["ledger.test/1"]));
        Assert.All(Directory.GetFiles(folder).Where(f => Path.GetFileName(f) != "lock"), f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(f)));
        File.AppendAllText(Path.Combine(folder, "logs"), "log nonsense\n");
        Assert.Throws<WitnessException>(() => opened.Logs());
        opened.Dispose();
        Directory.Delete(outside, recursive: true);
    }
}
