using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Tests.Http;

namespace Exchange.Tests.Recalling;

/// <summary>Who may take what back, in which order, and what its receivers answer.</summary>
public sealed class RecallTests(RecallBench bench) : IClassFixture<RecallBench>
{
    readonly TestGateway gateway = bench.Gateway;

    async Task<Answer> Submit(SealedEnvelope original, string to, int revision = 1, Func<SealRequest, SealRequest>? change = null, string from = "G22") =>
        await gateway.Submit((await bench.Seal(original, to, revision, change: change, from: from)).File, from);

    [Fact]
    public async Task The_same_recall_again_is_the_same_answer_and_another_needs_a_higher_revision()
    {
        var original = await bench.Send("H14,H37");
        var (recall, file) = await bench.Seal(original, "H14");
        var (first, again) = (await gateway.Submit(file), await gateway.Submit(file));
        Assert.Equal((201, 200), (first.Status, again.Status));
        Assert.Equal(first.Body, again.Body);
        Assert.Equal("available", await bench.Copy(original, "H37"));      // only the copies of the offices that it names
        Assert.Equal((409, "E_REVISION"), await Submit(original, "H37") is var low ? (low.Status, low.Code) : default);
        Assert.Equal(201, (await Submit(original, "H37", 2)).Status);
        Assert.Equal(("recalled E_RECALLED", "recalled E_RECALLED"), (await bench.Copy(original, "H14"), await bench.Copy(original, "H37")));
        Assert.Equal((409, "E_REVISION"), await Submit(original, "H14", 2) is var same ? (same.Status, same.Code) : default);
        Assert.Equal("recalled E_NOTHING_TO_RECALL", await bench.Copy(recall, "H14"));
    }

