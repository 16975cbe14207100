using System.Net.Http.Headers;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Statements;
using Exchange.Tests.Http;

namespace Exchange.Tests.Mailbox;

public sealed class DownloadTests(SharedGateway shared) : IClassFixture<SharedGateway>
{
    readonly TestGateway gateway = shared.Gateway;

    [Theory, InlineData(1_000), InlineData(2_500_000)]
    public async Task A_copy_comes_out_byte_for_byte_and_by_range(int size)
    {
        var (envelope, file, parcel) = await gateway.Accepted("H41", "H41", size: size);
        var h41 = gateway.As("H41");
        var whole = await TestGateway.Send(h41, HttpMethod.Get, $"/mailbox/{parcel}");
        Assert.Equal((200, "application/vnd.exchange.envelope", $"\"{envelope.Ctx}\""), (whole.Status, whole.Type, whole.ETag));
        Assert.Equal(file, whole.Body);

        // Across each seam of header, manifest and payload, and from the middle to the end.
        var header = envelope.Parts.Header.Length;
        var manifest = header + envelope.Parts.Manifest.Length;
        foreach (var (from, to) in new[] { (0, 0), (header - 5, header + 5), (manifest - 5, manifest + 5), (file.Length / 2, file.Length - 1), (file.Length - 1, file.Length - 1) })
        {
            var range = await TestGateway.Send(h41, HttpMethod.Get, $"/mailbox/{parcel}", change: r => r.Headers.Range = new RangeHeaderValue(from, to));
            Assert.Equal(206, range.Status);
            Assert.Equal(file[from..(to + 1)], range.Body);
        }
        Assert.Equal(416, (await TestGateway.Send(h41, HttpMethod.Get, $"/mailbox/{parcel}", change: r => r.Headers.Range = new RangeHeaderValue(file.Length, null))).Status);
        Assert.Empty((await TestGateway.Send(h41, HttpMethod.Head, $"/mailbox/{parcel}")).Body);
        // If-Range with another copy's tag: the whole.
        var stale = await TestGateway.Send(h41, HttpMethod.Get, $"/mailbox/{parcel}", change: r => { r.Headers.Range = new(10, 20); r.Headers.IfRange = new RangeConditionHeaderValue("\"other\""); });
        Assert.Equal(200, stale.Status);
    }

