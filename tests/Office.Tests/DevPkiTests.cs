using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Trust;
using Exchange.Office;
using Exchange.Office.Client;
using Exchange.Office.Dev;
using Microsoft.Extensions.Time.Testing;
using Xunit;

[assembly: AssemblyFixture(typeof(Exchange.Tests.DevPkiFixture))]

namespace Exchange.Tests;

/// <summary>One development PKI for the whole run, made by the command itself; nothing writes to it.</summary>
public sealed class DevPkiFixture : IDisposable
{
    public static readonly DateTimeOffset Now = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);

    readonly DirectoryInfo parent = System.IO.Directory.CreateTempSubdirectory("exchange-pki-");

    public DevPkiFixture()
    {
        Folder = Path.Combine(parent.FullName, "certs-dev");
        (ExitCode, Printed, _) = Run("dev", "pki", "--out", Folder);
        Passphrase = File.ReadAllText(At("passphrase")).TrimEnd('\n');
        Store = TrustStore.Load(At("trust"));
        Check = new CertificateCheck(Store);
        using var pins = JsonDocument.Parse(File.ReadAllBytes(At("pins.json")));
        Pins = pins.RootElement.Clone();
        Directory = OfficeDirectory.Open(File.ReadAllBytes(At("statements/directory.p7s")), Cards, Keys("directoryOfficers"), Check, Now);
    }

    public string Folder { get; }
    public int ExitCode { get; }
    public string Printed { get; }
    public string Passphrase { get; }
    public TrustStore Store { get; }
    public CertificateCheck Check { get; }
    public JsonElement Pins { get; }
    public OfficeDirectory Directory { get; }

    IEnumerable<ReadOnlyMemory<byte>> Cards => System.IO.Directory.GetFiles(At("statements/cards")).Select(f => (ReadOnlyMemory<byte>)File.ReadAllBytes(f));

    public string At(string path) => Path.Combine(Folder, path);
    public FileKey Key(string path) => FileKey.Load(At(path), Passphrase);
    public X509Certificate2 Certificate(string path) => X509CertificateLoader.LoadPkcs12FromFile(At(path), Passphrase);
    public Digest[] Keys(string pins) => [.. Pins.GetProperty(pins).EnumerateArray().Select(k => Digest.TryParse(k.GetString(), out var key) ? key : throw new FormatException())];

    public static (int Code, string Output, string Error) Run(params string[] args)
    {
        using StringWriter output = new(), error = new();
        var code = ExchangeProgram.RunAsync(args, new FakeTimeProvider(Now), output, error).GetAwaiter().GetResult();
        return (code, output.ToString(), error.ToString());
    }

    public void Dispose() => parent.Delete(recursive: true);
}

public sealed class DevPkiTests(DevPkiFixture pki)
{
    static readonly DateTimeOffset Now = DevPkiFixture.Now;

