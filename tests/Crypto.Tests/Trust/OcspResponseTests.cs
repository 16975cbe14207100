using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Trust;
using Exchange.Office.Dev;
using Exchange.Tests.Envelope;

namespace Exchange.Tests.Trust;

/// <summary>A response is verified whole and offline: who may answer, about whom, of when.</summary>
public sealed class OcspResponseTests : IDisposable
{
    static readonly TestPki Pki = TestPki.Shared;
    static readonly DateTimeOffset Now = TestPki.Now, Start = TestPki.Start, Next = TestPki.NextUpdate;
    static readonly TrustStore Store = Pki.Trust;

    readonly FileKey key = Pki.Key("Test", "T", "x"), other = Pki.Key("Test", "T", "y");

    public void Dispose()
    {
        key.Dispose();
        other.Dispose();
    }

    OcspForge Good => new(Pki.Issuing, key.Certificate);

    static Refusal? Refused(Func<OcspForge> forge, TrustStore? store = null)
    {
        try { forge().Read(store ?? Store); return null; }
        catch (RefusedException e) { return e.Refusal; }
    }

    static TrustStore Revoking(System.Security.Cryptography.X509Certificates.X509Certificate2 certificate, DateTimeOffset from) => Store.WithCrls([Pki.Issuing.Crl(2, Start, Next, (certificate, from))]);

    [Fact]
    public void The_issuing_CA_answers_for_its_certificates_by_either_hash()
    {
        foreach (var hash in new[] { "2.16.840.1.101.3.4.2.1", "1.3.14.3.2.26", "2.16.840.1.101.3.4.2.2" })
        {
            var response = (Good with { Hash = hash }).Read(Store);
            Assert.Equal(Pki.Issuing.Certificate.RawData, response.Issuer.Der.ToArray());
            response.Demand(key.Certificate, [], Now);
            Assert.Equal(Refusal.RevocationUnknown, Assert.Throws<RefusedException>(() => response.Demand(other.Certificate, [], Now)).Refusal);
        }
    }

    [Fact]
    public void Nobody_answers_for_a_CA_that_did_not_certify_him_for_it()
    {
        using var good = OcspForge.Delegate(Pki.Issuing);
        using var plain = OcspForge.Delegate(Pki.Issuing, eku: false);
        using var above = OcspForge.Delegate(Pki.Root);
        using var ended = OcspForge.Delegate(Pki.Issuing, validity: new(Start, Now.AddHours(-1)));
        using var root = DevAuthority.Root("Test root", TestPki.AuthorityValidity);
        using var issuing = root.Subordinate("Test issuing CA", TestPki.AuthorityValidity);
        Assert.Null(Refused(() => Good with { Responder = good }));
        Assert.Equal(Refusal.CertificatePurpose, Refused(() => Good with { Responder = plain }));
        Assert.Equal(Refusal.CertificateUntrusted, Refused(() => Good with { Responder = above }));
        Assert.Equal(Refusal.CertificateTime, Refused(() => Good with { Responder = ended }));
        Assert.Equal(Refusal.Signature, Refused(() => Good with { Responder = good, WithoutItsCertificate = true }));
        // The root is a CA of the store, and of other certificates.
        Assert.Equal(Refusal.Signature, Refused(() => Good with { Responder = Pki.Root.Certificate, WithoutItsCertificate = true }));
        Assert.Equal(Refusal.CertificateUntrusted, Refused(() => Good with { Responder = Pki.Root.Certificate }));
        // The same name, another key.
        Assert.Equal(Refusal.CertificateUntrusted, Refused(() => new OcspForge(issuing, key.Certificate)));
        Assert.Equal(Refusal.Signature, Refused(() => new OcspForge(issuing, key.Certificate) { Names = Pki.Issuing }));
    }

    [Fact]
    public void A_responder_without_nocheck_needs_a_CRL_and_one_that_is_revoked_is_not_believed_with_nocheck_either()
    {
        using var asked = OcspForge.Delegate(Pki.Issuing, nocheck: false);
        using var nocheck = OcspForge.Delegate(Pki.Issuing);
        var bare = TrustStore.Create([Pki.Root.Certificate.RawDataMemory], [Pki.Issuing.Certificate.RawDataMemory], []);
        Assert.Null(Refused(() => Good with { Responder = asked }));
        Assert.Equal(Refusal.RevocationUnknown, Refused(() => Good with { Responder = asked }, bare));
        Assert.Null(Refused(() => Good with { Responder = nocheck }, bare));
        foreach (var responder in new[] { asked, nocheck })
        {
            Assert.Equal(Refusal.CertificateRevoked, Refused(() => Good with { Responder = responder }, Revoking(responder, Now)));
            Assert.Null(Refused(() => Good with { Responder = responder }, Revoking(responder, Now.AddSeconds(1))));
        }
    }

    [Fact]
    public void A_response_that_is_endless_weak_refused_or_of_a_form_that_nobody_knows_is_none()
    {
        Assert.Null(Refused(() => Good));
        Assert.Equal(Refusal.RevocationUnknown, Refused(() => Good with { NextUpdate = null }));
        Assert.Equal(Refusal.Der, Refused(() => Good with { NextUpdate = Now }));
        Assert.Equal(Refusal.Der, Refused(() => Good with { ProducedAt = Now.AddSeconds(-1) }));
        Assert.Equal(Refusal.CertificateAlgorithm, Refused(() => Good with { Signature = "SHA1WITHECDSA" }));
        Assert.Equal(Refusal.RevocationUnknown, Refused(() => Good with { Critical = true }));
        Assert.Equal(Refusal.RevocationUnknown, Refused(() => Good with { Status = 6 }));
        Assert.Equal(Refusal.CertificateTime, Refused(() => Good with { ThisUpdate = Start.AddYears(11), NextUpdate = Start.AddYears(12) }));
    }

