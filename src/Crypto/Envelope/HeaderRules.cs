using System.Text.RegularExpressions;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Envelope;

/// <summary>What a header may say, apart from who signed it: closed lists, ranges, one order. The same rules before signing and after reading.</summary>
static partial class HeaderRules
{
    public const string Suite = "classic-1";
    public const string KindNew = "new", KindRecall = "recall", KindUpdate = "update", KindReplace = "replace";
    public const string To = "to", Cc = "cc", Self = "self", Recovery = "recovery";
    public const int MaxRecipients = 1000;
    const int MaxReferences = 64;
    const int MaxOrigin = 200;

    /// <exception cref="RefusedException">Suite, Kind, LabelForm, RecipientKeys, Header.</exception>
    public static void Check(Header header)
    {
        if (header.Suite != Suite) throw new RefusedException(Refusal.Suite);
        if (header.Kind is not (KindNew or KindRecall or KindUpdate or KindReplace)) throw new RefusedException(Refusal.Kind);
        LabelForm.Check(header.Label);
        Demand(IsUuidV7(header.Id), "id");
        Demand(IsOrigin(header.Gateway), "gateway");
        Demand(IsOfficeCode(header.Sender), "sender");
        CheckRecipients(header);
        Demand(header.Urgency is >= 0 and <= 4, "urgency");
        CheckTimes(header.Times);
        CheckReferences(header);
        Demand(header.Dispatch.Signatures.Length is >= 1 and <= 2 && Distinct(header.Dispatch.Signatures), "dispatch signatures");
        Demand(header.Approvals.Length <= EnvelopeParts.MaxApprovals && Distinct(header.Approvals), "approvals");
        Demand(header.Seen is not { } seen || (IsOrigin(seen.Origin) && seen.Size >= 0), "seen");
        // A recall has a reason and no documents.
        Demand(header.Kind == KindRecall ? header.Payload is null : header.Payload is { Length: >= 0 and <= Payload.MaxLength }, "payload");
    }

    static void CheckRecipients(Header header)
    {
        var recipients = header.Recipients;
        Demand(recipients.Length is >= 1 and <= MaxRecipients, "number of recipients");
        for (var i = 0; i < recipients.Length; i++)
        {
            Demand(IsOfficeCode(recipients[i].Office), "recipient office");
            Demand(recipients[i].Role is To or Cc or Self or Recovery, "role");
            Demand(i == 0 || Order(recipients[i - 1], recipients[i]) < 0, "order of recipients");
            Demand(recipients[i].Role != Self || recipients[i].Office == header.Sender, "self is not the sender");
        }
        Demand(recipients.Select(r => r.Key).Distinct().Count() == recipients.Length, "one key twice");
        Demand(recipients.Any(r => r.Role == To), "nobody addressed");
    }

    /// <summary>By office, then role, ordinal; equal means twice the same. Only of recovery may an office have several keys, by key: which ones these are is the policy's affair, and the decision's (R18).</summary>
    public static int Order(Recipient left, Recipient right) =>
        string.CompareOrdinal(left.Office, right.Office) is var byOffice && byOffice != 0 ? byOffice
        : string.CompareOrdinal(left.Role, right.Role) is var byRole && byRole != 0 || left.Role != Recovery ? byRole : string.CompareOrdinal(left.Key.ToString(), right.Key.ToString());

    static void CheckTimes(Times times)
    {
        Demand(IsTime(times.Expires) && (times.NotBefore is not { } start || IsTime(start)) && (times.RespondBy is not { } respond || IsTime(respond)), "times");
        Demand(times.NotBefore is not { } from || from < times.Expires, "expires before notBefore");
        Demand(times.NotBefore is not { } begin || times.RespondBy is not { } by || begin < by, "respondBy before notBefore");
    }

    static void CheckReferences(Header header)
    {
        var references = header.References;
        Demand(references.Length <= MaxReferences && Distinct(references.Select(r => (r.Relation, r.Ref))), "references");
        foreach (var reference in references)
        {
            Demand(reference.Relation is "reply" or "forward" ? header.Kind != KindRecall : header.Kind != KindNew && reference.Relation == header.Kind, "relation");
            Demand(IsUuidV7(reference.Id) && reference.Revision >= 0, "reference");
        }
        // A recall, update or replacement is about exactly one envelope, an earlier one, and each about it has a revision of its own.
        Demand(references.Count(r => r.Relation == header.Kind) == (header.Kind == KindNew ? 0 : 1), "relation");
        Demand(TargetOf(header) is not { } target || (target.Revision > 0 && target.Id != header.Id), "revision");
    }

    /// <summary>What a recall, update or replacement is about; null: it is none.</summary>
    public static Reference? TargetOf(Header header) => header.Kind == KindNew ? null : header.References.FirstOrDefault(r => r.Relation == header.Kind);

    /// <summary>What it answers or forwards.</summary>
    public static IEnumerable<Reference> Answered(Header header) => header.References.Where(r => r.Relation is "reply" or "forward");

    /// <summary>RFC 9562: version 7, variant 10.</summary>
    public static bool IsUuidV7(Guid id) => id.Version == 7 && id.Variant is >= 8 and <= 11;

    public static bool IsTime(long milliseconds) => milliseconds is > 0 and <= LabelForm.MaxTime;

    /// <summary>A C2SP origin: visible ASCII without plus.</summary>
    static bool IsOrigin(string text) => text.Length is >= 1 and <= MaxOrigin && text.All(c => c is > ' ' and <= '~' and not '+');

    public static bool IsOfficeCode(string code) => OfficeCode().IsMatch(code);

    [GeneratedRegex(@"\A[A-Z0-9.-]{1,50}\z", RegexOptions.CultureInvariant)]
    private static partial Regex OfficeCode();

    static bool Distinct<T>(IEnumerable<T> values) => values.GroupBy(v => v).All(g => g.Count() == 1);

    static void Demand(bool holds, string detail)
    {
        if (!holds) throw new RefusedException(Refusal.Header, detail);
    }
}
