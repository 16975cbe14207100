using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Mailbox;

/// <summary>A copy ready to be sent out.</summary>
sealed record Download(Digest Ctx, long ReceivedAt, ParcelStream Content);

/// <summary>GET /mailbox/{parcel}: the decision again, then bytes.</summary>
sealed class DownloadParcel(ReleaseParcel release, EndParcel end, HandedOut handedOut, TimeProvider clock)
{
    /// <exception cref="RefusedException">NotFound: no such copy, or somebody else's. NotReleasable, KeyRetired, Expired, Recalled, Resent: it ended undelivered.</exception>
    /// <param name="session">Certificate that the office is signed in with.</param>
    public async Task<Download> Open(string office, Certificate session, Guid parcel)
    {
        // 1. Only one's own copies are visible at all. That it is about to be read is known before its state is: a recall comes either before, or after.
        handedOut.Begin(parcel);
        FoundParcel? copy;
        try { copy = release.Find(office, parcel); }
        catch (RefusedException)
        {
            handedOut.Forget(parcel);
            throw;
        }
        if (copy is not { Row.State: ParcelState.Available }) handedOut.Forget(parcel);
        if (copy is null) throw new RefusedException(Refusal.NotFound);
        if (copy.Row.State == ParcelState.Recalled || (copy.Row.State == ParcelState.Available && copy.StoppedFor is not null)) throw new RefusedException(copy.StoppedFor ?? Refusal.Recalled);
        if (copy.Row.State == ParcelState.Queued) throw new RefusedException(Refusal.Busy, "a channel carries it");
        if (copy.Row.State is not (ParcelState.Available or ParcelState.Delivered)) throw new RefusedException(copy.Row.State == ParcelState.Expired ? Refusal.Expired : release.EndedFor(copy));

        // 2. Decide again, on the facts of now, for each range anew: a clearance may have gone since the last one.
        if (copy.Header.Times.NotBefore > clock.GetUtcNow().ToUnixTimeMilliseconds()) throw new RefusedException(Refusal.NotYet);
        var decision = release.Decide(copy, "download", session, Channels.Mailbox);
        // Our own state, not the copy's: nothing ends on it, and asking again helps.
        if (decision.IsPassing || decision.IsHeldByGateway) throw new RefusedException(Refusal.Busy, "this gateway cannot decide now");
        if (decision.Verdict != Verdict.Permit)
        {
            // What only this session may not carry, another one may: nothing ends on it.
            if (release.Decide(copy, "download", null, Channels.Mailbox) is { Verdict: not Verdict.Deny }) throw new RefusedException(Refusal.NotReleasable, "not in this session");
            // 3. Denied: the copy ends here, with a receipt to the sender. A crash before that commit: the next request decides the same.
            var reason = decision.Verdict == Verdict.Deny ? release.EndedFor(copy) : Refusal.NotReleasable;
            if (copy.Row.State == ParcelState.Available && decision.Verdict == Verdict.Deny) await end.End(copy.Ending, ParcelState.Refused, reason, DecisionRow.Of(decision.Record));
            throw new RefusedException(reason);
        }

        // 4. Bytes. Only the office's own receipt makes a copy delivered.
        return new Download(copy.Dispatch.Ctx, copy.Dispatch.ReceivedAt, release.Open(copy, decision));
    }
}
