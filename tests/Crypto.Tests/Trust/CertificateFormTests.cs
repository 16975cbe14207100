using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Trust;
using Exchange.Office.Dev;
using Exchange.Office.Join;

namespace Exchange.Tests.Trust;

/// <summary>Certificates that a CA of the store has signed and that are not as RFC 5280 demands: each refused by its own name, with every fault it has.</summary>
public sealed class CertificateFormTests
{
    static readonly TestPki Pki = TestPki.Shared;

    static CertificateVerdict Check(Certificate certificate, DateTimeOffset? at = null) => new CertificateCheck(Pki.Trust).Check(certificate, Purpose.OfficeSigning, at ?? TestPki.Now);

    static void Refused(OddCertificate odd, Refusal refusal, string detail)
    {
        var verdict = Check(odd.Sign(Pki.Issuing.Certificate));
        Assert.Equal((refusal.Code, "end: " + detail), (verdict.Refusal?.Code, verdict.Detail));
    }

    [Fact]
    public void The_same_certificate_without_a_fault_is_good() => Assert.True(Check(new OddCertificate().Sign(Pki.Issuing.Certificate)).Good);

    [Fact]
    public void Serial_numbers_are_above_zero_and_of_at_most_20_octets()
    {
        Refused(new() { Serial = [0x80] }, Refusal.CertificateForm, "negative serial number");
        Refused(new() { Serial = [0] }, Refusal.CertificateForm, "serial number 0");
        Refused(new() { Serial = [1, .. new byte[20]] }, Refusal.CertificateForm, "serial number of 21 octets");
        Assert.True(Check(new OddCertificate { Serial = [1, .. new byte[19]] }.Sign(Pki.Issuing.Certificate)).Good);
    }

    [Fact]
    public void Old_versions_and_doubled_extensions_are_refused()
    {
        Refused(new() { Version = 1, Extensions = [] }, Refusal.CertificateForm, "version 1");
        Refused(new() { Version = 2, Extensions = [] }, Refusal.CertificateForm, "version 2");
        var twice = new OddCertificate { Extensions = [.. new OddCertificate().Extensions, OddCertificate.Extended("1.3.6.1.5.5.7.3.2")] };
        var e = Assert.Throws<RefusedException>(() => twice.Sign(Pki.Issuing.Certificate));
        Assert.Equal((Refusal.CertificateForm.Code, "certificate: an extension twice"), (e.Refusal.Code, e.Detail));
    }

    [Fact]
    public void Two_signature_algorithms_are_one_too_many() =>
        Assert.Contains(Check(new OddCertificate { Signature = "1.2.840.10045.4.3.2" }.Sign(Pki.Issuing.Certificate)).Faults, f => f.Refusal == Refusal.CertificateForm && f.Detail == "end: names two signature algorithms");

    [Fact]
    public void A_signature_by_SHA1_is_refused_for_that()
    {
        const string sha1 = "1.2.840.10045.4.1";
        Refused(new() { Signature = sha1, Outer = sha1 }, Refusal.CertificateAlgorithm, "signature algorithm " + sha1);
    }

    [Fact]
    public void A_certificate_without_extensions_or_of_a_CA_is_for_nothing()
    {
        Assert.Equal("end, as OfficeSigning: no extensions", Check(new OddCertificate { Extensions = [] }.Sign(Pki.Issuing.Certificate)).Detail);
        // All else is as it should be.
        Assert.Equal("end, as OfficeSigning: a CA certificate", Check(new OddCertificate { Extensions = [.. new OddCertificate().Extensions, OddCertificate.Authority()] }.Sign(Pki.Issuing.Certificate)).Detail);
    }

    [Fact]
    public void A_key_for_time_stamps_signs_and_is_for_nothing_else()
    {
        const string time = "1.3.6.1.5.5.7.3.8", mail = "1.3.6.1.5.5.7.3.4";
        static X509Extension For(bool critical, params string[] purposes) => new X509EnhancedKeyUsageExtension([.. purposes.Select(p => new Oid(p))], critical);
        static Refusal? Told(params X509Extension[] extensions) => new CertificateCheck(Pki.Trust).Check(new OddCertificate { Extensions = extensions }.Sign(Pki.Issuing.Certificate), Purpose.TimeStamping, TestPki.Now).Refusal;
        var signs = OddCertificate.Usage(X509KeyUsageFlags.DigitalSignature);
        Assert.Null(Told(signs, For(true, time)));
        Assert.Null(Told(OddCertificate.Usage(X509KeyUsageFlags.NonRepudiation), For(true, time)));
        Assert.Equal(Refusal.CertificatePurpose, Told(signs, For(false, time)));
        Assert.Equal(Refusal.CertificatePurpose, Told(signs, For(true, time, mail)));
        Assert.Equal(Refusal.CertificatePurpose, Told(signs, For(true, mail)));
        Assert.Equal(Refusal.CertificatePurpose, Told(signs));
        Assert.Equal(Refusal.CertificatePurpose, Told(For(true, time)));
        Assert.Equal(Refusal.CertificatePurpose, Told(OddCertificate.Usage(X509KeyUsageFlags.None), For(true, time)));
        Assert.Equal(Refusal.CertificatePurpose, Told(OddCertificate.Usage(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyAgreement), For(true, time)));
    }

