using System.Security.Cryptography;
using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Relabelling;

/// <summary>
/// What time does to labels: a change for which nobody came in time ends, a signed succession takes its turn, a term that is over ends protection. The last two are decided like any other
/// change (R15): not before their time, not while the clock is unsure, not while an extension or stop lies on it. Whatever is not permitted now is looked at again.
/// </summary>
sealed class EndLabels(FileChange file, Shared shared)
{
    const int AtOnce = 100;
    /// <summary>Law counts years from a day: what is near enough is looked at, and R15 says to the millisecond whether it is over.</summary>
    static readonly TimeSpan Near = TimeSpan.FromDays(2);
    Guid lastSuccession;
    readonly Dictionary<int, Guid> lastTerm = [];

    public async Task Step(DateTimeOffset now)
    {
        var (time, policy) = (now.ToUnixTimeMilliseconds(), shared.Worlds.Current.Policy);
        foreach (var due in Find(reader => LabelTable.InVain(reader, time, AtOnce))) await InVain(due, now);

        var succeeding = Find(reader => LabelTable.Succeeding(reader, lastSuccession, time, AtOnce));
        foreach (var due in succeeding) await Succeed(due);
        lastSuccession = Next(succeeding);

        // From the lowest level, which has nothing to end, up.
        foreach (var level in policy.Content.Levels.Skip(1))
        {
            var years = level.Handling.Terms.Select(t => (int?)t.Years).Min();
            var law = years is { } least ? (now.AddYears(-least) + Near).ToUnixTimeMilliseconds() : long.MinValue;
            var ending = Find(reader => LabelTable.Ending(reader, level.Class, lastTerm.GetValueOrDefault(level.Class), time, law, AtOnce));
            foreach (var due in ending) await EndTerm(due);
            lastTerm[level.Class] = Next(ending);
        }
    }

    /// <summary>Nobody came in time, or another label is in force by now.</summary>
    async Task InVain(LabelDue due, DateTimeOffset now)
    {
        var (standing, row) = Read(due);
        if (row is not { State: LabelState.Waiting }) return;
        var code = row.Previous != standing.Previous ? Refusal.LabelPrevious.Code : Refusal.HoldExpired.Code;
        if (code == Refusal.HoldExpired.Code && row.WaitsUntil > now.ToUnixTimeMilliseconds()) return;
        await file.Commit(new(standing, LabelChange.Read(row.Change), row with { State = LabelState.Ended, Code = code, WaitsUntil = null }, shared.Worlds.Current, "deny", code, ReleaseFacts.ByPerson, null));
    }

    /// <summary>What persons signed for this time.</summary>
    async Task Succeed(LabelDue due)
    {
        var (standing, row) = Read(due);
        if (row is not { State: LabelState.Accepted, N: null } || row.Previous != standing.Previous) return;
        var change = LabelChange.Read(row.Change);
        // One person signed it as a raise. Under a policy that has turned the order of levels round since, it would lower the label by his word alone.
        if (row.Words < 2 && !Lattice.Dominates(shared.Worlds.Current.Policy, change.Label!, standing.InForce)) return;
        await Decide(standing, change, ReleaseFacts.BySuccession, (record, time) => row with { N = standing.NextPlace, InForceAt = time });
    }

    /// <summary>Back to the lowest level. Nobody signs it: the label or the law said so all along.</summary>
    async Task EndTerm(LabelDue due)
    {
        var (standing, _) = Read(due);
        var (policy, now) = (shared.Worlds.Current.Policy, shared.Clock.GetUtcNow());
        var change = new LabelChange
        {
            Salt = RandomNumberGenerator.GetBytes(32), Sender = standing.Dispatch.Sender, Id = standing.Dispatch.Envelope, Ctx = standing.Dispatch.Ctx, Previous = standing.Previous, Act = LabelAct.Term,
            Label = policy.NewLabel(policy.Content.Levels[0].Code), At = now.ToUnixTimeMilliseconds(), Until = null, Reason = null,
        };
        await Decide(standing, change, ReleaseFacts.ByTerm, (record, time) => new LabelChangeRow
        {
            Id = Guid.CreateVersion7(now), Dispatch = standing.Dispatch.Id, Ref = change.Ref, Previous = change.Previous, Act = change.Act, State = LabelState.Accepted, Code = "OK", N = standing.NextPlace,
            Class = change.Label!.Class, Term = null, At = change.At, CreatedAt = time, AcceptedAt = time, InForceAt = time, Words = 0, Decision = record.Digest, Change = change.Write(),
        });
    }

    async Task Decide(LabelStanding standing, LabelChange change, string cause, Func<DecisionRow, long, LabelChangeRow> row)
    {
        var (world, now) = (shared.Worlds.Current, shared.Clock.GetUtcNow());
        var facts = ReleaseFacts.OfRelabel(standing.Header, change.Label!, standing.Facts(change, cause, []), world, now);
        var decision = Decision.Decide(shared.Circumstances.Complete(facts, world.Policy, now), world.Policy, now);
        // Not yet, or not while nobody knows the time: it stays protected, and nothing is on record, for nothing has happened.
        if (decision.Verdict != Verdict.Permit) return;
        var record = DecisionRow.Of(decision.Record);
        await file.Commit(new(standing, change, row(record, now.ToUnixTimeMilliseconds()), world, "permit", "OK", cause, record));
    }

    (LabelStanding Standing, LabelChangeRow? Row) Read(LabelDue due)
    {
        using var reader = shared.Engine.Reader().Snapshot();
        var standing = LabelStanding.Read(reader, DispatchTable.Read(reader, due.Sender, due.Envelope)!);
        return (standing, standing.Changes.FirstOrDefault(c => c.Id == due.Change));
    }

    IReadOnlyList<LabelDue> Find(Func<Source, IReadOnlyList<LabelDue>> find)
    {
        using var reader = shared.Engine.Reader();
        return find(reader);
    }

    // In turn: what may not end yet does not stand in the way of the others.
    static Guid Next(IReadOnlyList<LabelDue> found) => found.Count < AtOnce ? default : found[^1].Dispatch;
}
