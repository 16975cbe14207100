using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Recalling;

/// <param name="Of">The dispatch that it is a copy of.</param>
sealed record TargetCopy(ParcelRow Copy, DispatchSummary Of);

/// <summary>What a recall is about, as it stands: a dispatch of the same sender, one that is held, or nothing yet.</summary>
/// <param name="Copies">Those that it asks back; of an update those that its offices have already, by whatever envelope, and that are of no use to them.</param>
sealed record RecallTarget(Reference Named, DispatchSummary? Dispatch, HeldRow? Held, IReadOnlyList<TargetCopy> Copies)
{
    HashSet<string> Offices { get; init; } = [];

    /// <summary>Only the sender's own are looked for: nobody can name another's.</summary>
    /// <param name="directory">Whose keys are current.</param>
    /// <exception cref="RefusedException">RecallTarget: it is another envelope, itself a recall, was erased, or was not addressed so; for an update also that it is none that can be updated, or carries something else. Revision: a later or the same one came before. HasCopy: an update to an office that has it, or is about to.</exception>
    public static RecallTarget? Read(Source source, Header header, OfficeDirectory directory)
    {
        if (header.Target is not { } named) return null;
        if (RecallTable.Highest(source, header.Sender, named.Id, header.Id) >= named.Revision) throw new RefusedException(Refusal.Revision);
        var (dispatch, held) = (DispatchTable.Find(source, header.Sender, named.Id), HeldTable.Find(source, header.Sender, named.Id));
        if ((dispatch?.ErasedAt ?? held?.ErasedAt) is not null) throw new RefusedException(Refusal.RecallTarget, "erased");
        if ((dispatch?.Ctx ?? held?.Ctx) is { } ctx && ctx != named.Ref) throw new RefusedException(Refusal.RecallTarget, "another envelope");
        if (header.Kind == "update") return OfUpdate(source, header, named, dispatch, held, directory);
        if (dispatch is null) return new(named, null, held is { State: HeldState.Waiting } ? held : null, []);
        if (RecallTable.Find(source, dispatch.Id) is { Kind: "recall" }) throw new RefusedException(Refusal.RecallTarget, "a recall");
        var offices = Addressed(header);
        var copies = ParcelTable.OfDispatch(source, header.Sender, dispatch.Id);
        if (header.Kind == "recall" && !offices.IsSubsetOf(copies.Select(c => c.Office))) throw new RefusedException(Refusal.RecallTarget, "an office that it did not go to");
        return new(named, dispatch, null, [.. copies.Where(c => header.Kind == "replace" || offices.Contains(c.Office)).Select(c => new TargetCopy(c, dispatch))]);
    }

    /// <summary>An update sends nothing but what its original did, under the same ciphertext: so that must be here, accepted, and be what the header says.</summary>
    static RecallTarget OfUpdate(Source source, Header header, Reference named, DispatchSummary? dispatch, HeldRow? held, OfficeDirectory directory)
    {
        if (dispatch is null) throw new RefusedException(Refusal.RecallTarget, held is { State: HeldState.Waiting } ? "it is held" : "not accepted here");
        if (RecallTable.Find(source, dispatch.Id) is { Kind: "recall" or "update" }) throw new RefusedException(Refusal.RecallTarget, "a recall or update");
        if (RecallTable.IsReplaced(source, header.Sender, named.Id)) throw new RefusedException(Refusal.RecallTarget, "replaced");
        var original = Statement.Read(DispatchTable.HeaderOf(source, header.Sender, named.Id)!.Header, StatementType.Header).As<Header>();
        if (!header.CarriesSame(original)) throw new RefusedException(Refusal.RecallTarget, "another content");
        // 2. Nobody gets it twice: whatever copy an office has had was not delivered, could not be opened, or is sealed to a key that it has no more.
        var offices = Addressed(header);
        var before = CopiesOf(source, header.Sender, named, dispatch.Id, offices);
        if (before.FirstOrDefault(c => IsOfUse(source, c, directory)) is { } good) throw new RefusedException(Refusal.HasCopy, good.Office);
        return new(named, dispatch, null, [.. before.Select(c => new TargetCopy(c, c.Dispatch == dispatch.Id ? dispatch : DispatchTable.Of(source, header.Sender, c.Dispatch)!))]) { Offices = offices };
    }

    static HashSet<string> Addressed(Header header) => [.. header.Recipients.Where(r => r.Role is "to" or "cc").Select(r => r.Office)];

    static List<ParcelRow> CopiesOf(Source source, string sender, Reference named, Guid dispatch, HashSet<string> offices) =>
        [.. RecallTable.Copies(source, sender, named.Id, dispatch).Where(c => offices.Contains(c.Office))];

    static bool IsOfUse(Source source, ParcelRow copy, OfficeDirectory directory) =>
        copy.State is ParcelState.Available or ParcelState.Queued or ParcelState.Delivered && (directory.Find(copy.Office)?.Encryption.Any(c => c.Key == copy.Key) ?? false)
        && !(copy.State == ParcelState.Delivered && NotOpened(source, copy));

    // The office's own word, and that it has not taken it back since.
    static bool NotOpened(Source source, ParcelRow copy) => ReceiptTable.OfParcel(source, copy.Office, copy.Id).Where(r => r.Issuer == copy.Office).Select(r => r.Event).ToHashSet() is var said
        && said.Contains(ReceiptEvent.ContentOpeningFailure) && !said.Contains(ReceiptEvent.ContentOpening);

    /// <summary>Something of it has changed since: whoever prepared a commit on it looks again.</summary>
    public bool IsStale(Source source, string sender) =>
        (Dispatch is null && DispatchTable.Find(source, sender, Named.Id) is not null) || (Held is { } held && !(HeldTable.Find(source, sender, Named.Id) is { State: HeldState.Waiting } now && now.Approved == held.Approved))
        || (Dispatch is { } kept && ErasureTable.Has(source, kept.Id))
        || (Dispatch is null && Held is null && HeldTable.Find(source, sender, Named.Id) is { State: HeldState.Waiting })
        || (Named.Relation == "update" && !CopiesOf(source, sender, Named, Dispatch!.Id, Offices).Select(c => (c.Id, c.State)).SequenceEqual(Copies.Select(c => (c.Copy.Id, c.Copy.State))));
}
