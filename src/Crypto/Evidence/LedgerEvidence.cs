using System.Text.Json;
using System.Text.Json.Serialization;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Evidence;

/// <summary>A checkpoint by the pinned key, and the leaves that are proven to be in it.</summary>
sealed class LedgerEvidence
{
    readonly string name;
    readonly Checkpoint checkpoint;
    readonly HashSet<Digest> tried = [];
    readonly Dictionary<Digest, long> proven = [];

    LedgerEvidence(string name, Checkpoint checkpoint) { this.name = name; this.checkpoint = checkpoint; }

    public Checkpoint Checkpoint => checkpoint;
    /// <summary>Index by leaf.</summary>
    public IReadOnlyDictionary<Digest, long> Proven => proven;

    /// <returns>null: no usable checkpoint, so nothing can be said about entries.</returns>
    public static LedgerEvidence? Read(EvidencePart? note, IReadOnlyList<EvidencePart> proofs, EvidencePins pins, Findings findings)
    {
        if (note is null) { findings.Incomplete("checkpoint.txt", "file", FindingCode.Missing); return null; }
        // Evidence of before a succession has a head of the ledger that ended.
        var checkpoint = findings.Try(note.Name, "signature", () => Checkpoint.OpenAny(note.Bytes.Span, pins.Keys));
        if (checkpoint is null) return null;
        var ledger = new LedgerEvidence(note.Name, checkpoint);
        foreach (var proof in proofs) ledger.Prove(proof, findings);
        return ledger;
    }

    void Prove(EvidencePart part, Findings findings)
    {
        if (!Digest.TryParse(Path.GetFileNameWithoutExtension(part.Name), out var leaf)) { findings.Bad(part.Name, "inclusion", Refusal.Proof, "not named after a leaf"); return; }
        tried.Add(leaf);
        InclusionProofFile? proof;
        try { proof = JsonSerializer.Deserialize(part.Bytes.Span, ProofJson.Default.InclusionProofFile); }
        catch (JsonException) { proof = null; }
        if (findings.Judge(proof is not null && proof.Size == checkpoint.Size && MerkleTree.VerifyInclusion(leaf, proof.Index, proof.Size, proof.Proof, checkpoint.Root),
            part.Name, "inclusion", Refusal.Proof)) proven[leaf] = proof!.Index;
    }

    /// <summary>What the sender had seen when sealing must be a beginning of this ledger, as far as two heads alone can tell.</summary>
    public void CheckSeen(string part, Seen seen, Findings findings)
    {
        const string check = "seen by the sender";
        if (seen.Origin != checkpoint.Origin) return;
        var holds = seen.Size < checkpoint.Size || (seen.Size == checkpoint.Size && seen.Root == checkpoint.Root);
        findings.Judge(holds, part, check, Refusal.Fork, $"{name} is not a continuation of what the sender had seen");
    }

    /// <summary>The receipt's entry is in the checkpoint; or was promised by a time that this checkpoint is known to be later than; or nobody can say yet.</summary>
    public void CheckInclusion(ReceiptPart receipt, IEnumerable<ReceiptPart> all, Findings findings)
    {
        const string check = "in the ledger";
        var entry = receipt.Content.Entry!;
        if (proven.ContainsKey(entry.Leaf)) { findings.Good(receipt.Name, check); return; }
        // A checkpoint has no time, but it is not older than any entry in it.
        var late = all.Any(r => r.Content.Entry is { } other && proven.ContainsKey(other.Leaf) && r.Content.Time > entry.IncludedBy);
        if (tried.Contains(entry.Leaf) || late) findings.Bad(receipt.Name, check, Refusal.Proof, late ? "promised earlier than an entry that is there" : "its proof does not hold");
        else findings.Incomplete(receipt.Name, check, FindingCode.Missing, "no proof");
    }
}

/// <summary>Form of a proof file and of the gateway's answer: {"index", "size", "proof"}.</summary>
/// <param name="Proof">Base64url each, from the leaf up.</param>
public sealed record InclusionProofFile(long Index, long Size, Digest[] Proof);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(InclusionProofFile))]
sealed partial class ProofJson : JsonSerializerContext;
