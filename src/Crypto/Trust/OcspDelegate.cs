using Org.BouncyCastle.Asn1.Ocsp;
using Org.BouncyCastle.Asn1.X509;

namespace Exchange.Crypto.Trust;

/// <summary>A responder that a CA certified to answer for it (RFC 6960 4.2.2.2): directly under that CA, for OCSP signing, valid when it answered, and not revoked.</summary>
static class OcspDelegate
{
    static readonly HashSet<string> KnownCritical = [X509Extensions.KeyUsage.Id, X509Extensions.BasicConstraints.Id, X509Extensions.ExtendedKeyUsage.Id];

    /// <param name="issuers">The CA, once for each certificate it has for the same name and key.</param>
    /// <param name="at">When the response was made.</param>
    /// <exception cref="RefusedException">It may not answer for that CA.</exception>
    public static void Demand(Certificate responder, IReadOnlyList<Certificate> issuers, DateTimeOffset at, TrustStore store)
    {
        // An algorithm that is not allowed is not tried.
        if (CertificateProfile.WrongSignature(responder.Parsed.CertificateStructure.SignatureAlgorithm) is { } weak) throw new RefusedException(Refusal.CertificateAlgorithm, $"OCSP responder: {weak}");
        if (issuers.FirstOrDefault(i => responder.Parsed.IssuerDN.Equivalent(i.Parsed.SubjectDN, inOrder: true) && responder.Parsed.IsSignatureValid(i.Parsed.GetPublicKey())) is not { } issuer)
            throw new RefusedException(Refusal.CertificateUntrusted, "OCSP responder: not directly under the CA that it answers for");
        if (CertificateProfile.WrongKey(responder) is { } wrong) throw new RefusedException(Refusal.CertificateAlgorithm, $"OCSP responder: {wrong}");
        if (WrongPurpose(responder) is { } unfit) throw new RefusedException(Refusal.CertificatePurpose, $"OCSP responder: {unfit}");
        if (at < responder.NotBefore || at > responder.NotAfter) throw new RefusedException(Refusal.CertificateTime, "OCSP responder: not valid when it answered");
        DemandNotRevoked(responder, issuer, at, store);
    }

    static string? WrongPurpose(Certificate responder)
    {
        if (responder.Parsed.CertificateStructure.Extensions is not { } extensions) return "no extensions";
        foreach (var oid in extensions.GetCriticalExtensionOids())
            if (!KnownCritical.Contains(oid.Id)) return $"unknown critical extension {oid.Id}";
        if (BasicConstraints.FromExtensions(extensions) is { } constraints && constraints.IsCA()) return "a CA certificate";
        if (KeyUsage.FromExtensions(extensions) is { } usage && (usage.IntValue & KeyUsage.DigitalSignature) == 0) return "key usage";
        return ExtendedKeyUsage.FromExtensions(extensions) is { } list && list.HasKeyPurposeId(KeyPurposeID.id_kp_OCSPSigning) ? null : "extended key usage";
    }

    // With id-pkix-ocsp-nocheck the CA says that nobody need ask about it (4.2.2.2.1). Whoever happens to know that it is revoked does not go by that.
    static void DemandNotRevoked(Certificate responder, Certificate issuer, DateTimeOffset at, TrustStore store)
    {
        var list = store.ListOf(issuer);
        if (list?.RevokedFrom(responder) is { } revoked && at >= revoked) throw new RefusedException(Refusal.CertificateRevoked, "OCSP responder");
        if (responder.Parsed.CertificateStructure.Extensions.GetExtension(OcspObjectIdentifiers.PkixOcspNocheck) is not null) return;
        if (list is null || at >= list.NextUpdate || responder.NotAfter < list.ThisUpdate) throw new RefusedException(Refusal.RevocationUnknown, "OCSP responder: no CRL that speaks of it");
    }
}
