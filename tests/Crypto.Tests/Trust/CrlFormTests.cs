using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Trust;
using Exchange.Office.Dev;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Math;
using Org.BouncyCastle.X509;

namespace Exchange.Tests.Trust;

/// <summary>Lists that are about some certificates only, or bring others up to date, or are issued in another's place: RFC 5280 5.2 and 6.3, at a given time.</summary>
public sealed class CrlFormTests : IDisposable
{
    const int Hold = 6, Remove = 8, Compromise = 1;
    static readonly TestPki Pki = TestPki.Shared;
    static readonly DateTimeOffset Now = TestPki.Now, Start = TestPki.Start, Next = TestPki.NextUpdate;

    readonly FileKey key = Pki.Key("Test", "T", "x");
    BigInteger Serial => key.Certificate.Parsed.SerialNumber;

    public void Dispose() => key.Dispose();

    static TrustStore Store(params byte[][] crls) => TrustStore.Create([Pki.Root.Certificate.RawDataMemory], [Pki.Issuing.Certificate.RawDataMemory], [Pki.Trust.ListOf(new(Pki.Root.Certificate.RawData))!.Der, .. crls]);

    string At(TrustStore store, DateTimeOffset at, Certificate? certificate = null) => new CertificateCheck(store).Check(certificate ?? key.Certificate, Purpose.OfficeSigning, at).Explained;

    static byte[] Delta(int number, int baseNumber, Action<X509V2CrlGenerator>? more = null, DateTimeOffset? from = null, DateTimeOffset? until = null) =>
        OddCrl.Build(Pki.Issuing, number, g => { g.AddExtension(X509Extensions.DeltaCrlIndicator, true, new CrlNumber(BigInteger.ValueOf(baseNumber))); more?.Invoke(g); }, from, until);

    static byte[] Part(int number, IssuingDistributionPoint scope, Action<X509V2CrlGenerator>? more = null) =>
        OddCrl.Build(Pki.Issuing, number, g => { g.AddExtension(X509Extensions.IssuingDistributionPoint, true, scope); more?.Invoke(g); });

    [Fact]
    public void A_delta_alone_says_nothing_and_with_its_base_it_revokes()
    {
        var delta = Delta(5, 1, g => g.AddCrlEntry(Serial, Now.UtcDateTime, Compromise));
        Assert.Equal("end: no CRL of its issuer", At(Store(delta), Now));
        var both = Store(delta, OddCrl.Build(Pki.Issuing, 1));
        Assert.Equal("good", At(both, Now.AddTicks(-1)));
        Assert.Equal("end", At(both, Now));
        // A base that is too old for it, and one that is newer: the delta does not count.
        Assert.Equal("good", At(Store(Delta(5, 3, g => g.AddCrlEntry(Serial, Start.UtcDateTime, Compromise)), OddCrl.Build(Pki.Issuing, 2)), Now));
        Assert.Equal("good", At(Store(delta, OddCrl.Build(Pki.Issuing, 6)), Now));
    }

    [Fact]
    public void A_delta_takes_a_hold_back_from_its_issue_on_and_for_as_long_as_it_lasts()
    {
        var store = Store(OddCrl.Build(Pki.Issuing, 1, g => g.AddCrlEntry(Serial, Start.AddHours(1).UtcDateTime, Hold)),
            Delta(2, 1, g => g.AddCrlEntry(Serial, Now.UtcDateTime, Remove), from: Now, until: Now.AddHours(1)));
        Assert.Equal("good", At(store, Start.AddMinutes(59)));
        Assert.Equal("end", At(store, Start.AddHours(1)));
        Assert.Equal("end", At(store, Now.AddTicks(-1)));
        Assert.Equal("good", At(store, Now));
        Assert.Equal("end", At(store, Now.AddHours(1)));
        // A kept verdict is not given for the time of the hold.
        var check = new CertificateCheck(store);
        Assert.True(check.Check(key.Certificate, Purpose.OfficeSigning, Now).Good);
        Assert.False(check.Check(key.Certificate, Purpose.OfficeSigning, Now.AddTicks(-1)).Good);
        Assert.False(check.Check(key.Certificate, Purpose.OfficeSigning, Now.AddHours(1)).Good);
    }

    [Fact]
    public void A_delta_prolongs_its_base()
    {
        var store = Store(OddCrl.Build(Pki.Issuing, 1, until: Now), Delta(2, 1, until: Now.AddHours(1)));
        Assert.Equal("good", At(store, Now.AddHours(1).AddTicks(-1)));
        Assert.Equal("end: CRL is stale", At(store, Now.AddHours(1)));
        Assert.Equal("end: CRL is stale", At(Store(OddCrl.Build(Pki.Issuing, 1, until: Now)), Now));
    }

