using System.Formats.Asn1;
using Exchange.Crypto.Keys;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Crypto.Parameters;

namespace Exchange.Crypto.Trust;

/// <summary>One X.509 certificate as parsed, strict DER, nothing verified. Compared by <see cref="Key"/>.</summary>
public sealed class Certificate : IEquatable<Certificate>
{
    const int MostMet = 2048, MostBytes = 64 * 1024;
    static readonly Lock Gate = new();
    static Dictionary<Digest, Certificate> met = [], metBefore = [];
    readonly byte[] der;
    Point? point;

    sealed record Point(Ecdsa Algorithm, ECPublicKeyParameters? Key);

    /// <exception cref="RefusedException"><see cref="Refusal.Der"/>: not exactly one certificate; <see cref="Refusal.CertificateForm"/>: longer than 64 KiB, with an extension twice, or without an issuer.</exception>
    public Certificate(ReadOnlySpan<byte> der)
    {
        if (der.Length > MostBytes) throw new RefusedException(Refusal.CertificateForm, $"certificate of {der.Length} bytes");
        this.der = der.ToArray();
        Key = Digest.Of(der);
        try
        {
            Parsed = new Org.BouncyCastle.X509.X509Certificate(this.der);
            if (!Parsed.GetEncoded().AsSpan().SequenceEqual(der)) throw new RefusedException(Refusal.Der, "certificate");
            _ = Parsed.SerialNumber; _ = Parsed.NotBefore; _ = Parsed.NotAfter;
            // No other key is looked at: BouncyCastle tests the numbers in one of DSA or RSA, of up to 16384 bits, for seconds, and whoever sends a certificate chooses them.
            if (Ecdsa.Of(this) is not null) _ = Parsed.GetPublicKey();
            KeyId = Digest.Of(PublicKeyInfo);
        }
        catch (ArgumentException e) when (e.Message.StartsWith("repeated extension", StringComparison.Ordinal)) { throw new RefusedException(Refusal.CertificateForm, "certificate: an extension twice"); }
        catch (Exception e) when (e is not RefusedException)
        {
            throw HasEmptyIssuer(this.der) ? new RefusedException(Refusal.CertificateForm, "certificate: empty issuer name") : new RefusedException(Refusal.Der, "certificate");
        }
    }

    /// <summary>As the constructor, for certificates that come with what they signed: one that was met lately is not parsed again. What it is worth is not said by that.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Der"/>: not exactly one certificate.</exception>
    public static Certificate Of(ReadOnlySpan<byte> der)
    {
        var key = Digest.Of(der);
        lock (Gate)
            if (met.TryGetValue(key, out var known) || metBefore.TryGetValue(key, out known)) return Keep(known);
        var fresh = new Certificate(der);
        lock (Gate) return Keep(fresh);
    }

    // BouncyCastle reads no such certificate, and does not say why.
    static bool HasEmptyIssuer(byte[] der)
    {
        try
        {
            var signed = new AsnReader(der, AsnEncodingRules.DER).ReadSequence().ReadSequence();
            if (signed.PeekTag().TagClass == TagClass.ContextSpecific) signed.ReadEncodedValue();
            signed.ReadInteger();
            signed.ReadSequence();
            return !signed.ReadSequence().HasData;
        }
        catch (AsnContentException) { return false; }
    }

    // Whoever comes with ever new certificates costs others a parse, and memory for twice as many.
    static Certificate Keep(Certificate certificate)
    {
        if (met.Count >= MostMet) (met, metBefore) = ([], met);
        met[certificate.Key] = certificate;
        return certificate;
    }

    public ReadOnlyMemory<byte> Der => der;
    /// <summary>SHA-256 of the DER: the name of a key everywhere in the product.</summary>
    public Digest Key { get; }
    public DateTimeOffset NotBefore => new(DateTime.SpecifyKind(Parsed.NotBefore, DateTimeKind.Utc));
    public DateTimeOffset NotAfter => new(DateTime.SpecifyKind(Parsed.NotAfter, DateTimeKind.Utc));
    /// <summary>Subject as RFC 4514 text, for people.</summary>
    public string Subject => Parsed.SubjectDN.ToString();
    /// <summary>DER of the issuer name.</summary>
    public byte[] IssuerDer => Parsed.IssuerDN.GetDerEncoded();
    /// <summary>DER of the subject name.</summary>
    public byte[] SubjectDer => Parsed.SubjectDN.GetDerEncoded();
    /// <summary>Serial number, big-endian two's complement as in DER.</summary>
    public byte[] SerialNumber => Parsed.SerialNumber.ToByteArray();
    /// <summary>DER of SubjectPublicKeyInfo.</summary>
    public byte[] PublicKeyInfo => Parsed.CertificateStructure.SubjectPublicKeyInfo.GetDerEncoded();

    internal Org.BouncyCastle.X509.X509Certificate Parsed { get; }
    /// <summary>SHA-256 of SubjectPublicKeyInfo: a key may have several certificates.</summary>
    internal Digest KeyId { get; }
    internal bool IsAuthority => Parsed.CertificateStructure.Extensions is { } extensions && BasicConstraints.FromExtensions(extensions) is { } constraints && constraints.IsCA();
    internal bool IsSelfIssued => Parsed.SubjectDN.Equivalent(Parsed.IssuerDN, inOrder: true);

    /// <summary>Its public point; null when it is no key of this algorithm. One object for as long as the certificate lives: BouncyCastle keeps tables with it, and verifies twice as fast from the fifth time on.</summary>
    internal ECPublicKeyParameters? PointFor(Ecdsa algorithm)
    {
        var known = point;
        if (known?.Algorithm != algorithm) point = known = new(algorithm, algorithm.PublicKey(PublicKeyInfo));
        return known.Key;
    }

    public bool Equals(Certificate? other) => other is not null && Key == other.Key;
    public override bool Equals(object? obj) => Equals(obj as Certificate);
    public override int GetHashCode() => Key.GetHashCode();
}
