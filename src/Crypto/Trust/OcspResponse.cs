using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Ocsp;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Math;
using Org.BouncyCastle.Ocsp;
using Org.BouncyCastle.X509.Extension;

namespace Exchange.Crypto.Trust;

/// <summary>
/// A basic OCSP response (RFC 6960) whose signature was verified under the CA that it speaks for: by that CA's own key, or by a responder that this CA certified for the purpose and nobody
/// revoked. Verified without any connection, so it can be kept, passed on and looked at years later.
/// </summary>
public sealed class OcspResponse
{
    /// <summary>More is no answer about a few certificates.</summary>
    public const int MaxBytes = 64 << 10;
    const int MaxAnswers = 64, MaxCertificates = 8;
    /// <summary>By how much a responder's clock may run ahead of ours.</summary>
    static readonly TimeSpan Skew = TimeSpan.FromMinutes(5);
    static readonly HashSet<string> KnownCritical = [OcspObjectIdentifiers.PkixOcspNonce.Id, X509Extensions.InvalidityDate.Id, X509Extensions.ReasonCode.Id, OcspObjectIdentifiers.PkixOcspArchiveCutoff.Id];

    OcspResponse(byte[] der, Certificate issuer, BasicOcspResp basic, IReadOnlyList<OcspAnswer> answers)
    {
        Der = der;
        Issuer = issuer;
        ProducedAt = Utc(basic.ProducedAt);
        Answers = answers;
        Nonce = basic.ResponseExtensions?.GetExtension(OcspObjectIdentifiers.PkixOcspNonce) is { } nonce ? Asn1OctetString.GetInstance(nonce.GetParsedValue()).GetOctets() : null;
    }

    public ReadOnlyMemory<byte> Der { get; }
    /// <summary>The CA whose certificates it speaks about.</summary>
    public Certificate Issuer { get; }
    public DateTimeOffset ProducedAt { get; }
    /// <summary>From when on it says nothing any more.</summary>
    public DateTimeOffset EarliestEnd => Answers.Min(a => a.NextUpdate);
    /// <summary>Of some certificate, for good.</summary>
    public bool SaysRevoked => Answers.Any(a => a.RevokedFrom is not null);
    internal IReadOnlyList<OcspAnswer> Answers { get; }
    internal byte[]? Nonce { get; }

    /// <exception cref="RefusedException">Not a successful, signed response about certificates of one CA of the store.</exception>
    public static OcspResponse Read(ReadOnlyMemory<byte> der, TrustStore store)
    {
        if (der.Length > MaxBytes) throw new RefusedException(Refusal.Size, "OCSP response");
        var bytes = der.ToArray();
        try
        {
            var basic = Basic(bytes);
            var extensions = basic.ResponseExtensions;
            if (extensions is not null) DemandKnown(extensions);
            if (basic.Responses.Length is 0 or > MaxAnswers) throw new RefusedException(Refusal.Der, "OCSP response: number of answers");
            if (CertificateProfile.WrongSignature(basic.SignatureAlgorithm) is { } wrong) throw new RefusedException(Refusal.CertificateAlgorithm, $"OCSP response: {wrong}");
            // SHA-1 in a CertID names the CA and protects nothing: the signature below is what binds the answer to it.
            var issuers = store.Roots.Concat(store.Intermediates).Where(a => Array.TrueForAll(basic.Responses, r => r.GetCertID().MatchesIssuer(a.Parsed))).ToList();
            if (issuers.Count == 0) throw new RefusedException(Refusal.CertificateUntrusted, "OCSP response about another CA");
            var answers = basic.Responses.Select(Answer).ToList();
            if (answers.Exists(a => a.ThisUpdate > Utc(basic.ProducedAt))) throw new RefusedException(Refusal.Der, "OCSP response: made before what it says");
            DemandSigned(basic, issuers, store);
            return new OcspResponse(bytes, issuers[0], basic, answers);
        }
        // A response that makes a parser throw is not a good one.
        catch (Exception e) when (e is not (RefusedException or OutOfMemoryException)) { throw new RefusedException(Refusal.Der, $"OCSP response: {e.GetType().Name}"); }
    }

    /// <summary>That it answers what was asked just now: about this certificate, current, with the nonce of the question.</summary>
    /// <param name="nonce">Empty: none was sent.</param>
    /// <exception cref="RefusedException"><see cref="Refusal.RevocationUnknown"/>: it does not.</exception>
    public void Demand(Certificate certificate, ReadOnlySpan<byte> nonce, DateTimeOffset at)
    {
        var answer = AnswerFor(certificate) ?? throw new RefusedException(Refusal.RevocationUnknown, "OCSP response about another certificate");
        if (answer.ThisUpdate > at + Skew || ProducedAt > at + Skew) throw new RefusedException(Refusal.RevocationUnknown, "OCSP response of the future");
        if (at >= answer.NextUpdate) throw new RefusedException(Refusal.RevocationUnknown, "OCSP response is stale");
        if (!nonce.IsEmpty && !nonce.SequenceEqual(Nonce)) throw new RefusedException(Refusal.RevocationUnknown, "OCSP response without the nonce of the question");
    }

    /// <summary>"good", "revoked" or "unknown"; null: nothing about this certificate.</summary>
    public string? Says(Certificate certificate) => AnswerFor(certificate)?.Status switch { null => null, OcspStatus.Good => "good", OcspStatus.Revoked => "revoked", _ => "unknown" };

    internal OcspAnswer? AnswerFor(Certificate certificate) =>
        certificate.Parsed.IssuerDN.Equivalent(Issuer.Parsed.SubjectDN, inOrder: true) ? Answers.FirstOrDefault(a => a.Serial.Equals(certificate.Parsed.SerialNumber)) : null;

