using Exchange.Crypto.Envelope;

namespace Exchange.Crypto.Inspection;

/// <summary>A copy sealed once more for a channel that others run: a manifest of its own, then segments. Nothing inside shows without its office's key.</summary>
static class ParcelInspection
{
    public static async Task<Inspected> ReadAsync(Stream file, long length, CancellationToken cancel)
    {
        var parts = new List<InspectedPart>();
        var payload = new InspectedPart("content", null, 0);
        try
        {
            var wrap = await EnvelopeFile.ReadPartAsync(file, SealedParcel.MaxWrap, cancel);
            ManifestInspection.Run(wrap, "manifest", 0, SealedParcel.Context, 1, parts);
            payload = Content(file.Position, length);
        }
        catch (RefusedException e)
        {
            var broken = new InspectedPart("manifest", 0, length);
            broken.Lacks(e.Refusal, e.Detail);
            parts.Add(broken);
            payload.UnreadableBecauseOf = "manifest";
        }
        parts.Add(payload);
        return new(InspectedKind.Parcel, length, parts);
    }

    static InspectedPart Content(long offset, long length)
    {
        const int Whole = Payload.SegmentLength + Payload.TagLength;
        var part = new InspectedPart("content", offset, length - offset);
        var segments = Math.Max(1, (part.Length + Whole - 1) / Whole);
        var plain = part.Length - segments * Payload.TagLength;
        part.Says("bytes on the wire", part.Length);
        part.Says("segments", segments);
        part.Says("segment bytes", Payload.SegmentLength);
        if (plain < SealedParcel.Bucket || plain % SealedParcel.Bucket != 0) part.Lacks(Refusal.PayloadLength, "not whole segments of padded content");
        return part;
    }
}