    [Fact]
    public void Empty_names_are_refused()
    {
        Refused(new() { Subject = [0x30, 0] }, Refusal.CertificateForm, "empty subject name");
        var e = Assert.Throws<RefusedException>(() => new OddCertificate { Issuer = [0x30, 0] }.Sign(Pki.Issuing.Certificate));
        Assert.Equal((Refusal.CertificateForm.Code, "certificate: empty issuer name"), (e.Refusal.Code, e.Detail));
    }

    [Theory]
    [InlineData("Test\u200b", "holds invisible characters")]
    [InlineData("Test\u202etseT", "holds invisible characters")]
    [InlineData("Vie\u0323\u0302t", "is not in Unicode NFC")]
    [InlineData("Tеst", "mixes letters of two scripts in one word")] // the e is Cyrillic
    public void Names_that_deceive_the_eye_are_refused(string name, string detail) =>
        Refused(new() { Subject = Name(name) }, Refusal.CertificateForm, "subject name " + detail);

    [Theory]
    [InlineData("Bộ Quốc phòng")]
    [InlineData("Минобороны Ltd")]
    public void Names_in_one_script_a_word_are_good(string name) => Assert.True(Check(new OddCertificate { Subject = Name(name) }.Sign(Pki.Issuing.Certificate)).Good);

    [Theory]
    [InlineData("2.5.29.17", CertificateForm.MostNames, "alternative names")]
    [InlineData("2.5.29.30", CertificateForm.MostNames, "name constraints")]
    [InlineData("2.5.29.32", CertificateForm.MostPolicies, "policies")]
    [InlineData("2.5.29.33", CertificateForm.MostPolicies, "policy mappings")]
    [InlineData("2.5.29.31", CertificateForm.MostDistributionPoints, "CRL distribution points")]
    [InlineData("2.5.29.37", CertificateForm.MostPurposes, "extended key usages")]
    public void Of_what_may_be_there_often_there_is_only_so_much(string oid, int most, string what)
    {
        // What is counted is not read: any values will do. Constraints are two lists, counted together.
        string? Excess(int count)
        {
            var extension = OddCertificate.Extension(oid, w =>
            {
                using (w.PushSequence())
                    if (oid != "2.5.29.30") for (var i = 0; i < count; i++) w.WriteNull();
                    else
                        for (var list = 0; list < 2; list++)
                            using (w.PushSequence(new System.Formats.Asn1.Asn1Tag(System.Formats.Asn1.TagClass.ContextSpecific, list)))
                                for (var i = list; i < count; i += 2) w.WriteNull();
            });
            return CertificateForm.TooMany(new OddCertificate { Extensions = [extension] }.Sign(Pki.Issuing.Certificate).Parsed.CertificateStructure.Extensions).SingleOrDefault();
        }
        Assert.Null(Excess(most));
        Assert.Equal($"{CertificateForm.Excess} {what}: {most + 1}", Excess(most + 1));
    }

    [Fact]
    public void The_issuers_name_is_held_to_the_same()
    {
        Assert.Contains("end: issuer name holds invisible characters", Check(new OddCertificate { Issuer = Authority("Test\u200b issuing CA") }.Sign(Pki.Issuing.Certificate)).Faults.Select(f => f.Detail));
    }

    // RFC 5280 7.1 would let the first two pass for the CA's own name. This CA signed them all: what is wrong is the name alone.
    [Theory]
    [InlineData("TEST ISSUING CA", "but for letter case")]
    [InlineData("Test  issuing CA ", "but for spaces")]
    [InlineData("Test issuing СА", "in letters that only look alike")] // C and A are Cyrillic
    [InlineData("Test iѕѕuing CA", "in letters that only look alike")]
    [InlineData("Test issuing \uff23\uff21", "in another Unicode form")]
    [InlineData("Another CA", null)]
    public void A_name_that_only_looks_like_the_CAs_is_not_its_name(string name, string? likeness)
    {
        var verdict = Check(new OddCertificate { Issuer = Authority(name) }.Sign(Pki.Issuing.Certificate));
        Assert.Equal(Refusal.CertificateUntrusted, verdict.Refusal);
        Assert.Equal("end: no CA has the name of its issuer" + (likeness is null ? "" : $"; one has it {likeness}"), verdict.Detail);
    }

