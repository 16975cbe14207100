namespace Exchange.Gateway.Revocation;

/// <summary>One step of everything that is fetched from CAs. No request ever waits for it: decisions are made on what is here.</summary>
sealed class FetchRevocation(FetchLists lists, AskResponders responders, CancellationToken stopping)
{
    /// <summary>Sources that fail now, for an alarm; null: none.</summary>
    public string? Trouble => string.Join("; ", lists.Trouble.Concat(responders.Trouble)) is { Length: > 0 } text ? text : null;

    public async Task Step(DateTimeOffset now)
    {
        try
        {
            // Lists first: what they revoke is not asked about with trust in it.
            await lists.Step(now, stopping);
            await responders.Step(now, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested) { }
    }
}

static partial class RevocationLog
{
    [LoggerMessage(9050, LogLevel.Information, "A newer revocation list of {Source} is in force")]
    public static partial void ListWasFetched(this ILogger log, string source);

    [LoggerMessage(9051, LogLevel.Warning, "{Source} gave no revocation list or OCSP response ({Why}); it is tried again")]
    public static partial void SourceFailed(this ILogger log, string source, string why);

    [LoggerMessage(9052, LogLevel.Information, "{Source} answers again")]
    public static partial void SourceIsBack(this ILogger log, string source);

    [LoggerMessage(9053, LogLevel.Warning, "An OCSP responder says of the certificate {Key}: {Status}")]
    public static partial void ResponderSays(this ILogger log, Exchange.Crypto.Digest key, string status);
}
