using System.Security.Cryptography.X509Certificates;
using Exchange.Office.Dev;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Crypto.Operators;
using Org.BouncyCastle.Math;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.X509;

namespace Exchange.Tests.Trust;

enum CrlForm { Plain, Delta, Partition, NoNumber, NoNextUpdate, Sha1, Invalidity }

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
        if (form == CrlForm.Delta) generator.AddExtension(X509Extensions.DeltaCrlIndicator, true, new CrlNumber(BigInteger.One));
        if (form == CrlForm.Partition) generator.AddExtension(X509Extensions.IssuingDistributionPoint, true, new IssuingDistributionPoint(null, true, false, null, false, false));
        if (certificate is not null)
        {
            var extensions = new X509ExtensionsGenerator();
            extensions.AddExtension(X509Extensions.InvalidityDate, false, new DerGeneralizedTime(invalid!.Value.UtcDateTime));
            generator.AddCrlEntry(new BigInteger(1, certificate.SerialNumberBytes.Span), revoked!.Value.UtcDateTime, extensions.Generate());
        }
        return generator.Generate(new Asn1SignatureFactory(form == CrlForm.Sha1 ? "SHA1WITHECDSA" : "SHA384WITHECDSA", key)).GetEncoded();
    }
}
