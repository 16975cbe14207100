using System.Globalization;
using UglyToad.PdfPig;
using UglyToad.PdfPig.Core;
using UglyToad.PdfPig.Tokens;

namespace Exchange.Office.Client;

/// <summary>
/// Signatures of a PDF (ISO 32000-2 12.8). PdfPig finds the signature fields; what they cover is decided on the file's own bytes: all of it but one hole, and that hole is the hexadecimal string that holds the
/// signature. So it does not matter whether other programs would read another document out of the same bytes: what holds was signed byte for byte.
/// </summary>
static class PdfSignatures
{
    const int MostFields = 10_000, MostDepth = 32, MostContents = 1 << 20;

    /// <exception cref="SignatureTroubleException">Encrypted, or too many.</exception>
    public static IReadOnlyList<DocumentSignature> Read(byte[] file)
    {
        using var document = PdfDocument.Open(file, new ParsingOptions { UseLenientParsing = true, MaxStackDepth = 64 });
        var dictionaries = new Fields(document).Signatures();
        if (dictionaries.Count > 0 && document.IsEncrypted) throw new SignatureTroubleException(SignatureWhy.Encrypted);
        var read = dictionaries.Select(d => Read(file, d)).ToList();
        var whole = read.Any(r => r.Outcome == SignatureOutcome.Holds);
        // A second signatory signs what the first one's signature is in already: that is no change that nobody answers for.
        return [.. read.Select(r => whole && r.Why == SignatureWhy.ChangedAfter ? r with { Outcome = SignatureOutcome.CannotBeTold, Why = SignatureWhy.EarlierState } : r)];
    }

    static DocumentSignature Read(byte[] file, IReadOnlyDictionary<string, IToken> dictionary)
    {
        var form = dictionary.GetValueOrDefault("SubFilter") is NameToken name ? name.Data : "";
        if (form == "ETSI.RFC3161") return Cannot(SignatureWhy.TimeStamp);
        if (form is not ("adbe.pkcs7.detached" or "ETSI.CAdES.detached")) return Cannot(SignatureWhy.Form);
        if (Range(dictionary, file.Length) is not var (before, hole, after)) return new(SignatureOutcome.DoesNotHold, SignatureWhy.Range, null, null, null);
        // What is not signed must hold nothing but the signature: there a second document could stand.
        if (Contents(file.AsSpan(before.Start + before.Length, hole)) is not { } contents) return new(SignatureOutcome.DoesNotHold, SignatureWhy.Range, null, null, null);
        byte[] signed = [.. file.AsSpan(before.Start, before.Length), .. file.AsSpan(after.Start, after.Length)];
        var checkedSignature = CmsSignature.Check(contents, signed);
        if (checkedSignature.Claimed is null && dictionary.GetValueOrDefault("M") is StringToken said) checkedSignature = checkedSignature with { Claimed = Time(said.Data) };
        var end = after.Start + after.Length;
        if (checkedSignature.Outcome == SignatureOutcome.Holds && (before.Start != 0 || end != file.Length))
            checkedSignature = checkedSignature with
            {
                Outcome = SignatureOutcome.DoesNotHold, Why = before.Start == 0 ? SignatureWhy.ChangedAfter : SignatureWhy.Part,
                Covers = string.Create(CultureInfo.InvariantCulture, $"{before.Length + after.Length + hole}/{file.Length} B"),
            };
        return checkedSignature;
    }

    static ((int Start, int Length) Before, int Hole, (int Start, int Length) After)? Range(IReadOnlyDictionary<string, IToken> dictionary, int length)
    {
        if (dictionary.GetValueOrDefault("ByteRange") is not ArrayToken { Length: 4 } array || !array.Data.All(t => t is NumericToken)) return null;
        var numbers = array.Data.Select(t => ((NumericToken)t).Double).ToArray();
        if (!numbers.All(n => n >= 0 && n <= length && n == Math.Floor(n))) return null;
        int[] r = [.. numbers.Select(n => (int)n)];
        var (first, hole) = (r[0] + r[1], r[2] - (r[0] + r[1]));
        return hole is >= 2 and <= 2 * MostContents && r[2] + (long)r[3] <= length && first <= r[2] ? ((r[0], r[1]), hole, (r[2], r[3])) : null;
    }

    static byte[]? Contents(ReadOnlySpan<byte> hole)
    {
        if (hole[0] != '<' || hole[^1] != '>' || hole.Length % 2 != 0) return null;
        var bytes = new byte[hole.Length / 2 - 1];
        return Convert.FromHexString(hole[1..^1], bytes, out _, out var written) == System.Buffers.OperationStatus.Done && written == bytes.Length ? bytes : null;
    }

    // ISO 32000-2 7.9.4: D:YYYYMMDDHHmmSSOHH'mm
    static DateTimeOffset? Time(string text)
    {
        var plain = text.Replace("'", "", StringComparison.Ordinal).Replace("Z", "+", StringComparison.Ordinal).TrimEnd('+');
        return DateTimeOffset.TryParseExact(plain, ["'D:'yyyyMMddHHmmsszzz", "'D:'yyyyMMddHHmmss", "'D:'yyyyMMddHHmmss'+0000'"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
    }

    static DocumentSignature Cannot(string why) => new(SignatureOutcome.CannotBeTold, why, null, null, null);

    /// <summary>The tree of form fields, in bounded steps; a file may make a circle of it.</summary>
    sealed class Fields(PdfDocument document)
    {
        readonly List<IReadOnlyDictionary<string, IToken>> signatures = [];
        readonly HashSet<IndirectReference> met = [];
        int steps;

        public List<IReadOnlyDictionary<string, IToken>> Signatures()
        {
            if (Dictionary(document.Structure.Catalog.CatalogDictionary.Data.GetValueOrDefault("AcroForm")) is { } form) Walk(form.GetValueOrDefault("Fields"), inherited: null, MostDepth);
            return signatures;
        }

        void Walk(IToken? list, IToken? inherited, int left)
        {
            if (left == 0) throw new SignatureTroubleException(SignatureWhy.TooMany);
            if (Resolve(list) is not ArrayToken kids) return;
            foreach (var kid in kids.Data)
            {
                if (++steps > MostFields) throw new SignatureTroubleException(SignatureWhy.TooMany);
                if (Dictionary(kid) is not { } field) continue;
                // ISO 32000-2 12.7.4.1: FT and V are inherited; V of a parent is one signature for all its kids, met once.
                var type = field.GetValueOrDefault("FT") ?? inherited;
                if (Resolve(type) is NameToken { Data: "Sig" } && field.GetValueOrDefault("V") is { } value && (value is not IndirectReferenceToken reference || met.Add(reference.Data)) && Dictionary(value) is { } signature) Add(signature);
                if (field.GetValueOrDefault("Kids") is { } next && (next is not IndirectReferenceToken under || met.Add(under.Data))) Walk(next, type, left - 1);
            }
        }

        void Add(IReadOnlyDictionary<string, IToken> signature)
        {
            if (signatures.Count == SignatureReader.MostSignatures) throw new SignatureTroubleException(SignatureWhy.TooMany);
            signatures.Add(signature.ToDictionary(p => p.Key, p => Resolve(p.Value) ?? p.Value));
        }

        IReadOnlyDictionary<string, IToken>? Dictionary(IToken? token) => (Resolve(token) as DictionaryToken)?.Data;

        IToken? Resolve(IToken? token)
        {
            for (var i = 0; i < 8 && token is IndirectReferenceToken reference; i++) token = document.Structure.GetObject(reference.Data)?.Data;
            return token;
        }
    }
}
