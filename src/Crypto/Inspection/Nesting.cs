using System.Formats.Asn1;

namespace Exchange.Crypto.Inspection;

/// <summary>BouncyCastle reads nested values by recursion, and a file of nothing but heads would overflow the stack, which nobody can catch: what is inspected is measured before it is given to it.</summary>
static class Nesting
{
    /// <summary>Levels; no certificate, list or name has half of it.</summary>
    const int Most = 32;

    /// <exception cref="RefusedException"><see cref="Refusal.Der"/>: deeper.</exception>
    /// <exception cref="AsnContentException">Not ASN.1 at all.</exception>
    public static ReadOnlyMemory<byte> Demand(ReadOnlyMemory<byte> der)
    {
        Walk(new AsnReader(der, AsnEncodingRules.BER), Most);
        return der;
    }

    static void Walk(AsnReader reader, int left)
    {
        if (left == 0) throw new RefusedException(Refusal.Der, "nesting");
        while (reader.HasData)
        {
            if (reader.PeekTag().IsConstructed) Walk(new AsnReader(reader.PeekContentBytes(), AsnEncodingRules.BER), left - 1);
            reader.ReadEncodedValue();
        }
    }
}
