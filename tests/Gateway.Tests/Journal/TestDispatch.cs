using System.Security.Cryptography;
using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Tests;

/// <summary>Rows of one dispatch, made ready outside the writer as the use case does.</summary>
sealed class TestDispatch
{
    public TestDispatch(TestStore store, string sender, string[] to)
    {
        var now = store.Clock.GetUtcNow().ToUnixTimeMilliseconds();
        Decision = DecisionRow.Of([.. "{\"verdict\":\"permit\"}"u8]);
        var manifest = RandomNumberGenerator.GetBytes(5000);
        var recipients = to.Select(office => new Recipient(office, Random(), "to")).Append(new Recipient(sender, Random(), "self")).ToArray();
        var (header, ctx) = Sign(store.NewId(), sender, recipients, Digest.Of(manifest), now);
        Row = new DispatchRow
        {
            Id = store.NewId(), Sender = sender, Envelope = header.As<Header>().Id, Ctx = ctx, ManifestDigest = Digest.Of(manifest), Class = 10, Urgency = 0,
            ReceivedAt = now, Expires = now + 86_400_000, Decision = Decision.Digest, PayloadBytes = 48, Header = header.Der.ToArray(), Approvals = [],
            Manifest = manifest, Payload = RandomNumberGenerator.GetBytes(48),
        };
        Parcels = [.. recipients.Where(r => r.Role == "to").Select(r => new ParcelRow
        {
            Id = store.NewId(), Dispatch = Row.Id, Office = r.Office, Key = r.Key, Role = "to", State = ParcelState.Available, Channel = "mailbox",
            LastRefusal = null, CreatedAt = now, UpdatedAt = now, Expires = now + 86_400_000,
        })];
        Entry = LedgerEntry.Create(new SubmissionDetail(sender, Row.Envelope, Row.Ctx, Row.ManifestDigest, "1.2.3", 10, 0, Random(), Random(), Random(), Decision.Digest) { Time = now });
        Receipt = NewReceipt(store, ReceiptEvent.SubmissionAcceptance, Entry.Leaf, null, null, TestStore.Origin);
    }

    TestDispatch(TestStore store, TestDispatch like)
    {
        Decision = DecisionRow.Of(like.Decision.Record);
        Row = like.Row with { Id = store.NewId(), Envelope = store.NewId(), Decision = Decision.Digest };
        Parcels = [.. like.Parcels.Select(p => p with { Id = store.NewId(), Dispatch = Row.Id })];
        Entry = LedgerEntry.Create(like.Entry.Detail);
        Receipt = NewReceipt(store, ReceiptEvent.SubmissionAcceptance, Entry.Leaf, null, null, TestStore.Origin);
    }

    /// <summary>Another one with the same signed bytes: for counting, not for the check.</summary>
    public TestDispatch Again(TestStore store) => new(store, this);

    public DispatchRow Row { get; set; }
    public ParcelRow[] Parcels { get; }
    public DecisionRow Decision { get; }
    public LedgerEntry Entry { get; }
    public ReceiptRow Receipt { get; }

    /// <summary>The change of accepting it. False: this sender has it already.</summary>
    public bool Accept(Batch b)
    {
        if (!DispatchTable.TryAdd(b, Row)) return false;
        b.Log(Entry, EntryKind.Submission, Row.Id).Add(Parcels).Add(Decision).Add(Receipt);
        return true;
    }

    public ReceiptRow NewReceipt(TestStore store, string @event, Digest leaf, Guid? parcel, string? office, string issuer)
    {
        var der = RandomNumberGenerator.GetBytes(900);
        return new ReceiptRow
        {
            Id = store.NewId(), Dispatch = Row.Id, Parcel = parcel, Sender = Row.Sender, Envelope = Row.Envelope, Office = office, Event = @event, Code = "OK",
            Issuer = issuer, Time = Row.ReceivedAt, Leaf = leaf, Sha256 = Digest.Of(der), Der = der,
        };
    }

    /// <summary>The change of an office acknowledging its copy.</summary>
    public Change<bool> HandOver(TestStore store, ParcelRow parcel)
    {
        var entry = LedgerEntry.Create(new ConsignmentDetail(Row.Sender, Row.Envelope, Row.Ctx, parcel.Office, parcel.Key, Random()) { Time = Row.ReceivedAt });
        var handover = NewReceipt(store, ReceiptEvent.ContentHandover, entry.Leaf, parcel.Id, parcel.Office, parcel.Office);
        var consignment = NewReceipt(store, ReceiptEvent.ContentConsignment, entry.Leaf, parcel.Id, parcel.Office, TestStore.Origin);
        return b =>
        {
            if (!ParcelTable.Move(b, parcel.Id, ParcelState.Available, ParcelState.Delivered)) return false;
            b.Log(entry, EntryKind.Consignment, parcel.Id).Add(handover).Add(consignment);
            return true;
        };
    }

    static (Statement, Digest) Sign(Guid id, string sender, Recipient[] recipients, Digest manifest, long now)
    {
        var key = TestPki.Shared["G22"].Sign;
        var label = new Label { Policy = "1.2.3", Class = 10, Mark = "KHÔNG MẬT", Categories = [], Basis = null, Term = null, Caveats = [] };
        var header = new Header
        {
            V = 1, Type = Header.TypeName, Signers = [key.Certificate.Key], Id = id, Gateway = TestStore.Origin, Suite = "classic-1", Kind = "new", Sender = sender,
            Recipients = recipients, Label = label, Urgency = 0, Times = new(null, now + 86_400_000, null), References = [], Dispatch = new(Random(), [Random()]),
            Approvals = [], Policy = Random(), Directory = Random(), Seen = null, Commitment = Random(), Payload = new PayloadRef(32, Random()),
        };
        var signed = Statement.Sign(header, [key], TestPki.Now, EssLabel.ToEss(label), manifest);
        return (signed, signed.Ref);
    }

    static Digest Random() => new(RandomNumberGenerator.GetBytes(Digest.Size));
}
