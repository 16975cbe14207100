using Exchange.Crypto.Ledger;

namespace Exchange.Crypto.Evidence;

/// <summary>Who else signed the checkpoint of an evidence file, as far as the auditor has told whose word counts.</summary>
public static class CheckpointEvidence
{
    /// <returns>Names of pinned witnesses that cosigned it, and when: seconds since 1970, null if the line does not say.</returns>
    public static IReadOnlyList<(string Name, long? Time)> Check(EvidencePart note, LedgerPins pins, Findings findings)
    {
        var notes = new NoteCheck(pins);
        if (notes.Open(note.Name, note.Bytes.Span, findings.Add) is not { } head) return [];
        notes.Next(head, findings.Add);
        notes.End(0, findings);
        return [.. head.Cosigned.Select(c => (c.Key.Name, c.Time))];
    }
}
