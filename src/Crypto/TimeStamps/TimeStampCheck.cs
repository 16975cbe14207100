using System.Formats.Asn1;
using System.Security.Cryptography;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Org.BouncyCastle.Cms;
using CmsAttributes = Org.BouncyCastle.Asn1.Cms.AttributeTable;

namespace Exchange.Crypto.TimeStamps;

/// <param name="Imprint">SHA-256 of the signature value that it is about.</param>
/// <param name="Time">genTime: the signature was there by then.</param>
/// <param name="Accuracy">null: the token does not say.</param>
/// <param name="Policy">Dotted OID under which the authority works.</param>
/// <param name="Authority">Its certificate, good at <paramref name="Time"/>.</param>
public sealed record VerifiedTimeStamp(Digest Imprint, DateTimeOffset Time, TimeSpan? Accuracy, string Policy, Certificate Authority);

/// <summary>
/// A time-stamp token (RFC 3161, RFC 5816) over the signature value of a SignerInfo (signature-time-stamp, RFC 5126 6.1.1), verified whole. BouncyCastle reads the CMS and verifies
/// the signature; what may be in it is decided here: one signer, closed lists of algorithms, ESSCertIDv2, and a certificate that was a time-stamp authority's at genTime.
/// | part | at most |: token 32 KiB; nesting 24; accuracy 60 s.
/// </summary>
public static class TimeStampCheck
{
    /// <summary>Bytes of a token. One of ours has 1 KiB, one with an RSA chain 8.</summary>
    public const int MaxLength = 32 << 10;

    /// <summary>How far the clocks of authority, gateway and office may be apart.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromMinutes(10);

    // BouncyCastle reads nested values by recursion: what is deeper than any real token would only try its stack.
    const int MaxNesting = 24;
    static readonly TimeSpan MaxAccuracy = TimeSpan.FromSeconds(60);

    static readonly Asn1Tag Context0 = new(TagClass.ContextSpecific, 0, isConstructed: true), Context1 = new(TagClass.ContextSpecific, 1, isConstructed: true);

    const string Sha512 = "2.16.840.1.101.3.4.2.3", RsaEncryption = Oids.RsaEncryption;

    // RFC 5754 3; no SHA-1, no RSASSA-PSS, as with certificates.
    static readonly HashSet<(string Digest, string Signature)> Algorithms =
    [
        (Oids.Sha256, Oids.EcdsaSha256), (Oids.Sha384, Oids.EcdsaSha384), (Sha512, "1.2.840.10045.4.3.4"),
        (Oids.Sha256, RsaEncryption), (Oids.Sha384, RsaEncryption), (Sha512, RsaEncryption),
        (Oids.Sha256, "1.2.840.113549.1.1.11"), (Oids.Sha384, "1.2.840.113549.1.1.12"), (Sha512, "1.2.840.113549.1.1.13"),
    ];

    /// <param name="token">ContentInfo, DER; the whole input.</param>
    /// <param name="imprints">SHA-256 of the signatures of which it must be about one.</param>
    /// <exception cref="RefusedException"><see cref="Refusal.TimeStamp"/> naming the fault; <see cref="Refusal.Size"/>; what the authority's certificate is refused for.</exception>
    public static VerifiedTimeStamp Run(ReadOnlyMemory<byte> token, IReadOnlyCollection<Digest> imprints, CertificateCheck trust) => Run(token, imprints, trust, _ => { });

    /// <summary>All that can be said of a token without trusting anybody: for showing a file.</summary>
    /// <param name="imprints">null: nobody knows what it has to be about.</param>
    /// <exception cref="RefusedException">As <see cref="Run(ReadOnlyMemory{byte}, IReadOnlyCollection{Digest}, CertificateCheck)"/>, but for the authority's certificate.</exception>
    internal static void CheckForm(ReadOnlyMemory<byte> token, IReadOnlyCollection<Digest>? imprints) => Run(token, imprints, null, _ => { });

