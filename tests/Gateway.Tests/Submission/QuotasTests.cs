using Exchange.Crypto.Envelope;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Submission;
using Exchange.Tests.Http;

namespace Exchange.Tests.Submission;

public sealed class QuotasTests
{
    static readonly DateTimeOffset Now = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_bucket_gives_its_share_at_once_then_evenly_and_to_each_office_its_own()
    {
        var quotas = new Quotas(Limits.Defaults with { SubmissionsPerMinute = 60 });
        for (var i = 0; i < 60; i++) quotas.DemandSubmission("G22", Now);
        Assert.Equal(TimeSpan.FromSeconds(1), Assert.Throws<LaterException>(() => quotas.DemandSubmission("G22", Now)).After);
        quotas.DemandSubmission("H41", Now);
        Assert.Equal(0.5, Assert.Throws<LaterException>(() => quotas.DemandSubmission("G22", Now.AddSeconds(0.5))).After.TotalSeconds, 6);
        quotas.DemandSubmission("G22", Now.AddSeconds(1.001));
        Assert.Throws<LaterException>(() => quotas.DemandSubmission("G22", Now.AddSeconds(1.001)));
        // An hour of rest is worth a minute's share, and a clock that steps back nothing.
        for (var i = 0; i < 60; i++) quotas.DemandSubmission("G22", Now.AddHours(1));
        Assert.Throws<LaterException>(() => quotas.DemandSubmission("G22", Now));
        Assert.Throws<LaterException>(() => quotas.DemandSubmission("G22", Now.AddHours(1)));
    }

    [Fact]
    public async Task Too_many_submissions_of_one_office_get_429_with_a_time_and_another_office_goes_on()
    {
        await using var gateway = await TestGateway.Start(l => l with { SubmissionsPerMinute = 2 });
        var (_, file) = await gateway.SealFile("H41");
        var (_, other) = await gateway.SealFile("H41", from: "H14");
        Assert.Equal((201, 200), ((await gateway.Submit(file)).Status, (await gateway.Submit(file)).Status));
        foreach (var refused in new[] { await gateway.Submit(file), await DryRun(gateway) })
        {
            Assert.Equal((429, "E_TOO_MANY"), (refused.Status, refused.Code));
            Assert.InRange(refused.RetryAfter!.Value.TotalSeconds, 20, 30);
        }
        Assert.Equal(201, (await gateway.Submit(other, "H14")).Status);
        gateway.Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(200, (await DryRun(gateway)).Status);
        Assert.Equal(429, (await gateway.Submit(file)).Status);
    }

    [Fact]
    public async Task Refusals_beyond_an_offices_share_leave_no_entry_and_the_log_says_how_many()
    {
        await using var gateway = await TestGateway.Start(l => l with { RefusalsPerHour = 3 });
        var (_, file) = await gateway.SealFile("H41", change: r => r with { Gateway = "another/ledger" });
        for (var i = 0; i < 3; i++) Assert.Equal(422, (await gateway.Submit(file)).Status);
        var size = Size(gateway);
        for (var i = 0; i < 5; i++)
        {
            var refused = await gateway.Submit(file);
            Assert.Equal((429, "E_TOO_MANY"), (refused.Status, refused.Code));
            Assert.False(refused.Json.TryGetProperty("receipt", out _));
        }
        Assert.Equal(size, Size(gateway));
        await gateway.Host.Loops.StepAll();
        await gateway.Host.Loops.StepAll();
        Assert.Single(gateway.Logs.Lines, l => l.Contains("5 requests of G22 were refused without an entry", StringComparison.Ordinal));
        // What is good still goes.
        Assert.Equal(201, (await gateway.Submit((await gateway.SealFile("H41")).File)).Status);
        gateway.Clock.Advance(TimeSpan.FromMinutes(20));
        var (_, later) = await gateway.SealFile("H41", change: r => r with { Gateway = "another/ledger" });
        Assert.Equal(422, (await gateway.Submit(later)).Status);
    }