    [Fact]
    public void A_flipped_bit_and_a_cut_are_found_wherever_they_are()
    {
        var der = Good.Make();
        for (var at = 0; at < der.Length; at += 3)
        {
            var spoiled = (byte[])der.Clone();
            spoiled[at] ^= 1;
            Assert.Throws<RefusedException>(() => OcspResponse.Read(spoiled, Store));
            Assert.Throws<RefusedException>(() => OcspResponse.Read(der.AsMemory(0, at), Store));
        }
        Assert.Equal(Refusal.Der, Assert.Throws<RefusedException>(() => OcspResponse.Read((byte[])[.. der, 0], Store)).Refusal);
        Assert.Equal(Refusal.Size, Assert.Throws<RefusedException>(() => OcspResponse.Read(new byte[OcspResponse.MaxBytes + 1], Store)).Refusal);
    }

    [Fact]
    public void An_answer_is_one_to_the_question_of_now()
    {
        byte[] nonce = [.. Enumerable.Range(0, 32).Select(i => (byte)i)], another = [.. nonce[..31], 0];
        var plain = Good.Read(Store);
        var with = (Good with { Nonce = nonce }).Read(Store);
        with.Demand(key.Certificate, nonce, Now);
        with.Demand(key.Certificate, [], Now);
        foreach (var (response, sent, at) in new[] { (with, another, Now), (plain, nonce, Now), (with, nonce, Now.AddHours(4)), (with, nonce, Now.AddMinutes(-6)) })
            Assert.Equal(Refusal.RevocationUnknown, Assert.Throws<RefusedException>(() => response.Demand(key.Certificate, sent, at)).Refusal);
        with.Demand(key.Certificate, nonce, Now.AddHours(4).AddTicks(-1));
    }

    [Fact]
    public void OpenSSL_answers_our_question_and_reads_what_we_forge()
    {
        using var openssl = new OpenSsl();
        using var responder = OcspForge.Delegate(Pki.Issuing);
        openssl.Write("issuing.pem", Pki.Issuing.Certificate.ExportCertificatePem());
        openssl.Write("chain.pem", Pki.Issuing.Certificate.ExportCertificatePem() + "\n" + Pki.Root.Certificate.ExportCertificatePem());
        openssl.Write("leaf.pem", key.ForTls.ExportCertificatePem());
        openssl.Write("responder.pem", responder.ExportCertificatePem());
        openssl.Write("responder.key", Pem(responder));
        var serial = Convert.ToHexString(key.Certificate.SerialNumber);
        openssl.Write("index.txt", $"V\t281124080000Z\t\t{serial}\tunknown\t/CN=x\n");
        byte[] nonce = [.. Enumerable.Range(1, OcspRequest.NonceLength).Select(i => (byte)i)];
        foreach (var sha1 in new[] { false, true })
        {
            openssl.Write("question.der", OcspRequest.Of(key.Certificate, new Certificate(Pki.Issuing.Certificate.RawData), nonce, sha1));
            openssl.Run("ocsp -index index.txt -CA issuing.pem -rsigner responder.pem -rkey responder.key -rmd sha384 -reqin question.der -respout answer.der -ndays 1");
            var response = OcspResponse.Read(openssl.Read("answer.der"), Store);
            response.Demand(key.Certificate, nonce, response.ProducedAt);
            Assert.Equal(OcspStatus.Good, Assert.Single(response.Answers).Status);
        }
        openssl.Write("index.txt", $"R\t281124080000Z\t261124090000Z,keyCompromise\t{serial}\tunknown\t/CN=x\n");
        openssl.Run("ocsp -index index.txt -CA issuing.pem -rsigner responder.pem -rkey responder.key -rmd sha384 -reqin question.der -respout answer.der -ndays 1");
        Assert.Equal(Now.AddHours(1), Assert.Single(OcspResponse.Read(openssl.Read("answer.der"), Store).Answers).RevokedFrom);
        // Its default digest is of our list too; SHA-1 is not.
        openssl.Run("ocsp -index index.txt -CA issuing.pem -rsigner responder.pem -rkey responder.key -rmd sha1 -reqin question.der -respout answer.der -ndays 1");
        Assert.Equal(Refusal.CertificateAlgorithm, Assert.Throws<RefusedException>(() => OcspResponse.Read(openssl.Read("answer.der"), Store)).Refusal);

        openssl.Write("forged.der", (Good with { Responder = responder, Nonce = nonce, Hash = "1.3.14.3.2.26", Revoked = Now.AddHours(-1) }).Make());
        var (_, said, told) = openssl.Try($"ocsp -respin forged.der -issuer issuing.pem -cert leaf.pem -CAfile chain.pem -no_nonce -attime {Now.ToUnixTimeSeconds()} -validity_period 999999999");
        Assert.Contains("revoked", said, StringComparison.Ordinal);
        Assert.Contains("Response verify OK", told, StringComparison.Ordinal);
    }

    static string Pem(System.Security.Cryptography.X509Certificates.X509Certificate2 certificate)
    {
        using var ec = System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions.GetECDsaPrivateKey(certificate)!;
        return ec.ExportPkcs8PrivateKeyPem();
    }
}
