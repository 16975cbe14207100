using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Interop;
using Exchange.Office;
using Exchange.Office.Client;
using Exchange.Office.Client.Exports;
using MimeKit;

namespace Exchange.Tests;

/// <summary>A dispatch as a mail to somebody outside: readable by his tools alone, and only where the policy lets any mail carry it.</summary>
public sealed class ExportMailTests(DevPkiFixture pki) : IDisposable
{
    const string Document = "Công văn số 1.pdf";
    readonly Bench bench = new(pki.Folder);

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    static readonly (string Name, Func<AsymmetricAlgorithm> Make)[] Keys =
    [
        ("rsa", () => RSA.Create(2048)), ("p256", () => ECDsa.Create(ECCurve.NamedCurves.nistP256)), ("p384", () => ECDsa.Create(ECCurve.NamedCurves.nistP384)), ("p521", () => ECDsa.Create(ECCurve.NamedCurves.nistP521)),
    ];

    /// <summary>A certificate of nobody's PKI, in files NAME.pem and NAME.key.</summary>
    string Issue(string name, AsymmetricAlgorithm key, Action<CertificateRequest>? change = null, DateTimeOffset? from = null, DateTimeOffset? until = null)
    {
        var request = key is RSA rsa ? new CertificateRequest($"CN={name}", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1) : new CertificateRequest($"CN={name}", (ECDsa)key, HashAlgorithmName.SHA256);
        change?.Invoke(request);
        using var certificate = request.CreateSelfSigned(from ?? DevPkiFixture.Now.AddDays(-1), until ?? DevPkiFixture.Now.AddYears(1));
        File.WriteAllText(bench.At(name + ".pem"), certificate.ExportCertificatePem());
        File.WriteAllText(bench.At(name + ".key"), key.ExportPkcs8PrivateKeyPem());
        return bench.At(name + ".pem");
    }

