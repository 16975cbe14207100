using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Office.Policies;

namespace Exchange.Office.Join;

/// <summary>What a proposal would change, in plain words, against what this officer knows: never what the other officer says of it.</summary>
sealed class ProposalWords(OfficerFolder known, Proposal proposal, Output say, DateTimeOffset now)
{
    readonly List<Words> lines = [];
    PolicyStatement? Policy => proposal.Statements.FirstOrDefault(s => s.Type == StatementType.Policy)?.As<PolicyStatement>() ?? known.Policy;

    public IReadOnlyList<Words> Lines()
    {
        foreach (var statement in proposal.Statements)
            switch (statement.Type)
            {
                case StatementType.Directory: Directory(statement.As<DirectoryStatement>()); break;
                case StatementType.Standing: Standing(statement.As<StandingStatement>()); break;
                default:
                    var policy = statement.As<PolicyStatement>();
                    Add($"policy {policy.Version}: {policy.Levels.Length} levels ({string.Join(", ", policy.Levels.Select(l => l.Code))}), until {say.Time(policy.NotAfter)}; ref {statement.Ref}",
                        $"chính sách {policy.Version}: {policy.Levels.Length} độ mật ({string.Join(", ", policy.Levels.Select(l => l.Code))}), đến {say.Time(policy.NotAfter)}; mã {statement.Ref}");
                    lines.AddRange(PolicyWords.Of(policy, known));
                    break;
            }
        return lines;
    }

    void Directory(DirectoryStatement next)
    {
        Add($"directory {next.Version}, {next.Offices.Length} offices", $"danh bạ {next.Version}, {next.Offices.Length} cơ quan");
        var before = known.Directory?.Offices.ToDictionary(o => o.Code) ?? [];
        foreach (var gone in before.Keys.Except(next.Offices.Select(o => o.Code))) Add($"- {gone} LEAVES the directory: it can no longer send or receive", $"- {gone} RA KHỎI danh bạ: không thể gửi hay nhận nữa");
        foreach (var office in next.Offices)
        {
            var old = before.GetValueOrDefault(office.Code);
            if (old == office) continue;
            var name = $"{office.Name.Vi} / {office.Name.En}{(office.Parent is null ? "" : $", {office.Parent}")}";
            if (old is null) Add($"+ {office.Code}  {name}: joins", $"+ {office.Code}  {name}: gia nhập");
            else if (old.Name != office.Name || old.Parent != office.Parent) Add($"~ {office.Code}  now {name}", $"~ {office.Code}  nay là {name}");
            if (old?.Card == office.Card && old.Vouched == office.Vouched) continue;
            Card(office, old is null ? null : known.CardOf(office.Code), proposal.CardOf(office, known)!);
        }
    }

    void Card(DirectoryOffice office, Statement? old, Statement card)
    {
        var version = card.As<Card>().Version;
        var held = office.Vouched is { } since ? say.Time(DateTimeOffset.FromUnixTimeMilliseconds(since) + OfficeDirectory.Hold) : "";
        if (office.Vouched is null) Add($"~ {office.Code}  card {version}, signed by a key of card {old?.As<Card>().Version}: keys change in the usual way", $"~ {office.Code}  thẻ {version}, do khóa của thẻ {old?.As<Card>().Version} ký: thay khóa bình thường");
        else if (old is null) Add($"+ {office.Code}  FIRST card ({version}): you vouch for it; held back from Mật up until {held}", $"+ {office.Code}  thẻ ĐẦU TIÊN ({version}): cán bộ bảo đảm; tạm giữ từ độ Mật trở lên đến {held}");
        else Add($"! {office.Code}  card {version} is NOT signed by a key before: LOSS. You vouch for it; held back from Mật up until {held}", $"! {office.Code}  thẻ {version} KHÔNG do khóa trước ký: MẤT KHÓA. Cán bộ bảo đảm; tạm giữ từ độ Mật trở lên đến {held}");
        Add($"    compare by telephone with what the office reads: {card.Ref}", $"    so qua điện thoại với mã cơ quan đọc: {card.Ref}");
        var (before, after) = (Keys(old), Keys(card));
        foreach (var (use, key) in after.Except(before)) Add($"    + {use}  {key.Key}  {key.Subject}, until {say.Time(key.NotAfter)}{Unfit(use, key).En}", $"    + {use}  {key.Key}  {key.Subject}, đến {say.Time(key.NotAfter)}{Unfit(use, key).Vi}");
        foreach (var (use, key) in before.Except(after)) Add($"    - {use}  {key.Key}  {key.Subject}", null);
    }

