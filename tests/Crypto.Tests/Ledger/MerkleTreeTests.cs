using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Xunit;

namespace Exchange.Tests.Ledger;

public class MerkleTreeTests
{
    [Fact]
    public void Roots_are_those_of_RFC_6962()
    {
        using var vectors = JsonDocument.Parse(File.ReadAllBytes(Vectors.Path("merkle/rfc6962_reference_roots.json")));
        var inputs = Hex("leaf_inputs_hex");
        var roots = Hex("roots_by_tree_size_hex");
        var hashes = Hex("leaf_hashes_hex");
        var frontier = TreeFrontier.Empty;
        for (var size = 0; size < roots.Length; size++)
        {
            var leaves = inputs.Take(size).Select(i => MerkleTree.LeafHash(i)).ToArray();
            Assert.Equal(hashes.Take(size).Select(h => new Digest(h)), leaves);
            Assert.Equal(new Digest(roots[size]), MerkleTree.Root(leaves));
            Assert.Equal(new Digest(roots[size]), frontier.Root());
            if (size < inputs.Length) frontier = frontier.Append(MerkleTree.LeafHash(inputs[size]));
        }

        byte[][] Hex(string name) => [.. vectors.RootElement.GetProperty(name).EnumerateArray().Select(e => Convert.FromHexString(e.GetString()!))];
    }

    [Fact]
    public void Inclusion_probes_agree()
    {
        var files = Directory.GetFiles(Vectors.Path("merkle/inclusion"), "*.json", SearchOption.AllDirectories);
        Assert.Equal(98, files.Length);
        foreach (var file in files)
        {
            using var probe = JsonDocument.Parse(File.ReadAllBytes(file));
            Assert.True(Accepts(probe.RootElement) != probe.RootElement.GetProperty("wantErr").GetBoolean(), file);
        }
    }

    static bool Accepts(JsonElement probe)
    {
        var proof = probe.GetProperty("proof") is { ValueKind: JsonValueKind.Array } given ? given.EnumerateArray().Select(p => p.GetBytesFromBase64()).ToArray() : [];
        byte[] leaf = Bytes("leafHash"), root = Bytes("root");
        // A digest is 32 bytes by type: other lengths do not reach the verifier.
        if (proof.Append(leaf).Append(root).Any(d => d.Length != Digest.Size)) return false;
        return probe.GetProperty("leafIdx").TryGetInt64(out var index) && probe.GetProperty("treeSize").TryGetInt64(out var size)
            && MerkleTree.VerifyInclusion(new Digest(leaf), index, size, [.. proof.Select(p => new Digest(p))], new Digest(root));

        byte[] Bytes(string name) => probe.GetProperty(name) is { ValueKind: JsonValueKind.String } text ? text.GetBytesFromBase64() : [];
    }

    [Fact]
    public void Every_inclusion_proof_made_verifies() => EveryInclusionProof(TestTree.SomeSizes);

    [Fact, Trait("tier", "long")]
    public void Every_inclusion_proof_made_verifies_up_to_600() => EveryInclusionProof(Enumerable.Range(1, 600));

    static void EveryInclusionProof(IEnumerable<int> sizes)
    {
        foreach (var size in sizes)
        {
            var root = MerkleTree.Root([.. TestTree.Leaves.Take(size)]);
            for (var index = 0; index < size; index++)
            {
                var proof = MerkleTree.InclusionProof(index, size, TestTree.Nodes);
                Assert.True(MerkleTree.VerifyInclusion(TestTree.Leaves[index], index, size, proof, root), $"{index} of {size}");
            }
        }
    }

    [Fact]
    public void Every_consistency_proof_made_verifies() => EveryConsistencyProof(TestTree.SomeSizes);

    [Fact, Trait("tier", "long")]
    public void Every_consistency_proof_made_verifies_up_to_600() => EveryConsistencyProof(Enumerable.Range(1, 600));

    static void EveryConsistencyProof(IEnumerable<int> sizes)
    {
        var roots = Enumerable.Range(0, 601).Select(n => MerkleTree.Root(n, TestTree.Nodes)).ToArray();
        foreach (var size in sizes)
            for (var old = 0; old <= size; old++)
            {
                var proof = MerkleTree.ConsistencyProof(old, size, TestTree.Nodes);
                Assert.True(MerkleTree.VerifyConsistency(old, roots[old], size, roots[size], proof), $"{old} to {size}");
                if (old > 0 && old < size) Assert.False(MerkleTree.VerifyConsistency(old, roots[old - 1], size, roots[size], proof), $"{old} to {size}, other old root");
            }
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(7), InlineData(8), InlineData(11), InlineData(257), InlineData(600)]
    public void Inclusion_refuses_any_flipped_bit_and_any_other_index(int size)
    {
        var root = MerkleTree.Root(size, TestTree.Nodes);
        for (var index = 0; index < size; index += 1 + (size / 9))
        {
            var leaf = TestTree.Leaves[index];
            var proof = MerkleTree.InclusionProof(index, size, TestTree.Nodes);
            foreach (var bad in BadProofs(proof)) Assert.False(MerkleTree.VerifyInclusion(leaf, index, size, bad, root));
            foreach (var bad in Flips(leaf)) Assert.False(MerkleTree.VerifyInclusion(bad, index, size, proof, root));
            foreach (var bad in Flips(root)) Assert.False(MerkleTree.VerifyInclusion(leaf, index, size, proof, bad));
            for (var other = -1; other <= size; other++)
                Assert.Equal(other == index, MerkleTree.VerifyInclusion(leaf, other, size, proof, root));
            // The root binds the size, not the proof: another size may pass only where the leaf's path has the same turns.
            for (var other = 0; other <= size + 9; other++)
                Assert.Equal(index < other && Turns(index, other) == Turns(index, size), MerkleTree.VerifyInclusion(leaf, index, other, proof, root));
        }
    }

