using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Policy;

/// <summary>Who reads an explanation.</summary>
public enum Audience
{
    /// <summary>The sending office: its own side, and one uniform answer for everything else.</summary>
    Sender,
    /// <summary>Whoever writes the policy: every rule that did not permit, with its reason.</summary>
    PolicyOfficer,
    /// <summary>Everything, but only of what his own clearance covers; of the rest he learns nothing, not even that it is there.</summary>
    Auditor,
}

/// <param name="Rule">"R07"; null: the answer as a whole.</param>
/// <param name="Subject">"dispatch" or an office code; null for the sender.</param>
/// <param name="Code">Of the refusal; "OK" when permitted.</param>
/// <param name="Reason">Short code of the trace; null for the sender.</param>
/// <param name="Text">What it means.</param>
/// <param name="Remedy">What to do about it; null: nothing.</param>
public sealed record ExplanationLine(string? Rule, string? Subject, Verdict Outcome, string Code, string? Reason, OfficeName Text, OfficeName? Remedy);

/// <summary>A decision in words, from its trace and nothing else: what is shown is what was evaluated.</summary>
public static class Explanation
{
    static readonly OfficeName Permitted = new("Được phép.", "Permitted.");

    /// <summary>What each rule is about. The rules themselves are in *Rules.cs.</summary>
    internal static readonly IReadOnlyDictionary<string, OfficeName> Rules = new Dictionary<string, OfficeName>(StringComparer.Ordinal)
    {
        ["R01"] = new("Chính sách có hiệu lực", "Policy in force"),
        ["R02"] = new("Đã chọn độ mật và căn cứ", "Level and basis chosen"),
        ["R03"] = new("Nhãn được ký, đúng dạng", "Label signed and in form"),
        ["R04"] = new("Độ mật và dấu mật thuộc chính sách", "Level and mark of the policy"),
        ["R05"] = new("Phạm trù và chỉ dẫn hạn chế", "Categories and caveats"),
        ["R06"] = new("Thẩm quyền của nơi gửi và phê duyệt", "Sender's authority and approvals"),
        ["R07"] = new("Thẩm quyền của nơi nhận", "Recipient's clearance"),
        ["R08"] = new("Cần biết, đích danh", "Need to know, by name"),
        ["R09"] = new("Kênh chuyển", "Channel"),
        ["R10"] = new("Nơi lưu giữ của trục", "Store of the gateway"),
        ["R11"] = new("Cơ quan ban hành cho phép chuyển tiếp", "Originator's release of a forward"),
        ["R12"] = new("Độ mật của văn bản được dẫn chiếu", "Level of what is referred to"),
        ["R13"] = new("Nâng độ mật", "Raising a label"),
        ["R14"] = new("Hạ hoặc giải mật", "Lowering or declassifying"),
        ["R15"] = new("Thời hạn bảo vệ", "Term of protection"),
        ["R16"] = new("Chưa đến thời điểm phát hành", "Embargo"),
        ["R17"] = new("Độ mới của danh bạ và dữ liệu thu hồi", "Freshness of directory and revocation data"),
        ["R18"] = new("Khóa mở bao bì", "Keys that open the envelope"),
        ["R19"] = new("Kích thước được độn", "Sizes filled up"),
        ["R20"] = new("Mức tối thiểu theo danh mục từ", "Minimum of the word list"),
        ["R21"] = new("Chính sách lúc tiếp nhận", "Policy of acceptance"),
        ["R22"] = new("Bộ đánh giá thứ hai", "Second engine"),
        ["R23"] = new("Thẩm quyền của người đọc", "Reader's clearance"),
        ["R24"] = new("Không lỗi, không thiếu dữ kiện", "No error, no missing fact"),
        ["R25"] = new("Nhãn được chuyển đổi", "Translated label"),
    };

    /// <summary>The lines that this reader may see, in the order of the rules.</summary>
    /// <param name="decision">As made, or made again from its record: <see cref="Decision.Again"/>.</param>
    /// <param name="policy">The one that decided.</param>
    /// <param name="clearance">Of an auditor; without one he sees nothing. Others need none.</param>
    public static IReadOnlyList<ExplanationLine> For(Audience audience, Decision decision, CompiledPolicy policy, Clearance? clearance = null) => audience switch
    {
        Audience.Sender => ForSender(decision),
        Audience.PolicyOfficer => [Whole(decision), .. decision.Trace.Where(r => r.Outcome != Verdict.Permit).Select(Line)],
        _ => Covers(clearance, decision, policy) ? [Whole(decision), .. decision.Trace.Select(Line)] : [],
    };

    // R01 to R06 look at policy, label and sender alone: what they say cannot depend on the other side. From R07 on only the one answer is told.
    static ExplanationLine[] ForSender(Decision decision)
    {
        ExplanationLine[] own = [.. decision.Trace.Where(r => r.Outcome == decision.Verdict && r.Outcome != Verdict.Permit && !r.AboutOther && string.CompareOrdinal(r.Rule, "R07") < 0)
            .Select(r => Of(null, null, r.Outcome, r.Refusal, null)).DistinctBy(l => l.Code)];
        return own.Length > 0 ? own : [Of(null, null, decision.Verdict, decision.ForSender?.Code, null)];
    }

    static ExplanationLine Whole(Decision decision) => Of(null, Rule.Dispatch, decision.Verdict, decision.ForSender?.Code, null);

    static ExplanationLine Line(RuleResult result) => Of(result.Rule, result.Subject, result.Outcome, result.Refusal, result.Reason);

    static ExplanationLine Of(string? rule, string? subject, Verdict outcome, string? code, string? reason)
    {
        var refusal = code is null ? null : Refusal.All[code];
        var text = refusal is null ? Permitted : new OfficeName(refusal.Vi, refusal.En);
        if (rule is not null && Rules.TryGetValue(rule, out var name)) text = new($"{name.Vi}: {text.Vi}", $"{name.En}: {text.En}");
        return new(rule, subject, outcome, code ?? "OK", reason, text, refusal is null ? null : new(refusal.RemedyVi, refusal.RemedyEn));
    }

    // A record without a label that can be judged is above everybody.
    static bool Covers(Clearance? clearance, Decision decision, CompiledPolicy policy) =>
        clearance is not null && decision.Facts?.Label is { } label && Lattice.InForce(clearance, decision.At) && Lattice.Can(policy, clearance, label);
}
