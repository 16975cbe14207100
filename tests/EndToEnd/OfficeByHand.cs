using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Tests;

/// <summary>An envelope ready to go, in its file form.</summary>
sealed record Ready(Guid Id, byte[] File);

/// <summary>
/// An office of a development PKI without the product's client: seals ahead of time and speaks HTTP itself, so that many requests can be under way at once and
/// what the client remembers is the test's own list.
/// </summary>
sealed class OfficeByHand
{
    readonly string code, origin, passphrase, pki;
    readonly Lazy<FileKey> sign, clerk;
    readonly OfficeDirectory directory;
    readonly CompiledPolicy policy;

    public OfficeByHand(string pki, string code)
    {
        (this.pki, this.code) = (pki, code);
        passphrase = File.ReadLines(Path.Combine(pki, "passphrase")).First();
        origin = File.ReadAllText(Path.Combine(pki, "gateway", "origin")).Trim();
        (sign, clerk) = (new(() => Key("sign.p12")), new(() => Key("persons/clerk.p12")));
        Tls = TlsOf(pki, code, passphrase);
        using var pins = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(pki, "pins.json")));
        Digest[] Pinned(string name) => [.. pins.RootElement.GetProperty(name).EnumerateArray().Select(k => Digest.TryParse(k.GetString(), out var key) ? key : throw new InvalidDataException(name))];
        var (now, statements) = (TimeProvider.System.GetUtcNow(), Path.Combine(pki, "statements"));
        var trust = new CertificateCheck(TrustStore.Load(Path.Combine(pki, "trust")));
        directory = OfficeDirectory.Open(File.ReadAllBytes(Path.Combine(statements, "directory.p7s")),
            Directory.EnumerateFiles(Path.Combine(statements, "cards")).Select(f => (ReadOnlyMemory<byte>)File.ReadAllBytes(f)), Pinned("directoryOfficers"), trust, now);
        policy = CompiledPolicy.Open(File.ReadAllBytes(Path.Combine(statements, "policy.p7s")), Pinned("policyOfficers"), trust, now);
    }

    /// <summary>Another office of the same PKI, which has been read already.</summary>
    public OfficeByHand(OfficeByHand like, string code)
    {
        (this.code, pki, passphrase, origin, directory, policy) = (code, like.pki, like.passphrase, like.origin, like.directory, like.policy);
        (sign, clerk) = (new(() => Key("sign.p12")), new(() => Key("persons/clerk.p12")));
        Tls = TlsOf(pki, code, passphrase);
    }

    public X509Certificate2 Tls { get; }

    static X509Certificate2 TlsOf(string pki, string code, string passphrase) => X509CertificateLoader.LoadPkcs12FromFile(Path.Combine(pki, "offices", code, "tls.p12"), passphrase);

    FileKey Key(string file) => FileKey.Load(Path.Combine([pki, "offices", code, .. file.Split('/')]), passphrase);

    /// <summary>One document of random bytes, sealed to one office.</summary>
    public Task<Ready> SealAsync(string to, int size, string name = "a.bin") => SealAsync(to, System.Security.Cryptography.RandomNumberGenerator.GetBytes(size), name);

    public Task<Ready> SealAsync(string to, byte[] document, string name, int urgency = 0) => SealAsync([to], document, name, urgency);

    public async Task<Ready> SealAsync(string[] to, byte[] document, string name, int urgency)
    {
        var (now, level) = (TimeProvider.System.GetUtcNow(), policy.Level("thuong")!);
        var id = Guid.CreateVersion7(now);
        using var payload = new MemoryStream();
        var envelope = await Envelope.SealAsync(new SealRequest
        {
            Id = id, Gateway = origin, Sender = code, Recipients = [.. to.Select(o => new SealRecipient(o, directory.Find(o)!.Encryption[0], "to"))], To = to,
            Label = policy.NewLabel(level.Code), Urgency = urgency, Times = new(null, now.AddDays(1).ToUnixTimeMilliseconds(), null), Policy = policy.Ref, Directory = directory.Ref, Seen = null,
            Sheet = new() { Number = null, Notation = null, Subject = "Thử", DocumentType = "Công văn", Place = null, Date = "2026-11-24", Signatory = null },
            Documents = [new(name, "application/octet-stream", document.Length, null, () => new MemoryStream(document))],
            Authors = [clerk.Value], Approvers = [], Office = sign.Value, ManifestBucket = level.ManifestBucket, PayloadBucket = level.PayloadBucket,
        }, payload, TimeProvider.System, CancellationToken.None);
        return new(id, [.. EnvelopeFile.Write(envelope.Parts), .. payload.ToArray()]);
    }

    /// <summary>One connection of its own, HTTP/2 over mutual TLS.</summary>
    public HttpClient Connect(Uri gateway) => new(new SocketsHttpHandler
    {
        SslOptions = new SslClientAuthenticationOptions { LocalCertificateSelectionCallback = (_, _, _, _, _) => Tls, RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
    })
    { BaseAddress = gateway, DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact, Timeout = TimeSpan.FromSeconds(30) };

    /// <summary>Hands one in.</summary>
    /// <param name="firstByte">Called when the first byte of the body is about to leave.</param>
    public static async Task<(HttpStatusCode Status, byte[] Body)> PostAsync(HttpClient gateway, string path, byte[] body, Action? firstByte = null)
    {
        using var content = new Announced(body, firstByte);
        using var response = await gateway.PostAsync(path, content);
        return (response.StatusCode, await response.Content.ReadAsByteArrayAsync());
    }

    /// <summary>The office's receipt for a copy whose bytes it has, and which it does not check.</summary>
    public byte[] Handover(ReadOnlyMemory<byte> file)
    {
        using var wire = new MemoryStream(file.ToArray());
        var parts = EnvelopeFile.ReadPartsAsync(wire, CancellationToken.None).GetAwaiter().GetResult();
        var (header, now) = (EnvelopeFile.PeekUnverified(parts.Header), TimeProvider.System.GetUtcNow());
        return Statement.Sign(StatementType.Receipt, StrictJson.Write(new Receipt
        {
            V = 1, Type = Receipt.TypeName, Signers = [sign.Value.Certificate.Key], Id = Guid.CreateVersion7(now), Event = ReceiptEvent.ContentHandover, Code = "OK", Time = now.ToUnixTimeMilliseconds(),
            Issuer = code, Sender = header.Sender, Envelope = header.Id, Ctx = Digest.Of(StrictJson.Write(header, StatementJson.Default.Header)), ManifestDigest = Digest.Of(parts.Manifest.Span), Office = code,
            Key = header.Recipients.First(r => r.Office == code).Key, Signatures = null, Policy = null, Seen = null, Entry = null, Proof = null,
        }, StatementJson.Default.Receipt), [sign.Value], now).Der.ToArray();
    }

    sealed class Announced : HttpContent
    {
        readonly byte[] body;
        readonly Action? firstByte;

        public Announced(byte[] body, Action? firstByte)
        {
            (this.body, this.firstByte) = (body, firstByte);
            Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            firstByte?.Invoke();
            await stream.WriteAsync(body);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = body.Length;
            return true;
        }
    }
}
