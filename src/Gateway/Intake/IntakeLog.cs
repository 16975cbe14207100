using Exchange.Adapters;

namespace Exchange.Gateway.Intake;

static partial class IntakeLog
{
    [LoggerMessage(6101, LogLevel.Information, "By {Channel} something came that calls itself {Kind} and was put aside: {Code}")]
    public static partial void BroughtWasRefused(this ILogger log, string channel, BroughtKind kind, string code);

    [LoggerMessage(6102, LogLevel.Error, "Taking in a {Kind} that came by {Channel} failed in this program; it is brought again")]
    public static partial void TakingFailed(this ILogger log, Exception failure, string channel, BroughtKind kind);

    [LoggerMessage(6103, LogLevel.Information, "By {Channel} an envelope of {Office} came and was refused: {Code}")]
    public static partial void EnvelopeWasRefused(this ILogger log, string channel, string office, string code);

    [LoggerMessage(6104, LogLevel.Information, "A carrier reports parcel {Parcel} for {Office}: {Action} ({Code})")]
    public static partial void CarrierReported(this ILogger log, Guid parcel, string office, ReportedAction action, string code);

    [LoggerMessage(6105, LogLevel.Warning, "By {Channel} {Count} things came that are nothing of ours; they were put into its quarantine")]
    public static partial void WasPutAside(this ILogger log, string channel, int count);

    [LoggerMessage(6106, LogLevel.Warning, "Nothing comes in by {Channel}: {Reason}")]
    public static partial void IntakeIsDown(this ILogger log, string channel, string reason);

    [LoggerMessage(6107, LogLevel.Information, "By {Channel} things come in again")]
    public static partial void IntakeIsBack(this ILogger log, string channel);

    [LoggerMessage(6108, LogLevel.Warning, "Receipts for {Office} do not go out by {Channel}, and wait: {Reason}")]
    public static partial void RepliesWait(this ILogger log, string office, string channel, string reason);
}
