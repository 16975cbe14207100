using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Witnesses;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Exchange.Tests.Witnesses;

/// <summary>The gateway's side: what witnesses sign is verified, kept and shown; what they do not do stops nothing and is told.</summary>
public sealed class AskWitnessTests : IDisposable
{
    readonly TestStore store = new();
    readonly Meters meters = new();
    readonly List<IDisposable> owned = [];
    int number;

    sealed record Asking(WitnessSet Set, PendingWitnesses Pending, IReadOnlyList<AskWitness> Peers)
    {
        public async Task Step(DateTimeOffset now)
        {
            foreach (var peer in Peers) await peer.Step(now);
        }
    }

    DateTimeOffset Now => store.Clock.GetUtcNow();
    string Note => store.Checkpoints.Newest!.Note;

    Asking Ask(string quorum, params (string Name, Uri Url, IReadOnlyList<VerifierKey> Keys)[] witnesses)
    {
        var text = string.Concat(witnesses.SelectMany(w => w.Keys.Select((k, i) => $"witness {w.Name}{i} {k} {w.Url}\n"))) + quorum;
        var file = Path.Combine(store.Folder.Root, "policy");
        File.WriteAllText(file, text);
        var set = new WitnessOptions(file, new Dictionary<string, Uri>(), null).Open(TestStore.Origin, TestStore.SharedKeys.VerifierKeys);
        var pending = new PendingWitnesses(set, () => store.Checkpoints.Newest, store.Clock);
        var client = new WitnessClient([], store.Clock);
        owned.Add(client);
        return new(set, pending, [.. set.Peers.Select(p => new AskWitness(p, client, store.Checkpoints, new LedgerReader(store.Engine, store.Checkpoints), pending, meters, NullLogger.Instance, CancellationToken.None))]);
    }

    /// <summary>So many entries more, and a checkpoint over them.</summary>
    void Grow(int count = 1)
    {
        var entries = Enumerable.Range(0, count).Select(_ => TestStore.Entry(++number)).ToList();
        store.Commit(b => { foreach (var entry in entries) b.Log(entry, EntryKind.Start); return true; });
        Assert.True(store.Checkpoints.Step(Now, force: true));
    }

    static IReadOnlyList<VerifierKey> Logs => TestStore.SharedKeys.VerifierKeys;

    /// <summary>As who has the policy and trusts nobody reads the note.</summary>
    bool Holds(Asking asking)
    {
        var policy = WitnessPolicy.Parse(Encoding.UTF8.GetBytes(string.Concat(Logs.Select(k => $"log {k}\n")) + asking.Set.Text));
        try { return policy.Open(Encoding.UTF8.GetBytes(Note)).Size == store.Checkpoints.Newest!.Size; }
        catch (RefusedException) { return false; }
    }

    [Fact]
    public async Task The_newest_checkpoint_gets_the_lines_of_every_witness_and_keeps_them()
    {
        await using var a = await TestWitness.Start(Logs, store.Clock);
        await using var b = await TestWitness.Start(Logs, store.Clock);
        // One Ed25519 key each: names alike would be one key's.
        var asking = Ask("group g all a0 a1 b0\nquorum g\n", ("a", a.Address, a.Keys), ("b", b.Address, [b.Keys[0]]));
        Grow(3);
        await asking.Step(Now);
        Assert.True(asking.Set.IsQuorum(Note));
        Assert.Equal(5, SignedNote.Open(Encoding.UTF8.GetBytes(Note), [.. Logs, .. a.Keys, b.Keys[0]]).Verified.Count);
        Assert.True(Holds(asking));
        Assert.Equal((TimeSpan.Zero, 0), (asking.Pending.For, asking.Pending.Missing));

        // The next needs a proof from what they have; nothing is asked twice.
        Grow(20);
        Assert.Equal(2, asking.Pending.Missing);
        await asking.Step(Now);
        Assert.True(asking.Set.IsQuorum(Note));
        var note = Note;
        await asking.Step(Now);
        Assert.Equal(note, Note);
        Assert.Equal((23, 23), (store.Guard.WitnessHas(a.Address.AbsoluteUri), store.Guard.WitnessHas(b.Address.AbsoluteUri)));
        store.Reopen();
        Assert.Equal(note, Note);
        Assert.All(store.Guard.Notes(), n => Assert.True(asking.Set.IsQuorum(n.Note)));
    }

    [Fact]
    public async Task What_a_crash_lost_is_asked_again_and_what_the_witness_has_is_learnt_from_it()
    {
        await using var witness = await TestWitness.Start(Logs, store.Clock);
        Grow(3);
        // The witness signed and the gateway died before it kept the lines, and lost what it knew of it too.
        Assert.Equal(200, (await witness.Post(Encoding.UTF8.GetBytes(new WitnessRequest(0, [], Note).Write()))).Status);
        var asking = Ask("quorum a0\n", ("a", witness.Address, witness.Keys));
        await asking.Step(Now);
        Assert.True(asking.Set.IsQuorum(Note));
        Grow(4);
        store.Guard.WitnessHas(witness.Address.AbsoluteUri, 1);
        await asking.Step(Now);
        Assert.True(asking.Set.IsQuorum(Note));
    }

