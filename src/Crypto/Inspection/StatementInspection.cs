using System.Text.Json;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.TimeStamps;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Inspection;

/// <summary>A statement, complete or broken: its own part, then one for each certificate and signer.</summary>
static class StatementInspection
{
    /// <param name="Content">null: its JSON is not what its type demands.</param>
    /// <param name="Ref">null: it has no content.</param>
    public sealed record Read(StatementKind? Kind, IStatementContent? Content, Digest? Ref, IReadOnlyList<SignerInfo> Signers);

    static readonly Read Nothing = new(null, null, null, []);

    /// <param name="expected">What its place demands; null: any.</param>
    public static Read Run(ReadOnlyMemory<byte> der, string name, long? offset, StatementType? expected, List<InspectedPart> parts)
    {
        var part = new InspectedPart(name, offset, der.Length);
        parts.Add(part);
        part.Says("sha256", Digest.Of(der.Span).ToString());
        LooseSigned? loose = null;
        if (!part.Try("SignedData", () => loose = LooseSigned.Read(der)) || loose is null) return Nothing;
        // The strict reader says first what it would refuse; the rest is read by itself.
        part.Try("SignedData", () => SignedData.Decode(der, StatementKind.MostSigners));
        var kind = StatementKind.OfContent(loose.ContentType);
        part.Says("type", kind?.Name ?? loose.ContentType);
        if (kind is null) part.Lacks(Refusal.StatementType, loose.ContentType);
        else if (expected is { } type && kind.Type != type) part.Lacks(Refusal.StatementType, $"{loose.ContentType} in place of a {StatementKind.Of(type).Name}");
        if (kind is not null && der.Length > kind.MaxLength) part.Lacks(Refusal.Size, kind.Name);
        part.Says("certificates", loose.Certificates.Count);
        part.Says("signers", loose.Signers.Count);
        var content = Content(loose, kind, part);
        var certificates = loose.Certificates.Select((c, i) => CertificateInspection.Run(c, $"{name}: certificate {i + 1}", null, parts)).ToList();
        var signers = loose.Signers.Select((s, i) => Signer(s, $"{name}: signer {i + 1}", loose, kind, certificates, parts)).OfType<SignerInfo>().ToList();
        if (content is not null && kind is not null) Match(content, kind, loose, certificates, signers, part);
        if (kind is { HasLabel: true } && content is Header or Dispatch) LabelOf(content, signers, part);
        return new(kind, content, loose.Content is { } json ? Digest.Of(json.Span) : null, signers);
    }

    static IStatementContent? Content(LooseSigned loose, StatementKind? kind, InspectedPart part)
    {
        if (loose.Content is not { } json)
        {
            part.Lacks(Refusal.Der, "content");
            return null;
        }
        part.Says("ref", Digest.Of(json.Span).ToString());
        part.Says("content bytes", json.Length);
        if (IsJson(json)) part.Json = json;
        if (kind is null) return null;
        IStatementContent? content = null;
        if (!part.Try("JSON", () => content = kind.Read(json.Span)) || content is null) return null;
        if (content.V != 1 || content.Type != kind.Name) part.Lacks(Refusal.StatementType, $"v or type of a {kind.Name}");
        part.Try("content", () => part.Lacks(Faults(content)));
        return content;
    }

