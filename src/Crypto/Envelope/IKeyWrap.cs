using System.Formats.Asn1;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Envelope;

/// <summary>
/// One way in which a manifest's key (32 bytes) reaches recipients. Called only after everything checkable without a key holds; each call is stateless and may
/// run beside others. A further kind of recipient key is a further implementation, listed in <see cref="KeyWraps"/>.
/// </summary>
interface IKeyWrap
{
    /// <summary>Whether this is the way for the certificate's kind of key.</summary>
    bool Fits(Certificate certificate);

    /// <summary>Whether this is its kind of RecipientInfo.</summary>
    bool Takes(RecipientInfo info);

    /// <summary>Wraps for all of these recipients, which fit, in this order.</summary>
    IEnumerable<RecipientInfo> Wrap(ReadOnlySpan<byte> cek, IReadOnlyList<Certificate> recipients, ReadOnlySpan<byte> ukm);

    /// <summary>The 32 bytes, which the caller zeroes; null when it does not unwrap, for whatever reason.</summary>
    byte[]? Unwrap(IPrivateKey key, RecipientInfo info, RecipientKey wrapped);
}

/// <summary>The closed list of suite classic-1.</summary>
static class KeyWraps
{
    public const int CekLength = 32;
    static readonly IKeyWrap[] All = [new EcdhKeyWrap(), new RsaKeyWrap()];

    /// <exception cref="RefusedException"><see cref="Refusal.CertificateAlgorithm"/>.</exception>
    public static IKeyWrap For(Certificate certificate) =>
        Array.Find(All, w => w.Fits(certificate)) ?? throw new RefusedException(Refusal.CertificateAlgorithm, "recipient's key is neither P-384 nor RSA of 3072 bits");

    /// <summary>DER of IssuerAndSerialNumber: how a manifest names a certificate.</summary>
    public static byte[] Rid(Certificate certificate)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteEncodedValue(certificate.IssuerDer);
            writer.WriteInteger(certificate.SerialNumber);
        }
        return writer.Encode();
    }
}
