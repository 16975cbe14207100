namespace Exchange.Crypto.Evidence;

public enum FindingKind
{
    /// <summary>Checked and holds.</summary>
    Good,
    /// <summary>Cannot be decided from what is here.</summary>
    Incomplete,
    /// <summary>Checked and does not hold.</summary>
    Bad,
}

/// <summary>One thing that a verifier looked at.</summary>
/// <param name="Part">File or part, as it is called in the folder: "header.p7s", "tile/0/000".</param>
/// <param name="Check">What was asked, in a few words: "signature", "inclusion".</param>
/// <param name="Code">"OK", a refusal's code, or for incomplete one of <see cref="FindingCode"/>.</param>
/// <param name="Detail">For people; free of content.</param>
public sealed record Finding(FindingKind Kind, string Part, string Check, string Code, string Detail = "");

/// <summary>Codes that are no refusals.</summary>
public static class FindingCode
{
    public const string Ok = "OK";
    /// <summary>A file that the check needs is not there.</summary>
    public const string Missing = "MISSING";
    /// <summary>Only the sender, who keeps R, can check this; he may disclose it.</summary>
    public const string SenderHoldsR = "SENDER_HOLDS_R";
    /// <summary>The step has not happened yet, or its receipt is not here.</summary>
    public const string Pending = "PENDING";
    /// <summary>It is there, and not for whom this was made.</summary>
    public const string Withheld = "WITHHELD";
}

/// <summary>All findings of one run, in the order of the checks. A verifier never stops at the first bad one.</summary>
public sealed class Findings
{
    readonly List<Finding> all = [];

    public IReadOnlyList<Finding> All => all;

    /// <summary>The worst of all findings; nothing checked is incomplete.</summary>
    public FindingKind Verdict => all.Count == 0 ? FindingKind.Incomplete : all.Max(f => f.Kind);

    /// <summary>0 good, 1 bad, 2 incomplete.</summary>
    public int ExitCode => Verdict switch { FindingKind.Good => 0, FindingKind.Bad => 1, _ => 2 };

    internal void Good(string part, string check, string detail = "") => all.Add(new Finding(FindingKind.Good, part, check, FindingCode.Ok, detail));

    internal void Bad(string part, string check, Refusal refusal, string detail = "") => all.Add(new Finding(FindingKind.Bad, part, check, refusal.Code, detail));

    internal void Incomplete(string part, string check, string code, string detail = "") => all.Add(new Finding(FindingKind.Incomplete, part, check, code, detail));

    /// <summary>What another verifier has found beside.</summary>
    public void Add(Finding finding) => all.Add(finding);

    /// <summary>Good or bad by a condition.</summary>
    internal bool Judge(bool holds, string part, string check, Refusal refusal, string detail = "")
    {
        if (holds) Good(part, check);
        else Bad(part, check, refusal, detail);
        return holds;
    }

    /// <summary>The value of something that may refuse its input; null then, and a bad finding.</summary>
    internal T? Try<T>(string part, string check, Func<T> read) where T : class
    {
        T? value = null;
        return Try(part, check, () => { value = read(); }) ? value : null;
    }

    /// <summary>Good, or bad by what is thrown.</summary>
    internal bool Try(string part, string check, Action demand)
    {
        try { demand(); }
        catch (RefusedException e)
        {
            Bad(part, check, e.Refusal, e.Detail);
            return false;
        }
        Good(part, check);
        return true;
    }
}
