using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.TimeStamps;

/// <summary>One question to a time-stamp authority (RFC 3161 2.4.1) with a nonce of its own, and what counts as its answer.</summary>
public sealed class TimeStampQuery
{
    public const string MediaType = "application/timestamp-query", ReplyType = "application/timestamp-reply";

    /// <summary>Bytes of an answer that are read at all.</summary>
    public const int MaxReply = 2 * TimeStampCheck.MaxLength;

    readonly Digest imprint;
    readonly string? policy;
    readonly BigInteger nonce;

    /// <param name="imprint">SHA-256 of what is to be time-stamped.</param>
    /// <param name="policy">Dotted OID of the authority's policy that must be used; null: whichever it has.</param>
    public TimeStampQuery(Digest imprint, string? policy)
    {
        (this.imprint, this.policy) = (imprint, policy);
        nonce = new BigInteger(RandomNumberGenerator.GetBytes(16), isUnsigned: true, isBigEndian: true);
        Der = Encode();
    }

    public ReadOnlyMemory<byte> Der { get; }

    byte[] Encode()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(1);
            using (writer.PushSequence())
            {
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier(Oids.Sha256);
                    // As every client writes it (RFC 3161 appendix, OpenSSL).
                    writer.WriteNull();
                }
                writer.WriteOctetString(imprint.ToArray());
            }
            if (policy is not null) writer.WriteObjectIdentifier(policy);
            writer.WriteInteger(nonce);
            // The certificate in the token: without it nobody could verify it later.
            writer.WriteBoolean(true);
        }
        return writer.Encode();
    }

    /// <summary>The token of an answer to this question, verified whole; it was made just now.</summary>
    /// <exception cref="RefusedException">As <see cref="TimeStampCheck.Run(ReadOnlyMemory{byte}, IReadOnlyCollection{Digest}, CertificateCheck)"/>; <see cref="Refusal.TimeStamp"/>: also status, nonce, policy, time.</exception>
    public ReadOnlyMemory<byte> Read(ReadOnlyMemory<byte> reply, CertificateCheck trust, DateTimeOffset now)
    {
        if (reply.Length > MaxReply) throw new RefusedException(Refusal.Size, "answer");
        var token = TokenOf(reply);
        TimeStampCheck.Run(token, [imprint], trust, info =>
        {
            if (info.Nonce != nonce) throw new RefusedException(Refusal.TimeStamp, "nonce");
            if (policy is not null && info.Policy != policy) throw new RefusedException(Refusal.TimeStamp, "policy");
            if ((info.Time - now).Duration() > TimeStampCheck.Skew) throw new RefusedException(Refusal.TimeStamp, "time");
        });
        return token;
    }

    static ReadOnlyMemory<byte> TokenOf(ReadOnlyMemory<byte> reply)
    {
        try
        {
            var outer = new AsnReader(reply, AsnEncodingRules.DER);
            var body = outer.ReadSequence();
            if (outer.HasData) throw new RefusedException(Refusal.TimeStamp, "bytes behind the answer");
            // 0 granted. 1, granted with modifications, answers another question than was asked.
            if (!body.ReadSequence().TryReadInt32(out var status) || status != 0) throw new RefusedException(Refusal.TimeStamp, $"status {status}");
            var token = body.ReadEncodedValue();
            body.ThrowIfNotEmpty();
            return token;
        }
        catch (AsnContentException) { throw new RefusedException(Refusal.TimeStamp, "form of the answer"); }
    }
}