    [Fact]
    public async Task Of_two_recalls_that_race_with_one_revision_one_is_accepted()
    {
        var original = await bench.Send("H14");
        var files = await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ => (await bench.Seal(original, "H14")).File));
        var answers = await Task.WhenAll(files.Select(f => gateway.Submit(f)));
        Assert.Equal([201, 409, 409, 409], answers.Select(a => a.Status).Order());
        Assert.Equal(["ContentConsignmentFailure E_RECALLED"], await bench.Receipts(original, "H14"));
    }

    [Fact]
    public async Task Only_ones_own_dispatch_as_it_is_named_and_only_where_it_went_can_be_taken_back()
    {
        var original = await bench.Send("H14,H37");
        Reference Named(SealRequest r) => r.References[0];
        Assert.Equal("E_RECALL_TARGET", (await Submit(original, "H14", change: r => r with { References = [Named(r) with { Ref = Digest.Of("other"u8) }] })).Code);
        Assert.Equal("E_RECALL_TARGET", (await Submit(original, "H41")).Code);
        // A recall of a recall takes nothing back.
        var recall = await bench.Recall(original, "H37");
        Assert.Equal("E_RECALL_TARGET", (await Submit(recall, "H37")).Code);
        // Another office's envelope of that name would be its own: there is none, and nothing of ours is touched.
        Assert.Equal(201, (await Submit(original, "H37", from: "H14")).Status);
        Assert.Equal("available", await bench.Copy(original, "H14"));
        Assert.Equal(200, (await bench.Fetch(original, "H14")).Status);
    }

    [Fact]
    public async Task A_recall_that_comes_first_keeps_its_dispatch_out()
    {
        var (original, file) = await gateway.SealFile("H14");
        Assert.Equal(201, (await Submit(original, "H14")).Status);
        var refused = await gateway.Submit(file);
        Assert.Equal((410, "E_RECALLED", ReceiptEvent.SubmissionRejection), (refused.Status, refused.Code, refused.RejectionReceipt.Event));
        Assert.Equal("E_RECALLED", refused.RejectionReceipt.Code);
        Assert.Equal(404, (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{RecallBench.Id(original)}")).Status);
    }

    [Fact]
    public async Task A_recall_and_its_dispatch_that_race_leave_nothing_on_its_way()
    {
        for (var i = 0; i < 3; i++)
        {
            var (original, file) = await gateway.SealFile("H14");
            var (_, recall) = await bench.Seal(original, "H14");
            var answers = await Task.WhenAll(gateway.Submit(recall), gateway.Submit(file));
            Assert.Equal(201, answers[0].Status);
            Assert.Contains(answers[1].Status, new[] { 201, 410 });
            if (answers[1].Status == 201) Assert.Equal("recalled E_RECALLED", await bench.Copy(original, "H14"));
        }
    }

    [Fact]
    public async Task A_recall_ends_the_holding_of_what_waits_for_persons()
    {
        var original = await bench.Send("H41", "toi-mat", 202);
        Assert.Equal(201, (await Submit(original, "H41")).Status);
        var state = (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{RecallBench.Id(original)}")).Json;
        Assert.Equal("refused", state.GetProperty("state").GetString());
        var receipts = (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{RecallBench.Id(original)}/receipts")).Json.GetProperty("receipts").EnumerateArray().Select(r => $"{r.GetProperty("event")} {r.GetProperty("code")}");
        Assert.Contains("SubmissionRejection E_RECALLED", receipts);
        Assert.Equal("E_NOT_HELD", (await TestGateway.Send(gateway.As("G22"), HttpMethod.Post, $"/dispatches/{RecallBench.Id(original)}/approvals", gateway.Word(original, "release-1"))).Code);
    }

    [Fact]
    public async Task The_receivers_clerk_agrees_or_declines_and_the_sender_reads_it()
    {
        var original = await bench.Send("H14,H37");
        foreach (var office in new[] { "H14", "H37" }) Assert.Equal(201, (await bench.Say(original, office, ReceiptEvent.ContentHandover)).Status);
        Assert.Equal("E_STATUS", (await bench.Answer(original, original, "H14", "15")).Code);     // nothing was asked yet
        var recall = await bench.Recall(original, "H14,H37");
        Assert.Equal("E_STATUS", (await bench.Answer(original, recall, "H14", "15", change: a => a with { Revision = 2 })).Code);
        Assert.Equal("E_STATUS", (await bench.Answer(original, recall, "H14", "15", change: a => a with { Ref = original.Ctx })).Code);
        Assert.Equal(201, (await bench.Answer(original, recall, "H14", "15")).Status);
        Assert.Equal(201, (await bench.Answer(original, recall, "H37", "16")).Status);
        var copies = (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{RecallBench.Id(original)}")).Json.GetProperty("copies").EnumerateArray()
            .ToDictionary(c => c.GetProperty("office").GetString()!, c => $"{c.GetProperty("state")} {c.GetProperty("handling")}");
        Assert.Equal(("delivered 15", "delivered 16"), (copies["H14"], copies["H37"]));
    }

    [Fact]
    public async Task A_replacement_stops_the_old_copies_asks_for_those_that_arrived_and_goes_its_own_way()
    {
        var original = await bench.Send("H14,H37");
        await bench.Say(original, "H37", ReceiptEvent.ContentHandover);
        var replacement = await bench.Recall(original, "H14,H37", kind: "replace");
        Assert.Equal(("recalled E_RECALLED", "available"), (await bench.Copy(original, "H14"), await bench.Copy(replacement, "H14")));
        Assert.Equal(("delivered", "available"), (await bench.Copy(original, "H37"), await bench.Copy(replacement, "H37")));
        Assert.Equal(201, (await bench.Answer(original, replacement, "H37", "15")).Status);
        Assert.Equal(200, (await bench.Fetch(replacement, "H14")).Status);
    }

    [Fact]
    public async Task Bytes_behind_the_parts_of_what_has_no_documents_are_refused()
    {
        var original = await bench.Send("H14");
        var (_, file) = await bench.Seal(original, "H14");
        Assert.Equal("E_PAYLOAD_LENGTH", (await gateway.Submit([.. file, 1])).Code);
        Assert.Equal("available", await bench.Copy(original, "H14"));
    }

    [Fact]
    public async Task A_gateway_started_anew_does_not_know_who_had_begun_to_read_and_asks()
    {
        await using var alone = new RecallBenchAlone();
        await alone.Bench.InitializeAsync();
        var original = await alone.Bench.Send("H14");
        await alone.Bench.Gateway.Restart();
        var recall = await alone.Bench.Recall(original, "H14");
        Assert.Equal(("recalled E_RECALLED", "available"), (await alone.Bench.Copy(original, "H14"), await alone.Bench.Copy(recall, "H14")));
    }

    sealed class RecallBenchAlone : IAsyncDisposable
    {
        public RecallBench Bench { get; } = new();
        public ValueTask DisposeAsync() => Bench.DisposeAsync();
    }
}
