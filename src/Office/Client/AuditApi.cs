using System.Globalization;
using System.Text.Json.Serialization;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;

namespace Exchange.Office.Client;

// What the gateway answers auditors. Members that are not known here are passed over: later versions only add.

/// <param name="TimeStamped">There is a token over it; false also from a gateway that never had any.</param>
sealed record KeptNote(long Size, string Note, bool TimeStamped = false);

sealed record KeptNotes(IReadOnlyList<KeptNote> Checkpoints);

/// <param name="At">Size of the tree that the list is of.</param>
/// <param name="Next">null: that was all.</param>
sealed record AuditPage(long At, IReadOnlyList<AuditEntry> Entries, string? Next);

/// <param name="Level">Class number of the label that protects it; null: it is about no dispatch.</param>
/// <param name="Salt">null: erased.</param>
/// <param name="Erased">Entry that says so.</param>
sealed record AuditEntry(long Index, long Time, string Kind, int? Level, Digest Leaf, [property: JsonConverter(typeof(BytesJson))] byte[]? Salt,
    [property: JsonConverter(typeof(BytesJson))] byte[]? Detail, long? Erased, IReadOnlyList<Digest>? Proof);

/// <summary>The routes for auditors.</summary>
sealed class AuditApi(GatewayApi api)
{
    public GatewayApi Gateway => api;

    public Task<byte[]> CheckpointAsync(CancellationToken cancel) => api.CheckpointAsync(cancel);

    public Task<byte[]> CheckpointAsync(long size, CancellationToken cancel) => api.GetAsync(string.Create(CultureInfo.InvariantCulture, $"/ledger/checkpoints/{size}"), cancel);

    /// <summary>Time-stamp token of this head.</summary>
    /// <param name="origin">Name of the gateway's ledger, or of one that it follows.</param>
    public Task<byte[]> TimeStampAsync(string origin, long size, CancellationToken cancel) => api.GetAsync(string.Create(CultureInfo.InvariantCulture, $"/ledger/checkpoints/{size}/timestamp?origin={Uri.EscapeDataString(origin)}"), cancel);

    public async Task<IReadOnlyList<KeptNote>> CheckpointsAsync(string origin, long after, CancellationToken cancel) =>
        (await api.JsonAsync(HttpMethod.Get, string.Create(CultureInfo.InvariantCulture, $"/ledger/checkpoints?after={after}&limit=200&origin={Uri.EscapeDataString(origin)}"), ClientJson.Default.KeptNotes, cancel).ConfigureAwait(false)).Checkpoints;

    public Task<byte[]> TileAsync(TilePath path, CancellationToken cancel) => api.GetAsync($"/ledger/{path}", cancel);

    /// <param name="first">Number of the first bundle of 256.</param>
    public Task<byte[]> DetailsAsync(long at, long first, int count, CancellationToken cancel) =>
        api.GetAsync(string.Create(CultureInfo.InvariantCulture, $"/audit/details?at={at}&first={first}&count={count}"), cancel);

    /// <param name="filter">"name=value", escaped, as the interface has them.</param>
    public Task<AuditPage> EntriesAsync(IReadOnlyList<string> filter, CancellationToken cancel) => api.JsonAsync(HttpMethod.Get, $"/audit/entries?{string.Join("&", filter)}", ClientJson.Default.AuditPage, cancel);
}
