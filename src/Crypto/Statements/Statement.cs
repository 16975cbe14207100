using Exchange.Crypto.Keys;
using Exchange.Crypto.TimeStamps;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Statements;

/// <summary>
/// A statement: CMS SignedData (RFC 5652) over canonical JSON, strict DER, one SignerInfo per member of "signers", all of them verified against the certificates
/// carried inside. What the certificates are worth is not decided here: ask <see cref="CertificateCheck"/> and the directory.
/// </summary>
public sealed class Statement
{
    readonly IStatementContent content;
    readonly SignedData data;

    Statement(StatementType type, ReadOnlyMemory<byte> der, SignedData data, IStatementContent content, IReadOnlyList<Certificate> signers)
    {
        Type = type;
        Der = der;
        this.data = data;
        this.content = content;
        Ref = Digest.Of(data.Content.Span);
        Signers = signers;
        SignatureDigests = [.. data.Signers.Select(s => Digest.Of(s.Signature.Span))];
        var infos = signers.Select(c => data.Signers.First(s => s.Attributes.Certificate == c.Key)).ToList();
        SigningTimes = [.. infos.Select(i => i.Attributes.SigningTime)];
        TimeStamps = [.. infos.Select(i => (Digest.Of(i.Signature.Span), i.TimeStamp))];
    }

    public StatementType Type { get; }
    public ReadOnlyMemory<byte> Der { get; }
    /// <summary>Canonical JSON bytes.</summary>
    public ReadOnlyMemory<byte> Json => data.Content;
    /// <summary>ref(S) = SHA-256 of the JSON bytes.</summary>
    public Digest Ref { get; }
    /// <summary>Certificates in the order of "signers".</summary>
    public IReadOnlyList<Certificate> Signers { get; }
    /// <summary>Signing times in the order of "signers".</summary>
    public IReadOnlyList<DateTimeOffset> SigningTimes { get; }
    /// <summary>SHA-256 of the signature, and the time-stamp token over it (null: none), in the order of "signers". Not verified: see <see cref="TimeStampCheck"/>.</summary>
    public IReadOnlyList<(Digest Signature, ReadOnlyMemory<byte>? Token)> TimeStamps { get; }
    /// <summary>SHA-256 of each SignerInfo.signature, in SET order.</summary>
    public IReadOnlyList<Digest> SignatureDigests { get; }
    /// <summary>DER of the eSSSecurityLabel attribute value; equal in all SignerInfos; null where the type has none.</summary>
    public ReadOnlyMemory<byte>? Label => data.Signers[0].Attributes.Label;
    public Digest? ManifestDigest => data.Signers[0].Attributes.ManifestDigest;

    /// <summary>The JSON as its record; v, type and signers were checked by <see cref="Read"/>.</summary>
    public T As<T>() where T : class, IStatementContent =>
        content as T ?? throw new InvalidOperationException($"This statement is a {content.GetType().Name}, not a {typeof(T).Name}.");

    /// <summary>Signs a record. Its "signers" must be the keys of <paramref name="signers"/>, in the same order.</summary>
    /// <param name="label">DER of the ESS label: in header and dispatch, exactly there.</param>
    /// <param name="manifestDigest">In the header, exactly there.</param>
    public static Statement Sign<T>(T content, IReadOnlyList<IPrivateKey> signers, DateTimeOffset signingTime, byte[]? label = null, Digest? manifestDigest = null)
        where T : class, IStatementContent =>
        Sign(StatementKind.Of<T>().Type, StatementKind.Of<T>().Write(content), signers, signingTime, label, manifestDigest);

    /// <summary>Signs canonical JSON; for a record use the overload above.</summary>
    public static Statement Sign(StatementType type, byte[] json, IReadOnlyList<IPrivateKey> signers, DateTimeOffset signingTime,
        byte[]? label = null, Digest? manifestDigest = null)
    {
        var infos = signers.Select(signer => Signature(type, json, signer, signingTime, label, manifestDigest));
        var der = new SignedData(Oids.ContentType(type), json, [.. signers.Select(s => s.Certificate.Der)], [.. infos]).Encode();
        // A statement that we would not accept never leaves: also catches a key that does not match its certificate.
        return Read(der, type);
    }

    /// <summary>One signer's part.</summary>
    internal static SignerInfo Signature(StatementType type, ReadOnlySpan<byte> json, IPrivateKey signer, DateTimeOffset signingTime, byte[]? label = null, Digest? manifestDigest = null)
    {
        var certificate = signer.Certificate;
        var time = DateTimeOffset.FromUnixTimeSeconds(signingTime.ToUnixTimeSeconds());
        // A null array would convert to an empty value, not to none.
        var ess = label is null ? default(ReadOnlyMemory<byte>?) : label;
        var algorithm = Ecdsa.Of(certificate) ?? throw new RefusedException(Refusal.Algorithm, "signer's key is neither on P-384 nor on P-256");
        var attributes = new SignedAttributes(Oids.ContentType(type), algorithm.Digested(json), time, certificate.Key, ess, manifestDigest) { Algorithm = algorithm };
        return new SignerInfo(certificate.IssuerDer, certificate.SerialNumber, attributes, signer.Sign(attributes.ToBeSigned()), TimeStamp: null);
    }

