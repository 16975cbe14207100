using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Journaling;

/// <summary>A signed head as published: size and root of the tree, and the signed note (C2SP tlog-checkpoint).</summary>
internal sealed record PublishedCheckpoint(long Size, Digest Root, string Note);

/// <summary>What was signed, without the note: of all that a gateway ever signed there are too many to hold with their signatures.</summary>
internal sealed record SignedHead(long Size, Digest Root);

/// <summary>Signs the head of the ledger now and then, and never two that contradict each other.</summary>
internal sealed class Checkpoints
{
    readonly IEngine engine;
    readonly Guard guard;
    readonly LedgerKeys keys;
    readonly TimeSpan interval;
    readonly Action<Exception> stop;
    readonly Lock gate = new();
    (long Size, Digest Root) swapped;
    DateTimeOffset next = DateTimeOffset.MinValue;
    DateTimeOffset? signedAt;
    volatile PublishedCheckpoint? newest;

    Checkpoints(IEngine engine, Guard guard, LedgerKeys keys, TimeSpan interval, Action<Exception> stop)
    {
        this.engine = engine;
        this.guard = guard;
        this.keys = keys;
        this.interval = interval;
        this.stop = stop;
        swapped = guard.Head;
    }

    /// <summary>Between two heads at least.</summary>
    public TimeSpan Interval => interval;

    /// <summary>null: none yet.</summary>
    public PublishedCheckpoint? Newest => newest;

    /// <summary>When <see cref="Step"/> signed the last; null: not in this run.</summary>
    public DateTimeOffset? SignedAt
    {
        get { lock (gate) return signedAt; }
    }

    /// <summary>Checks that the store is the ledger that the guard knows, and takes up where the last run stopped.</summary>
    /// <param name="keys">One of them signed the newest kept note, and no kind of signature that it has is missing.</param>
    /// <param name="interval">Between two checkpoints while the ledger grows.</param>
    /// <param name="stop">What ends the process when the guard fails or contradicts.</param>
    /// <exception cref="CannotStartException">The store is behind the guard or differs from it, or the keys do not follow.</exception>
    public static Checkpoints Open(IEngine engine, Guard guard, LedgerKeys keys, TimeSpan interval, Action<Exception> stop)
    {
        if (keys.Origin != guard.Origin) throw new CannotStartException($"The checkpoint key is of {keys.Origin}, the guard of {guard.Origin}.");
        var checkpoints = new Checkpoints(engine, guard, keys, interval, stop);
        DemandContinues(engine, guard);
        if (guard.NewestNote is { } kept && LedgerKeys.WhyNotAfter(kept.Note, keys.VerifierKeys) is { } why)
            throw new CannotStartException($"These checkpoint keys cannot follow those of the run before: {why}. Put the keys back that gateway.json named, then change them with: exchange-gateway checkpoint-key.");
        // Died between swap and publication: the same function signs the same head. A note that was kept stays as it was published, by whichever keys, with whatever was added.
        if (checkpoints.swapped.Size > 0) checkpoints.Publish(checkpoints.swapped);
        return checkpoints;
    }

    /// <summary>Publishes a checkpoint when one is due and the ledger has grown since the last. True: it did.</summary>
    /// <param name="force">Due or not: at a clean stop.</param>
    /// <exception cref="IoFailure">The guard failed or has another head: somebody else signs for this ledger. The process is being stopped.</exception>
    public bool Step(DateTimeOffset now, bool force = false)
    {
        lock (gate)
        {
            if (!Due(now) && !force) return false;
            // 1. Committed rows only: what is signed is durable already.
            LedgerHead head;
            using (var reader = engine.Reader()) head = HeadTable.Read(reader);
            if (head.Size == swapped.Size) return false;
            Advance((head.Size, head.Root), now);
            next = now + interval;
            return true;
        }
    }

    /// <summary>Whether one may be published now.</summary>
    public bool IsDue(DateTimeOffset now)
    {
        lock (gate) return Due(now);
    }

    // Set back by more than the pause, the clock must not keep heads from being signed.
    bool Due(DateTimeOffset now) => now >= next || next - now > interval;

    /// <summary>Entries that the newest head has; 0: there is none.</summary>
    public long Signed
    {
        get { lock (gate) return swapped.Size; }
    }

