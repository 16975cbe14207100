using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;

namespace Exchange.Tests.Holding;

/// <summary>A dispatch at a level under dual control, from held to released or ended.</summary>
public sealed class HoldingTests : IAsyncLifetime
{
    TestGateway gateway = null!;
    HttpClient sender = null!;

    public async ValueTask InitializeAsync() => sender = (gateway = await TestGateway.Start()).As("G22");
    public async ValueTask DisposeAsync() => await gateway.DisposeAsync();

    async Task<(SealedEnvelope Envelope, byte[] File, Guid Id)> Held(int size = 1000, Func<SealRequest, SealRequest>? change = null)
    {
        var (envelope, file) = await gateway.SealFile("H41", "toi-mat", change, size);
        var answer = await gateway.Submit(file);
        Assert.True((answer.Status, answer.Type) == (202, "application/cms"), answer.Text);
        Assert.Equal((ReceiptEvent.SubmissionHold, "E_AWAITING_RELEASE"), (answer.Receipt.Event, answer.Receipt.Code));
        return (envelope, file, answer.Receipt.Envelope);
    }

    Task<Answer> Say(SealedEnvelope envelope, string person, string act = ApprovalAct.Release, Func<Approval, Approval>? change = null, string from = "G22") =>
        TestGateway.Send(sender, HttpMethod.Post, $"/dispatches/{EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id}/approvals", gateway.Word(envelope, person, act, change, from));

    async Task<string> State(Guid id) => (await TestGateway.Send(sender, HttpMethod.Get, $"/dispatches/{id}")).Json.GetProperty("state").GetString()!;

