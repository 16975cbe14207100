using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CsCheck;
using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Trust;
using Exchange.Tests.Policy;
using Xunit;

namespace Exchange.Tests.Labels;

public sealed class ClearanceAttributeTests
{
    static readonly Clearance Office = Policies.Clearance([10, 20], Policies.Permissive(2), Policies.Restrictive(1));
    static readonly string Ours = Office.Policy;

    /// <summary>A certificate with these extensions and nothing else of interest.</summary>
    static Certificate With(params (string Oid, byte[] Value)[] extensions)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var request = new CertificateRequest("CN=x", key, HashAlgorithmName.SHA384);
        foreach (var (oid, value) in extensions) request.CertificateExtensions.Add(new X509Extension(oid, value, critical: false));
        using var made = request.CreateSelfSigned(Policies.Start.AddYears(-1), Policies.End.AddYears(1));
        return new Certificate(made.RawDataMemory.Span);
    }

    static Certificate Holder(Clearance clearance) => With(("2.5.29.9", ClearanceAttribute.AsDirectoryAttributes(clearance)));
    static Certificate Authority(params Clearance[] bounds) => With((ClearanceAttribute.Constraints, ClearanceAttribute.AsConstraints(bounds)));

    [Fact]
    public void The_constraints_of_the_RFC_5913_certificate_are_read()
    {
        var certificate = new Certificate(Convert.FromBase64String(string.Concat(File.ReadAllLines(Vectors.Path("labels/rfc5913-authority-clearance-constraints.pem.txt")).Where(l => !l.StartsWith("--", StringComparison.Ordinal)))));
        var constraints = ClearanceAttribute.ConstraintsOf(certificate)!;
        Assert.Equal(["1.2.840.113549.1.9.16.7.3", "1.2.840.113549.1.9.16.7.2", "1.2.840.113549.1.9.16.7.1"], constraints.Select(c => c.Policy));
        Assert.Equal(["0,1,2", "0,1,2,3", "0,1,2"], constraints.Select(c => string.Join(',', c.Classes)));
        Assert.Equal([true, false, false], constraints.Select(c => !c.Categories.IsEmpty));
        Assert.Empty(ClearanceAttribute.Of(certificate));
        // Another policy's entries are nothing here. Asked for that policy, its categories are refused, not skipped: the RFC's own are tagged [1] primitive, which EXPLICIT never is.
        Assert.Null(ClearanceAttribute.Effective([Holder(Office), certificate], Ours));
        Assert.Equal(Refusal.Der, Assert.Throws<RefusedException>(() => ClearanceAttribute.Effective([Holder(Office with { Policy = constraints[0].Policy }), certificate], constraints[0].Policy)).Refusal);
    }

    [Fact]
    public void What_is_written_is_read()
    {
        foreach (var clearance in new[] { Office, Policies.Clearance([]), Policies.Clearance([1]), Policies.Clearance([0, 1, 255, 256]), Cases.All })
        {
            var read = ClearanceAttribute.Effective([Holder(clearance)], Ours)!;
            Assert.Equal(PolicyGen.Flat(clearance with { ValidFrom = read.ValidFrom, ValidTo = read.ValidTo }), PolicyGen.Flat(read));
            Assert.True(Lattice(read));
        }
        static bool Lattice(Clearance k) => Exchange.Crypto.Policy.Lattice.InForce(k, Policies.Now);
    }

    [Fact]
    public void A_path_only_takes_away_and_two_absences_mean_opposite_things()
    {
        // No constraint: bounds nothing. No clearance: nothing to bound.
        Assert.Equal([10, 20], ClearanceAttribute.Effective([Holder(Office), With()], Ours)!.Classes);
        Assert.Null(ClearanceAttribute.Effective([With(), Authority(Office)], Ours));
        Assert.Null(ClearanceAttribute.Effective([Holder(Office), Authority()], Ours));
        Assert.Null(ClearanceAttribute.Effective([Holder(Office), Authority(Office with { Policy = "2.25.9" })], Ours));
        Assert.Equal([20], ClearanceAttribute.Effective([Holder(Office), Authority(Policies.Clearance([20, 30])), Authority(Cases.All)], Ours)!.Classes);
        // T7: a constraint without categories strips them all.
        var stripped = ClearanceAttribute.Effective([Holder(Office), Authority(Policies.Clearance([10, 20]))], Ours)!;
        Assert.Empty(stripped.Categories);
        Assert.Equal(["R07:restrictive"], Cases.Mat(Cases.To("H41") with { Clearance = stripped, ChannelCeiling = Cases.All })
            .With(l => l with { Categories = [Policies.Restrictive(1)] }).Decide().Deciding());
    }

    [Fact]
    public void Two_clearances_or_two_entries_of_one_policy_are_refused()
    {
        var one = ClearanceAttribute.AsDirectoryAttributes(Office);
        byte[] attribute = one[(one[1] < 0x80 ? 2 : 2 + (one[1] & 0x7f))..];
        var twice = new System.Formats.Asn1.AsnWriter(System.Formats.Asn1.AsnEncodingRules.DER);
        using (twice.PushSequence())
        {
            twice.WriteEncodedValue(attribute);
            twice.WriteEncodedValue(attribute);
        }
        Assert.Equal(Refusal.LabelForm, Assert.Throws<RefusedException>(() => ClearanceAttribute.Of(With(("2.5.29.9", twice.Encode())))).Refusal);
        Assert.Equal(Refusal.LabelForm, Assert.Throws<RefusedException>(() => ClearanceAttribute.ConstraintsOf(Authority(Office, Office))).Refusal);
    }

    [Fact]
    public void A_changed_byte_is_refused_or_grants_something_else_but_never_throws_otherwise()
    {
        var der = ClearanceAttribute.AsDirectoryAttributes(Office);
        for (var i = 0; i < der.Length; i++)
            foreach (var bit in new[] { 1, 0x10, 0x80 })
            {
                var changed = (byte[])der.Clone();
                changed[i] ^= (byte)bit;
                try
                {
                    var read = ClearanceAttribute.Effective([With(("2.5.29.9", changed))], Ours);
                    Assert.NotEqual(PolicyGen.Flat(Office with { ValidFrom = read?.ValidFrom ?? 0, ValidTo = read?.ValidTo ?? 0 }), PolicyGen.Flat(read));
                }
                catch (RefusedException) { }
            }
    }

    [Fact]
    public void Any_clearance_reads_as_it_was_written_and_a_changed_added_lost_or_moved_byte_is_refused_or_another_one()
    {
        // P10, for clearances.
        Gen.Select(PolicyGen.Clearance, Gen.Int[0, 3], Gen.Int[0, 1 << 20], Gen.Byte[1, 255]).Sample((clearance, how, at, value) =>
        {
            var der = ClearanceAttribute.AsDirectoryAttributes(clearance);
            Assert.Equal(As(clearance, Read(der)), PolicyGen.Flat(Read(der)));
            var place = at % (der.Length - 1);
            byte[] changed = how switch
            {
                0 => [.. der[..place], (byte)(der[place] ^ value), .. der[(place + 1)..]],
                1 => [.. der[..place], value, .. der[place..]],
                2 => [.. der[..place], .. der[(place + 1)..]],
                _ => [.. der[..place], der[place + 1], der[place], .. der[(place + 2)..]],
            };
            if (changed.SequenceEqual(der)) return;
            try { Assert.NotEqual(As(clearance, Read(changed)), PolicyGen.Flat(Read(changed))); }
            catch (RefusedException e) when (e.Refusal == Refusal.Der || e.Refusal == Refusal.LabelForm) { }
        }, iter: 100);

        static Clearance? Read(byte[] attributes) => ClearanceAttribute.Effective([With(("2.5.29.9", attributes))], Ours);
        static string As(Clearance written, Clearance? read) => PolicyGen.Flat(written with { ValidFrom = read?.ValidFrom ?? 0, ValidTo = read?.ValidTo ?? 0 });
    }
}
