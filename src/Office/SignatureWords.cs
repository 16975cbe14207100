using Exchange.Office.Client;

namespace Exchange.Office;

/// <summary>What is said of a signature inside a document, in the words of a clerk.</summary>
static class SignatureWords
{
    static readonly Dictionary<string, (string En, string Vi)> Reasons = new()
    {
        [SignatureWhy.Whole] = ("it covers the whole document, which is as it was signed", "chữ ký bao trùm toàn bộ văn bản và văn bản còn nguyên vẹn"),
        [SignatureWhy.ChangedAfter] = ("the document was changed after signing, and nobody signed what was added", "văn bản bị thay đổi sau khi ký, phần thêm vào không ai ký"),
        [SignatureWhy.EarlierState] = ("it covers an earlier state; what came later is covered by another signature that holds", "chữ ký bao trùm bản trước; phần thêm sau do chữ ký khác có hiệu lực bao trùm"),
        [SignatureWhy.Part] = ("it covers only a part of the document", "chữ ký chỉ bao trùm một phần văn bản"),
        [SignatureWhy.Digest] = ("what was signed has been changed", "nội dung đã ký bị thay đổi"),
        [SignatureWhy.Signature] = ("the signature does not fit what it covers, or is not of the certificate that it names", "chữ ký không khớp với nội dung, hoặc không thuộc chứng thư được nêu"),
        [SignatureWhy.Certificate] = ("the certificate beside it is not the one that was signed with", "chứng thư kèm theo không phải chứng thư đã dùng để ký"),
        [SignatureWhy.Range] = ("what it says to cover is not this file", "phạm vi ký không khớp với tệp này"),
        [SignatureWhy.Ambiguous] = ("what it names is not there exactly once", "phần được ký không xuất hiện đúng một lần"),
        [SignatureWhy.Algorithm] = ("by a key or algorithm that is not judged here", "khóa hoặc thuật toán không được xét ở đây"),
        [SignatureWhy.Form] = ("in a form that is not read here", "dạng chữ ký không đọc được ở đây"),
        [SignatureWhy.NoCertificate] = ("it names no certificate", "chữ ký không kèm chứng thư"),
        [SignatureWhy.TimeStamp] = ("a time-stamp over the document, which is not judged here", "dấu thời gian của văn bản, không được xét ở đây"),
        [SignatureWhy.External] = ("it covers something outside of the document, which is not fetched", "chữ ký bao trùm nội dung bên ngoài văn bản, không tải về"),
        [SignatureWhy.Transform] = ("it covers what a program makes of the document, which is not run", "chữ ký bao trùm kết quả biến đổi văn bản, không thực hiện ở đây"),
        [SignatureWhy.TooLarge] = ("too large", "quá lớn"),
        [SignatureWhy.TooMany] = ("too many", "quá nhiều"),
        [SignatureWhy.Reader] = ("the document cannot be read", "không đọc được văn bản"),
        [SignatureWhy.Patience] = ("reading it takes too long", "đọc quá lâu"),
        [SignatureWhy.Dtd] = ("it has a DTD, which is not read", "văn bản có DTD, không được đọc"),
        [SignatureWhy.Encrypted] = ("the document is encrypted", "văn bản được mã hóa"),
    };

    public static string En(string why) => Reasons.TryGetValue(why, out var words) ? words.En : why;
    public static string Vi(string why) => Reasons.TryGetValue(why, out var words) ? words.Vi : why;

    public static string Line(DocumentSignature signature, bool vietnamese, Output say)
    {
        string In(string en, string vi) => vietnamese ? vi : en;
        var outcome = signature.Outcome switch
        {
            SignatureOutcome.Holds => In("signature HOLDS", "chữ ký số HỢP LỆ"),
            SignatureOutcome.DoesNotHold => In("signature DOES NOT HOLD", "chữ ký số KHÔNG HỢP LỆ"),
            _ => In("signature: cannot be told", "chữ ký số: chưa xác định được"),
        };
        var covers = signature.Covers is { } part ? $" ({Output.Visible(part)})" : "";
        var signer = signature.Signer is { } name ? In($"; signer {Output.Visible(name)}", $"; người ký {Output.Visible(name)}") : "";
        var claimed = signature.Claimed is { } time ? In($", says {say.Time(time)}", $", ghi lúc {say.Time(time)}") : "";
        var trusted = signature switch
        {
            { Trusted: true } => In("; known: this office trusts who certified the signer", "; đã biết: cơ quan tin cậy nơi cấp chứng thư"),
            { Trusted: false, Distrust: { } refusal } when refusal == Crypto.Refusal.CertificateUntrusted => In("; NOT KNOWN: nobody that this office trusts has certified the signer", "; CHƯA BIẾT: không nơi nào cơ quan tin cậy cấp chứng thư này"),
            { Trusted: false, Distrust: { } refusal } => In($"; NOT TRUSTED: {refusal.Code} {refusal.En}", $"; KHÔNG TIN CẬY: {refusal.Code} {refusal.Vi}"),
            _ => In("; whose key it is was not asked", "; chưa xét khóa của ai"),
        };
        return $"{outcome}: {In(En(signature.Why), Vi(signature.Why))}{covers}{signer}{claimed}{(signature.Signer is null ? "" : trusted)}";
    }
}
