using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Office.Dev;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Crypto.Operators;
using Org.BouncyCastle.Math;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.X509;

namespace Exchange.Tests.Trust;

enum CrlForm { Plain, Critical, NoNumber, NoNextUpdate, Sha1, Invalidity }

/// <summary>CRLs that .NET would not make.</summary>
static class OddCrl
{
    public static byte[] Make(DevAuthority authority, CrlForm form, X509Certificate2? certificate = null, DateTimeOffset? revoked = null, DateTimeOffset? invalid = null)
    {
        var issuer = new X509CertificateParser().ReadCertificate(authority.Certificate.RawData);
        using var ec = authority.Certificate.GetECDsaPrivateKey()!;
        var key = PrivateKeyFactory.CreateKey(ec.ExportPkcs8PrivateKey());
        var generator = new X509V2CrlGenerator();
        generator.SetIssuerDN(issuer.SubjectDN);
        generator.SetThisUpdate(TestPki.Start.UtcDateTime);
        if (form != CrlForm.NoNextUpdate) generator.SetNextUpdate(TestPki.NextUpdate.UtcDateTime);
        if (form != CrlForm.NoNumber) generator.AddExtension(X509Extensions.CrlNumber, false, new CrlNumber(BigInteger.Two));
        if (form == CrlForm.Critical) generator.AddExtension(new DerObjectIdentifier("2.25.1"), true, DerNull.Instance);
        if (certificate is not null)
        {
            var extensions = new X509ExtensionsGenerator();
            extensions.AddExtension(X509Extensions.InvalidityDate, false, new DerGeneralizedTime(invalid!.Value.UtcDateTime));
            generator.AddCrlEntry(new BigInteger(1, certificate.SerialNumberBytes.Span), revoked!.Value.UtcDateTime, extensions.Generate());
        }
        return generator.Generate(new Asn1SignatureFactory(form == CrlForm.Sha1 ? "SHA1WITHECDSA" : "SHA384WITHECDSA", key)).GetEncoded();
    }

    /// <summary>A list with this number, and whatever else <paramref name="more"/> puts into it.</summary>
    public static byte[] Build(DevAuthority authority, int number, Action<X509V2CrlGenerator>? more = null, DateTimeOffset? from = null, DateTimeOffset? until = null)
    {
        using var key = authority.Certificate.GetECDsaPrivateKey()!;
        return Build(authority.Certificate.SubjectName.RawData, key, number, more, from, until);
    }

    public static byte[] Build(byte[] issuer, ECDsa key, int number, Action<X509V2CrlGenerator>? more = null, DateTimeOffset? from = null, DateTimeOffset? until = null)
    {
        var generator = new X509V2CrlGenerator();
        generator.SetIssuerDN(X509Name.GetInstance(issuer));
        generator.SetThisUpdate((from ?? TestPki.Start).UtcDateTime);
        generator.SetNextUpdate((until ?? TestPki.NextUpdate).UtcDateTime);
        generator.AddExtension(X509Extensions.CrlNumber, false, new CrlNumber(BigInteger.ValueOf(number)));
        more?.Invoke(generator);
        return generator.Generate(new Asn1SignatureFactory("SHA384WITHECDSA", PrivateKeyFactory.CreateKey(key.ExportPkcs8PrivateKey()))).GetEncoded();
    }
}
