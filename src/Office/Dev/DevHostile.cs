using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Office.Join;

namespace Exchange.Office.Dev;

/// <summary>TLS client certificates, with their keys, that a gateway must refuse at the door, each for one reason only.</summary>
/// <param name="Certificates">By file name without ending.</param>
/// <param name="Revoked">For the issuing CA's revocation list.</param>
sealed record DevHostile(IReadOnlyList<(string Name, X509Certificate2 Certificate)> Certificates, IReadOnlyList<(X509Certificate2, DateTimeOffset)> Revoked)
{
    public static DevHostile Make(DevPki pki)
    {
        var (ca, good) = (pki.Issuing, pki.Leaves);
        // Revoked by serial number: a certificate of its own for the list, since the other one is disposed after writing.
        var revoked = ca.Issue(Named("revoked"), KeyUse.TlsClient, good);
        return new DevHostile(
        [
            ("expired", ca.Issue(Named("expired"), KeyUse.TlsClient, new Validity(pki.Start, pki.Now.AddHours(-1)))),
            ("not-yet-valid", ca.Issue(Named("not-yet-valid"), KeyUse.TlsClient, new Validity(pki.Now.AddYears(1), good.Until))),
            ("revoked", revoked),
            // Good certificates of this PKI are for both sides of TLS; this one only for the side that a client is not.
            ("wrong-eku", ca.Issue(Named("wrong-eku"), KeyUse.TlsServer, good)),
            ("foreign-ca", Foreign(good)),
            ("sha1", Sha1(ca, good)),
            ("rsa-1024", ca.Issue(Named("rsa-1024"), KeyUse.TlsClient, good, rsaBits: 1024)),
            // Issued by the trusted CA, to somebody who calls himself almost like H41: U+041D is Cyrillic. It is in no card.
            ("look-alike", ca.Issue(KeyProfile.Subject("UBND tỉnh Nghệ An", "\u041d41", "\u041d41 tls"), KeyUse.TlsClient, good)),
        ], [(X509CertificateLoader.LoadCertificate(revoked.RawDataMemory.Span), pki.Start)]);
    }

    static X500DistinguishedName Named(string name) => KeyProfile.Subject("Hostile", "HOSTILE", name);

    /// <summary>Root and issuing CA have the names of ours, and other keys.</summary>
    static X509Certificate2 Foreign(Validity validity)
    {
        using var root = DevAuthority.Root("Exchange development root", validity);
        using var issuing = root.Subordinate("Exchange development issuing CA", validity);
        return issuing.Issue(Named("foreign-ca"), KeyUse.TlsClient, validity);
    }

    static X509Certificate2 Sha1(DevAuthority ca, Validity validity)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var bare = ca.Sign(ca.Request(Named("sha1"), KeyUse.TlsClient, key), validity, withSha1: true);
        return bare.CopyWithPrivateKey(key);
    }
}
