using System.Security.Cryptography;

namespace Exchange.Office.Client;

/// <summary>ECDSA with SHA-2 for SignedXml (RFC 6931 2.3.6: r ‖ s), which knows RSA alone but asks .NET's registry of algorithms by their URIs.</summary>
static class EcdsaXml
{
    const string Prefix = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-";

    public static IReadOnlySet<string> Methods { get; } = new HashSet<string> { Prefix + "sha256", Prefix + "sha384", Prefix + "sha512" };

    /// <summary>For the whole process; again is harmless.</summary>
    public static void Register()
    {
        CryptoConfig.AddAlgorithm(typeof(EcdsaSha256), Prefix + "sha256");
        CryptoConfig.AddAlgorithm(typeof(EcdsaSha384), Prefix + "sha384");
        CryptoConfig.AddAlgorithm(typeof(EcdsaSha512), Prefix + "sha512");
    }
}

/// <summary>One of them. The registry makes it by name and wants it visible from outside: public, with a constructor without parameters.</summary>
public abstract class EcdsaDescription : SignatureDescription
{
    readonly Func<HashAlgorithm> digest;

    private protected EcdsaDescription(Func<HashAlgorithm> digest)
    {
        this.digest = digest;
        KeyAlgorithm = typeof(ECDsa).AssemblyQualifiedName;
    }

    public override HashAlgorithm CreateDigest() => digest();
    public override AsymmetricSignatureFormatter CreateFormatter(AsymmetricAlgorithm key) => new Formatter((ECDsa)key);
    public override AsymmetricSignatureDeformatter CreateDeformatter(AsymmetricAlgorithm key) => new Deformatter((ECDsa)key);

    sealed class Formatter(ECDsa key) : AsymmetricSignatureFormatter
    {
        public override void SetKey(AsymmetricAlgorithm key) { }
        public override void SetHashAlgorithm(string strName) { }
        public override byte[] CreateSignature(byte[] rgbHash) => key.SignHash(rgbHash);
    }

    sealed class Deformatter(ECDsa key) : AsymmetricSignatureDeformatter
    {
        public override void SetKey(AsymmetricAlgorithm key) { }
        public override void SetHashAlgorithm(string strName) { }
        public override bool VerifySignature(byte[] rgbHash, byte[] rgbSignature) => key.VerifyHash(rgbHash, rgbSignature);
    }
}

/// <summary>xmldsig-more#ecdsa-sha256.</summary>
public sealed class EcdsaSha256() : EcdsaDescription(SHA256.Create);

/// <summary>xmldsig-more#ecdsa-sha384.</summary>
public sealed class EcdsaSha384() : EcdsaDescription(SHA384.Create);

/// <summary>xmldsig-more#ecdsa-sha512.</summary>
public sealed class EcdsaSha512() : EcdsaDescription(SHA512.Create);
