using Exchange.Crypto.Ledger;
using Exchange.Crypto.TimeStamps;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Evidence;

/// <summary>What a ledger is checked with. All of it is the auditor's own.</summary>
/// <param name="Origin">Name of the ledger.</param>
/// <param name="Keys">Its keys, old and new, of any type; their name is the origin. Those of other names are of ledgers that ended, which it follows.</param>
public sealed record LedgerPins(string Origin, IReadOnlyCollection<VerifierKey> Keys)
{
    /// <summary>Whose cosignatures count; null: nobody is asked for.</summary>
    public WitnessPolicy? Witnesses { get; init; }

    /// <summary>Who may have certified time-stamp authorities; null: whether one may be believed is not judged.</summary>
    public CertificateCheck? TimeStamps { get; init; }

    /// <summary>Name of the ledger whose entries alone are asked for, without those of the ledgers that it follows and that follow it: a shard of the tree. null: all from entry 0 to the newest head.</summary>
    public string? Shard { get; init; }

    /// <summary>Checkpoints that the auditor kept himself, by a name to call them. Each must be a beginning of the ledger, or one of a ledger that ended and admitted to be lost.</summary>
    public IReadOnlyList<EvidencePart> Known { get; init; } = [];
}

/// <summary>
/// Checks a whole ledger from its files alone, every byte of them, with pinned keys and no network. docs/ledger.md says what is asked and how a wrong file is told
/// from a right one. In short: from the signed root down each tile must hash to what the tile above says of it, and each entry bundle must be what its tile says; where
/// one does not, it is computed anew from what lies below, and what does not fit is named. Memory does not grow with the ledger: at any time there are a few units of
/// 65,536 entries, each on a thread of its own.
/// </summary>
public static class LedgerCheck
{
    /// <summary>Name of the newest checkpoint's file, and the folder of all those before.</summary>
    public const string Newest = "checkpoint", Kept = "checkpoints", Details = "details";
    /// <summary>Beside the last head of a ledger that ended: the entry with which the one that follows says so, proven to be in that.</summary>
    public const string Ended = "ended.tlog-proof";
    /// <summary>More findings than this are counted, not listed.</summary>
    public const int MaxListed = 1000;

    /// <summary>Where the checkpoint of this size is kept in an export.</summary>
    public static string KeptPath(long size) => Kept + new TilePath(0, size, Tiles.Width).ToString()["tile/0".Length..];

    /// <summary>Where its time-stamp is.</summary>
    public static string StampPath(long size) => KeptPath(size) + CheckpointStamp.Ending;

    /// <param name="progress">Told the number of entries checked so far.</param>
    /// <param name="threads">How many units are worked on at once.</param>
    public static Findings Check(ILedgerFiles files, LedgerPins pins, IProgress<long>? progress = null, int threads = 2, CancellationToken cancel = default)
    {
        var findings = new Findings();
        var notes = new NoteCheck(pins);
        if (files.Read(Newest, SignedNote.MaxBytes) is not { } bytes)
        {
            findings.Incomplete(Newest, "file", FindingCode.Missing);
            return findings;
        }
        if (notes.Open(Newest, bytes, findings.Add) is not { } newest) return findings;
        findings.Good(Newest, "signature");
        if (pins.Shard is { } shard && shard != newest.Checkpoint.Origin) findings.Incomplete(Newest, "origin", FindingCode.Missing, $"of {newest.Checkpoint.Origin}, not of {shard}");
        if (notes.IsFormer(newest)) LastHead(files, notes, newest, findings);
        notes.Current = newest.Checkpoint.Origin;
        new LedgerRun(files, notes, newest, findings, progress, threads).All(cancel);
        return findings;
    }

    // That a ledger ended with this head only the one that follows can say; nobody is shown an old ledger for the newest unless he asked for it by its name.
    static void LastHead(ILedgerFiles files, NoteCheck notes, HeadNote newest, Findings findings)
    {
        const string check = "succession";
        var head = newest.Checkpoint;
        SuccessionDetail? admission = null;
        if (files.Read(Ended, SignedNote.MaxBytes) is { } bytes)
        {
            var holds = findings.Try(Ended, check, () =>
            {
                var proof = TlogProof.Parse(bytes);
                var later = notes.Open(Ended, System.Text.Encoding.UTF8.GetBytes(proof.Note), findings.Add)?.Checkpoint ?? throw new RefusedException(Refusal.Note, "no head of a ledger that is pinned");
                admission = Succession.Open(proof.Entry ?? throw new RefusedException(Refusal.Proof, "without the entry"), proof.Index, proof.Proof, later);
            });
            if (!holds) return;
        }
        if (admission?.Follows.FirstOrDefault(e => e.Origin == head.Origin) is not { } ended)
            findings.Incomplete(Newest, check, FindingCode.Missing, $"of {head.Origin}, which ended, and nothing here shows that it did so with this head");
        else if (head.Size > ended.Size || (head.Size == ended.Size && head.Root != ended.Root)) findings.Bad(Newest, check, Refusal.Fork, $"not a head with which {Succession.Told(admission, ended)}");
        else if (head.Size < ended.Size) findings.Incomplete(Newest, check, FindingCode.Missing, $"not the last head: {Succession.Told(admission, ended)}");
        else if (notes.Pins.Shard != head.Origin) findings.Incomplete(Newest, "origin", FindingCode.Missing, $"{Succession.Told(admission, ended)}; good for --shard {head.Origin} alone");
        else findings.Good(Newest, check, Succession.Told(admission, ended));
    }

