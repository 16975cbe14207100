using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
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

    static TrustStore Revoking(X509Certificate2 certificate, DateTimeOffset from) => Store.WithCrls([Pki.Issuing.Crl(2, Start, Next, (certificate, from))]);

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

    [Theory, InlineData(false), InlineData(true)]
    public void No_key_that_a_response_brings_is_touched_before_the_CA_stands_for_its_certificate(bool byKey)
    {
        using var responder = OcspForge.Delegate(Pki.Issuing);
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        // Divisible by three: BouncyCastle, asked for such a key, throws. With other numbers it would compute for seconds first.
        var modulus = new byte[2048];
        Array.Fill(modulus, (byte)0xff);
        var hostile = new OddCertificate { Subject = responder.SubjectName.RawData, Key = OddCertificate.Rsa(modulus, [1, 0, 1]) };
        var forged = hostile.Der(Pki.Issuing.Certificate.SubjectName.RawData, stranger);
        Assert.Null(Refused(() => Good with { Responder = responder, ByKey = byKey }));
        Assert.Equal(Refusal.CertificateUntrusted, Refused(() => Good with { Responder = responder, ByKey = byKey, Brings = [forged] }));
        // Of a certified one the size alone is looked at.
        Assert.Equal(Refusal.CertificateAlgorithm, Refused(() => Good with { Responder = responder, ByKey = byKey, Brings = [hostile.Sign(Pki.Issuing.Certificate).Der.ToArray()] }));
        // Beside the right one it is passed over.
        if (!byKey) Assert.Null(Refused(() => Good with { Responder = responder, Brings = [forged, responder.RawData] }));
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
    public void A_responder_is_certified_for_OCSP_is_no_CA_and_was_valid_and_known_when_it_answered()
    {
        using var secret = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        X509Extension usage = OddCertificate.Usage(X509KeyUsageFlags.DigitalSignature), ocsp = OddCertificate.Extended("1.3.6.1.5.5.7.3.9"), nocheck = OddCertificate.Extension("1.3.6.1.5.5.7.48.1.5", w => w.WriteNull());
        Refusal? Told(Validity validity, TrustStore store, params X509Extension[] extensions) => ToldBy("1.2.840.10045.4.3.3", validity, store, extensions);
        Refusal? ToldBy(string algorithm, Validity validity, TrustStore store, params X509Extension[] extensions)
        {
            var certificate = new OddCertificate { Signature = algorithm, Outer = algorithm, Key = secret.ExportSubjectPublicKeyInfo(), Validity = validity, Extensions = extensions }.Sign(Pki.Issuing.Certificate);
            using var bare = X509CertificateLoader.LoadCertificate(certificate.Der.Span);
            using var responder = bare.CopyWithPrivateKey(secret);
            return Refused(() => Good with { Responder = responder }, store);
        }
        var valid = TestPki.LeafValidity;
        Assert.Null(Told(valid, Store, usage, ocsp, nocheck));
        Assert.Null(Told(valid, Store, ocsp));
        Assert.Equal(Refusal.CertificateAlgorithm, ToldBy("1.2.840.10045.4.1", valid, Store, usage, ocsp, nocheck));
        Assert.Equal(Refusal.CertificatePurpose, Told(valid, Store));
        Assert.Equal(Refusal.CertificatePurpose, Told(valid, Store, usage, nocheck));
        Assert.Equal(Refusal.CertificatePurpose, Told(valid, Store, OddCertificate.Usage(X509KeyUsageFlags.KeyEncipherment), ocsp, nocheck));
        Assert.Equal(Refusal.CertificatePurpose, Told(valid, Store, OddCertificate.Authority(), usage, ocsp, nocheck));
        Assert.Equal(Refusal.CertificatePurpose, Told(valid, Store, usage, ocsp, nocheck, OddCertificate.Extension("2.25.1", w => w.WriteNull(), critical: true)));
        Assert.Equal(Refusal.CertificateTime, Told(valid with { From = Now.AddSeconds(1) }, Store, usage, ocsp, nocheck));
        Assert.Null(Told(new(Now, Now), Store, usage, ocsp, nocheck));
        // A list that has ended, and one that may say nothing any more of what had ended before it.
        TrustStore Listed(DateTimeOffset from, DateTimeOffset until) => TrustStore.Create([Pki.Root.Certificate.RawDataMemory], [Pki.Issuing.Certificate.RawDataMemory], [Pki.Issuing.Crl(2, from, until)]);
        Assert.Null(Told(valid, Listed(Start, Now.AddSeconds(1)), usage, ocsp));
        Assert.Equal(Refusal.RevocationUnknown, Told(valid, Listed(Start, Now), usage, ocsp));
        Assert.Null(Told(valid with { Until = Now.AddHours(1) }, Listed(Now.AddHours(1), Next), usage, ocsp));
        Assert.Equal(Refusal.RevocationUnknown, Told(valid with { Until = Now.AddHours(1) }, Listed(Now.AddHours(2), Next), usage, ocsp));
    }

    [Fact]
    public void A_response_is_signed_by_whom_it_names()
    {
        using var responder = OcspForge.Delegate(Pki.Issuing);
        using var another = OcspForge.Delegate(Pki.Issuing);
        // Both may answer; one signed, the other is shown.
        Assert.Equal(Refusal.Signature, Refused(() => Good with { Responder = another, Brings = [responder.RawData] }));
        Assert.Null(Refused(() => Good with { Responder = another, Brings = [responder.RawData, another.RawData] }));
        // One is named that may not answer.
        Assert.Equal(Refusal.CertificatePurpose, Refused(() => Good with { Responder = responder, Brings = [key.Certificate.Der.ToArray(), responder.RawData] }));
    }

    [Fact]
    public void What_is_written_in_more_bytes_than_it_takes_is_refused()
    {
        var root = Tlv.Parse(Good.Make());
        Assert.Equal(Refusal.Der, Assert.Throws<RefusedException>(() => OcspResponse.Read(Tlv.Longer(root.Encoded), Store)).Refusal);
        var wrapped = root.All().Last(t => t.Encoded[0] == 4);
        System.Formats.Asn1.AsnDecoder.ReadEncodedValue(wrapped.Encoded, System.Formats.Asn1.AsnEncodingRules.DER, out var offset, out _, out _);
        var writer = new System.Formats.Asn1.AsnWriter(System.Formats.Asn1.AsnEncodingRules.DER);
        writer.WriteOctetString(Tlv.Longer(wrapped.Encoded[offset..]));
        Assert.Equal(Refusal.Der, Assert.Throws<RefusedException>(() => OcspResponse.Read(root.Rebuild(t => t.Path == wrapped.Path ? writer.Encode() : null), Store)).Refusal);
    }

    [Fact]
    public void What_a_response_holds_is_counted_and_understood()
    {
        using var responder = OcspForge.Delegate(Pki.Issuing);
        byte[][] Certificates(int count) => [.. Enumerable.Repeat(responder.RawData, count)];
        Assert.Null(Refused(() => Good with { Answers = 64 }));
        Assert.Equal(Refusal.Der, Refused(() => Good with { Answers = 65 }));
        Assert.Equal(Refusal.Der, Refused(() => Good with { Answers = 0 }));
        Assert.Equal(Refusal.RevocationUnknown, Refused(() => Good with { CriticalResponse = true }));
        Assert.Null(Refused(() => Good with { Responder = responder, Brings = Certificates(8) }));
        Assert.Equal(Refusal.Size, Refused(() => Good with { Responder = responder, Brings = Certificates(9) }));
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
        Assert.Equal(Refusal.CertificateTime, Refused(() => Good with { ThisUpdate = Start.AddSeconds(-1) }));
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
        // Its clock may run ahead by five minutes, whatever time it names.
        (Good with { ProducedAt = Now.AddMinutes(5) }).Read(Store).Demand(key.Certificate, [], Now);
        Assert.Equal(Refusal.RevocationUnknown, Assert.Throws<RefusedException>(() => (Good with { ProducedAt = Now.AddMinutes(6) }).Read(Store).Demand(key.Certificate, [], Now)).Refusal);
        // Another CA's certificate of the same number is another one.
        var namesake = new OddCertificate { Serial = key.Certificate.SerialNumber }.Sign(Pki.Root.Certificate);
        Assert.Equal(Refusal.RevocationUnknown, Assert.Throws<RefusedException>(() => plain.Demand(namesake, [], Now)).Refusal);
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

    static string Pem(X509Certificate2 certificate)
    {
        using var ec = certificate.GetECDsaPrivateKey()!;
        return ec.ExportPkcs8PrivateKeyPem();
    }
}
