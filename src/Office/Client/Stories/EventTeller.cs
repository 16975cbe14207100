using System.Globalization;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Client.Stories;

/// <summary>What receipts, statuses and recalls say that happened, in the order of time; of one moment in the order of a dispatch's life.</summary>
sealed class EventTeller(DispatchFacts facts)
{
    /// <summary>Code of an office, and its name where the directory is known.</summary>
    public string Office(string code) => facts.Directory?.Find(code) is { } known ? $"{Told.Of(code)} ({Told.Of(known.Name.Vi)})" : Told.Of(code);

    public IEnumerable<StoryLine> All(Header header) => Receipts().Concat(Statuses()).Concat(Recalls())
        .Where(e => e.Line.Kind != FindingKind.Bad).OrderBy(e => e.Line.Time).ThenBy(e => e.Rank).ThenBy(e => e.Line.Part, StringComparer.Ordinal).Select(e => e.Line)
        .DefaultIfEmpty(new StoryLine(FindingKind.Incomplete, "receipts", new("No receipt here says that anything happened.", "Không có biên nhận nào ở đây cho biết điều gì đã xảy ra."), header.Times.Expires));

    IEnumerable<(StoryLine Line, int Rank)> Receipts() => facts.Receipts.Select(r => (new StoryLine(facts.Of(r.Part), r.Part, WithEntry(r, Words(r)), r.Receipt.Time), Rank(r.Receipt.Event)));

    // An office's word about one moment comes before the gateway's that answers it.
    static int Rank(string name) => name switch
    {
        ReceiptEvent.SubmissionHold => 0,
        ReceiptEvent.HoldApproval => 1,
        ReceiptEvent.SubmissionAcceptance or ReceiptEvent.SubmissionRejection => 2,
        ReceiptEvent.ContentConsignmentDelay => 3,
        ReceiptEvent.ContentHandover => 4,
        ReceiptEvent.ContentConsignment or ReceiptEvent.ContentConsignmentFailure => 5,
        ReceiptEvent.ContentOpening or ReceiptEvent.ContentOpeningFailure => 6,
        _ => 8,
    };

    Told WithEntry(ReceiptFact receipt, Told words) => receipt.Receipt.Entry is not { } entry ? words
        : receipt.Detail is not null && facts.Proven.TryGetValue(entry.Leaf, out var index) ? new($"{words.En} Ledger entry {Number(index)}.", $"{words.Vi} Mục sổ {Number(index)}.")
        : new($"{words.En} No proof of its ledger entry is here.", $"{words.Vi} Không có bằng chứng về mục sổ ở đây.");