    [Fact]
    public void The_CAs_own_name_in_another_string_type_is_not_its_name_either()
    {
        var name = new X500DistinguishedNameBuilder();
        name.Add("2.5.4.3", "Test issuing CA", System.Formats.Asn1.UniversalTagNumber.PrintableString);
        name.AddOrganizationName("Exchange development");
        name.AddCountryOrRegion("VN");
        var verdict = Check(new OddCertificate { Issuer = name.Build().RawData }.Sign(Pki.Issuing.Certificate));
        Assert.Equal("end: no CA has the name of its issuer; one has it in another encoding", verdict.Detail);
    }

    [Fact]
    public void A_verdict_names_every_fault_and_the_gravest_first()
    {
        var odd = new OddCertificate
        {
            Serial = [0x80, 1], Subject = Name("Vie\u0323\u0302t"), Validity = new(TestPki.Start, TestPki.Now.AddHours(-1)),
            Extensions = [OddCertificate.Usage(X509KeyUsageFlags.DigitalSignature), new X509Extension("2.25.1", [5, 0], critical: true)],
        }.Sign(Pki.Issuing.Certificate);
        var store = TrustStore.Create([Pki.Root.Certificate.RawDataMemory], [Pki.Issuing.Certificate.RawDataMemory],
            [OddCrl.Build(Pki.Issuing, 2, g => g.AddCrlEntry(odd.Parsed.SerialNumber, TestPki.Start.UtcDateTime, 1))]);
        var verdict = new CertificateCheck(store).Check(odd, Purpose.OfficeSigning, TestPki.Now);
        Assert.Equal(
        [
            "E_CERTIFICATE_FORM end: negative serial number", "E_CERTIFICATE_FORM end: subject name is not in Unicode NFC",
            "E_CERTIFICATE_PURPOSE end, as OfficeSigning: unknown critical extension 2.25.1", "E_CERTIFICATE_PURPOSE end, as OfficeSigning: key usage 80",
            "E_CERTIFICATE_PURPOSE end, as OfficeSigning: extended key usage", "E_CERTIFICATE_REVOKED end", "E_CERTIFICATE_UNTRUSTED end: PKIX: Certificate has unsupported critical extension: [2.25.1]",
            "E_CERTIFICATE_TIME end: expired", "E_REVOCATION_UNKNOWN CA 1: no CRL of its issuer",
        ], verdict.Faults.Select(f => $"{f.Refusal.Code} {f.Detail}"));
        Assert.Equal((Refusal.CertificateForm, "end: negative serial number"), (verdict.Refusal, verdict.Detail));
        Assert.Equal(verdict.Explained, Assert.Throws<RefusedException>(() => new CertificateCheck(store).Demand(odd, Purpose.OfficeSigning, TestPki.Now)).Detail);
        Assert.All(verdict.Faults, f => Assert.Equal(f.Detail.StartsWith("CA 1", StringComparison.Ordinal) ? new Certificate(Pki.Issuing.Certificate.RawData) : odd, f.Certificate));
    }

    [Fact]
    public void A_CA_below_a_root_is_held_to_the_form_too()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var odd = new OddCertificate { Serial = [0x80], Subject = Authority("Odd CA"), Key = key.ExportSubjectPublicKeyInfo(), Extensions = OddCertificate.OfAuthority(), Validity = TestPki.AuthorityValidity }.Sign(Pki.Root.Certificate);
        using var authority = X509CertificateLoader.LoadCertificate(odd.Der.Span).CopyWithPrivateKey(key);
        var check = new CertificateCheck(TrustStore.Create([Pki.Root.Certificate.RawDataMemory], [odd.Der], [OddCrl.Build(Pki.Root, 1)]));
        var verdict = check.Check(new OddCertificate().Sign(authority), Purpose.OfficeSigning, TestPki.Now);
        Assert.Equal("CA 1: negative serial number", verdict.Detail);
    }

    static byte[] Name(string common) => KeyProfile.Subject("Test", "T", common).RawData;

    static byte[] Authority(string common)
    {
        var name = new X500DistinguishedNameBuilder();
        name.AddCommonName(common);
        name.AddOrganizationName("Exchange development");
        name.AddCountryOrRegion("VN");
        return name.Build().RawData;
    }
}
