using System.Formats.Asn1;
using System.Numerics;

namespace Exchange.Crypto.TimeStamps;

/// <summary>TSTInfo (RFC 3161 2.4.2), the signed content of a token, strict DER.</summary>
/// <param name="Policy">Dotted OID under which the authority works.</param>
/// <param name="Imprint">SHA-256: what the token is about.</param>
/// <param name="Accuracy">null: it does not say.</param>
sealed record TimeStampInfo(string Policy, Digest Imprint, DateTimeOffset Time, TimeSpan? Accuracy, BigInteger? Nonce)
{
    static readonly Asn1Tag Context0 = new(TagClass.ContextSpecific, 0), Context1 = new(TagClass.ContextSpecific, 1);
    static readonly Asn1Tag Extensions = new(TagClass.ContextSpecific, 1, isConstructed: true);

    /// <exception cref="RefusedException"><see cref="Refusal.TimeStamp"/> naming the fault.</exception>
    /// <exception cref="AsnContentException">Not a TSTInfo.</exception>
    public static TimeStampInfo Read(ReadOnlyMemory<byte> der)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER);
        var body = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        if (!body.TryReadInt32(out var version) || version != 1) throw new RefusedException(Refusal.TimeStamp, "version");
        var policy = body.ReadObjectIdentifier();
        var imprint = ReadImprint(body.ReadSequence());
        body.ReadIntegerBytes();
        var time = body.ReadGeneralizedTime();
        var accuracy = body.HasData && body.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence) ? ReadAccuracy(body.ReadSequence()) : default(TimeSpan?);
        // Ordering says nothing about one token alone.
        if (body.HasData && body.PeekTag() == Asn1Tag.Boolean) body.ReadBoolean();
        var nonce = body.HasData && body.PeekTag() == Asn1Tag.Integer ? body.ReadInteger() : default(BigInteger?);
        if (body.HasData && body.PeekTag().HasSameClassAndValue(Context0)) body.ReadEncodedValue();
        if (body.HasData && body.PeekTag().HasSameClassAndValue(Context1)) DemandHarmless(body.ReadSequence(Extensions));
        body.ThrowIfNotEmpty();
        return new TimeStampInfo(policy, imprint, time, accuracy, nonce);
    }

    // The closed list has one member: the header names signatures by SHA-256, so that whoever has header and token can tell that they belong together.
    static Digest ReadImprint(AsnReader imprint)
    {
        var algorithm = imprint.ReadSequence();
        var oid = algorithm.ReadObjectIdentifier();
        if (algorithm.HasData) algorithm.ReadNull();
        algorithm.ThrowIfNotEmpty();
        if (oid != Oids.Sha256) throw new RefusedException(Refusal.TimeStamp, "imprint algorithm");
        var value = imprint.ReadOctetString();
        imprint.ThrowIfNotEmpty();
        return value.Length == Digest.Size ? new Digest(value) : throw new RefusedException(Refusal.TimeStamp, "imprint");
    }

    static TimeSpan ReadAccuracy(AsnReader accuracy)
    {
        long micros = 0;
        if (accuracy.HasData && accuracy.PeekTag() == Asn1Tag.Integer) micros += Bounded(accuracy.TryReadInt32(out var seconds), seconds, int.MaxValue) * 1_000_000;
        if (accuracy.HasData && accuracy.PeekTag().HasSameClassAndValue(Context0)) micros += Bounded(accuracy.TryReadInt32(out var millis, Context0), millis, 999) * 1000;
        if (accuracy.HasData && accuracy.PeekTag().HasSameClassAndValue(Context1)) micros += Bounded(accuracy.TryReadInt32(out var rest, Context1), rest, 999);
        accuracy.ThrowIfNotEmpty();
        return TimeSpan.FromMicroseconds(micros);

        static long Bounded(bool read, int value, int most) => read && value >= 0 && value <= most ? value : throw new RefusedException(Refusal.TimeStamp, "accuracy");
    }

    static void DemandHarmless(AsnReader extensions)
    {
        while (extensions.HasData)
        {
            var extension = extensions.ReadSequence();
            extension.ReadObjectIdentifier();
            if (extension.PeekTag() == Asn1Tag.Boolean && extension.ReadBoolean()) throw new RefusedException(Refusal.TimeStamp, "critical extension");
        }
    }
}
