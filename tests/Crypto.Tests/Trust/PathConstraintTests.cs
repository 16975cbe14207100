using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Trust;
using Exchange.Office.Dev;
using Exchange.Office.Join;

namespace Exchange.Tests.Trust;

/// <summary>What CAs, and above all a pinned root, say about everything below them.</summary>
public sealed class PathConstraintTests
{
    const string AnyPolicy = "2.5.29.32.0", OurPolicy = "2.25.7";
    static readonly byte[] End = KeyProfile.Subject("Test", "T", "x").RawData;

    [Fact]
    public void Name_constraints_of_the_root_bind_all_below_it()
    {
        var mail = OddCertificate.Extension("2.5.29.17", w => Names(w, (1, "an@a.example")));
        Assert.Null(Check([Constraints(permitted: [(1, "a.example")])], mail).Refusal);
        Assert.Equal("end: alternative name of form 1 outside the name constraints above it", Check([Constraints(permitted: [(1, "b.example")])], mail).Detail);
        Assert.Equal("end: alternative name of form 1 outside the name constraints above it", Check([Constraints(excluded: [(1, "a.example")])], mail).Detail);
        Assert.Null(Check([Constraints(excluded: [(1, "b.example")])], mail).Refusal);
    }

    [Fact]
    public void Subjects_and_addresses_in_them_are_bound_by_the_root_too()
    {
        Assert.Null(Check([Subtree(Prefix(End, 1), excluded: false)], names: false).Refusal);
        var refused = Check([Subtree(new X500DistinguishedName("C=US").RawData, excluded: false)]);
        // The CA's own name is outside as well: both are named.
        Assert.Equal(["end: subject name outside the name constraints above it", "CA 1: subject name outside the name constraints above it"], refused.Faults.Select(f => f.Detail).Order(StringComparer.Ordinal).Reverse());
        Assert.All(refused.Faults, f => Assert.Equal(Refusal.CertificateUntrusted, f.Refusal));
        Assert.Equal("end: subject name outside the name constraints above it", Check([Subtree(Prefix(End, 1), excluded: true)], names: false).Faults.Single(f => f.Detail.StartsWith("end", StringComparison.Ordinal)).Detail);
    }

    [Fact]
    public void An_address_in_the_subject_is_bound_as_one_beside_it()
    {
        var subject = new X500DistinguishedName("CN=x,E=an@a.example,C=VN").RawData;
        Assert.Null(Check([Constraints(permitted: [(1, "a.example")])], subject: subject).Refusal);
        Assert.Equal("end: e-mail address in the subject outside the name constraints above it", Check([Constraints(permitted: [(1, "b.example")])], subject: subject).Detail);
    }

    [Fact]
    public void A_constraint_that_cannot_be_applied_is_kept_by_nobody()
    {
        // x400Address, which no one can bound, and a minimum, which RFC 5280 does not allow.
        var x400 = OddCertificate.Extension("2.5.29.30", w => { using (w.PushSequence()) using (w.PushSequence(Tag(0))) using (w.PushSequence()) using (w.PushSequence(Tag(3))) w.WriteNull(); }, critical: true);
        Assert.Contains("root: name constraints", Check([x400]).Explained, StringComparison.Ordinal);
        var minimum = OddCertificate.Extension("2.5.29.30", w => { using (w.PushSequence()) using (w.PushSequence(Tag(0))) using (w.PushSequence()) { w.WriteCharacterString(UniversalTagNumber.IA5String, "x.example", new(TagClass.ContextSpecific, 2)); w.WriteInteger(1, new(TagClass.ContextSpecific, 0)); } }, critical: true);
        Assert.Equal("root: name constraints with a minimum or maximum", Check([minimum]).Detail);
    }

    [Fact]
    public void The_roots_path_length_and_critical_extensions_count()
    {
        Assert.Equal("root: path length: 1 CAs below it", Check([], root: [OddCertificate.Authority(pathLength: 0), OddCertificate.Usage(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign)]).Detail);
        Assert.Equal("root: unknown critical extension 2.25.1", Check([new X509Extension("2.25.1", [5, 0], critical: true)]).Detail);
    }

    [Fact]
    public void The_roots_policies_count()
    {
        var explicitly = OddCertificate.Extension("2.5.29.36", w => { using (w.PushSequence()) w.WriteInteger(0, Tag(0)); }, critical: true);
        Assert.StartsWith("PKIX: ", Check([explicitly]).Detail.Split(": ", 2)[1], StringComparison.Ordinal);
        Assert.Null(Check([explicitly], Policies(OurPolicy), Policies(AnyPolicy)).Refusal);
        Assert.Null(Check([explicitly, Policies(OurPolicy)], Policies(OurPolicy), Policies(AnyPolicy)).Refusal);
        Assert.Equal(Refusal.CertificateUntrusted, Check([explicitly, Policies("2.25.8")], Policies(OurPolicy), Policies(AnyPolicy)).Refusal);
        var noAny = OddCertificate.Extension("2.5.29.54", w => w.WriteInteger(0), critical: true);
        Assert.Equal(Refusal.CertificateUntrusted, Check([explicitly, noAny], Policies(OurPolicy), Policies(AnyPolicy)).Refusal);
    }

    [Fact]
    public void A_CA_for_one_purpose_certifies_for_no_other()
    {
        Assert.Null(Check([], authority: OddCertificate.Extended("1.3.6.1.5.5.7.3.4")).Refusal);
        Assert.Null(Check([], authority: OddCertificate.Extended("2.5.29.37.0")).Refusal);
        Assert.Equal((Refusal.CertificatePurpose, "CA 1: as CA for OfficeSigning: extended key usage"), Check([], authority: OddCertificate.Extended("1.3.6.1.5.5.7.3.1")) is var v ? (v.Refusal, v.Detail) : default);
    }

