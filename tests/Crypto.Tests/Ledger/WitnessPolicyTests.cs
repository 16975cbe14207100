using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Xunit;

namespace Exchange.Tests.Ledger;

/// <summary>C2SP tlog-policy and tlog-proof.</summary>
public sealed class WitnessPolicyTests : IDisposable
{
    const string Origin = "test.exchange/ledger";
    const long Now = 1_800_000_000;
    readonly CheckpointKey log = CheckpointKey.Create(Origin);
    readonly CosignerKey[] witnesses = [.. Enumerable.Range(0, 6).Select(i => CosignerKey.Create($"witness.example/{i}", i % 2 == 0 ? NoteKeyType.Ed25519Cosignature : NoteKeyType.MlDsa44Cosignature))];
    readonly Checkpoint head = new(Origin, 600, MerkleTree.Root(600, TestTree.Nodes));

    public void Dispose()
    {
        log.Dispose();
        foreach (var witness in witnesses) witness.Dispose();
    }

    /// <summary>The example of the specification.</summary>
    string Example => $"""
        # two agencies
        log {log.VerifierKey}

        witness X1 {witnesses[0].VerifierKey}
        witness X2 {witnesses[1].VerifierKey}
        witness X3	{witnesses[2].VerifierKey} https://x3.example/
        group X-witnesses 2 X1 X2 X3

          witness Y1 {witnesses[3].VerifierKey}
        witness Y2 {witnesses[4].VerifierKey}
        witness Y3 {witnesses[5].VerifierKey}
        group Y-witnesses any Y1 Y2 Y3

        group X-and-Y all X-witnesses Y-witnesses
        quorum X-and-Y

        """.ReplaceLineEndings("\n");

    static WitnessPolicy Parse(string text) => WitnessPolicy.Parse(Encoding.UTF8.GetBytes(text));

    static string Refused(string text)
    {
        var e = Assert.Throws<RefusedException>(() => Parse(text));
        Assert.Equal(Refusal.WitnessPolicy, e.Refusal);
        return e.Detail;
    }

    string[]? lines;

    byte[] Note(params int[] by)
    {
        lines ??= [.. witnesses.Select(w => w.SignLine(head, Now))];
        return Encoding.UTF8.GetBytes(log.Sign(head) + string.Concat(by.Select(i => lines[i])));
    }

    [Fact]
    public void The_specifications_example_asks_for_two_of_one_agency_and_one_of_the_other()
    {
        var policy = Parse(Example);
        Assert.Equal((1, 6, "https://x3.example/"), (policy.Logs.Count, policy.Witnesses.Count, policy.Witnesses[2].Url));
        for (var set = 0; set < 64; set++)
        {
            int[] by = [.. Enumerable.Range(0, 6).Where(i => (set >> i & 1) == 1)];
            var enough = by.Count(i => i < 3) >= 2 && by.Any(i => i >= 3);
            if (enough) Assert.Equal(head, policy.Open(Note(by)));
            else Assert.Equal(Refusal.Note, Assert.Throws<RefusedException>(() => policy.Open(Note(by))).Refusal);
            Assert.Equal(by.Length, policy.OpenWithout(Note(by)).Cosigned.Count);
        }
    }

    [Fact]
    public void A_cosignature_that_does_not_verify_spoils_the_note_and_one_by_a_stranger_does_not()
    {
        var policy = Parse(Example);
        using var stranger = CosignerKey.Create("witness.example/9", NoteKeyType.Ed25519Cosignature);
        byte[] good = [.. Note(0, 1, 3), .. Encoding.UTF8.GetBytes(stranger.SignLine(head, Now))];
        Assert.Equal(head, policy.Open(good));
        byte[] bad = [.. Note(0, 1, 3), .. Encoding.UTF8.GetBytes(witnesses[4].SignLine(head with { Size = 601 }, Now))];
        Assert.Throws<RefusedException>(() => policy.Open(bad));
        // Witnesses alone make no checkpoint.
        Assert.Throws<RefusedException>(() => policy.Open(Encoding.UTF8.GetBytes(head.Text + "\n" + string.Concat(witnesses.Select(w => w.SignLine(head, Now))))));
        using var other = CheckpointKey.Create("other.exchange/ledger");
        Assert.Throws<RefusedException>(() => policy.Open(Encoding.UTF8.GetBytes(other.Sign(new Checkpoint("other.exchange/ledger", 1, head.Root)))));
    }

    [Fact]
    public void Quorum_none_asks_for_nobody_and_an_MlDsa_key_may_be_the_ledgers()
    {
        using var mldsa = CosignerKey.Create(Origin, NoteKeyType.MlDsa44Cosignature);
        var policy = Parse($"log {log.VerifierKey}\nlog {mldsa.VerifierKey}\nquorum none");
        Assert.False(policy.AsksForWitnesses);
        Assert.Equal(head, policy.Open(Note()));
        Assert.Equal(head, policy.Open(Encoding.UTF8.GetBytes(head.Text + "\n" + mldsa.SignLine(head, 0))));
    }

