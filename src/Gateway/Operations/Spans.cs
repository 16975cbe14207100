using System.Diagnostics;

namespace Exchange.Gateway.Operations;

/// <summary>
/// Traces of the use cases. A span may carry the gateway's own dispatch id and words from closed lists, and this is the only place that puts anything on one:
/// what offices write, and who they are, does not leave through here. With nobody listening every call below does nothing.
/// </summary>
static class Spans
{
    public const string Name = "Exchange.Gateway";
    static readonly ActivitySource Source = new(Name);

    /// <summary>A child of the span under way, or a trace of its own.</summary>
    public static Activity? Start(string name) => Source.StartActivity(name);

    /// <summary>The gateway's id, not the sender's.</summary>
    public static void Dispatch(this Activity? span, Guid id) => span?.SetTag("exchange.dispatch", id.ToString());

    /// <summary>"OK" or the code of a refusal.</summary>
    public static void Code(this Activity? span, string code) => span?.SetTag("exchange.code", code);

    public static void Verdict(this Activity? span, Crypto.Policy.Verdict verdict) => span?.SetTag("exchange.verdict", verdict.ToString().ToLowerInvariant());

    public static void Adapter(this Activity? span, string adapter) => span?.SetTag("exchange.adapter", adapter);

    public static void Outcome(this Activity? span, Store.AttemptOutcome outcome) => span?.SetTag("exchange.outcome", outcome.ToString());

    /// <summary>This program's fault. What the exception says is in the log only.</summary>
    public static void Failed(this Activity? span) => span?.SetStatus(ActivityStatusCode.Error);

    /// <summary>What a caller says of a trace is not taken over, neither its ids nor whether it is kept: each request begins its own.</summary>
    public static Task IgnoreCaller(HttpContext context, RequestDelegate next)
    {
        Activity.Current = null;
        return next(context);
    }
}