    [Fact]
    public void The_command_fills_the_folder_in_the_layout_that_the_programs_expect()
    {
        Assert.Equal(0, pki.ExitCode);
        Assert.Contains("hostile/", pki.Printed, StringComparison.Ordinal);
        string[] expected =
        [
            "passphrase", "pins.json", "ca/root.p12", "ca/issuing.p12", "trust/roots/root.pem", "trust/intermediates/issuing.pem", "trust/crls/root.crl", "trust/crls/issuing.crl",
            "gateway/tls.p12", "gateway/evidence.p12", "gateway/checkpoint.key", "gateway/checkpoint-mldsa.key", "gateway/checkpoint.vkey", "gateway/origin", "tsa/tsa.p12",
            "officers/directory-1.p12", "officers/directory-2.p12", "officers/policy-1.p12", "officers/policy-2.p12",
            "statements/directory.p7s", "statements/standing.p7s", "statements/policy.p7s",
            .. new[] { "expired", "not-yet-valid", "revoked", "wrong-eku", "foreign-ca", "sha1", "rsa-1024", "look-alike" }.Select(h => $"hostile/{h}.p12"),
            .. new[] { "G22", "H14", "H37", "H41" }.SelectMany(o => new[] { "sign.p12", "encrypt.p12", "tls.p12", "persons/signatory.p12", "persons/clerk.p12", "profile.json" }.Select(f => $"offices/{o}/{f}").Append($"statements/cards/{o}.p7s")),
            "offices/G22/persons/release-1.p12", "offices/G22/persons/release-2.p12",
            .. new[] { "AUDIT-ALL", "AUDIT-MAT" }.SelectMany(a => new[] { $"auditors/{a}/tls.p12", $"auditors/{a}/auditor.json" }),
        ];
        var found = Directory.GetFiles(pki.Folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(pki.Folder, f));
        Assert.Equal(expected.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Nobody_but_the_owner_may_read_anything_of_it()
    {
        foreach (var entry in Directory.GetFileSystemEntries(pki.Folder, "*", SearchOption.AllDirectories).Append(pki.Folder))
        {
            var expected = UnixFileMode.UserRead | UnixFileMode.UserWrite | (Directory.Exists(entry) ? UnixFileMode.UserExecute : 0);
            Assert.Equal(expected, File.GetUnixFileMode(entry));
        }
    }

    [Fact]
    public void Every_key_file_opens_and_its_certificate_is_good_for_its_purpose()
    {
        foreach (var (path, purpose) in new[]
        {
            ("gateway/tls.p12", Purpose.TlsServer), ("gateway/tls.p12", Purpose.TlsClient), ("gateway/evidence.p12", Purpose.GatewayEvidence), ("tsa/tsa.p12", Purpose.TimeStamping),
            ("officers/directory-1.p12", Purpose.Officer), ("officers/directory-2.p12", Purpose.Officer), ("officers/policy-1.p12", Purpose.Officer), ("officers/policy-2.p12", Purpose.Officer),
        }.Concat(new[] { "G22", "H14", "H37", "H41" }.SelectMany(o => new[]
        {
            ($"offices/{o}/sign.p12", Purpose.OfficeSigning), ($"offices/{o}/encrypt.p12", Purpose.OfficeEncryption), ($"offices/{o}/tls.p12", Purpose.TlsClient), ($"offices/{o}/tls.p12", Purpose.TlsServer),
            ($"offices/{o}/persons/signatory.p12", Purpose.PersonSigning), ($"offices/{o}/persons/clerk.p12", Purpose.PersonSigning),
        })))
        {
            using var key = pki.Key(path);
            var verdict = pki.Check.Check(key.Certificate, purpose, Now);
            Assert.True(verdict.Good, $"{path}: {verdict.Refusal} {verdict.Detail}");
            Assert.Single(key.Chain);
        }
    }

    [Theory, InlineData("gateway"), InlineData("offices/G22"), InlineData("offices/H37")]
    public void Certificates_for_TLS_are_for_this_computer_alone(string whose)
    {
        using var certificate = pki.Certificate($"{whose}/tls.p12");
        Assert.True(certificate.MatchesHostname("localhost", allowCommonName: false) && certificate.MatchesHostname("127.0.0.1", allowCommonName: false));
        Assert.Equal(["localhost"], certificate.Extensions.OfType<System.Security.Cryptography.X509Certificates.X509SubjectAlternativeNameExtension>().Single().EnumerateDnsNames());
    }

    [Fact]
    public void The_root_says_that_it_is_for_development() => Assert.True(pki.Store.IsDevelopment);

    [Fact]
    public void Directory_standing_and_policy_open_under_the_pins_and_nothing_is_held()
    {
        Assert.Equal(["G22", "H14", "H37", "H41"], pki.Directory.Offices.Select(o => o.Code));
        Assert.All(pki.Directory.Offices, o => Assert.True(o.HeldUntil <= Now && o.Persons.Count == (o.Code == "G22" ? 4 : 2) && o.Signing.Count == 1 && o.Encryption.Count == 1 && o.Tls.Count == 1));
        using var rsa = pki.Certificate("offices/H37/encrypt.p12").GetRSAPrivateKey();
        Assert.Equal(3072, rsa!.KeySize);

        var policy = CompiledPolicy.Open(File.ReadAllBytes(pki.At("statements/policy.p7s")), pki.Keys("policyOfficers"), pki.Check, Now);
        var standing = Standing.Open(File.ReadAllBytes(pki.At("statements/standing.p7s")), pki.Keys("directoryOfficers"), pki.Check, Now);
        Assert.Contains("development only", standing.Note, StringComparison.Ordinal);
        int[] all = [.. new[] { "thuong", "mat", "toi-mat", "tuyet-mat" }.Select(c => policy.Level(c)!.Class)];
        Assert.Equal([all, all[..1], all[..2], all[..3]], new[] { "G22", "H14", "H37", "H41" }.Select(o => standing.Find(o)!.Clearance.Classes));
        Assert.All(pki.Directory.Offices, o => Assert.Equal(("mailbox", 4), (standing.Find(o.Code)!.Channel.Adapter, standing.Find(o.Code)!.Channel.Ceiling!.Classes.Length)));
        Assert.Equal([("AUDIT-ALL", 4), ("AUDIT-MAT", 2)], standing.Auditors.Select(a => (a.Code, a.Clearance.Classes.Length)).Order());
        Assert.All(pki.Directory.Offices, o => Assert.Equal(policy.Content.Policy, standing.Find(o.Code)!.Clearance.Policy));
    }

    [Theory]
    [InlineData("expired", "E_CERTIFICATE_TIME")]
    [InlineData("not-yet-valid", "E_CERTIFICATE_TIME")]
    [InlineData("revoked", "E_CERTIFICATE_REVOKED")]
    [InlineData("wrong-eku", "E_CERTIFICATE_PURPOSE")]
    [InlineData("foreign-ca", "E_CERTIFICATE_UNTRUSTED")]
    [InlineData("sha1", "E_CERTIFICATE_ALGORITHM")]
    [InlineData("rsa-1024", "E_CERTIFICATE_ALGORITHM")]
    public void Each_hostile_certificate_is_refused_for_its_own_reason(string name, string code)
    {
        using var hostile = pki.Certificate($"hostile/{name}.p12");
        Assert.True(hostile.HasPrivateKey);
        var certificate = new Certificate(hostile.RawDataMemory.Span);
        Assert.Equal(code, pki.Check.Check(certificate, Purpose.TlsClient, Now).Refusal?.Code);
        Assert.Null(pki.Directory.FindByTls(certificate.Key));
    }

    [Fact]
    public void The_look_alike_is_a_good_certificate_of_the_trusted_CA_and_nobodys()
    {
        using var hostile = pki.Certificate("hostile/look-alike.p12");
        var certificate = new Certificate(hostile.RawDataMemory.Span);
        Assert.True(pki.Check.Check(certificate, Purpose.TlsClient, Now).Good);
        Assert.Null(pki.Directory.FindByTls(certificate.Key));
        using var real = pki.Key("offices/H41/tls.p12");
        Assert.Equal(real.Certificate.Subject, certificate.Subject.Replace('\u041d', 'H'));
        Assert.NotEqual(real.Certificate.Subject, certificate.Subject);
    }

    [Fact]
    public void Profiles_load_and_pin_what_pins_json_pins()
    {
        var profile = Profile.Load(pki.At("offices/H41/profile.json"));
        Assert.Equal("H41", profile.Office);
        Assert.Equal(pki.Keys("directoryOfficers"), profile.Pins.DirectoryOfficers);
        Assert.Equal(pki.Pins.GetProperty("checkpointKey").GetString(), profile.Pins.CheckpointKey);
        Assert.Equal(pki.Pins.GetProperty("checkpointKeys").EnumerateArray().Select(k => k.GetString()), profile.Pins.CheckpointKeys);
        using var keys = new OfficeKeys(profile, prompt: null);
        Assert.Equal(pki.Directory.Find("H41")!.Signing[0], keys.Sign.Certificate);
        using var evidence = pki.Key("gateway/evidence.p12");
        Assert.Equal(profile.Pins.GatewayEvidence, evidence.Certificate.Key);
    }

    [Fact]
    public void The_checkpoint_key_opens_and_is_the_one_pinned()
    {
        var origin = File.ReadAllText(pki.At("gateway/origin")).TrimEnd('\n');
        using var key = CheckpointKey.Load(pki.At("gateway/checkpoint.key"), pki.Passphrase, origin);
        Assert.Equal(File.ReadAllText(pki.At("gateway/checkpoint.vkey")).TrimEnd('\n'), key.VerifierKey.ToString());
        Assert.Equal(pki.Pins.GetProperty("checkpointKey").GetString(), key.VerifierKey.ToString());
        Assert.Equal(pki.Pins.GetProperty("origin").GetString(), key.Origin);
    }

    [Fact]
    public void A_folder_in_use_is_not_touched_without_force_and_foreign_files_never()
    {
        using var folder = new TempFolder();
        var before = DevPki.Write(folder.Path, Now, force: false);
        var (code, _, error) = DevPkiFixture.Run("dev", "pki", "--out", folder.Path);
        Assert.Equal(64, code);
        Assert.Contains("--force", error, StringComparison.Ordinal);
        Assert.NotEqual(before.Directory, DevPki.Write(folder.Path, Now, force: true).Directory);
        File.WriteAllText(Path.Combine(folder.Path, "thesis.txt"), "years of work");
        (code, _, error) = DevPkiFixture.Run("dev", "pki", "--out", folder.Path, "--force");
        Assert.Equal(64, code);
        Assert.Contains("thesis.txt", error, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(folder.Path, "pins.json")));
    }

    [Fact]
    public void What_an_interrupted_run_left_is_replaced_and_the_page_that_explains_the_folder_stays()
    {
        using var folder = new TempFolder();
        File.WriteAllText(Path.Combine(folder.Path, "README.md"), "page");
        Directory.CreateDirectory(Path.Combine(folder.Path, ".tmp-pki", "trust"));
        Directory.CreateDirectory(Path.Combine(folder.Path, "offices", "X99"));
        DevPki.Write(folder.Path, Now, force: false);
        Assert.Equal("page", File.ReadAllText(Path.Combine(folder.Path, "README.md")));
        Assert.False(Directory.Exists(Path.Combine(folder.Path, ".tmp-pki")));
        Assert.False(Directory.Exists(Path.Combine(folder.Path, "offices", "X99")));
        Assert.Equal(4, Directory.GetDirectories(Path.Combine(folder.Path, "offices")).Length);
    }

    [Theory]
    [InlineData("offices/H41/sign.p12", "smimesign", true)]
    [InlineData("offices/H41/tls.p12", "sslclient", true)]
    [InlineData("offices/H37/encrypt.p12", "smimeencrypt", true)]
    [InlineData("offices/H41/tls.p12", "sslserver", true)]
    [InlineData("gateway/tls.p12", "sslserver", true)]
    [InlineData("gateway/tls.p12", "sslclient", true)]
    [InlineData("hostile/wrong-eku.p12", "sslserver", true)]
    [InlineData("hostile/look-alike.p12", "sslclient", true)]
    [InlineData("hostile/revoked.p12", "sslclient", false)]
    [InlineData("hostile/expired.p12", "sslclient", false)]
    [InlineData("hostile/not-yet-valid.p12", "sslclient", false)]
    [InlineData("hostile/foreign-ca.p12", "sslclient", false)]
    [InlineData("hostile/wrong-eku.p12", "sslclient", false)]
    public void OpenSSL_agrees_about_paths_purposes_and_revocation(string path, string purpose, bool good)
    {
        using var folder = new TempFolder();
        string At(string name) => Path.Combine(folder.Path, name);
        using (var certificate = pki.Certificate(path)) File.WriteAllText(At("leaf.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(At("crls.pem"), string.Join('\n', pki.Store.Crls.Select(c => PemEncoding.WriteString("X509 CRL", c.Span))));
        var start = new ProcessStartInfo("openssl")
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
            ArgumentList =
            {
                "verify", "-x509_strict", "-crl_check_all", "-purpose", purpose, "-attime", $"{Now.ToUnixTimeSeconds()}",
                "-CAfile", pki.At("trust/roots/root.pem"), "-untrusted", pki.At("trust/intermediates/issuing.pem"), "-CRLfile", At("crls.pem"), At("leaf.pem"),
            },
        };
        using var openssl = Process.Start(start)!;
        var said = openssl.StandardError.ReadToEnd() + openssl.StandardOutput.ReadToEnd();
        openssl.WaitForExit();
        Assert.True(openssl.ExitCode == 0 == good, said);
    }

    sealed class TempFolder : IDisposable
    {
        readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("exchange-pki-");
        public string Path => folder.FullName;
        public void Dispose() => folder.Delete(recursive: true);
    }
}
