using System.Globalization;

namespace Exchange.Crypto.Ledger;

/// <summary>A ledger that signs no more, as the one that follows it says.</summary>
/// <param name="Origin">Its name.</param>
/// <param name="Size">Entries of the newest head that it may have signed.</param>
/// <param name="Root">Of that head.</param>
/// <param name="Common">Entries of the newest head of it that is a beginning of the ledger that follows. What was promised from there to <paramref name="Size"/> is lost, as far as it is not in the new tree.</param>
/// <param name="Since">Time of the last entry of that beginning, Unix milliseconds; 0: there is none. What was promised earlier is not lost.</param>
public sealed record EndedLedger(string Origin, long Size, Digest Root, long Common, long Since)
{
    /// <summary>Not all that was signed is in the new ledger.</summary>
    public bool HasGap => Common < Size;
}

/// <summary>What a head of an ended ledger is to the one that follows.</summary>
public enum SuccessionVerdict
{
    /// <summary>The new ledger continues it.</summary>
    Continues,
    /// <summary>It lies in the range that the new ledger admits to have lost.</summary>
    AdmittedLost,
    /// <summary>Neither: the new ledger hides what was signed.</summary>
    Fork,
}

/// <summary>
/// How a ledger is gone on with under a new name. Its tree stays: entries that the store has keep their places, and the first entry under the new name (<see cref="SuccessionDetail"/>) says which ledgers ended
/// with which heads. So whoever kept a head of the old name asks for one consistency proof, as ever, and only what was lost has to be admitted. Pure: who asks for proofs is the caller.
/// </summary>
public static class Succession
{
    /// <summary>Code of a ledger that was ended on purpose, whole, with its newest head: what it logged is a shard. No other end may be called so.</summary>
    public const string Year = "YEAR";

    /// <summary>What no such entry may say.</summary>
    /// <param name="index">Where it stands.</param>
    /// <returns>null: nothing of it.</returns>
    public static string? Fault(SuccessionDetail entry, long index) =>
        entry.Had != index ? "does not stand behind all that the store had"
        : entry.Follows.Length == 0 || entry.Follows.Contains(null) ? "follows no ledger"
        : entry.Follows.Select(e => e.Origin).Append(entry.Origin).Distinct().Count() != entry.Follows.Length + 1 ? "names one ledger twice"
        : entry.Follows.Any(e => e.Size < 1 || e.Common < 0 || e.Common > e.Size || e.Common > entry.Had || e.Since < 0) ? "sizes that no ledger can have"
        : entry.Code == Year && (entry.Follows[0].Size != index || entry.Follows[0].HasGap) ? "calls itself the end of a year, and the last head of that year is not all that stands before it"
        : !Statements.OperationStatement.IsCode(entry.Code) ? "code" : null;

    /// <summary>The year of the ledger of this name ended, or several did one after another, and nothing of it or of those in between is lost.</summary>
    public static bool IsYearsEnd(SuccessionDetail entry, string origin) =>
        entry.Code == Year && entry.Follows.TakeWhile(e => e.Origin != origin).All(e => !e.HasGap) && entry.Follows.Any(e => e.Origin == origin && !e.HasGap);

    /// <summary>In one line, for people.</summary>
    public static string Told(SuccessionDetail entry, EndedLedger ended) => string.Create(CultureInfo.InvariantCulture,
        $"{ended.Origin} ended at {ended.Size} entries, {entry.Origin} follows it ({entry.Code}){(ended.HasGap ? $"; entries {ended.Common} to {ended.Size - 1} are admitted to be lost as far as they are not in the new ledger" : "")}");

    /// <summary>The entry, when it is what the ledger of this head begins with under its name.</summary>
    /// <param name="head">Verified.</param>
    /// <param name="proof">From the entry's leaf to the head.</param>
    /// <exception cref="RefusedException"><see cref="Refusal.Proof"/>; <see cref="Refusal.Json"/>: not such an entry.</exception>
    public static SuccessionDetail Open(LedgerEntry entry, long index, IReadOnlyList<Digest> proof, Checkpoint head)
    {
        if (!MerkleTree.VerifyInclusion(entry.Leaf, index, head.Size, proof, head.Root)) throw new RefusedException(Refusal.Proof, "succession");
        if (EntryDetails.Read(entry.Detail) is not SuccessionDetail found || found.Origin != head.Origin) throw new RefusedException(Refusal.Json, "not the entry with which this ledger begins");
        return Fault(found, index) is { } fault ? throw new RefusedException(Refusal.Json, $"succession: {fault}") : found;
    }

    /// <summary>Whether a proof has to be asked for before <see cref="Judge"/>: the store had as many entries as this head.</summary>
    public static bool MayContinue(SuccessionDetail entry, Checkpoint kept) => kept.Size > 0 && kept.Size <= entry.Had && entry.Follows.Any(e => e.Origin == kept.Origin);

    /// <summary>Judges a head that somebody kept of a ledger that ended.</summary>
    /// <param name="kept">Verified, or what somebody signed that he saw.</param>
    /// <param name="continues">A proof leads from it to the new ledger.</param>
    /// <returns>And why, for a fork.</returns>
    public static (SuccessionVerdict Verdict, string Why) Judge(SuccessionDetail entry, Checkpoint kept, bool continues)
    {
        if (entry.Follows.FirstOrDefault(e => e.Origin == kept.Origin) is not { } ended) return (SuccessionVerdict.Fork, "the ledger that follows does not name it");
        if (kept.Size == 0 || (continues && kept.Size <= entry.Had)) return (SuccessionVerdict.Continues, "");
        if (kept.Size <= ended.Common) return (SuccessionVerdict.Fork, "the ledger that follows says that it continues this head, and does not");
        if (kept.Size > ended.Size) return (SuccessionVerdict.Fork, "it signed more than the ledger that follows admits");
        // Of a smaller one the admission does not say the root: it admits that whatever stood there is gone.
        return kept.Size == ended.Size && kept.Root != ended.Root ? (SuccessionVerdict.Fork, "its last head is another than the ledger that follows says") : (SuccessionVerdict.AdmittedLost, "");
    }
}