    [Fact]
    public void What_the_specification_forbids_is_refused_by_its_line()
    {
        string a = witnesses[0].VerifierKey.ToString(), b = witnesses[2].VerifierKey.ToString();
        Assert.Equal("no quorum line", Refused($"witness A {a}\n"));
        Assert.Equal("line 2", Refused("quorum none\nquorum none\n"));
        Assert.Equal("line 1", Refused("quorum A\n"));
        Assert.Equal("line 1", Refused($"witness none {a}\nquorum none\n"));
        Assert.Equal("line 2", Refused($"witness A {a}\nwitness A {b}\nquorum none\n"));
        Assert.Equal("line 2", Refused($"witness A {a}\nwitness B {a}\nquorum none\n"));
        Assert.Equal("line 2", Refused($"witness A {a}\nwitness B {new VerifierKey("other", NoteKeyType.Ed25519Cosignature, witnesses[0].VerifierKey.PublicKey.Span)}\nquorum none\n"));
        Assert.Equal("line 1", Refused($"witness A {log.VerifierKey}\nquorum none\n"));
        Assert.Equal("line 1", Refused($"log {a}\nquorum none\n"));
        Assert.Equal("line 2", Refused($"log {log.VerifierKey}\nlog {log.VerifierKey}\nquorum none\n"));
        foreach (var group in new[] { "group g any", "group g 0 A", "group g 2 A", "group g 01 A", "group g +1 A", "group g some A", "group A any A", "group g any B", "group g any A A", "group g any none", "group none any A" })
            Assert.Equal("line 2", Refused($"witness A {a}\n{group}\nquorum none\n"));
        Assert.Equal("line 3", Refused($"witness A {a}\ngroup g any A\ngroup h any A\nquorum none\n"));
        Assert.Equal("line 1", Refused("nothing\nquorum none\n"));
        Assert.Equal("line 1", Refused("quorum none none\n"));
        Assert.Equal("control character", Refused("quorum none\r\n"));
        Assert.Equal("control character", Refused("\0quorum none\n"));
    }

    [Fact]
    public void Names_are_octets()
    {
        string a = witnesses[0].VerifierKey.ToString(), b = witnesses[2].VerifierKey.ToString();
        // K and the Kelvin sign are two names, and so are two spellings of one Vietnamese letter.
        var policy = Parse($"witness K {a}\nwitness \u212A {b}\ngroup g all K \u212A\nquorum g\n");
        Assert.Equal(2, policy.Witnesses.Count);
        Assert.False(policy.IsQuorum([witnesses[0].VerifierKey]));
        Assert.True(policy.IsQuorum([witnesses[0].VerifierKey, witnesses[2].VerifierKey]));
    }

    [Fact]
    public void A_proof_is_written_in_the_published_form_read_back_and_verified_offline()
    {
        var policy = Parse(Example);
        var nodes = MerkleTree.InclusionProof(73, 600, TestTree.Nodes);
        var proof = new TlogProof(new byte[] { 1, 2, 3 }, 73, nodes, Encoding.UTF8.GetString(Note(0, 1, 5)));
        var text = proof.Write();
        Assert.StartsWith($"c2sp.org/tlog-proof@v1\nextra AQID\nindex 73\n{Convert.ToBase64String(nodes[0].ToArray())}\n", text, StringComparison.Ordinal);
        var read = TlogProof.Parse(Encoding.UTF8.GetBytes(text));
        Assert.Equal(text, read.Write());
        Assert.Equal(head, read.Claims);
        var (checkpoint, cosigned) = read.Verify(TestTree.Leaves[73], policy);
        Assert.Equal((head, true), (checkpoint, policy.IsQuorum(cosigned)));
        Assert.Equal(Refusal.Proof, Assert.Throws<RefusedException>(() => read.Verify(TestTree.Leaves[74], policy)).Refusal);
        Assert.Equal(Refusal.Proof, Assert.Throws<RefusedException>(() => (read with { Index = 72 }).Verify(TestTree.Leaves[73], policy)).Refusal);
        var single = new TlogProof(null, 0, [], log.Sign(new Checkpoint(Origin, 1, TestTree.Leaves[0])));
        Assert.Equal($"c2sp.org/tlog-proof@v1\nindex 0\n\n{single.Note}", single.Write());
        single.Verify(TestTree.Leaves[0], Parse($"log {log.VerifierKey}\nquorum none\n"));
    }

    [Fact]
    public void A_proof_changed_anywhere_is_refused()
    {
        var policy = Parse($"log {log.VerifierKey}\nquorum none\n");
        var bytes = Encoding.UTF8.GetBytes(new TlogProof(null, 7, MerkleTree.InclusionProof(7, 20, TestTree.Nodes), log.Sign(new Checkpoint(Origin, 20, MerkleTree.Root(20, TestTree.Nodes)))).Write());
        TlogProof.Parse(bytes).Verify(TestTree.Leaves[7], policy);
        for (var i = 0; i < bytes.Length; i++)
        {
            var changed = (byte[])bytes.Clone();
            changed[i] ^= 1;
            var e = Assert.Throws<RefusedException>(() => TlogProof.Parse(changed).Verify(TestTree.Leaves[7], policy));
            Assert.True(e.Refusal == Refusal.Proof || e.Refusal == Refusal.Note);
            Assert.Throws<RefusedException>(() => TlogProof.Parse(bytes.AsSpan(0, i)).Verify(TestTree.Leaves[7], policy));
        }
        foreach (var spelling in new[] { "index 07", "index +7", "index  7", "extra \nindex 7", "extra A\nindex 7", "Index 7", "index 7\nindex 7" })
            Assert.Throws<RefusedException>(() => TlogProof.Parse(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes).Replace("index 7", spelling, StringComparison.Ordinal))));
    }
}
