using Exchange.Crypto.Keys;
using Exchange.Crypto.Trust;
using Org.BouncyCastle.Asn1.X509;

namespace Exchange.Crypto.Inspection;

/// <summary>A certificate as it stands; whether anybody should trust it is not looked at, and nothing is computed with its key.</summary>
static class CertificateInspection
{
    /// <returns>null: it cannot be read.</returns>
    public static Certificate? Run(ReadOnlyMemory<byte> der, string name, long? offset, List<InspectedPart> parts)
    {
        var part = new InspectedPart(name, offset, der.Length);
        parts.Add(part);
        Certificate? certificate = null;
        if (!part.Try("certificate", () => certificate = new Certificate(Nesting.Demand(der).Span)) || certificate is null) return null;
        part.Says("key", certificate.Key.ToString());
        part.Try("subject", () => part.Says("subject", certificate.Subject));
        part.Try("issuer", () => part.Says("issuer", certificate.Parsed.IssuerDN.ToString()));
        part.Says("serial", Convert.ToHexStringLower(certificate.SerialNumber));
        part.Says("not before", certificate.NotBefore);
        part.Says("not after", certificate.NotAfter);
        part.Try("public key", () => part.Says("key kind", KeyKind(certificate)));
        part.Try("signature algorithm", () => part.Says("signature algorithm", certificate.Parsed.SigAlgOid));
        part.Try("certificate", () => part.Lacks(CertificateForm.Faults(certificate).Select(f => new Fault(Refusal.CertificateForm, f))));
        return certificate;
    }

    static string KeyKind(Certificate certificate)
    {
        if (Ecdsa.Of(certificate) is { } curve) return curve == Ecdsa.P384 ? "P-384" : "P-256";
        var info = certificate.Parsed.CertificateStructure.SubjectPublicKeyInfo;
        return info.Algorithm.Algorithm.Id == Oids.RsaEncryption ? $"RSA {RsaPublicKeyStructure.GetInstance(info.ParsePublicKey()).Modulus.BitLength}" : info.Algorithm.Algorithm.Id;
    }
}
