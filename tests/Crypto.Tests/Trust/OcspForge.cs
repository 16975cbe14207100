using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto.Trust;
using Exchange.Office.Dev;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Ocsp;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Crypto.Operators;
using Org.BouncyCastle.Ocsp;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.X509.Extension;
using Certificate = Exchange.Crypto.Trust.Certificate;
using OcspResponse = Exchange.Crypto.Trust.OcspResponse;
using Validity = Exchange.Office.Dev.Validity;

namespace Exchange.Tests.Trust;

/// <summary>What a responder answers, and how it may be wrong.</summary>
sealed record OcspForge(DevAuthority Authority, Certificate About)
{
    public DateTimeOffset ThisUpdate { get; init; } = TestPki.Now;
    public DateTimeOffset? NextUpdate { get; init; } = TestPki.Now.AddHours(4);
    public DateTimeOffset? ProducedAt { get; init; }
    public DateTimeOffset? Revoked { get; init; }
    public DateTimeOffset? Invalid { get; init; }
    public DateTimeOffset? Archive { get; init; }
    public bool Unknown { get; init; }
    public byte[]? Nonce { get; init; }
    public string Hash { get; init; } = "2.16.840.1.101.3.4.2.1";
    public string Signature { get; init; } = "SHA384WITHECDSA";
    /// <summary>Who signs; null: the CA itself.</summary>
    public X509Certificate2? Responder { get; init; }
    public bool WithoutItsCertificate { get; init; }
    /// <summary>DER of the certificates in the response, of which the first is named as the responder's; null: that of who signs.</summary>
    public IReadOnlyList<byte[]>? Brings { get; init; }
    /// <summary>Names the responder by its key.</summary>
    public bool ByKey { get; init; }
    /// <summary>In the CertID, in place of the authority.</summary>
    public DevAuthority? Names { get; init; }
    /// <summary>Something unknown and critical, with the answer or with the whole response.</summary>
    public bool Critical { get; init; }
    public bool CriticalResponse { get; init; }
    /// <summary>How often it is said.</summary>
    public int Answers { get; init; } = 1;
    public int Status { get; init; }

    public byte[] Make()
    {
        var signer = Responder ?? Authority.Certificate;
        using var ec = signer.GetECDsaPrivateKey()!;
        var id = new CertificateID(new AlgorithmIdentifier(new DerObjectIdentifier(Hash), DerNull.Instance), Parsed((Names ?? Authority).Certificate), new(1, About.SerialNumber));
        var named = Brings is [var first, ..] ? new Org.BouncyCastle.X509.X509Certificate(first) : Parsed(signer);
        var generator = new BasicOcspRespGenerator(new RespID(ByKey
            ? new ResponderID(new DerOctetString(X509ExtensionUtilities.CreateSubjectKeyIdentifier(named.CertificateStructure.SubjectPublicKeyInfo).GetKeyIdentifier())) : new ResponderID(named.SubjectDN)));
        var single = new X509ExtensionsGenerator();
        if (Invalid is { } invalid) single.AddExtension(X509Extensions.InvalidityDate, false, new DerGeneralizedTime(invalid.UtcDateTime));
        if (Archive is { } archive) single.AddExtension(OcspObjectIdentifiers.PkixOcspArchiveCutoff, false, new DerGeneralizedTime(archive.UtcDateTime));
        if (Critical) single.AddExtension(new DerObjectIdentifier("2.25.1"), true, DerNull.Instance);
        CertificateStatus? status = Unknown ? new UnknownStatus() : Revoked is { } revoked ? new RevokedStatus(revoked.UtcDateTime, 1) : CertificateStatus.Good;
        for (var (i, extensions) = (0, single.IsEmpty ? null : single.Generate()); i < Answers; i++) generator.AddResponse(id, status, ThisUpdate.UtcDateTime, NextUpdate?.UtcDateTime, extensions);
        var whole = new X509ExtensionsGenerator();
        if (Nonce is not null) whole.AddExtension(OcspObjectIdentifiers.PkixOcspNonce, false, new DerOctetString(Nonce));
        if (CriticalResponse) whole.AddExtension(new DerObjectIdentifier("2.25.1"), true, DerNull.Instance);
        if (!whole.IsEmpty) generator.SetResponseExtensions(whole.Generate());
        var factory = new Asn1SignatureFactory(Signature, PrivateKeyFactory.CreateKey(ec.ExportPkcs8PrivateKey()));
        var brought = Brings?.Select(der => new Org.BouncyCastle.X509.X509Certificate(der)).ToArray() ?? (Responder is null || WithoutItsCertificate ? null : [Parsed(signer)]);
        var basic = generator.Generate(factory, brought, (ProducedAt ?? ThisUpdate).UtcDateTime);
        return Status == 0 ? new OCSPRespGenerator().Generate(0, basic).GetEncoded() : new OCSPRespGenerator().Generate(Status, null).GetEncoded();
    }

    public OcspResponse Read(TrustStore store) => OcspResponse.Read(Make(), store);

    static Org.BouncyCastle.X509.X509Certificate Parsed(X509Certificate2 certificate) => new(certificate.RawData);

    /// <summary>A responder's certificate under this CA.</summary>
    public static X509Certificate2 Delegate(DevAuthority authority, bool nocheck = true, bool eku = true, Validity? validity = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var request = new CertificateRequest("CN=Responder,O=Exchange development,C=VN", key, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(eku ? "1.3.6.1.5.5.7.3.9" : "1.3.6.1.5.5.7.3.4")], critical: false));
        if (nocheck) request.CertificateExtensions.Add(new System.Security.Cryptography.X509Certificates.X509Extension("1.3.6.1.5.5.7.48.1.5", [0x05, 0x00], critical: false));
        using var bare = authority.Sign(request, validity ?? TestPki.LeafValidity);
        return bare.CopyWithPrivateKey(key);
    }
}
