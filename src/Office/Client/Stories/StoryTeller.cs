using System.Globalization;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Office.Client.Stories;

/// <summary>
/// Tells a dispatch from what was checked of it, and from nothing else: a part about which anything bad was found says nothing here, and one that cannot be proven is told as such.
/// </summary>
/// <param name="decisions">In which everything holds.</param>
/// <param name="witnesses">Who cosigned the checkpoint; null: nobody's word was asked for.</param>
sealed class StoryTeller(DispatchFacts facts, IReadOnlyList<DecisionFact> decisions, IReadOnlyList<(string Name, long? Time)>? witnesses)
{
    const string HeaderPart = "header.p7s", EnvelopePart = "envelope";
    readonly EventTeller events = new(facts);

    public IReadOnlyList<StorySection> Tell()
    {
        // Nothing is told of a header that nobody answers for.
        if (facts.Header is not { } header || facts.Of(HeaderPart) == FindingKind.Bad || facts.Of(EnvelopePart) == FindingKind.Bad)
            return [new(new("The dispatch", "Văn bản"), [new(FindingKind.Bad, EnvelopePart, new("The envelope does not hold, so nothing of it is told. See the findings.", "Bao bì không hợp lệ nên không kể gì về văn bản. Xem các kết quả kiểm tra."))])];
        return
        [
            new(new("The dispatch", "Văn bản"), [Dispatch(header), .. Withheld()]),
            new(new("Who signed", "Ai đã ký"), [.. Signers(header)]),
            new(new("Label", "Nhãn mật"), [.. Label(header)]),
            new(new("Why it was permitted", "Vì sao được phép"), [.. Why()]),
            new(new("What happened", "Diễn biến"), [.. events.All(header)]),
            new(new("Each addressee", "Từng nơi nhận"), [.. header.Recipients.Where(r => r.Role is "to" or "cc").Select(Copy)]),
            new(new("In the ledger", "Trong sổ"), [.. Ledger()]),
            new(new("What this file cannot show", "Những điều tệp này không cho biết"), [.. Limits(header)]),
        ];
    }

    FindingKind Outside => facts.Of(EnvelopePart);

    StoryLine Dispatch(Header header)
    {
        var to = string.Join(", ", header.Recipients.Where(r => r.Role is "to" or "cc").Select(r => events.Office(r.Office)));
        var kind = header.Kind switch { "recall" => new Told("A recall", "Yêu cầu thu hồi"), "update" => new("An update", "Bản cập nhật"), "replace" => new("A replacement", "Bản thay thế"), _ => new("A dispatch", "Văn bản") };
        return new(Outside, EnvelopePart, new($"{kind.En} from {events.Office(header.Sender)} to {to}, envelope {Told.Of(header.Id.ToString())}, for the gateway {Told.Of(header.Gateway)}.",
            $"{kind.Vi} của {events.Office(header.Sender)} gửi {to}, bao bì {Told.Of(header.Id.ToString())}, qua trục {Told.Of(header.Gateway)}."));
    }

    // That something is silent because it does not hold is said where the story begins.
    IEnumerable<StoryLine> Withheld()
    {
        string[] silent = [.. facts.Findings.All.Where(f => f.Kind == FindingKind.Bad).Select(f => f.Part).Distinct()];
        if (silent.Length > 0)
            yield return new(FindingKind.Bad, string.Join(" ", silent), new($"Something does not hold, and nothing that it says is told: {string.Join(", ", silent.Select(Told.Of))}.", $"Có phần không hợp lệ, nội dung của chúng không được kể: {string.Join(", ", silent.Select(Told.Of))}."));
    }

