using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto.Trust;

namespace Exchange.Office.Join;

/// <summary>
/// What a certificate is asked for; the purpose table of <see cref="CertificateCheck"/> seen from the other side. Tls is both sides in one key: an office that is
/// delivered to, and a gateway that delivers, are server here and client there. Evidence signs as Sign does, on P-256, as a gateway's receipts do. TimeStamp is a time-stamp authority's.
/// </summary>
internal enum KeyUse { Sign, Evidence, Encrypt, TlsClient, TlsServer, Tls, TimeStamp }

/// <summary>What a request asks its CA to put into the certificate, so that it is what the product demands.</summary>
static class KeyProfile
{
    const string ClientAuth = "1.3.6.1.5.5.7.3.2", ServerAuth = "1.3.6.1.5.5.7.3.1", EmailProtection = "1.3.6.1.5.5.7.3.4", TimeStamping = "1.3.6.1.5.5.7.3.8";

    public static ECCurve Curve(KeyUse use) => use is KeyUse.Evidence or KeyUse.TimeStamp ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP384;

    /// <summary>basicConstraints, keyUsage, extendedKeyUsage, and for a server the names it answers to.</summary>
    public static IEnumerable<X509Extension> Extensions(KeyUse use, bool isRsa, IEnumerable<string> hosts)
    {
        yield return new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, 0, critical: true);
        yield return new X509KeyUsageExtension(use switch
        {
            KeyUse.Sign or KeyUse.Evidence or KeyUse.TimeStamp => X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.NonRepudiation,
            KeyUse.Encrypt => isRsa ? X509KeyUsageFlags.KeyEncipherment : X509KeyUsageFlags.KeyAgreement,
            _ => X509KeyUsageFlags.DigitalSignature,
        }, critical: true);
        yield return new X509EnhancedKeyUsageExtension(use switch
        {
            KeyUse.TlsClient => [new Oid(ClientAuth)],
            KeyUse.TlsServer => [new Oid(ServerAuth)],
            KeyUse.Tls => [new Oid(ClientAuth), new Oid(ServerAuth)],
            KeyUse.TimeStamp => [new Oid(TimeStamping)],
            _ => [new Oid(EmailProtection)],
        }, critical: use == KeyUse.TimeStamp);
        if (use is KeyUse.TlsServer or KeyUse.Tls) yield return Names(hosts);
    }

    /// <summary>Country, then the office, its code and what the key is for; all but the country as UTF8String.</summary>
    public static X500DistinguishedName Subject(string organization, string code, string commonName, string country = "VN")
    {
        // The builder encodes what was added last first.
        var name = new X500DistinguishedNameBuilder();
        name.AddCommonName(commonName);
        name.AddOrganizationalUnitName(code);
        name.AddOrganizationName(organization);
        name.AddCountryOrRegion(country);
        return name.Build();
    }

    static X509Extension Names(IEnumerable<string> hosts)
    {
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts)
            if (IPAddress.TryParse(host, out var address)) names.AddIpAddress(address);
            else names.AddDnsName(host);
        return names.Build();
    }
}
