using Exchange.Crypto;
using Exchange.Crypto.Ledger;

namespace Exchange.Office.Client;

/// <param name="Why">Of a fork.</param>
/// <param name="Admission">What the new ledger begins with; null: it shows nothing of the kind.</param>
/// <param name="Ended">The ledger that was followed until now, as the new one says; null: it does not name it.</param>
/// <param name="Proof">The admission with its proof and the head: a .tlog-proof, good for `exchange audit proof`.</param>
sealed record FollowedSuccession(SuccessionVerdict Verdict, string Why, SuccessionDetail? Admission, EndedLedger? Ended, TlogProof? Proof)
{
    /// <summary>A year ended as it should: nothing to be alarmed about.</summary>
    public bool IsYearsEnd => Verdict == SuccessionVerdict.Continues && Ended is not null && Succession.IsYearsEnd(Admission!, Ended.Origin);
}

/// <summary>From a head of a ledger that ended to one of the ledger that follows: nothing is believed without the entry that admits it, proven to be in the new ledger.</summary>
static class FollowSuccession
{
    /// <param name="kept">Verified, or what somebody signed that he saw; of another name than <paramref name="offered"/>.</param>
    /// <param name="offered">Verified, with a key of each pinned kind.</param>
    /// <param name="note">Of <paramref name="offered"/>.</param>
    /// <exception cref="RefusedException">The gateway could not be asked. Whatever it answers wrongly is a fork.</exception>
    public static async Task<FollowedSuccession> RunAsync(GatewayApi api, Checkpoint kept, Checkpoint offered, string note, CancellationToken cancel)
    {
        if (await api.SuccessionAsync(cancel).ConfigureAwait(false) is not { } begun) return Fork("it does not say what it follows");
        TlogProof proof;
        SuccessionDetail admission;
        try
        {
            var found = await api.InclusionAsync(begun.Entry.Leaf, offered.Size, cancel).ConfigureAwait(false);
            admission = Succession.Open(begun.Entry, found.Index, found.Proof, offered);
            proof = TlogProof.Of(begun.Entry, found.Index, found.Proof, note);
        }
        catch (RefusedException e) when (IsAnswer(e.Refusal)) { return Fork($"what it says that it follows is not in it ({e.Detail})"); }
        var continues = Succession.MayContinue(admission, kept) && await ContinuesAsync(api, kept, offered, cancel).ConfigureAwait(false);
        var (verdict, why) = Succession.Judge(admission, kept, continues);
        return new(verdict, why, admission, admission.Follows.FirstOrDefault(e => e.Origin == kept.Origin), proof);
    }

    // It was asked and said something: that it cannot be reached is no answer.
    static bool IsAnswer(Refusal refusal) => refusal == Refusal.NotFound || refusal == Refusal.Request || refusal == Refusal.Proof || refusal == Refusal.Json;

    static async Task<bool> ContinuesAsync(GatewayApi api, Checkpoint kept, Checkpoint offered, CancellationToken cancel)
    {
        try
        {
            var proof = await api.ConsistencyAsync(kept.Size, offered.Size, cancel).ConfigureAwait(false);
            return MerkleTree.VerifyConsistency(kept.Size, kept.Root, offered.Size, offered.Root, proof);
        }
        catch (RefusedException e) when (IsAnswer(e.Refusal)) { return false; }
    }

    static FollowedSuccession Fork(string why) => new(SuccessionVerdict.Fork, why, null, null, null);
}
