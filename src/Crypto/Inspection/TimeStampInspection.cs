using Exchange.Crypto.TimeStamps;

namespace Exchange.Crypto.Inspection;

/// <summary>A time-stamp token: what it says, and whether the certificate in it signed that. Whether that one is an authority's is not looked at.</summary>
static class TimeStampInspection
{
    /// <param name="imprints">What it has to be about; null: not known.</param>
    public static void Run(ReadOnlyMemory<byte> der, string name, long? offset, IReadOnlyCollection<Digest>? imprints, List<InspectedPart> parts)
    {
        var part = new InspectedPart(name, offset, der.Length);
        parts.Add(part);
        LooseSigned? loose = null;
        if (part.Try("SignedData", () => loose = LooseSigned.Read(der)) && loose is not null)
        {
            part.Says("type", loose.ContentType == Oids.TstInfo ? "TSTInfo" : loose.ContentType);
            part.Says("signers", loose.Signers.Count);
            if (loose.Content is { } content) part.Try("TSTInfo", () => Says(TimeStampInfo.Read(content), part));
            for (var i = 0; i < loose.Certificates.Count; i++) CertificateInspection.Run(loose.Certificates[i], $"{name}: certificate {i + 1}", null, parts);
        }
        part.Try("time-stamp", () => TimeStampCheck.CheckForm(der, imprints));
    }

    static void Says(TimeStampInfo info, InspectedPart part)
    {
        part.Says("time", info.Time);
        part.Says("imprint", info.Imprint.ToString());
        part.Says("policy", info.Policy);
        if (info.Accuracy is { } accuracy) part.Says("accuracy", accuracy.ToString());
    }
}
