using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;

namespace Exchange.Tests.Handling;

/// <summary>Handling statuses: the receiving office's signed word about its copy, in order for the sender whatever order it came in.</summary>
public sealed class HandlingTests(SharedGateway shared) : IClassFixture<SharedGateway>
{
    readonly TestGateway gateway = shared.Gateway;

    static Guid Id(SealedEnvelope envelope) => EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id;

    async Task<(SealedEnvelope Envelope, Guid Parcel)> Delivered(string to = "H41")
    {
        var (envelope, _, parcel) = await gateway.Accepted(to, "H41");
        Assert.Equal(201, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Post, $"/mailbox/{parcel}/receipts", OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover))).Status);
        return (envelope, parcel);
    }

    Task<Answer> Say(Guid parcel, byte[] status, string office = "H41") => TestGateway.Send(gateway.As(office), HttpMethod.Post, $"/mailbox/{parcel}/statuses", status);

    async Task<JsonElement> Copy(SealedEnvelope envelope, string office = "H41") => (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{Id(envelope)}")).Json
        .GetProperty("copies").EnumerateArray().Single(c => c.GetProperty("office").GetString() == office);

    static string[] Codes(JsonElement list) => [.. list.GetProperty("statuses").EnumerateArray().Select(s => $"{s.GetProperty("sequence")}:{s.GetProperty("code").GetString()}")];

    long Newest()
    {
        using var reader = gateway.Host.Shared.Engine.Reader();
        return StatusTable.After(reader, "G22", 0, 1000) is [.., var last] ? last.N : 0;
    }

    IReadOnlyList<Finding> Findings() => StoreCheck.Run(gateway.Host.Shared.Engine, gateway.Host.Shared.Blobs, []);

    [Fact]
    public async Task What_an_office_says_of_its_copy_is_on_record_and_reaches_the_sender()
    {
        var (envelope, parcel) = await Delivered();
        var (first, after) = (Status.Sign(envelope, 1, "01"), Newest());
        var answer = await Say(parcel, first);
        Assert.Equal((201, ReceiptEvent.HandlingStatus, "OK", "H41"), (answer.Status, answer.Receipt.Event, answer.Receipt.Code, answer.Receipt.Office));
        Assert.Equal(201, (await Say(parcel, Status.Sign(envelope, 2, "02", reason: "misaddressed"))).Status);

        var copy = await Copy(envelope);
        Assert.Equal(("02", "misaddressed"), (copy.GetProperty("handling").GetString(), copy.GetProperty("statuses")[1].GetProperty("reason").GetString()));
        var feed = (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/statuses?after={after}")).Json;
        Assert.Equal(["1:01", "2:02"], Codes(feed));
        Assert.Equal(Id(envelope), feed.GetProperty("statuses")[0].GetProperty("id").GetGuid());
        Assert.Equal(first, System.Buffers.Text.Base64Url.DecodeFromChars(feed.GetProperty("statuses")[0].GetProperty("statement").GetString()));
        Assert.Equal(Codes(feed), Codes((await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{Id(envelope)}/statuses")).Json));
        Assert.Equal(Codes(feed), Codes((await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, $"/mailbox/{parcel}/statuses")).Json));

        // Our receipt is among the sender's, and its entry commits to the office's statement.
        var detail = Assert.IsType<StatusDetail>(EntryDetails.Read(System.Text.Encoding.UTF8.GetBytes(answer.Receipt.Entry!.Detail)));
        Assert.Equal((1L, "01", Statement.Read(first, StatementType.Status).Ref), (detail.Sequence, detail.Code, detail.Statement));
        Assert.Equal(2, (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{Id(envelope)}/receipts")).Json.GetProperty("receipts").EnumerateArray().Count(r => r.GetProperty("event").GetString() == ReceiptEvent.HandlingStatus));
        Assert.Empty(Findings());
    }

    /// <summary>The written rule, as a table: what comes, in which order, how each is answered, and what the sender then sees.</summary>
    public static readonly TheoryData<string, string, string, string> Orders = new()
    {
        { "1:01 2:03 3:06", "201 201 201", "06", "1:01 2:03 3:06" },
        { "3:06 1:01 2:03", "201 201 201", "06", "1:01 2:03 3:06" },    // late ones are kept in their place and undo nothing
        { "1:01 1:01 2:03 1:01", "201 200 201 200", "03", "1:01 2:03" },  // doubled
        { "1:01 2:03 2:04", "201 201 409", "03", "1:01 2:03" },           // another under the same number
        { "1:05 2:04", "201 201", "04", "1:05 2:04" },                    // the office's number orders, not the code
        { "5:06", "201", "06", "5:06" },                                  // what is between has not come yet
    };

    [Theory, MemberData(nameof(Orders))]
    public async Task Late_doubled_and_disordered_ones_follow_one_rule(string come, string answers, string handling, string seen)
    {
        var (envelope, parcel) = await Delivered();
        Dictionary<string, byte[]> signed = [];
        List<(int Status, byte[] Receipt)> got = [];
        foreach (var one in come.Split(' '))
        {
            if (!signed.TryGetValue(one, out var der)) signed[one] = der = Status.Sign(envelope, int.Parse(one[..1], System.Globalization.CultureInfo.InvariantCulture), one[2..]);
            var answer = await Say(parcel, der);
            got.Add((answer.Status, answer.Body));
        }
        Assert.Equal(answers, string.Join(' ', got.Select(g => g.Status)));
        // Doubled: the same answer, byte for byte.
        foreach (var repeat in got.Where(g => g.Status == 200)) Assert.Contains(got, g => g.Status == 201 && g.Receipt.AsSpan().SequenceEqual(repeat.Receipt));
        Assert.Equal(handling, (await Copy(envelope)).GetProperty("handling").GetString());
        Assert.Equal(seen, string.Join(' ', Codes((await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{Id(envelope)}/statuses")).Json)));
        Assert.Empty(Findings());
    }

    [Fact]
    public async Task A_statement_signed_again_is_the_same_statement()
    {
        var (envelope, parcel) = await Delivered();
        var at = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        var (one, two) = (Status.Sign(envelope, 1, "01", change: s => s with { Time = at }), Status.Sign(envelope, 1, "01", change: s => s with { Time = at }));
        Assert.NotEqual(one, two);
        Assert.Equal((201, 200), ((await Say(parcel, one)).Status, (await Say(parcel, two)).Status));
    }

    [Fact]
    public async Task Of_two_that_race_for_one_number_one_is_on_record_and_both_are_told()
    {
        var (envelope, parcel) = await Delivered();
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Say(parcel, Status.Sign(envelope, 1, i % 2 == 0 ? "03" : "04"))));
        Assert.Single(answers, a => a.Status == 201);
        Assert.All(answers.Where(a => a.Status != 201), a => Assert.Equal("E_STATUS_SEQUENCE", a.Code));
        Assert.Single((await Copy(envelope)).GetProperty("statuses").EnumerateArray());
    }

    [Fact]
    public async Task What_does_not_fit_the_copy_or_its_signer_is_refused_and_nothing_is_on_record()
    {
        var (envelope, parcel) = await Delivered();
        var other = Digest.Of("other"u8);
        byte[] With(Func<HandlingStatus, HandlingStatus> change, string code = "03", string? reason = null) => Status.Sign(envelope, 1, code, reason: reason, change: change);
        var wrong = new Dictionary<string, (byte[] Statement, string Code)>
        {
            ["another envelope"] = (With(s => s with { Ctx = other }), "E_STATUS"),
            ["another manifest"] = (With(s => s with { ManifestDigest = other }), "E_STATUS"),
            ["another id"] = (With(s => s with { Envelope = Guid.CreateVersion7() }), "E_STATUS"),
            ["another key"] = (With(s => s with { Key = other }), "E_STATUS"),
            ["another office"] = (With(s => s with { Office = "H14" }), "E_STATUS"),
            ["another sender"] = (With(s => s with { Sender = "H14" }), "E_STATUS"),
            ["the future"] = (With(s => s with { Time = s.Time + 3_600_000 }), "E_STATUS"),
            ["a code that is none"] = (With(s => s with { Code = "07" }), "E_STATUS"),
            ["the sender's code"] = (With(s => s with { Code = "13" }), "E_STATUS"),
            ["no number"] = (With(s => s with { Sequence = 0 }), "E_STATUS"),
            ["a number beyond all"] = (With(s => s with { Sequence = 1001 }), "E_STATUS"),
            ["a refusal without reason"] = (With(s => s, "02"), "E_STATUS"),
            ["free text"] = (With(s => s with { Reason = "vì lý do khác" }, "02"), "E_STATUS"),
            ["a reason without refusal"] = (With(s => s with { Reason = "duplicate" }), "E_STATUS"),
            ["an answer to nothing"] = (With(s => s with { Code = "15", Answers = new(Guid.CreateVersion7(), other, 1) }), "E_STATUS"),
            ["an answer without what is answered"] = (With(s => s with { Code = "15" }), "E_STATUS"),
            ["what is answered without an answer"] = (With(s => s with { Answers = new(Guid.CreateVersion7(), other, 1) }), "E_STATUS"),
            ["another office's key"] = (Status.Sign(envelope, 1, "03", signer: DevPkiFolder.Sign("H14")), "E_SIGNER_UNKNOWN"),
            ["a person's key"] = (Status.Sign(envelope, 1, "03", signer: DevPkiFolder.Person("H41", "clerk")), "E_SIGNER_UNKNOWN"),
            ["a receipt"] = (OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover), "E_STATEMENT_TYPE"),
        };
        foreach (var (name, (statement, code)) in wrong)
        {
            var answer = await Say(parcel, statement);
            Assert.True(answer.Code == code, $"{name}: {answer.Status} {answer.Code}");
        }
        Assert.Equal("E_NOT_FOUND", (await Say(parcel, Status.Sign(envelope, 1, "03"), office: "H14")).Code);
        Assert.Equal(JsonValueKind.Null, (await Copy(envelope)).GetProperty("handling").ValueKind);
        // What has not been handed over has not been handled.
        var (waiting, _, unfetched) = await gateway.Accepted("H41", "H41");
        Assert.Equal("E_STATUS", (await Say(unfetched, Status.Sign(waiting, 1, "01"))).Code);
    }

    [Fact]
    public async Task The_sender_waits_for_the_next_one_and_goes_on_where_it_stopped()
    {
        var (envelope, parcel) = await Delivered();
        var after = Newest();
        var waiting = TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/statuses?after={after}&wait=30");
        Assert.False(waiting.IsCompleted);
        await Say(parcel, Status.Sign(envelope, 1, "01"));
        var first = Assert.Single((await waiting).Json.GetProperty("statuses").EnumerateArray());
        Assert.Equal(after + 1, first.GetProperty("n").GetInt64());
        await Say(parcel, Status.Sign(envelope, 2, "03"));
        Assert.Equal(["2:03"], Codes((await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/statuses?after={after + 1}")).Json));
        Assert.Equal(["1:01", "2:03"], Codes((await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/statuses?after={after}&limit=10")).Json));
    }

    [Fact]
    public async Task The_place_counts_only_the_senders_own_and_tells_the_office_nothing()
    {
        var (envelope, parcel) = await Delivered();
        await Say(parcel, Status.Sign(envelope, 1, "01"));
        var (own, file) = await gateway.SealFile("H41", from: "H14");
        Assert.Equal(201, (await gateway.Submit(file, "H14")).Status);
        var mine = (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/mailbox")).Json.GetProperty("parcels").EnumerateArray().Last().GetProperty("parcel").GetGuid();
        await TestGateway.Send(gateway.As("H41"), HttpMethod.Post, $"/mailbox/{mine}/receipts", OfficeReceipts.Sign(own, ReceiptEvent.ContentHandover));
        Assert.Equal(201, (await Say(mine, Status.Sign(own, 1, "03"))).Status);
        Assert.Equal(1, Assert.Single((await TestGateway.Send(gateway.As("H14"), HttpMethod.Get, "/statuses")).Json.GetProperty("statuses").EnumerateArray()).GetProperty("n").GetInt64());
        Assert.Equal(JsonValueKind.Null, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, $"/mailbox/{mine}/statuses")).Json.GetProperty("statuses")[0].GetProperty("n").ValueKind);
    }

    [Fact]
    public async Task A_status_that_is_changed_or_lost_behind_the_journal_is_found()
    {
        await using var alone = await TestGateway.Start();
        var (envelope, _, parcel) = await alone.Accepted("H41", "H41");
        await TestGateway.Send(alone.As("H41"), HttpMethod.Post, $"/mailbox/{parcel}/receipts", OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover));
        Assert.Equal(201, (await TestGateway.Send(alone.As("H41"), HttpMethod.Post, $"/mailbox/{parcel}/statuses", Status.Sign(envelope, 1, "01"))).Status);
        foreach (var (sql, problem) in new[]
        {
            ("UPDATE status SET der = x'3000'", "its bytes are not those of its digest"), ("UPDATE status SET sender = 'H14'", "its parcel is missing, or of another sender"),
            ("UPDATE status SET n = 2", "one before it is missing"), ("DELETE FROM status", "the status it is about is missing"),
        })
        {
            using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={DataFolder.DatabaseIn(alone.Data)};Pooling=False"))
            {
                connection.Open();
                using var command = connection.CreateCommand();
                command.CommandText = "PRAGMA foreign_keys = OFF; " + sql;
                command.ExecuteNonQuery();
            }
            Assert.Contains(StoreCheck.Run(alone.Host.Shared.Engine, alone.Host.Shared.Blobs, []), f => f.Problem == problem);
        }
    }
}