    IEnumerable<StoryLine> Signers(Header header)
    {
        if (facts.Envelope is not { } envelope)
        {
            yield return new(FindingKind.Incomplete, EnvelopePart, new("Whose the signatures are cannot be said from what is here.", "Chưa xác định được chữ ký là của ai từ dữ liệu có ở đây."));
            yield break;
        }
        var sealedAt = Told.Time(envelope.SigningTime.ToUnixTimeMilliseconds());
        yield return new(Outside, EnvelopePart, new($"Office {events.Office(header.Sender)} signed the envelope with the certificate of {Told.Of(envelope.Signer.Subject)}; by its own clock at {sealedAt}.",
            $"Cơ quan {events.Office(header.Sender)} ký bao bì bằng chứng thư của {Told.Of(envelope.Signer.Subject)}; theo đồng hồ của cơ quan lúc {sealedAt}."));
        foreach (var approval in envelope.Approvals)
            yield return new(Outside, "approvals", new($"{Told.Of(approval.Person.Subject)}, in the office's card as {Told.Of(string.Join(", ", approval.Roles))}, signed: {Told.Of(approval.Approval.Act)}.",
                $"{Told.Of(approval.Person.Subject)}, vai trò trong thẻ của cơ quan: {Told.Of(string.Join(", ", approval.Roles))}, đã ký: {Told.Of(approval.Approval.Act)}."));
        var authored = facts.Holds("dispatch.p7s", "author of the sender") && facts.Of("dispatch.p7s") == FindingKind.Good;
        if (authored)
            foreach (var author in facts.Authors)
                yield return new(FindingKind.Good, "dispatch.p7s", new($"{Told.Of(author.Subject)} signed the dispatch itself.", $"{Told.Of(author.Subject)} đã ký chính văn bản."));
        else
            yield return new(FindingKind.Incomplete, HeaderPart, new($"Who signed the dispatch itself is sealed with it: signatures that the header names: {Number(header.Dispatch.Signatures.Length)}; the copy of an addressee shows whose they are.",
                $"Người ký chính văn bản nằm trong phần niêm phong: phần đầu nêu {Number(header.Dispatch.Signatures.Length)} chữ ký, bản của nơi nhận cho biết là của ai."));
        foreach (var stamp in facts.TimeStamps.Where(t => facts.Of(t.Part) != FindingKind.Bad))
            yield return new(facts.Of(stamp.Part), stamp.Part, new($"{Told.Of(stamp.Authority.Subject)}, a time-stamp authority, saw the author's signature at {Told.Time(stamp.Time.ToUnixTimeMilliseconds())}.",
                $"{Told.Of(stamp.Authority.Subject)}, nơi cấp dấu thời gian, đã thấy chữ ký của người ký lúc {Told.Time(stamp.Time.ToUnixTimeMilliseconds())}."));
    }

    IEnumerable<StoryLine> Label(Header header)
    {
        var (label, level) = (header.Label, facts.Level);
        var kind = level is null || Outside != FindingKind.Good ? FindingKind.Incomplete : FindingKind.Good;
        yield return new(kind, HeaderPart, level is null
            ? new($"Marked {Told.Of(label.Mark)}, class {Number(label.Class)} of the policy {Told.Of(label.Policy)}, which is not here to say what that means.", $"Dấu {Told.Of(label.Mark)}, bậc {Number(label.Class)} của chính sách {Told.Of(label.Policy)}; chính sách không có ở đây.")
            : new($"Level {Told.Of(level.Name.En)}, marked {Told.Of(label.Mark)}.", $"Độ mật {Told.Of(level.Name.Vi)}, dấu {Told.Of(label.Mark)}."));
        if (label.Basis is { } basis) yield return new(kind, HeaderPart, new($"Basis: {Told.Of(basis)}.", $"Căn cứ: {Told.Of(basis)}."));
        if (label.Caveats.Length > 0) yield return new(kind, HeaderPart, new($"Caveats: {Told.Of(string.Join(", ", label.Caveats))}.", $"Chỉ dẫn hạn chế: {Told.Of(string.Join(", ", label.Caveats))}."));
        foreach (var category in label.Categories)
        {
            var set = facts.Policy?.TagSet(category.Tag);
            var values = string.Join("/", category.Values.Select(v => set?.Values.FirstOrDefault(t => t.Value == v)?.Code ?? Number(v)));
            yield return new(kind, HeaderPart, new($"{Told.Of(set?.Name.En ?? category.Tag)}: {Told.Of(values)}.", $"{Told.Of(set?.Name.Vi ?? category.Tag)}: {Told.Of(values)}."));
        }
        if (label.Term is { } term) yield return new(kind, HeaderPart, new($"Protected until {Told.Time(term)}.", $"Bảo vệ đến {Told.Time(term)}."));
    }

