using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.TimeStamps;
using Exchange.Crypto.Trust;
using Exchange.Office.Dev;
using Exchange.Office.Join;
using Exchange.Tests.Envelope;

namespace Exchange.Tests.TimeStamps;

/// <summary>Other people's implementations of RFC 3161 beside ours, in both directions. They work by the machine's clock, so their certificates do too.</summary>
public sealed class TimeStampPeersTests : IDisposable
{
    static readonly Digest Imprint = Digest.Of("signature"u8);
    static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();
    static readonly Validity Validity = new(Now.AddHours(-1), Now.AddDays(2));
    readonly DevAuthority root = DevAuthority.Root("Peers' root", Validity);
    readonly CertificateCheck trust;

    public TimeStampPeersTests() => trust = new(TrustStore.Create([root.Certificate.RawDataMemory], [], [root.Crl(1, Validity.From, Validity.Until)]));

    X509Certificate2 Certificate(AsymmetricAlgorithm key) => root.Sign(root.Request(KeyProfile.Subject("TSA", "TSA", "tsa"), KeyUse.TimeStamp, key), Validity);

    [Fact]
    public void OpenSSL_and_dotNET_accept_what_our_authority_gives()
    {
        using var openssl = new OpenSsl();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Certificate(key).CopyWithPrivateKey(key);
        var (query, authority) = (new TimeStampQuery(Imprint, "1.2.3.4"), new DevTimeStamps(FileKey.Of(certificate)));
        var answer = authority.Answer(query.Der, Now);
        openssl.Write("query.tsq", query.Der.Span);
        openssl.Write("answer.tsr", answer);
        openssl.Write("root.pem", root.Certificate.ExportCertificatePem());
        Assert.Contains("1.2.3.4", openssl.Run("ts -query -in query.tsq -text"), StringComparison.Ordinal);
        Assert.Contains("Verification: OK", openssl.Run("ts -verify -queryfile query.tsq -in answer.tsr -CAfile root.pem"), StringComparison.Ordinal);
        // The token alone, as it stands in a dispatch and beside an outbox entry, by the digest that the header names.
        var token = query.Read(answer, trust, Now);
        openssl.Write("01.tst", token.Span);
        var digest = Convert.ToHexString(Imprint.ToArray());
        Assert.Contains("Verification: OK", openssl.Run($"ts -verify -digest {digest} -token_in -in 01.tst -CAfile root.pem"), StringComparison.Ordinal);
        Assert.NotEqual(0, openssl.Try($"ts -verify -digest {Convert.ToHexString(Digest.Of("x"u8).ToArray())} -token_in -in 01.tst -CAfile root.pem").Code);
        Assert.True(Rfc3161TimestampToken.TryDecode(token, out var theirs, out var read) && read == token.Length);
        Assert.True(theirs.VerifySignatureForHash(Imprint.ToArray(), HashAlgorithmName.SHA256, out var signer) && signer.Thumbprint == certificate.Thumbprint);
    }

    [Theory, InlineData(false, ""), InlineData(true, ""), InlineData(false, "chain"), InlineData(false, "sha1"), InlineData(true, "reject")]
    public void What_OpenSSL_gives_is_accepted_unless_it_names_its_certificate_by_SHA_1_or_refuses(bool rsa, string how)
    {
        using var openssl = new OpenSsl();
        using AsymmetricAlgorithm key = rsa ? RSA.Create(3072) : ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var certificate = Certificate(key);
        openssl.Write("tsa.pem", certificate.ExportCertificatePem());
        openssl.Write("root.pem", root.Certificate.ExportCertificatePem());
        openssl.Write("tsa.key", key.ExportPkcs8PrivateKeyPem());
        openssl.Write("serial", "01\n");
        openssl.Write("tsa.cnf", $"""
            [tsa]
            default_tsa = here
            [here]
            serial = serial
            signer_cert = tsa.pem
            signer_key = tsa.key
            signer_digest = {(rsa ? "sha512" : "sha384")}
            default_policy = 1.2.3.4
            digests = {(how == "reject" ? "sha512" : "sha256")}
            accuracy = secs:1, millisecs:500, microsecs:100
            clock_precision_digits = 3
            ordering = yes
            tsa_name = yes
            ess_cert_id_chain = {(how == "chain" ? "yes" : "no")}
            ess_cert_id_alg = {(how == "sha1" ? "sha1" : "sha256")}
            {(how == "chain" ? "certs = root.pem" : "")}
            """);
        var query = new TimeStampQuery(Imprint, null);
        openssl.Write("query.tsq", query.Der.Span);
        openssl.Run("ts -reply -config tsa.cnf -queryfile query.tsq -out answer.tsr");
        var answer = openssl.Read("answer.tsr");
        ReadOnlyMemory<byte> Read() => query.Read(answer, trust, TimeProvider.System.GetUtcNow());
        if (how is "sha1" or "reject")
        {
            Assert.Equal(how == "sha1" ? "ESSCertIDv2" : "status 2", Assert.Throws<RefusedException>(() => Read()).Detail);
            return;
        }
        var held = TimeStampCheck.Run(Read(), [Imprint], trust);
        Assert.Equal(("1.2.3.4", TimeSpan.FromMicroseconds(1_500_100), certificate.Thumbprint), (held.Policy, held.Accuracy, X509CertificateLoader.LoadCertificate(held.Authority.Der.Span).Thumbprint));
        Assert.InRange(held.Time, Now.AddSeconds(-2), TimeProvider.System.GetUtcNow().AddSeconds(2));
    }

    public void Dispose() => root.Dispose();
}
