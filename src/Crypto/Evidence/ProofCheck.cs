using System.Text;
using Exchange.Crypto.Ledger;

namespace Exchange.Crypto.Evidence;

/// <summary>One ".tlog-proof": is the entry in a checkpoint of the pinned ledger, and did enough witnesses see that checkpoint?</summary>
public static class ProofCheck
{
    /// <param name="leaf">What a receipt promised; null: the entry in the file says it.</param>
    /// <returns>The entry that the file holds, whatever the findings are.</returns>
    public static (Findings Findings, LedgerEntry? Entry) Check(EvidencePart file, Digest? leaf, LedgerPins pins)
    {
        var findings = new Findings();
        if (findings.Try(file.Name, "form", () => TlogProof.Parse(file.Bytes.Span)) is not { } proof) return (findings, null);
        var notes = new NoteCheck(pins);
        var entry = proof.Entry;
        if (notes.Open(file.Name, Encoding.UTF8.GetBytes(proof.Note), findings.Add) is not { } head) return (findings, entry);
        findings.Good(file.Name, "signature");
        if (entry is not null && leaf is not null) findings.Judge(entry.Leaf == leaf, file.Name, "entry", Refusal.Proof, "the entry in the file is not the promised one");
        if ((leaf ?? entry?.Leaf) is not { } asked) findings.Incomplete(file.Name, "inclusion", FindingCode.Missing, "neither entry nor leaf is given");
        else findings.Judge(MerkleTree.VerifyInclusion(asked, proof.Index, head.Checkpoint.Size, proof.Proof, head.Checkpoint.Root), file.Name, "inclusion", Refusal.Proof);
        notes.Next(head, findings.Add);
        notes.End(0, findings);
        return (findings, entry);
    }
}