    IEnumerable<StoryLine> Why()
    {
        var accepted = facts.Receipts.FirstOrDefault(r => r.Receipt.Event == ReceiptEvent.SubmissionAcceptance && facts.Of(r.Part) != FindingKind.Bad);
        if (accepted is null) yield return new(FindingKind.Incomplete, "receipts", new("No receipt here says that it was accepted.", "Không có biên nhận tiếp nhận ở đây."));
        else if (facts.Policy is { } policy)
            yield return new(facts.Of(accepted.Part), accepted.Part, new($"The gateway accepted it under version {Number(policy.Content.Version)} of the policy {Told.Of(policy.Content.Policy)}, signed by two policy officers (ref {policy.Ref}).",
                $"Trục tiếp nhận theo phiên bản {Number(policy.Content.Version)} của chính sách {Told.Of(policy.Content.Policy)}, do hai cán bộ chính sách ký (ref {policy.Ref})."));
        else yield return new(FindingKind.Incomplete, accepted.Part, new($"The gateway accepted it under the policy {accepted.Receipt.Policy}, which is not here or does not hold.", $"Trục tiếp nhận theo chính sách {accepted.Receipt.Policy}; chính sách này không có ở đây hoặc không hợp lệ."));
        foreach (var role in facts.Level?.Approvals ?? [])
        {
            var holds = facts.Holds(EnvelopePart, $"approved by a {role}");
            yield return new(holds ? FindingKind.Good : FindingKind.Incomplete, EnvelopePart, new($"The level asks for the approval of a {Told.Of(role)}: {(holds ? "it is there" : "not shown")}.", $"Độ mật này cần phê duyệt của {Told.Of(role)}: {(holds ? "có" : "chưa thấy")}."));
        }
        if (decisions.Count == 0)
            yield return new(FindingKind.Incomplete, EvidenceFiles.Decisions, new("Each reason is in the gateway's record of the decision, which is not here; the entry shows only its digest.", "Từng lý do nằm trong bản ghi quyết định của trục, không có ở đây; mục sổ chỉ cho thấy giá trị băm của nó."));
        foreach (var line in decisions.SelectMany(Reasons)) yield return line;
    }

    static IEnumerable<StoryLine> Reasons(DecisionFact fact)
    {
        var (decision, of) = (fact.Decision, fact.Entry.Kind);
        var verdict = decision.Verdict switch { Verdict.Permit => new Told("permit", "cho phép"), Verdict.Hold => new("hold", "chờ duyệt"), _ => new Told("deny", "từ chối") };
        yield return new(FindingKind.Good, fact.Part, new($"Decision ({of}) at {Told.Time(decision.At.ToUnixTimeMilliseconds())}, made again here with the same outcome: {verdict.En}; {Number(decision.Trace.Count(t => t.Outcome == Verdict.Permit))} of {Number(decision.Trace.Count)} checks permit.",
            $"Quyết định ({of}) lúc {Told.Time(decision.At.ToUnixTimeMilliseconds())}, thực hiện lại ở đây cho cùng kết quả: {verdict.Vi}; {Number(decision.Trace.Count(t => t.Outcome == Verdict.Permit))}/{Number(decision.Trace.Count)} mục kiểm tra cho phép."));
        foreach (var line in Explanation.For(Audience.PolicyOfficer, decision, fact.Policy).Where(l => l.Rule is not null))
            yield return new(FindingKind.Good, fact.Part, new($"{line.Rule}, {Told.Of(line.Subject ?? "")}: {Told.Of(line.Text.En)} ({Told.Of(line.Reason ?? line.Code)})", $"{line.Rule}, {Told.Of(line.Subject ?? "")}: {Told.Of(line.Text.Vi)} ({Told.Of(line.Reason ?? line.Code)})"));
    }

    StoryLine Copy(Recipient recipient)
    {
        var (office, part) = (events.Office(recipient.Office), $"copy {recipient.Office}");
        if (facts.Of(part) == FindingKind.Bad) return new(FindingKind.Bad, part, new($"{office}: what became of its copy contradicts itself.", $"{office}: các chứng cứ về bản gửi mâu thuẫn nhau."));
        var mine = facts.Receipts.Where(r => r.Receipt.Office == recipient.Office && r.Receipt.Key == recipient.Key && facts.Of(r.Part) != FindingKind.Bad).OrderBy(r => r.Receipt.Time).ToList();
        ReceiptFact? Last(string name) => mine.LastOrDefault(r => r.Receipt.Event == name);
        var (arrived, failed) = (Last(ReceiptEvent.ContentConsignment), Last(ReceiptEvent.ContentConsignmentFailure));
        if (arrived is null) return failed is { } end
            ? new(facts.Of(end.Part), end.Part, new($"{office}: ended undelivered at {Told.Time(end.Receipt.Time)} ({Told.Of(end.Receipt.Code)}).", $"{office}: kết thúc, không giao được, lúc {Told.Time(end.Receipt.Time)} ({Told.Of(end.Receipt.Code)})."))
            : new(FindingKind.Incomplete, part, new($"{office}: no receipt here says that it arrived.", $"{office}: không có biên nhận nào ở đây cho biết đã đến."));
        var came = new Told($"{office}: arrived at {Told.Time(arrived.Receipt.Time)}", $"{office}: đến lúc {Told.Time(arrived.Receipt.Time)}");
        if (Last(ReceiptEvent.ContentOpening) is { } opening)
            return facts.Holds(opening.Part, "proof of opening") && facts.Of(opening.Part) == FindingKind.Good
                ? new(Worse(arrived, opening), opening.Part, new($"{came.En}; opened at {Told.Time(opening.Receipt.Time)}, which is proven: only who opened it could make the proof.", $"{came.Vi}; mở lúc {Told.Time(opening.Receipt.Time)}, có bằng chứng chỉ người mở được mới tạo được."))
                : new(FindingKind.Incomplete, opening.Part, new($"{came.En}; it says that it opened it at {Told.Time(opening.Receipt.Time)}, which cannot be proven from what is here.", $"{came.Vi}; nơi nhận báo đã mở lúc {Told.Time(opening.Receipt.Time)}, chưa chứng minh được từ dữ liệu ở đây."));
        if (Last(ReceiptEvent.ContentOpeningFailure) is { } refused)
            return new(Worse(arrived, refused), refused.Part, new($"{came.En}; reported as not openable at {Told.Time(refused.Receipt.Time)} ({Told.Of(refused.Receipt.Code)}).", $"{came.Vi}; báo không mở được lúc {Told.Time(refused.Receipt.Time)} ({Told.Of(refused.Receipt.Code)})."));
        return new(FindingKind.Incomplete, part, new($"{came.En}; nobody has said that it was opened.", $"{came.Vi}; chưa ai báo đã mở."));
    }

