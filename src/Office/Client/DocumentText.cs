using System.IO.Compression;
using System.Text;
using System.Xml;

namespace Exchange.Office.Client;

/// <summary>The text of plain text files and .docx (ECMA-376: a ZIP with word/*.xml), as far as bounds allow. Everything else is not read, and the caller says so.</summary>
static class DocumentText
{
    const long MaxPlain = 32 << 20, MaxXml = 64 << 20;
    const int MaxParts = 256;
    const string Word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";

    /// <returns>null: not a form that is read here, too long, or not what its name says.</returns>
    public static string? Read(string file)
    {
        try
        {
            return Path.GetExtension(file).ToLowerInvariant() switch
            {
                ".txt" or ".md" or ".csv" => new FileInfo(file).Length <= MaxPlain ? Plain(file) : null,
                ".docx" => Docx(file),
                _ => null,
            };
        }
        catch (Exception e) when (e is InvalidDataException or XmlException or DecoderFallbackException or IOException or NotSupportedException or ArgumentException) { return null; }
    }

    // UTF-8, or UTF-16 and UTF-32 by their byte order mark.
    static string Plain(string file)
    {
        using var reader = new StreamReader(file, new UTF8Encoding(false, throwOnInvalidBytes: true), detectEncodingFromByteOrderMarks: true);
        return reader.ReadToEnd();
    }

    static string Docx(string file)
    {
        using var zip = ZipFile.OpenRead(file);
        var parts = zip.Entries.Where(e => e.FullName.StartsWith("word/", StringComparison.Ordinal) && e.FullName.EndsWith(".xml", StringComparison.Ordinal)).Take(MaxParts + 1).ToList();
        if (parts.Count is 0 or > MaxParts) throw new InvalidDataException("parts");
        var text = new StringBuilder();
        var left = MaxXml;
        foreach (var part in parts)
        {
            using var stream = part.Open();
            // What the directory says of a length is not believed: the reader counts characters.
            using var xml = XmlReader.Create(stream, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, MaxCharactersInDocument = left });
            left -= Collect(xml, text);
            if (left <= 0) throw new InvalidDataException("length");
        }
        return text.ToString();
    }

    /// <returns>At least 1; about how much was read.</returns>
    static long Collect(XmlReader xml, StringBuilder text)
    {
        long read = 1;
        var inside = false;
        while (xml.Read())
        {
            read += 16 + (xml.HasValue ? xml.Value.Length : 0);
            if (xml.NodeType == XmlNodeType.Element && xml.NamespaceURI == Word)
            {
                inside = xml.LocalName == "t" && !xml.IsEmptyElement;
                // One word may be cut into runs; paragraphs, breaks and tabs part words.
                if (xml.LocalName is "p" or "br" or "tab" or "cr") text.Append(' ');
            }
            else if (xml.NodeType == XmlNodeType.EndElement) inside = false;
            else if (inside && xml.NodeType is (XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.SignificantWhitespace or XmlNodeType.Whitespace)) text.Append(xml.Value);
        }
        text.Append(' ');
        return read;
    }
}
