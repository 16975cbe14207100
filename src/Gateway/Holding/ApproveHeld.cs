using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Receipts;
using Exchange.Gateway.Store;
using Exchange.Gateway.Submission;

namespace Exchange.Gateway.Holding;

/// <param name="Repeat">This person had said so before: the receipt of then.</param>
sealed record Said(bool Repeat, byte[] Receipt);

/// <summary>POST /dispatches/{id}/approvals: a person of the sending office lets a held dispatch go, or does not.</summary>
sealed class ApproveHeld(ReleaseHeld release, Quotas quotas, Shared shared)
{
    readonly ILogger log = shared.Log<ApproveHeld>();

    /// <param name="der">Approval with the act "release", "refuse" or "carries-nothing".</param>
    /// <exception cref="RefusedException">NotFound, NotHeld, Approval, or what the statement or the certificate is refused for. Nothing was changed.</exception>
    public async Task<Said> Approve(string office, Guid envelope, byte[] der)
    {
        quotas.DemandSubmission(office, shared.Clock.GetUtcNow());

        // 1. Only one's own are visible. The same bytes again: the first answer was lost on the way.
        var (row, said) = Read(office, envelope);
        if (said.FirstOrDefault(a => a.Der.AsSpan().SequenceEqual(der)) is { } same) return Before(office, same);

        // 2. Who says it, of what, in which role.
        VerifiedApproval approval;
        try { approval = await Verify(row, der); }
        catch (RefusedException e)
        {
            log.WordWasRefused(office, e.Refusal.Code, e.Detail);
            throw;
        }
        if (said.FirstOrDefault(a => a.Person == approval.Person.Key && a.Act == approval.Approval.Act) is { } before) return Before(office, before);
        if (row.State != HeldState.Waiting) throw new RefusedException(Refusal.NotHeld);

        // 3. ONE commit: the word, our receipt, the entry. Before it: no answer, he says it again. After it: it counts, whatever happens to us now.
        var now = shared.Clock.GetUtcNow();
        var entry = LedgerEntry.Create(new HoldApprovalDetail(row.Sender, row.Envelope, row.Ctx, approval.Approval.Act, approval.Ref) { Time = now.ToUnixTimeMilliseconds() });
        var receipt = shared.Evidence.Sign(ReceiptEvent.HoldApproval, "OK", new(row.Sender, row.Envelope, row.Ctx, row.ManifestDigest, null, null), entry,
            shared.Worlds.Current.Policy.Ref, now, ReleaseHeld.HeaderOf(row).Dispatch.Signatures);
        var word = new HeldApprovalRow { Held = row.Id, Person = approval.Person.Key, Act = approval.Approval.Act, Time = now.ToUnixTimeMilliseconds(), Leaf = entry.Leaf, Der = der };
        var filed = await shared.Journal.Commit(b =>
        {
            if (!HeldTable.TryApprove(b, word)) return false;
            b.Log(entry, EntryKind.HoldApproval, row.Id).Add(ReceiptRows.Of(receipt, null, null) with { Held = row.Id });
            return true;
        }, der.Length + receipt.Der.Length, settle: true);
        if (!filed) return Read(office, envelope).Said.FirstOrDefault(a => a.Person == word.Person && a.Act == word.Act) is { } other ? Before(office, other) : throw new RefusedException(Refusal.NotHeld);
        log.PersonSaid(office, word.Act, row.Id);

        // 4. Decide again. His word is on record, so a journal that has no room now does not make his answer a no: the next look comes.
        try { await release.Look(office, envelope); }
        catch (RefusedException e) when (e.Refusal == Refusal.Busy || e.Refusal == Refusal.Full) { }
        return new Said(false, receipt.Der);
    }

    async Task<VerifiedApproval> Verify(HeldRow row, byte[] der)
    {
        var world = shared.Worlds.Current;
        var approval = Envelope.VerifyApproval(der, ReleaseHeld.HeaderOf(row), new EnvelopeContext(world.Directory, world.Trust, shared.Clock.GetUtcNow()));
        var act = approval.Approval.Act;
        Demand(act is ApprovalAct.Release or ApprovalAct.Refuse or ApprovalAct.CarriesNothing, "act");
        // What is in it, whoever has a role in the card may say; letting it go is for those whom the level names. Where it names none, it waits for the first kind of word only, and so is a no.
        var roles = Roles(world, row);
        Demand(act == ApprovalAct.CarriesNothing || (act == ApprovalAct.Refuse && roles.Count == 0) ? approval.Roles.Count > 0 : approval.Roles.Intersect(roles).Any(), "role");
        if (act == ApprovalAct.CarriesNothing) return approval;
        // Dual control: whoever had it sent, which from Mật up is its author, does not release it. The author of a level without approvals is sealed inside: his own office keeps him out.
        var parts = await StoredEnvelope.Read(row.Header, row.Approvals, row.Manifest);
        Demand(parts.Approvals.All(a => Statement.Read(a, StatementType.Approval) is var sent && (sent.As<Approval>().Act != ApprovalAct.Send || sent.Signers[0].Key != approval.Person.Key)), "the person who approved its sending");
        return approval;
    }

    /// <summary>Whose word counts, as the policy in force has it.</summary>
    public static IReadOnlyList<string> Roles(World world, HeldRow row) => world.Policy.Level(row.Class)?.Handling.Release.Roles ?? [];

    Said Before(string office, HeldApprovalRow word)
    {
        using var reader = shared.Engine.Reader();
        return new Said(true, ReceiptTable.OfHeld(reader, office, word.Held).First(r => r.Leaf == word.Leaf).Der);
    }

    (HeldRow Row, IReadOnlyList<HeldApprovalRow> Said) Read(string office, Guid envelope)
    {
        using var reader = shared.Engine.Reader();
        var row = HeldTable.Find(reader, office, envelope) ?? throw new RefusedException(DispatchTable.Find(reader, office, envelope) is null ? Refusal.NotFound : Refusal.NotHeld);
        if (row.ErasedAt is not null) throw ErasureTable.Refused();
        return (row, HeldTable.Approvals(reader, row.Id));
    }

    static void Demand(bool holds, string detail)
    {
        if (!holds) throw new RefusedException(Refusal.Approval, detail);
    }
}