    Told Words(ReceiptFact fact)
    {
        var receipt = fact.Receipt;
        var office = receipt.Office is { } code ? Office(code) : "";
        var why = Why(receipt.Code);
        return receipt.Event switch
        {
            ReceiptEvent.SubmissionAcceptance => new("The gateway accepted it; from now on it stands for it.", "Trục tiếp nhận và chịu trách nhiệm từ lúc này."),
            ReceiptEvent.SubmissionHold => new($"The gateway took it in and held it: {why.En}", $"Trục giữ lại chờ duyệt: {why.Vi}"),
            ReceiptEvent.HoldApproval => new("What a person of the sender said about the hold went on record.", "Ý kiến của người có thẩm quyền bên gửi về việc giữ lại được ghi nhận."),
            ReceiptEvent.SubmissionRejection => new($"The gateway refused it: {why.En}", $"Trục từ chối: {why.Vi}"),
            ReceiptEvent.LabelChange when receipt.Code == "OK" => new("A change of the label counts from now on.", "Thay đổi độ mật có hiệu lực."),
            ReceiptEvent.LabelChange => new($"What was said about the label went on record and does not count, or not yet: {why.En}", $"Ý kiến về độ mật được ghi nhận, chưa hoặc không có hiệu lực: {why.Vi}"),
            ReceiptEvent.ContentConsignmentDelay => new($"{office}: still not delivered after half of its time: {why.En}", $"{office}: đã qua nửa thời hạn mà chưa giao được: {why.Vi}"),
            ReceiptEvent.ContentHandover => new($"{office} signed that it holds every byte of its copy.", $"{office} ký nhận đã giữ đủ từng byte của bản gửi."),
            ReceiptEvent.ContentConsignment when fact.Detail is DeliveryDetail by => new($"{office}: delivered by the channel {Told.Of(by.Channel)}, which gives no receipt of the office; the gateway signed.", $"{office}: đã giao qua kênh {Told.Of(by.Channel)}, kênh này không có biên nhận của cơ quan; trục ký."),
            ReceiptEvent.ContentConsignment => new($"{office}: delivered; the gateway signed that the office acknowledged all of it.", $"{office}: đã giao; trục ký rằng cơ quan đã xác nhận nhận đủ."),
            ReceiptEvent.ContentConsignmentFailure => new($"{office}: ended undelivered: {why.En}", $"{office}: kết thúc, không giao được: {why.Vi}"),
            ReceiptEvent.ContentOpening when facts.Holds(fact.Part, "proof of opening") => new($"{office} opened it, checked it and proved that.", $"{office} đã mở, kiểm tra và chứng minh được."),
            ReceiptEvent.ContentOpening => new($"{office} says that it opened it; only the sender's R could show it.", $"{office} báo đã mở; chỉ R của nơi gửi mới chứng minh được."),
            ReceiptEvent.ContentOpeningFailure => new($"{office} could not open it, or it did not hold: {why.En}", $"{office} không mở được, hoặc nội dung không hợp lệ: {why.Vi}"),
            ReceiptEvent.HandlingStatus => new($"{office}: what it says it does with it went on record at the gateway.", $"{office}: trạng thái xử lý được trục ghi nhận."),
            _ => new($"{Told.Of(receipt.Event)} {Told.Of(receipt.Code)}", $"{Told.Of(receipt.Event)} {Told.Of(receipt.Code)}"),
        };
    }

    IEnumerable<(StoryLine Line, int Rank)> Statuses() => facts.Statuses.Select(s =>
    {
        var word = Handling(s.Status.Code);
        var reason = s.Status.Reason is { } given ? $" ({Told.Of(given)})" : "";
        return (new StoryLine(facts.Of(s.Part), s.Part, new($"{Office(s.Status.Office)} says: {word.En}{reason}.", $"{Office(s.Status.Office)} báo: {word.Vi}{reason}."), s.Status.Time), 7);
    });

    IEnumerable<(StoryLine Line, int Rank)> Recalls() => facts.Recalls.Select(r =>
    {
        var what = r.Header.Kind switch { "recall" => new Told("asked it back", "yêu cầu thu hồi"), "replace" => new("sent another in its place", "gửi văn bản khác thay thế"), _ => new Told("sent it to further offices or keys", "gửi tiếp cho nơi nhận hoặc khóa khác") };
        return (new StoryLine(facts.Of(r.Part), r.Part, new($"{Office(r.Header.Sender)} {what.En}, by its own clock.", $"{Office(r.Header.Sender)} {what.Vi}, theo đồng hồ của cơ quan."), r.Time.ToUnixTimeMilliseconds()), 9);
    });

    static Told Handling(string code) => code switch
    {
        HandlingCode.Arrived => new("01 arrived", "01 đã đến"),
        HandlingCode.Refused => new("02 refused", "02 từ chối tiếp nhận"),
        HandlingCode.Registered => new("03 registered", "03 đã tiếp nhận"),
        HandlingCode.Assigned => new("04 assigned", "04 phân công"),
        HandlingCode.InHand => new("05 in hand", "05 đang xử lý"),
        HandlingCode.Done => new("06 done", "06 hoàn thành"),
        HandlingCode.Agreed => new("15 agrees to what was asked", "15 đồng ý"),
        HandlingCode.Declined => new("16 declines what was asked", "16 từ chối"),
        _ => new(Told.Of(code), Told.Of(code)),
    };

    static Told Why(string code) => Refusal.All.TryGetValue(code, out var known) ? new($"{code}, {known.En}", $"{code}, {known.Vi}") : new(Told.Of(code), Told.Of(code));

    static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
