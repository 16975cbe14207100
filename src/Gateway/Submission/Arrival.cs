using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Policy;

namespace Exchange.Gateway.Submission;

/// <summary>An envelope whose outside holds in this World.</summary>
sealed record Arrived(EnvelopeParts Parts, VerifiedEnvelope Envelope, World World, DateTimeOffset At);

/// <summary>Checks without a key and the decision: pure functions of the parts, the World and the time, asked again whenever one of them has moved on.</summary>
sealed class Arrival(Worlds worlds, Options options, TimeProvider clock)
{
    public World Current => worlds.Current;

    /// <param name="arriving">True when the header has just come: only then does its signing time have to be about now. A payload may follow hours later.</param>
    public Arrived Check(string office, EnvelopeParts parts, bool arriving)
    {
        var (world, now) = (worlds.Current, clock.GetUtcNow());

        // Cheap questions of whether this is for us at all. The header is not verified yet; Verify below reads the same bytes.
        var claimed = EnvelopeFile.PeekUnverified(parts.Header);
        if (claimed.Sender != office) throw new RefusedException(Refusal.SenderNotYou);
        if (claimed.Gateway != options.Origin) throw new RefusedException(Refusal.OtherGateway);

        var envelope = Envelope.Verify(parts, new EnvelopeContext(world.Directory, world.Trust, now));
        var header = envelope.Header;
        if (header.Kind != "new") throw new RefusedException(Refusal.Kind, "only new dispatches are taken in");
        if (arriving && (envelope.SigningTime - now).Duration() > TimeSpan.FromSeconds(options.Limits.ClockSkewSeconds)) throw new RefusedException(Refusal.ClockSkew);
        if (header.Times.Expires <= now.ToUnixTimeMilliseconds()) throw new RefusedException(Refusal.Expired);
        return new Arrived(parts, envelope, world, now);
    }

    public static Decision Decide(Arrived arrived) => Decision.Decide(ReleaseFacts.OfSubmission(arrived.Envelope, arrived.World), arrived.World.Policy, arrived.At);
}