    async Task<int> InMailbox() => (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/mailbox?all=true")).Json.GetProperty("parcels").GetArrayLength();

    async Task<string[]> Events(Guid id) => [.. (await TestGateway.Send(sender, HttpMethod.Get, $"/dispatches/{id}/receipts")).Json.GetProperty("receipts").EnumerateArray().Select(r => r.GetProperty("event").GetString()!)];

    IReadOnlyList<Finding> Findings() => StoreCheck.Run(gateway.Host.Shared.Engine, gateway.Host.Shared.Blobs, []);

    [Theory, InlineData(1000), InlineData(40_000)]
    public async Task It_is_held_with_a_receipt_that_promises_no_delivery_and_is_in_nobodys_mailbox(int size)
    {
        var (envelope, file, id) = await Held(size);
        Assert.Equal("held", await State(id));
        Assert.Equal(0, await InMailbox());
        Assert.Equal([ReceiptEvent.SubmissionHold], await Events(id));
        using (var reader = gateway.Host.Shared.Engine.Reader())
        {
            Assert.Null(DispatchTable.Find(reader, "G22", id));
            Assert.Equal(0, reader.One<long>("SELECT (SELECT count(*) FROM parcel) + (SELECT count(*) FROM job) + (SELECT count(*) FROM dispatch)"));
        }
        var again = await gateway.Submit(file);
        Assert.Equal(202, again.Status);
        Assert.Equal((ReceiptEvent.SubmissionHold, envelope.Ctx), (again.Receipt.Event, again.Receipt.Ctx));
        var header = await TestGateway.Send(sender, HttpMethod.Get, $"/dispatches/{id}/header");
        Assert.Equal(envelope.Parts.Header.ToArray(), header.Body);
        Assert.Empty(Findings());
    }

    [Theory, InlineData(1000), InlineData(40_000)]
    public async Task Two_persons_release_it_and_it_is_accepted_delivered_and_proven_like_any_other(int size)
    {
        var (envelope, file, id) = await Held(size);
        var first = await Say(envelope, "release-1");
        Assert.Equal((201, ReceiptEvent.HoldApproval), (first.Status, first.Receipt.Event));
        Assert.Equal("held", await State(id));
        var second = await Say(envelope, "release-2");
        Assert.Equal(201, second.Status);

        Assert.Equal("accepted", await State(id));
        Assert.Equal([ReceiptEvent.SubmissionHold, ReceiptEvent.HoldApproval, ReceiptEvent.HoldApproval, ReceiptEvent.SubmissionAcceptance], await Events(id));
        var parcel = (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/mailbox")).Json.GetProperty("parcels")[0].GetProperty("parcel").GetGuid();
        var copy = await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, $"/mailbox/{parcel}");
        Assert.Equal(file, copy.Body);
        Assert.Equal(201, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Post, $"/mailbox/{parcel}/receipts", OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover))).Status);
        Assert.Equal("delivered", await State(id));

        // A repeat of the submission, and of an approval, now and later.
        var again = await gateway.Submit(file);
        Assert.Equal((200, ReceiptEvent.SubmissionAcceptance), (again.Status, again.Receipt.Event));
        var said = await Say(envelope, "release-1");
        Assert.Equal(200, said.Status);
        Assert.Equal(first.Body, said.Body);
        Assert.Empty(Findings());
    }

    [Fact]
    public async Task The_decision_that_released_it_names_both_persons_and_replays()
    {
        var (envelope, _, id) = await Held();
        await Say(envelope, "release-1");
        await Say(envelope, "release-2");
        using var reader = gateway.Host.Shared.Engine.Reader();
        var record = DecisionTable.Find(reader, DispatchTable.Read(reader, "G22", id)!.Decision)!.Record;
        Assert.True(Decision.Replay(record, gateway.Host.Shared.Worlds.Current.Policy));
        Assert.Equal(new[] { "release-1", "release-2" }.Select(p => DevPkiFolder.Person("G22", p).Certificate.Key).ToHashSet(),
            Decision.FactsOf(record)!.Approvals.Where(a => a.Act == ApprovalAct.Release).Select(a => a.Person).ToHashSet());
    }

    [Fact]
    public async Task One_person_counts_once_however_often_he_says_it()
    {
        var (envelope, _, id) = await Held();
        await Say(envelope, "release-1");
        Assert.Equal(200, (await Say(envelope, "release-1")).Status);
        var other = await Say(envelope, "release-1", change: a => a with { NotAfter = a.NotAfter - 1 });
        Assert.Equal(200, other.Status);
        Assert.Equal("held", await State(id));
        Assert.Equal([ReceiptEvent.SubmissionHold, ReceiptEvent.HoldApproval], await Events(id));
    }

    [Theory]
    [InlineData("clerk", "E_APPROVAL")]
    [InlineData("signatory", "E_APPROVAL")]
    public async Task A_person_without_the_role_and_the_one_who_had_it_sent_do_not_count(string person, string code)
    {
        var (envelope, _, id) = await Held();
        var answer = await Say(envelope, person);
        Assert.Equal((422, code), (answer.Status, answer.Code));
        await Say(envelope, "release-1");
        Assert.Equal("held", await State(id));
    }

    [Fact]
    public async Task A_person_of_another_office_does_not_count_and_sees_nothing_of_it()
    {
        var (envelope, _, id) = await Held();
        Assert.Equal("E_APPROVAL", (await Say(envelope, "signatory", from: "H41")).Code);
        Assert.Equal(404, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Post, $"/dispatches/{id}/approvals", gateway.Word(envelope, "release-1"))).Status);
        Assert.Empty((await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/held")).Json.GetProperty("held").EnumerateArray());
        Assert.Equal(404, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, $"/dispatches/{id}/header")).Status);
    }

    public static readonly TheoryData<string, string, string> OtherWords = new()
    {
        { "another dispatch", "E_APPROVAL", "dispatch" }, { "another office", "E_APPROVAL", "from" }, { "other addressees", "E_APPROVAL", "to" },
        { "another label", "E_LABEL_MISMATCH", "label" }, { "lapsed", "E_APPROVAL", "lapsed" }, { "another act", "E_APPROVAL", "act" },
    };

    [Theory, MemberData(nameof(OtherWords))]
    public async Task A_word_about_something_else_is_refused(string what, string code, string member)
    {
        Assert.NotEmpty(what);
        var (envelope, _, id) = await Held();
        var answer = await Say(envelope, "release-1", change: a => member switch
        {
            "dispatch" => a with { Dispatch = Digest.Of("other"u8) },
            "from" => a with { From = "H41" },
            "to" => a with { To = ["H14"] },
            "label" => a with { Label = a.Label with { Basis = "another" } },
            "lapsed" => a with { NotAfter = gateway.Clock.GetUtcNow().ToUnixTimeMilliseconds() - 1000 },
            _ => a with { Act = ApprovalAct.Send },
        });
        Assert.Equal((422, code), (answer.Status, answer.Code));
        Assert.Equal([ReceiptEvent.SubmissionHold], await Events(id));
    }

    [Fact]
    public async Task A_person_who_may_release_may_refuse_and_that_is_the_end()
    {
        var (envelope, file, id) = await Held(40_000);
        await Say(envelope, "release-1");
        Assert.Equal(201, (await Say(envelope, "release-2", ApprovalAct.Refuse)).Status);
        await AssertEnded(envelope, file, id, "E_RELEASE_REFUSED");
        Assert.Equal("E_NOT_HELD", (await Say(envelope, "release-2")).Code);
    }

    [Fact]
    public async Task Nobody_came_in_time_so_waiting_becomes_a_no()
    {
        var (envelope, file, id) = await Held(40_000, r => r with { Times = r.Times with { Expires = gateway.Clock.GetUtcNow().AddHours(3).ToUnixTimeMilliseconds() } });
        await Say(envelope, "release-1");
        gateway.Clock.Advance(TimeSpan.FromHours(2.9));
        await gateway.Host.Loops.StepAll();
        Assert.Equal("held", await State(id));
        gateway.Clock.Advance(TimeSpan.FromHours(0.2));
        await gateway.Host.Loops.StepAll();
        await AssertEnded(envelope, file, id, "E_HOLD_EXPIRED");
    }

    [Fact]
    public async Task The_gateways_own_limit_ends_it_too()
    {
        await gateway.DisposeAsync();
        sender = (gateway = await TestGateway.Start(l => l with { HoldHours = 2 })).As("G22");
        var (envelope, file, id) = await Held();
        gateway.Clock.Advance(TimeSpan.FromHours(2.1));
        await gateway.Host.Loops.StepAll();
        await AssertEnded(envelope, file, id, "E_HOLD_EXPIRED");
    }

    [Fact]
    public async Task A_clearance_taken_away_while_it_waits_ends_it_and_the_sender_is_not_told_whose()
    {
        var (envelope, file, id) = await Held();
        await Say(envelope, "release-1");
        await gateway.TakeClearanceFrom("H41");
        await Say(envelope, "release-2");
        await AssertEnded(envelope, file, id, "E_NOT_RELEASABLE");
    }

    async Task AssertEnded(SealedEnvelope envelope, byte[] file, Guid id, string code)
    {
        Assert.Equal("refused", await State(id));
        Assert.Equal(0, await InMailbox());
        Assert.Equal(ReceiptEvent.SubmissionRejection, (await Events(id))[^1]);
        // Sealed bytes of what was refused are not kept.
        using (var reader = gateway.Host.Shared.Engine.Reader()) Assert.Null(HeldTable.Find(reader, "G22", id)!.Payload);
        Assert.Empty(gateway.Host.Shared.Blobs.All());
        var again = await gateway.Submit(file);
        Assert.Equal((403, code, envelope.Ctx), (again.Status, again.Code, again.RejectionReceipt.Ctx));
        Assert.Empty(Findings());
    }

    [Fact]
    public async Task Persons_who_lost_their_role_while_it_waits_do_not_count()
    {
        var (envelope, _, id) = await Held();
        await Say(envelope, "release-1");
        await gateway.Handle("toi-mat", h => h with { Release = new(2, ["signatory"]) });
        Assert.Equal("E_APPROVAL", (await Say(envelope, "release-2")).Code);
        await gateway.Host.Loops.StepAll();
        Assert.Equal("held", await State(id));
    }

    [Fact]
    public async Task What_a_new_policy_does_not_hold_any_more_goes_at_the_next_look()
    {
        var (_, _, id) = await Held();
        await gateway.Handle("tuyet-mat", h => h);
        await gateway.Handle("toi-mat", h => h with { Release = new(0, []) });
        await gateway.Host.Loops.StepAll();
        Assert.Equal("accepted", await State(id));
    }

    [Fact]
    public async Task Killed_after_the_second_word_it_is_released_by_the_next_run()
    {
        var (envelope, _, id) = await Held();
        await Say(envelope, "release-1");
        // The word is filed and the process dies before it decides: the row of the word alone.
        var word = gateway.Word(envelope, "release-2");
        await File(id, word);
        Assert.Equal("held", await State(id));
        await gateway.Restart();
        sender = gateway.As("G22");
        await gateway.Host.Loops.StepAll();
        Assert.Equal("accepted", await State(id));
        Assert.Empty(Findings());
    }

    async Task File(Guid id, byte[] word)
    {
        var shared = gateway.Host.Shared;
        HeldRow row;
        using (var reader = shared.Engine.Reader()) row = HeldTable.Find(reader, "G22", id)!;
        var entry = LedgerEntry.Create(new HoldApprovalDetail("G22", id, row.Ctx, ApprovalAct.Release, Digest.Of("any"u8)) { Time = row.HeldAt });
        var receipt = shared.Evidence.Sign(ReceiptEvent.HoldApproval, "OK", new("G22", id, row.Ctx, row.ManifestDigest, null, null), entry, shared.Worlds.Current.Policy.Ref, gateway.Clock.GetUtcNow());
        Assert.True(await shared.Journal.Commit(b =>
        {
            if (!HeldTable.TryApprove(b, new HeldApprovalRow { Held = row.Id, Person = DevPkiFolder.Person("G22", "release-2").Certificate.Key, Act = ApprovalAct.Release, Time = row.HeldAt, Leaf = entry.Leaf, Der = word })) return false;
            b.Log(entry, EntryKind.HoldApproval, row.Id).Add(Gateway.Receipts.ReceiptRows.Of(receipt, null, null) with { Held = row.Id });
            return true;
        }));
    }

    [Fact]
    public async Task Its_payload_is_no_orphan_however_long_it_waits()
    {
        var (_, _, id) = await Held(40_000);
        gateway.Clock.Advance(TimeSpan.FromHours(30));
        await gateway.Host.Loops.StepAll();
        Assert.Single(gateway.Host.Shared.Blobs.All());
        Assert.Equal("held", await State(id));
    }

    [Fact]
    public async Task Two_who_approve_at_once_make_one_dispatch()
    {
        var (envelope, _, id) = await Held();
        var answers = await Task.WhenAll(new[] { "release-1", "release-2", "release-1", "release-2" }.Select(p => Say(envelope, p)));
        Assert.All(answers, a => Assert.True(a.Status is 200 or 201, a.Text));
        Assert.Equal("accepted", await State(id));
        Assert.Equal(1, await InMailbox());
        Assert.Empty(Findings());
    }

    [Fact]
    public async Task Those_who_released_it_before_it_was_sent_need_not_come_again()
    {
        var (_, file) = await gateway.SealFile("H41", "toi-mat", r => r with { Releasers = [DevPkiFolder.Person("G22", "release-1"), DevPkiFolder.Person("G22", "release-2")] });
        Assert.Equal(201, (await gateway.Submit(file)).Status);
        var (one, half) = await gateway.SealFile("H41", "toi-mat", r => r with { Releasers = [DevPkiFolder.Person("G22", "release-1")] });
        Assert.Equal(202, (await gateway.Submit(half)).Status);
        Assert.Equal(201, (await Say(one, "release-2")).Status);
        Assert.Equal(2, await InMailbox());
    }

    [Fact]
    public async Task The_list_says_who_has_come_how_many_are_missing_and_until_when()
    {
        var (envelope, _, id) = await Held();
        await Say(envelope, "release-1");
        var held = Assert.Single((await TestGateway.Send(sender, HttpMethod.Get, "/held")).Json.GetProperty("held").EnumerateArray());
        var need = Assert.Single(held.GetProperty("needs").EnumerateArray());
        Assert.Equal((id, "release", 2, 1, 30), (held.GetProperty("id").GetGuid(), need.GetProperty("act").GetString()!, need.GetProperty("persons").GetInt32(), need.GetProperty("missing").GetInt32(), held.GetProperty("level").GetInt32()));
        Assert.Equal(["release-officer", "signatory"], need.GetProperty("roles").EnumerateArray().Select(r => r.GetString()!));
        Assert.Equal(["H41"], held.GetProperty("to").EnumerateArray().Select(r => r.GetString()!));
        Assert.Equal(72 * 3_600_000L, held.GetProperty("until").GetInt64() - held.GetProperty("heldAt").GetInt64());
        var word = Assert.Single(held.GetProperty("approvals").EnumerateArray());
        Assert.Equal(("release", DevPkiFolder.Person("G22", "release-1").Certificate.Key.ToString()), (word.GetProperty("act").GetString()!, word.GetProperty("person").GetString()!));
        Assert.Empty((await TestGateway.Send(sender, HttpMethod.Get, $"/held?after={id}")).Json.GetProperty("held").EnumerateArray());
    }

    [Fact]
    public async Task A_payload_that_came_by_itself_is_held_as_well()
    {
        var (envelope, file) = await gateway.SealFile("H41", "toi-mat", size: 70_000);
        var parts = EnvelopeFile.Write(envelope.Parts);
        var announced = await TestGateway.Send(sender, HttpMethod.Post, "/dispatches", parts);
        Assert.Equal((202, "application/json"), (announced.Status, announced.Type));
        var id = announced.Json.GetProperty("id").GetGuid();
        var held = await TestGateway.Send(sender, HttpMethod.Put, $"/dispatches/{id}/payload", file[parts.Length..]);
        Assert.Equal((202, "application/cms"), (held.Status, held.Type));
        Assert.Equal((202, "application/cms"), (await TestGateway.Send(sender, HttpMethod.Put, $"/dispatches/{id}/payload", file[parts.Length..])) is var again ? (again.Status, again.Type) : default);
        await gateway.Restart();
        sender = gateway.As("G22");
        Assert.Equal("held", await State(id));
        await Say(envelope, "release-1");
        await Say(envelope, "release-2");
        Assert.Equal("accepted", await State(id));
        Assert.Empty(Findings());
    }

    [Fact]
    public async Task Another_envelope_under_the_identifier_of_one_that_is_held_is_refused()
    {
        var id = Guid.CreateVersion7();
        await Held(change: r => r with { Id = id });
        var (_, other) = await gateway.SealFile("H41", change: r => r with { Id = id });
        Assert.Equal("E_SAME_ID", (await gateway.Submit(other)).Code);
    }
}