    /// <param name="also">Refuses what the asker besides demands of the content; before the certificate is looked at.</param>
    internal static VerifiedTimeStamp Run(ReadOnlyMemory<byte> token, IReadOnlyCollection<Digest>? imprints, CertificateCheck? trust, Action<TimeStampInfo> also)
    {
        if (token.Length > MaxLength) throw new RefusedException(Refusal.Size, "time-stamp");
        try
        {
            // 1 One value with definite lengths and nothing behind it, so that it can be carried inside a statement as it is.
            DemandForm(token);
            var (signer, outside, content) = Read(token);

            // 2 About this signature, at a usable time.
            var info = TimeStampInfo.Read(content);
            Demand(imprints is null || imprints.Contains(info.Imprint), "imprint");
            Demand(!(info.Accuracy > MaxAccuracy), "accuracy");
            also(info);

            // 3 The signer's certificate is the one that the signature itself names, and was a time-stamp authority's at that time.
            var authority = Signer(signer, outside);
            trust?.Demand(authority, Purpose.TimeStamping, info.Time);
            // Nobody of ours has vouched for this key: it is not computed with unless it is of the closed list.
            if (trust is null && CertificateProfile.WrongKey(authority) is { } wrong) throw new RefusedException(Refusal.CertificateAlgorithm, wrong);

            // 4 It signed this content.
            Demand(Algorithms.Contains((signer.DigestAlgorithmID.Algorithm.Id, signer.SignatureAlgorithm.Algorithm.Id)), "signature algorithm");
            Demand(Verifies(signer, authority), "signature");
            return new VerifiedTimeStamp(info.Imprint, info.Time, info.Accuracy, info.Policy, authority);
        }
        // Whatever a parser trips over is no time-stamp; the kind of exception goes to the log.
        catch (Exception e) when (e is not (RefusedException or OutOfMemoryException)) { throw new RefusedException(Refusal.TimeStamp, $"form: {e.GetType().Name}"); }
    }

    /// <summary>The time-stamps that a dispatch carries, each verified, in the order of its signers; empty: none.</summary>
    /// <exception cref="RefusedException">As <see cref="Run(ReadOnlyMemory{byte}, IReadOnlyCollection{Digest}, CertificateCheck)"/>; <see cref="Refusal.TimeStamp"/>: only some of its signatures bear one.</exception>
    public static IReadOnlyList<VerifiedTimeStamp> OfDispatch(Statement dispatch, CertificateCheck trust)
    {
        var carried = dispatch.TimeStamps;
        if (carried.All(t => t.Token is null)) return [];
        Demand(carried.All(t => t.Token is not null), "not on every signature");
        return [.. carried.Select(t => Run(t.Token!.Value, [t.Signature], trust))];
    }

    static void DemandForm(ReadOnlyMemory<byte> token)
    {
        var reader = new AsnReader(token, AsnEncodingRules.DER);
        Demand(reader.PeekEncodedValue().Length == token.Length, "bytes behind it");
        DemandShallow(reader, MaxNesting);
    }

    // Definite, shortest lengths at every level, and no more levels than are left.
    static void DemandShallow(AsnReader reader, int left)
    {
        Demand(left > 0, "nesting");
        while (reader.HasData)
        {
            if (reader.PeekTag().IsConstructed) DemandShallow(new AsnReader(reader.PeekContentBytes(), AsnEncodingRules.DER), left - 1);
            reader.ReadEncodedValue();
        }
    }

    /// <summary>What no signature covers: certificates, and who is named as the signer.</summary>
    sealed record Unsigned(IReadOnlyList<ReadOnlyMemory<byte>> Certificates, ReadOnlyMemory<byte> Issuer, ReadOnlyMemory<byte> Serial);

