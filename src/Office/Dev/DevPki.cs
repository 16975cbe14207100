using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Office.Client;
using Exchange.Office.Join;

namespace Exchange.Office.Dev;

/// <param name="Folder">Full path.</param>
/// <param name="Directory">Ref of the directory.</param>
/// <param name="Policy">Ref of the policy.</param>
sealed record DevPkiSummary(string Folder, IReadOnlyList<string> Offices, IReadOnlyList<string> Hostile, Digest Directory, Digest Policy, string CheckpointKey);

/// <summary>An office to be: what is printed in the directory, and what it is cleared for.</summary>
sealed record DevOffice(string Code, OfficeName Name, int[] Classes, int[] Groups, int? RsaBits = null)
{
    /// <summary>File names of the persons who let its higher levels go.</summary>
    public string[] ReleaseOfficers { get; init; } = [];
}

/// <summary>Who may read the ledger: one all of it, one of the two lowest levels.</summary>
/// <param name="Levels">null: every level and category of the policy.</param>
sealed record DevAuditor(string Code, int[]? Levels)
{
    internal static readonly DevAuditor[] List = [new("AUDIT-ALL", null), new("AUDIT-MAT", [10, 20])];
}

/// <summary>
/// A whole PKI for one developer's machine: CAs, CRLs, offices, officers, a gateway, their statements, and certificates that everyone must refuse.
/// Its root says of itself that it is for development, and a gateway outside Development refuses it.
/// </summary>
sealed class DevPki : IDisposable
{
    /// <summary>Origin of the development gateway's ledger.</summary>
    public const string Origin = "gateway.dev.exchange/ledger";

    // 256 random bits stand behind every file: stretching adds nothing but waiting.
    const int Iterations = 2_048;
    const string ReadMe = "README.md", PinsName = "pins.json";
    // In this order they appear; pins.json is last and says that all is there.
    static readonly string[] Layout = ["passphrase", "trust", "ca", "gateway", "tsa", "officers", "statements", "offices", "auditors", "hostile", PinsName];

    internal static readonly DevOffice[] OfficeList =
    [
        new("G22", new("Văn phòng Chính phủ", "Office of the Government"), [10, 20, 30, 40], [1]) { ReleaseOfficers = ["release-1", "release-2"] },
        new("H14", new("UBND tỉnh Cao Bằng", "People's Committee of Cao Bằng"), [10], [2]),
        new("H37", new("UBND tỉnh Lạng Sơn", "People's Committee of Lạng Sơn"), [10, 20], [2], RsaBits: 3072),
        new("H41", new("UBND tỉnh Nghệ An", "People's Committee of Nghệ An"), [10, 20, 30], [2]),
    ];

    readonly string folder;
    readonly string passphrase = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
    readonly DateTimeOffset now;
    readonly DevAuthority root, issuing;
    readonly List<FileKey> keys = [];

    DevPki(string folder, DateTimeOffset now, IReadOnlyList<DevOffice> offices)
    {
        (this.folder, this.now, Offices) = (folder, now, offices);
        root = DevAuthority.Root("Exchange development root", Authorities);
        issuing = root.Subordinate("Exchange development issuing CA", Authorities);
    }