    /// <summary>Publishes the head of exactly this size, though the ledger may have grown beyond it, and is due again one interval after it was due: a beat. True: it did; false: one of this size or a larger is published.</summary>
    /// <param name="size">Entries that are durable.</param>
    /// <exception cref="IoFailure">As <see cref="Step"/>.</exception>
    public bool StepTo(DateTimeOffset now, long size)
    {
        lock (gate)
        {
            if (size <= swapped.Size) return false;
            Digest root;
            using (var reader = engine.Reader()) root = Tiles.Root(size, TileTable.ReaderOf(reader));
            Advance((size, root), now);
            // A step that came late moves no beat after it, unless it missed one.
            next = next > now - interval && next <= now ? next + interval : now + interval;
            return true;
        }
    }

    void Advance((long Size, Digest Root) head, DateTimeOffset now)
    {
        using var span = Spans.Start("checkpoint");
        try
        {
            // 2. A crash after the swap: the next start signs exactly this head. Before: nothing happened.
            if (!guard.CompareAndSwap(swapped, head))
                throw new IoFailure($"The guard holds a head that this gateway did not put there: another gateway signs for {guard.Origin}, or the store was swapped while it ran.");
            swapped = head;
            // 3. Sign, keep, publish.
            Publish(head);
            signedAt = now;
        }
        catch (IoFailure e)
        {
            stop(e);
            throw;
        }
    }

    void Publish((long Size, Digest Root) head)
    {
        newest = guard.Keep(new PublishedCheckpoint(head.Size, head.Root, keys.Sign(new Checkpoint(guard.Origin, head.Size, head.Root))));
    }

    /// <summary>Adds cosignatures to the kept note of a head, and shows it so; durable on return. A key that is there already is passed over: again is harmless. A crash before it loses lines that their witness gives again.</summary>
    /// <param name="lines">Verified over this head.</param>
    /// <returns>What is kept now.</returns>
    /// <exception cref="IoFailure">The guard failed. The process is being stopped.</exception>
    /// <exception cref="StoreFull">There is no room for them.</exception>
    public PublishedCheckpoint Add(PublishedCheckpoint head, IReadOnlyList<NoteSignature> lines)
    {
        return Guarded(g =>
        {
            var kept = g.Add(head, lines);
            if (newest?.Size == kept.Size) newest = kept;
            return kept;
        });
    }

    /// <summary>Size that this witness was last known to have; 0: nothing is known of it. A hint: the witness itself corrects it.</summary>
    public long WitnessHas(string place) => Guarded(g => g.WitnessHas(place));

    /// <summary>Remembers it.</summary>
    /// <exception cref="IoFailure">The guard failed. The process is being stopped.</exception>
    public void WitnessHas(string place, long size) => Guarded(g => g.WitnessHas(place, size));

    /// <summary>What is kept beside the heads; one caller at a time has the guard.</summary>
    /// <exception cref="IoFailure">The guard failed. The process is being stopped.</exception>
    internal T Guarded<T>(Func<Guard, T> use)
    {
        lock (gate)
        {
            try { return use(guard); }
            catch (IoFailure e)
            {
                stop(e);
                throw;
            }
        }
    }

    /// <summary>That the store is the ledger that the guard knows, at least as far.</summary>
    /// <exception cref="CannotStartException">It is behind, or another.</exception>
    public static void DemandContinues(IEngine engine, Guard guard) => DemandContinues(engine, guard.Origin, guard.Head);

    /// <summary>As the other, for any head that was signed.</summary>
    public static void DemandContinues(IEngine engine, string origin, (long Size, Digest Root) signed)
    {
        const string remedy = "Do not delete the guard. Put the newer store back; if it is lost for good, the only way on is a new origin whose first entry admits the gap: exchange-gateway new-origin (docs/operations.md, \"The guard refuses\").";
        using var reader = engine.Reader();
        if (HeadTable.Read(reader) is var head && head.Size < signed.Size)
            throw new CannotStartException($"The store has {head.Size} entries, but a checkpoint over {signed.Size} was signed for {origin}: it was restored from an older copy. {remedy}");
        Digest root;
        try { root = Tiles.Root(signed.Size, TileTable.ReaderOf(reader)); }
        catch (RefusedException e) { throw new CannotStartException($"The ledger's tree of size {signed.Size} is not whole ({e.Detail}). Run: exchange-gateway check. {remedy}", e); }
        if (root != signed.Root)
            throw new CannotStartException($"The store is not the ledger that {origin} signed at size {signed.Size}: it continues another copy. {remedy}");
    }
}
