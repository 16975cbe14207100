using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Envelope;

/// <summary>To which key something is sealed, from outside.</summary>
public static class EnvelopeKeys
{
    /// <param name="kept">A frame that was kept under one key.</param>
    /// <exception cref="RefusedException">Der, ManifestForm.</exception>
    public static bool IsFor(ReadOnlyMemory<byte> kept, Certificate certificate) =>
        AuthEnveloped.Decode(kept, maxKeys: 1).Recipients.SelectMany(r => r.Keys).Any(k => k.Rid.Span.SequenceEqual(KeyWraps.Rid(certificate)));
}
