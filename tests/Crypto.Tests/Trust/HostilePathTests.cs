using System.Formats.Asn1;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Trust;
using Exchange.Office.Dev;

namespace Exchange.Tests.Trust;

/// <summary>
/// Certificates made to cost much: each is answered, refused, and by what it is. What counts is counted (signatures verified, steps); a second of processor time is the bound besides, for what takes milliseconds.
/// </summary>
public sealed class HostilePathTests
{
    static readonly TestPki Pki = TestPki.Shared;

    static (CertificateVerdict Verdict, PathWork Work) Check(TrustStore store, Certificate end)
    {
        var work = new PathWork(new(store));
        Assert.True(new CertificateCheck(Pki.Trust).Check(Pki["H41"].Sign.Certificate, Purpose.OfficeSigning, TestPki.Now).Good);
        var before = Used();
        var verdict = new CertificateCheck(store).Check(end, Purpose.OfficeSigning, TestPki.Now, work).Verdict;
        Assert.True(Used() - before < TimeSpan.FromSeconds(1), $"{Used() - before}");
        Assert.True(work.Verifications <= PathWork.MostVerifications, $"{work.Verifications} verifications");
        return (verdict, work);
    }

    /// <summary>Processor time of this thread: other tests, and other programs, run at the same time (proc(5): utime and stime, in hundredths of a second).</summary>
    static TimeSpan Used()
    {
        var fields = File.ReadAllText("/proc/thread-self/stat").Split(") ")[^1].Split(' ');
        return TimeSpan.FromMilliseconds(10 * (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_mesh_of_CAs_that_all_certify_each_other_ends_and_a_short_way_through_it_is_found(bool rooted)
    {
        const int count = 14;
        using var outside = DevAuthority.Root("Outside", TestPki.AuthorityValidity);
        var keys = Enumerable.Range(0, count).Select(_ => ECDsa.Create(ECCurve.NamedCurves.nistP384)).ToArray();
        var names = Enumerable.Range(0, count).Select(i => new X500DistinguishedName($"CN=Mesh {i},C=VN").RawData).ToArray();
        OddCertificate Of(int i) => new() { Subject = names[i], Key = keys[i].ExportSubjectPublicKeyInfo(), Extensions = OddCertificate.OfAuthority(), Validity = TestPki.AuthorityValidity };
        var mesh = Enumerable.Range(0, count).SelectMany(i => Enumerable.Range(0, count).Where(j => j != i).Select(j => (ReadOnlyMemory<byte>)Of(i).Der(names[j], keys[j]))).ToList();
        if (rooted) mesh.Add(Of(0).Sign(Pki.Root.Certificate).Der);
        var store = TrustStore.Create([Pki.Root.Certificate.RawDataMemory, outside.Certificate.RawDataMemory], mesh, []);
        var end = new Certificate(new OddCertificate().Der(names[0], keys[0]));
        var (verdict, work) = Check(store, end);
        Assert.False(verdict.Good);
        // end ← 0 ← root is looked at first; where no way leads to a root, the search stops and says so.
        Assert.Equal(rooted ? Refusal.RevocationUnknown : Refusal.CertificateUntrusted, verdict.Refusal);
        if (!rooted) Assert.Contains(verdict.Faults, f => f.Detail == "more ways to a root than are looked at");
        Assert.True(work.Spent);
        foreach (var key in keys) key.Dispose();
    }

    [Fact]
    public void Of_hundreds_of_CAs_of_one_name_and_of_many_ways_that_hold_only_so_many_are_tried()
    {
        var name = new X500DistinguishedName("CN=Many,C=VN").RawData;
        var keys = Enumerable.Range(0, PathWork.MostVerifications + 1).Select(_ => ECDsa.Create(ECCurve.NamedCurves.nistP384)).ToArray();
        OddCertificate Of(ECDsa key) => new() { Subject = name, Key = key.ExportSubjectPublicKeyInfo(), Extensions = OddCertificate.OfAuthority(), Validity = TestPki.AuthorityValidity };
        TrustStore Store(IEnumerable<ECDsa> authorities) => TrustStore.Create([Pki.Root.Certificate.RawDataMemory], authorities.Select(k => Of(k).Sign(Pki.Root.Certificate).Der), []);
        // Another key each; none has signed it.
        var (verdict, work) = Check(Store(keys[1..]), new Certificate(new OddCertificate().Der(name, keys[0])));
        Assert.Equal((Refusal.CertificateUntrusted, false), (verdict.Refusal, work.Spent));
        (verdict, work) = Check(Store([.. keys[1..], ECDsa.Create(ECCurve.NamedCurves.nistP384)]), new Certificate(new OddCertificate().Der(name, keys[0])));
        Assert.Equal((Refusal.CertificateUntrusted, true), (verdict.Refusal, work.Spent));
        Assert.Contains(verdict.Faults, f => f.Detail == "more ways to a root than are looked at");
        // One key, certified again and again: each way holds.
        foreach (var (count, spent) in new[] { (PathWork.MostPaths, false), (PathWork.MostPaths + 1, true) })
        {
            (verdict, work) = Check(Store(Enumerable.Repeat(keys[0], count)), new Certificate(new OddCertificate().Der(name, keys[0])));
            Assert.Equal((Refusal.RevocationUnknown, spent), (verdict.Refusal, work.Spent));
        }
        foreach (var key in keys) key.Dispose();
    }

    [Fact]
    public void Thousands_of_names_and_constraints_are_counted_and_not_compared()
    {
        var san = OddCertificate.Extension("2.5.29.17", w => { using (w.PushSequence()) for (var i = 0; i < 1200; i++) w.WriteCharacterString(UniversalTagNumber.IA5String, $"{i}.a.example", new(TagClass.ContextSpecific, 2)); });
        var constraints = OddCertificate.Extension("2.5.29.30", w =>
        {
            using (w.PushSequence()) using (w.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 1)))
                for (var i = 0; i < 1200; i++) using (w.PushSequence()) w.WriteCharacterString(UniversalTagNumber.IA5String, $"{i}.b.example", new(TagClass.ContextSpecific, 2));
        }, critical: true);
        var verdict = Below(OddCertificate.OfAuthority(constraints), new OddCertificate { Extensions = [.. new OddCertificate().Extensions, san] });
        Assert.Contains(verdict.Faults, f => f.Detail == "end: too many alternative names: 1200");
        Assert.Contains(verdict.Faults, f => f.Detail == "CA 1: too many name constraints: 1200");
        // Ten thousand do not fit into what is read at all.
        var e = Assert.Throws<RefusedException>(() => new OddCertificate { Extensions = [OddCertificate.Extension("2.5.29.17", w => { using (w.PushSequence()) for (var i = 0; i < 10_000; i++) w.WriteCharacterString(UniversalTagNumber.IA5String, $"{i}.a.example", new(TagClass.ContextSpecific, 2)); })] }.Sign(Pki.Issuing.Certificate));
        Assert.Equal(Refusal.CertificateForm, e.Refusal);
    }

    [Fact]
    public void As_many_names_and_constraints_as_are_compared_take_no_second()
    {
        var san = OddCertificate.Extension("2.5.29.17", w => { using (w.PushSequence()) for (var i = 0; i < CertificateForm.MostNames; i++) w.WriteCharacterString(UniversalTagNumber.IA5String, $"{i}.a.example", new(TagClass.ContextSpecific, 2)); });
        var constraints = OddCertificate.Extension("2.5.29.30", w =>
        {
            using (w.PushSequence()) using (w.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
                for (var i = 0; i < CertificateForm.MostNames; i++) using (w.PushSequence()) w.WriteCharacterString(UniversalTagNumber.IA5String, $"{i}.a.example", new(TagClass.ContextSpecific, 2));
        }, critical: true);
        var verdict = Below(OddCertificate.OfAuthority(constraints), new OddCertificate { Extensions = [.. new OddCertificate().Extensions, san] });
        Assert.All(verdict.Faults, f => Assert.Equal(Refusal.RevocationUnknown, f.Refusal));
    }

    [Fact]
    public void Policies_that_multiply_with_each_CA_are_refused_before_they_do()
    {
        // CVE-2023-0464: each level maps each policy to all.
        const int count = 40;
        var policies = OddCertificate.Extension("2.5.29.32", w => { using (w.PushSequence()) for (var i = 0; i < count; i++) using (w.PushSequence()) w.WriteObjectIdentifier($"2.25.{i}"); });
        var mappings = OddCertificate.Extension("2.5.29.33", w =>
        {
            using (w.PushSequence()) for (var i = 0; i < 8; i++) for (var j = 0; j < 8; j++) using (w.PushSequence()) { w.WriteObjectIdentifier($"2.25.{i}"); w.WriteObjectIdentifier($"2.25.{j}"); }
        }, critical: true);
        var verdict = Below(OddCertificate.OfAuthority(policies, mappings), new OddCertificate { Extensions = [.. new OddCertificate().Extensions, policies] }, levels: 3);
        Assert.Contains(verdict.Faults, f => f.Detail == "end: policy mappings with too many outcomes");
    }

    [Theory]
    [InlineData(2048, 3, "RSA key of 2048 bits")]
    [InlineData(16_384, 3, "RSA key of 16384 bits")]
    [InlineData(100_000, 3, "RSA key of 100000 bits")]
    [InlineData(3072, 1, "RSA exponent of 2 bits")]
    [InlineData(3072, 384, "RSA exponent of 3066 bits")]
    public void Keys_that_are_too_small_or_would_take_too_long_are_not_computed_with(int bits, int exponentBytes, string detail)
    {
        var modulus = new byte[bits / 8];
        Array.Fill(modulus, (byte)0xff);
        byte[] exponent = exponentBytes == 1 ? [3] : exponentBytes == 3 ? [1, 0, 1] : [3, .. Enumerable.Repeat((byte)0xff, 383)];
        var (verdict, work) = Check(Pki.Trust, new OddCertificate { Key = OddCertificate.Rsa(modulus, exponent) }.Sign(Pki.Issuing.Certificate));
        Assert.Equal((Refusal.CertificateAlgorithm, "end: " + detail), (verdict.Refusal, verdict.Detail));
        Assert.True(work.Verifications <= 2);
    }

    [Fact]
    public void Parameters_of_keys_that_are_not_allowed_are_not_looked_at()
    {
        // DSA with numbers of 100 000 bits: checking that the public key is of the subgroup would be an exponentiation of minutes.
        var huge = Enumerable.Repeat((byte)0xff, 12_500).ToArray();
        var key = new AsnWriter(AsnEncodingRules.DER);
        key.WriteIntegerUnsigned(huge.AsSpan(1));
        var spki = OddCertificate.KeyInfo("1.2.840.10040.4.1", w => { using (w.PushSequence()) { w.WriteIntegerUnsigned(huge); w.WriteIntegerUnsigned(huge); w.WriteIntegerUnsigned(huge); } }, key.Encode());
        var before = Used();
        var (verdict, _) = Check(Pki.Trust, new OddCertificate { Key = spki }.Sign(Pki.Issuing.Certificate));
        Assert.Equal("end: key is neither P-384, P-256 nor RSA", verdict.Detail);
        Assert.True(Used() - before < TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void A_name_of_fifty_thousand_letters_is_compared_with_nothing()
    {
        var (verdict, _) = Check(Pki.Trust, new OddCertificate { Issuer = new X500DistinguishedName("CN=" + new string('x', 50_000)).RawData }.Sign(Pki.Issuing.Certificate));
        Assert.Equal("end: no CA has the name of its issuer", verdict.Detail);
    }

    [Fact]
    public void A_curve_of_the_makers_own_is_refused()
    {
        // CVE-2020-0601: the parameters stand in the key instead of a curve's name.
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP384.IsNamed ? Explicit() : default);
        Assert.Equal("end: key is neither P-384, P-256 nor RSA", Check(Pki.Trust, new OddCertificate { Key = ec.ExportSubjectPublicKeyInfo() }.Sign(Pki.Issuing.Certificate)).Verdict.Detail);
        static ECCurve Explicit()
        {
            using var named = ECDsa.Create(ECCurve.NamedCurves.nistP384);
            return named.ExportExplicitParameters(false).Curve;
        }
    }

    [Fact]
    public void Nests_of_ten_thousand_sequences_are_refused()
    {
        var nest = Nested(10_000);
        Assert.Equal(Refusal.Der, Assert.Throws<RefusedException>(() => new Certificate(nest)).Refusal);
        var inside = new OddCertificate { Extensions = [.. new OddCertificate().Extensions, new X509Extension("2.5.29.17", Nested(10_000), critical: false)] }.Sign(Pki.Issuing.Certificate);
        Assert.False(Check(Pki.Trust, inside).Verdict.Good);
        Assert.Equal(Refusal.Der, Assert.Throws<RefusedException>(() => Pki.Trust.WithCrls([nest])).Refusal);
    }

    static CertificateVerdict Below(IReadOnlyList<X509Extension> authority, OddCertificate end, int levels = 1)
    {
        var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var rootName = new X500DistinguishedName("CN=Root,C=VN").RawData;
        var root = new OddCertificate { Subject = rootName, Key = rootKey.ExportSubjectPublicKeyInfo(), Extensions = OddCertificate.OfAuthority(), Validity = TestPki.AuthorityValidity }.Der(rootName, rootKey);
        List<ReadOnlyMemory<byte>> between = [];
        var (name, key) = (rootName, rootKey);
        for (var i = 0; i < levels; i++)
        {
            var below = ECDsa.Create(ECCurve.NamedCurves.nistP384);
            var belowName = new X500DistinguishedName($"CN=CA {i},C=VN").RawData;
            between.Add(new OddCertificate { Subject = belowName, Key = below.ExportSubjectPublicKeyInfo(), Extensions = authority, Validity = TestPki.AuthorityValidity }.Der(name, key));
            key.Dispose();
            (name, key) = (belowName, below);
        }
        var leaf = new Certificate(end.Der(name, key));
        key.Dispose();
        return Check(TrustStore.Create([root], between, []), leaf).Verdict;
    }

    static byte[] Nested(int depth)
    {
        var (headers, length) = (new List<byte[]>(), 0);
        for (var i = 0; i < depth; i++)
        {
            byte[] header = length < 128 ? [0x30, (byte)length] : length < 256 ? [0x30, 0x81, (byte)length] : [0x30, 0x82, (byte)(length >> 8), (byte)length];
            headers.Add(header);
            length += header.Length;
        }
        headers.Reverse();
        return [.. headers.SelectMany(h => h)];
    }
}
