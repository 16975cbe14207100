using System.Globalization;
using System.Text;
using Exchange.Crypto.Ledger;

namespace Exchange.Crypto.Evidence;

/// <summary>A checkpoint that a pinned key of the ledger signed, and who else did.</summary>
/// <param name="Part">Its file.</param>
/// <param name="Signed">Pinned keys of the ledger.</param>
/// <param name="Cosigned">Keys of witnesses, and when: seconds since 1970, null if the line does not say.</param>
sealed record HeadNote(string Part, Checkpoint Checkpoint, IReadOnlyList<VerifierKey> Signed, IReadOnlyList<(VerifierKey Key, long? Time)> Cosigned)
{
    /// <summary>The time-stamp beside it; null: there is none, or none that holds.</summary>
    public HeadStamp? Stamp { get; init; }
}

/// <summary>
/// Checks checkpoints' notes, line by line (any thread), and what consecutive ones say of each other (one thread, in order of size): keys change with an overlap only,
/// a witness does not go back in time, and the quorum cosigned.
/// </summary>
sealed class NoteCheck(LedgerPins pins)
{
    /// <summary>Checkpoints that wait for witnesses: so many are named.</summary>
    const int MaxPendingListed = 100;

    readonly VerifierKey[] keys = [.. pins.Keys];
    readonly VerifierKey[] witnesses = [.. pins.Witnesses?.Witnesses.Select(w => w.Key) ?? []];
    readonly Dictionary<VerifierKey, long> last = [];
    HeadNote? before;
    long pending;

    public LedgerPins Pins => pins;
    public StampCheck Stamps { get; } = new(pins.TimeStamps);

    /// <summary>Name of the ledger that is checked; the pins' own, or that of one which it follows.</summary>
    public string Current { get; set; } = pins.Origin;

    /// <summary>Of a ledger under another name, as a rule one that ended and that this one follows.</summary>
    public bool IsFormer(HeadNote note) => note.Checkpoint.Origin != Current;

    /// <returns>null: it is not a checkpoint of this ledger, or of one that it follows, by a pinned key; a finding says why.</returns>
    public HeadNote? Open(string part, ReadOnlySpan<byte> note, Action<Finding> report)
    {
        string text;
        IReadOnlyList<NoteSignature> lines;
        Checkpoint checkpoint;
        try
        {
            (text, lines) = SignedNote.Read(note);
            checkpoint = Checkpoint.Parse(text);
            if (!keys.Any(k => k.Name == pins.Origin) || keys.All(k => k.Name != checkpoint.Origin)) throw new RefusedException(Refusal.Note, "origin is not the name of the key");
        }
        catch (RefusedException e) { Bad("signature", e.Detail, report); return null; }

        var bytes = Encoding.UTF8.GetBytes(text);
        List<VerifierKey> signed = [];
        List<(VerifierKey, long?)> cosigned = [];
        var seen = new HashSet<string>();
        var faults = 0;
        for (var i = 0; i < lines.Count; i++)
        {
            var line = lines[i];
            if (!seen.Add(line.Line)) { Line(i, "is there twice"); continue; }
            var own = keys.FirstOrDefault(k => k.Name == checkpoint.Origin && line.IsBy(k));
            var witness = witnesses.FirstOrDefault(line.IsBy);
            if ((own ?? witness) is not { } key) continue;
            if (!key.Verify(bytes, line.Signature.Span)) { Line(i, "does not verify"); continue; }
            if (own is not null && !signed.Contains(own)) signed.Add(own);
            if (witness is not null && !cosigned.Any(c => c.Item1 == witness)) cosigned.Add((witness, witness.TimeOf(line)));
        }
        if (signed.Count > 0) return new HeadNote(part, checkpoint, signed, cosigned);
        if (faults == 0) Bad("signature", "no verifiable signatures", report);
        return null;

        void Line(int i, string what)
        {
            faults++;
            Bad("signature", string.Create(CultureInfo.InvariantCulture, $"line {i + 1}, by {lines[i].Name}: {what}"), report);
        }

        void Bad(string check, string detail, Action<Finding> to) => to(new Finding(FindingKind.Bad, part, check, Refusal.Note.Code, detail));
    }

    /// <summary>The next note by size. Two of one size are compared by their roots elsewhere.</summary>
    public void Next(HeadNote note, Action<Finding> report)
    {
        // Under another name all is new: the entry with which that begins says what it follows.
        if (before is not null && before.Checkpoint.Origin != note.Checkpoint.Origin)
        {
            before = null;
            // A witness keeps its time by ledger.
            last.Clear();
        }
        // A key that only the next head knows could be anybody's: a head between them bears the old and the new signature.
        if (before is not null && !before.Signed.Intersect(note.Signed).Any())
            report(new Finding(FindingKind.Bad, note.Part, "key", Refusal.Note.Code, $"no key signed both this and {before.Part}: keys change with an overlap"));
        // Whoever breaks one algorithm could drop the line of the other.
        if (before is not null && before.Signed.Select(k => k.Type).Except(note.Signed.Select(k => k.Type)).Any())
            report(new Finding(FindingKind.Bad, note.Part, "key", Refusal.Note.Code, $"it lacks a kind of signature that {before.Part} has"));
        foreach (var (key, time) in note.Cosigned)
        {
            if (time is not { } at) continue;
            if (last.TryGetValue(key, out var earlier) && at < earlier && before!.Checkpoint.Size < note.Checkpoint.Size)
                report(new Finding(FindingKind.Bad, note.Part, "cosignature", Refusal.Note.Code, $"{key.Name} signed it earlier than a smaller head"));
            last[key] = Math.Max(at, last.GetValueOrDefault(key));
        }
        if (pins.Witnesses is { } policy && !policy.IsQuorum([.. note.Cosigned.Select(c => c.Key)]))
        {
            if (pending++ < MaxPendingListed) report(new Finding(FindingKind.Incomplete, note.Part, "witnesses", FindingCode.Pending, "not enough cosignatures"));
        }
        before = note;
    }

    /// <summary>What was counted over all notes.</summary>
    public void End(long notes, Findings findings)
    {
        Stamps.End(findings);
        if (notes > 0) findings.Good(LedgerCheck.Kept, "beginnings", string.Create(CultureInfo.InvariantCulture, $"{notes} checkpoints"));
        if (pins.Witnesses is not { AsksForWitnesses: true }) return;
        if (pending == 0) findings.Good(LedgerCheck.Newest, "witnesses");
        else if (pending > MaxPendingListed) findings.Incomplete(LedgerCheck.Kept, "witnesses", FindingCode.Pending, string.Create(CultureInfo.InvariantCulture, $"{pending} checkpoints without enough cosignatures"));
    }
}