    [Fact]
    public async Task A_witness_that_is_away_for_a_day_stops_nothing_is_told_after_ten_minutes_and_catches_up()
    {
        await using var witness = await TestWitness.Start(Logs, store.Clock);
        var asking = Ask("quorum a0\n", ("a", witness.Address, witness.Keys));
        Grow();
        await asking.Step(Now);
        await witness.Stop();
        for (var minutes = 0; minutes < 24 * 60; minutes += 5)
        {
            Grow();
            await asking.Step(Now);
            store.Clock.Advance(TimeSpan.FromMinutes(5));
            Assert.Equal(minutes >= 5, asking.Pending.Alarms().Any(a => a.Code == AlarmCode.WitnessPending));
        }
        Assert.Contains("a0", asking.Pending.Alarms().Single().Detail, StringComparison.Ordinal);
        Assert.Equal(289, store.Guard.Notes().Count);
        Assert.False(Holds(asking));

        await witness.Run();
        await asking.Step(Now);
        Assert.True(asking.Set.IsQuorum(Note));
        Assert.Empty(asking.Pending.Alarms());
        Assert.True(Holds(asking));
    }

    [Fact]
    public async Task A_witness_that_is_slow_is_given_up_after_ten_seconds_and_keeps_no_other_waiting()
    {
        await using var slow = await ScriptedWitness.Start();
        slow.Answer = _ => null;
        await using var good = await TestWitness.Start(Logs, store.Clock);
        using var key = CosignerKey.Create("slow.test/1", NoteKeyType.Ed25519Cosignature);
        var asking = Ask("quorum b0\n", ("a", slow.Address, [key.VerifierKey]), ("b", good.Address, good.Keys));
        Grow();
        var waiting = asking.Peers[0].Step(Now);
        await asking.Peers[1].Step(Now);
        Assert.True(asking.Set.IsQuorum(Note));
        Grow();
        Assert.False(waiting.IsCompleted);
        while (!waiting.IsCompleted)
        {
            store.Clock.Advance(TimeSpan.FromSeconds(11));
            await Task.WhenAny(waiting, Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System));
        }
        await waiting;
        Assert.Equal(2, asking.Pending.Missing);
    }

    public static TheoryData<string> Lies => [.. new[] { "stranger", "other key", "other ledger", "other root", "other size", "no time", "garbage", "nothing", "large", "too long", "redirect", "same size", "not a size", "moved on", "unavailable", "second line wrong" }];

    [Theory, MemberData(nameof(Lies))]
    public async Task A_witness_that_lies_adds_nothing_and_is_asked_again_later(string lie)
    {
        await using var liar = await ScriptedWitness.Start();
        using var key = CosignerKey.Create("liar.test/1", NoteKeyType.Ed25519Cosignature);
        using var second = CosignerKey.Create("liar.test/1", NoteKeyType.MlDsa44Cosignature);
        using var stranger = CosignerKey.Create("liar.test/2", NoteKeyType.Ed25519Cosignature);
        using var namesake = CosignerKey.Create("liar.test/1", NoteKeyType.Ed25519Cosignature);
        var asking = Ask("quorum a0\n", ("a", liar.Address, [key.VerifierKey, second.VerifierKey]));
        Grow(3);
        var (note, head) = (Note, Checkpoint.Parse(SignedNote.Read(Encoding.UTF8.GetBytes(Note)).Text));
        var time = Now.ToUnixTimeSeconds();
        static (int, string, byte[]) Text(string body, int status = 200, string type = WitnessAnswer.TextType) => (status, type, Encoding.UTF8.GetBytes(body));
        // Its name and key id, and somebody else's signature.
        string Mislabelled(string line) => SignedNote.SignatureLine("liar.test/1", key.VerifierKey.Id, SignedNote.ReadLines(Encoding.UTF8.GetBytes(line))[0].Signature.Span);
        liar.Answer = _ => lie switch
        {
            "stranger" => Text(stranger.SignLine(head, time)),
            "other key" => Text(Mislabelled(namesake.SignLine(head, time))),
            "other ledger" => Text(key.SignLine(head with { Origin = "another/ledger" }, time)),
            "other root" => Text(key.SignLine(head with { Root = MerkleTree.EmptyRoot }, time)),
            "other size" => Text(key.SignLine(head with { Size = 4 }, time)),
            "no time" => Text(second.SignLine(head, 0)),
            "garbage" => Text("— liar.test/1 AAAA\n"),
            "nothing" => Text(""),
            "large" => (200, WitnessAnswer.TextType, new byte[10 << 20]),
            "too long" => Text(new string('x', 70_000)),
            "redirect" => Text("", 307),
            "same size" => Text("0\n", 409, WitnessAnswer.SizeType),
            "not a size" => Text("03\n", 409, WitnessAnswer.SizeType),
            "moved on" => Text("1\n2\n", 409, WitnessAnswer.SizeType),
            "unavailable" => Text("", 503),
            _ => Text(key.SignLine(head, time) + SignedNote.SignatureLine("liar.test/1", second.VerifierKey.Id, new byte[2428])),
        };
        await asking.Step(Now);
        Assert.Equal(note, Note);
        Assert.Equal(note, Assert.Single(store.Guard.Notes()).Note);
        Assert.False(asking.Set.IsQuorum(Note));
        // Not at once, and then it is believed once it says what is true.
        var asked = liar.Asked;
        await asking.Step(Now);
        Assert.Equal(asked, liar.Asked);
        liar.Answer = _ => Text(key.SignLine(head, time) + second.SignLine(head, time));
        store.Clock.Advance(TimeSpan.FromSeconds(6));
        await asking.Step(Now);
        Assert.True(asking.Set.IsQuorum(Note));
        Assert.Empty(asking.Pending.Alarms());
    }

    [Theory]
    [InlineData(422, "", "text/plain")]
    [InlineData(409, "", "text/plain")]
    [InlineData(409, "1000\n", WitnessAnswer.SizeType)]
    public async Task A_witness_with_another_ledger_of_our_name_is_an_alarm_at_once(int status, string body, string type)
    {
        await using var witness = await ScriptedWitness.Start();
        using var key = CosignerKey.Create("w.test/1", NoteKeyType.Ed25519Cosignature);
        var asking = Ask("quorum a0\n", ("a", witness.Address, [key.VerifierKey]));
        Grow(3);
        witness.Answer = _ => (status, type, Encoding.UTF8.GetBytes(body));
        await asking.Step(Now);
        Assert.Equal(AlarmCode.WitnessContradicts, Assert.Single(asking.Pending.Alarms()).Code);
        // What it claims is no reason to believe it.
        Assert.True(store.Guard.WitnessHas(witness.Address.AbsoluteUri) <= 3);
    }

    [Fact]
    public async Task A_real_fork_of_this_ledger_is_refused_by_the_witness_and_told_here()
    {
        await using var witness = await TestWitness.Start(Logs, store.Clock);
        var asking = Ask("quorum a0\n", ("a", witness.Address, witness.Keys));
        // Somebody with our key showed the witness another ledger.
        var shown = TestStore.SharedKeys.Sign(new Checkpoint(TestStore.Origin, 2, Digest.Of([7])));
        Assert.Equal(200, (await witness.Post(Encoding.UTF8.GetBytes(new WitnessRequest(0, [], shown).Write()))).Status);
        Grow(3);
        await asking.Step(Now);
        Assert.False(asking.Set.IsQuorum(Note));
        Assert.Equal(AlarmCode.WitnessContradicts, Assert.Single(asking.Pending.Alarms()).Code);
    }

    [Fact]
    public async Task Two_gateways_with_one_witness_each_stay_consistent_and_do_not_mix()
    {
        await using var witness = await TestWitness.Start(Logs, store.Clock);
        using var peer = new TestLedger("peer.test/ledger");
        await witness.Stop();
        using (var folder = global::System.IO.File.Open(Path.Combine(witness.Folder, "logs"), FileMode.Append)) folder.Write(Encoding.UTF8.GetBytes(string.Concat(peer.Keys.Select(k => $"log {k}\n"))));
        await witness.Run();
        var asking = Ask("quorum a0\n", ("a", witness.Address, witness.Keys));
        for (var size = 1; size < 12; size++)
        {
            Grow();
            Assert.Equal(200, (await witness.Ask(peer, size - 1, size)).Status);
            await asking.Step(Now);
            Assert.True(asking.Set.IsQuorum(Note));
        }
    }

    [Fact]
    public void A_guard_of_an_earlier_version_gets_its_table_and_looking_at_it_does_not_need_it()
    {
        Grow();
        store.Close();
        using (var connection = new SqliteConnection($"Data Source={store.GuardFile};Pooling=False"))
        {
            connection.Open();
            using var drop = connection.CreateCommand();
            drop.CommandText = "DROP TABLE witness";
            drop.ExecuteNonQuery();
        }
        using (var looking = Guard.OpenReadOnly(store.GuardFile, TestStore.Origin)) Assert.Equal((0, 1), (looking.WitnessHas("x"), looking.NewestNote!.Size));
        store.Reopen();
        store.Guard.WitnessHas("x", 5);
        Assert.Equal(5, store.Guard.WitnessHas("x"));
        Grow();
    }

    public void Dispose()
    {
        foreach (var one in owned) one.Dispose();
        meters.Dispose();
        store.Dispose();
    }
}