    static void Usage(CertificateRequest request, X509KeyUsageFlags usage) => request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, critical: true));
    static void Purpose(CertificateRequest request, string oid) => request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(oid)], critical: false));

    MailRecipient Reader(string file) => MailRecipient.Read(File.ReadAllBytes(file), bench.Clock.GetUtcNow());

    MailRecipient Any()
    {
        using var key = RSA.Create(2048);
        return Reader(Issue("reader", key));
    }

    void Shell(string command)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", command]) { WorkingDirectory = bench.At(), RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode == 127) Assert.Skip("no openssl command on this machine");
        Assert.True(process.ExitCode == 0, error);
    }

    async Task<Guid> SendAsync(Func<SendRequest, SendRequest>? change = null)
    {
        File.WriteAllBytes(bench.At(Document), RandomNumberGenerator.GetBytes(100_000));
        SendRequest Request(SendRequest r) => r with { Files = [bench.At(Document)], Keep = true, Sheet = r.Sheet with { Subject = "Về việc thử" } };
        return (await bench.SendAsync(change: r => change is null ? Request(r) : change(Request(r)))).Entry.Id;
    }

    async Task<MailResult> MailAsync(Guid id, params MailRecipient[] to)
    {
        Directory.CreateDirectory(bench.At("out"));
        using var client = new OfficeClient(bench.Start("G22"));
        await client.RefreshAsync(Cancel);
        return await client.ExportMailAsync(client.FindExport(id.ToString())!, new MailExport(bench.At("out", "x.eml"), to, null), null, Cancel);
    }

    async Task<RefusedException> RefusedAsync(Guid id)
    {
        var refused = await Assert.ThrowsAsync<RefusedException>(() => MailAsync(id, Any()));
        Assert.Empty(Directory.GetFileSystemEntries(bench.At("out")));
        Assert.False(Directory.Exists(bench.At("G22", "state", "exports")));
        return refused;
    }

    [Fact]
    public async Task OpenSSL_decrypts_with_each_readers_key_and_verifies_and_finds_the_documents_and_outside_stands_nothing()
    {
        var readers = new List<MailRecipient>();
        foreach (var (name, make) in Keys)
        {
            using var key = make();
            readers.Add(Reader(Issue(name, key, r =>
            {
                var names = new SubjectAlternativeNameBuilder();
                names.AddEmailAddress(name + "@example.org");
                r.CertificateExtensions.Add(names.Build());
                Usage(r, name == "rsa" ? X509KeyUsageFlags.KeyEncipherment : X509KeyUsageFlags.KeyAgreement | X509KeyUsageFlags.DigitalSignature);
                Purpose(r, "1.3.6.1.5.5.7.3.4");
            })));
        }
        var done = await MailAsync(await SendAsync(), [.. readers]);
        Assert.Equal(Keys.Select(k => "CN=" + k.Name), done.To.Select(r => r.Subject));
        var raw = File.ReadAllText(done.File);
        foreach (var secret in new[] { "7816", "VPCP", "pdf", "H41", Environment.MachineName, done.Envelope.ToString() }) Assert.DoesNotContain(secret, raw[..raw.IndexOf("\r\n\r\n", StringComparison.Ordinal)], StringComparison.OrdinalIgnoreCase);
        using var outer = await MimeMessage.LoadAsync(done.File, Cancel);
        Assert.Equal((ExportMail.Subject, "g22@exchange.invalid", 4), (outer.Subject, outer.From.Mailboxes.Single().Address, outer.To.Mailboxes.Count()));
        foreach (var (name, _) in Keys)
        {
            Shell($"openssl cms -decrypt -in out/x.eml -recip {name}.pem -inkey {name}.key -out inner.eml && openssl cms -verify -in inner.eml -CAfile '{pki.At("trust/roots/root.pem")}' -purpose any -cades -signer signer.pem -out content.eml");
            using var content = (Multipart)await MimeEntity.LoadAsync(bench.At("content.eml"), Cancel);
            var text = ((TextPart)content[0]).Text;
            Assert.All(new[] { "7816/VPCP", "Về việc thử", "2026-11-24", "G22", "H41" }, t => Assert.Contains(t, text, StringComparison.Ordinal));
            using var bytes = new MemoryStream();
            await ((MimePart)content[1]).Content!.DecodeToAsync(bytes, Cancel);
            Assert.Equal((Document, true), (((MimePart)content[1]).FileName, bytes.ToArray().AsSpan().SequenceEqual(File.ReadAllBytes(bench.At(Document)))));
            using var signer = X509CertificateLoader.LoadCertificateFromFile(bench.At("signer.pem"));
            Assert.Equal(pki.Directory.Find("G22")!.Signing[0].Key, Digest.Of(signer.RawData));
        }
        // RFC 8551 3.5.3.2: a multipart/signed, under the digest that was used.
        using var inner = (Multipart)await MimeEntity.LoadAsync(bench.At("inner.eml"), Cancel);
        Assert.Equal(("multipart/signed", "sha-384"), (inner.ContentType.MimeType, inner.ContentType.Parameters["micalg"]));
        var record = File.ReadAllText(Assert.Single(Directory.GetFiles(bench.At("G22", "state", "exports"))));
        Assert.All(readers, r => Assert.Contains(r.Certificate.Key.ToString(), record, StringComparison.Ordinal));
        Assert.Equal(["x.eml"], Directory.GetFileSystemEntries(bench.At("out")).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_level_that_no_mail_may_carry_stays_in()
    {
        var id = await SendAsync(r => r with { Level = "mat", Basis = "1.2", Approve = ["signatory"] });
        var refused = await RefusedAsync(id);
        Assert.Equal((Refusal.ExportMail, "level mat: the policy lets no mail carry it"), (refused.Refusal, refused.Detail));
    }

    [Fact]
    public async Task So_does_what_the_policy_took_from_mail_since()
    {
        var id = await SendAsync();
        bench.Handle("thuong", h => h with { Channels = [.. h.Channels.Where(c => c != "mail")] });
        Assert.Contains("thuong", (await RefusedAsync(id)).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_bears_a_caveat_or_a_label_that_persons_raised_since_stays_in()
    {
        var id = await SendAsync(r => r with { Caveats = ["no-forward"] });
        Assert.Equal("it bears the caveat no-forward", (await RefusedAsync(id)).Detail);
        var plain = await SendAsync();
        bench.Gateway.Relabel = l => l with { Class = 20, Mark = "MẬT", Basis = "1.2" };
        Assert.Contains("level mat", (await RefusedAsync(plain)).Detail, StringComparison.Ordinal);
        bench.Gateway.Relabel = l => l with { Caveats = ["named-only"] };
        Assert.Contains("named-only", (await RefusedAsync(plain)).Detail, StringComparison.Ordinal);
        // The other way round a gateway's word is not enough, whoever it says has lowered it.
        bench.Gateway.Relabel = l => l with { Caveats = [] };
        Assert.Contains("no-forward", (await RefusedAsync(id)).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_the_gateway_is_away_nobody_knows_the_label_in_force()
    {
        var id = await SendAsync();
        bench.Gateway.Away = true;
        Assert.Equal(Refusal.Unreachable, (await RefusedAsync(id)).Refusal);
    }

    [Fact]
    public async Task The_command_asks_for_a_word_that_it_is_to_leave()
    {
        var id = await SendAsync();
        using var key = RSA.Create(2048);
        using var text = new StringWriter();
        var code = await ExchangeProgram.RunAsync(["--profile", bench.At("G22"), "export", id.ToString(), "--smime", bench.At("x.eml"), "--to-cert", Issue("reader", key)], bench.Clock, text, text);
        Assert.Equal(ExchangeProgram.Bad, code);
        Assert.StartsWith("E_EXPORT_MAIL", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("--out-of-system", text.ToString(), StringComparison.Ordinal);
        Assert.False(File.Exists(bench.At("x.eml")));
    }

    [Fact]
    public void A_certificate_that_is_not_for_encrypting_mail_or_not_now_is_none()
    {
        using var rsa = RSA.Create(2048);
        using var weak = RSA.Create(1024);
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.brainpoolP256r1);
        (string Why, Func<string> Make)[] bad =
        [
            ("not valid now", () => Issue("a", rsa, until: DevPkiFixture.Now)), ("not valid now", () => Issue("b", rsa, from: DevPkiFixture.Now.AddMinutes(1))),
            ("1024 bits", () => Issue("c", weak)), ("neither RSA nor on", () => Issue("d", other)),
            ("keyUsage", () => Issue("e", rsa, r => Usage(r, X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyAgreement))), ("keyUsage", () => Issue("f", ec, r => Usage(r, X509KeyUsageFlags.KeyEncipherment))),
            ("extendedKeyUsage", () => Issue("g", rsa, r => Purpose(r, "1.3.6.1.5.5.7.3.1"))), ("a CA's", () => Issue("h", rsa, r => r.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true)))),
        ];
        foreach (var (why, make) in bad)
        {
            var refused = Assert.Throws<RefusedException>(() => Reader(make()));
            Assert.Equal((Refusal.ExportMail, true), (refused.Refusal, refused.Detail.Contains(why, StringComparison.Ordinal)));
        }
        File.WriteAllText(bench.At("two.pem"), string.Concat(Enumerable.Repeat(File.ReadAllText(Issue("i", rsa)) + "\n", 2)));
        Assert.Equal(Refusal.ExportMail, Assert.Throws<RefusedException>(() => Reader(bench.At("two.pem"))).Refusal);
        File.WriteAllText(bench.At("none.pem"), "-----BEGIN NOTHING-----");
        Assert.Equal(Refusal.ExportMail, Assert.Throws<RefusedException>(() => Reader(bench.At("none.pem"))).Refusal);
        // DER is as good as PEM, and the fingerprint is what openssl prints.
        using var loaded = X509CertificateLoader.LoadCertificateFromFile(Issue("j", ec));
        var reader = MailRecipient.Read(loaded.RawData, DevPkiFixture.Now);
        Assert.Equal(loaded.GetCertHashString(HashAlgorithmName.SHA256), reader.Fingerprint.Replace(":", "", StringComparison.Ordinal));
        Assert.Empty(reader.Addresses);
    }

    public void Dispose() => bench.Dispose();
}
