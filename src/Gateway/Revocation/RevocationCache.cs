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

    public RevocationCache(string folder)
    {
        (lists, responses) = (Path.Combine(folder, "crls"), Path.Combine(folder, "ocsp"));
        foreach (var path in new[] { folder, lists, responses }) DurableFile.CreateFolder(path);
    }

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

    public void Keep(Digest certificate, OcspResponse response) => DurableFile.Write(Path.Combine(responses, certificate + Response), response.Der.Span);

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

    static byte[]? Read(string path) => File.Exists(path) ? File.ReadAllBytes(path) : null;
    static string? OrNull(string text) => text.Length == 0 ? null : text;
}
