using System.Text.Json;
using System.Text.Json.Serialization;
using Exchange.Crypto;

namespace Exchange.Office.Client;

/// <summary>How far a received envelope got. Durable before the step that it announces.</summary>
public enum ReceivedState
{
    /// <summary>Delivered to our own endpoint: all bytes are here, the outside holds, our handover is signed. Not opened yet.</summary>
    Held,
    /// <summary>Everything held; the documents are about to get their place in <see cref="ReceivedRecord.Folder"/>. After a crash the opening is done again over it.</summary>
    Opening,
    /// <summary>Documents and both receipts are durable.</summary>
    Opened,
    /// <summary>Did not open or did not hold; the failure's receipts are durable, the sealed bytes are kept.</summary>
    Failed,
}

/// <param name="Time">T of the gateway's receipt, Unix milliseconds.</param>
/// <param name="Folder">Absolute path of the documents; null when failed.</param>
/// <param name="Handover">DER of our receipt; sent again as it is.</param>
/// <param name="Outcome">DER of our opening or opening-failure receipt.</param>
/// <param name="Acknowledged">The gateway has both receipts.</param>
public sealed record ReceivedRecord(int V, string Sender, Guid Id, Digest Ctx, Digest ManifestDigest, string State, Guid Parcel, long Time, string? Number,
    string? Folder, IReadOnlyList<string> Files, string? Code,
    [property: JsonConverter(typeof(BytesJson))] byte[]? Handover, [property: JsonConverter(typeof(BytesJson))] byte[]? Outcome, bool Acknowledged)
{
    /// <summary>Of what its author signed: the same in every copy of one dispatch. null: not opened, or by an older version.</summary>
    public Digest? DispatchRef { get; init; }
    /// <summary>Until when, by time-stamps, its author had signed, Unix milliseconds; null: it bore none.</summary>
    public long? StampedAt { get; init; }
    /// <summary>Its level asks for a time-stamp and lets it wait, and it bore none: its sender has it, or will have it.</summary>
    public bool StampPending { get; init; }
    [JsonIgnore] public ReceivedState Stage => Enum.Parse<ReceivedState>(State);
}

/// <summary>A sender takes a dispatch of his back, or puts another in its place; kept whether that one has come or not.</summary>
/// <param name="Target">Header id of what is taken back.</param>
/// <param name="Ref">Its CTX.</param>
/// <param name="Kind">"recall" or "replace".</param>
/// <param name="Id">Header id of the recall.</param>
/// <param name="Parcel">That brought it.</param>
/// <param name="Reason">Of a recall: what was sealed in it; null: a replacement.</param>
public sealed record RecallNotice(int V, string Sender, Guid Target, Digest Ref, int Revision, string Kind, Guid Id, Digest Ctx, Guid Parcel, string? Reason);

/// <summary>(sender, id) of every envelope ever received, for ever: another envelope under a known name is a replay.</summary>
sealed class Received(OfficeFiles files)
{
    /// <returns>null: never seen.</returns>
    public ReceivedRecord? Find(string sender, Guid id) =>
        File.Exists(PathOf(sender, id)) ? JsonSerializer.Deserialize(File.ReadAllBytes(PathOf(sender, id)), ClientJson.Default.ReceivedRecord) : null;

    /// <exception cref="RefusedException"><see cref="Refusal.Replay"/>: the name is taken by another CTX or manifest.</exception>
    public ReceivedRecord? Demand(string sender, Guid id, Digest ctx, Digest manifestDigest)
    {
        var known = Find(sender, id);
        return known is null || (known.Ctx == ctx && known.ManifestDigest == manifestDigest) ? known : throw new RefusedException(Refusal.Replay, $"{sender} {id}");
    }

    public void Save(ReceivedRecord record)
    {
        files.Folder("received", Safe(record.Sender));
        files.Write(PathOf(record.Sender, record.Id), JsonSerializer.SerializeToUtf8Bytes(record, ClientJson.Default.ReceivedRecord));
    }

    public IEnumerable<ReceivedRecord> List() => Directory.Exists(files.At("received"))
        ? Directory.EnumerateFiles(files.At("received"), "*.json", SearchOption.AllDirectories).Select(f => JsonSerializer.Deserialize(File.ReadAllBytes(f), ClientJson.Default.ReceivedRecord)!) : [];

    /// <returns>null: it was not taken back.</returns>
    public RecallNotice? FindRecall(string sender, Guid target) =>
        File.Exists(RecallFile(sender, target)) ? JsonSerializer.Deserialize(File.ReadAllBytes(RecallFile(sender, target)), ClientJson.Default.RecallNotice) : null;

    /// <summary>Keeps the one of the highest revision; a lower one that comes late changes nothing.</summary>
    public void SaveRecall(RecallNotice notice)
    {
        if (FindRecall(notice.Sender, notice.Target) is { } kept && kept.Revision >= notice.Revision) return;
        files.Folder("received", Safe(notice.Sender), "recalls");
        files.Write(RecallFile(notice.Sender, notice.Target), JsonSerializer.SerializeToUtf8Bytes(notice, ClientJson.Default.RecallNotice));
    }

    string RecallFile(string sender, Guid target) => files.At("received", Safe(sender), "recalls", target + ".recall");

    /// <summary>Our ContentHandover of a parcel that was delivered to our endpoint, by the parcel's name; kept for ever, since a repeat is answered with it.</summary>
    /// <returns>null: none was given.</returns>
    public byte[]? Handover(Guid parcel) => File.Exists(HandoverFile(parcel)) ? File.ReadAllBytes(HandoverFile(parcel)) : null;

    public void SaveHandover(Guid parcel, ReadOnlySpan<byte> receipt)
    {
        files.Folder("handovers");
        files.Write(HandoverFile(parcel), receipt);
    }

    string HandoverFile(Guid parcel) => files.At("handovers", parcel + ".p7s");

    /// <summary>Folder for what proves this envelope later: header, manifest, the gateway's receipt, the author's dispatch.</summary>
    public string Evidence(string sender, Guid id) => files.Folder("received", Safe(sender), id.ToString());

    string PathOf(string sender, Guid id) => files.At("received", Safe(sender), id + ".json");

    // A code of the directory; "." and ".." are codes too, but not folders.
    static string Safe(string sender) => sender.StartsWith('.') || sender.Contains('/') ? throw new RefusedException(Refusal.Header, "sender") : sender;
}
