using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Release;

/// <summary>One office's copy with its dispatch.</summary>
/// <param name="AcceptedPolicy">Ref of the policy that decided then.</param>
/// <param name="Accepted">Facts of the decision at acceptance: what was verified then and cannot be again, because an approver may have changed his certificate since.</param>
sealed record FoundParcel(ParcelRow Row, DispatchRow Dispatch, Header Header, DecisionFacts Accepted, Digest AcceptedPolicy)
{
    public required LabelInForce Label { get; init; }
    /// <summary>Its sender has recalled or replaced it, or sends it again to another key: not a byte of it leaves any more. null: nothing of that.</summary>
    public required Refusal? StoppedFor { get; init; }

    public EndingParcel Ending => new()
    {
        Parcel = Row.Id, Dispatch = Row.Dispatch, Office = Row.Office, Key = Row.Key, Sender = Dispatch.Sender, Envelope = Dispatch.Envelope, Ctx = Dispatch.Ctx, ManifestDigest = Dispatch.ManifestDigest,
    };
}

/// <summary>The decision made again before any byte of a copy leaves, whichever way it leaves.</summary>
sealed class ReleaseParcel(Shared shared)
{
    readonly EarlierPolicies policies = new(shared);

    /// <summary>null: no such copy, or somebody else's.</summary>
    public FoundParcel? Find(string office, Guid parcel)
    {
        using var reader = shared.Engine.Reader();
        if (ParcelTable.Find(reader, office, parcel) is not { } row) return null;
        var dispatch = DispatchTable.ReadOfParcel(reader, office, parcel) ?? throw new InvalidOperationException("A parcel without its dispatch.");
        var accepted = DecisionTable.Find(reader, dispatch.Decision) is { } decision ? decision.Record : throw Gone();
        var header = Statement.Read(dispatch.Header, StatementType.Header).As<Header>();
        return new FoundParcel(row, dispatch, header, Decision.FactsOf(accepted) ?? throw Gone(), Decision.PolicyOf(accepted)) { Label = LabelInForce.Of(reader, dispatch.Id, header), StoppedFor = RecallTable.StoppedFor(reader, parcel) };
    }

    static RefusedException Gone() => new(Refusal.NotReleasable, "the decision record is gone");

    /// <summary>On the facts of now.</summary>
    /// <param name="action">"download", "release" or "retry".</param>
    /// <param name="session">Certificate that the office is signed in with; null: a channel carries it.</param>
    /// <param name="channel">Adapter by which it would go; null: the first of the office's that may carry it.</param>
    public Decision Decide(FoundParcel parcel, string action, Certificate? session = null, string? channel = null)
    {
        using var span = Spans.Start("release");
        var world = shared.Worlds.Current;
        var now = shared.Clock.GetUtcNow();
        var facts = shared.Circumstances.Complete(ReleaseFacts.OfCopy(action, session, parcel.Header, parcel.Label, parcel.Row.Office, parcel.Row.Key, parcel.Accepted, parcel.AcceptedPolicy, world, now, channel), world.Policy, now);
        // The stricter of both policies wins: the one that took it in is asked first, on the facts of now.
        if (parcel.AcceptedPolicy != world.Policy.Ref && policies.Find(parcel.AcceptedPolicy) is { } earlier)
            facts = facts with { Earlier = new EarlierFacts(earlier.Ref, Decision.UnderEarlier(facts, earlier, now)) };
        var decision = Decision.Decide(facts, world.Policy, now);
        span.Dispatch(parcel.Row.Dispatch);
        span.Verdict(decision.Verdict);
        return decision;
    }

    /// <summary>What ends a copy that may no longer be released, in a word that its sender may hear. That a key has gone from a card the directory tells every office.</summary>
    public Refusal EndedFor(FoundParcel parcel) => shared.Worlds.Current.Directory.IsRetired(parcel.Row.Office, parcel.Row.Key) ? Refusal.KeyRetired : Refusal.NotReleasable;

    /// <summary>The file form from its first byte. Reading changes nothing.</summary>
    /// <exception cref="RefusedException">PayloadErased.</exception>
    /// <param name="decision">Of <see cref="Decide"/>, just now.</param>
    public ParcelStream Open(FoundParcel parcel, Decision decision)
    {
        if (decision.Verdict != Verdict.Permit) throw new InvalidOperationException("Nothing is opened without a permit.");
        if (decision.Obligations is not { Keys: [var key] } || key != parcel.Row.Key) throw new InvalidOperationException("The permit is for another key.");
        var dispatch = parcel.Dispatch;
        if (dispatch.PayloadErasedAt is not null) throw new RefusedException(Refusal.PayloadErased);
        Stream? payload = dispatch switch
        {
            { PayloadBytes: null } => null,
            { Payload: { } inRow } => new MemoryStream(inRow, writable: false),
            _ => shared.Blobs.Open(dispatch.Id),
        };
        return new ParcelStream([dispatch.Header, dispatch.Approvals, dispatch.Manifest], payload);
    }
}