    [Theory]
    [InlineData(1, 2), InlineData(1, 600), InlineData(3, 4), InlineData(6, 8), InlineData(7, 11), InlineData(256, 257), InlineData(255, 600), InlineData(599, 600)]
    public void Consistency_refuses_any_flipped_bit_and_other_sizes(int old, int size)
    {
        var proof = MerkleTree.ConsistencyProof(old, size, TestTree.Nodes);
        Digest oldRoot = MerkleTree.Root(old, TestTree.Nodes), root = MerkleTree.Root(size, TestTree.Nodes);
        foreach (var bad in BadProofs(proof)) Assert.False(MerkleTree.VerifyConsistency(old, oldRoot, size, root, bad));
        foreach (var bad in Flips(oldRoot)) Assert.False(MerkleTree.VerifyConsistency(old, bad, size, root, proof));
        foreach (var bad in Flips(root)) Assert.False(MerkleTree.VerifyConsistency(old, oldRoot, size, bad, proof));
        for (var other = -1; other <= size + 1; other++)
            Assert.Equal(other == old, MerkleTree.VerifyConsistency(other, oldRoot, size, root, proof));
    }

    [Fact]
    public void Empty_and_equal_trees_need_the_empty_proof()
    {
        Digest some = MerkleTree.Root(5, TestTree.Nodes), other = MerkleTree.Root(6, TestTree.Nodes);
        Assert.True(MerkleTree.VerifyConsistency(0, MerkleTree.EmptyRoot, 5, some, []));
        Assert.False(MerkleTree.VerifyConsistency(0, some, 5, some, []));
        Assert.False(MerkleTree.VerifyConsistency(0, MerkleTree.EmptyRoot, 5, some, [some]));
        Assert.True(MerkleTree.VerifyConsistency(5, some, 5, some, []));
        Assert.False(MerkleTree.VerifyConsistency(5, some, 5, other, []));
        Assert.False(MerkleTree.VerifyConsistency(5, some, 5, some, [some]));
        Assert.False(MerkleTree.VerifyConsistency(6, other, 5, some, []));
        Assert.False(MerkleTree.VerifyConsistency(5, some, 6, other, []));
        Assert.False(MerkleTree.VerifyInclusion(some, 0, 0, [], MerkleTree.EmptyRoot));
    }

    [Fact]
    public void Frontier_in_pieces_equals_the_batch_and_survives_storage()
    {
        for (var first = 0; first <= 600; first += 37)
            for (var second = 0; first + second <= 600; second += 61)
            {
                var frontier = TreeFrontier.Empty.Append([.. TestTree.Leaves.Take(first)]);
                frontier = TreeFrontier.Read(frontier.Size, frontier.ToArray()).Append([.. TestTree.Leaves.Skip(first).Take(second)]);
                Assert.Equal(first + second, frontier.Size);
                Assert.Equal(MerkleTree.Root(first + second, TestTree.Nodes), frontier.Root());
                Assert.Equal(TreeFrontier.Read(first + second, TestTree.Nodes).ToArray(), frontier.ToArray());
            }
        Assert.Equal(Refusal.Proof, Assert.Throws<RefusedException>(() => TreeFrontier.Read(3, new byte[32])).Refusal);
        Assert.Equal(Refusal.Proof, Assert.Throws<RefusedException>(() => TreeFrontier.Read(-1, [])).Refusal);
    }

    static string Turns(long index, long size)
    {
        if (size == 1) return "";
        var left = 1L;
        while (left * 2 < size) left *= 2;
        return index < left ? Turns(index, left) + "l" : Turns(index - left, size - left) + "r";
    }

    static IEnumerable<Digest[]> BadProofs(IReadOnlyList<Digest> proof)
    {
        for (var i = 0; i < proof.Count; i++)
        {
            foreach (var flipped in Flips(proof[i])) yield return [.. proof.Take(i), flipped, .. proof.Skip(i + 1)];
            yield return [.. proof.Take(i), .. proof.Skip(i + 1)];
            yield return [.. proof.Take(i), proof[i], .. proof.Skip(i)];
        }
        yield return [.. proof, MerkleTree.EmptyRoot];
        yield return [MerkleTree.EmptyRoot, .. proof];
    }

    static IEnumerable<Digest> Flips(Digest digest)
    {
        for (var bit = 0; bit < 8 * Digest.Size; bit += 5)
        {
            var bytes = digest.ToArray();
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            yield return new Digest(bytes);
        }
    }
}
