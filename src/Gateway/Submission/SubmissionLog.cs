namespace Exchange.Gateway.Submission;

static partial class SubmissionLog
{
    [LoggerMessage(2001, LogLevel.Information, "Dispatch {Dispatch} of {Office} was accepted for {Copies} offices")]
    public static partial void DispatchWasAccepted(this ILogger log, Guid dispatch, string office, int copies);

    [LoggerMessage(2002, LogLevel.Information, "A repeat from {Office} was answered with the first receipt of envelope {Envelope}")]
    public static partial void RepeatWasAnswered(this ILogger log, string office, Guid envelope);

    [LoggerMessage(2007, LogLevel.Information, "Dispatch {Dispatch} of {Office} is held: {Code}")]
    public static partial void DispatchIsHeld(this ILogger log, Guid dispatch, string office, string code);

    [LoggerMessage(2003, LogLevel.Warning, "A dispatch of {Office} was refused: {Code} ({Detail})")]
    public static partial void DispatchWasRefused(this ILogger log, string office, string code, string detail);

    [LoggerMessage(2006, LogLevel.Warning, "{Count} requests of {Office} were refused without an entry: it is over its hourly share of refusals")]
    public static partial void RefusalsWereNotJournalled(this ILogger log, string office, long count);

    [LoggerMessage(2004, LogLevel.Information, "The payload of dispatch {Dispatch} of {Office} is awaited: {Bytes} bytes")]
    public static partial void PayloadIsAwaited(this ILogger log, Guid dispatch, string office, long bytes);

    [LoggerMessage(2005, LogLevel.Information, "The payload of dispatch {Dispatch} of {Office} did not come in time")]
    public static partial void UploadWasGivenUp(this ILogger log, Guid dispatch, string office);
}
