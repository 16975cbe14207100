using System.Globalization;
using System.Text;

namespace Exchange.Crypto.Ledger;

/// <summary>The newest checkpoint of one ledger that a witness cosigned: all it has to keep.</summary>
public sealed record WitnessHead(long Size, Digest Root)
{
    /// <summary>Of a ledger that was never cosigned.</summary>
    public static readonly WitnessHead Nothing = new(0, MerkleTree.EmptyRoot);
}

/// <summary>Answer to add-checkpoint, ready for HTTP.</summary>
/// <param name="Reason">For the operator's log; the body never holds it.</param>
public sealed record WitnessAnswer(int Status, string ContentType, string Body, string Reason)
{
    public const int Ok = 200, BadRequest = 400, Forbidden = 403, NotFound = 404, Conflict = 409, Unprocessable = 422;
    public const string TextType = "text/plain; charset=utf-8", SizeType = "text/x.tlog.size";
}

/// <summary>What to do with a request. Either an answer, or a head to keep and then to cosign: <see cref="Witness.Cosign"/>.</summary>
/// <param name="Answer">Null: it passed every check.</param>
/// <param name="Checkpoint">Verified; set once its signature held, also where the answer is a refusal: proof of what a ledger signed.</param>
/// <param name="Before">The head that the decision was made against: the store replaces this one and no other.</param>
public sealed record WitnessDecision(WitnessAnswer? Answer, Checkpoint? Checkpoint, WitnessHead Before)
{
    public WitnessHead? ToKeep => Answer is null ? new WitnessHead(Checkpoint!.Size, Checkpoint.Root) : null;
}

/// <summary>
/// C2SP tlog-witness, add-checkpoint, without a server: state in, request in, answer and new state out. The one rule a server must keep: replace Before by ToKeep,
/// atomically and durably, and only then call Cosign. A crash in between costs nothing: the same request is then answered by 409 with the new size, and asked again
/// from there it is cosigned. A cosignature that left before the state was durable could contradict the next one for ever.
/// </summary>
public static class Witness
{
    /// <param name="keysOf">Keys of the ledger of this origin; empty: not one that this witness watches.</param>
    /// <param name="newest">Newest head cosigned for this origin; <see cref="WitnessHead.Nothing"/> if none.</param>
    public static WitnessDecision Decide(ReadOnlySpan<byte> body, Func<string, IReadOnlyCollection<VerifierKey>> keysOf, Func<string, WitnessHead> newest)
    {
        Checkpoint claimed;
        if (!WitnessRequest.TryParse(body, out var request)) return No(WitnessAnswer.BadRequest, "not an add-checkpoint body");
        var note = Encoding.UTF8.GetBytes(request.Note);
        try { claimed = Checkpoint.Parse(SignedNote.Read(note).Text); }
        catch (RefusedException e) { return No(WitnessAnswer.BadRequest, e.Detail); }
        var keys = keysOf(claimed.Origin);
        if (keys.Count == 0) return No(WitnessAnswer.NotFound, "unknown origin");
        try { Checkpoint.Open(note, keys, claimed.Origin); }
        catch (RefusedException e) { return No(WitnessAnswer.Forbidden, e.Detail); }

        var before = newest(claimed.Origin);
        if (request.Old > claimed.Size) return No(WitnessAnswer.BadRequest, "the old size is greater than the new one", claimed, before);
        if (request.Old != before.Size)
        {
            var size = string.Create(CultureInfo.InvariantCulture, $"{before.Size}\n");
            return new WitnessDecision(new WitnessAnswer(WitnessAnswer.Conflict, WitnessAnswer.SizeType, size, "another old size"), claimed, before);
        }
        if (request.Old == claimed.Size && before.Root != claimed.Root) return No(WitnessAnswer.Conflict, "a second root of one size: a fork", claimed, before);
        return MerkleTree.VerifyConsistency(before.Size, before.Root, claimed.Size, claimed.Root, request.Proof)
            ? new WitnessDecision(null, claimed, before) : No(WitnessAnswer.Unprocessable, "the consistency proof does not hold", claimed, before);
    }

    /// <summary>The answer, once the head is durable.</summary>
    /// <param name="time">Seconds since 1970.</param>
    public static WitnessAnswer Cosign(WitnessDecision kept, IReadOnlyCollection<CosignerKey> keys, long time)
    {
        if (kept.Answer is not null) throw new ArgumentException("This request was refused.", nameof(kept));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(time);
        return new WitnessAnswer(WitnessAnswer.Ok, WitnessAnswer.TextType, string.Concat(keys.Select(k => k.SignLine(kept.Checkpoint!, time))), "cosigned");
    }

    static WitnessDecision No(int status, string reason, Checkpoint? checkpoint = null, WitnessHead? before = null) =>
        new(new WitnessAnswer(status, WitnessAnswer.TextType, "", reason), checkpoint, before ?? WitnessHead.Nothing);
}
