using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Trust;
using Exchange.Office.Dev;
using Exchange.Tests.Envelope;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Math;

namespace Exchange.Tests.Trust;

/// <summary>Who may issue lists in a CA's place when the issuer itself has to be asked about, and lists that are not lists.</summary>
public sealed class CrlIssuerTests
{
    static readonly TestPki Pki = TestPki.Shared;

    /// <summary>A CRL issuer under the root and its indirect list, in which nobody stands.</summary>
    sealed record Issuer(string Name, ECDsa Key)
    {
        public byte[] Subject => new X500DistinguishedName($"CN={Name},C=VN").RawData;
        public byte[] List => OddCrl.Build(Subject, Key, 1, g => g.AddExtension(X509Extensions.IssuingDistributionPoint, true, new IssuingDistributionPoint(null, false, false, null, true, false)));
        public Certificate Certificate(bool authority, params Issuer[] asks) => new OddCertificate
        {
            Subject = Subject, Key = Key.ExportSubjectPublicKeyInfo(), Validity = TestPki.AuthorityValidity,
            Extensions = [.. authority ? OddCertificate.OfAuthority() : [OddCertificate.Usage(X509KeyUsageFlags.CrlSign)], .. asks.Select(Asks)],
        }.Sign(Pki.Root.Certificate);
    }

    static System.Security.Cryptography.X509Certificates.X509Extension Asks(Issuer issuer) =>
        new("2.5.29.31", new CrlDistPoint([new DistributionPoint(null, null, new GeneralNames(new GeneralName(X509Name.GetInstance(issuer.Subject))))]).GetDerEncoded(), critical: false);

    /// <summary>What is said of a certificate that asks for the first issuer's list. The root's own list is about CAs alone.</summary>
    static string Of(Issuer asked, Certificate[] issuers, params Issuer[] lists)
    {
        var end = new OddCertificate { Extensions = [.. new OddCertificate().Extensions, Asks(asked)] }.Sign(Pki.Issuing.Certificate);
        var root = OddCrl.Build(Pki.Root, 1, g => g.AddExtension(X509Extensions.IssuingDistributionPoint, true, new IssuingDistributionPoint(null, false, true, null, false, false)));
        var store = TrustStore.Create([Pki.Root.Certificate.RawDataMemory], [Pki.Issuing.Certificate.RawDataMemory, .. issuers.Select(i => i.Der)], [root, .. lists.Select(l => (ReadOnlyMemory<byte>)l.List)]);
        return new CertificateCheck(store).Check(end, Purpose.OfficeSigning, TestPki.Now).Explained;
    }

    [Fact]
    public void A_CRL_issuer_may_answer_for_itself_and_a_ring_of_two_answers_for_nobody()
    {
        using ECDsa a = ECDsa.Create(ECCurve.NamedCurves.nistP384), b = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        Issuer first = new("Lists A", a), second = new("Lists B", b);
        Assert.Equal("good", Of(first, [first.Certificate(false, first)], first));
        Assert.Equal("end: CRL whose issuer may not speak of it", Of(first, [first.Certificate(false)], first));
        Assert.Equal("end: CRL whose issuer may not speak of it", Of(first, [first.Certificate(false, second), second.Certificate(false, first)], first, second));
    }

