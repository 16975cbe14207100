using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Xml;
using Exchange.Crypto;

namespace Exchange.Office.Client.Exports;

/// <summary>
/// An ASiC-E container with CAdES (ETSI EN 319 162-1 clause 4.4): a ZIP that names its type first, holds any files, and signs them by one detached signature over a list of their digests. Written in one pass,
/// in constant memory; what is added is digested as it goes in.
/// </summary>
sealed class AsicContainer : IDisposable
{
    public const string MediaType = "application/vnd.etsi.asic-e+zip";
    public const string ManifestName = "META-INF/ASiCManifest.xml", SignatureName = "META-INF/signature.p7s";
    const string Asic = "http://uri.etsi.org/02918/v1.2.1#", Dsig = "http://www.w3.org/2000/09/xmldsig#", Sha256 = "http://www.w3.org/2001/04/xmlenc#sha256";

    readonly ZipArchive zip;
    readonly DateTimeOffset now;
    readonly List<(string Name, string? MediaType, Digest Sha256)> files = [];

    /// <param name="output">Seekable, at its start; stays open.</param>
    public AsicContainer(Stream output, DateTimeOffset now)
    {
        this.now = now;
        zip = new ZipArchive(output, ZipArchiveMode.Create, leaveOpen: true, Encoding.UTF8);
        // Annex A.1: first, stored, without extra field, so that the type stands at byte 38 of the file.
        using var type = Open("mimetype", CompressionLevel.NoCompression);
        type.Write(Encoding.ASCII.GetBytes(MediaType));
    }

    /// <summary>One signed file.</summary>
    /// <param name="name">Path inside, "/" between folders; none begins with META-INF/.</param>
    /// <param name="mediaType">null: unsaid.</param>
    /// <returns>SHA-256 of what was read.</returns>
    public async Task<Digest> AddAsync(string name, string? mediaType, Stream content, CancellationToken cancel)
    {
        if (name == "mimetype" || name.StartsWith("META-INF/", StringComparison.OrdinalIgnoreCase)) throw new ArgumentException("The container's own name.", nameof(name));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using (var entry = Open(name, CompressionLevel.Optimal))
        {
            var buffer = new byte[1 << 16];
            for (int read; (read = await content.ReadAsync(buffer, cancel).ConfigureAwait(false)) > 0;)
            {
                hash.AppendData(buffer.AsSpan(0, read));
                await entry.WriteAsync(buffer.AsMemory(0, read), cancel).ConfigureAwait(false);
            }
        }
        var digest = new Digest(hash.GetHashAndReset());
        files.Add((name, mediaType, digest));
        return digest;
    }

    /// <summary>META-INF/ASiCManifest.xml over all that was added (annex A.4). Each file is named by a relative URI.</summary>
    public byte[] Manifest()
    {
        using var bytes = new MemoryStream();
        using (var xml = XmlWriter.Create(bytes, new XmlWriterSettings { Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), Indent = true, NewLineChars = "\n" }))
        {
            xml.WriteStartElement("asic", "ASiCManifest", Asic);
            xml.WriteAttributeString("xmlns", "ds", null, Dsig);
            xml.WriteStartElement("SigReference", Asic);
            xml.WriteAttributeString("URI", SignatureName);
            xml.WriteAttributeString("MimeType", "application/pkcs7-signature");
            xml.WriteEndElement();
            foreach (var (name, mediaType, digest) in files)
            {
                xml.WriteStartElement("DataObjectReference", Asic);
                xml.WriteAttributeString("URI", string.Join('/', name.Split('/').Select(Uri.EscapeDataString)));
                if (mediaType is not null) xml.WriteAttributeString("MimeType", mediaType);
                xml.WriteStartElement("DigestMethod", Dsig);
                xml.WriteAttributeString("Algorithm", Sha256);
                xml.WriteEndElement();
                xml.WriteElementString("DigestValue", Dsig, Convert.ToBase64String(digest.ToArray()));
                xml.WriteEndElement();
            }
            xml.WriteEndElement();
        }
        return bytes.ToArray();
    }

    /// <summary>The last two files; then <see cref="Dispose"/> ends the ZIP.</summary>
    public void Sign(ReadOnlySpan<byte> manifest, ReadOnlySpan<byte> signature)
    {
        using (var entry = Open(ManifestName, CompressionLevel.Optimal)) entry.Write(manifest);
        using (var entry = Open(SignatureName, CompressionLevel.Optimal)) entry.Write(signature);
    }

    Stream Open(string name, CompressionLevel level)
    {
        var entry = zip.CreateEntry(name, level);
        entry.LastWriteTime = now;
        return entry.Open();
    }

    public void Dispose() => zip.Dispose();
}