    static List<(string Use, Certificate Key)> Keys(Statement? card) => card is null ? [] :
        [.. card.As<Card>().Keys.Select(k => (k.Use, new Certificate(k.Certificate))), .. card.As<Card>().Persons.Select(p => (string.Join(", ", p.Roles), new Certificate(p.Certificate)))];

    // The gateway takes the card all the same, without this key: whoever signs should know.
    Words Unfit(string use, Certificate key)
    {
        var purpose = use switch { "sign" => Purpose.OfficeSigning, "encrypt" => Purpose.OfficeEncryption, "tls" => Purpose.TlsClient, _ => Purpose.PersonSigning };
        return known.Trust.Check(key, purpose, now) is { Refusal: { } refusal } verdict ? new($"  NOT USABLE: {refusal.En} ({verdict.Explained})", $"  KHÔNG DÙNG ĐƯỢC: {refusal.Vi} ({verdict.Explained})") : new("", "");
    }

    void Standing(StandingStatement next)
    {
        Auditors(next);
        Add($"standing {next.Version}, {next.Offices.Length} offices", $"thẩm quyền {next.Version}, {next.Offices.Length} cơ quan");
        var before = known.Standing?.Offices.ToDictionary(o => o.Code) ?? [];
        foreach (var gone in before.Keys.Except(next.Offices.Select(o => o.Code))) Add($"- {gone} loses clearance and channel", $"- {gone} mất thẩm quyền và kênh");
        foreach (var office in next.Offices)
        {
            var (is_, was) = (Describe(office), before.GetValueOrDefault(office.Code) is { } old ? Describe(old) : null);
            if (is_ == was) continue;
            Add($"{(was is null ? "+" : "~")} {office.Code}  {is_.En}{(was is null ? "" : $"\n    before: {was.En}")}", $"{(was is null ? "+" : "~")} {office.Code}  {is_.Vi}{(was is null ? "" : $"\n    trước: {was.Vi}")}");
        }
    }

    void Auditors(StandingStatement next)
    {
        var before = known.Standing?.Auditors?.ToDictionary(a => a.Code) ?? [];
        foreach (var gone in before.Keys.Except((next.Auditors ?? []).Select(a => a.Code))) Add($"- {gone} is an auditor NO MORE", $"- {gone} KHÔNG còn là kiểm toán viên");
        foreach (var auditor in next.Auditors ?? [])
        {
            var (is_, was) = (Describe(auditor), before.GetValueOrDefault(auditor.Code) is { } old ? Describe(old) : null);
            if (is_ == was) continue;
            Add($"{(was is null ? "+" : "~")} AUDITOR {auditor.Code}  {is_.En}{(was is null ? "" : $"\n    before: {was.En}")}", $"{(was is null ? "+" : "~")} KIỂM TOÁN VIÊN {auditor.Code}  {is_.Vi}{(was is null ? "" : $"\n    trước: {was.Vi}")}");
        }
    }

    Words Describe(StandingAuditor auditor)
    {
        var (levels, until) = (Levels(auditor.Clearance), say.Time(DateTimeOffset.FromUnixTimeMilliseconds(auditor.Clearance.ValidTo)));
        return new($"may read entries of {levels} until {until}, with key {auditor.Key}", $"được đọc các mục {levels} đến {until}, bằng khóa {auditor.Key}");
    }

    Words Describe(StandingOffice office)
    {
        var lowest = Policy?.Levels[0].Code ?? "?";
        string By(string most, string @else) => string.Join(@else, office.Channels.Select(c => $"{c.Adapter}{string.Concat(c.Settings.Select(s => $" {s.Key}={s.Value}"))}, {string.Format(System.Globalization.CultureInfo.InvariantCulture, most, c.Ceiling is { } ceiling ? Levels(ceiling) : lowest)}"));
        return new($"may hold {Levels(office.Clearance)}; reached by {By("for {0} at most", "; while that does not work by ")}", $"được giữ {Levels(office.Clearance)}; kênh {By("tối đa {0}", "; khi kênh đó hỏng thì ")}");
    }

    string Levels(Clearance clearance) => string.Join(", ", clearance.Classes.Select(c => Policy?.Levels.FirstOrDefault(l => l.Class == c)?.Code ?? $"{c}"))
        + string.Concat(clearance.Categories.Select(c => $", {Policy?.TagSets.FirstOrDefault(t => t.Tag == c.Tag)?.Name.En ?? c.Tag}: {string.Join(" ", c.Values)}"));

    void Add(string en, string? vi) => lines.Add(new Words(en, vi ?? en));
}