    internal static BasicOcspResp Basic(byte[] der)
    {
        var response = Org.BouncyCastle.Asn1.Ocsp.OcspResponse.GetInstance(Asn1Object.FromByteArray(der));
        if (!response.GetDerEncoded().AsSpan().SequenceEqual(der)) throw new RefusedException(Refusal.Der, "OCSP response");
        var status = response.ResponseStatus.IntValueExact;
        if (status != OcspResponseStatus.Successful) throw new RefusedException(Refusal.RevocationUnknown, $"OCSP responder says {status}");
        if (response.ResponseBytes is not { } body || !body.ResponseType.Equals(OcspObjectIdentifiers.PkixOcspBasic)) throw new RefusedException(Refusal.Der, "OCSP response of another type");
        var inner = body.Response.GetOctets();
        var basic = BasicOcspResponse.GetInstance(Asn1Object.FromByteArray(inner));
        return basic.GetDerEncoded().AsSpan().SequenceEqual(inner) ? new BasicOcspResp(basic) : throw new RefusedException(Refusal.Der, "OCSP response");
    }

    static OcspAnswer Answer(SingleResp single)
    {
        if (single.SingleExtensions is { } extensions) DemandKnown(extensions);
        // Without it the answer was good at one moment, which is no answer about any other.
        if (single.NextUpdate is not { } next) throw new RefusedException(Refusal.RevocationUnknown, "OCSP response without nextUpdate");
        if (next <= single.ThisUpdate) throw new RefusedException(Refusal.Der, "OCSP response: nextUpdate");
        var (status, revoked) = single.GetCertStatus() switch
        {
            null => (OcspStatus.Good, default(DateTimeOffset?)),
            RevokedStatus r => (OcspStatus.Revoked, Earlier(Utc(r.RevocationTime), Time(single, X509Extensions.InvalidityDate))),
            _ => (OcspStatus.Unknown, default(DateTimeOffset?)),
        };
        return new OcspAnswer(single.GetCertID().SerialNumber, status, Utc(single.ThisUpdate), Utc(next), revoked, Time(single, OcspObjectIdentifiers.PkixOcspArchiveCutoff));
    }

    static void DemandSigned(BasicOcspResp basic, IReadOnlyList<Certificate> issuers, TrustStore store)
    {
        var named = basic.ResponderId.ToAsn1Object();
        var producedAt = Utc(basic.ProducedAt);
        foreach (var authority in issuers.Where(a => IsNamed(named, a)))
        {
            if (!basic.Verify(authority.Parsed.GetPublicKey())) continue;
            if (producedAt < authority.NotBefore || producedAt > authority.NotAfter) throw new RefusedException(Refusal.CertificateTime, "OCSP response: its CA was not valid then");
            return;
        }
        var brought = basic.GetCerts();
        if (brought.Length > MaxCertificates) throw new RefusedException(Refusal.Size, "OCSP response: certificates");
        RefusedException? unfit = null;
        foreach (var responder in brought.Select(c => Certificate.Of(c.GetEncoded())).Where(c => IsNamed(named, c)))
        {
            // First whether a CA of ours stands for it: until then its key is numbers that whoever sent this has chosen, and testing them may take seconds.
            try { OcspDelegate.Demand(responder, issuers, producedAt, store); }
            catch (RefusedException e) { unfit ??= e; continue; }
            if (basic.Verify(responder.Parsed.GetPublicKey())) return;
        }
        throw unfit ?? new RefusedException(Refusal.Signature, "OCSP response");
    }

    // RFC 6960 4.2.1: by name, or by SHA-1 of the public key's bytes as they stand. Either only says which certificate to try.
    static bool IsNamed(ResponderID named, Certificate certificate) => named.Name is { } name
        ? name.Equivalent(certificate.Parsed.SubjectDN, inOrder: true)
        : X509ExtensionUtilities.CreateSubjectKeyIdentifier(certificate.Parsed.CertificateStructure.SubjectPublicKeyInfo).GetKeyIdentifier().AsSpan().SequenceEqual(named.GetKeyHash());

    static void DemandKnown(X509Extensions extensions)
    {
        foreach (var oid in extensions.GetCriticalExtensionOids())
            if (!KnownCritical.Contains(oid.Id)) throw new RefusedException(Refusal.RevocationUnknown, $"OCSP response: unknown critical extension {oid.Id}");
    }

    static DateTimeOffset? Time(SingleResp single, DerObjectIdentifier extension) =>
        single.SingleExtensions?.GetExtension(extension) is { } found ? Utc(Asn1GeneralizedTime.GetInstance(found.GetParsedValue()).ToDateTime()) : null;

    static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset? b) => b < a ? b.Value : a;
    static DateTimeOffset Utc(DateTime time) => new(DateTime.SpecifyKind(time, DateTimeKind.Utc));
}

enum OcspStatus
{
    Good,
    Revoked,
    /// <summary>The responder knows of no such certificate.</summary>
    Unknown,
}

/// <summary>What one verified response says of one certificate.</summary>
/// <param name="NextUpdate">From here on "good" and "unknown" say nothing any more; "revoked" stays.</param>
/// <param name="RevokedFrom">The earlier of revocationTime and invalidityDate.</param>
/// <param name="ArchiveCutoff">Back to when the responder still knows of certificates that have expired; null: it does not.</param>
sealed record OcspAnswer(BigInteger Serial, OcspStatus Status, DateTimeOffset ThisUpdate, DateTimeOffset NextUpdate, DateTimeOffset? RevokedFrom, DateTimeOffset? ArchiveCutoff);
