using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;

namespace Exchange.Tests.Submission;

public sealed class SubmitDispatchTests : IAsyncLifetime
{
    TestGateway gateway = null!;

    public async ValueTask InitializeAsync() => gateway = await TestGateway.Start();
    public async ValueTask DisposeAsync() => await gateway.DisposeAsync();

    [Fact]
    public async Task A_dispatch_is_accepted_with_a_receipt_that_names_it_and_its_leaf()
    {
        var (envelope, file) = await gateway.SealFile("H41,H14");
        var answer = await gateway.Submit(file);

        Assert.Equal(201, answer.Status);
        Assert.Equal("application/cms", answer.Type);
        var receipt = answer.Receipt;
        Assert.Equal((ReceiptEvent.SubmissionAcceptance, "OK"), (receipt.Event, receipt.Code));
        Assert.Equal((envelope.Ctx, (Digest?)envelope.ManifestDigest), (receipt.Ctx, receipt.ManifestDigest));
        Assert.Equal($"/dispatches/{receipt.Envelope}", answer.Location);
        var entry = new LedgerEntry(receipt.Entry!.Salt.ToArray(), System.Text.Encoding.UTF8.GetBytes(receipt.Entry.Detail));
        Assert.Equal(receipt.Entry.Leaf, entry.Leaf);
        using var reader = gateway.Host.Shared.Engine.Reader();
        Assert.Equal(EntryKind.Submission, EntryTable.Find(reader, entry.Leaf)!.Kind);

        var status = (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{receipt.Envelope}")).Json;
        Assert.Equal("accepted", status.GetProperty("state").GetString());
        Assert.Equal(["H14", "H41"], status.GetProperty("copies").EnumerateArray().Select(c => c.GetProperty("office").GetString()).Order());
    }

    [Fact]
    public async Task A_repeat_gets_the_very_same_receipt_and_nothing_new()
    {
        var (_, file) = await gateway.SealFile("H41");
        var first = await gateway.Submit(file);
        var second = await gateway.Submit(file);
        Assert.Equal((201, 200), (first.Status, second.Status));
        Assert.Equal(first.Body, second.Body);
        Assert.Single((await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/mailbox")).Json.GetProperty("parcels").EnumerateArray());
    }

    [Fact]
    public async Task A_repeat_after_a_long_outage_gets_the_first_receipt_although_its_signing_time_is_too_old_by_then()
    {
        var (_, file) = await gateway.SealFile("H41");
        var first = await gateway.Submit(file);
        gateway.Clock.Advance(TimeSpan.FromHours(2));
        var second = await gateway.Submit(file);
        Assert.Equal((201, 200), (first.Status, second.Status));
        Assert.Equal(first.Body, second.Body);
    }

    [Fact]
    public async Task A_repeat_gets_the_first_receipt_although_its_approvals_have_lapsed_by_then()
    {
        var (_, file) = await gateway.SealFile("H41", "mat", r => r with { Times = r.Times with { Expires = gateway.Clock.GetUtcNow().AddHours(1).ToUnixTimeMilliseconds() } });
        var first = await gateway.Submit(file);
        gateway.Clock.Advance(TimeSpan.FromHours(2));
        var second = await gateway.Submit(file);
        Assert.Equal((201, 200), (first.Status, second.Status));
        Assert.Equal(first.Body, second.Body);
    }

    [Fact]
    public async Task A_clearance_revoked_between_the_decision_and_its_commit_is_found_in_the_commit()
    {
        var (_, file) = await gateway.SealFile("H41", "mat");
        var journal = gateway.Host.Shared.Journal;
        using var release = new ManualResetEventSlim();
        var (entered, blocked) = (new TaskCompletionSource(), false);
        // The writer is held up once, so that the activation and the submission that was decided before it come into one batch.
        var holding = journal.Commit(b =>
        {
            if (!blocked) { blocked = true; entered.SetResult(); release.Wait(); }
            return true;
        });
        await entered.Task;
        var activation = gateway.TakeClearanceFrom("H41");
        var submission = gateway.Submit(file);
        Assert.True(SpinWait.SpinUntil(() => journal.Depth == 2, TimeSpan.FromSeconds(30)));
        release.Set();
        await Task.WhenAll(holding, activation);
        AssertRefused(await submission, Refusal.NotReleasable, 403);
        Assert.Empty((await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/mailbox")).Json.GetProperty("parcels").EnumerateArray());
    }

    [Fact]
    public async Task Two_at_once_with_one_identifier_give_one_dispatch()
    {
        var (_, file) = await gateway.SealFile("H41", size: 100_000);
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => gateway.Submit(file)));
        Assert.All(answers, a => Assert.True(a.Status is 200 or 201, a.Text));
        Assert.Single(answers.Select(a => Convert.ToHexString(a.Body)).Distinct());
        Assert.Single((await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/mailbox")).Json.GetProperty("parcels").EnumerateArray());
    }

    [Fact]
    public async Task Another_envelope_under_the_same_identifier_is_refused_and_journalled()
    {
        var id = Guid.CreateVersion7();
        var (_, first) = await gateway.SealFile("H41", change: r => r with { Id = id });
        var (_, other) = await gateway.SealFile("H41", change: r => r with { Id = id });
        Assert.Equal(201, (await gateway.Submit(first)).Status);
        var answer = await gateway.Submit(other);
        AssertRefused(answer, Refusal.SameId, 409);
        Assert.Equal(ReceiptEvent.SubmissionRejection, answer.RejectionReceipt.Event);
        Assert.Equal(200, (await gateway.Submit(first)).Status);
    }

    [Fact]
    public async Task An_envelope_of_another_office_is_refused()
    {
        var (_, file) = await gateway.SealFile("H41");
        AssertRefused(await gateway.Submit(file, "H14"), Refusal.SenderNotYou, 403);
    }

    [Fact]
    public async Task An_envelope_for_another_gateway_is_refused()
    {
        var (_, file) = await gateway.SealFile("H41", change: r => r with { Gateway = "another.gateway/ledger" });
        AssertRefused(await gateway.Submit(file), Refusal.OtherGateway, 422);
    }

    [Fact]
    public async Task A_signing_time_eleven_minutes_off_is_refused()
    {
        var (_, file) = await gateway.SealFile("H41");
        gateway.Clock.Advance(TimeSpan.FromMinutes(11));
        AssertRefused(await gateway.Submit(file), Refusal.ClockSkew, 422);
    }

    [Fact]
    public async Task A_dispatch_past_its_time_is_refused()
    {
        var (_, file) = await gateway.SealFile("H41", change: r => r with { Times = r.Times with { Expires = gateway.Clock.GetUtcNow().AddMinutes(1).ToUnixTimeMilliseconds() } });
        gateway.Clock.Advance(TimeSpan.FromMinutes(2));
        AssertRefused(await gateway.Submit(file), Refusal.Expired, 422);
    }

    [Theory, InlineData(0), InlineData(1), InlineData(2)]
    public async Task A_flipped_byte_anywhere_is_refused_and_leaves_no_copy(int part)
    {
        var (envelope, file) = await gateway.SealFile("H41", size: 20_000);
        var at = part switch { 0 => envelope.Parts.Header.Length / 2, 1 => envelope.Parts.Header.Length + envelope.Parts.Manifest.Length / 2, _ => file.Length - 100 };
        file[at] ^= 1;
        var answer = await gateway.Submit(file);
        Assert.InRange(answer.Status, 400, 422);
        Assert.StartsWith("E_", answer.Code);
        if (part == 2) Assert.Equal("E_PAYLOAD_ROOT", answer.Code);
        Assert.Empty((await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/mailbox?all=true")).Json.GetProperty("parcels").EnumerateArray());
        Assert.Equal(404, (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{Id(envelope)}")).Status);
    }

    [Fact]
    public async Task Bytes_after_the_payload_are_refused()
    {
        var (_, file) = await gateway.SealFile("H41");
        AssertRefused(await gateway.Submit([.. file, 0]), Refusal.PayloadLength, 422);
    }

    [Fact]
    public async Task Noise_is_refused_journalled_and_gets_no_receipt()
    {
        var answer = await gateway.Submit([0x30, 0x03, 0x02, 0x01, 0x05]);
        Assert.InRange(answer.Status, 400, 422);
        Assert.False(answer.Json.TryGetProperty("receipt", out _));
        await gateway.Restart();      // the store check at start asks each entry for what it promised
    }

    [Fact]
    public async Task A_level_that_needs_approval_is_refused_without_and_accepted_with_it()
    {
        var (_, bare) = await gateway.SealFile("H41", "mat", r => r with { Approvers = [] });
        AssertRefused(await gateway.Submit(bare), Refusal.ApprovalMissing, 403);
        var (_, approved) = await gateway.SealFile("H41", "mat");
        var answer = await gateway.Submit(approved);
        Assert.True(answer.Status == 201, answer.Text);
    }

    [Fact]
    public async Task No_such_office_not_cleared_and_no_need_to_know_are_one_answer()
    {
        var (_, unknown) = await gateway.SealFile("H99", "mat");
        var (_, notCleared) = await gateway.SealFile("H14", "mat");
        var answers = new[] { await gateway.Submit(unknown), await gateway.Submit(notCleared) };
        Assert.All(answers, a => AssertRefused(a, Refusal.NotReleasable, 403));
        var receipts = answers.Select(a => a.Json.GetProperty("receipt").GetString()!).ToArray();
        Assert.Equal(answers[0].Text.Replace(receipts[0], "", StringComparison.Ordinal), answers[1].Text.Replace(receipts[1], "", StringComparison.Ordinal));
        // Inside the receipts only what names this very submission differs.
        var bare = answers.Select(a => a.RejectionReceipt).Select(r => r with { Id = default, Time = 0, Envelope = default, Ctx = default, ManifestDigest = null, Signatures = null, Entry = null, Signers = [] }).ToArray();
        Assert.Equal(bare[0], bare[1] with { Signers = bare[0].Signers });
    }

    [Fact]
    public async Task A_payload_may_follow_by_itself_and_a_repeat_gets_the_first_receipt()
    {
        using var payload = new MemoryStream();
        var envelope = await gateway.Seal("H41", payload: payload, size: 3_000_000);
        var id = Id(envelope);
        var head = Crypto.Envelope.EnvelopeFile.Write(envelope.Parts);

        var announced = await gateway.Submit(head);
        Assert.Equal(202, announced.Status);
        Assert.Equal($"/dispatches/{id}/payload", announced.Json.GetProperty("upload").GetString());
        Assert.Equal(202, (await gateway.Submit(head)).Status);
        var g22 = gateway.As("G22");
        Assert.Equal("awaiting-payload", (await TestGateway.Send(g22, HttpMethod.Get, $"/dispatches/{id}")).Json.GetProperty("state").GetString());
        AssertRefused(await TestGateway.Send(g22, HttpMethod.Put, $"/dispatches/{id}/payload", payload.ToArray()[..^1]), Refusal.PayloadLength, 422);
        AssertRefused(await TestGateway.Send(gateway.As("H14"), HttpMethod.Put, $"/dispatches/{id}/payload", payload.ToArray()), Refusal.NothingToUpload, 409);

        var accepted = await TestGateway.Send(g22, HttpMethod.Put, $"/dispatches/{id}/payload", payload.ToArray());
        Assert.Equal(201, accepted.Status);
        Assert.Equal(accepted.Body, (await gateway.Submit(head)).Body);
        Assert.Equal(200, (await TestGateway.Send(g22, HttpMethod.Put, $"/dispatches/{id}/payload", payload.ToArray())).Status);
        await gateway.Restart();
    }

    [Theory, InlineData("H41", "permit", null), InlineData("H14", "deny", "E_NOT_RELEASABLE"), InlineData("H99", "deny", "E_NOT_RELEASABLE")]
    public async Task A_dry_run_answers_as_the_submission_would(string office, string verdict, string? code)
    {
        var label = System.Text.Json.JsonSerializer.Serialize(gateway.Host.Shared.Worlds.Current.Policy.NewLabel("mat", "test-basis"), System.Text.Json.JsonSerializerOptions.Web);
        var question = $$"""{"label":{{label}},"recipients":[{"office":"{{office}}","role":"to"}],"approvals":["signatory"]}""";
        var answer = await TestGateway.Send(gateway.As("G22"), HttpMethod.Post, "/dispatches/dry-run", System.Text.Encoding.UTF8.GetBytes(question));
        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal(verdict, answer.Json.GetProperty("verdict").GetString());
        if (code is not null) Assert.Equal(code, answer.Json.GetProperty("refusal").GetProperty("code").GetString());
    }

    [Fact]
    public async Task Subject_and_content_appear_nowhere_in_store_logs_or_answers()
    {
        var (_, file) = await gateway.SealFile("H41", "mat");
        var (_, refused) = await gateway.SealFile("H14", "mat");
        var answers = new[] { await gateway.Submit(file), await gateway.Submit(refused) };
        var planted = System.Text.Encoding.UTF8.GetBytes(TestGateway.SecretSubject);
        Assert.All(answers, a => Assert.Equal(-1, a.Body.AsSpan().IndexOf(planted)));
        Assert.DoesNotContain(gateway.Logs.Lines, line => line.Contains(TestGateway.SecretSubject, StringComparison.Ordinal) || line.Contains("MẬT", StringComparison.Ordinal));
        foreach (var path in Directory.EnumerateFiles(gateway.Data, "*", SearchOption.AllDirectories).Where(f => Path.GetFileName(f) != "lock"))
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            Assert.Equal(-1, copy.ToArray().AsSpan().IndexOf(planted));
        }
    }

    static Guid Id(Crypto.Envelope.SealedEnvelope envelope) => Crypto.Envelope.EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id;

    static void AssertRefused(Answer answer, Refusal refusal, int status)
    {
        Assert.Equal((refusal.Code, status, "application/problem+json"), (answer.Code, answer.Status, answer.Type));
        Assert.Equal(refusal.En, answer.Json.GetProperty("detail").GetString());
        Assert.Equal(refusal.Vi, answer.Json.GetProperty("messages").GetProperty("vi").GetString());
        Assert.Equal(refusal.RemedyVi, answer.Json.GetProperty("remedy").GetProperty("vi").GetString());
        Assert.Equal($"urn:exchange:refusal:{refusal.Code}", answer.Json.GetProperty("type").GetString());
    }
}