    [Fact]
    public async Task The_list_names_the_copy_and_its_receipt_is_there_for_the_recipient()
    {
        var (envelope, file, parcel) = await gateway.Accepted("H41,H14", "H41");
        var item = await Listed("H41", parcel);
        Assert.Equal(("G22", file.Length, "available", 1), (item.GetProperty("sender").GetString(), item.GetProperty("size").GetInt32(), item.GetProperty("state").GetString(), item.GetProperty("urgency").GetInt32()));
        var receipt = (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, $"/mailbox/{parcel}/receipt")).Receipt;
        Assert.Equal((ReceiptEvent.SubmissionAcceptance, envelope.Ctx), (receipt.Event, receipt.Ctx));
    }

    [Fact]
    public async Task A_copy_of_somebody_else_and_one_that_does_not_exist_are_the_same_answer_on_every_route()
    {
        var (envelope, _, parcel) = await gateway.Accepted("H41", "H41");
        var (h14, nothing, id) = (gateway.As("H14"), Guid.CreateVersion7(), Crypto.Envelope.EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id);
        var receipt = OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover);
        foreach (var (method, route, body) in new (HttpMethod, string, byte[]?)[]
        {
            (HttpMethod.Get, "/mailbox/{0}", null), (HttpMethod.Get, "/mailbox/{0}/receipt", null), (HttpMethod.Post, "/mailbox/{0}/receipts", receipt),
            (HttpMethod.Get, "/dispatches/{1}", null), (HttpMethod.Get, "/dispatches/{1}/receipts", null),
        })
        {
            var others = await TestGateway.Send(h14, method, string.Format(System.Globalization.CultureInfo.InvariantCulture, route, parcel, id), body);
            var absent = await TestGateway.Send(h14, method, string.Format(System.Globalization.CultureInfo.InvariantCulture, route, nothing, nothing), body);
            Assert.Equal("E_NOT_FOUND", others.Code);
            Assert.Equal(absent.Body, others.Body);
            Assert.Equal((absent.Status, absent.Type), (others.Status, others.Type));
        }
    }

    [Fact]
    public async Task A_clearance_revoked_between_two_ranges_ends_the_copy_refused_with_a_receipt_to_the_sender()
    {
        var (envelope, _, parcel) = await gateway.Accepted("H41", "H41", size: 100_000);
        var h41 = gateway.As("H41");
        Assert.Equal(206, (await TestGateway.Send(h41, HttpMethod.Get, $"/mailbox/{parcel}", change: r => r.Headers.Range = new(0, 999))).Status);
        await gateway.TakeClearanceFrom("H41");
        try
        {
            Assert.Equal(("E_NOT_RELEASABLE", 403), await Code(h41, parcel));
            var receipts = await ReceiptsOf(envelope);
            Assert.Contains(receipts, r => r is { Event: ReceiptEvent.ContentConsignmentFailure, Code: "E_NOT_RELEASABLE", Office: "H41", Entry: not null });
        }
        finally { await gateway.GiveClearancesBack(); }
        Assert.Equal(("E_NOT_RELEASABLE", 403), await Code(h41, parcel));      // an end is an end
        Assert.Equal("refused", (await Listed("H41", parcel, all: true)).GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_copy_that_nobody_takes_in_time_expires_with_a_receipt()
    {
        var (envelope, _, parcel) = await gateway.Accepted("H37", "H37");
        gateway.Clock.Advance(TimeSpan.FromDays(6));
        try
        {
            await gateway.Host.Loops.StepAll();
            Assert.Equal(("E_EXPIRED", 422), await Code(gateway.As("H37"), parcel));
            Assert.Contains(await ReceiptsOf(envelope), r => r is { Event: ReceiptEvent.ContentConsignmentFailure, Code: "E_EXPIRED", Office: "H37" });
            Assert.Equal("expired", (await Listed("H37", parcel, all: true)).GetProperty("state").GetString());
        }
        finally { gateway.Clock.Advance(TimeSpan.FromDays(-6)); }
    }

    [Fact]
    public async Task A_waiting_list_answers_as_soon_as_a_copy_is_committed()
    {
        var h37 = gateway.As("H37");
        var last = (await TestGateway.Send(h37, HttpMethod.Get, "/mailbox?all=true")).Json.GetProperty("parcels").EnumerateArray().Select(p => p.GetProperty("parcel").GetString()).LastOrDefault();
        var (_, file) = await gateway.SealFile("H37");
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var waiting = TestGateway.Send(h37, HttpMethod.Get, $"/mailbox?wait=30{(last is null ? "" : $"&after={last}")}");
        Assert.Equal(201, (await gateway.Submit(file)).Status);
        var answer = await waiting;
        Assert.Single(answer.Json.GetProperty("parcels").EnumerateArray());
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(25), $"{watch.Elapsed}");
    }

    [Fact]
    public async Task A_waiting_list_ends_empty_when_nothing_comes() =>
        Assert.Empty((await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, "/mailbox?wait=1")).Json.GetProperty("parcels").EnumerateArray());

    [Theory, InlineData("wait=31"), InlineData("wait=-1"), InlineData("limit=100000"), InlineData("after=x"), InlineData("all=yes")]
    public async Task A_question_out_of_range_is_refused(string query) =>
        Assert.Equal("E_REQUEST", (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, $"/mailbox?{query}")).Code);

    async Task<JsonElement> Listed(string office, Guid parcel, bool all = false) =>
        (await TestGateway.Send(gateway.As(office), HttpMethod.Get, $"/mailbox?all={(all ? "true" : "false")}")).Json.GetProperty("parcels").EnumerateArray().Single(p => p.GetProperty("parcel").GetGuid() == parcel);

    async Task<IReadOnlyList<Receipt>> ReceiptsOf(Crypto.Envelope.SealedEnvelope envelope)
    {
        var id = Crypto.Envelope.EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id;
        var answer = await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{id}/receipts");
        return [.. answer.Json.GetProperty("receipts").EnumerateArray().Select(r => Statement.Read(System.Buffers.Text.Base64Url.DecodeFromChars(r.GetProperty("receipt").GetString()), StatementType.Receipt).As<Receipt>())];
    }

    static async Task<(string?, int)> Code(HttpClient client, Guid parcel)
    {
        var answer = await TestGateway.Send(client, HttpMethod.Get, $"/mailbox/{parcel}");
        return (answer.Code, answer.Status);
    }
}
