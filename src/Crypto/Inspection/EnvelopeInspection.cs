using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Inspection;

/// <summary>The file form of an envelope: each part by itself, then what they say of each other.</summary>
static class EnvelopeInspection
{
    public static async Task<Inspected> ReadAsync(Stream file, long length, IProgress<long>? progress, CancellationToken cancel)
    {
        var parts = new List<InspectedPart>();
        var (header, approvals, hasManifest) = await PartsAsync(file, length, parts, cancel);
        var at = file.Position;
        var payload = new InspectedPart("payload", hasManifest ? at : null, hasManifest ? length - at : 0);
        parts.Add(payload);
        if (!hasManifest) payload.UnreadableBecauseOf = parts.Exists(p => p.Name == "manifest") ? "manifest" : parts[^2].Name;
        else if (header is null) Length(payload, null, "header");
        else await PayloadAsync(file, header, payload, progress, cancel);
        if (header is not null) Together(header, approvals, parts);
        return new(InspectedKind.Envelope, length, parts);
    }

    static async Task<(Header? Header, List<StatementInspection.Read> Approvals, bool HasManifest)> PartsAsync(Stream file, long length, List<InspectedPart> parts, CancellationToken cancel)
    {
        if (await NextAsync(file, EnvelopeParts.MaxHeader, "header", parts, cancel) is not { } first) return (null, [], false);
        var read = StatementInspection.Run(first, "header", 0, StatementType.Header, parts);
        var header = read.Content as Header;
        var approvals = new List<StatementInspection.Read>();
        while (true)
        {
            var offset = file.Position;
            var announced = header?.Approvals.Length;
            var isApproval = announced is { } count ? approvals.Count < Math.Min(count, EnvelopeParts.MaxApprovals) : (bool?)null;
            if (offset == length)
            {
                var missing = new InspectedPart(isApproval == true ? $"approval {approvals.Count + 1}" : "manifest", offset, 0);
                missing.Lacks(Refusal.Der, "bytes are missing");
                parts.Add(missing);
                return (header, approvals, false);
            }
            // A header that cannot be read does not say how many there are: then each part says itself what it is.
            if (await NextAsync(file, isApproval == true ? EnvelopeParts.MaxApproval : EnvelopeParts.MaxManifest, isApproval == true ? $"approval {approvals.Count + 1}" : "manifest", parts, cancel) is not { } part)
                return (header, approvals, false);
            var type = LooseSigned.OuterType(part);
            if (type == Oids.SignedData && approvals.Count <= EnvelopeParts.MaxApprovals || type != Oids.AuthEnvelopedData && isApproval == true)
            {
                if (isApproval != true && header is not null) parts[0].Lacks(Refusal.Approval, "count");
                if (approvals.Count == EnvelopeParts.MaxApprovals) parts[0].Lacks(Refusal.Size, "approvals");
                approvals.Add(StatementInspection.Run(part, $"approval {approvals.Count + 1}", offset, StatementType.Approval, parts));
                continue;
            }
            if (isApproval == true) parts[0].Lacks(Refusal.Approval, "count");
            var manifest = ManifestInspection.Run(part, "manifest", offset, read.Kind is null ? null : read.Ref, header?.Recipients.Length, parts);
            if (read.Ref is null) manifest.UnreadableBecauseOf = "header";
            var digest = Digest.Of(part.Span);
            foreach (var signer in read.Signers)
                if (signer.Attributes.ManifestDigest is { } named && named != digest) manifest.Lacks(Refusal.Manifest, "digest");
            return (header, approvals, true);
        }
    }

    /// <returns>null: nobody knows where it ends, so nothing behind it can be found.</returns>
    static async Task<ReadOnlyMemory<byte>?> NextAsync(Stream file, int most, string name, List<InspectedPart> parts, CancellationToken cancel)
    {
        var offset = file.Position;
        try { return await EnvelopeFile.ReadPartAsync(file, most, cancel); }
        catch (RefusedException e)
        {
            var broken = new InspectedPart(name, offset, file.Length - offset);
            broken.Lacks(e.Refusal, e.Detail);
            parts.Add(broken);
            return null;
        }
    }

    static bool Length(InspectedPart part, PayloadRef? expected, string? because)
    {
        part.Says("bytes on the wire", part.Length);
        part.UnreadableBecauseOf = because;
        if (expected is null) return false;
        part.Says("length", expected.Length);
        part.Says("segments", Payload.Segments(expected.Length));
        part.Says("segment bytes", Payload.SegmentLength);
        part.Says("root", expected.Root.ToString());
        if (expected.Length is < 0 or > Payload.MaxLength) return false;
        if (part.Length == Payload.WireLength(expected.Length)) return true;
        part.Says("bytes that the header says", Payload.WireLength(expected.Length));
        part.Lacks(Refusal.PayloadLength, part.Length < Payload.WireLength(expected.Length) ? "short" : "bytes left over");
        return false;
    }

    static async Task PayloadAsync(Stream file, Header header, InspectedPart part, IProgress<long>? progress, CancellationToken cancel)
    {
        if (header.Payload is null && part.Length > 0) part.Lacks(Refusal.PayloadLength, "a recall has none");
        // Of other bytes than these the root is another in any case.
        if (!Length(part, header.Payload, null)) return;
        try { await Payload.VerifyAsync(file, header.Payload!, null, progress, cancel); }
        catch (RefusedException e) { part.Lacks(e.Refusal, e.Detail); }
    }

    // What each of them says about another. When it arrived nobody knows here, so whether an approval had lapsed is not said.
    static void Together(Header header, List<StatementInspection.Read> approvals, List<InspectedPart> parts)
    {
        for (var i = 0; i < approvals.Count; i++)
        {
            var part = parts.First(p => p.Name == $"approval {i + 1}");
            if (i < header.Approvals.Length && approvals[i].Ref is { } reference && reference != header.Approvals[i]) part.Lacks(Refusal.Approval, "not the one that the header names");
            if (approvals[i].Content is Approval approval) part.Try("approval", () => part.Lacks(EnvelopeCheck.ApprovalFaults(approval, header, null)));
        }
    }
}
