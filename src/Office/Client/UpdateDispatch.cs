using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Office.Client;

/// <summary>Who is to get a dispatch that was sent, and who is to give it back.</summary>
public sealed record UpdateRequest
{
    /// <summary>Offices that its author named. One that had a copy sealed to a key that it has no more, or that ended undelivered, gets it anew.</summary>
    public required IReadOnlyList<string> Add { get; init; }
    public IReadOnlyList<string> Cc { get; init; } = [];
    public IReadOnlyList<string> Remove { get; init; } = [];
    /// <summary>Why these are to give it back; sealed, only they read it.</summary>
    public string? Reason { get; init; }
    public TimeSpan Expires { get; init; } = TimeSpan.FromDays(30);
    /// <summary>Role of the author of the recall.</summary>
    public string? As { get; init; }
    /// <summary>Roles that approve anew; approvals that have not lapsed need nobody.</summary>
    public IReadOnlyList<string> Approve { get; init; } = [];
    public IReadOnlyList<string> Release { get; init; } = [];
}

/// <summary>Gives a dispatch to further offices: from what was kept when it was sealed, without its author and without its documents.</summary>
sealed class UpdateDispatch(OfficeContext office)
{
    /// <returns>In the order in which they are to be sent: recalls first.</returns>
    /// <exception cref="RefusedException">RecallTarget (it was not accepted, or is itself a recall), NotKept, HasCopy, Addressees (an office that the author did not name), ApprovalMissing …</exception>
    public async Task<IReadOnlyList<OutboxEntry>> RunAsync(OutboxEntry entry, UpdateRequest request, CancellationToken cancel)
    {
        // 1. Of which dispatch? One that came to an office by an update is that same one.
        var original = entry.Record.About is { Kind: "update", Id: var first } ? office.Outbox.Find(first) ?? throw new RefusedException(Refusal.NotFound, $"{first} is not here") : entry;
        if (original.Record.About is { Kind: "recall" }) throw new RefusedException(Refusal.RecallTarget, "a recall");
        var view = await new TrackDispatch(office).RunAsync(original, audit: false, cancel).ConfigureAwait(false);
        if (original.State != OutboxState.Accepted) throw new RefusedException(Refusal.RecallTarget, "it was not accepted yet");
        var kept = original.Kept() ?? throw new RefusedException(Refusal.NotKept);

        // 2. Asked for before: the same bytes again. Whoever has it, or may have it, needs no other copy.
        var served = view.Copies.Where(c => IsServed(c, office.View.Directory)).Select(c => c.Office).ToHashSet();
        bool Same(OutboxEntry e) => e.Record.To.ToHashSet().SetEquals(request.Add) && e.Record.Cc.ToHashSet().SetEquals(request.Cc);
        if (RecallDispatch.Updates(office, original.Id).LastOrDefault(Same) is { } before && before.Record.To.Concat(before.Record.Cc).All(served.Contains) && request.Remove.Count == 0) return [before];
        if (request.Add.Concat(request.Cc).FirstOrDefault(o => served.Contains(o) && !request.Remove.Contains(o)) is { } there) throw new RefusedException(Refusal.HasCopy, there);
        DemandApproved(original, request);

        // 3. Tried before anything is taken back: what would be refused gives no recall either.
        var now = office.Now;
        Seal(original, kept, request, RecallDispatch.About(office, original, "update"), Guid.CreateVersion7(now));
        var recall = new RecallRequest { Reason = request.Reason ?? "", To = request.Remove, As = request.As, Approve = request.Approve, Release = request.Release };
        IReadOnlyList<OutboxEntry> recalls = request.Remove.Count == 0 ? [] : await new RecallDispatch(office).RunAsync(original, recall, cancel).ConfigureAwait(false);

        // 4. Sealed anew, into an entry like any other but for the payload, which is at the gateway. A crash in between: asked again, the recalls are found, and this is made.
        var (about, id) = (RecallDispatch.About(office, original, "update"), Guid.CreateVersion7(now));
        var update = await office.Outbox.AddAsync(id, original.Record.Level, request.Add, request.Cc, original.Record.Number, original.Record.Author ?? default, about, now,
            _ => Task.FromResult(Seal(original, kept, request, about, id))).ConfigureAwait(false);
        return [.. recalls, update];
    }

