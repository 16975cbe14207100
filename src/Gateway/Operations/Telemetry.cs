using System.Diagnostics.Metrics;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Exchange.Gateway.Operations;

/// <summary>
/// Gives metrics to whoever scrapes the operations listener, metrics and traces to the collector that gateway.json names. With neither configured nothing is
/// collected. Every trace is kept: one that is asked for is one that went wrong, and a collector can thin them out; when it does not keep up they are dropped here.
/// </summary>
sealed class Telemetry : IDisposable
{
    readonly MeterProvider? metrics;
    readonly TracerProvider? traces;

    /// <param name="meters">Of this gateway.</param>
    /// <param name="framework">Makes the meters of Kestrel and the HTTP pipeline of this gateway.</param>
    public Telemetry(Options options, Meters meters, IMeterFactory framework)
    {
        var resource = ResourceBuilder.CreateEmpty().AddService("exchange-gateway", serviceVersion: typeof(Telemetry).Assembly.GetName().Version!.ToString(3), autoGenerateServiceInstanceId: false, serviceInstanceId: options.Origin);
        if (options.Operations is not null || options.Telemetry is not null)
        {
            var builder = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource)
                .AddMeter(Meters.Name, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime")
                .AddView(instrument => instrument.Meter.Scope is { } scope && scope != meters && scope != framework ? MetricStreamConfiguration.Drop : null);
            if (options.Operations is not null) builder.AddPrometheusExporter(prometheus => prometheus.ScopeInfoEnabled = false);
            if (options.Telemetry is { } collector) builder.AddOtlpExporter(otlp => To(collector, "v1/metrics", otlp));
            metrics = builder.Build();
        }
        if (options.Telemetry is { } to)
            traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).SetSampler(new ParentBasedSampler(new AlwaysOnSampler()))
                .AddSource(Spans.Name).AddOtlpExporter(otlp => To(to, "v1/traces", otlp)).Build();
    }

    static void To(Uri collector, string path, OtlpExporterOptions otlp)
    {
        otlp.Protocol = OtlpExportProtocol.HttpProtobuf;
        otlp.Endpoint = new Uri(collector, path);
    }

    /// <summary>GET /metrics; anything else is passed on.</summary>
    public void Map(IApplicationBuilder plain)
    {
        if (metrics is not null)
            plain.UseOpenTelemetryPrometheusScrapingEndpoint(metrics, context => context.Request.Path.Value == "/metrics" && HttpMethods.IsGet(context.Request.Method), null, null, null);
    }

    /// <summary>Sends what waits, for a few seconds at most.</summary>
    public void Dispose()
    {
        traces?.Dispose();
        metrics?.Dispose();
    }
}