    FindingKind Worse(ReceiptFact a, ReceiptFact b) => facts.Of(a.Part) > facts.Of(b.Part) ? facts.Of(a.Part) : facts.Of(b.Part);

    IEnumerable<StoryLine> Ledger()
    {
        if (facts.Checkpoint is not { } head)
        {
            yield return new(FindingKind.Incomplete, EvidenceFiles.Checkpoint, new("No checkpoint by the pinned key is here: whether anything is in the ledger cannot be said.", "Không có điểm kiểm tra do khóa đã ghim ký: chưa thể nói gì về sổ."));
            yield break;
        }
        yield return new(facts.Of(EvidenceFiles.Checkpoint), EvidenceFiles.Checkpoint, new($"Ledger {Told.Of(head.Origin)}, {Number(head.Size)} entries, root {Convert.ToBase64String(head.Root.ToArray())}.", $"Sổ {Told.Of(head.Origin)}, {Number(head.Size)} mục, gốc {Convert.ToBase64String(head.Root.ToArray())}."));
        foreach (var receipt in facts.Receipts.Where(r => facts.Of(r.Part) != FindingKind.Bad && r.Receipt.Entry is not null))
            yield return receipt.Detail is not null && facts.Proven.TryGetValue(receipt.Receipt.Entry!.Leaf, out var index)
                ? new(facts.Of(receipt.Part), receipt.Part, new($"Entry {Number(index)}: {Told.Of(receipt.Detail.Kind)}, receipt {Told.Of(receipt.Part)}.", $"Mục {Number(index)}: {Told.Of(receipt.Detail.Kind)}, biên nhận {Told.Of(receipt.Part)}."))
                : new(FindingKind.Incomplete, receipt.Part, new($"Receipt {Told.Of(receipt.Part)} promises an entry; no proof of it is here.", $"Biên nhận {Told.Of(receipt.Part)} hứa một mục sổ; không có bằng chứng ở đây."));
        if (witnesses is null) yield return new(FindingKind.Incomplete, EvidenceFiles.Checkpoint, new("No witnesses are pinned, so nobody's cosignature was asked for.", "Không ghim nhân chứng nào nên không xét chữ ký chứng kiến."));
        foreach (var (name, time) in witnesses ?? [])
            yield return new(FindingKind.Good, EvidenceFiles.Checkpoint, time is { } at ? new($"Cosigned by {Told.Of(name)} at {Told.Time(at * 1000)}.", $"{Told.Of(name)} ký chứng kiến lúc {Told.Time(at * 1000)}.") : new($"Cosigned by {Told.Of(name)}.", $"{Told.Of(name)} ký chứng kiến."));
    }

    static IEnumerable<StoryLine> Limits(Header header)
    {
        Told[] limits =
        [
            new("What the dispatch says: it is sealed.", "Nội dung văn bản: đã niêm phong."),
            new("Attempts on a channel that did not end the copy: only the gateway's own ledger has them; delays and ends are above.", "Các lần chuyển chưa kết thúc bản gửi: chỉ sổ của trục mới có; việc chậm trễ và kết thúc đã nêu ở trên."),
            new("Receipts that came after this file was made, or that its maker left out.", "Biên nhận đến sau khi lập tệp này, hoặc người lập đã bỏ ra."),
            new("A ledger that was exchanged as a whole: compare its checkpoint with those of others (exchange audit consistency).", "Sổ bị thay toàn bộ: hãy đối chiếu điểm kiểm tra với nơi khác (exchange audit consistency)."),
        ];
        return limits.Select(l => new StoryLine(FindingKind.Incomplete, header.Id.ToString(), l));
    }

    static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
