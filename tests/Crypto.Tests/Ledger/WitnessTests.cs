using System.Text;
using CsCheck;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Xunit;

namespace Exchange.Tests.Ledger;

/// <summary>C2SP tlog-witness, add-checkpoint: statuses in the order of the specification, and the property that makes a witness worth asking.</summary>
public sealed class WitnessTests : IDisposable
{
    const string Origin = "test.exchange/ledger";
    const long Now = 1_800_000_000;
    readonly CheckpointKey log = CheckpointKey.Create(Origin);
    readonly CosignerKey ed = CosignerKey.Create("witness.example/w", NoteKeyType.Ed25519Cosignature), mldsa = CosignerKey.Create("witness.example/w", NoteKeyType.MlDsa44Cosignature);
    WitnessHead newest = WitnessHead.Nothing;

    public void Dispose()
    {
        log.Dispose();
        ed.Dispose();
        mldsa.Dispose();
    }

    IReadOnlyCollection<VerifierKey> KeysOf(string origin) => origin == Origin ? [log.VerifierKey] : [];

    static Checkpoint Head(int size) => new(Origin, size, MerkleTree.Root(size, TestTree.Nodes));

    string Body(int old, int size) => new WitnessRequest(old, MerkleTree.ConsistencyProof(old, size, TestTree.Nodes), log.Sign(Head(size))).Write();

    WitnessDecision Decide(string body) => Witness.Decide(Encoding.UTF8.GetBytes(body), KeysOf, _ => newest);

    WitnessAnswer Send(string body)
    {
        var decision = Decide(body);
        if (decision.Answer is { } no) return no;
        newest = decision.ToKeep!;
        return Witness.Cosign(decision, [ed, mldsa], Now);
    }

    [Fact]
    public void A_growing_ledger_is_cosigned_by_every_key_of_the_witness()
    {
        foreach (var (old, size) in new[] { (0, 7), (7, 7), (7, 300), (300, 600) })
        {
            var answer = Send(Body(old, size));
            Assert.Equal((200, WitnessAnswer.TextType), (answer.Status, answer.ContentType));
            var reply = WitnessReply.Read(answer.Status, answer.ContentType, Encoding.UTF8.GetBytes(answer.Body), Head(size), [ed.VerifierKey, mldsa.VerifierKey]);
            Assert.Equal(2, reply.Lines.Count);
            Assert.Single(WitnessReply.Read(answer.Status, answer.ContentType, Encoding.UTF8.GetBytes(answer.Body), Head(size), [mldsa.VerifierKey]).Lines);
            Assert.Equal(new WitnessHead(size, Head(size).Root), newest);
        }
    }

    [Fact]
    public void Each_status_of_the_specification()
    {
        Assert.Equal(200, Send(Body(0, 20)).Status);
        using var stranger = CheckpointKey.Create("other/ledger");
        using var forger = CheckpointKey.Create(Origin);
        Assert.Equal(404, Send(new WitnessRequest(0, [], stranger.Sign(new Checkpoint("other/ledger", 1, Head(1).Root))).Write()).Status);
        Assert.Equal(403, Send(new WitnessRequest(20, MerkleTree.ConsistencyProof(20, 30, TestTree.Nodes), forger.Sign(Head(30))).Write()).Status);
        Assert.Equal(403, Send(Body(20, 30).Replace("\n30\n", "\n31\n", StringComparison.Ordinal)).Status);
        Assert.Equal(400, Send(new WitnessRequest(21, [], log.Sign(Head(20))).Write()).Status);

        var conflict = Send(Body(0, 30));
        Assert.Equal((409, "text/x.tlog.size", "20\n"), (conflict.Status, conflict.ContentType, conflict.Body));
        Assert.Equal(20, WitnessReply.Read(409, conflict.ContentType, Encoding.UTF8.GetBytes(conflict.Body), Head(30), [ed.VerifierKey]).Size);
        Assert.Equal(409, Send(Body(10, 15)).Status);

        var fork = Send(new WitnessRequest(20, [], log.Sign(new Checkpoint(Origin, 20, Digest.Of([1])))).Write());
        Assert.Equal((409, WitnessAnswer.TextType, ""), (fork.Status, fork.ContentType, fork.Body));
        Assert.Null(WitnessReply.Read(409, fork.ContentType, [], Head(20), [ed.VerifierKey]).Size);
        Assert.Equal(422, Send(new WitnessRequest(20, MerkleTree.ConsistencyProof(20, 30, TestTree.Nodes), log.Sign(new Checkpoint(Origin, 30, Digest.Of([1])))).Write()).Status);
        Assert.Equal(422, Send(new WitnessRequest(20, [.. MerkleTree.ConsistencyProof(20, 30, TestTree.Nodes), Digest.Of([1])], log.Sign(Head(30))).Write()).Status);
        Assert.Equal(422, Send(new WitnessRequest(20, [Digest.Of([1])], log.Sign(Head(20))).Write()).Status);
        Assert.Equal(20, newest.Size);
    }

