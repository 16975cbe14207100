using System.Globalization;
using System.Text.RegularExpressions;
using Exchange.Crypto.Ledger;

namespace Exchange.Office.Client.Stories;

/// <summary>
/// Details of findings in Vietnamese. Verifiers say them in English, with their values in place: what stands here is found again by its words, and its values are taken over as they are. What does not stand here
/// keeps its own words, so that nothing is ever hidden.
/// </summary>
static class DetailWords
{
    static readonly Dictionary<string, string> Whole = new(StringComparer.Ordinal)
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
        // Receipts and what belongs together.
        ["not signed by the gateway's pinned key"] = "không do khóa đã ghim của trục ký", ["not a signing key of the office"] = "không phải khóa ký của cơ quan", ["not a signing key of the sender"] = "không phải khóa ký của nơi gửi",
        ["not a copy of this envelope"] = "không phải bản gửi của bao bì này", ["the entry says something else"] = "mục sổ ghi nội dung khác", ["leaf is not that of the salted detail"] = "lá không phải của chi tiết đã thêm muối",
        ["no ledger entry or policy"] = "không nêu mục sổ hoặc chính sách", ["time of the entry"] = "thời điểm của mục sổ", ["two statements have one number"] = "hai tuyên bố mang cùng một số", ["later than the submission"] = "muộn hơn thời điểm gửi",
        ["not named after a leaf"] = "tên không phải tên của một lá", ["the author signed no document of this name"] = "người ký không ký tài liệu nào tên này",
        ["manifest"] = "phần niêm phong", ["signatures"] = "chữ ký", ["proof"] = "bằng chứng", ["code"] = "mã", ["event"] = "sự kiện", ["issuer"] = "nơi phát hành", ["members"] = "các thành phần", ["time"] = "thời gian", ["salt"] = "muối",
        // An evidence file as a file.
        ["its members are not in their order"] = "các tệp bên trong không đúng thứ tự", ["order or line ends"] = "thứ tự hoặc dấu xuống dòng", ["cut off"] = "bị cắt cụt", ["encrypted"] = "bị mã hóa", ["compressed"] = "bị nén",
        ["version, flags or time"] = "phiên bản, cờ hoặc thời gian", ["extra field"] = "trường phụ", ["length"] = "độ dài", ["name"] = "tên", ["longer than the file"] = "dài hơn tệp", ["too many members"] = "quá nhiều tệp bên trong",
        // A note or a proof as text.
        ["signature lines"] = "các dòng chữ ký", ["signature line"] = "dòng chữ ký", ["not a signature line"] = "không phải dòng chữ ký", ["too long"] = "quá dài", ["not UTF-8"] = "không phải UTF-8", ["control character"] = "có ký tự điều khiển",
        ["no empty line"] = "không có dòng trống", ["no signature, or no final newline"] = "không có chữ ký, hoặc thiếu dấu xuống dòng cuối", ["too many signatures"] = "quá nhiều chữ ký", ["no checkpoint"] = "không có điểm kiểm tra",
        ["first line"] = "dòng đầu", ["extra"] = "phần thêm", ["no index"] = "không có số thứ tự", ["index"] = "số thứ tự", ["too many nodes"] = "quá nhiều nút", ["node"] = "nút", ["not the one spelling"] = "không đúng cách viết duy nhất",
        // A ledger.
        ["size"] = "kích thước", ["root"] = "gốc", ["origin"] = "tên sổ", ["a checkpoint has three lines"] = "điểm kiểm tra có ba dòng", ["not the one spelling of a checkpoint"] = "không đúng cách viết duy nhất của điểm kiểm tra",
        ["root of the empty ledger"] = "gốc của sổ rỗng", ["not the checkpoint of the empty ledger"] = "không phải điểm kiểm tra của sổ rỗng", ["is not the checkpoint of the size that it is named by"] = "không phải điểm kiểm tra có kích thước như tên tệp",
        ["does not lead to the checkpoint"] = "không dẫn tới điểm kiểm tra", ["neither entries nor tiles lead to the signed root"] = "cả mục lẫn các mảnh cây đều không dẫn tới gốc đã ký", ["entries are missing"] = "thiếu mục sổ",
        [Checkpoint.OtherLedger] = "của sổ khác với sổ đã ghim; nếu sổ đó tiếp tục dưới tên mới, hãy lấy bộ khóa ghim mới từ người quản trị", ["length of the tile"] = "độ dài của mảnh cây", ["no verifiable signatures"] = "không có chữ ký nào kiểm tra được", ["invalid signature"] = "chữ ký không hợp lệ", ["ambiguous key"] = "khóa không rõ ràng",
        ["origin is not the name of the key"] = "tên sổ không phải tên của khóa", ["no file of this ledger"] = "không phải tệp của sổ này", ["the entries before it are not certain"] = "các mục trước đó không chắc chắn",
        ["a bundle holds another number of entries"] = "gói chứa số mục khác", ["an entry is not 32 bytes"] = "có mục không phải 32 byte", ["a bundle of details has fewer lines than entries"] = "gói chi tiết có ít dòng hơn số mục",
        ["a bundle of details has more lines than entries"] = "gói chi tiết có nhiều dòng hơn số mục", ["two roots of one size"] = "hai gốc của cùng một kích thước", ["the proof does not lead from one to the other"] = "bằng chứng không dẫn từ điểm này tới điểm kia",
        ["no proof, and not the files to make one from"] = "không có bằng chứng và không có tệp để lập", ["the entry in the file is not the promised one"] = "mục trong tệp không phải mục đã hứa", ["neither entry nor leaf is given"] = "không có mục cũng không có lá",
        ["needs anchors: --trust"] = "cần chứng thư gốc: --trust", ["no entry that is shown here admits that it was lost"] = "không có mục nào ở đây thừa nhận rằng đã mất",
    };

    // What follows them stands above.
    static readonly (string En, string Vi)[] Beginnings = [("malformed note: ", "điểm kiểm tra sai dạng: "), ("malformed proof: ", "bằng chứng sai dạng: ")];

    // Values by number. A value may have anything in it; the first that fits counts.
    static readonly (Regex En, string Vi)[] WithValues = [.. new (string En, string Vi)[]
    {
        ("does not lead to the checkpoint: entry {0}", "không dẫn tới điểm kiểm tra: mục {0}"), ("does not lead to the checkpoint: node {0}", "không dẫn tới điểm kiểm tra: nút {0}"),
        ("is not what lies below: entry {0}", "không khớp phần bên dưới: mục {0}"), ("is not what lies below: node {0}", "không khớp phần bên dưới: nút {0}"),
        ("entry {0}: salt and detail do not open the entry", "mục {0}: muối và chi tiết không mở được mục"),
        ("entry {0}: says that entry {1} was erased, and it was not, or by another", "mục {0}: nói rằng mục {1} đã bị xóa, nhưng không phải, hoặc do mục khác"),
        ("entry {0}: is erased, and entry {1} does not say so", "mục {0}: đã bị xóa mà mục {1} không ghi như vậy"), ("entry {0}: {1}", "mục {0}: {1}"),
        ("the first {0} entries have another root", "{0} mục đầu có gốc khác"), ("has {0} entries, the newest checkpoint {1}", "có {0} mục, điểm kiểm tra mới nhất có {1}"),
        ("is not the beginning of {0}", "không phải phần đầu của {0}"), ("line {0}, by {1}: is there twice", "dòng {0}, của {1}: có hai lần"), ("line {0}, by {1}: does not verify", "dòng {0}, của {1}: chữ ký không hợp lệ"),
        ("no key signed both this and {0}: keys change with an overlap", "không khóa nào ký cả điểm này lẫn {0}: khóa phải được thay gối nhau"), ("it lacks a kind of signature that {0} has", "thiếu loại chữ ký mà {0} có"),
        ("{0} signed it earlier than a smaller head", "{0} ký nó sớm hơn một điểm kiểm tra nhỏ hơn"), ("is earlier than {0} of a smaller head", "sớm hơn {0} của điểm kiểm tra nhỏ hơn"),
        ("{0} is not a continuation of what the sender had seen", "{0} không nối tiếp điểm kiểm tra nơi gửi đã thấy"), ("{0} checkpoints without enough cosignatures", "{0} điểm kiểm tra chưa đủ chữ ký chứng kiến"),
        ("{0} of {1} are not for whom this export was made", "{0} trong {1} mục không dành cho người nhận bản xuất này"), ("{0} open, {1} erased and said so", "{0} mở được, {1} đã xóa và có ghi"),
        ("{0} more findings", "còn {0} kết quả nữa"), ("{0} bytes behind it", "thừa {0} byte phía sau"), ("{0} is there twice", "{0} có hai lần"), ("line of {0}", "dòng của {0}"), ("line {0} of the details", "dòng {0} của phần chi tiết"), ("line {0}", "dòng {0}"),
        ("{0}: admitted to be lost", "{0}: được thừa nhận là đã mất"), ("{0}: no entry that is shown here admits that it was lost", "{0}: không có mục nào ở đây thừa nhận rằng đã mất"),
        ("{0} entries", "{0} mục"), ("{0} checkpoints", "{0} điểm kiểm tra"), ("{0} files", "{0} tệp"),
    }.Select(w => (new Regex("^" + Regex.Escape(w.En).Replace(@"\{0}", "(.+)", StringComparison.Ordinal).Replace(@"\{1}", "(.+)", StringComparison.Ordinal) + "$", RegexOptions.NonBacktracking | RegexOptions.Singleline), w.Vi))];

    public static string Vietnamese(string detail)
    {
        if (Whole.TryGetValue(detail, out var whole)) return whole;
        foreach (var (en, vi) in Beginnings)
            if (detail.StartsWith(en, StringComparison.Ordinal)) return vi + Vietnamese(detail[en.Length..]);
        foreach (var (en, vi) in WithValues)
            if (en.Match(detail) is { Success: true } found) return string.Format(CultureInfo.InvariantCulture, vi, found.Groups[1].Value, found.Groups[2].Value);
        return detail;
    }
}
