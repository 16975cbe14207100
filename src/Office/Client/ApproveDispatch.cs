using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Client;

/// <summary>What a person is about to decide on: the verified header, and what the gateway says of its holding.</summary>
/// <param name="Entry">Our own outbox entry; null: another machine of the office sent it.</param>
public sealed record HeldView(HeldDispatch Held, Header Header, OutboxEntry? Entry);

/// <param name="State">What the gateway then said of the dispatch: "held", "accepted", "refused" …</param>
public sealed record ApproveVerdict(Receipt Receipt, string State);

/// <summary>One person's word about a dispatch of this office that the gateway holds.</summary>
sealed class ApproveDispatch(OfficeContext office)
{
    public async Task<HeldView> ShowAsync(HeldDispatch held, CancellationToken cancel)
    {
        var statement = Statement.Read(await office.Api.HeaderAsync(held.Id, cancel).ConfigureAwait(false), StatementType.Header);
        var (header, entry) = (statement.As<Header>(), office.Outbox.Find(held.Id));
        // He signs about what our own office signed, not about what a gateway shows.
        var ours = office.View.DirectoryOf(header.Directory).Find(office.Profile.Office) ?? office.View.Directory.Find(office.Profile.Office);
        if (header.Sender != office.Profile.Office || header.Id != held.Id || ours is null || statement.Signers is not [var signer] || !ours.Signing.Contains(signer))
            throw new RefusedException(Refusal.SignerUnknown, "the header of the held dispatch is not ours");
        if (entry is not null && entry.Record.Ctx != statement.Ref) throw new RefusedException(Refusal.Manifest, "the gateway holds another envelope under this name");
        return new HeldView(held, header, entry);
    }

    public async Task<ApproveVerdict> RunAsync(HeldView view, IPrivateKey person, string act, CancellationToken cancel)
    {
        // The author is sealed inside, where no gateway sees him: here he is known.
        if (act == ApprovalAct.Release && view.Entry?.Record.Author == person.Certificate.Key) throw new RefusedException(Refusal.Approval, "the author of a dispatch does not release it");
        var approval = new Approval
        {
            V = 1, Type = Approval.TypeName, Signers = [person.Certificate.Key], Act = act, Dispatch = view.Header.Dispatch.Ref, Label = view.Header.Label, From = view.Header.Sender,
            To = [.. view.Header.Recipients.Where(r => r.Role is "to" or "cc").Select(r => r.Office).Distinct()], NotAfter = view.Header.Times.Expires,
        };
        var der = Statement.Sign(approval, [person], office.Now).Der;
        var given = await office.Api.ApproveAsync(view.Held.Id, der, cancel).ConfigureAwait(false);
        var header = Statement.Read(await office.Api.HeaderAsync(view.Held.Id, cancel).ConfigureAwait(false), StatementType.Header);
        var receipt = ReceiptCheck.Gateway(given, new ReceiptSubject(view.Header.Sender, view.Header.Id, header.Ref, header.ManifestDigest!.Value, view.Header.Recipients), office.Profile.Pins, office.View.Trust);
        if (receipt.Event != ReceiptEvent.HoldApproval) throw new RefusedException(Refusal.Receipt, "not a receipt for an approval");
        // What became of it is in the outbox as well, if it is ours.
        if (view.Entry is { } entry) await new DeliverOutbox(office).RunAsync(entry, null, cancel).ConfigureAwait(false);
        return new ApproveVerdict(receipt, (await office.Api.DispatchAsync(view.Held.Id, cancel).ConfigureAwait(false)).State);
    }
}
