using System.Globalization;
using System.Text.RegularExpressions;
using Exchange.Adapters;
using Exchange.Crypto.Statements;
using Exchange.Tests.Delivery;
using Exchange.Tests.Http;

namespace Exchange.Tests.Operations;

public sealed partial class MetricsTests : IAsyncLifetime
{
    readonly ScriptedAdapter h41 = new();
    TestGateway gateway = null!;

    public async ValueTask InitializeAsync()
    {
        gateway = await TestGateway.Start(adapters: h41);
        await gateway.Reach("H41", "https");
    }

    public ValueTask DisposeAsync() => gateway.DisposeAsync();

    [Fact]
    public async Task Submissions_are_counted_by_code_and_timed_by_answer()
    {
        var (_, file) = await gateway.SealFile("H41");
        Assert.Equal(201, (await gateway.Submit(file)).Status);
        Assert.Equal(200, (await gateway.Submit(file)).Status);
        await gateway.TakeClearanceFrom("H14");
        Assert.Equal("E_NOT_RELEASABLE", (await gateway.Submit((await gateway.SealFile("H14")).File)).Code);
        var seen = await Scrape();
        Assert.Equal(1, seen["""exchange_submissions_total{code="OK"}"""]);
        Assert.Equal(1, seen["""exchange_submissions_total{code="E_NOT_RELEASABLE"}"""]);
        foreach (var answer in new[] { "accepted", "repeated", "refused" })
            Assert.Equal(1, seen[$$"""exchange_submission_duration_seconds_count{answer="{{answer}}",step="submit"}"""]);
    }

