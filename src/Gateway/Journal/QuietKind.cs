namespace Exchange.Gateway.Journaling;

/// <summary>The only changes that leave no ledger entry: nothing is promised by them. House rules list these three; all else logs.</summary>
internal enum QuietKind
{
    /// <summary>A worker takes a job.</summary>
    Claim,
    /// <summary>A worker keeps its job.</summary>
    Heartbeat,
    /// <summary>An upload begins, goes on or is given up.</summary>
    UploadProgress,
}