    [Fact]
    public void A_body_in_another_form_is_a_bad_request()
    {
        var good = Body(0, 20);
        Assert.True(WitnessRequest.TryParse(Encoding.UTF8.GetBytes(good), out var read));
        Assert.Equal(good, read.Write());
        foreach (var body in new[] { "", "old 0", "old 0\n", good[4..], "old 00" + good[5..], "old +0" + good[5..], "old -1" + good[5..], "old 0\r" + good[5..], "old 0\nAAAA" + good[5..], good.Replace("old 0\n", "old 0\n\n", StringComparison.Ordinal) })
            Assert.Equal(400, Send(body).Status);
        Assert.False(WitnessRequest.TryParse(Encoding.UTF8.GetBytes(new WitnessRequest(0, [.. Enumerable.Repeat(default(Digest), 64)], log.Sign(Head(1))).Write()), out _));
    }

    [Fact]
    public void A_cosignature_that_does_not_hold_or_has_no_time_is_not_taken()
    {
        var head = Head(20);
        byte[] Lines(string line) => Encoding.UTF8.GetBytes(line);
        Assert.Throws<RefusedException>(() => WitnessReply.Read(200, null, Lines(ed.SignLine(Head(21), Now)), head, [ed.VerifierKey]));
        Assert.Throws<RefusedException>(() => WitnessReply.Read(200, null, Lines(mldsa.SignLine(head, 0)), head, [mldsa.VerifierKey]));
        Assert.Throws<RefusedException>(() => WitnessReply.Read(200, null, Lines(ed.SignLine(head, Now)), head, [mldsa.VerifierKey]));
        Assert.Throws<RefusedException>(() => WitnessReply.Read(200, null, [], head, [ed.VerifierKey]));
        Assert.Empty(WitnessReply.Read(500, null, [], head, [ed.VerifierKey]).Lines);
    }

    /// <summary>A ledger that lies: two trees that share a beginning of any length, offered in any order, by honest and by made-up requests, through lost answers and crashes.</summary>
    [Fact]
    public void A_witness_never_cosigns_two_heads_that_are_not_consistent_whatever_is_asked_and_wherever_it_stops()
    {
        var cosigned = 0;
        Gen.Select(Gen.Int[0, 40], Gen.Select(Gen.Int[0, 1], Gen.Int[0, 60], Gen.Int[0, 60], Gen.Int[0, 5], Gen.Int[0, 2]).Array[1, 40]).Sample((shared, steps) =>
        {
            Digest[][] trees = [[.. TestTree.Leaves[..60]], [.. TestTree.Leaves[..shared], .. TestTree.Leaves[600..(660 - shared)]]];
            Digest[][] roots = [.. trees.Select(Roots)];
            NodeReader[] nodes = [.. trees.Select(Nodes)];
            var durable = WitnessHead.Nothing;
            var signed = new List<(int Tree, WitnessHead Head)>();
            foreach (var (tree, older, newer, proofKind, crash) in steps)
            {
                var head = new Checkpoint(Origin, newer, roots[tree][newer]);
                // Some who ask know what the witness has.
                var old = proofKind == 5 ? older : (int)durable.Size;
                var proof = proofKind == 0 || old > newer ? [] : MerkleTree.ConsistencyProof(old, newer, nodes[proofKind == 1 ? 1 - tree : tree]);
                var decision = Witness.Decide(Encoding.UTF8.GetBytes(new WitnessRequest(old, proof, log.Sign(head)).Write()), KeysOf, _ => durable);
                if (decision.Answer is not null) continue;
                Assert.Equal(durable, decision.Before);
                // It stops before the head is durable, or after it and before the answer, or answers.
                if (crash == 0) continue;
                durable = decision.ToKeep!;
                if (crash == 2) signed.Add((tree, durable));
            }
            foreach (var (a, first) in signed)
                foreach (var (_, second) in signed.Where(s => s.Head.Size >= first.Size))
                    Assert.True(roots.Any(r => r[first.Size] == first.Root && r[second.Size] == second.Root), $"tree {a}, sizes {first.Size} and {second.Size}");
            Assert.True(signed.Zip(signed.Skip(1)).All(p => p.First.Head.Size <= p.Second.Head.Size));
            cosigned += signed.Count;
        }, iter: 100, threads: 1);
        Assert.True(cosigned > 30, $"{cosigned} cosigned: nothing was tried");

        static Digest[] Roots(Digest[] leaves)
        {
            var edge = TreeFrontier.Empty;
            return [edge.Root(), .. leaves.Select(l => (edge = edge.Append(l)).Root())];
        }

        static NodeReader Nodes(Digest[] leaves)
        {
            var levels = new List<Digest[]> { leaves };
            while (levels[^1].Length > 1) levels.Add([.. levels[^1].Chunk(2).Where(p => p.Length == 2).Select(p => MerkleTree.NodeHash(p[0], p[1]))]);
            return (level, index) => levels[level][index];
        }
    }

    [Fact]
    public void Nothing_is_cosigned_that_was_refused()
    {
        var refused = Decide(Body(5, 7));
        Assert.Null(refused.ToKeep);
        Assert.Throws<ArgumentException>(() => Witness.Cosign(refused, [ed], Now));
    }
}
