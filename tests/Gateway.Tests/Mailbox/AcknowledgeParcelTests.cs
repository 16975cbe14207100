using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;

namespace Exchange.Tests.Mailbox;

public sealed class AcknowledgeParcelTests(SharedGateway shared) : IClassFixture<SharedGateway>
{
    readonly TestGateway gateway = shared.Gateway;

    [Fact]
    public async Task Handing_over_then_opening_reaches_the_sender_with_our_consignment_between()
    {
        var (envelope, _, parcel) = await gateway.Accepted("H41", "H41");
        var (handover, opening) = (OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover), OfficeReceipts.Sign(envelope, ReceiptEvent.ContentOpening));

        Assert.Equal("E_RECEIPT", (await Post(parcel, opening)).Code);      // nothing is opened that was not handed over
        Assert.Equal(201, (await Post(parcel, handover)).Status);
        Assert.Equal(200, (await Post(parcel, handover)).Status);
        Assert.Equal(201, (await Post(parcel, opening)).Status);
        Assert.Equal(200, (await Post(parcel, opening)).Status);
        // Signed anew after a crash in the office: other bytes, the same step. Harmless, and not logged twice.
        Assert.Equal(200, (await Post(parcel, OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover))).Status);
        Assert.Equal(200, (await Post(parcel, OfficeReceipts.Sign(envelope, ReceiptEvent.ContentOpening))).Status);

        var id = Crypto.Envelope.EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id;
        var receipts = (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{id}/receipts")).Json.GetProperty("receipts").EnumerateArray().ToList();
        Assert.Equal(["ContentConsignment", "ContentHandover", "ContentOpening", "SubmissionAcceptance"], receipts.Select(r => r.GetProperty("event").GetString()).Order(StringComparer.Ordinal));
        Assert.Contains(receipts, r => r.GetProperty("receipt").GetString() == System.Buffers.Text.Base64Url.EncodeToString(opening));
        Assert.Equal("delivered", (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{id}")).Json.GetProperty("state").GetString());

        // The consignment's entry commits to the office's own receipt.
        var ours = receipts.Select(r => Statement.Read(System.Buffers.Text.Base64Url.DecodeFromChars(r.GetProperty("receipt").GetString()), StatementType.Receipt).As<Receipt>()).Single(r => r.Event == ReceiptEvent.ContentConsignment);
        var detail = Assert.IsType<ConsignmentDetail>(EntryDetails.Read(System.Text.Encoding.UTF8.GetBytes(ours.Entry!.Detail)));
        Assert.Equal(Digest.Of(handover), detail.Receipt);
        using var reader = gateway.Host.Shared.Engine.Reader();
        Assert.Equal(EntryKind.Consignment, EntryTable.Find(reader, ours.Entry.Leaf)!.Kind);
    }

    [Fact]
    public async Task A_failure_to_open_is_filed_with_its_code()
    {
        var (envelope, _, parcel) = await gateway.Accepted("H41", "H41");
        Assert.Equal(201, (await Post(parcel, OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover))).Status);
        Assert.Equal("E_RECEIPT", (await Post(parcel, OfficeReceipts.Sign(envelope, ReceiptEvent.ContentOpeningFailure, code: "free text"))).Code);
        Assert.Equal(201, (await Post(parcel, OfficeReceipts.Sign(envelope, ReceiptEvent.ContentOpeningFailure, code: "E_CANNOT_OPEN"))).Status);
    }

    [Fact]
    public async Task A_receipt_that_does_not_fit_the_copy_or_its_signer_is_refused_and_the_copy_stays()
    {
        var (envelope, _, parcel) = await gateway.Accepted("H41", "H41");
        var other = Digest.Of("other"u8);
        byte[] With(Func<Receipt, Receipt> change) => OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover, change: change);
        var wrong = new Dictionary<string, (byte[] Receipt, string Code)>
        {
            ["another envelope"] = (With(r => r with { Ctx = other }), "E_RECEIPT"),
            ["another manifest"] = (With(r => r with { ManifestDigest = other }), "E_RECEIPT"),
            ["another key"] = (With(r => r with { Key = other }), "E_RECEIPT"),
            ["another office"] = (With(r => r with { Office = "H14" }), "E_RECEIPT"),
            ["another issuer"] = (With(r => r with { Issuer = "H14" }), "E_RECEIPT"),
            ["another sender"] = (With(r => r with { Sender = "H14" }), "E_RECEIPT"),
            ["a gateway's event"] = (With(r => r with { Event = ReceiptEvent.ContentConsignment }), "E_RECEIPT"),
            ["a proof where none belongs"] = (With(r => r with { Proof = other }), "E_RECEIPT"),
            ["an entry"] = (With(r => r with { Entry = new(other, other, "{}", 1) }), "E_RECEIPT"),
            ["the future"] = (With(r => r with { Time = r.Time + 3_600_000 }), "E_RECEIPT"),
            ["a code"] = (With(r => r with { Code = "E_EXPIRED" }), "E_RECEIPT"),
            ["another office's key"] = (OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover, signer: DevPkiFolder.Sign("H14")), "E_SIGNER_UNKNOWN"),
            ["a person's key"] = (OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover, signer: DevPkiFolder.Person("H41", "clerk")), "E_SIGNER_UNKNOWN"),
            ["an opening without proof"] = (OfficeReceipts.Sign(envelope, ReceiptEvent.ContentOpening, change: r => r with { Proof = null }), "E_RECEIPT"),
        };
        foreach (var (name, (receipt, code)) in wrong)
        {
            var answer = await Post(parcel, receipt);
            Assert.True(answer.Code == code, $"{name}: {answer.Status} {answer.Code}");
        }
        Assert.Equal(413, (await Post(parcel, new byte[70_000])).Status);
        Assert.Contains((await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/mailbox")).Json.GetProperty("parcels").EnumerateArray(), p => p.GetProperty("parcel").GetGuid() == parcel);
    }

    Task<Answer> Post(Guid parcel, byte[] receipt) => TestGateway.Send(gateway.As("H41"), HttpMethod.Post, $"/mailbox/{parcel}/receipts", receipt);
}