    [Fact]
    public async Task Deliveries_are_counted_by_outcome_and_what_waits_is_seen_by_class()
    {
        Assert.Equal(201, (await gateway.Submit((await gateway.SealFile("H41")).File)).Status);
        gateway.Clock.Advance(TimeSpan.FromMinutes(1));
        var before = await Scrape();
        Assert.Equal(1, before["""exchange_delivery_waiting{class="2"}"""]);
        Assert.InRange(before["""exchange_delivery_waiting_age_seconds{class="2"}"""], 60, 120);

        h41.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Busy(TimeSpan.FromMinutes(1)));
        await gateway.Deliver();
        h41.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Delivered(null));
        gateway.Clock.Advance(TimeSpan.FromMinutes(30));
        await gateway.Deliver();
        var after = await Scrape();
        Assert.Equal(1, after["""exchange_delivery_attempts_total{adapter="https",outcome="Busy"}"""]);
        Assert.Equal(1, after["""exchange_delivery_attempts_total{adapter="https",outcome="Delivered"}"""]);
        Assert.Equal(2, after["""exchange_delivery_attempt_duration_seconds_count{adapter="https"}"""]);
        Assert.Equal(1, after["""exchange_parcels_ended_total{state="Delivered"}"""]);
        Assert.DoesNotContain("""exchange_delivery_waiting{class="2"}""", after.Keys);
    }

    [Fact]
    public async Task A_claim_that_nobody_settled_and_the_late_report_on_it_are_counted()
    {
        var (started, carry) = (new TaskCompletionSource(), new TaskCompletionSource());
        h41.Answer = async (_, _, cancel) => { started.SetResult(); await carry.Task.WaitAsync(cancel); return new DeliveryOutcome.Delivered(null); };
        Assert.Equal(201, (await gateway.Submit((await gateway.SealFile("H41")).File)).Status);
        await gateway.Host.Worker.Step(gateway.Clock.GetUtcNow());
        await started.Task;
        Assert.Equal(1, (await Scrape())["exchange_delivery_underway"]);
        gateway.Clock.Advance(TimeSpan.FromMinutes(5));
        h41.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Busy(TimeSpan.FromMinutes(1)));
        h41.Holds = _ => new DeliveryOutcome.Busy(TimeSpan.FromMinutes(1));
        await gateway.Host.Worker.Step(gateway.Clock.GetUtcNow());
        carry.SetResult();
        await gateway.Host.Worker.Idle();
        var seen = await Scrape();
        Assert.Equal(1, seen["""exchange_delivery_attempts_total{adapter="https",outcome="LeaseLost"}"""]);
        Assert.Equal(1, seen["""exchange_delivery_attempts_total{adapter="https",outcome="Late"}"""]);
    }

    [Fact]
    public async Task The_lag_of_checkpoints_grows_with_the_oldest_entry_that_none_holds_and_ends_with_the_next()
    {
        await gateway.Host.Loops.StepAll();
        Assert.Equal(201, (await gateway.Submit((await gateway.SealFile("H37")).File)).Status);
        gateway.Clock.Advance(TimeSpan.FromMinutes(2));
        var behind = await Scrape();
        Assert.InRange(behind["exchange_checkpoint_lag_seconds"], 120, 180);
        Assert.InRange(behind["exchange_checkpoint_age_seconds"], 120, 180);
        Assert.True(behind["exchange_ledger_size"] > behind["exchange_checkpoint_size"]);
        await gateway.Host.Loops.StepAll();
        gateway.Clock.Advance(TimeSpan.FromSeconds(10));
        var signed = await Scrape();
        Assert.Equal((0, signed["exchange_ledger_size"]), (signed["exchange_checkpoint_lag_seconds"], signed["exchange_checkpoint_size"]));
        Assert.InRange(signed["exchange_checkpoint_age_seconds"], 10, 20);
    }

    [Fact]
    public async Task Journal_disk_keys_lists_clock_and_the_door_are_seen()
    {
        Assert.Equal(201, (await gateway.Submit((await gateway.SealFile("H41")).File)).Status);
        using var stranger = new HttpClient(new SocketsHttpHandler { SslOptions = new() { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null } }) { BaseAddress = gateway.Address };
        await Assert.ThrowsAsync<HttpRequestException>(() => stranger.GetAsync(new Uri("/health", UriKind.Relative)));
        var seen = await Scrape();
        Assert.True(seen["exchange_journal_commit_duration_seconds_count"] >= 2);
        Assert.Equal(seen["exchange_journal_commit_duration_seconds_count"], seen["exchange_journal_batch_size_count"]);
        Assert.Equal((0, 0, 0), (seen["exchange_journal_waiting"], seen["exchange_full"], seen["exchange_uploads_awaited"]));
        Assert.True(seen["exchange_disk_free_bytes"] > 1 << 20);
        Assert.InRange(seen["exchange_clock_seconds"], gateway.Clock.GetUtcNow().ToUnixTimeSeconds() - 60, gateway.Clock.GetUtcNow().ToUnixTimeSeconds() + 60);
        foreach (var key in new[] { "tls", "evidence" }) Assert.True(seen[$$"""exchange_certificate_remaining_seconds{key="{{key}}"}"""] > 3600);
        Assert.True(seen["exchange_crl_remaining_seconds"] > 3600);
        Assert.True(seen["""exchange_sign_in_failures_total{reason="no-certificate"}"""] >= 1);
        Assert.Contains(seen.Keys, k => k.StartsWith("kestrel_active_connections", StringComparison.Ordinal));
        Assert.Contains(seen.Keys, k => k.StartsWith("dotnet_gc_collections_total", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_announced_payload_is_counted_while_it_is_awaited()
    {
        var (envelope, file) = await gateway.SealFile("H37", size: 3_000_000);
        var head = file.Length - (int)Crypto.Envelope.Payload.WireLength(Crypto.Envelope.EnvelopeFile.PeekUnverified(envelope.Parts.Header).Payload!.Length);
        Assert.Equal(202, (await gateway.Submit(file[..head])).Status);
        Assert.Equal(1, (await Scrape())["exchange_uploads_awaited"]);
        var id = Crypto.Envelope.EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id;
        Assert.Equal(201, (await TestGateway.Send(gateway.As("G22"), HttpMethod.Put, $"/dispatches/{id}/payload", file[head..])).Status);
        gateway.Clock.Advance(TimeSpan.FromSeconds(2));
        var seen = await Scrape();
        Assert.Equal(0, seen["exchange_uploads_awaited"]);
        Assert.Equal(1, seen["""exchange_submission_duration_seconds_count{answer="awaited",step="submit"}"""]);
        Assert.Equal(1, seen["""exchange_submission_duration_seconds_count{answer="accepted",step="upload"}"""]);
    }

    [Fact]
    public async Task What_fails_by_itself_is_counted()
    {
        var meters = gateway.Host.Shared.Meters;
        var twice = new TaskCompletionSource();
        var rounds = 0;
        await using (var loops = new Gateway.Operations.Loops([new("broken", TimeSpan.FromMilliseconds(1), _ => { if (++rounds == 3) twice.SetResult(); throw new InvalidOperationException(); })],
            meters, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<Gateway.Operations.Loops>.Instance))
        {
            loops.Start();
            await twice.Task;
        }
        Assert.True((await Scrape())["""exchange_steps_failed_total{step="broken"}"""] >= 2);
    }

    [Fact]
    public async Task Offices_do_not_get_them_and_the_operator_gets_them_by_GET_only()
    {
        var answer = await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/metrics");
        Assert.Equal((404, "E_NOT_FOUND"), (answer.Status, answer.Code));
        using var operations = new HttpClient { BaseAddress = gateway.Host.OperationsAddress };
        Assert.Equal(404, (int)(await operations.PostAsync(new Uri("/metrics", UriKind.Relative), null)).StatusCode);
        Assert.Equal(404, (int)(await operations.GetAsync(new Uri("/metrics/x", UriKind.Relative))).StatusCode);
        Assert.Equal("text/plain", (await operations.GetAsync(new Uri("/metrics", UriKind.Relative))).Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Two_gateways_in_one_process_do_not_count_for_each_other()
    {
        await using var other = await TestGateway.Start();
        Assert.Equal(201, (await gateway.Submit((await gateway.SealFile("H41")).File)).Status);
        var (here, there) = (await Scrape(), await Scrape(other));
        Assert.Equal(1, here["""exchange_submissions_total{code="OK"}"""]);
        Assert.DoesNotContain(there.Keys, k => k.StartsWith("exchange_submissions", StringComparison.Ordinal));
        Assert.Contains(here.Keys, k => k.StartsWith("http_server_request_duration", StringComparison.Ordinal));
        Assert.DoesNotContain(there.Keys, k => k.Contains("/dispatches", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_page_of_the_documentation_names_each_metric_there_is_and_no_other()
    {
        // Whatever has no value before it has happened, has happened.
        var meters = gateway.Host.Shared.Meters;
        foreach (var counter in new[] { meters.SignInFailures, meters.Submissions, meters.Attempts, meters.Parcels, meters.FailedSteps, meters.Fetches, meters.Witnessed, meters.TimeStamped, meters.Brought, meters.Quarantined }) counter.Add(1);
        meters.SubmissionDuration.Record(1);
        meters.AttemptDuration.Record(1);
        Assert.Equal(201, (await gateway.Submit((await gateway.SealFile("H41")).File)).Status);
        await gateway.Host.Loops.StepAll();
        Assert.Equal(201, (await gateway.Submit((await gateway.SealFile("H41")).File)).Status);
        gateway.Clock.Advance(TimeSpan.FromSeconds(2));

        var text = await Text(gateway);
        var shown = Help().Matches(text).Select(m => (Name: m.Groups[1].Value, Meaning: m.Groups[2].Value)).Where(m => m.Name.StartsWith("exchange_", StringComparison.Ordinal))
            .Select(m => $"| `{m.Name}` | {Regex.Match(text, $"# TYPE {m.Name} (\\w+)").Groups[1].Value} | {m.Meaning} |").Order(StringComparer.Ordinal);
        using var resource = new StreamReader(typeof(MetricsTests).Assembly.GetManifestResourceStream("metrics.md")!);
        var page = (await resource.ReadToEndAsync(TestContext.Current.CancellationToken)).Split('\n').Where(l => l.StartsWith("| `exchange_", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
        Assert.Equal(shown, page);
    }

    [Fact]
    public async Task No_office_name_subject_mark_or_path_is_among_them()
    {
        var (envelope, _, parcel) = await gateway.Accepted("H37", "H37");
        await gateway.Submit((await gateway.SealFile("H41", "mat")).File);
        await gateway.Deliver();
        Assert.Equal(200, (await TestGateway.Send(gateway.As("H37"), HttpMethod.Get, $"/mailbox/{parcel}")).Status);
        Assert.Equal(201, (await TestGateway.Send(gateway.As("H37"), HttpMethod.Post, $"/mailbox/{parcel}/receipts", OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover, "H37"))).Status);
        await TestGateway.Send(gateway.As("H37"), HttpMethod.Get, "/nothing/PLANTED-PATH-55e1?q=PLANTED-QUERY-55e1");
        await TestGateway.Send(gateway.As("H37"), new HttpMethod("PLANTEDVERB"), "/mailbox");
        var text = await Text(gateway);
        Assert.Contains("http_route=\"/mailbox/{parcel}/receipts\"", text, StringComparison.Ordinal);
        Canaries.NoneIn(text, gateway, envelope, parcel);
    }

    async Task<Dictionary<string, double>> Scrape(TestGateway? of = null) => Sample().Matches(await Text(of ?? gateway))
        .ToDictionary(m => m.Groups[1].Value, m => double.Parse(m.Groups[2].Value, CultureInfo.InvariantCulture));

    static async Task<string> Text(TestGateway of)
    {
        // An answer is kept for 300 ms: this one is of now.
        await Task.Delay(350, TestContext.Current.CancellationToken);
        using var operations = new HttpClient { BaseAddress = of.Host.OperationsAddress };
        return await operations.GetStringAsync(new Uri("/metrics", UriKind.Relative), TestContext.Current.CancellationToken);
    }

    // name{tags} value
    [GeneratedRegex(@"^([a-z][a-z0-9_]*(?:\{.+\})?)(?:\{\})? (\S+)$", RegexOptions.Multiline)]
    private static partial Regex Sample();

    [GeneratedRegex(@"^# HELP (\S+) (.+)$", RegexOptions.Multiline)]
    private static partial Regex Help();
}
