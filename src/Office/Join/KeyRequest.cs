using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Exchange.Crypto.Trust;

namespace Exchange.Office.Join;

/// <param name="Name">Of the files; of a person also the role.</param>
/// <param name="Purposes">What the certificate must be good for when it comes back.</param>
sealed record KeyKind(string Name, KeyUse Use, params Purpose[] Purposes)
{
    static readonly KeyKind[]
        Office =
        [
            new("sign", KeyUse.Sign, Purpose.OfficeSigning), new("encrypt", KeyUse.Encrypt, Purpose.OfficeEncryption), new("tls", KeyUse.Tls, Purpose.TlsClient, Purpose.TlsServer),
            .. DirectoryForm.Roles.Reverse().Select(role => new KeyKind(role, KeyUse.Sign, Purpose.PersonSigning)),
        ],
        Gateway = [new("tls", KeyUse.Tls, Purpose.TlsServer, Purpose.TlsClient), new("evidence", KeyUse.Evidence, Purpose.GatewayEvidence)],
        Officer = [new("officer", KeyUse.Sign, Purpose.Officer)];

    public const string ForOffice = "office", ForGateway = "gateway", ForOfficer = "officer";

    /// <summary>Every key of such an owner.</summary>
    public static IReadOnlyList<KeyKind> Of(string owner) => owner switch { ForOffice => Office, ForGateway => Gateway, _ => Officer };
}

/// <summary>What was asked for, kept beside the keys until the certificates come.</summary>
/// <param name="Owner">"office", "gateway", "officer".</param>
/// <param name="Hosts">Names and addresses under which the owner is reached by TLS.</param>
/// <param name="Keys">Names of <see cref="KeyKind"/>.</param>
sealed record KeyRequest(string Owner, string Code, string Organization, string Country, IReadOnlyList<string> Hosts, IReadOnlyList<string> Keys)
{
    const string Folder = "request", About = "request.json", Making = DurableFile.TempPrefix + Folder;

    [JsonIgnore]
    public IEnumerable<KeyKind> Kinds => KeyKind.Of(Owner).Where(k => Keys.Contains(k.Name));

    /// <summary>Makes the keys and their requests in target/request: NAME.key (PKCS#8, encrypted, 0600) and NAME.csr (PKCS#10). The folder appears whole or not at all.</summary>
    /// <param name="rsaBits">For the key that opens dispatches; null: P-384 as the others.</param>
    /// <returns>The folder.</returns>
    /// <exception cref="UsageException">A request is under way there.</exception>
    public string Write(string target, string passphrase, int? rsaBits)
    {
        var folder = In(target);
        if (Directory.Exists(folder))
            throw new UsageException($"{folder}: a request is under way; take its certificates with exchange keys take, or remove the folder", $"{folder}: đang có yêu cầu; nhận chứng thư bằng exchange keys take, hoặc xóa thư mục");
        DurableFile.CreateFolder(target);
        var making = Path.Combine(target, Making);
        // What a killed run left.
        if (Directory.Exists(making)) Directory.Delete(making, recursive: true);
        DurableFile.CreateFolder(making);
        try
        {
            foreach (var kind in Kinds) Write(making, kind, passphrase, kind.Use == KeyUse.Encrypt ? rsaBits : null);
            DurableFile.Write(Path.Combine(making, About), JsonSerializer.SerializeToUtf8Bytes(this, JoinJson.Default.KeyRequest));
            Directory.Move(making, folder);
            DurableFile.FsyncFolder(target);
        }
        finally { if (Directory.Exists(making)) Directory.Delete(making, recursive: true); }
        return folder;
    }

    void Write(string folder, KeyKind kind, string passphrase, int? rsaBits)
    {
        using AsymmetricAlgorithm key = rsaBits is { } bits ? RSA.Create(bits) : ECDsa.Create(KeyProfile.Curve(kind.Use));
        var subject = KeyProfile.Subject(Organization, Code, $"{Code} {kind.Name}", Country);
        var request = key is RSA rsa ? new CertificateRequest(subject, rsa, HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1) : new CertificateRequest(subject, (ECDsa)key, HashAlgorithmName.SHA384);
        foreach (var extension in KeyProfile.Extensions(kind.Use, key is RSA, Hosts)) request.CertificateExtensions.Add(extension);
        var pbe = new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, Passphrase.Iterations(passphrase));
        DurableFile.Write(Path.Combine(folder, kind.Name + ".key"), Encoding.ASCII.GetBytes(key.ExportEncryptedPkcs8PrivateKeyPem(passphrase, pbe) + "\n"));
        DurableFile.Write(Path.Combine(folder, kind.Name + ".csr"), Encoding.ASCII.GetBytes(request.CreateSigningRequestPem() + "\n"));
    }

    /// <exception cref="UsageException">There is no request.</exception>
    public static KeyRequest Read(string target)
    {
        try { return JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(In(target), About)), JoinJson.Default.KeyRequest) ?? throw new JsonException("null"); }
        catch (Exception e) when (e is IOException or JsonException)
        {
            throw new UsageException($"{target}: no request is under way there; make one with exchange keys request", $"{target}: không có yêu cầu nào; tạo bằng exchange keys request");
        }
    }

    /// <summary>The private key of one request; dispose it.</summary>
    /// <exception cref="Crypto.RefusedException"><see cref="Crypto.Refusal.Passphrase"/>.</exception>
    public static AsymmetricAlgorithm Key(string target, KeyKind kind, string passphrase)
    {
        var pem = File.ReadAllText(Path.Combine(In(target), kind.Name + ".key"));
        foreach (var key in new AsymmetricAlgorithm[] { kind.Use == KeyUse.Encrypt ? ECDiffieHellman.Create() : ECDsa.Create(), RSA.Create() })
            try
            {
                key.ImportFromEncryptedPem(pem, passphrase);
                return key;
            }
            catch (Exception e) when (e is CryptographicException or ArgumentException) { key.Dispose(); }
        throw new Crypto.RefusedException(Crypto.Refusal.Passphrase, $"request/{kind.Name}.key");
    }

    /// <summary>The keys are in their key files: the request is over.</summary>
    public static void Remove(string target) => Directory.Delete(In(target), recursive: true);

    static string In(string target) => Path.Combine(target, Folder);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(KeyRequest))]
sealed partial class JoinJson : JsonSerializerContext;
