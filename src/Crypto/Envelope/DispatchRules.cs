using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Envelope;

/// <summary>What a dispatch may say, and what must agree between it and the header around it. The same rules before signing and after opening.</summary>
static partial class DispatchRules
{
    public const int SaltLength = 32;
    const int MaxAddressees = 1000;
    const int MaxDocuments = 20_000;

    /// <summary>Form, agreement with the header, and the label that the author signed with it.</summary>
    /// <exception cref="RefusedException">LabelForm, DispatchForm, DocumentName, or what <see cref="CheckAgainst"/> refuses.</exception>
    public static void CheckSigned(Statement statement, Dispatch dispatch, Header header)
    {
        Check(dispatch);
        CheckAgainst(dispatch, header);
        if (!statement.Label!.Value.Span.SequenceEqual(EssLabel.ToEss(dispatch.Label))) throw new RefusedException(Refusal.LabelForm, "attribute differs from dispatch");
    }

    /// <exception cref="RefusedException">LabelForm, DispatchForm, DocumentName.</exception>
    public static void Check(Dispatch dispatch)
    {
        LabelForm.Check(dispatch.Label);
        Demand(dispatch.Salt.Length == SaltLength, "salt");
        Demand(HeaderRules.IsOfficeCode(dispatch.From), "from");
        Demand(dispatch.To.Length is >= 1 and <= MaxAddressees && dispatch.To.All(HeaderRules.IsOfficeCode) && dispatch.To.Distinct().Count() == dispatch.To.Length, "to");
        Demand(dispatch.Sheet.Subject.Length > 0 && dispatch.Sheet.DocumentType.Length > 0 && Texts(dispatch.Sheet).All(IsLine), "sheet");
        Demand(DateOnly.TryParseExact(dispatch.Sheet.Date, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _), "date");
        Demand(dispatch.Documents.Length <= MaxDocuments, "number of documents");
        foreach (var document in dispatch.Documents)
        {
            Demand(document.Length is >= 0 and <= Payload.MaxLength, "length");
            Demand(IsMediaType(document.MediaType), "media type");
            Demand(document.Pages is null or > 0, "pages");
        }
        DocumentName.CheckAll(dispatch.Documents.Select(d => d.Name));
    }

    static IEnumerable<string> Texts(Sheet sheet) =>
        ((string?[])[sheet.Number, sheet.Notation, sheet.Subject, sheet.DocumentType, sheet.Place, sheet.Signatory?.Authority, sheet.Signatory?.Position, sheet.Signatory?.Name]).OfType<string>();

    /// <summary>One line that shows as what it is: it goes to lists, registers and terminals. Nothing that controls them, turns text around or is invisible.</summary>
    static bool IsLine(string text) => text.EnumerateRunes().All(r => Rune.GetUnicodeCategory(r) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator));

    /// <summary>The author's addressees, level and office are those under which it travels.</summary>
    /// <exception cref="RefusedException">SenderMismatch, LabelMismatch, Addressees, PayloadLength.</exception>
    public static void CheckAgainst(Dispatch dispatch, Header header)
    {
        if (dispatch.From != header.Sender) throw new RefusedException(Refusal.SenderMismatch);
        if (!SameLabel(dispatch.Label, header.Label)) throw new RefusedException(Refusal.LabelMismatch, "dispatch");
        // Without this a recipient could seal what he got to somebody else as if the author had written to him.
        if (!Addressed(header).IsSubsetOf(dispatch.To)) throw new RefusedException(Refusal.Addressees);
        // Only what has no payload has no documents.
        if (dispatch.Documents.Length == 0 != header.Payload is null) throw new RefusedException(Refusal.DispatchForm, "number of documents");
        // An update carries whatever its original did, a replacement too.
        if (header.Kind != HeaderRules.KindUpdate && dispatch.Revises is not null != (header.Kind == HeaderRules.KindReplace)) throw new RefusedException(Refusal.DispatchForm, "revises");
        // 20,000 lengths below 2^40 do not overflow.
        if (dispatch.Documents.Sum(d => d.Length) > (header.Payload?.Length ?? 0)) throw new RefusedException(Refusal.PayloadLength, "documents exceed it");
    }

    /// <summary>Offices that the header addresses: roles to and cc.</summary>
    public static HashSet<string> Addressed(Header header) => [.. header.Recipients.Where(r => r.Role is HeaderRules.To or HeaderRules.Cc).Select(r => r.Office)];

    public static bool SameLabel(Label left, Label right) =>
        StrictJson.Write(left, StatementJson.Default.Label).AsSpan().SequenceEqual(StrictJson.Write(right, StatementJson.Default.Label));

    public static bool IsMediaType(string text) => MediaType().IsMatch(text);

    /// <summary>RFC 6838 4.2, without parameters.</summary>
    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\z", RegexOptions.CultureInvariant)]
    private static partial Regex MediaType();

    static void Demand(bool holds, string detail)
    {
        if (!holds) throw new RefusedException(Refusal.DispatchForm, detail);
    }
}
