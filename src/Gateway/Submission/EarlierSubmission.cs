using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Submission;

/// <summary>What a sender is answered who asks again: the answer of the first time, or what has become of it since.</summary>
static class EarlierSubmission
{
    /// <summary>As the other, of an envelope that nobody has checked yet: a sender's own receipts are his, however long ago keys and approvals have lapsed.</summary>
    /// <param name="claimed">Its header, as peeked.</param>
    /// <returns>null: nothing of this name came before, or not this. Used: something of this name did.</returns>
    public static (Submitted? Same, bool Used) FindSame(Source source, string sender, EnvelopeParts parts, PeekedHeader claimed)
    {
        if (claimed.Header.Sender != sender) return (null, false);
        var asked = (claimed.Ctx, Digest.Of(parts.Manifest.Span));
        try { return Find(source, sender, claimed.Header.Id, asked) is { } same ? (same, true) : (null, false); }
        catch (RefusedException e) when (e.Refusal == Refusal.SameId) { return (null, true); }
    }

    /// <param name="same">What must be the same under this identifier; null: whatever it is.</param>
    /// <returns>null: nothing of this name came before.</returns>
    /// <exception cref="RefusedException">SameId. PayloadErased: the same, of which nothing is kept but its name.</exception>
    /// <exception cref="RejectedException">It was held, and ended: the rejection of then.</exception>
    public static Submitted? Find(Source source, string sender, Guid envelope, (Digest Ctx, Digest ManifestDigest)? same)
    {
        if (DispatchTable.Find(source, sender, envelope) is { } dispatch)
        {
            Demand(same, (dispatch.Ctx, dispatch.ManifestDigest));
            return new Submitted.Before(envelope, ReceiptTable.Acceptance(source, sender, envelope)!.Der);
        }
        if (HeldTable.Find(source, sender, envelope) is not { } held) return null;
        Demand(same, (held.Ctx, held.ManifestDigest));
        var receipts = ReceiptTable.OfHeld(source, sender, held.Id);
        if (held.State == HeldState.Waiting) return new Submitted.Held(envelope, receipts.First(r => r.Event == ReceiptEvent.SubmissionHold).Der);
        throw new RejectedException(Refusal.All[held.Code], receipts.First(r => r.Event == ReceiptEvent.SubmissionRejection).Der);
    }

    static void Demand((Digest, Digest)? same, (Digest, Digest) found)
    {
        if (same is { } asked && asked != found) throw new RefusedException(Refusal.SameId);
    }
}
