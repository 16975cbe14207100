using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;

namespace Exchange.Gateway.Release;

/// <summary>What decisions need to know of this gateway itself: how sure its clock is, when it last looked for a newer directory, and what it may hold.</summary>
sealed class Circumstances
{
    /// <summary>By how much the clock may go wrong against the machine's own counter before its word counts no more; slow corrections (500 ppm) do not count.</summary>
    static readonly TimeSpan Step = TimeSpan.FromMinutes(1);
    readonly string? ceiling;
    readonly TimeProvider clock;
    readonly long began;
    readonly DateTimeOffset start;
    long looked;
    StoreCeiling? store;

    /// <param name="ceiling">Code of the highest level that may be held here; null: the lowest only.</param>
    public Circumstances(string? ceiling, TimeProvider clock)
    {
        (this.ceiling, this.clock, began, start) = (ceiling, clock, clock.GetTimestamp(), clock.GetUtcNow());
        // What is in force was read from the store just now.
        looked = start.ToUnixTimeMilliseconds();
    }

    /// <summary>The incoming folder was read to its end.</summary>
    public void Looked(DateTimeOffset now) => Interlocked.Exchange(ref looked, now.ToUnixTimeMilliseconds());

    /// <summary>Facts of now with what this gateway knows of itself.</summary>
    public DecisionFacts Complete(DecisionFacts facts, CompiledPolicy policy, DateTimeOffset now) => facts with
    {
        ClockSure = IsSure(now), DirectoryAsOf = LookedBy(now), StoreCeiling = CeilingIn(policy),
    };

    // A look that ends while a decision is being made is one of its time. What lies further ahead was looked at before the clock was set back, and counts as nothing.
    DateTimeOffset LookedBy(DateTimeOffset now)
    {
        var at = DateTimeOffset.FromUnixTimeMilliseconds(Interlocked.Read(ref looked));
        return at > now && at - now <= Step ? now : at;
    }

    /// <summary>False after a step in either direction while the gateway runs: nobody here can say which side of it is right, until an administrator has looked and started it again.</summary>
    public bool IsClockSure => IsSure(clock.GetUtcNow());

    bool IsSure(DateTimeOffset now)
    {
        var elapsed = clock.GetElapsedTime(began);
        return (now - start - elapsed).Duration() <= Step + elapsed / 2000;
    }

    sealed record StoreCeiling(CompiledPolicy Policy, Clearance? Clearance);

    Clearance? CeilingIn(CompiledPolicy policy)
    {
        if (store is { } known && known.Policy == policy) return known.Clearance;
        var fresh = new StoreCeiling(policy, Of(policy.Content));
        store = fresh;
        return fresh.Clearance;
    }

    // Every category: what is held here is sealed, and a ceiling is about the machine.
    Clearance? Of(PolicyStatement policy)
    {
        var highest = ceiling is null ? 0 : Array.FindIndex(policy.Levels, l => l.Code == ceiling);
        if (highest < 0) return null;
        return new Clearance
        {
            Policy = policy.Policy, Classes = [.. policy.Levels.Take(highest + 1).Select(l => l.Class).Order()],
            Categories = [.. policy.TagSets.Where(t => t.Type != "informative").OrderBy(t => t.Type, StringComparer.Ordinal).ThenBy(t => t.Tag, StringComparer.Ordinal)
                .Select(t => new Category { Type = t.Type, Tag = t.Tag, Values = [.. t.Values.Select(v => v.Value).Order()] })],
            ValidFrom = policy.NotBefore, ValidTo = policy.NotAfter,
        };
    }
}