    /// <summary>Once more to offices that had a copy, as it was addressed to them: their key was lost, or it ended undelivered.</summary>
    /// <exception cref="RefusedException">RecallTarget: an office that it never went to, HasCopy: one whose copy is of use; and as <see cref="RunAsync"/>.</exception>
    public async Task<OutboxEntry> AgainAsync(OutboxEntry entry, IReadOnlyList<string> offices, TimeSpan expires, IReadOnlyList<string> approve, CancellationToken cancel)
    {
        var original = entry.Record.About is { Kind: "update", Id: var first } ? office.Outbox.Find(first) ?? throw new RefusedException(Refusal.NotFound, $"{first} is not here") : entry;
        var roles = RecallDispatch.Updates(office, original.Id).Prepend(original).SelectMany(e => e.Record.To.Select(o => (Office: o, Role: "to")).Concat(e.Record.Cc.Select(o => (Office: o, Role: "cc")))).ToLookup(a => a.Office, a => a.Role);
        if (offices.FirstOrDefault(o => !roles.Contains(o)) is { } stranger) throw new RefusedException(Refusal.RecallTarget, $"{stranger}: it never went there; exchange update --add {stranger}");
        // An envelope has to be addressed to somebody: who got a copy of it alone gets it addressed.
        string[] cc = [.. offices.Where(o => roles[o].First() == "cc")], to = [.. offices.Except(cc)];
        var request = new UpdateRequest { Add = to.Length > 0 ? to : cc, Cc = to.Length > 0 ? cc : [], Expires = expires, Approve = approve };
        return (await RunAsync(original, request, cancel).ConfigureAwait(false))[^1];
    }

    /// <summary>On its way, or there and not reported as unopenable, under a key that its office still has. What nobody knows may be there.</summary>
    static bool IsServed(CopyView copy, OfficeDirectory directory) => copy.Role is "to" or "cc" && copy.Evidence != CopyEvidence.Failed && copy.State is null or "available" or "queued" or "delivered"
        && (copy.Evidence == CopyEvidence.OpenedProven || (directory.Find(copy.Office)?.Encryption.Any(c => c.Key == copy.Key) ?? false));

    SealedEnvelope Seal(OutboxEntry original, byte[] kept, UpdateRequest request, AboutDispatch about, Guid id)
    {
        var (header, level) = (Statement.Read(original.Parts().Header, StatementType.Header).As<Header>(), LevelOf(original));
        var done = Envelope.Reseal(new ResealRequest
        {
            Original = original.Parts(), Kept = kept, Keepers = office.Keys.Encrypt, Id = id, Revision = about.Revision,
            Recipients = [.. request.Add.Select(o => SealedTo.Addressee(office, o, "to", level)), .. request.Cc.Select(o => SealedTo.Addressee(office, o, "cc", level)), .. SealedTo.Besides(office, level, keep: false)],
            Urgency = header.Urgency, Times = new Times(null, (office.Now + request.Expires).ToUnixTimeMilliseconds(), header.Times.RespondBy),
            Policy = office.View.Policy.Ref, Directory = office.View.Directory.Ref, Seen = office.Checkpoints.Seen,
            Approvers = [.. request.Approve.Distinct().Select(p => office.Keys.Person(p) ?? throw new RefusedException(Refusal.Profile, $"keys.persons.{p}: no key in the profile"))],
            Office = office.Keys.Sign, ManifestBucket = level.ManifestBucket,
        }, office.Clock);
        Envelope.Verify(done.Parts, new EnvelopeContext(office.View.Directory, office.View.Trust, office.Now));
        // The same signatures: what is here of time-stamps is about them.
        return original.Record.TimeStamp is null ? done : done with { TimeStamps = original.TimeStamps() };
    }

    /// <summary>Whoever the level asks for has approved it, and that still counts, or approves it now.</summary>
    void DemandApproved(OutboxEntry original, UpdateRequest request)
    {
        var now = office.Now.ToUnixTimeMilliseconds();
        var persons = office.View.Directory.Find(office.Profile.Office)?.Persons ?? [];
        var standing = original.Parts().Approvals.Select(a => Statement.Read(a, StatementType.Approval)).Where(s => s.As<Approval>() is { Act: ApprovalAct.Send } a && a.NotAfter >= now)
            .SelectMany(s => persons.FirstOrDefault(p => p.Certificate.Key == s.Signers[0].Key)?.Roles ?? []).ToHashSet();
        if (LevelOf(original).Approvals.FirstOrDefault(r => !request.Approve.Contains(r) && !standing.Contains(r)) is { } missing) throw new RefusedException(Refusal.ApprovalMissing, $"approval of: {missing}");
    }

    PolicyLevel LevelOf(OutboxEntry original) => office.View.Policy.Level(original.Record.Level) ?? throw new RefusedException(Refusal.LabelClass, original.Record.Level);
}
