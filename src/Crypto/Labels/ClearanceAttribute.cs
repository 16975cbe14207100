using System.Formats.Asn1;
using Exchange.Crypto.Trust;
using Org.BouncyCastle.Asn1;

namespace Exchange.Crypto.Labels;

/// <param name="Policy">Dotted OID.</param>
/// <param name="Classes">Bits of classList, ascending.</param>
/// <param name="Categories">The SET as it stands, of whatever syntax; empty: none.</param>
public sealed record CertifiedClearance(string Policy, IReadOnlyList<int> Classes, ReadOnlyMemory<byte> Categories);

/// <summary>
/// Clearances in certificates (RFC 5755 4.4.6, RFC 5913), strict DER, with the category syntaxes of our labels:
/// <code>
/// Clearance ::= SEQUENCE { policyId OID, classList BIT STRING DEFAULT {unclassified}, securityCategories SET OF SecurityCategory OPTIONAL }
/// </code>
/// Bit n of classList is class n. An end certificate bears one in subjectDirectoryAttributes; a CA bounds those below it by AuthorityClearanceConstraints.
/// Two opposite absences: a CA without constraint bounds nothing, a certificate without clearance has none.
/// </summary>
public static class ClearanceAttribute
{
    /// <summary>id-at-clearance.</summary>
    public const string Attribute = "2.5.4.55";
    /// <summary>id-pe-clearanceConstraints.</summary>
    public const string Constraints = "1.3.6.1.5.5.7.1.21";
    const string DirectoryAttributes = "2.5.29.9";
    /// <summary>X.501: bit 1 is unclassified, and that is what an omitted classList means.</summary>
    const int Unclassified = 1;

    /// <summary>What a path of certificates allows: the end certificate's clearance, cut by each constraint above it. null: nothing, for this policy.</summary>
    /// <param name="path">End certificate first, trust anchor last.</param>
    /// <exception cref="RefusedException"><see cref="Refusal.Der"/>, <see cref="Refusal.LabelForm"/>: not what the RFC says, or two entries for one policy.</exception>
    public static Clearance? Effective(IReadOnlyList<Certificate> path, string policy)
    {
        var found = Grant(path[0], Of(path[0]), policy);
        foreach (var authority in path.Skip(1))
            if (ConstraintsOf(authority) is { } constraints) found = Policy.Lattice.Intersect(found, Grant(authority, constraints, policy));
        return found;
    }

    /// <summary>Clearances that a certificate bears; none: no clearance at all. Those of other policies may have categories of any syntax.</summary>
    public static IReadOnlyList<CertifiedClearance> Of(Certificate certificate) => Extension(certificate, DirectoryAttributes) is { } der ? ReadAttributes(der) : [];

