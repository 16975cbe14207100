using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;
using Exchange.Gateway.Submission;

namespace Exchange.Gateway.Relabelling;

/// <summary>What a person's statement about a label came to.</summary>
abstract record Changed(byte[] Receipt)
{
    /// <summary>It counts from now on.</summary>
    public sealed record Accepted(byte[] Receipt) : Changed(Receipt);
    /// <summary>On record; it waits for another person.</summary>
    public sealed record Waits(byte[] Receipt) : Changed(Receipt);
    /// <summary>This person had said so before: the receipt of then.</summary>
    public sealed record Before(byte[] Receipt) : Changed(Receipt);
}

/// <summary>POST /dispatches/{id}/labels and /mailbox/{parcel}/labels: a person of the originating office, or of one that has a copy, wants the label changed.</summary>
sealed class ChangeLabel(FileChange file, Quotas quotas, Shared shared)
{
    readonly ILogger log = shared.Log<ChangeLabel>();

    /// <param name="find">One's own dispatch, or that of one's own copy; null: not there for this office.</param>
    /// <exception cref="RefusedException">NotFound, LabelChange, LabelPrevious, Busy, or what the statement or the certificate is refused for. Nothing was changed.</exception>
    /// <exception cref="RejectedException">The decision was no; it is on record.</exception>
    public async Task<Changed> Change(string office, Func<Source, DispatchRow?> find, byte[] der)
    {
        quotas.DemandSubmission(office, shared.Clock.GetUtcNow());
        while (true)
        {
            // 1. As it stands. The same change by the same person again: the first answer was lost on the way.
            var standing = Read(find);
            var (world, now) = (shared.Worlds.Current, shared.Clock.GetUtcNow());
            var said = Verified(office, standing, der, world, now);
            var row = standing.Changes.FirstOrDefault(c => c.Ref == said.Ref);
            var words = Words(row);
            if (words.FirstOrDefault(w => w.Person == said.Person.Key) is { } before) return Before(standing, before);

            // 2. It points at the label in force, and has not ended: a statement of an earlier time says nothing about the label of now.
            if (row is { State: LabelState.Ended }) throw Refused(office, Refusal.All[row.Code], "it has ended");
            if (row is { State: LabelState.Accepted } || said.Change.Previous != standing.Previous) throw Refused(office, Refusal.LabelPrevious, "another label is in force");
            if (said.Change.Until is { } until && until <= Math.Max(now.ToUnixTimeMilliseconds(), standing.InForce.Term ?? 0)) throw Refused(office, Refusal.LabelTerm, "no extension");
            if (said.Change.At <= now.ToUnixTimeMilliseconds()) throw Refused(office, Refusal.LabelTerm, "its time is over");

            // 3. Decide, over everybody who signed it and still may. One who left the card meanwhile does not count.
            var persons = words.Select(w => Again(standing, w.Der, world, now)).OfType<VerifiedLabelChange>().Append(said).Select(v => ReleaseFacts.PersonOf(v, world, now));
            var decision = Decision.Decide(shared.Circumstances.Complete(
                ReleaseFacts.OfRelabel(standing.Header, standing.Judged(said.Change), standing.Facts(said.Change, ReleaseFacts.ByPerson, persons), world, now), world.Policy, now), world.Policy, now);
            if (decision.IsPassing) throw Refused(office, Refusal.Busy, "this gateway cannot decide now");

            // 4. ONE commit. In FileChange.cs. A no changes nothing of the label, and is on record.
            if (decision.Verdict == Verdict.Deny) quotas.DemandRefusal(office, now);
            var decided = Decided(standing, said, row, world, decision, now) with { Said = (Statement.Read(der, StatementType.Label).Ref, said.Person.Key, office, der) };
            if (await file.Commit(decided) is not { } receipt) continue;
            return decision.Verdict switch
            {
                Verdict.Permit => new Changed.Accepted(receipt),
                Verdict.Hold => new Changed.Waits(receipt),
                _ => throw new RejectedException(Refusal.All[decided.Code], receipt),
            };
        }
    }

    DecidedChange Decided(LabelStanding standing, VerifiedLabelChange said, LabelChangeRow? row, World world, Decision decision, DateTimeOffset now)
    {
        var (change, time, record) = (said.Change, now.ToUnixTimeMilliseconds(), DecisionRow.Of(decision.Record));
        var code = decision.Verdict == Verdict.Permit ? "OK" : (decision.ForSender ?? Refusal.Internal).Code;
        var verdict = decision.Verdict.ToString().ToLowerInvariant();
        if (decision.Verdict == Verdict.Deny) return new(standing, change, null, world, verdict, code, ReleaseFacts.ByPerson, record);
        var next = row ?? new LabelChangeRow
        {
            Id = Guid.CreateVersion7(now), Dispatch = standing.Dispatch.Id, Ref = said.Ref, Previous = change.Previous, Act = change.Act, State = LabelState.Waiting, Code = code,
            Class = change.Label?.Class, Term = change.Label?.Term, At = change.At, Until = change.Until, CreatedAt = time, WaitsUntil = now.AddHours(shared.Options.Limits.HoldHours).ToUnixTimeMilliseconds(),
            Words = 0, Decision = record.Digest, Change = change.Write(),
        };
        next = next with { Words = next.Words + 1, Code = code, Decision = record.Digest };
        if (decision.Verdict == Verdict.Permit)
        {
            next = next with { State = LabelState.Accepted, WaitsUntil = null, AcceptedAt = time };
            if (change.Act == LabelAct.Label) next = next with { N = standing.NextPlace, InForceAt = time };
        }
        return new(standing, change, next, world, verdict, code, ReleaseFacts.ByPerson, record);
    }

    VerifiedLabelChange Verified(string office, LabelStanding standing, byte[] der, World world, DateTimeOffset now)
    {
        try
        {
            var said = Envelope.VerifyLabelChange(der, standing.Header, standing.Dispatch.Ctx, new EnvelopeContext(world.Directory, world.Trust, now));
            return said.Statement.Office == office ? said : throw new RefusedException(Refusal.LabelChange, "a person of another office");
        }
        catch (RefusedException e)
        {
            log.ChangeWasRefused(office, e.Refusal.Code, e.Detail);
            throw;
        }
    }

    static VerifiedLabelChange? Again(LabelStanding standing, byte[] der, World world, DateTimeOffset now)
    {
        try { return Envelope.VerifyLabelChange(der, standing.Header, standing.Dispatch.Ctx, new EnvelopeContext(world.Directory, world.Trust, now)); }
        catch (RefusedException) { return null; }
    }

    RefusedException Refused(string office, Refusal refusal, string detail)
    {
        log.ChangeWasRefused(office, refusal.Code, detail);
        return new RefusedException(refusal, detail);
    }

    LabelStanding Read(Func<Source, DispatchRow?> find)
    {
        using var reader = shared.Engine.Reader().Snapshot();
        return LabelStanding.Read(reader, find(reader) ?? throw new RefusedException(Refusal.NotFound));
    }

    IReadOnlyList<LabelWordRow> Words(LabelChangeRow? row)
    {
        if (row is null) return [];
        using var reader = shared.Engine.Reader();
        return LabelTable.Words(reader, row.Id);
    }

    Changed.Before Before(LabelStanding standing, LabelWordRow word)
    {
        using var reader = shared.Engine.Reader();
        return new(ReceiptTable.OfDispatch(reader, standing.Dispatch.Sender, standing.Dispatch.Id).First(r => r.Leaf == word.Leaf).Der);
    }
}
