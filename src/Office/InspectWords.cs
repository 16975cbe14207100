namespace Exchange.Office;

/// <summary>The words of <see cref="Crypto.Inspection.Inspected"/> in Vietnamese; a word that is not here stays as it is.</summary>
static class InspectWords
{
    static readonly Dictionary<string, string> Parts = new()
    {
        ["envelope"] = "bao bì", ["sealed parcel"] = "bưu phẩm niêm phong", ["statement"] = "bản kê có ký", ["manifest"] = "phần niêm phong", ["time-stamp token"] = "dấu thời gian", ["signed note"] = "ghi chú có ký",
        ["certificate"] = "chứng thư", ["revocation list"] = "danh sách thu hồi", ["OCSP response"] = "trả lời OCSP", ["unknown"] = "không rõ loại", ["header"] = "phần đầu", ["approval"] = "phê duyệt", ["payload"] = "nội dung",
        ["content"] = "nội dung", ["signer"] = "người ký", ["time-stamp"] = "dấu thời gian", ["note"] = "ghi chú", ["file"] = "tệp",
    };

    static readonly Dictionary<string, string> Facts = new()
    {
        ["type"] = "loại", ["certificates"] = "số chứng thư", ["signers"] = "số người ký", ["content bytes"] = "số byte nội dung", ["named signer"] = "khóa được nêu tên", ["key"] = "khóa", ["signing time"] = "thời điểm ký",
        ["digest"] = "thuật toán băm", ["signature algorithm"] = "thuật toán ký", ["signature"] = "chữ ký", ["manifest digest"] = "mã băm phần niêm phong", ["subject"] = "chủ thể", ["issuer"] = "nơi cấp", ["serial"] = "số sê-ri",
        ["not before"] = "hiệu lực từ", ["not after"] = "hiệu lực đến", ["key kind"] = "loại khóa", ["time"] = "thời điểm", ["policy"] = "chính sách", ["accuracy"] = "độ chính xác", ["recipient info"] = "nhóm nơi nhận",
        ["recipient key"] = "khóa nơi nhận", ["recipient infos"] = "số nhóm nơi nhận", ["recipients"] = "số nơi nhận", ["bound to"] = "gắn với", ["cipher"] = "mã hóa", ["sealed bytes"] = "số byte niêm phong", ["tag bytes"] = "số byte thẻ xác thực",
        ["bytes on the wire"] = "số byte đã mã hóa", ["bytes that the header says"] = "số byte theo phần đầu", ["length"] = "độ dài", ["segments"] = "số đoạn", ["segment bytes"] = "số byte mỗi đoạn", ["root"] = "gốc cây băm",
        ["this update"] = "ban hành lúc", ["next update"] = "lần sau", ["entries"] = "số mục", ["number"] = "số", ["produced at"] = "lập lúc", ["answer"] = "trả lời", ["text"] = "văn bản", ["signed by"] = "ký bởi",
        ["ledger size"] = "số mục sổ cái", ["looks like"] = "trông giống",
    };

    public static string Fact(string name) => Facts.GetValueOrDefault(name, name);

    /// <summary>"header: certificate 1": each word, numbers as they are.</summary>
    public static string Part(string name)
    {
        if (Parts.TryGetValue(name, out var whole)) return whole;
        return string.Join(": ", name.Split(": ").Select(One));
    }

    static string One(string name)
    {
        var space = name.LastIndexOf(' ');
        return space > 0 && char.IsDigit(name[^1]) ? $"{Parts.GetValueOrDefault(name[..space], name[..space])} {name[(space + 1)..]}" : Parts.GetValueOrDefault(name, name);
    }
}
