namespace Exchange.Crypto.Trust;

/// <summary>One X.509 certificate as parsed, strict DER, nothing verified. Compared by <see cref="Key"/>.</summary>
public sealed class Certificate : IEquatable<Certificate>
{
    readonly byte[] der;

    /// <exception cref="RefusedException"><see cref="Refusal.Der"/>: not exactly one certificate.</exception>
    public Certificate(ReadOnlySpan<byte> der)
    {
        this.der = der.ToArray();
        Key = Digest.Of(der);
        try
        {
            Parsed = new Org.BouncyCastle.X509.X509Certificate(this.der);
            if (!Parsed.GetEncoded().AsSpan().SequenceEqual(der)) throw new RefusedException(Refusal.Der, "certificate");
            _ = Parsed.SerialNumber; _ = Parsed.NotAfter; _ = Parsed.GetPublicKey();
        }
        catch (Exception e) when (e is not RefusedException) { throw new RefusedException(Refusal.Der, "certificate"); }
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
    /// <summary>Serial number, big-endian two's complement as in DER.</summary>
    public byte[] SerialNumber => Parsed.SerialNumber.ToByteArray();
    /// <summary>DER of SubjectPublicKeyInfo.</summary>
    public byte[] PublicKeyInfo => Parsed.CertificateStructure.SubjectPublicKeyInfo.GetDerEncoded();

    internal Org.BouncyCastle.X509.X509Certificate Parsed { get; }

    public bool Equals(Certificate? other) => other is not null && Key == other.Key;
    public override bool Equals(object? obj) => Equals(obj as Certificate);
    public override int GetHashCode() => Key.GetHashCode();
}
