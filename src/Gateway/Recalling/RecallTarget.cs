using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Recalling;

/// <summary>What a recall is about, as it stands: a dispatch of the same sender, one that is held, or nothing yet.</summary>
/// <param name="Copies">Those that it asks back.</param>
sealed record RecallTarget(Reference Named, DispatchSummary? Dispatch, HeldRow? Held, IReadOnlyList<ParcelRow> Copies)
{
    /// <summary>Only the sender's own are looked for: nobody can name another's.</summary>
    /// <exception cref="RefusedException">RecallTarget: it is another envelope, itself a recall, or was not addressed so; for an update also that it is none that can be updated, or carries something else. Revision: a later or the same one came before.</exception>
    public static RecallTarget? Read(Source source, Header header)
    {
        if (header.Target is not { } named) return null;
        if (RecallTable.Highest(source, header.Sender, named.Id, header.Id) >= named.Revision) throw new RefusedException(Refusal.Revision);
        var (dispatch, held) = (DispatchTable.Find(source, header.Sender, named.Id), HeldTable.Find(source, header.Sender, named.Id));
        if ((dispatch?.Ctx ?? held?.Ctx) is { } ctx && ctx != named.Ref) throw new RefusedException(Refusal.RecallTarget, "another envelope");
        if (header.Kind == "update") return OfUpdate(source, header, named, dispatch, held);
        if (dispatch is null) return new(named, null, held is { State: HeldState.Waiting } ? held : null, []);
        if (RecallTable.Find(source, dispatch.Id) is { Kind: "recall" }) throw new RefusedException(Refusal.RecallTarget, "a recall");
        var offices = header.Recipients.Where(r => r.Role is "to" or "cc").Select(r => r.Office).ToHashSet();
        var copies = ParcelTable.OfDispatch(source, header.Sender, dispatch.Id);
        if (header.Kind == "recall" && !offices.IsSubsetOf(copies.Select(c => c.Office))) throw new RefusedException(Refusal.RecallTarget, "an office that it did not go to");
        return new(named, dispatch, null, [.. copies.Where(c => header.Kind == "replace" || offices.Contains(c.Office))]);
    }

    /// <summary>An update sends nothing but what its original did, under the same ciphertext: so that must be here, accepted, and be what the header says.</summary>
    static RecallTarget OfUpdate(Source source, Header header, Reference named, DispatchSummary? dispatch, HeldRow? held)
    {
        if (dispatch is null) throw new RefusedException(Refusal.RecallTarget, held is { State: HeldState.Waiting } ? "it is held" : "not accepted here");
        if (RecallTable.Find(source, dispatch.Id) is { Kind: "recall" or "update" }) throw new RefusedException(Refusal.RecallTarget, "a recall or update");
        if (RecallTable.IsReplaced(source, header.Sender, named.Id)) throw new RefusedException(Refusal.RecallTarget, "replaced");
        var original = Statement.Read(DispatchTable.HeaderOf(source, header.Sender, named.Id)!.Header, StatementType.Header).As<Header>();
        if (!header.CarriesSame(original)) throw new RefusedException(Refusal.RecallTarget, "another content");
        return new(named, dispatch, null, []);
    }

    /// <summary>Something of it has changed since: whoever prepared a commit on it looks again.</summary>
    public bool IsStale(Source source, string sender) =>
        (Dispatch is null && DispatchTable.Find(source, sender, Named.Id) is not null) || (Held is { } held && !(HeldTable.Find(source, sender, Named.Id) is { State: HeldState.Waiting } now && now.Approved == held.Approved))
        || (Dispatch is null && Held is null && HeldTable.Find(source, sender, Named.Id) is { State: HeldState.Waiting });
}