    [Fact]
    public void A_list_about_CAs_attributes_or_another_distribution_point_does_not_cover_an_end_certificate()
    {
        Assert.Equal("good", At(Store(Part(1, new(null, true, false, null, false, false))), Now));
        Assert.Equal("end: no CRL of its issuer", At(Store(Part(1, new(null, false, true, null, false, false))), Now));
        Assert.Equal("end: no CRL of its issuer", At(Store(Part(1, new(null, false, false, null, false, true))), Now));
        Assert.Equal("end: no CRL of its issuer", At(Store(Part(1, new(Point("http://x.example/1"), false, false, null, false, false))), Now));
        var asking = new OddCertificate { Extensions = [.. new OddCertificate().Extensions, Asking(new DistributionPoint(Point("http://x.example/1"), null, null))] }.Sign(Pki.Issuing.Certificate);
        Assert.Equal("good", At(Store(Part(1, new(Point("http://x.example/1"), false, false, null, false, false))), Now, asking));
        Assert.Equal("end: no CRL of its issuer", At(Store(Part(1, new(Point("http://x.example/2"), false, false, null, false, false))), Now, asking));
    }

    [Fact]
    public void Lists_for_some_reasons_count_when_together_they_are_about_all()
    {
        var compromise = Part(1, new(null, false, false, new(ReasonFlags.KeyCompromise | ReasonFlags.CACompromise), false, false));
        var others = RevocationScope.AllReasons & ~(ReasonFlags.KeyCompromise | ReasonFlags.CACompromise);
        Assert.Equal("end: CRLs do not cover all reasons", At(Store(compromise), Now));
        Assert.Equal("good", At(Store(compromise, Part(1, new(null, false, false, new(others), false, false))), Now));
        Assert.Equal("end: CRLs do not cover all reasons", At(Store(compromise, Part(1, new(null, false, false, new(others & ~ReasonFlags.Superseded), false, false))), Now));
        Assert.Equal("end", At(Store(compromise, Part(1, new(null, false, false, new(others), false, false), g => g.AddCrlEntry(Serial, Start.UtcDateTime, 4))), Now));
    }

    [Fact]
    public void Revoked_is_revoked_even_in_a_list_that_covers_nothing_else()
    {
        var part = Part(1, new(Point("http://x.example/1"), false, false, null, false, false), g => g.AddCrlEntry(Serial, Now.UtcDateTime, Compromise));
        var store = Store(part, OddCrl.Build(Pki.Issuing, 1));
        Assert.Equal("good", At(store, Now.AddTicks(-1)));
        Assert.Equal("end", At(store, Now));
    }

    [Fact]
    public void An_indirect_list_counts_where_the_certificate_asks_for_it_and_its_issuer_is_the_roots()
    {
        using var lists = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var name = new X500DistinguishedName("CN=Lists,C=VN");
        var issuer = new OddCertificate { Subject = name.RawData, Key = lists.ExportSubjectPublicKeyInfo(), Extensions = [OddCertificate.Usage(X509KeyUsageFlags.CrlSign)], Validity = TestPki.AuthorityValidity }.Sign(Pki.Root.Certificate);
        var asked = new GeneralNames(new GeneralName(X509Name.GetInstance(name.RawData)));
        var asking = new OddCertificate { Extensions = [.. new OddCertificate().Extensions, Asking(new DistributionPoint(null, null, asked))] }.Sign(Pki.Issuing.Certificate);
        var other = new OddCertificate().Sign(Pki.Issuing.Certificate);
        byte[] Indirect(Certificate? revoked, bool indirect = true) => OddCrl.Build(name.RawData, lists, 1, g =>
        {
            g.AddExtension(X509Extensions.IssuingDistributionPoint, true, new IssuingDistributionPoint(null, false, false, null, indirect, false));
            if (revoked is not null) g.AddCrlEntry(revoked.Parsed.SerialNumber, Now.UtcDateTime, OfIssuing());
        });
        TrustStore With(byte[] crl, params byte[][] more) => TrustStore.Create([Pki.Root.Certificate.RawDataMemory], [Pki.Issuing.Certificate.RawDataMemory, issuer.Der], [Pki.Trust.ListOf(new(Pki.Root.Certificate.RawData))!.Der, crl, .. more]);

        Assert.Equal("good", At(With(Indirect(null)), Now, asking));
        Assert.Equal("end", At(With(Indirect(asking)), Now, asking));
        Assert.Equal("end: no CRL of its issuer", At(With(Indirect(null)), Now, other));
        Assert.Equal("end: no CRL of its issuer", At(With(Indirect(null, indirect: false)), Now, asking));
        // Of a certificate that does not name it, it may not even speak ill.
        Assert.Equal("good", At(With(Indirect(other), Pki.Issuing.Crl(1, Start, Next)), Now, other));
        // A CRL issuer that is revoked itself speaks of nobody.
        var withoutIssuer = TrustStore.Create([Pki.Root.Certificate.RawDataMemory], [Pki.Issuing.Certificate.RawDataMemory, issuer.Der],
            [OddCrl.Build(Pki.Root, 9, g => g.AddCrlEntry(issuer.Parsed.SerialNumber, Start.UtcDateTime, Compromise)), Indirect(null)]);
        Assert.Equal("end: CRL whose issuer may not speak of it", At(withoutIssuer, Now, asking));
        // An entry of another's certificate in a list that is not indirect is no list at all.
        Assert.Equal(Refusal.RevocationUnknown, Assert.Throws<RefusedException>(() => With(Indirect(asking, indirect: false))).Refusal);
    }

