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
        ["the gateway's own entry"] = "mục sổ của chính trục", ["decided again"] = "quyết định lại", ["from the officers"] = "do cán bộ cung cấp", ["among yours"] = "có trong bộ của bạn", ["follows from the evidence"] = "suy ra đúng từ chứng cứ",
    };

    static readonly Dictionary<string, string> Details = new(StringComparer.Ordinal)
    {
        ["needs anchors and directory"] = "cần chứng thư gốc và danh bạ", ["needs anchors and the time of submission"] = "cần chứng thư gốc và thời điểm gửi", ["needs anchors"] = "cần chứng thư gốc", ["needs the header"] = "cần phần đầu",
        ["needs anchors, directory and the time of submission"] = "cần chứng thư gốc, danh bạ và thời điểm gửi", ["needs anchors and the policy"] = "cần chứng thư gốc và chính sách", ["no receipt of the gateway for this header"] = "không có biên nhận của trục cho phần đầu này",
        ["another version decided"] = "phiên bản khác đã quyết định", ["a part, the directory or the time is not usable"] = "thiếu một phần, danh bạ hoặc thời điểm", ["no proof"] = "không có bằng chứng",
        ["the directory here is not the one that the sender used"] = "danh bạ ở đây không phải bản nơi gửi đã dùng", ["what it answers is not here"] = "không có yêu cầu mà nó trả lời", ["a statement in between is not here"] = "thiếu một tuyên bố ở giữa",
        ["the sender has none yet, or did not give it"] = "nơi gửi chưa có hoặc không cung cấp", ["sealed with the dispatch; the sender has it"] = "nằm trong phần niêm phong; nơi gửi giữ", ["not enough cosignatures"] = "chưa đủ chữ ký chứng kiến",
        ["its proof does not hold"] = "bằng chứng không hợp lệ", ["promised earlier than an entry that is there"] = "đã hứa sớm hơn một mục đã có", ["both delivered and not delivered"] = "vừa đã giao vừa không giao được",
        ["no receipt and no proof here names its entry"] = "không có biên nhận hay bằng chứng nào nêu mục sổ này", ["the entry names another record"] = "mục sổ nêu bản ghi khác", ["another envelope"] = "bao bì khác",
        ["the policy does not decide so, or it is not the policy that decided"] = "chính sách không quyết định như vậy, hoặc không phải chính sách đã quyết định", ["checksum"] = "sai tổng kiểm tra",
        ["it is listed and not here"] = "có trong danh sách mà không có ở đây", ["it is here and not listed"] = "có ở đây mà không có trong danh sách", ["it is not the file that is listed"] = "không phải tệp trong danh sách",
        ["evidence has no file of this name"] = "chứng cứ không có tệp tên này", ["each evidence file has it"] = "tệp chứng cứ nào cũng có", ["whether anything was lost cannot be said"] = "không thể nói có mất gì không",
        [StoryCheck.Unpinned] = "khóa ghim nằm trong tệp, tức là lời của người lập tệp: dùng --pins với bản do cán bộ cung cấp", [StoryCheck.OtherPins] = "khóa ghim trong tệp không đều có trong bộ của bạn; đã dùng bộ của bạn",
        [StoryCheck.OtherReport] = "dạng báo cáo khác với phiên bản này: hãy tự lập báo cáo bằng --html", [StoryCheck.NoPins] = "cần khóa ghim nằm trong tệp", [StoryCheck.NotDerived] = "không phải nội dung suy ra từ chứng cứ",
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
        var detail = finding.Detail.Length == 0 ? new Told("", "") : new(Told.Of(finding.Detail), Told.Of(Details.GetValueOrDefault(finding.Detail, finding.Detail)));
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