    [Fact]
    public void A_longer_way_is_taken_where_the_shorter_one_is_bad()
    {
        // One CA key certified twice: by a root that has expired, and by a CA below a root that has not.
        using var old = DevAuthority.Root("Old root", new(TestPki.Start, TestPki.Now.AddHours(-1)));
        using var root = DevAuthority.Root("New root", TestPki.AuthorityValidity);
        using var issuing = old.Subordinate("Issuing", TestPki.AuthorityValidity);
        using var key = issuing.Certificate.GetECDsaPrivateKey()!;
        var crossed = new OddCertificate { Subject = issuing.Certificate.SubjectName.RawData, Key = key.ExportSubjectPublicKeyInfo(), Extensions = OddCertificate.OfAuthority(), Validity = TestPki.AuthorityValidity }.Sign(root.Certificate);
        var end = new OddCertificate().Sign(issuing.Certificate);
        byte[][] crls = [old.Crl(1, TestPki.Start, TestPki.NextUpdate), root.Crl(1, TestPki.Start, TestPki.NextUpdate), issuing.Crl(1, TestPki.Start, TestPki.NextUpdate)];
        var store = TrustStore.Create([old.Certificate.RawDataMemory, root.Certificate.RawDataMemory], [issuing.Certificate.RawDataMemory, crossed.Der], crls.Select(c => (ReadOnlyMemory<byte>)c));
        var verdict = new CertificateCheck(store).Check(end, Purpose.OfficeSigning, TestPki.Now);
        Assert.True(verdict.Good, verdict.Explained);
        Assert.Equal([end, crossed, new Certificate(root.Certificate.RawData)], verdict.Path);
    }

    static CertificateVerdict Check(X509Extension[] ofRoot, X509Extension? end = null, X509Extension? authority = null, X509Extension[]? root = null, bool names = true, byte[]? subject = null)
    {
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var caKey = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var rootName = new X500DistinguishedName("CN=Root,C=VN").RawData;
        var rootCertificate = new Certificate(new OddCertificate { Subject = rootName, Key = rootKey.ExportSubjectPublicKeyInfo(), Validity = TestPki.AuthorityValidity, Extensions = [.. root ?? OddCertificate.OfAuthority(), .. ofRoot] }.Der(rootName, rootKey));
        // Below a root that permits one name only, the CA has that name too.
        var caName = names ? new X500DistinguishedName("CN=Issuing,C=VN").RawData : Prefix(End, 1);
        var ca = new Certificate(new OddCertificate { Subject = caName, Key = caKey.ExportSubjectPublicKeyInfo(), Validity = TestPki.AuthorityValidity, Extensions = OddCertificate.OfAuthority(authority is null ? [] : [authority]) }.Der(rootName, rootKey));
        var leaf = new Certificate(new OddCertificate { Subject = subject ?? End, Extensions = [.. new OddCertificate().Extensions, .. end is null ? Array.Empty<X509Extension>() : [end]] }.Der(caName, caKey));
        using var rootWithKey = X509CertificateLoader.LoadCertificate(rootCertificate.Der.Span).CopyWithPrivateKey(rootKey);
        using var caWithKey = X509CertificateLoader.LoadCertificate(ca.Der.Span).CopyWithPrivateKey(caKey);
        var store = TrustStore.Create([rootCertificate.Der], [ca.Der], [Crl(rootWithKey), Crl(caWithKey)]);
        return new CertificateCheck(store).Check(leaf, Purpose.OfficeSigning, TestPki.Now);
    }

    static ReadOnlyMemory<byte> Crl(X509Certificate2 issuer)
    {
        using var key = issuer.GetECDsaPrivateKey()!;
        return OddCrl.Build(issuer.SubjectName.RawData, key, 1);
    }

    static X509Extension Policies(params string[] policies) => OddCertificate.Extension("2.5.29.32", w => { using (w.PushSequence()) foreach (var p in policies) using (w.PushSequence()) w.WriteObjectIdentifier(p); });

    static X509Extension Constraints((int Form, string Base)[]? permitted = null, (int Form, string Base)[]? excluded = null) => OddCertificate.Extension("2.5.29.30", w =>
    {
        using (w.PushSequence())
            foreach (var (tag, subtrees) in new[] { (0, permitted), (1, excluded) })
                if (subtrees is not null)
                    using (w.PushSequence(Tag(tag)))
                        foreach (var subtree in subtrees)
                            using (w.PushSequence()) w.WriteCharacterString(UniversalTagNumber.IA5String, subtree.Base, new(TagClass.ContextSpecific, subtree.Form));
    }, critical: true);

    static X509Extension Subtree(byte[] name, bool excluded) => OddCertificate.Extension("2.5.29.30", w =>
    {
        using (w.PushSequence()) using (w.PushSequence(Tag(excluded ? 1 : 0))) using (w.PushSequence()) using (w.PushSequence(Tag(4))) w.WriteEncodedValue(name);
    }, critical: true);

    static void Names(AsnWriter writer, params (int Form, string Text)[] names)
    {
        using (writer.PushSequence())
            foreach (var name in names) writer.WriteCharacterString(UniversalTagNumber.IA5String, name.Text, new(TagClass.ContextSpecific, name.Form));
    }

    /// <summary>The first RDNs of a name.</summary>
    static byte[] Prefix(byte[] name, int count)
    {
        var sequence = new AsnReader(name, AsnEncodingRules.DER).ReadSequence();
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence()) for (var i = 0; i < count; i++) writer.WriteEncodedValue(sequence.ReadEncodedValue().Span);
        return writer.Encode();
    }

    static Asn1Tag Tag(int number) => new(TagClass.ContextSpecific, number);
}
