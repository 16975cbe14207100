namespace Exchange.Office.Client;

/// <summary>
/// Reads the signatures of one document in this process: files of strangers, by parsers of others. Only <c>exchange read-signatures</c> calls it, in a process that ends with it
/// (<see cref="DocumentSignatures"/>): what a hostile file does to a parser, and no exception tells, ends that process alone.
/// | at most |: PDF 64 MiB, XML 16 MiB, 32 signatures.
/// </summary>
static class SignatureReader
{
    public const int MostSignatures = 32;
    public const long MostPdf = 64 << 20;
    const long MostXml = 16 << 20;

    /// <summary>Everything that goes wrong is an answer.</summary>
    public static SignedDocument Read(string file)
    {
        var kind = DocumentKind.Of(file);
        if (kind is null) return new(file, "", [], null);
        if (new FileInfo(file).Length > (kind == DocumentKind.Pdf ? MostPdf : MostXml)) return new(file, kind, [], SignatureWhy.TooLarge);
        try
        {
            var bytes = File.ReadAllBytes(file);
            return new(file, kind, kind == DocumentKind.Pdf ? PdfSignatures.Read(bytes) : XmlSignatures.Read(bytes), null);
        }
        catch (SignatureTroubleException e) { return new(file, kind, [], e.Why); }
        // Parsers of strangers' files throw what they like; which it was nobody who reads a dispatch can use.
        catch (Exception e) when (e is not OutOfMemoryException) { return new(file, kind, [], SignatureWhy.Reader); }
    }
}

/// <summary>Nothing can be told of the document.</summary>
sealed class SignatureTroubleException(string why) : Exception(why)
{
    public string Why { get; } = why;
}
