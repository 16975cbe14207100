using System.Globalization;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Operations;

/// <summary>Since when the newest checkpoints lack enough cosignatures, and what each witness said last. In memory: a fresh start asks again, and counts from then on.</summary>
sealed class PendingWitnesses(WitnessSet? set, Func<PublishedCheckpoint?> newest, TimeProvider clock)
{
    /// <summary>From which on an alarm says so.</summary>
    public static readonly TimeSpan Notice = TimeSpan.FromMinutes(10);
    readonly Lock gate = new();
    readonly Dictionary<string, (string Why, bool IsContradiction)> troubles = [];
    (PublishedCheckpoint Note, bool IsQuorum)? looked;
    DateTimeOffset? since;

    public void Look(DateTimeOffset now)
    {
        lock (gate)
        {
            if (set is null || newest() is not { } note) return;
            if (!ReferenceEquals(looked?.Note, note)) looked = (note, set.IsQuorum(note.Note));
            if (looked!.Value.IsQuorum) since = null;
            else since ??= now;
        }
    }

    /// <summary>A note got more lines. Heads of a busy ledger are there for seconds: each that reaches the quorum counts, also when there is a newer one by then.</summary>
    public void Kept(PublishedCheckpoint kept, DateTimeOffset now)
    {
        if (!set!.IsQuorum(kept.Note)) return;
        lock (gate) since = newest()?.Size == kept.Size ? null : now;
    }

    /// <param name="why">null: it cosigned.</param>
    public void Answered(WitnessPeer peer, string? why, bool isContradiction)
    {
        lock (gate)
        {
            if (why is null) troubles.Remove(peer.Name);
            else troubles[peer.Name] = (why, isContradiction);
        }
    }

    /// <summary>How long; zero: nothing is pending.</summary>
    public TimeSpan For
    {
        get { lock (gate) return since is { } from && clock.GetUtcNow() - from is { Ticks: > 0 } span ? span : TimeSpan.Zero; }
    }

    /// <summary>Witnesses whose line the newest checkpoint lacks.</summary>
    public int Missing => set is not null && newest() is { } note ? set.Peers.Count(p => !p.Signed(note.Note)) : 0;

    public IEnumerable<Alarm> Alarms()
    {
        lock (gate)
        {
            List<Alarm> alarms = [];
            if (troubles.Where(t => t.Value.IsContradiction).Select(t => $"{t.Key}: {t.Value.Why}").Order(StringComparer.Ordinal).ToArray() is { Length: > 0 } against) alarms.Add(new(AlarmCode.WitnessContradicts, null, string.Join("; ", against)));
            if (For is var span && span >= Notice)
                alarms.Add(new(AlarmCode.WitnessPending, null, string.Create(CultureInfo.InvariantCulture, $"for {(long)span.TotalMinutes} min{string.Concat(troubles.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => $"; {t.Key}: {t.Value.Why}"))}")));
            return alarms;
        }
    }
}