    /// <summary>As <see cref="Of"/>, from the value of the extension.</summary>
    internal static IReadOnlyList<CertifiedClearance> ReadAttributes(ReadOnlyMemory<byte> der) => Strictly(() =>
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER);
        var attributes = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        List<CertifiedClearance>? found = null;
        while (attributes.HasData)
        {
            var attribute = attributes.ReadSequence();
            var type = attribute.ReadObjectIdentifier();
            var values = attribute.ReadSetOf();
            attribute.ThrowIfNotEmpty();
            if (type != Attribute) continue;
            // RFC 5755 4.4.6: once, with one value.
            if (found is not null) throw Form("clearance twice");
            found = [Read(values.ReadSequence())];
            values.ThrowIfNotEmpty();
        }
        return (IReadOnlyList<CertifiedClearance>)(found ?? []);
    });

    /// <summary>Bounds that a CA certificate sets; null: it sets none. An empty list bounds everything away.</summary>
    public static IReadOnlyList<CertifiedClearance>? ConstraintsOf(Certificate authority) => Extension(authority, Constraints) is { } der ? ReadConstraints(der) : null;

    /// <summary>As <see cref="ConstraintsOf"/>, from the value of the extension.</summary>
    internal static IReadOnlyList<CertifiedClearance> ReadConstraints(ReadOnlyMemory<byte> der) => Strictly(() =>
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER);
        var list = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        List<CertifiedClearance> found = [];
        while (list.HasData) found.Add(Read(list.ReadSequence()));
        if (found.DistinctBy(c => c.Policy).Count() != found.Count) throw Form("one policy twice");
        return found;
    });

    /// <summary>DER of one clearance; validity does not fit and is the certificate's.</summary>
    public static byte[] Write(Clearance clearance)
    {
        LabelForm.Check(clearance);
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(clearance.Policy);
            // DER leaves out what is the default.
            if (clearance.Classes is not [Unclassified]) WriteClasses(writer, clearance.Classes);
            if (clearance.Categories.Length > 0) EssLabel.WriteCategories(writer, EssLabel.Parts(clearance.Categories));
        }
        return writer.Encode();
    }

    /// <summary>Value of the extension subjectDirectoryAttributes (2.5.29.9) with this clearance.</summary>
    public static byte[] AsDirectoryAttributes(Clearance clearance)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(Attribute);
            using (writer.PushSetOf()) writer.WriteEncodedValue(Write(clearance));
        }
        return writer.Encode();
    }

    /// <summary>Value of the extension AuthorityClearanceConstraints with these clearances, one a policy.</summary>
    public static byte[] AsConstraints(params Clearance[] clearances)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
            foreach (var clearance in clearances) writer.WriteEncodedValue(Write(clearance));
        return writer.Encode();
    }

    static void WriteClasses(AsnWriter writer, int[] classes)
    {
        // X.690 11.2.2: a named-bit string ends with its last one.
        var bits = classes.Length == 0 ? 0 : classes[^1] + 1;
        var bytes = new byte[(bits + 7) / 8];
        foreach (var one in classes) bytes[one / 8] |= (byte)(0x80 >> (one % 8));
        writer.WriteBitString(bytes, (bytes.Length * 8) - bits);
    }

    static CertifiedClearance Read(AsnReader clearance)
    {
        var policy = clearance.ReadObjectIdentifier();
        int[] classes = [Unclassified];
        if (clearance.HasData && clearance.PeekTag().HasSameClassAndValue(Asn1Tag.PrimitiveBitString))
        {
            var bytes = clearance.ReadBitString(out var unused);
            if (bytes.Length * 8 > LabelForm.MaxClass + 8) throw Form("classList");
            if (bytes.Length > 0 && (bytes[^1] & (1 << unused)) == 0) throw new AsnContentException("A named-bit string with trailing zeros.");
            classes = [.. Enumerable.Range(0, bytes.Length * 8).Where(i => (bytes[i / 8] & (0x80 >> (i % 8))) != 0)];
            if (classes is [Unclassified]) throw new AsnContentException("A default that is written.");
        }
        var categories = clearance.HasData && clearance.PeekTag().HasSameClassAndValue(Asn1Tag.SetOf) ? clearance.ReadEncodedValue() : ReadOnlyMemory<byte>.Empty;
        clearance.ThrowIfNotEmpty();
        return new(policy, classes, categories);
    }

    /// <summary>In our terms, valid as long as the certificate is; a category that is not of our syntax, or not DER, is refused.</summary>
    static Clearance? Grant(Certificate bearer, IReadOnlyList<CertifiedClearance> certified, string policy) => Own(certified, policy, bearer.NotBefore, bearer.NotAfter);

    internal static Clearance? Own(IReadOnlyList<CertifiedClearance> certified, string policy, DateTimeOffset from, DateTimeOffset to)
    {
        if (certified.FirstOrDefault(c => c.Policy == policy) is not { } one) return null;
        var clearance = new Clearance
        {
            Policy = policy, Classes = [.. one.Classes], Categories = one.Categories.IsEmpty ? [] : EssLabel.Categories(Strictly(() => EssLabel.ReadCategories(new AsnReader(one.Categories, AsnEncodingRules.DER).ReadSetOf()))),
            ValidFrom = from.ToUnixTimeMilliseconds(), ValidTo = to.ToUnixTimeMilliseconds() + 1000,
        };
        LabelForm.Check(clearance);
        return clearance;
    }

    static byte[]? Extension(Certificate certificate, string oid) =>
        certificate.Parsed.CertificateStructure.Extensions?.GetExtension(new DerObjectIdentifier(oid))?.Value.GetOctets();

    static T Strictly<T>(Func<T> read)
    {
        try { return read(); }
        catch (AsnContentException) { throw new RefusedException(Refusal.Der, "clearance"); }
    }

    static RefusedException Form(string detail) => new(Refusal.LabelForm, "clearance: " + detail);
}