    [Fact]
    public async Task Awaited_payloads_are_within_an_offices_quota_and_one_that_never_fits_is_refused_for_good()
    {
        await using var gateway = await TestGateway.Start(l => l with { UploadQuotaBytes = 3 << 20 });
        var (first, second, huge) = (await gateway.SealFile("H41", size: 2_000_000), await gateway.SealFile("H41", size: 2_000_000), await gateway.SealFile("H41", size: 4_000_000));
        var foreign = await gateway.SealFile("H41", size: 2_000_000, from: "H14");
        Assert.Equal(202, (await gateway.Submit(EnvelopeFile.Write(first.Envelope.Parts))).Status);
        Assert.Equal(202, (await gateway.Submit(EnvelopeFile.Write(first.Envelope.Parts))).Status);
        var size = Size(gateway);
        var refused = await gateway.Submit(EnvelopeFile.Write(second.Envelope.Parts));
        Assert.Equal((429, "E_QUOTA", 60.0), (refused.Status, refused.Code, refused.RetryAfter!.Value.TotalSeconds));
        Assert.Equal(size, Size(gateway));
        Assert.Equal(202, (await gateway.Submit(EnvelopeFile.Write(foreign.Envelope.Parts), "H14")).Status);
        Assert.Equal((413, "E_TOO_LARGE"), ((await gateway.Submit(EnvelopeFile.Write(huge.Envelope.Parts))).Status, (await gateway.Submit(EnvelopeFile.Write(huge.Envelope.Parts))).Code));

        var parts = EnvelopeFile.Write(first.Envelope.Parts).Length;
        Assert.Equal(201, (await TestGateway.Send(gateway.As("G22"), HttpMethod.Put, $"/dispatches/{EnvelopeFile.PeekUnverified(first.Envelope.Parts.Header).Id}/payload", first.File[parts..])).Status);
        Assert.Equal(202, (await gateway.Submit(EnvelopeFile.Write(second.Envelope.Parts))).Status);
    }

    [Theory, InlineData(0, 503), InlineData(1, 503), InlineData(2, 503), InlineData(3, 201), InlineData(4, 201)]
    public async Task While_the_journal_is_loaded_others_get_503_with_a_time_and_flash_uses_the_share_kept_for_it(int urgency, int status)
    {
        await using var gateway = await TestGateway.Start(journal: new JournalOptions { MaxWaiting = 16 });
        var (_, file) = await gateway.SealFile("H41", change: r => r with { Urgency = urgency });
        var journal = gateway.Host.Shared.Journal;
        using var hold = new ManualResetEventSlim();
        using var held = new ManualResetEventSlim();
        List<Task> waiting = [journal.Commit(_ => { held.Set(); hold.Wait(); return 0; })];
        held.Wait(TestContext.Current.CancellationToken);
        while (journal.HasRoom(0)) waiting.Add(journal.Commit(_ => 0));
        var answer = gateway.Submit(file);
        var first = await Task.WhenAny(answer, Task.Delay(1000, TestContext.Current.CancellationToken));
        hold.Set();
        await Task.WhenAll(waiting);

        // Flash waited in the queue behind the others; what is not flash was answered while it was full.
        Assert.Equal(status == 503, first == answer);
        Assert.Equal(status, (await answer).Status);
        if (status != 503) return;
        Assert.Equal(("E_BUSY", 2.0), ((await answer).Code, (await answer).RetryAfter!.Value.TotalSeconds));
        Assert.False((await answer).Json.TryGetProperty("receipt", out _));
    }

    static long Size(TestGateway gateway)
    {
        using var reader = gateway.Host.Shared.Engine.Reader();
        return Gateway.Store.HeadTable.Read(reader).Size;
    }

    static Task<Answer> DryRun(TestGateway gateway)
    {
        var label = System.Text.Json.JsonSerializer.Serialize(gateway.Host.Shared.Worlds.Current.Policy.NewLabel("thuong", null), System.Text.Json.JsonSerializerOptions.Web);
        return TestGateway.Send(gateway.As("G22"), HttpMethod.Post, "/dispatches/dry-run",
            System.Text.Encoding.UTF8.GetBytes($$"""{"label":{{label}},"recipients":[{"office":"H41","role":"to"}],"approvals":[]}"""));
    }
}
