using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Trust;
using Exchange.Office.Dev;
using Exchange.Office.Join;

namespace Exchange.Tests.Trust;

public sealed class CertificateCheckTests
{
    static readonly TestPki Pki = TestPki.Shared;

    static CertificateVerdict Check(Certificate certificate, Purpose purpose, DateTimeOffset? at = null) =>
        new CertificateCheck(Pki.Trust).Check(certificate, purpose, at ?? TestPki.Now);

    static Certificate Of(X509Certificate2 certificate) => new(certificate.RawDataMemory.Span);

    static X500DistinguishedName Name(string name = "x") => KeyProfile.Subject("Test", "T", name);

    [Theory]
    [InlineData(KeyUse.Sign, null, "OfficeSigning PersonSigning GatewayEvidence Officer")]
    [InlineData(KeyUse.Encrypt, null, "OfficeEncryption")]
    [InlineData(KeyUse.TlsClient, null, "TlsClient")]
    [InlineData(KeyUse.TlsServer, null, "TlsServer")]
    [InlineData(KeyUse.TimeStamp, null, "TimeStamping")]
    [InlineData(KeyUse.TimeStamp, 3072, "TimeStamping")]
    [InlineData(KeyUse.Sign, 3072, "")]
    [InlineData(KeyUse.Encrypt, 3072, "OfficeEncryption")]
    [InlineData(KeyUse.TlsClient, 3072, "TlsClient")]
    internal void A_certificate_serves_its_purpose_and_no_other(KeyUse use, int? rsaBits, string good)
    {
        using var key = Pki.Key("Test", "T", "x", use, rsaBits);
        foreach (var purpose in Enum.GetValues<Purpose>())
        {
            var verdict = Check(key.Certificate, purpose);
            var expected = good.Split(' ').Contains(purpose.ToString()) ? null : Refusal.CertificatePurpose;
            Assert.True(expected == verdict.Refusal, $"{purpose}: {verdict.Detail}");
        }
    }

    [Theory]
    [InlineData(X509KeyUsageFlags.DigitalSignature)]
    [InlineData(X509KeyUsageFlags.NonRepudiation)]
    [InlineData(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.NonRepudiation | X509KeyUsageFlags.KeyAgreement)]
    [InlineData(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.NonRepudiation | X509KeyUsageFlags.KeyCertSign)]
    public void A_signing_certificate_has_both_signing_bits_and_no_other(X509KeyUsageFlags usage)
    {
        using var bad = Pki.Spoiled(KeyUse.Sign, r => Replace<X509KeyUsageExtension>(r, new X509KeyUsageExtension(usage, critical: true)));
        Assert.Equal(Refusal.CertificatePurpose, Check(Of(bad), Purpose.OfficeSigning).Refusal);
    }

    [Fact]
    public void Any_extended_key_usage_is_not_the_one_needed()
    {
        using var any = Pki.Spoiled(KeyUse.Sign, r => Replace<X509EnhancedKeyUsageExtension>(r, new X509EnhancedKeyUsageExtension([new Oid("2.5.29.37.0")], critical: false)));
        Assert.Equal(Refusal.CertificatePurpose, Check(Of(any), Purpose.OfficeSigning).Refusal);
        using var none = Pki.Spoiled(KeyUse.Sign, r => r.CertificateExtensions.Remove(r.CertificateExtensions.OfType<X509EnhancedKeyUsageExtension>().Single()));
        Assert.Equal(Refusal.CertificatePurpose, Check(Of(none), Purpose.OfficeSigning).Refusal);
        using var noUsage = Pki.Spoiled(KeyUse.Sign, r => r.CertificateExtensions.Remove(r.CertificateExtensions.OfType<X509KeyUsageExtension>().Single()));
        Assert.Equal(Refusal.CertificatePurpose, Check(Of(noUsage), Purpose.OfficeSigning).Refusal);
    }

