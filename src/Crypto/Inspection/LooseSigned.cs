using System.Formats.Asn1;

namespace Exchange.Crypto.Inspection;

/// <summary>A CMS SignedData as far as it goes: any encoding, order and number. Shown, never believed.</summary>
/// <param name="Content">null: there is none inside.</param>
sealed record LooseSigned(string ContentType, ReadOnlyMemory<byte>? Content, IReadOnlyList<ReadOnlyMemory<byte>> Certificates, IReadOnlyList<ReadOnlyMemory<byte>> Signers)
{
    const int Most = 64;
    static readonly Asn1Tag Context0 = new(TagClass.ContextSpecific, 0, isConstructed: true), Context1 = new(TagClass.ContextSpecific, 1, isConstructed: true);

    /// <summary>Only the type, for finding out what a part is; null: it cannot be read.</summary>
    public static string? OuterType(ReadOnlyMemory<byte> der)
    {
        try { return new AsnReader(der, AsnEncodingRules.BER).ReadSequence().ReadObjectIdentifier(); }
        catch (AsnContentException) { return null; }
    }

    /// <summary>The value that the outer type announces.</summary>
    /// <exception cref="AsnContentException">There is none.</exception>
    public static AsnReader Body(ReadOnlyMemory<byte> der)
    {
        var info = new AsnReader(der, AsnEncodingRules.BER).ReadSequence();
        info.ReadObjectIdentifier();
        return info.ReadSequence(Context0).ReadSequence();
    }

    /// <exception cref="AsnContentException">It goes nowhere.</exception>
    public static LooseSigned Read(ReadOnlyMemory<byte> der)
    {
        var body = Body(der);
        body.ReadInteger();
        body.ReadSetOf(skipSortOrderValidation: true);
        var encapsulated = body.ReadSequence();
        var type = encapsulated.ReadObjectIdentifier();
        ReadOnlyMemory<byte>? content = encapsulated.HasData ? encapsulated.ReadSequence(Context0).ReadOctetString() : null;
        var certificates = body.HasData && body.PeekTag() == Context0 ? All(body.ReadSetOf(skipSortOrderValidation: true, Context0)) : [];
        if (body.HasData && body.PeekTag() == Context1) body.ReadSetOf(skipSortOrderValidation: true, Context1);
        return new(type, content, certificates, body.HasData ? All(body.ReadSetOf(skipSortOrderValidation: true)) : []);
    }

    static List<ReadOnlyMemory<byte>> All(AsnReader set)
    {
        var all = new List<ReadOnlyMemory<byte>>();
        while (set.HasData && all.Count < Most) all.Add(set.ReadEncodedValue());
        return all;
    }
}