    [Fact]
    public void A_CA_that_the_certificate_names_answers_for_it()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var other = new Issuer("Another CA", key);
        Assert.Equal("good", Of(other, [other.Certificate(authority: true)], other));
    }

    [Fact]
    public void Only_the_issuer_that_the_certificate_names_answers_and_only_below_the_same_root()
    {
        using ECDsa a = ECDsa.Create(ECCurve.NamedCurves.nistP384), b = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        Issuer first = new("Lists A", a), second = new("Lists B", b);
        Assert.Equal("end: no CRL of its issuer", Of(first, [first.Certificate(true), second.Certificate(true)], second));

        // Good in itself, under another root of the same store.
        using var other = DevAuthority.Root("Other root", TestPki.AuthorityValidity);
        var theirs = new OddCertificate { Subject = first.Subject, Key = a.ExportSubjectPublicKeyInfo(), Validity = TestPki.AuthorityValidity, Extensions = OddCertificate.OfAuthority() };
        var end = new OddCertificate { Extensions = [.. new OddCertificate().Extensions, Asks(first)] }.Sign(Pki.Issuing.Certificate);
        string Under(DevAuthority root) => new CertificateCheck(TrustStore.Create([Pki.Root.Certificate.RawDataMemory, other.Certificate.RawDataMemory], [Pki.Issuing.Certificate.RawDataMemory, theirs.Sign(root.Certificate).Der],
            [OddCrl.Build(Pki.Root, 1), OddCrl.Build(other, 1), first.List])).Check(end, Purpose.OfficeSigning, TestPki.Now).Explained;
        Assert.Equal("good", Under(Pki.Root));
        Assert.Equal("end: CRL whose issuer may not speak of it", Under(other));
    }

    [Fact]
    public void A_CA_that_may_not_sign_lists_answers_for_nobody_though_its_signature_holds()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        string With(X509KeyUsageFlags usage)
        {
            var authority = new OddCertificate { Subject = new X500DistinguishedName("CN=Issuing,C=VN").RawData, Key = key.ExportSubjectPublicKeyInfo(), Validity = TestPki.AuthorityValidity, Extensions = [OddCertificate.Authority(), OddCertificate.Usage(usage)] }.Sign(Pki.Root.Certificate);
            var store = TrustStore.Create([Pki.Root.Certificate.RawDataMemory], [authority.Der], [OddCrl.Build(Pki.Root, 1), OddCrl.Build(authority.SubjectDer, key, 1)]);
            return new CertificateCheck(store).Check(new Certificate(new OddCertificate().Der(authority.SubjectDer, key)), Purpose.OfficeSigning, TestPki.Now).Explained;
        }
        Assert.Equal("good", With(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign));
        Assert.Equal("end: CRL whose issuer may not speak of it", With(X509KeyUsageFlags.KeyCertSign));
    }

    [Fact]
    public void An_entry_about_another_CAs_certificate_of_the_same_number_is_not_about_this_one()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var issuer = new Issuer("Lists A", key);
        var end = new OddCertificate { Extensions = [.. new OddCertificate().Extensions, Asks(issuer)] }.Sign(Pki.Issuing.Certificate);
        string Naming(params byte[][] authorities)
        {
            var list = OddCrl.Build(issuer.Subject, key, 1, g =>
            {
                g.AddExtension(X509Extensions.IssuingDistributionPoint, true, new IssuingDistributionPoint(null, false, false, null, true, false));
                foreach (var name in authorities)
                {
                    var extensions = new X509ExtensionsGenerator();
                    extensions.AddExtension(X509Extensions.CertificateIssuer, true, new GeneralNames(new GeneralName(X509Name.GetInstance(name))));
                    g.AddCrlEntry(end.Parsed.SerialNumber, TestPki.Start.UtcDateTime, extensions.Generate());
                }
            });
            var store = TrustStore.Create([Pki.Root.Certificate.RawDataMemory], [Pki.Issuing.Certificate.RawDataMemory, issuer.Certificate(false).Der], [OddCrl.Build(Pki.Root, 1), list]);
            return new CertificateCheck(store).Check(end, Purpose.OfficeSigning, TestPki.Now).Explained;
        }
        byte[] ours = Pki.Issuing.Certificate.SubjectName.RawData, theirs = Pki.Root.Certificate.SubjectName.RawData;
        Assert.Equal("good", Naming(theirs));
        Assert.Equal("end", Naming(ours));
        // Found behind the other, too.
        Assert.Equal("end", Naming(ours, theirs));
        Assert.Equal("end", Naming(theirs, ours));
    }

    [Fact]
    public void Of_several_times_of_a_revocation_the_first_counts()
    {
        using var key = Pki.Key("Test", "T", "x");
        DateTimeOffset early = TestPki.Start.AddHours(1), late = TestPki.Now;
        byte[] List(int number, DateTimeOffset revoked, Action<Org.BouncyCastle.X509.X509V2CrlGenerator>? more = null) =>
            OddCrl.Build(Pki.Issuing, number, g => { more?.Invoke(g); g.AddCrlEntry(key.Certificate.Parsed.SerialNumber, revoked.UtcDateTime, 1); });
        byte[] Delta(DateTimeOffset revoked) => List(2, revoked, g => g.AddExtension(X509Extensions.DeltaCrlIndicator, true, new CrlNumber(BigInteger.One)));
        byte[] Users(DateTimeOffset revoked) => List(1, revoked, g => g.AddExtension(X509Extensions.IssuingDistributionPoint, true, new IssuingDistributionPoint(null, true, false, null, false, false)));
        foreach (var lists in new byte[][][] { [List(1, early), Delta(late)], [List(1, late), Delta(early)], [List(1, early), Users(late)], [List(1, late), Users(early)] })
        {
            var check = new CertificateCheck(TrustStore.Create([Pki.Root.Certificate.RawDataMemory], [Pki.Issuing.Certificate.RawDataMemory], [OddCrl.Build(Pki.Root, 1), .. lists]));
            Assert.Equal(Refusal.CertificateRevoked, check.Check(key.Certificate, Purpose.OfficeSigning, early).Refusal);
            Assert.Null(check.Check(key.Certificate, Purpose.OfficeSigning, early.AddTicks(-1)).Refusal);
        }
        // An invalidity date after the revocation changes nothing.
        var invalid = new CertificateCheck(TrustStore.Create([Pki.Root.Certificate.RawDataMemory], [Pki.Issuing.Certificate.RawDataMemory],
            [OddCrl.Build(Pki.Root, 1), OddCrl.Make(Pki.Issuing, CrlForm.Invalidity, key.ForTls, revoked: early, invalid: late)]));
        Assert.Equal(Refusal.CertificateRevoked, invalid.Check(key.Certificate, Purpose.OfficeSigning, early).Refusal);
    }

    [Fact]
    public void An_entry_that_is_not_understood_spoils_its_list()
    {
        var extensions = new X509ExtensionsGenerator();
        extensions.AddExtension(new DerObjectIdentifier("2.25.1"), true, DerNull.Instance);
        Assert.Equal(Refusal.RevocationUnknown, Refused(OddCrl.Build(Pki.Issuing, 2, g => g.AddCrlEntry(BigInteger.One, TestPki.Start.UtcDateTime, extensions.Generate()))));
    }

    [Fact]
    public void A_list_that_is_not_DER_or_endless_is_refused()
    {
        var der = OddCrl.Build(Pki.Issuing, 2);
        Assert.Null(Refused(der));
        // Its signature holds.
        Assert.Equal(Refusal.Der, Refused(Tlv.Longer(der)));
        Assert.Equal(Refusal.Der, Refused([.. der, 0]));
        Assert.Equal(Refusal.Size, Refused(new byte[(64 << 20) + 1]));
    }

    static Refusal? Refused(byte[] crl)
    {
        try { Pki.Trust.WithCrls([crl]); return null; }
        catch (RefusedException e) { return e.Refusal; }
    }
}
