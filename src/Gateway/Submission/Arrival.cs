using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Recalling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Submission;

/// <summary>An envelope whose outside holds in this World.</summary>
/// <param name="References">What its header refers to, as far as the sender may know it.</param>
sealed record Arrived(EnvelopeParts Parts, VerifiedEnvelope Envelope, World World, DateTimeOffset At, IReadOnlyList<ReferenceFacts> References)
{
    /// <summary>Approvals that came by themselves while it was held, as far as they hold in this World.</summary>
    public IReadOnlyList<VerifiedApproval> Later { get; init; } = [];
    /// <summary>What brings it; null: it was held, and nobody brings it now.</summary>
    public Session? Session { get; init; }
    /// <summary>Of an update: the label that its dispatch bears by now; null: the one that was signed.</summary>
    public LabelInForce? Relabelled { get; init; }
}

/// <summary>Checks without a key and the decision: pure functions of the parts, the World and the time, asked again whenever one of them has moved on.</summary>
sealed class Arrival(Shared shared)
{
    readonly (Worlds Worlds, IEngine Engine) store = (shared.Worlds, shared.Engine);
    readonly Options options = shared.Options;
    readonly TimeProvider clock = shared.Clock;
    public World Current => store.Worlds.Current;

    /// <summary>Everything that does not depend on how late it is.</summary>
    /// <param name="session">What brings it; null: it was held, and comes from the store.</param>
    /// <param name="claimed">The header of these parts, where somebody has peeked at it already.</param>
    public Arrived Check(string office, EnvelopeParts parts, Session? session, Header? claimed = null)
    {
        using var span = Spans.Start("check");
        var (world, now) = (store.Worlds.Current, clock.GetUtcNow());

        // Cheap questions of whether this is for us at all. The header is not verified yet; Verify below reads the same bytes.
        claimed ??= EnvelopeFile.PeekUnverified(parts.Header);
        if (claimed.Sender != office) throw new RefusedException(Refusal.SenderNotYou);
        // What was held under a former name of this ledger was promised to be decided; nothing new comes under it.
        if (claimed.Gateway != options.Origin && !(session is null && options.Follows(claimed.Gateway))) throw new RefusedException(Refusal.OtherGateway);

        var envelope = Envelope.Verify(parts, new EnvelopeContext(world.Directory, world.Trust, now));
        var header = envelope.Header;
        DemandRecalls(header, world);
        return new Arrived(parts, envelope, world, now, References(office, header.References)) { Session = session, Relabelled = Relabelled(header) };
    }

    /// <summary>As <see cref="Check"/>, for one that was held: with what persons said since. Who left the card, lost the certificate or whose word has lapsed does not count.</summary>
    public Arrived Check(string office, EnvelopeParts parts, IReadOnlyList<HeldApprovalRow> said)
    {
        var arrived = Check(office, parts, session: null);
        var context = new EnvelopeContext(arrived.World.Directory, arrived.World.Trust, arrived.At);
        return arrived with { Later = [.. said.Select(a => Verified(a.Der)).OfType<VerifiedApproval>()] };

        VerifiedApproval? Verified(byte[] der)
        {
            try { return Envelope.VerifyApproval(der, arrived.Envelope.Header, context); }
            catch (RefusedException) { return null; }
        }
    }

    /// <summary>A header that has just come was signed about now. A repeat is answered before this is asked, and a payload may follow hours later.</summary>
    public void DemandFresh(Arrived arrived)
    {
        if ((arrived.Envelope.SigningTime - arrived.At).Duration() > TimeSpan.FromSeconds(options.Limits.ClockSkewSeconds)) throw new RefusedException(Refusal.ClockSkew);
        DemandInTime(arrived);
    }

    /// <summary>Not past the time until which it may be accepted.</summary>
    public static void DemandInTime(Arrived arrived)
    {
        if (arrived.Envelope.Header.Times.Expires <= arrived.At.ToUnixTimeMilliseconds()) throw new RefusedException(Refusal.Expired);
    }

    /// <summary>It may ask back what it asks back, and has not been taken back itself before it came.</summary>
    void DemandRecalls(Header header, World world)
    {
        using var reader = store.Engine.Reader();
        RecallTarget.Read(reader, header, world.Directory);
        if (RecallTable.IsRecalled(reader, header.Sender, header.Id)) throw new RefusedException(Refusal.Recalled, "before it came");
    }

    IReadOnlyList<ReferenceFacts> References(string office, Reference[] references)
    {
        if (references.Length == 0) return [];
        using var reader = store.Engine.Reader();
        // A recall carries nothing of what it asks back, and an update is no other than what it refers to.
        return [.. references.Where(r => r.Relation is not ("recall" or "update")).Select(r => DispatchTable.HeaderOf(reader, office, r.Ref) is { } found && Statement.Read(found.Header, StatementType.Header).As<Header>() is var known
            ? new ReferenceFacts(r.Relation, r.Ref, LabelInForce.Of(reader, found.Id, known).Label, known.Sender, null) : new ReferenceFacts(r.Relation, r.Ref, null, null, null))];
    }

    LabelInForce? Relabelled(Header header)
    {
        if (header is not { Kind: "update", Target: { } target }) return null;
        using var reader = store.Engine.Reader();
        return DispatchTable.Find(reader, header.Sender, target.Id) is { } original && LabelTable.InForce(reader, original.Id) is not null ? LabelInForce.Of(reader, original.Id, header) : null;
    }

    public Decision Decide(Arrived arrived)
    {
        using var span = Spans.Start("decide");
        var decision = Decided(arrived, ReleaseFacts.OfSubmission(arrived.Envelope, arrived.Session, arrived.World, arrived.At, arrived.References, arrived.Later));
        // What could not leave under the label in force is not taken in either: no office hears of a copy that it may not have.
        if (decision.Verdict != Verdict.Deny && arrived.Relabelled is { } label && Decided(arrived, ReleaseFacts.OfUpdate(arrived.Envelope, label, arrived.World, arrived.At)) is { Verdict: Verdict.Deny, IsPassing: false } no) decision = no;
        span.Verdict(decision.Verdict);
        return decision;
    }

    Decision Decided(Arrived arrived, DecisionFacts facts) => Decision.Decide(shared.Circumstances.Complete(facts, arrived.World.Policy, arrived.At), arrived.World.Policy, arrived.At);
}