    static (SignerInformation Signer, Unsigned Outside, ReadOnlyMemory<byte> Content) Read(ReadOnlyMemory<byte> token)
    {
        var signed = new CmsSignedData(token.ToArray());
        Demand(signed.SignedContentType.Id == Oids.TstInfo, "content type");
        var signers = signed.GetSignerInfos().GetSigners();
        Demand(signers.Count == 1, "signers");
        using var content = new MemoryStream();
        signed.SignedContent.Write(content);
        DemandForm(content.ToArray());
        var signer = signers.Single();
        Demand(signer.Version == 1, "version");
        return (signer, Outside(token, signer.DigestAlgorithmID.Algorithm.Id), content.ToArray());
    }

    // What stands outside of the signature, and BouncyCastle passes over; and the certificates as they came, which it would write anew.
    static Unsigned Outside(ReadOnlyMemory<byte> token, string digest)
    {
        var info = new AsnReader(token, AsnEncodingRules.DER).ReadSequence();
        Demand(info.ReadObjectIdentifier() == Oids.SignedData, "content type");
        var body = info.ReadSequence(Context0).ReadSequence();
        Demand(body.TryReadInt32(out var version) && version == 3, "version");
        var digests = body.ReadSetOf();
        Demand(digests.ReadSequence().ReadObjectIdentifier() == digest && !digests.HasData, "signature algorithm");
        body.ReadSequence();
        var certificates = new List<ReadOnlyMemory<byte>>();
        for (var carried = body.PeekTag() == Context0 ? body.ReadSetOf(skipSortOrderValidation: true, Context0) : null; carried is { HasData: true };) certificates.Add(carried.ReadEncodedValue());
        if (body.PeekTag() == Context1) body.ReadSetOf(skipSortOrderValidation: true, Context1);
        var signer = body.ReadSetOf().ReadSequence();
        signer.ReadInteger();
        var sid = signer.ReadSequence();
        return new(certificates, sid.ReadEncodedValue(), sid.ReadIntegerBytes());
    }

    // RFC 5816: the hash in the signed attributes fixes the certificate; an attribute of SHA-1 (RFC 3161's own) does not.
    static Certificate Signer(SignerInformation signer, Unsigned outside)
    {
        var (hash, value) = EssCertificate(signer.SignedAttributes ?? throw new RefusedException(Refusal.TimeStamp, "no signed attributes"));
        var named = outside.Certificates.Where(der => CryptographicOperations.HashData(hash, der.Span).AsSpan().SequenceEqual(value)).ToList();
        Demand(named.Count == 1, "certificate");
        var authority = new Certificate(named[0].Span);
        // Byte by byte: BouncyCastle takes names for the same whose strings are of other types.
        Demand(outside.Issuer.Span.SequenceEqual(authority.IssuerDer) && outside.Serial.Span.SequenceEqual(authority.SerialNumber), "certificate");
        return authority;
    }

    static (HashAlgorithmName Hash, byte[] Value) EssCertificate(CmsAttributes attributes)
    {
        var all = attributes.GetAll(new(Oids.SigningCertificateV2));
        Demand(all.Count == 1, "ESSCertIDv2");
        var values = ((Org.BouncyCastle.Asn1.Cms.Attribute)all[0]).AttrValues;
        Demand(values.Count == 1, "ESSCertIDv2");
        var id = new AsnReader(values[0].GetEncoded("DER"), AsnEncodingRules.DER).ReadSequence().ReadSequence().ReadSequence();
        var hash = HashAlgorithmName.SHA256;
        if (id.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence))
            hash = id.ReadSequence().ReadObjectIdentifier() switch
            {
                Oids.Sha256 => HashAlgorithmName.SHA256, Oids.Sha384 => HashAlgorithmName.SHA384, Sha512 => HashAlgorithmName.SHA512,
                _ => throw new RefusedException(Refusal.TimeStamp, "ESSCertIDv2"),
            };
        return (hash, id.ReadOctetString());
    }

    // Content type and message digest in the signed attributes are checked with it.
    static bool Verifies(SignerInformation signer, Certificate authority)
    {
        try { return signer.Verify(authority.Parsed); }
        catch (CmsException) { return false; }
    }

    static void Demand(bool holds, string fault)
    {
        if (!holds) throw new RefusedException(Refusal.TimeStamp, fault);
    }
}
