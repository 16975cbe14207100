using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;

namespace Exchange.Office.Client;

/// <summary>An entry that is in the ledger: its leaf comes from salt and detail, and a proof leads from it to a head that a pinned key signed.</summary>
/// <param name="Detail">JSON as it was logged; null: erased, and only its place is proven.</param>
sealed record ProvenEntry(long Index, long Time, string Kind, int? Level, Digest Leaf, string? Detail)
{
    /// <summary>For a file of its own, which needs nothing beside it but the leaf when the entry was erased.</summary>
    [JsonIgnore] public required TlogProof Proof { get; init; }
}

/// <summary>Asks for entries page by page and believes none of them.</summary>
sealed class AuditSearch(AuditApi api, LedgerPins pins)
{
    const int PageSize = 200;

    /// <param name="filter">"name=value", escaped; without at, after, limit and proofs.</param>
    /// <param name="most">Ends after so many.</param>
    /// <returns>In the order of the ledger, all of the tree of one size, and that head.</returns>
    /// <exception cref="RefusedException"><see cref="Refusal.Proof"/>, <see cref="Refusal.Note"/>: something is not as the gateway says; the gateway's refusals.</exception>
    public async IAsyncEnumerable<ProvenEntry> FindAsync(IReadOnlyList<string> filter, int most, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        Checkpoint? head = null;
        var note = "";
        long last = -1;
        for (string? next = null; ;)
        {
            List<string> asked = [.. filter, $"limit={Math.Min(most, PageSize)}", "proofs=true"];
            if (head is not null) asked.Add(string.Create(CultureInfo.InvariantCulture, $"at={head.Size}"));
            if (next is not null) asked.Add($"after={next}");
            var page = await api.EntriesAsync(asked, cancel).ConfigureAwait(false);
            if (head is null)
            {
                var bytes = await api.CheckpointAsync(page.At, cancel).ConfigureAwait(false);
                (head, note) = (Checkpoint.OpenBoth(bytes, pins.Keys, pins.Origin), Encoding.UTF8.GetString(bytes));
            }
            if (page.At != head.Size) throw new RefusedException(Refusal.Note, "a head of another size");
            foreach (var entry in page.Entries)
            {
                if (entry.Index <= last) throw new RefusedException(Refusal.Proof, "entries out of order");
                last = entry.Index;
                yield return Prove(entry, head, note);
                if (--most == 0) yield break;
            }
            // A page may be short and yet not the last: few fitted among those that were looked at.
            if ((next = page.Next) is null) yield break;
        }
    }

    static ProvenEntry Prove(AuditEntry entry, Checkpoint head, string note)
    {
        var at = string.Create(CultureInfo.InvariantCulture, $"entry {entry.Index}");
        if (entry is { Salt: { } salt, Detail: { } detail })
        {
            if (salt.Length != LedgerEntry.SaltSize || new LedgerEntry(salt, detail).Leaf != entry.Leaf) throw new RefusedException(Refusal.Proof, $"{at}: salt and detail give another leaf");
            if (EntryDetails.Read(detail) is var read && (read.EntryKind.Name() != entry.Kind)) throw new RefusedException(Refusal.Proof, $"{at}: of another kind");
        }
        else if (entry.Erased is null) throw new RefusedException(Refusal.Proof, $"{at}: neither shown nor erased");
        if (entry.Proof is not { } proof || !MerkleTree.VerifyInclusion(entry.Leaf, entry.Index, head.Size, proof, head.Root)) throw new RefusedException(Refusal.Proof, $"{at}: its proof does not hold");
        return new(entry.Index, entry.Time, entry.Kind, entry.Level, entry.Leaf, entry.Detail is null ? null : Encoding.UTF8.GetString(entry.Detail))
        {
            Proof = entry is { Salt: { } its, Detail: { } says } ? TlogProof.Of(new LedgerEntry(its, says), entry.Index, proof, note) : new TlogProof(null, entry.Index, proof, note),
        };
    }
}
