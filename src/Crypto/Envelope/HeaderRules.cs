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

    /// <exception cref="RefusedException">Suite, Kind, LabelForm, Header: the first of <see cref="Faults"/>.</exception>
    public static void Check(Header header) => Fault.DemandNone(Faults(header));

    /// <summary>Everything that is wrong with it, in the order in which it is checked.</summary>
    public static IEnumerable<Fault> Faults(Header header)
    {
        if (header.Suite != Suite) yield return new(Refusal.Suite, "");
        if (header.Kind is not (KindNew or KindRecall or KindUpdate or KindReplace)) yield return new(Refusal.Kind, "");
        foreach (var fault in Fault.Of(() => LabelForm.Check(header.Label))) yield return fault;
        foreach (var (_, detail) in Rules(header).Where(r => !r.Holds)) yield return new(Refusal.Header, detail);
    }

    static IEnumerable<(bool Holds, string Detail)> Rules(Header header)
    {
        yield return (IsUuidV7(header.Id), "id");
        yield return (IsOrigin(header.Gateway), "gateway");
        yield return (IsOfficeCode(header.Sender), "sender");
        foreach (var rule in RecipientRules(header)) yield return rule;
        yield return (header.Urgency is >= 0 and <= 4, "urgency");
        foreach (var rule in TimeRules(header.Times)) yield return rule;
        foreach (var rule in ReferenceRules(header)) yield return rule;
        yield return (header.Dispatch.Signatures.Length is >= 1 and <= 2 && Distinct(header.Dispatch.Signatures), "dispatch signatures");
        yield return (header.Approvals.Length <= EnvelopeParts.MaxApprovals && Distinct(header.Approvals), "approvals");
        yield return (header.Seen is not { } seen || (IsOrigin(seen.Origin) && seen.Size >= 0), "seen");
        // A recall has a reason and no documents.
        yield return (header.Kind == KindRecall ? header.Payload is null : header.Payload is { Length: >= 0 and <= Payload.MaxLength }, "payload");
    }

    static IEnumerable<(bool Holds, string Detail)> RecipientRules(Header header)
    {
        var recipients = header.Recipients;
        yield return (recipients.Length is >= 1 and <= MaxRecipients, "number of recipients");
        for (var i = 0; i < recipients.Length; i++)
        {
            yield return (IsOfficeCode(recipients[i].Office), "recipient office");
            yield return (recipients[i].Role is To or Cc or Self or Recovery, "role");
            yield return (i == 0 || Order(recipients[i - 1], recipients[i]) < 0, "order of recipients");
            yield return (recipients[i].Role != Self || recipients[i].Office == header.Sender, "self is not the sender");
        }
        yield return (recipients.Select(r => r.Key).Distinct().Count() == recipients.Length, "one key twice");
        yield return (recipients.Any(r => r.Role == To), "nobody addressed");
    }

    /// <summary>By office, then role, ordinal; equal means twice the same. Only of recovery may an office have several keys, by key: which ones these are is the policy's affair, and the decision's (R18).</summary>
    public static int Order(Recipient left, Recipient right) =>
        string.CompareOrdinal(left.Office, right.Office) is var byOffice && byOffice != 0 ? byOffice
        : string.CompareOrdinal(left.Role, right.Role) is var byRole && byRole != 0 || left.Role != Recovery ? byRole : string.CompareOrdinal(left.Key.ToString(), right.Key.ToString());

    static IEnumerable<(bool Holds, string Detail)> TimeRules(Times times)
    {
        yield return (IsTime(times.Expires) && (times.NotBefore is not { } start || IsTime(start)) && (times.RespondBy is not { } respond || IsTime(respond)), "times");
        yield return (times.NotBefore is not { } from || from < times.Expires, "expires before notBefore");
        yield return (times.NotBefore is not { } begin || times.RespondBy is not { } by || begin < by, "respondBy before notBefore");
    }

    static IEnumerable<(bool Holds, string Detail)> ReferenceRules(Header header)
    {
        var references = header.References;
        yield return (references.Length <= MaxReferences && Distinct(references.Select(r => (r.Relation, r.Ref))), "references");
        foreach (var reference in references)
        {
            yield return (reference.Relation is "reply" or "forward" ? header.Kind != KindRecall : header.Kind != KindNew && reference.Relation == header.Kind, "relation");
            yield return (IsUuidV7(reference.Id) && reference.Revision >= 0, "reference");
        }
        // A recall, update or replacement is about exactly one envelope, an earlier one, and each about it has a revision of its own.
        yield return (references.Count(r => r.Relation == header.Kind) == (header.Kind == KindNew ? 0 : 1), "relation");
        yield return (TargetOf(header) is not { } target || (target.Revision > 0 && target.Id != header.Id), "revision");
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
}
