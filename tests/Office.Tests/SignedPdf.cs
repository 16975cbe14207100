using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Exchange.Tests;

/// <summary>A small PDF with real signatures, each added by an incremental update, as programs for signing do it (ISO 32000-2 12.8, 7.5.6).</summary>
sealed class SignedPdf
{
    const int Room = 16_384;
    const string Ess = "1.2.840.113549.1.9.16.2.47";
    readonly List<byte> file = [];
    readonly SortedDictionary<int, int> offsets = [];
    int previous, next = 4;
    readonly List<int> fields = [];

    public SignedPdf(string text = "Kinh gui")
    {
        Append("%PDF-1.7\n%âãÏÓ\n");
        Object(1, "<</Type/Catalog/Pages 2 0 R>>");
        Object(2, "<</Type/Pages/Kids[3 0 R]/Count 1>>");
        Object(3, $"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Note({text})>>");
        End();
    }

    public byte[] Bytes => [.. file];

    /// <summary>What somebody adds behind it.</summary>
    public SignedPdf Update(string text)
    {
        Object(3, $"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Note({text})>>");
        End();
        return this;
    }

    /// <param name="sign">CMS over the bytes covered.</param>
    /// <param name="range">Another byte range than the right one; it must be as long as that in digits.</param>
    public SignedPdf Sign(Func<byte[], byte[]> sign, string form = "adbe.pkcs7.detached", Func<int[], int[]>? range = null)
    {
        var (field, value) = (next++, next++);
        fields.Add(field);
        Object(1, $"<</Type/Catalog/Pages 2 0 R/AcroForm<</SigFlags 3/Fields[{string.Join(' ', fields.Select(f => $"{f} 0 R"))}]>>>>");
        Object(field, $"<</Type/Annot/Subtype/Widget/FT/Sig/T(s{field})/Rect[0 0 0 0]/V {value} 0 R>>");
        offsets[value] = file.Count;
        Append($"{value} 0 obj\n<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/{form}/M(D:20261120093000+07'00')/ByteRange[");
        var rangeAt = file.Count;
        Append(new string(' ', 44) + "]/Contents");
        var hole = file.Count;
        Append($"<{new string('0', 2 * Room)}>");
        var after = file.Count;
        Append(">>\nendobj\n");
        End();
        int[] right = [0, hole, after, file.Count - after];
        var said = string.Create(CultureInfo.InvariantCulture, $"{string.Join(' ', range?.Invoke(right) ?? right)}").PadRight(44);
        Put(rangeAt, said);
        var cms = sign([.. file.Take(hole), .. file.Skip(after)]);
        Put(hole + 1, Convert.ToHexString(cms));
        return this;
    }

    public static Func<byte[], byte[]> By(X509Certificate2 signer, Action<CmsSigner>? change = null) => content =>
    {
        var cms = new SignedCms(new ContentInfo(content), detached: true);
        var one = new CmsSigner(signer) { DigestAlgorithm = new("2.16.840.1.101.3.4.2.1"), IncludeOption = X509IncludeOption.EndCertOnly };
        change?.Invoke(one);
        // As every program for signing documents does it (RFC 5035); without signed attributes there would be no digest apart from the signature.
        if (!one.SignedAttributes.Cast<CryptographicAttributeObject>().Any(a => a.Oid.Value == Ess)) one.SignedAttributes.Add(new AsnEncodedData(Ess, [0x30, 0x26, 0x30, 0x24, 0x30, 0x22, 0x04, 0x20, .. SHA256.HashData(signer.RawData)]));
        cms.ComputeSignature(one);
        return cms.Encode();
    };

    void Put(int at, string text)
    {
        for (var i = 0; i < text.Length; i++) file[at + i] = (byte)text[i];
    }

    void Append(string text) => file.AddRange(Encoding.Latin1.GetBytes(text));

    void Object(int number, string body)
    {
        offsets[number] = file.Count;
        Append($"{number} 0 obj\n{body}\nendobj\n");
    }

    void End()
    {
        var xref = file.Count;
        Append("xref\n0 1\n0000000000 65535 f \n");
        foreach (var (number, offset) in offsets) Append(string.Create(CultureInfo.InvariantCulture, $"{number} 1\n{offset:0000000000} 00000 n \n"));
        Append(string.Create(CultureInfo.InvariantCulture, $"trailer\n<</Size {Math.Max(4, next)}/Root 1 0 R{(previous > 0 ? $"/Prev {previous}" : "")}>>\nstartxref\n{xref}\n%%EOF\n"));
        previous = xref;
        offsets.Clear();
    }
}
