using System.Text.Json;
using System.Text.Json.Serialization;
using Exchange.Crypto;

namespace Exchange.Gateway.Operations;

/// <param name="Path">In the backup, with slashes: data/… or guard/….</param>
sealed record BackupFile(string Path, long Length, Digest Sha256);

/// <summary>Size and root of a ledger.</summary>
sealed record BackupLedger(long Size, Digest Root);

/// <summary>The last line of the manifest.</summary>
/// <param name="Format">1.</param>
/// <param name="Program">Version that wrote it.</param>
/// <param name="Schema">Of the store in it.</param>
/// <param name="Guard">What had been signed by then.</param>
sealed record BackupSummary(long Format, string Origin, string Program, long Schema, DateTimeOffset Made, BackupLedger Ledger, BackupLedger Guard, long Files, long Bytes);

/// <summary>
/// A backup on disk: data/ and guard/ as they were, and manifest.jsonl, one line for each file and a last one about the whole. The manifest comes last, whole or not at all:
/// a folder without it is no backup, whatever else is in it.
/// </summary>
sealed class BackupFolder(string root)
{
    public const string Manifest = "manifest.jsonl", Data = "data/", Guard = "guard/";

    public string Root { get; } = Path.GetFullPath(root);
    public string At(string path) => Path.Combine(Root, path);

    /// <summary>The manifest's lines.</summary>
    /// <exception cref="CannotRestoreException">There is none, or it is not one.</exception>
    public (IEnumerable<BackupFile> Files, BackupSummary Summary) Read()
    {
        if (!File.Exists(At(Manifest))) throw new CannotRestoreException($"{Root} is not a backup, or one that was never finished: it has no {Manifest}. Name the folder that `exchange-gateway backup` wrote.");
        try
        {
            var summary = JsonSerializer.Deserialize(File.ReadLines(At(Manifest)).Last(), BackupJson.Default.BackupSummary)!;
            if (summary.Format != 1) throw new CannotRestoreException($"{Root} has format {summary.Format}; this program knows format 1. Restore it with the newer program that wrote it.");
            return (Lines(summary.Files), summary);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) { throw Damaged(e); }
    }

    IEnumerable<BackupFile> Lines(long count)
    {
        var lines = File.ReadLines(At(Manifest)).Take((int)count).Select(line =>
        {
            try { return JsonSerializer.Deserialize(line, BackupJson.Default.BackupFile)!; }
            catch (JsonException e) { throw Damaged(e); }
        });
        // Whoever can write the manifest must not be able to name files outside.
        return lines.Select(f => (f.Path.StartsWith(Data, StringComparison.Ordinal) || f.Path.StartsWith(Guard, StringComparison.Ordinal)) && !f.Path.Split('/').Any(part => part is "" or "." or "..") ? f : throw Damaged(null));
    }

    public static byte[] Line(BackupFile file) => [.. JsonSerializer.SerializeToUtf8Bytes(file, BackupJson.Default.BackupFile), (byte)'\n'];
    public static byte[] Line(BackupSummary summary) => [.. JsonSerializer.SerializeToUtf8Bytes(summary, BackupJson.Default.BackupSummary), (byte)'\n'];

    CannotRestoreException Damaged(Exception? cause) => new($"{At(Manifest)} is damaged. Take another copy of this backup, or another backup.", cause);
}

/// <summary>Why a backup cannot be made or used, and what can be done.</summary>
sealed class CannotRestoreException(string message, Exception? inner = null) : Exception(message, inner);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(BackupFile))]
[JsonSerializable(typeof(BackupSummary))]
partial class BackupJson : JsonSerializerContext;