    /// <summary>Everything has been valid for 72 h, so that cards can have been vouched for long enough.</summary>
    internal DateTimeOffset Start => DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds()).AddHours(-72);
    internal Validity Leaves => new(Start, Start.AddYears(2));
    Validity Authorities => new(Start, Start.AddYears(10));
    internal DateTimeOffset Now => now;
    internal IReadOnlyList<DevOffice> Offices { get; }
    internal DevAuthority Issuing => issuing;

    /// <summary>Fills the folder. It may hold README.md and, with force, an older development PKI; with anything else in it nothing is touched.</summary>
    /// <param name="more">Offices besides the usual ones, with codes behind theirs: for load.</param>
    /// <exception cref="UsageException">The folder is in use.</exception>
    public static DevPkiSummary Write(string folder, DateTimeOffset now, bool force, IReadOnlyList<DevOffice>? more = null)
    {
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        DemandFree(folder, force);
        DurableFile.CreateFolder(folder);
        var making = Path.Combine(folder, DurableFile.TempPrefix + "pki");
        if (Directory.Exists(making)) Directory.Delete(making, recursive: true);
        DurableFile.CreateFolder(making);
        try
        {
            using var pki = new DevPki(making, now, [.. OfficeList, .. more ?? []]);
            var summary = pki.Make();
            // Crash from here on: pins.json is not there, so nobody takes the folder for a PKI, and the next run starts over.
            foreach (var name in Layout.Reverse()) Remove(Path.Combine(folder, name));
            foreach (var name in Layout) Directory.Move(Path.Combine(making, name), Path.Combine(folder, name));
            DurableFile.FsyncFolder(folder);
            return summary with { Folder = folder };
        }
        finally { Directory.Delete(making, recursive: true); }
    }

    static void DemandFree(string folder, bool force)
    {
        if (File.Exists(folder)) throw new UsageException($"{folder} is a file", $"{folder} là một tệp");
        if (!Directory.Exists(folder)) return;
        var names = Directory.EnumerateFileSystemEntries(folder).Select(e => Path.GetFileName(e)!).ToList();
        if (names.Find(n => n != ReadMe && !n.StartsWith(DurableFile.TempPrefix, StringComparison.Ordinal) && !Layout.Contains(n)) is { } foreign)
            throw new UsageException($"{folder} holds {foreign}, which is not part of a development PKI: choose another folder", $"{folder} có {foreign}, không thuộc PKI phát triển: hãy chọn thư mục khác");
        if (names.Contains(PinsName) && !force)
            throw new UsageException($"{folder} already holds a development PKI; --force replaces it", $"{folder} đã có PKI phát triển; dùng --force để thay");
    }

    DevPkiSummary Make()
    {
        Text("passphrase", passphrase + "\n");
        Text("trust/roots/root.pem", root.Certificate.ExportCertificatePem() + "\n");
        Text("trust/intermediates/issuing.pem", issuing.Certificate.ExportCertificatePem() + "\n");
        KeyFile("ca/root.p12", root.Certificate, []);
        KeyFile("ca/issuing.p12", issuing.Certificate, [root.Certificate]);

        var (checkpoint, second) = MakeGateway(out var evidence);
        Key("tsa/tsa.p12", "Exchange time-stamp authority", "TSA", "time-stamps", KeyUse.TimeStamp);
        FileKey[] directory = [Officer("directory-1"), Officer("directory-2")], policy = [Officer("policy-1"), Officer("policy-2")];
        var offices = Offices.Select(MakeOffice).ToList();
        var auditors = DevAuditor.List.Select(a => (a, Key($"auditors/{a.Code}/tls.p12", "Exchange auditors", a.Code, $"{a.Code} tls", KeyUse.TlsClient))).ToList();
        var statements = new DevStatements(this, directory, policy, offices, auditors);
        foreach (var (name, statement) in statements.All) Bytes($"statements/{name}.p7s", statement.Der.ToArray());

        var pins = new Pins([.. directory.Select(o => o.Certificate.Key)], [.. policy.Select(o => o.Certificate.Key)], evidence.Certificate.Key, Origin, checkpoint) { CheckpointKeys = [second] };
        foreach (var office in Offices) Bytes($"offices/{office.Code}/profile.json", Profile(office, pins));
        foreach (var auditor in DevAuditor.List) Bytes($"auditors/{auditor.Code}/auditor.json", AuditorProfile.Write("https://localhost:8443", "tls.p12", "../../passphrase", "../../trust", "../../pins.json", "state"));

        var hostile = DevHostile.Make(this);
        foreach (var (name, certificate) in hostile.Certificates)
        {
            KeyFile($"hostile/{name}.p12", certificate, [issuing.Certificate]);
            certificate.Dispose();
        }
        Bytes("trust/crls/root.crl", root.Crl(1, Start, Start.AddYears(1)));
        Bytes("trust/crls/issuing.crl", issuing.Crl(1, Start, Start.AddYears(1), hostile.Revoked));

        Bytes(PinsName, PinsFile.Write(pins));
        return new DevPkiSummary(folder, [.. Offices.Select(o => o.Code)], [.. hostile.Certificates.Select(h => h.Name)], statements.Directory.Ref, statements.Policy.Ref, checkpoint);
    }

    (string Checkpoint, string Second) MakeGateway(out FileKey evidence)
    {
        Key("gateway/tls.p12", "Exchange gateway", "GATEWAY", "localhost", KeyUse.Tls);
        evidence = Key("gateway/evidence.p12", "Exchange gateway", "GATEWAY", "evidence", KeyUse.Evidence);
        using var checkpoint = LedgerKey.Create(Origin, NoteKeyType.Ed25519);
        checkpoint.Save(At("gateway/checkpoint.key"), passphrase);
        using var second = LedgerKey.Create(Origin, NoteKeyType.MlDsa44Cosignature);
        second.Save(At("gateway/checkpoint-mldsa.key"), passphrase);
        var verifier = checkpoint.VerifierKey.ToString();
        Text("gateway/checkpoint.vkey", verifier + "\n");
        Text("gateway/origin", Origin + "\n");
        return (verifier, second.VerifierKey.ToString());
    }

    FileKey Officer(string name) => Key($"officers/{name}.p12", "Exchange officers", "OFFICERS", name, KeyUse.Sign);

    DevOfficeKeys MakeOffice(DevOffice office)
    {
        var at = $"offices/{office.Code}";
        return new DevOfficeKeys(office,
            Key($"{at}/sign.p12", office.Name.Vi, office.Code, $"{office.Code} sign", KeyUse.Sign),
            Key($"{at}/encrypt.p12", office.Name.Vi, office.Code, $"{office.Code} encrypt", KeyUse.Encrypt, office.RsaBits),
            Key($"{at}/tls.p12", office.Name.Vi, office.Code, $"{office.Code} tls", KeyUse.Tls),
            Key($"{at}/persons/signatory.p12", office.Name.Vi, office.Code, $"{office.Code} signatory", KeyUse.Sign),
            Key($"{at}/persons/clerk.p12", office.Name.Vi, office.Code, $"{office.Code} clerk", KeyUse.Sign),
            [.. office.ReleaseOfficers.Select(name => Key($"{at}/persons/{name}.p12", office.Name.Vi, office.Code, $"{office.Code} {name}", KeyUse.Sign))]);
    }

    FileKey Key(string path, string organization, string code, string name, KeyUse use, int? rsaBits = null)
    {
        var certificate = issuing.Issue(KeyProfile.Subject(organization, code, name), use, Leaves, rsaBits);
        KeyFile(path, certificate, [issuing.Certificate]);
        keys.Add(FileKey.Of(certificate));
        return keys[^1];
    }

    // The gateway's address is not known before it runs; whoever starts it writes it here or gives a profile of its own.
    static byte[] Profile(DevOffice office, Pins pins) => ProfileJson.Write(office.Code, "https://localhost:8443", pins,
        new KeyFiles("sign.p12", ["encrypt.p12"], "tls.p12", office.ReleaseOfficers.Prepend("clerk").Prepend("signatory").ToDictionary(name => name, name => $"persons/{name}.p12")),
        "../../passphrase", "../../trust", "state");

    void KeyFile(string path, X509Certificate2 withKey, X509Certificate2[] chain)
    {
        // Without the private keys of the CAs.
        var bare = chain.Select(c => X509CertificateLoader.LoadCertificate(c.RawDataMemory.Span)).ToList();
        Bytes(path, Pkcs12.Write(withKey, bare, passphrase, Iterations));
        foreach (var one in bare) one.Dispose();
    }

    void Text(string path, string text) => Bytes(path, Encoding.UTF8.GetBytes(text));

    /// <summary>Mode 0600, in folders of mode 0700.</summary>
    void Bytes(string path, byte[] bytes)
    {
        using var file = new FileStream(At(path), new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        file.Write(bytes);
    }

    string At(string path)
    {
        var full = Path.Combine(folder, path);
        DurableFile.CreateFolder(Path.GetDirectoryName(full)!);
        return full;
    }

    static void Remove(string path)
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        else File.Delete(path);
    }

    public void Dispose()
    {
        foreach (var key in keys) key.Dispose();
        issuing.Dispose();
        root.Dispose();
    }
}
