using Exchange.Crypto;
using Exchange.Crypto.Evidence;

namespace Exchange.Office.Client.Stories;

/// <summary>Findings for people. What a check is called in English is its name everywhere; here it gets its Vietnamese, and a code its sentence.</summary>
static class FindingWords
{
    static readonly Dictionary<string, string> Checks = new(StringComparer.Ordinal)
    {
        ["signature"] = "chữ ký", ["anchors"] = "chứng thư gốc và danh sách thu hồi", ["signed for its CA"] = "do CA của nó ký", ["named by the header"] = "được phần đầu nêu tên",
        ["all that the header names"] = "đủ những gì phần đầu nêu", ["file"] = "có tệp", ["signed with the header"] = "được ký cùng phần đầu", ["sealed for this gateway"] = "niêm phong cho trục này",
        ["time of submission"] = "thời điểm gửi", ["accepted in time"] = "được tiếp nhận trong hạn", ["officers"] = "chữ ký của cán bộ", ["officers and cards"] = "chữ ký của cán bộ và các thẻ",
        ["decided by this policy"] = "chính sách đã quyết định", ["level of the policy"] = "độ mật thuộc chính sách", ["as a whole"] = "toàn bộ bao bì", ["refused for what the gateway said"] = "bị từ chối đúng lý do trục nêu",
        ["about this envelope"] = "thuộc bao bì này", ["issuer"] = "nơi phát hành", ["entry"] = "mục sổ", ["the office's own receipt"] = "biên nhận của chính cơ quan", ["in the ledger"] = "có trong sổ",
        ["inclusion"] = "bằng chứng nằm trong sổ", ["proof of opening"] = "bằng chứng đã mở", ["commitment"] = "khớp cam kết của phần đầu", ["end"] = "kết thúc", ["opened"] = "đã mở", ["reported as not openable"] = "báo không mở được",
        ["handling"] = "trạng thái xử lý", ["recorded by the gateway"] = "được trục ghi nhận", ["answers what was asked"] = "trả lời đúng yêu cầu", ["the office's own statement"] = "tuyên bố của chính cơ quan",
        ["time-stamp of the author's signature"] = "dấu thời gian của chữ ký", ["what the author signed"] = "nội dung người ký đã ký", ["agrees with the header"] = "khớp phần đầu", ["author of the sender"] = "người ký thuộc nơi gửi",
        ["as the author signed it"] = "đúng như người ký đã ký", ["seen by the sender"] = "nối tiếp điểm kiểm tra nơi gửi đã thấy", ["witnesses"] = "nhân chứng", ["key"] = "khóa", ["cosignature"] = "chữ ký chứng kiến",
        ["form"] = "đúng dạng", ["order"] = "đúng thứ tự", ["as it was written"] = "nguyên như khi ghi", ["directory"] = "mục lục của tệp", ["belongs here"] = "thuộc tệp này", ["listed"] = "có trong danh sách", ["all files"] = "đủ các tệp",
        ["root"] = "gốc của cây", ["hashes"] = "giá trị băm", ["beginning"] = "là phần đầu của sổ này", ["beginnings"] = "là phần đầu của sổ này", ["name"] = "đúng tên", ["details"] = "chi tiết của mục", ["entries"] = "chi tiết của các mục",
        ["surplus"] = "không có tệp thừa", ["time-stamp"] = "dấu thời gian", ["consistency"] = "cùng một sổ", ["origin"] = "tên sổ", ["succession"] = "sổ kế tiếp", ["more"] = "còn nữa",
        ["the gateway's own entry"] = "mục sổ của chính trục", ["decided again"] = "quyết định lại", ["from the officers"] = "do cán bộ cung cấp", ["among yours"] = "có trong bộ của bạn", ["follows from the evidence"] = "suy ra đúng từ chứng cứ",
    };

    public static Told Kind(FindingKind kind) => kind switch
    {
        FindingKind.Good => new("good", "đúng"),
        FindingKind.Bad => new("BAD", "SAI"),
        _ => new("not provable", "chưa chứng minh được"),
    };

    /// <summary>What was asked. A check without a Vietnamese name keeps its own.</summary>
    public static Told Check(Finding finding) => new(finding.Check, Checks.TryGetValue(finding.Check, out var vi) ? vi
        : finding.Check.StartsWith("approved by a ", StringComparison.Ordinal) ? "được phê duyệt bởi " + finding.Check["approved by a ".Length..] : finding.Check);

    public static bool Knows(Finding finding) => Check(finding) is var told && (told.Vi != told.En || !finding.Check.Any(char.IsLetter));

    /// <summary>Why: the code's sentence, and what the check says besides.</summary>
    public static Told Reason(Finding finding)
    {
        var detail = finding.Detail.Length == 0 ? new Told("", "") : new(Told.Of(finding.Detail), Told.Of(DetailWords.Vietnamese(finding.Detail)));
        var code = Refusal.All.TryGetValue(finding.Code, out var refusal) ? new Told($"{finding.Code}: {refusal.En}", $"{finding.Code}: {refusal.Vi}") : finding.Code switch
        {
            FindingCode.Ok => new("", ""),
            FindingCode.Missing => new("what this needs is not here", "thiếu dữ liệu cần cho việc này"),
            FindingCode.Pending => new("not yet, or its receipt is not here", "chưa có, hoặc biên nhận không có ở đây"),
            FindingCode.SenderHoldsR => new("only the sender can show it, who keeps R", "chỉ nơi gửi, nơi giữ R, mới chứng minh được"),
            FindingCode.Withheld => new("there, and not for this reader", "có, nhưng không dành cho người đọc này"),
            _ => new(finding.Code, finding.Code),
        };
        return new(Join(code.En, detail.En), Join(code.Vi, detail.Vi));
    }

    static string Join(string code, string detail) => code.Length == 0 ? detail : detail.Length == 0 ? code : $"{code} ({detail})";
}