    [Fact]
    public void An_unknown_critical_extension_is_refused_and_an_unknown_other_one_is_not()
    {
        using var critical = Pki.Spoiled(KeyUse.Sign, r => r.CertificateExtensions.Add(new X509Extension("2.25.1", [5, 0], critical: true)));
        Assert.Equal(Refusal.CertificatePurpose, Check(Of(critical), Purpose.OfficeSigning).Refusal);
        using var other = Pki.Spoiled(KeyUse.Sign, r => r.CertificateExtensions.Add(new X509Extension("2.25.1", [5, 0], critical: false)));
        Assert.True(Check(Of(other), Purpose.OfficeSigning).Good);
    }

    [Fact]
    public void A_CA_certificate_or_one_that_it_was_not_allowed_to_issue_is_refused()
    {
        Assert.Equal(Refusal.CertificatePurpose, Check(Of(Pki.Issuing.Certificate), Purpose.OfficeSigning).Refusal);
        // An end certificate that plays CA: its certificates lead nowhere, because only the store's CAs are in a path.
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var leaf = Pki.Issuing.Issue(Name("leaf"), KeyUse.Sign, TestPki.LeafValidity, key);
        var request = new CertificateRequest(Name("child"), ECDsa.Create(ECCurve.NamedCurves.nistP384), HashAlgorithmName.SHA384);
        using var child = request.Create(leaf.SubjectName, X509SignatureGenerator.CreateForECDsa(key), TestPki.Start, TestPki.Now.AddDays(1), [1]);
        Assert.Equal(Refusal.CertificateUntrusted, Check(Of(child), Purpose.OfficeSigning).Refusal);
    }