    /// <summary>Reads and verifies one statement of the given type; the whole input must be it.</summary>
    /// <exception cref="RefusedException">Der, Size, StatementType, StatementAttributes, StatementSigners, Algorithm, Signature, Json.</exception>
    public static Statement Read(ReadOnlyMemory<byte> der, StatementType type)
    {
        var kind = StatementKind.Of(type);
        if (der.Length > kind.MaxLength) throw new RefusedException(Refusal.Size, kind.Name);
        var data = SignedData.Decode(der, kind.MaxSigners);
        if (data.ContentType != Oids.ContentType(type)) throw new RefusedException(Refusal.StatementType, $"{data.ContentType} in place of a {kind.Name}");
        var content = kind.Read(data.Content.Span);
        if (content.V != 1 || content.Type != kind.Name) throw new RefusedException(Refusal.StatementType, $"v or type of a {kind.Name}");

        CheckAttributes(data, kind);
        var certificates = MatchSigners(data, content.Signers, kind);
        foreach (var info in data.Signers) CheckSignature(info, certificates.First(c => c.Key == info.Attributes.Certificate));
        return new Statement(type, der.ToArray(), data, content, certificates);
    }

    /// <summary>The same dispatch, each signature with its token, which are verified already. Their SET may have another order now: a header is made over the result, never over what was before.</summary>
    /// <param name="tokens">DER, in the order of "signers".</param>
    internal Statement WithTimeStamps(IReadOnlyList<ReadOnlyMemory<byte>> tokens)
    {
        if (tokens.Count != Signers.Count) throw new ArgumentException($"One for each of {Signers.Count} signatures.", nameof(tokens));
        var infos = Signers.Select((c, i) => data.Signers.First(s => s.Attributes.Certificate == c.Key) with { TimeStamp = tokens[i] });
        return Read((data with { Signers = [.. infos] }).Encode(), Type);
    }

    /// <summary>As <see cref="Read"/>, of whatever type the content says: for showing a file. What acts on a statement knows which type it wants.</summary>
    /// <exception cref="RefusedException">As <see cref="Read"/>; StatementType: none of ours.</exception>
    public static Statement ReadAny(ReadOnlyMemory<byte> der)
    {
        var kind = StatementKind.OfContent(SignedData.Decode(der, StatementKind.MostSigners).ContentType) ?? throw new RefusedException(Refusal.StatementType);
        return Read(der, kind.Type);
    }

    internal static void CheckAttributes(SignedData data, StatementKind kind) => Fault.DemandNone(AttributeFaults(data, kind));

    internal static IEnumerable<Fault> AttributeFaults(SignedData data, StatementKind kind)
    {
        if (data.Signers.Count == 0) { yield return new(Refusal.StatementSigners, "no signer"); yield break; }
        var first = data.Signers[0].Attributes;
        foreach (var info in data.Signers)
        {
            var attributes = info.Attributes;
            if (attributes.ContentType != data.ContentType) yield return new(Refusal.StatementAttributes, "contentType");
            if (attributes.Label.HasValue != kind.HasLabel) yield return new(Refusal.StatementAttributes, "eSSSecurityLabel");
            if (attributes.ManifestDigest.HasValue != kind.HasManifestDigest) yield return new(Refusal.StatementAttributes, "manifestDigest");
            if (info.TimeStamp is not null && kind.Type != StatementType.Dispatch) yield return new(Refusal.StatementAttributes, "unsigned attribute");
            // RFC 2634 3.1.4: equal in all SignerInfos, or not at all.
            if (attributes.Label is { } label && first.Label is { } other && !label.Span.SequenceEqual(other.Span)) yield return new(Refusal.LabelMismatch, "SignerInfos differ");
            if (!attributes.MessageDigest.Span.SequenceEqual(info.Algorithm.Digested(data.Content.Span))) yield return new(Refusal.Signature, "messageDigest");
        }
    }

    /// <summary>Signers named in the JSON, certificates carried and SignerInfos are the same set, each once: a stripped or added signer shows.</summary>
    static Certificate[] MatchSigners(SignedData data, Digest[] signers, StatementKind kind)
    {
        if (signers.Length < kind.MinSigners || signers.Length != data.Signers.Count || signers.Length != data.Certificates.Count || signers.Distinct().Count() != signers.Length)
            throw new RefusedException(Refusal.StatementSigners, "count");
        var carried = data.Certificates.Select(der => Certificate.Of(der.Span)).ToDictionary(c => c.Key);
        var signed = data.Signers.Select(s => s.Attributes.Certificate).ToHashSet();
        if (!signed.SetEquals(signers) || !signers.All(carried.ContainsKey)) throw new RefusedException(Refusal.StatementSigners, "not the signers named");
        return [.. signers.Select(key => carried[key])];
    }

    internal static void CheckSignature(SignerInfo info, Certificate certificate) => Fault.DemandNone(SignatureFaults(info, certificate));

    internal static IEnumerable<Fault> SignatureFaults(SignerInfo info, Certificate certificate)
    {
        if (!info.Issuer.Span.SequenceEqual(certificate.IssuerDer) || !info.Serial.Span.SequenceEqual(certificate.SerialNumber)) yield return new(Refusal.StatementSigners, "sid");
        if (certificate.PointFor(info.Algorithm) is not { } key) yield return new(Refusal.Algorithm, "signer's key is not on the curve of the algorithm");
        else if (!info.Algorithm.Verify(key, info.Attributes.ToBeSigned(), info.Signature)) yield return new(Refusal.Signature, "SignerInfo");
    }
}
