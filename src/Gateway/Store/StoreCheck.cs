using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <param name="Table">Where something is missing or wrong.</param>
/// <param name="Id">Which row.</param>
/// <param name="Problem">What, in a sentence.</param>
internal sealed record Finding(string Table, string Id, string Problem)
{
    public override string ToString() => $"{Table} {Id}: {Problem}";
}

/// <summary>
/// Whether the store still keeps every promise made; run at start, which refuses on any finding, and by `exchange-gateway check`. What each row promises:
/// <list type="bullet">
/// <item>dispatch: its Submission entry, its SubmissionAcceptance receipt, its decision, a parcel for each recipient of role "to" or "cc" and no other, its payload in the row or as a blob of the right length</item>
/// <item>receipt: the entry with its leaf; its dispatch and parcel where it names them; bytes that hash to its digest</item>
/// <item>held: its Hold entry, its SubmissionHold receipt, its decision, all approvals that came, its payload while it waits; then the dispatch of its id, or its SubmissionRejection</item>
/// <item>change of a label: its bytes, entry and decision, all statements that came, the label before it; statement: its entry</item>
/// <item>parcel: as long as it is queued a job, and none after; while it is dead and nobody has decided about it, a row that says so; attempt: its entry</item>
/// <item>entry: by its kind, see <see cref="PromiseCheck"/>; salt and detail that hash to it, or one later entry that says erased, see <see cref="ErasureCheck"/></item>
/// <item>erasure: no byte of what it names, no detail that tells of it, and the statement of the two who wanted it</item>
/// <item>tree: entries without gaps, complete tiles, head and signed checkpoints all from the same leaves</item>
/// </list>
/// </summary>
internal static class StoreCheck
{
    /// <summary>All findings; empty: good.</summary>
    /// <param name="signed">Heads that the guard keeps, smallest first; read once.</param>
    public static IReadOnlyList<Finding> Run(IEngine engine, BlobStore blobs, IEnumerable<SignedHead> signed)
    {
        var findings = new List<Finding>();
        // One view of the store, also beside a running gateway.
        using var reader = engine.Reader().Snapshot();
        TreeCheck.Run(reader, signed, findings);
        PromiseCheck.Run(reader, findings);
        BlobCheck.Run(reader, blobs, findings);
        return findings;
    }
}