    static bool IsJson(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return true;
        }
        catch (JsonException) { return false; }
    }

    // What may be said, apart from who said it; of a header everything, of the others the first thing.
    static IEnumerable<Fault> Faults(IStatementContent content) => content switch
    {
        Header header => header.Approvals.Length > EnvelopeParts.MaxApprovals ? [new(Refusal.Size, "approvals"), .. HeaderRules.Faults(header)] : HeaderRules.Faults(header),
        Dispatch dispatch => Fault.Of(() => Envelope.DispatchRules.Check(dispatch)),
        Approval approval => Fault.Of(() => LabelForm.Check(approval.Label)),
        LabelStatement change => Fault.Of(() => LabelChangeCheck.Check(change)),
        HandlingStatus status => Fault.Of(() => HandlingStatusCheck.Check(status)),
        Card card => Fault.Of(() => DirectoryForm.Check(card)),
        DirectoryStatement directory => Fault.Of(() => DirectoryForm.Check(directory)),
        StandingStatement standing => Fault.Of(() => DirectoryForm.Check(standing)),
        PolicyStatement policy => Fault.Of(() => CompiledPolicy.Compile(policy)),
        _ => [],
    };

    static SignerInfo? Signer(ReadOnlyMemory<byte> der, string name, LooseSigned loose, StatementKind? kind, List<Certificate?> certificates, List<InspectedPart> parts)
    {
        var part = new InspectedPart(name, null, der.Length);
        parts.Add(part);
        SignerInfo? info = null;
        if (!part.Try("SignerInfo", () => info = SignerInfo.Decode(der)) || info is null) return null;
        part.Says("key", info.Attributes.Certificate.ToString());
        part.Says("signing time", info.Attributes.SigningTime);
        part.Says("digest", info.Algorithm.Digest);
        part.Says("signature algorithm", info.Algorithm.Signature);
        part.Says("signature", Digest.Of(info.Signature.Span).ToString());
        if (info.Attributes.ManifestDigest is { } manifest) part.Says("manifest digest", manifest.ToString());
        if (kind is not null && loose.Content is { } content) part.Lacks(Statement.AttributeFaults(new SignedData(loose.ContentType, content, [], [info]), kind));
        if (info.Attributes.Label is { } label) part.Try("eSSSecurityLabel", () => EssLabel.Read(label));
        if (certificates.Find(c => c?.Key == info.Attributes.Certificate) is { } certificate) part.Try("signature", () => part.Lacks(Statement.SignatureFaults(info, certificate)));
        else if (certificates.Contains(null)) part.UnreadableBecauseOf = "certificate";
        else part.Lacks(Refusal.StatementSigners, "not the signers named");
        if (info.TimeStamp is { } token) TimeStampInspection.Run(token, $"{name}: time-stamp", null, [Digest.Of(info.Signature.Span)], parts);
        return info;
    }

    static void Match(IStatementContent content, StatementKind kind, LooseSigned loose, List<Certificate?> certificates, List<SignerInfo> signers, InspectedPart part)
    {
        var named = content.Signers;
        foreach (var key in named.Take(kind.MaxSigners + 1)) part.Says("named signer", key.ToString());
        if (named.Length < kind.MinSigners || named.Length > kind.MaxSigners || named.Length != loose.Signers.Count || named.Length != loose.Certificates.Count || named.Distinct().Count() != named.Length)
            part.Lacks(Refusal.StatementSigners, "count");
        var signed = signers.Select(s => s.Attributes.Certificate).ToHashSet();
        var carried = certificates.OfType<Certificate>().Select(c => c.Key).ToHashSet();
        if (signers.Count == loose.Signers.Count && !certificates.Contains(null) && (!signed.SetEquals(named) || !named.All(carried.Contains))) part.Lacks(Refusal.StatementSigners, "not the signers named");
        if (kind.HasLabel && signers.Count > 1 && signers.Skip(1).Any(s => s.Attributes.Label is { } label && signers[0].Attributes.Label is { } first && !label.Span.SequenceEqual(first.Span)))
            part.Lacks(Refusal.LabelMismatch, "SignerInfos differ");
    }

    static void LabelOf(IStatementContent content, List<SignerInfo> signers, InspectedPart part)
    {
        var label = content is Header header ? header.Label : ((Dispatch)content).Label;
        part.Try("label", () =>
        {
            var ess = EssLabel.ToEss(label);
            if (signers.Any(s => s.Attributes.Label is { } attribute && !attribute.Span.SequenceEqual(ess))) part.Lacks(Refusal.LabelForm, "attribute differs from header");
        });
    }
}
