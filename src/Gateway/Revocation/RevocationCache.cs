using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Operations;

namespace Exchange.Gateway.Revocation;

/// <summary>What a server wants to hear at the next conditional GET; null: it gave none.</summary>
sealed record Validators(string? ETag, string? LastModified);

/// <summary>
/// What was fetched, on disk, so that a start does not depend on anybody's server: revocation lists by source, OCSP responses by certificate. All of it is signed by CAs and verified again whenever it
/// is read; whoever loses it fetches it again. A crash in between two writes costs one unconditional GET.
/// </summary>
sealed class RevocationCache
{
    const string Response = ".ors";
    readonly string lists, responses;
    readonly Queue<string> unswept = [];
    int kept;

    public RevocationCache(string folder)
    {
        (lists, responses) = (Path.Combine(folder, "crls"), Path.Combine(folder, "ocsp"));
        foreach (var path in new[] { folder, lists, responses }) DurableFile.CreateFolder(path);
        kept = Directory.EnumerateFiles(responses, "*" + Response).Count();
    }

    /// <summary>OCSP responses. Beyond this many a new one counts and is not kept: after a start it is asked for again.</summary>
    public int Most { get; init; } = 20_000;

    public byte[]? List(Uri source) => Read(At(source, ".crl"));

    /// <summary>Of the list that is here; none when it is not.</summary>
    public Validators ValidatorsOf(Uri source) =>
        File.Exists(At(source, ".crl")) && Read(At(source, ".validators")) is { } bytes && Encoding.ASCII.GetString(bytes).Split('\n') is [var tag, var modified, ..] ? new(OrNull(tag), OrNull(modified)) : new(null, null);

    public void Keep(Uri source, byte[] list, Validators validators)
    {
        // Between these two an older word about a newer list: the server then answers with the whole list once more.
        DurableFile.Write(At(source, ".crl"), list);
        DurableFile.Write(At(source, ".validators"), Encoding.ASCII.GetBytes($"{validators.ETag}\n{validators.LastModified}\n"));
    }

    public byte[]? ResponseOf(Digest certificate) => Read(Path.Combine(responses, certificate + Response));

    /// <summary>In place of the one before. One that says "revoked" always finds room: there are no more of these than certificates in use.</summary>
    public void Keep(Digest certificate, OcspResponse response)
    {
        var path = Path.Combine(responses, certificate + Response);
        var isNew = !File.Exists(path);
        if (isNew && kept >= Most && !response.SaysRevoked) return;
        DurableFile.Write(path, response.Der.Span);
        if (isNew) kept++;
    }

    /// <summary>
    /// Looks at the next few responses, round and round, and removes what has ended: of certificates that nobody asks about any more nothing newer comes in its place. A revocation has no end. What does
    /// not verify may do so again under another list, and stays. Not beside <see cref="Keep(Digest, OcspResponse)"/>. A crash in between: the next round finds it.
    /// </summary>
    public void Sweep(TrustStore store, DateTimeOffset now, int most)
    {
        if (unswept.Count == 0) foreach (var file in Directory.EnumerateFiles(responses, "*" + Response)) unswept.Enqueue(file);
        for (var i = 0; i < most && unswept.TryDequeue(out var file); i++)
            try
            {
                if (Read(file) is not { } der || OcspResponse.Read(der, store) is not { SaysRevoked: false } response || now < response.EarliestEnd) continue;
                File.Delete(file);
                kept--;
            }
            catch (RefusedException) { }
    }

    /// <summary>Those that verify under this store. What does not (its CA is gone, its file was spoiled) is passed over, and asked for again when it is due.</summary>
    public IReadOnlyList<OcspResponse> ResponsesUnder(TrustStore store)
    {
        var good = new List<OcspResponse>();
        foreach (var file in Directory.EnumerateFiles(responses, "*" + Response))
            try { good.Add(OcspResponse.Read(File.ReadAllBytes(file), store)); }
            catch (RefusedException) { }
        return good;
    }

    // URLs are long and hold what a file name may not.
    string At(Uri source, string ending) => Path.Combine(lists, Digest.Of(Encoding.UTF8.GetBytes(source.AbsoluteUri)) + ending);

    // It may be swept, or replaced, at any moment.
    static byte[]? Read(string path)
    {
        try { return File.ReadAllBytes(path); }
        catch (FileNotFoundException) { return null; }
    }

    static string? OrNull(string text) => text.Length == 0 ? null : text;
}