    /// <summary>Tree alone, of files that are found by their paths.</summary>
    /// <param name="note">The checkpoint, as published.</param>
    /// <param name="read">Bytes of a tile or bundle by its path; null: not there.</param>
    public static Findings Check(ReadOnlySpan<byte> note, VerifierKey key, Func<TilePath, byte[]?> read) =>
        Check(new ByPath(note.ToArray(), read), new LedgerPins(key.Name, [key]), threads: 1);

    sealed class ByPath(byte[] note, Func<TilePath, byte[]?> read) : ILedgerFiles
    {
        public byte[]? Read(string path, int limit) => path == Newest ? note : TilePath.TryParse(path, out var tile) ? read(tile) : null;

        public IEnumerable<string> List(string folder) => [];
    }
}

/// <summary>Are two heads of one ledger two states of one tree? For who kept one and is shown the other.</summary>
public static class ConsistencyCheck
{
    const string TwoNames = "the newer ledger does not continue this head of the one that ended: audit fsck --known says whether it admits that";

    /// <param name="a">Name and bytes of one checkpoint's note, whichever is older.</param>
    /// <param name="prove">Proof between two sizes; null: there is none. Asked at most once.</param>
    public static Findings Check(EvidencePart a, EvidencePart b, LedgerPins pins, Func<long, long, IReadOnlyList<Digest>?> prove)
    {
        var findings = new Findings();
        var notes = new NoteCheck(pins);
        var (first, second) = (Open(a), Open(b));
        if (first is null || second is null) return findings;
        // A ledger that ended came first, however large it was.
        var isOrdered = notes.IsFormer(first) == notes.IsFormer(second) ? first.Checkpoint.Size <= second.Checkpoint.Size : notes.IsFormer(first);
        var (old, late) = isOrdered ? (first, second) : (second, first);
        var part = $"{old.Part} → {late.Part}";
        const string check = "consistency";
        var (m, n) = (old.Checkpoint, late.Checkpoint);
        var succeeds = m.Origin != n.Origin;
        if (succeeds && (m.Size > n.Size || (m.Size == n.Size && m.Root != n.Root)))
        {
            findings.Incomplete(part, check, FindingCode.Missing, TwoNames);
            return findings;
        }
        if (m.Size == n.Size || m.Size == 0)
        {
            findings.Judge(MerkleTree.VerifyConsistency(m.Size, m.Root, n.Size, n.Root, []), part, check, Refusal.Fork, "two roots of one size");
            return findings;
        }
        IReadOnlyList<Digest>? proof;
        try { proof = prove(m.Size, n.Size); }
        catch (RefusedException e) { findings.Bad(part, check, e.Refusal, e.Detail); return findings; }
        if (proof is null) findings.Incomplete(part, check, FindingCode.Missing, "no proof, and not the files to make one from");
        else if (succeeds && !MerkleTree.VerifyConsistency(m.Size, m.Root, n.Size, n.Root, proof)) findings.Incomplete(part, check, FindingCode.Missing, TwoNames);
        else findings.Judge(MerkleTree.VerifyConsistency(m.Size, m.Root, n.Size, n.Root, proof), part, check, Refusal.Fork, "the proof does not lead from one to the other");
        return findings;

        HeadNote? Open(EvidencePart part)
        {
            var head = notes.Open(part.Name, part.Bytes.Span, findings.Add);
            if (head is not null) findings.Good(part.Name, "signature");
            return head;
        }
    }

    /// <summary>Proof made from the tiles of an export that reaches at least to the newer size; null: tiles are missing.</summary>
    public static IReadOnlyList<Digest>? FromTiles(ILedgerFiles files, long from, long to)
    {
        try
        {
            return Tiles.ConsistencyProof(from, to, (level, index, width) =>
            {
                // The partial tile of that size, or a wider one, or the complete one.
                for (var w = width; w <= Tiles.Width; w++)
                    if (files.Read(new TilePath(level, index, w).ToString(), Tiles.Width * Digest.Size) is { } bytes) return bytes;
                throw new FileNotFoundException();
            });
        }
        catch (FileNotFoundException) { return null; }
    }
}
