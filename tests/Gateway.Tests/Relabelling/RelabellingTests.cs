using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Relabelling;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;

namespace Exchange.Tests.Relabelling;

/// <summary>A label raised, lowered and declassified by persons, and what follows for the copies (R13, R14).</summary>
public sealed class RelabellingTests : IAsyncLifetime
{
    TestGateway gateway = null!;

    public async ValueTask InitializeAsync() => gateway = await TestGateway.Start();
    public async ValueTask DisposeAsync() => await gateway.DisposeAsync();

    [Fact]
    public async Task One_authorised_person_raises_a_label_and_it_counts_at_once()
    {
        var dispatch = await Relabel.Accepted(gateway, "thuong", "H14,H41");
        var change = await dispatch.Change(LabelAct.Label, "mat");
        var answer = await dispatch.Say(change);
        Assert.Equal((201, ReceiptEvent.LabelChange, "OK"), (answer.Status, answer.Receipt.Event, answer.Receipt.Code));
        Assert.Equal((dispatch.Envelope.Ctx, "G22"), (answer.Receipt.Ctx, answer.Receipt.Sender));

        var shown = await dispatch.Shown();
        Assert.Equal((20, change.Ref.ToString()), (shown.GetProperty("label").GetProperty("class").GetInt32(), shown.GetProperty("previous").GetString()));
        var said = Assert.Single(Assert.Single(shown.GetProperty("changes").EnumerateArray()).GetProperty("words").EnumerateArray());
        Assert.Equal(DevPkiFolder.Person("G22", "signatory").Certificate.Key.ToString(), said.GetProperty("person").GetString());
        Assert.Equal(20, (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{dispatch.Id}")).Json.GetProperty("level").GetInt32());
        // What the author signed is what it was.
        Assert.Equal(dispatch.Envelope.Parts.Header.ToArray(), (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{dispatch.Id}/header")).Body);
        Assert.Equal(["OK"], await dispatch.Receipts());
        Assert.Empty(dispatch.Findings());
    }

    [Fact]
    public async Task A_raised_label_stops_the_copy_of_an_office_that_is_not_cleared_and_no_other()
    {
        var dispatch = await Relabel.Accepted(gateway, "thuong", "H14,H41");
        Assert.Equal((200, null), await dispatch.Download("H14"));
        Assert.Equal(201, (await dispatch.Say(await dispatch.Change(LabelAct.Label, "mat"))).Status);
        Assert.Equal((403, "E_NOT_RELEASABLE"), await dispatch.Download("H14"));
        Assert.Equal((200, null), await dispatch.Download("H41"));
        var copies = (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{dispatch.Id}")).Json.GetProperty("copies").EnumerateArray().ToDictionary(c => c.GetProperty("office").GetString()!, c => c.GetProperty("state").GetString());
        Assert.Equal(("refused", "available"), (copies["H14"], copies["H41"]));
        Assert.Empty(dispatch.Findings());
    }

    [Fact]
    public async Task A_recipient_raises_what_it_got_and_the_sender_sees_by_whom()
    {
        var dispatch = await Relabel.Accepted(gateway, "mat");
        Assert.Equal(201, (await dispatch.Say(await dispatch.Change(LabelAct.Label, "toi-mat"), office: "H41")).Status);
        Assert.Equal(30, dispatch.InForce());
        Assert.Equal("H41", (await dispatch.Shown()).GetProperty("changes")[0].GetProperty("words")[0].GetProperty("office").GetString());
        // H37 has a copy, and no clearance for what it now is: it sees nothing of it, and once its copy has ended it has no say.
        var labels = $"/mailbox/{await dispatch.Parcel("H37")}/labels";
        Assert.Equal((403, "E_NOT_RELEASABLE"), await TestGateway.Send(gateway.As("H37"), HttpMethod.Get, labels) is var a ? (a.Status, a.Code) : default);
        Assert.Equal(404, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, labels)).Status);
        Assert.Equal((403, "E_NOT_RELEASABLE"), await dispatch.Download("H37"));
        Assert.Equal(404, (await TestGateway.Send(gateway.As("H37"), HttpMethod.Get, labels)).Status);
    }

    [Fact]
    public async Task Nobody_sees_a_label_above_his_clearance_also_not_among_those_of_before_nor_its_own_sender()
    {
        var dispatch = await Relabel.Accepted(gateway, "thuong", "H14,H41");
        await dispatch.Say(await dispatch.Change(LabelAct.Label, "mat"));
        await gateway.Activate(DevPkiFolder.Standing(2, o => o.Code == "G22" ? o with { Clearance = o.Clearance with { Classes = [10] } } : o));
        var own = await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{dispatch.Id}");
        Assert.Equal((JsonValueKind.Null, 403), (own.Json.GetProperty("level").ValueKind, (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{dispatch.Id}/labels")).Status));

        await gateway.Activate(DevPkiFolder.Standing(3, o => o));
        var change = await dispatch.Change(LabelAct.Label, "thuong");
        await dispatch.Say(change);
        await dispatch.Say(change, office: "H41");
        Assert.Equal(2, (await dispatch.Shown()).GetProperty("changes").GetArrayLength());
        Assert.Equal(change.Ref.ToString(), Assert.Single((await dispatch.Shown("H14")).GetProperty("changes").EnumerateArray()).GetProperty("ref").GetString());
    }

    [Theory]
    [InlineData("clerk", "G22", "mat")]         // may not classify at that level
    [InlineData("signatory", "H37", "toi-mat")] // whose office is not cleared for the new label
    public async Task Who_may_not_classify_so_or_is_not_cleared_raises_nothing(string person, string office, string level)
    {
        var dispatch = await Relabel.Accepted(gateway, level == "mat" ? "thuong" : "mat");
        var answer = await dispatch.Say(await dispatch.Change(LabelAct.Label, level), person, office);
        Assert.Equal((403, "E_RELABEL_PERSONS"), (answer.Status, answer.Code));
        Assert.Equal((ReceiptEvent.LabelChange, "E_RELABEL_PERSONS"), (answer.RejectionReceipt.Event, answer.RejectionReceipt.Code));
        Assert.Equal(level == "mat" ? 10 : 20, dispatch.InForce());
        Assert.Empty((await dispatch.Shown()).GetProperty("changes").EnumerateArray());
        Assert.Empty(dispatch.Findings());
    }

    [Fact]
    public async Task Lowering_waits_for_a_second_person_and_then_counts()
    {
        var dispatch = await Relabel.Accepted(gateway, "mat");
        var change = await dispatch.Change(LabelAct.Label, "thuong", reason: "made-public");
        var first = await dispatch.Say(change, office: "H41");
        Assert.Equal((202, ReceiptEvent.LabelChange, "E_RELABEL_PERSONS"), (first.Status, first.Receipt.Event, first.Receipt.Code));
        Assert.Equal(20, dispatch.InForce());
        Assert.Equal("waiting", (await dispatch.Shown()).GetProperty("changes")[0].GetProperty("state").GetString());

        var second = await dispatch.Say(change);
        Assert.Equal((201, "OK"), (second.Status, second.Receipt.Code));
        Assert.Equal(10, dispatch.InForce());
        Assert.Equal((200, null), await dispatch.Download("H37"));
        Assert.Equal(["E_RELABEL_PERSONS", "OK"], await dispatch.Receipts());
        var (record, facts) = dispatch.Newest();
        Assert.True(Decision.Replay(record, gateway.Host.Shared.Worlds.Current.Policy));
        Assert.Equal(["G22", "H41"], facts.Persons.Select(p => p.Office).Order());
        Assert.Empty(dispatch.Findings());
    }

    [Fact]
    public async Task Both_may_come_in_either_order_and_one_of_them_is_of_the_originating_office()
    {
        var dispatch = await Relabel.Accepted(gateway, "toi-mat", "H41", r => r with { Releasers = [DevPkiFolder.Person("G22", "release-1"), DevPkiFolder.Person("G22", "release-2")] });
        var change = await dispatch.Change(LabelAct.Label, "mat");
        Assert.Equal(202, (await dispatch.Say(change)).Status);
        Assert.Equal(201, (await dispatch.Say(change, "release-1")).Status);
        Assert.Equal(20, dispatch.InForce());
        // Nobody hands in the word of another office's person.
        change = await dispatch.Change(LabelAct.Label, "thuong");
        Assert.Equal("E_LABEL_CHANGE", (await dispatch.Send(dispatch.Sign(change, office: "H41"), "G22")).Code);
    }

    [Fact]
    public async Task Two_persons_of_other_offices_lower_nothing_until_one_of_the_originating_office_agrees()
    {
        var dispatch = await Relabel.Accepted(gateway, "mat");
        var change = await dispatch.Change(LabelAct.Label, "thuong");
        Assert.Equal(202, (await dispatch.Say(change, office: "H41")).Status);
        Assert.Equal(202, (await dispatch.Say(change, office: "H37")).Status);
        Assert.Equal(20, dispatch.InForce());
        Assert.Equal(201, (await dispatch.Say(change)).Status);
        Assert.Equal((10, 3), (dispatch.InForce(), dispatch.Newest().Facts.Persons.Length));
    }

    [Fact]
    public async Task One_person_is_one_however_often_he_signs()
    {
        var dispatch = await Relabel.Accepted(gateway, "mat");
        var change = await dispatch.Change(LabelAct.Label, "thuong");
        var first = await dispatch.Say(change);
        foreach (var spoil in new Func<LabelStatement, LabelStatement>[] { s => s, s => s with { NotAfter = s.NotAfter + 1 } })
        {
            var again = await dispatch.Send(dispatch.Sign(change, spoil: spoil));
            Assert.Equal((200, first.Receipt.Id), (again.Status, again.Receipt.Id));
        }
        Assert.Equal(20, dispatch.InForce());
        Assert.Equal(["E_RELABEL_PERSONS"], await dispatch.Receipts());
    }

    [Fact]
    public async Task The_second_person_has_to_be_cleared_at_the_old_level()
    {
        var dispatch = await Relabel.Accepted(gateway, "mat");
        var change = await dispatch.Change(LabelAct.Label, "thuong");
        await gateway.TakeClearanceFrom("H41");
        Assert.Equal(202, (await dispatch.Say(change)).Status);
        Assert.Equal(202, (await dispatch.Say(change, office: "H41")).Status);
        Assert.Equal(20, dispatch.InForce());
    }

    [Fact]
    public async Task Without_a_reason_nothing_is_lowered()
    {
        var dispatch = await Relabel.Accepted(gateway, "mat");
        Assert.Equal((403, "E_RELABEL_PERSONS"), await dispatch.Say(await dispatch.Change(LabelAct.Label, "thuong", reason: null)) is var a ? (a.Status, a.Code) : default);
        Assert.Empty((await dispatch.Shown()).GetProperty("changes").EnumerateArray());
    }

    [Fact]
    public async Task A_change_that_points_at_another_label_than_the_one_in_force_is_refused()
    {
        var dispatch = await Relabel.Accepted(gateway, "mat");
        var old = await dispatch.Change(LabelAct.Label, "thuong");
        Assert.Equal((409, "E_LABEL_PREVIOUS"), await dispatch.Say(old with { Previous = Digest.Of("another"u8) }) is var a ? (a.Status, a.Code) : default);
        Assert.Equal(201, (await dispatch.Say(await dispatch.Change(LabelAct.Label, "toi-mat"))).Status);
        Assert.Equal("E_LABEL_PREVIOUS", (await dispatch.Say(old)).Code);
        Assert.Equal(["OK"], await dispatch.Receipts());
    }

    [Fact]
    public async Task Statements_of_before_do_not_lower_a_label_again()
    {
        var dispatch = await Relabel.Accepted(gateway, "mat");
        var change = await dispatch.Change(LabelAct.Label, "thuong");
        byte[] one = dispatch.Sign(change), two = dispatch.Sign(change, office: "H41");
        await dispatch.Send(one);
        Assert.Equal(201, (await dispatch.Send(two, "H41")).Status);
        Assert.Equal(201, (await dispatch.Say(await dispatch.Change(LabelAct.Label, "mat"))).Status);
        // Each gets the answer of then, and nothing changes.
        Assert.Equal((200, 200), ((await dispatch.Send(one)).Status, (await dispatch.Send(two, "H41")).Status));
        Assert.Equal(20, dispatch.InForce());
        Assert.Equal("E_LABEL_PREVIOUS", (await dispatch.Say(change, "clerk")).Code);
    }

    [Fact]
    public async Task A_statement_that_has_lapsed_or_is_about_another_dispatch_is_refused()
    {
        var (dispatch, other) = (await Relabel.Accepted(gateway, "mat"), await Relabel.Accepted(gateway, "mat"));
        var change = await dispatch.Change(LabelAct.Label, "toi-mat");
        Assert.Equal((422, "E_LABEL_CHANGE"), await other.Send(dispatch.Sign(change)) is var a ? (a.Status, a.Code) : default);
        Assert.Equal("E_LABEL_CHANGE", (await dispatch.Send(dispatch.Sign(change, spoil: s => s with { NotAfter = gateway.Clock.GetUtcNow().ToUnixTimeMilliseconds() - 1 }))).Code);
        Assert.Equal(404, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Post, $"/dispatches/{dispatch.Id}/labels", dispatch.Sign(change))).Status);
        Assert.Equal(404, (await TestGateway.Send(gateway.As("H14"), HttpMethod.Get, $"/mailbox/{await dispatch.Parcel("H41")}/labels")).Status);
    }

    [Fact]
    public async Task Nobody_came_in_time_so_waiting_becomes_a_no()
    {
        var dispatch = await Relabel.Accepted(gateway, "mat");
        var change = await dispatch.Change(LabelAct.Label, "thuong");
        var two = dispatch.Sign(change, office: "H41", spoil: s => s with { NotAfter = s.NotAfter + 86_400_000 });
        await dispatch.Say(change);
        gateway.Clock.Advance(TimeSpan.FromHours(71));
        await gateway.Host.Loops.StepAll();
        Assert.Equal("waiting", (await dispatch.Shown()).GetProperty("changes")[0].GetProperty("state").GetString());
        gateway.Clock.Advance(TimeSpan.FromHours(2));
        await gateway.Host.Loops.StepAll();
        var ended = (await dispatch.Shown()).GetProperty("changes")[0];
        Assert.Equal(("ended", "E_HOLD_EXPIRED"), (ended.GetProperty("state").GetString(), ended.GetProperty("code").GetString()));
        Assert.Equal((403, "E_HOLD_EXPIRED"), await dispatch.Send(two, "H41") is var a ? (a.Status, a.Code) : default);
        Assert.Equal(20, dispatch.InForce());
        Assert.Equal(["E_RELABEL_PERSONS", "E_HOLD_EXPIRED"], await dispatch.Receipts());
        Assert.Empty(dispatch.Findings());
    }

    [Fact]
    public async Task A_person_who_left_his_role_while_it_waited_does_not_count()
    {
        var dispatch = await Relabel.Accepted(gateway, "toi-mat", "H41", r => r with { Releasers = [DevPkiFolder.Person("G22", "release-1"), DevPkiFolder.Person("G22", "release-2")] });
        var change = await dispatch.Change(LabelAct.Label, "mat");
        Assert.Equal(202, (await dispatch.Say(change, "release-1")).Status);
        await gateway.Handle("toi-mat", h => h with { Release = new(2, ["signatory"]) });
        Assert.Equal(202, (await dispatch.Say(change)).Status);
        Assert.Equal(30, dispatch.InForce());
        Assert.Equal(201, (await dispatch.Say(change, office: "H41")).Status);
    }

    [Fact]
    public async Task Two_changes_at_once_make_one_label_and_the_other_is_told()
    {
        var dispatch = await Relabel.Accepted(gateway, "mat");
        LabelChange[] changes = [await dispatch.Change(LabelAct.Label, "toi-mat"), await dispatch.Change(LabelAct.Label, "toi-mat")];
        var answers = await Task.WhenAll(dispatch.Say(changes[0]), dispatch.Say(changes[1], office: "H41"));
        Assert.Equal([201, 409], answers.Select(a => a.Status).Order());
        Assert.Equal(30, dispatch.InForce());

        // Both persons of one change at once: one waits, the other completes it.
        var lower = await dispatch.Change(LabelAct.Label, "mat");
        answers = await Task.WhenAll(dispatch.Say(lower), dispatch.Say(lower, office: "H41"), dispatch.Say(lower), dispatch.Say(lower, office: "H41"));
        Assert.Equal([200, 200, 201, 202], answers.Select(a => a.Status).Order());
        Assert.Equal(20, dispatch.InForce());
        Assert.Empty(dispatch.Findings());
    }

    [Fact]
    public async Task What_was_decided_about_a_label_that_has_changed_since_is_not_committed()
    {
        var dispatch = await Relabel.Accepted(gateway, "mat");
        var shared = gateway.Host.Shared;
        LabelStanding before;
        using (var reader = shared.Engine.Reader()) before = LabelStanding.Read(reader, DispatchTable.Read(reader, "G22", dispatch.Id)!);
        var change = await dispatch.Change(LabelAct.Label, "thuong");
        // Somebody lays a stop on it between the decision and its commit.
        Assert.Equal(201, (await dispatch.Say(await dispatch.Change(LabelAct.Stop))).Status);
        var row = new LabelChangeRow
        {
            Id = Guid.CreateVersion7(), Dispatch = before.Dispatch.Id, Ref = change.Ref, Previous = change.Previous, Act = change.Act, State = LabelState.Accepted, Code = "OK", N = before.NextPlace, Class = 10,
            CreatedAt = 1, AcceptedAt = 1, InForceAt = 1, Words = 0, Decision = before.Dispatch.Decision, Change = change.Write(),
        };
        Assert.Null(await new FileChange(shared).Commit(new DecidedChange(before, change, row, shared.Worlds.Current, "permit", "OK", "term", null)));
        Assert.Equal(20, dispatch.InForce());
        Assert.Equal(["OK"], await dispatch.Receipts());
    }

    [Fact]
    public async Task What_waits_for_a_label_that_was_changed_meanwhile_ends()
    {
        var dispatch = await Relabel.Accepted(gateway, "mat");
        var lower = await dispatch.Change(LabelAct.Label, "thuong");
        await dispatch.Say(lower);
        await dispatch.Say(await dispatch.Change(LabelAct.Label, "toi-mat"));
        Assert.Equal("E_LABEL_PREVIOUS", (await dispatch.Say(lower, office: "H41")).Code);
        await gateway.Host.Loops.StepAll();
        Assert.Equal("E_LABEL_PREVIOUS", (await dispatch.Shown()).GetProperty("changes").EnumerateArray().Single(c => c.GetProperty("state").GetString() == "ended").GetProperty("code").GetString());
    }

    [Fact]
    public async Task What_answers_a_raised_dispatch_has_to_be_as_high()
    {
        var dispatch = await Relabel.Accepted(gateway, "thuong", "H41");
        Assert.Equal(201, (await gateway.Submit(await dispatch.Reply())).Status);
        await dispatch.Say(await dispatch.Change(LabelAct.Label, "mat"));
        var held = await gateway.Submit(await dispatch.Reply());
        Assert.Equal((202, "E_LABEL_BELOW"), (held.Status, held.Receipt.Code));
    }

    [Fact]
    public async Task A_killed_gateway_has_every_label_that_it_acknowledged()
    {
        var dispatch = await Relabel.Accepted(gateway, "mat");
        await dispatch.Say(await dispatch.Change(LabelAct.Label, "toi-mat"));
        var lower = await dispatch.Change(LabelAct.Label, "mat");
        await dispatch.Say(lower);
        await gateway.Restart();
        Assert.Equal(30, dispatch.InForce());
        Assert.Equal(201, (await dispatch.Say(lower, office: "H41")).Status);
        await gateway.Restart();
        Assert.Equal(20, dispatch.InForce());
        Assert.Empty(dispatch.Findings());
    }

    [Theory]
    [InlineData("DELETE FROM label_word", "statements are missing")]
    [InlineData("UPDATE label_change SET n = 7", "a label before it is missing")]
    [InlineData("UPDATE label_change SET change = x'7b7d'", "not those of its ref")]
    [InlineData("PRAGMA foreign_keys = OFF; DELETE FROM label_word; DELETE FROM label_change", "its change of a label is missing")]
    public async Task A_label_that_was_tampered_with_is_found(string sql, string problem)
    {
        var dispatch = await Relabel.Accepted(gateway, "mat");
        await dispatch.Say(await dispatch.Change(LabelAct.Label, "toi-mat"));
        using (var transaction = gateway.Host.Shared.Engine.Begin())
        {
            foreach (var statement in sql.Split("; ")) transaction.Execute(statement, null);
            transaction.Commit();
        }
        Assert.Contains(dispatch.Findings(), f => f.Problem.Contains(problem, StringComparison.Ordinal));
    }
}
