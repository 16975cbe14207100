using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Trust;
using Exchange.Office.Join;

namespace Exchange.Office.Dev;

/// <summary>From when until when a certificate says it is valid.</summary>
internal readonly record struct Validity(DateTimeOffset From, DateTimeOffset Until);

/// <summary>A certification authority for development and tests, P-384 but for receipts. Its certificates are what the product demands, unless asked to be otherwise.</summary>
internal sealed class DevAuthority : IDisposable
{
    static readonly string[] Loopback = ["localhost", "127.0.0.1", "::1"];
    // All that the policy that ships has: which office may have what, the standing says.
    internal static readonly Clearance Ceiling = new()
    {
        Policy = DevPolicy + ".3.1", Classes = [10, 20, 30, 40], ValidFrom = 0, ValidTo = LabelForm.MaxTime,
        Categories = [new() { Type = "permissive", Tag = DevPolicy + ".4.2", Values = [1, 2] }, new() { Type = "restrictive", Tag = DevPolicy + ".4.1", Values = [1, 2] }],
    };
    const string DevPolicy = "2.25.108316152551476243687665024293336149417";
    static readonly HashAlgorithmName Hash = HashAlgorithmName.SHA384;

    readonly ECDsa key;

    DevAuthority(X509Certificate2 certificate, ECDsa key)
    {
        Certificate = certificate;
        this.key = key;
    }

    /// <summary>With its private key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>One that was made before, from its certificate with the private key.</summary>
    public static DevAuthority Of(X509Certificate2 certificate) => new(certificate, certificate.GetECDsaPrivateKey() ?? throw new ArgumentException("no ECDSA key", nameof(certificate)));

    /// <param name="development">Marks the root as one that nothing outside development may trust.</param>
    public static DevAuthority Root(string name, Validity validity, bool development = true)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var request = AuthorityRequest(name, key, pathLength: 1);
        if (development) request.CertificateExtensions.Add(new X509Extension(TrustStore.DevelopmentRoot, [0x05, 0x00], critical: false));
        return new DevAuthority(request.CreateSelfSigned(validity.From, validity.Until), key);
    }

    /// <summary>An issuing CA under this one.</summary>
    public DevAuthority Subordinate(string name, Validity validity)
    {
        var below = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var request = AuthorityRequest(name, below, pathLength: 0);
        request.CertificateExtensions.Add(KeyIdentifier());
        using var bare = request.Create(Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(key), validity.From, validity.Until, NewSerial());
        return new DevAuthority(bare.CopyWithPrivateKey(below), below);
    }

    /// <summary>A certificate with a fresh key on the curve of its use, or with <paramref name="rsaBits"/> an RSA one.</summary>
    public X509Certificate2 Issue(X500DistinguishedName subject, KeyUse use, Validity validity, int? rsaBits = null)
    {
        if (rsaBits is { } bits)
        {
            using var rsa = RSA.Create(bits);
            using var bare = Issue(subject, use, validity, rsa);
            return bare.CopyWithPrivateKey(rsa);
        }
        if (use == KeyUse.Encrypt)
        {
            using var agreement = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP384);
            using var bare = Issue(subject, use, validity, agreement);
            return bare.CopyWithPrivateKey(agreement);
        }
        using var ec = ECDsa.Create(KeyProfile.Curve(use));
        using var signed = Issue(subject, use, validity, ec);
        return signed.CopyWithPrivateKey(ec);
    }

    /// <summary>A certificate for a key that is there already, without its private half.</summary>
    public X509Certificate2 Issue(X500DistinguishedName subject, KeyUse use, Validity validity, AsymmetricAlgorithm owner) => Sign(Request(subject, use, owner), validity);

    /// <summary>The usual request, for callers that spoil it before they <see cref="Sign"/>.</summary>
    public CertificateRequest Request(X500DistinguishedName subject, KeyUse use, AsymmetricAlgorithm owner)
    {
        var request = new CertificateRequest(subject, new PublicKey(owner), Hash);
        var extensions = request.CertificateExtensions;
        foreach (var extension in KeyProfile.Extensions(use, owner is RSA, Loopback)) extensions.Add(extension);
        extensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        extensions.Add(KeyIdentifier());
        extensions.Add(new X509Extension("2.5.29.9", ClearanceAttribute.AsDirectoryAttributes(Ceiling), critical: false));
        return request;
    }

    /// <param name="withSha1">Signs as no CA may any more: for certificates that must be refused.</param>
    public X509Certificate2 Sign(CertificateRequest request, Validity validity, bool withSha1 = false) =>
        request.Create(Certificate.SubjectName, withSha1 ? new Sha1Signature(key) : X509SignatureGenerator.CreateForECDsa(key), validity.From, validity.Until, NewSerial());

    /// <summary>A complete CRL, DER.</summary>
    public byte[] Crl(int number, DateTimeOffset thisUpdate, DateTimeOffset nextUpdate, params IEnumerable<(X509Certificate2 Certificate, DateTimeOffset From)> revoked)
    {
        var builder = new CertificateRevocationListBuilder();
        foreach (var (certificate, from) in revoked) builder.AddEntry(certificate, from, X509RevocationReason.KeyCompromise);
        return builder.Build(Certificate, new BigInteger(number), nextUpdate, Hash, thisUpdate: thisUpdate);
    }

    public void Dispose()
    {
        Certificate.Dispose();
        key.Dispose();
    }

    static CertificateRequest AuthorityRequest(string name, ECDsa owner, int pathLength)
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(name);
        subject.AddOrganizationName("Exchange development");
        subject.AddCountryOrRegion("VN");
        var request = new CertificateRequest(subject.Build(), owner, Hash);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLength, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(new X509Extension(ClearanceAttribute.Constraints, ClearanceAttribute.AsConstraints(Ceiling), critical: false));
        return request;
    }

    X509AuthorityKeyIdentifierExtension KeyIdentifier() =>
        X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(Certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Single());

    // RFC 5280 4.1.2.2: positive, at most 20 octets; 127 random bits do not repeat.
    static byte[] NewSerial()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x3f) | 0x40);
        return serial;
    }

    /// <summary>ecdsa-with-SHA1 (RFC 3279 2.2.3), which CertificateRequest refuses to make by itself.</summary>
    sealed class Sha1Signature(ECDsa key) : X509SignatureGenerator
    {
        public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm) => [0x30, 0x09, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01];
        public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm) => key.SignData(data, HashAlgorithmName.SHA1, DSASignatureFormat.Rfc3279DerSequence);
        protected override PublicKey BuildPublicKey() => new(key);
    }
}