    [Fact]
    public void A_CRL_issuer_that_is_no_CA_certifies_nobody()
    {
        using var lists = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var issuer = new OddCertificate { Subject = new X500DistinguishedName("CN=Lists,C=VN").RawData, Key = lists.ExportSubjectPublicKeyInfo(), Extensions = [OddCertificate.Usage(X509KeyUsageFlags.CrlSign)], Validity = TestPki.AuthorityValidity }.Sign(Pki.Root.Certificate);
        using var signing = X509CertificateLoader.LoadCertificate(issuer.Der.Span).CopyWithPrivateKey(lists);
        var store = TrustStore.Create([Pki.Root.Certificate.RawDataMemory], [issuer.Der], [OddCrl.Build(Pki.Root, 1), OddCrl.Build(signing.SubjectName.RawData, lists, 1)]);
        var verdict = new CertificateCheck(store).Check(new OddCertificate().Sign(signing), Purpose.OfficeSigning, Now);
        Assert.Equal(["CA 1: not a CA", "CA 1: may not sign certificates"], verdict.Faults.Where(f => f.Refusal == Refusal.CertificateUntrusted).Select(f => f.Detail).Take(2));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Another_key_of_the_CA_may_revoke_but_answers_only_if_it_is_for_lists_alone(bool authority)
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var name = Pki.Issuing.Certificate.SubjectName.RawData;
        var second = new OddCertificate { Subject = name, Key = other.ExportSubjectPublicKeyInfo(), Extensions = authority ? OddCertificate.OfAuthority() : [OddCertificate.Usage(X509KeyUsageFlags.CrlSign)], Validity = TestPki.AuthorityValidity }.Sign(Pki.Root.Certificate);
        TrustStore With(Action<X509V2CrlGenerator>? more) => TrustStore.Create([Pki.Root.Certificate.RawDataMemory], [Pki.Issuing.Certificate.RawDataMemory, second.Der], [OddCrl.Build(Pki.Root, 1), OddCrl.Build(name, other, 1, more)]);
        Assert.Equal(authority ? "end: no CRL of its issuer" : "good", At(With(null), Now));
        Assert.Equal("end", At(With(g => g.AddCrlEntry(Serial, Now.UtcDateTime, Compromise)), Now));
    }

    [Fact]
    public void A_CA_whose_name_only_looks_like_the_CAs_answers_for_none_of_its_certificates()
    {
        using var theirs = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var name = new X500DistinguishedNameBuilder();
        name.AddCommonName("TEST issuing CA");
        name.AddOrganizationName("Exchange development");
        name.AddCountryOrRegion("VN");
        var other = new OddCertificate { Subject = name.Build().RawData, Key = theirs.ExportSubjectPublicKeyInfo(), Extensions = OddCertificate.OfAuthority(), Validity = TestPki.AuthorityValidity }.Sign(Pki.Root.Certificate);
        var store = TrustStore.Create([Pki.Root.Certificate.RawDataMemory], [Pki.Issuing.Certificate.RawDataMemory, other.Der], [OddCrl.Build(Pki.Root, 1), OddCrl.Build(name.Build().RawData, theirs, 1)]);
        Assert.Equal("end: no CRL of its issuer", At(store, Now));
    }

    [Fact]
    public void Each_list_replaces_only_the_one_of_its_own_scope()
    {
        var whole = OddCrl.Build(Pki.Issuing, 7);
        var store = Store(whole).WithCrls([Part(9, new(null, true, false, null, false, false)), Delta(8, 7)]);
        Assert.Equal(4, store.Crls.Count);
        Assert.Equal(store.Id, store.WithCrls([OddCrl.Build(Pki.Issuing, 6), Part(9, new(null, true, false, null, false, false)), Delta(8, 6)]).Id);
        Assert.NotEqual(store.Id, store.WithCrls([OddCrl.Build(Pki.Issuing, 8)]).Id);
    }

    static DistributionPointName Point(string uri) => new(new GeneralNames(new GeneralName(GeneralName.UniformResourceIdentifier, uri)));

    static System.Security.Cryptography.X509Certificates.X509Extension Asking(DistributionPoint point) => new("2.5.29.31", new CrlDistPoint([point]).GetDerEncoded(), critical: false);

    static X509Extensions OfIssuing()
    {
        var extensions = new X509ExtensionsGenerator();
        extensions.AddExtension(X509Extensions.CertificateIssuer, true, new GeneralNames(new GeneralName(X509Name.GetInstance(Pki.Issuing.Certificate.SubjectName.RawData))));
        return extensions.Generate();
    }
}
