using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Store;
using Exchange.Tests.Delivery;
using Exchange.Tests.Http;

namespace Exchange.Tests.Operations;

public sealed class SpansTests
{
    /// <summary>Whatever stands on a span, and which words may.</summary>
    static readonly Dictionary<string, Func<string, bool>> Allowed = new()
    {
        ["exchange.dispatch"] = value => Guid.TryParseExact(value, "D", out _),
        ["exchange.code"] = value => value == "OK" || Crypto.Refusal.All.ContainsKey(value),
        ["exchange.verdict"] = value => value is "permit" or "hold" or "deny",
        ["exchange.adapter"] = value => value is "https" or "folder",
        ["exchange.outcome"] = value => Enum.TryParse<AttemptOutcome>(value, out _),
    };

    [Fact]
    public async Task A_dispatch_can_be_followed_from_submission_to_delivery()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = Listen(spans);
        await using var gateway = await TestGateway.Start(adapters: new ScriptedAdapter());
        await gateway.Reach("H41", "https");
        var (_, file) = await gateway.SealFile("H41", size: 50_000);
        Assert.Equal(201, (await gateway.Submit(file)).Status);
        await gateway.Deliver();
        await gateway.Host.Loops.StepAll();

        Guid id;
        using (var reader = gateway.Host.Shared.Engine.Reader()) id = reader.One<Guid>("SELECT id FROM dispatch");
        var commit = Assert.Single(spans, s => s.DisplayName == "commit" && Equals(s.GetTagItem("exchange.dispatch"), id.ToString()));
        var submit = spans.Where(s => s.TraceId == commit.TraceId).ToList();
        Assert.Equal(["check", "commit", "decide", "decide", "store payload", "submit"], submit.Select(s => s.DisplayName).Order(StringComparer.Ordinal));
        var root = submit.Single(s => s.DisplayName == "submit");
        Assert.Equal((default, "OK"), (root.ParentSpanId, root.GetTagItem("exchange.code")));
        Assert.All(submit.Where(s => s != root), s => Assert.Equal(root.SpanId, s.ParentSpanId));

        var deliver = Assert.Single(spans, s => s.DisplayName == "deliver" && Equals(s.GetTagItem("exchange.dispatch"), id.ToString()));
        Assert.Equal(("https", "Delivered"), (deliver.GetTagItem("exchange.adapter"), deliver.GetTagItem("exchange.outcome")));
        Assert.Equal(["carry", "release"], spans.Where(s => s.ParentSpanId == deliver.SpanId).Select(s => s.DisplayName).Order(StringComparer.Ordinal));
        Assert.Contains(spans, s => s.DisplayName == "checkpoint");
    }

    [Fact]
    public async Task A_refusal_is_a_code_and_the_callers_trace_is_not_taken_over()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = Listen(spans);
        await using var gateway = await TestGateway.Start();
        await gateway.TakeClearanceFrom("H14");
        var (_, file) = await gateway.SealFile("H14");
        const string trace = "0af7651916cd43dd8448eb211c80319c";
        var answer = await TestGateway.Send(gateway.As("G22"), HttpMethod.Post, "/dispatches", file, r =>
        {
            r.Headers.Add("traceparent", $"00-{trace}-b7ad6b7169203331-00");
            r.Headers.Add("tracestate", "planted=PLANTED-STATE");
            r.Headers.Add("baggage", "planted=PLANTED-BAGGAGE");
        });
        Assert.Equal("E_NOT_RELEASABLE", answer.Code);
        var roots = spans.Where(s => s.DisplayName == "submit" && Equals(s.GetTagItem("exchange.code"), "E_NOT_RELEASABLE")).ToList();
        Assert.NotEmpty(roots);
        Assert.All(roots, s => Assert.Equal((false, default, null), (s.TraceId.ToHexString() == trace, s.ParentSpanId, s.TraceStateString)));
    }

    [Fact]
    public async Task Nothing_but_closed_lists_and_the_gateways_id_is_on_a_span()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = Listen(spans);
        await using var gateway = await TestGateway.Start(adapters: new ScriptedAdapter());
        await gateway.Reach("H41", "https");
        await gateway.Submit((await gateway.SealFile("H41", "mat", size: 50_000)).File);
        var (_, _, parcel) = await gateway.Accepted("H37", "H37");
        await TestGateway.Send(gateway.As("H37"), HttpMethod.Get, $"/mailbox/{parcel}");
        await gateway.Submit([1, 2, 3]);
        await gateway.Deliver();
        Assert.NotEmpty(spans);
        foreach (var (name, value) in spans.SelectMany(s => s.TagObjects))
            Assert.True(Allowed.TryGetValue(name, out var good) && good((string)value!), $"{name} = {value}");
        Assert.All(spans, s => Assert.Equal((0, 0, null), (s.Events.Count(), s.Baggage.Count(), s.StatusDescription)));
    }

    [Fact]
    public async Task What_reaches_a_collector_holds_traces_and_metrics_and_none_of_the_canaries()
    {
        using var collector = new Collector();
        Crypto.Envelope.SealedEnvelope envelope;
        Guid parcel;
        await using (var gateway = await TestGateway.Start(telemetry: collector.Address, adapters: new ScriptedAdapter()))
        {
            (envelope, _, parcel) = await gateway.Accepted("H37", "H37");
            await TestGateway.Send(gateway.As("H37"), HttpMethod.Get, $"/mailbox/{parcel}?x=PLANTED-QUERY");
            await TestGateway.Send(gateway.As("H37"), HttpMethod.Get, "/nothing/PLANTED-PATH");
            // Disposed: what waited was sent.
            await gateway.Host.DisposeAsync();
            var received = Encoding.UTF8.GetString([.. collector.Received.SelectMany(r => r.Body)]);
            Assert.Contains(collector.Received, r => r.Path == "/v1/traces");
            Assert.Contains(collector.Received, r => r.Path == "/v1/metrics");
            foreach (var there in new[] { "submit", "exchange.dispatch", "exchange.submissions", "/mailbox/{parcel}" }) Assert.Contains(there, received, StringComparison.Ordinal);
            Canaries.NoneIn(received, gateway, envelope, parcel);
        }
    }

    static ActivityListener Listen(ConcurrentQueue<Activity> spans)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Spans.Name, Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    /// <summary>Takes whatever is posted.</summary>
    sealed class Collector : IDisposable
    {
        readonly HttpListener listener = new();

        public Collector()
        {
            using (var free = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0))
            {
                free.Start();
                Address = new Uri($"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/");
            }
            listener.Prefixes.Add(Address.AbsoluteUri);
            listener.Start();
            _ = Task.Run(Serve);
        }

        public Uri Address { get; }
        public ConcurrentQueue<(string Path, byte[] Body)> Received { get; } = [];

        async Task Serve()
        {
            try
            {
                while (true)
                {
                    var context = await listener.GetContextAsync();
                    using var body = new MemoryStream();
                    await context.Request.InputStream.CopyToAsync(body);
                    Received.Enqueue((context.Request.Url!.AbsolutePath, body.ToArray()));
                    context.Response.ContentType = "application/x-protobuf";
                    context.Response.Close();
                }
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException) { }
        }

        public void Dispose() => listener.Close();
    }
}