    [Fact]
    public void A_path_longer_than_its_CA_allows_is_refused()
    {
        using var below = Pki.Issuing.Subordinate("One too many", TestPki.AuthorityValidity);
        using var leaf = below.Issue(Name(), KeyUse.Sign, TestPki.LeafValidity);
        var store = TrustStore.Create([Pki.Root.Certificate.RawDataMemory], [Pki.Issuing.Certificate.RawDataMemory, below.Certificate.RawDataMemory],
            [.. Pki.Trust.Crls, below.Crl(1, TestPki.Start, TestPki.NextUpdate)]);
        var verdict = new CertificateCheck(store).Check(Of(leaf), Purpose.OfficeSigning, TestPki.Now);
        Assert.Equal(Refusal.CertificateUntrusted, verdict.Refusal);
        Assert.Contains("ath length", verdict.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_foreign_CA_of_the_same_name_is_refused()
    {
        using var root = DevAuthority.Root("Test root", TestPki.AuthorityValidity);
        using var issuing = root.Subordinate("Test issuing CA", TestPki.AuthorityValidity);
        using var leaf = issuing.Issue(Name(), KeyUse.TlsClient, TestPki.LeafValidity);
        Assert.Equal(Refusal.CertificateUntrusted, Check(Of(leaf), Purpose.TlsClient).Refusal);
    }

    [Fact]
    public void Who_only_names_the_root_as_its_issuer_is_refused()
    {
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var odd = new OddCertificate();
        Assert.True(Check(odd.Sign(Pki.Root.Certificate), Purpose.OfficeSigning).Good);
        Assert.Equal(Refusal.CertificateUntrusted, Check(new Certificate(odd.Der(Pki.Root.Certificate.SubjectName.RawData, stranger)), Purpose.OfficeSigning).Refusal);
    }

    [Fact]
    public void A_flipped_byte_anywhere_in_a_certificate_is_refused()
    {
        var der = Pki["H41"].Sign.Certificate.Der.ToArray();
        var check = new CertificateCheck(Pki.Trust);
        for (var i = 0; i < der.Length; i++)
        {
            var bad = (byte[])der.Clone();
            bad[i] ^= 1;
            Certificate parsed;
            try { parsed = new Certificate(bad); }
            catch (RefusedException e) { Assert.Contains(e.Refusal, new[] { Refusal.Der, Refusal.CertificateForm }); continue; }
            Assert.False(check.Check(parsed, Purpose.OfficeSigning, TestPki.Now).Good, $"byte {i}");
        }
    }

    [Theory]
    [InlineData(1024)]
    [InlineData(2048)]
    public void Short_RSA_keys_are_refused(int bits)
    {
        using var key = Pki.Issuing.Issue(Name(), KeyUse.TlsClient, TestPki.LeafValidity, bits);
        Assert.Equal(Refusal.CertificateAlgorithm, Check(Of(key), Purpose.TlsClient).Refusal);
    }

    [Theory]
    [InlineData("1.3.132.0.35")] // P-521
    [InlineData("1.3.132.0.10")] // secp256k1
    [InlineData("1.3.36.3.3.2.8.1.1.7")] // brainpoolP256r1
    public void Other_curves_are_refused(string curve)
    {
        using var owner = ECDsa.Create(ECCurve.CreateFromValue(curve));
        using var certificate = Pki.Issuing.Issue(Name(), KeyUse.Sign, TestPki.LeafValidity, owner);
        Assert.Equal(Refusal.CertificateAlgorithm, Check(Of(certificate), Purpose.OfficeSigning).Refusal);
        Assert.Equal(Refusal.CertificateAlgorithm, Check(Of(certificate), Purpose.GatewayEvidence).Refusal);
    }

    [Fact]
    public void P256_signs_a_gateways_receipts_and_nothing_of_an_office_a_person_or_an_officer()
    {
        using var owner = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var signing = Pki.Issuing.Issue(Name(), KeyUse.Sign, TestPki.LeafValidity, owner);
        Assert.True(Check(Of(signing), Purpose.GatewayEvidence).Good);
        foreach (var purpose in new[] { Purpose.OfficeSigning, Purpose.PersonSigning, Purpose.Officer }) Assert.Equal(Refusal.CertificatePurpose, Check(Of(signing), purpose).Refusal);
        using var encryption = Pki.Issuing.Issue(Name(), KeyUse.Encrypt, TestPki.LeafValidity, owner);
        Assert.Equal(Refusal.CertificatePurpose, Check(Of(encryption), Purpose.OfficeEncryption).Refusal);
    }

    [Fact]
    public void Validity_includes_its_first_and_last_second_and_no_more()
    {
        using var key = Pki.Key("Test", "T", "x", validity: new(TestPki.Now, TestPki.Now.AddHours(1)));
        Assert.Equal(Refusal.CertificateTime, Check(key.Certificate, Purpose.OfficeSigning, TestPki.Now.AddTicks(-1)).Refusal);
        Assert.True(Check(key.Certificate, Purpose.OfficeSigning, TestPki.Now).Good);
        Assert.True(Check(key.Certificate, Purpose.OfficeSigning, TestPki.Now.AddHours(1)).Good);
        Assert.Equal(Refusal.CertificateTime, Check(key.Certificate, Purpose.OfficeSigning, TestPki.Now.AddHours(1).AddTicks(1)).Refusal);
    }

    [Fact]
    public void An_expired_issuing_CA_or_root_ends_the_path()
    {
        var shortLived = new Validity(TestPki.Start, TestPki.Now.AddHours(1));
        using var root = DevAuthority.Root("Short root", shortLived);
        using var issuing = root.Subordinate("Long CA", TestPki.AuthorityValidity);
        using var leaf = issuing.Issue(Name(), KeyUse.Sign, TestPki.LeafValidity);
        var check = new CertificateCheck(TrustStore.Create([root.Certificate.RawDataMemory], [issuing.Certificate.RawDataMemory],
            [root.Crl(1, TestPki.Start, TestPki.NextUpdate), issuing.Crl(1, TestPki.Start, TestPki.NextUpdate)]));
        Assert.True(check.Check(Of(leaf), Purpose.OfficeSigning, TestPki.Now).Good);
        Assert.Equal(Refusal.CertificateTime, check.Check(Of(leaf), Purpose.OfficeSigning, TestPki.Now.AddHours(2)).Refusal);
    }

    static void Replace<T>(CertificateRequest request, X509Extension by) where T : X509Extension
    {
        request.CertificateExtensions.Remove(request.CertificateExtensions.OfType<T>().Single());
        request.CertificateExtensions.Add(by);
    }
}
