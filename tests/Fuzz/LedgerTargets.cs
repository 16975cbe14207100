using System.Buffers.Binary;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;
using Exchange.Tests.Envelope;

namespace Exchange.Fuzz;

static class LedgerTargets
{
    public const string Origin = "example/ledger";
    public static readonly CheckpointKey Key = CheckpointKey.FromSeed(Origin, WorkedExample.Drawn("checkpoint"));

    public static void Note(byte[] bytes)
    {
        var opened = SignedNote.Open(bytes, [Key.VerifierKey]);
        Targets.Equal(bytes.AsSpan(0, Encoding.UTF8.GetByteCount(opened.Text)), Encoding.UTF8.GetBytes(opened.Text));
        Targets.Demand(opened.Verified.Count == 1, "verified signatures");
        foreach (var other in opened.Others) Targets.Demand(SignedNote.SignatureLine(other.Name, other.KeyId, other.Signature.Span) == other.Line + "\n", "a signature line with a second spelling");
    }

    /// <summary>Text of a checkpoint, signed by the ledger's own key.</summary>
    public static void Checkpoint(byte[] bytes)
    {
        var text = Encoding.UTF8.GetString(bytes);
        Targets.Try(() => VerifierKey.Parse(text));
        if (TilePath.TryParse(text, out var path)) Targets.Demand(path.ToString() == text, "a path with a second spelling");
        var read = Crypto.Ledger.Checkpoint.Parse(text, Origin);
        Targets.Demand(read.Text == text && read.Size >= 0, "a checkpoint with a second spelling");
        Targets.Demand(Crypto.Ledger.Checkpoint.Open(Encoding.UTF8.GetBytes(Key.Sign(read)), Key.VerifierKey) == read, "another checkpoint");
    }

    /// <summary>Path, newline, bytes of the tile or bundle.</summary>
    public static void Tile(byte[] bytes)
    {
        var end = Array.IndexOf(bytes, (byte)'\n');
        if (end < 0 || !TilePath.TryParse(Encoding.ASCII.GetString(bytes, 0, end), out var path)) return;
        var data = bytes[(end + 1)..];
        if (path.Level == TilePath.Entries) Targets.Equal(data, EntryBundle.Write(EntryBundle.Read(data, path.Width)));
        var size = Math.Max(1, path.Index % 70_000);
        Targets.Try(() => Tiles.Root(size, (_, _, _) => data));
        Targets.Try(() => Tiles.InclusionProof(path.Width % size, size, (_, _, _) => data));
        Targets.Try(() => Tiles.ConsistencyProof(Math.Min(path.Width, size), size, (_, _, _) => data));
    }

    /// <summary>A whole ledger: size in two bytes, then the bytes of every file of it, one after the other, whatever they are. The head is signed by the ledger's own key.</summary>
    public static void Ledger(byte[] bytes)
    {
        if (bytes.Length < 2) return;
        var size = BinaryPrimitives.ReadUInt16BigEndian(bytes) % 600;
        var at = 2;
        var root = bytes.Length >= 2 + Digest.Size ? new Digest(bytes.AsSpan(2, Digest.Size)) : MerkleTree.EmptyRoot;
        var note = Encoding.UTF8.GetBytes(Key.Sign(new Checkpoint(Origin, size, root)));
        var findings = LedgerCheck.Check(note, Key.VerifierKey, path =>
        {
            var length = Math.Min(path.Width * (path.Level == TilePath.Entries ? 34 : 32), bytes.Length - at);
            var file = bytes[at..(at + length)];
            at += length;
            return length == 0 ? null : file;
        });
        _ = findings.Verdict;
    }

    /// <summary>A tlog-policy; whatever it says, nobody is a quorum of a policy that asks for somebody.</summary>
    public static void Policy(byte[] bytes)
    {
        var policy = WitnessPolicy.Parse(bytes);
        Targets.Demand(policy.IsQuorum([]) == !policy.AsksForWitnesses, "a quorum of nobody");
        Targets.Demand(policy.IsQuorum([.. policy.Witnesses.Select(w => w.Key)]), "all together are no quorum");
    }

    public static void Proof(byte[] bytes)
    {
        var proof = TlogProof.Parse(bytes);
        Targets.Equal(bytes, Encoding.UTF8.GetBytes(proof.Write()));
        _ = proof.Entry?.Leaf;
    }

    /// <summary>Body of add-checkpoint, to a witness that has seen nothing.</summary>
    public static void Request(byte[] bytes)
    {
        if (WitnessRequest.TryParse(bytes, out var request)) Targets.Equal(bytes, Encoding.UTF8.GetBytes(request.Write()));
        var decision = Witness.Decide(bytes, origin => origin == Origin ? [Key.VerifierKey] : [], _ => WitnessHead.Nothing);
        Targets.Demand(decision.Answer is not null || decision.Checkpoint!.Origin == Origin, "a head of another ledger");
    }

    /// <summary>Number of lines in the first byte, then a bundle of details.</summary>
    public static void Details(byte[] bytes)
    {
        if (bytes.Length == 0) return;
        var lines = DetailBundle.Read(bytes.AsMemory(1), bytes[0]);
        Targets.Equal(bytes.AsSpan(1), DetailBundle.Write(lines));
    }

    /// <summary>Detail of an entry, and its leaf.</summary>
    public static void Detail(byte[] json)
    {
        var detail = EntryDetails.Read(json);
        Targets.Equal(json, EntryDetails.Write(detail));
        _ = new LedgerEntry(new byte[32], json).Leaf;
    }
}
