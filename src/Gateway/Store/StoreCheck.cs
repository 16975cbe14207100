using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <param name="Table">Where something is missing or wrong.</param>
/// <param name="Id">Which row.</param>
/// <param name="Problem">What, in a sentence.</param>
internal sealed record Finding(string Table, string Id, string Problem)
{
    public override string ToString() => $"{Table} {Id}: {Problem}";
}

/// <summary>Whether the store still keeps every promise made: run at start and by `exchange-gateway check`.</summary>
internal static class StoreCheck
{
    /// <summary>All findings; empty: good.</summary>
    public static IReadOnlyList<Finding> Run(IEngine engine, BlobStore blobs) => throw new NotImplementedException();
}
