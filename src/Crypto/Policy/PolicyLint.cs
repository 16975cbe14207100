using System.Globalization;
using System.Text;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Policy;

/// <summary>Error: do not sign it. Warning: legal, and probably not meant.</summary>
public enum LintLevel { Warning, Error }

/// <param name="Code">Never changes meaning; docs/policy.md has them all.</param>
/// <param name="Place">"level mat", "tag set 2.25…", "office H41", "policy".</param>
public sealed record LintFinding(string Code, string Place, LintLevel Level, string En, string Vi);

/// <summary>What a policy is looked at together with. Each may be left out; then what needs it is not looked for.</summary>
public sealed record LintContext
{
    public StandingStatement? Standing { get; init; }
    /// <summary>Cards in force: who has which role.</summary>
    public IReadOnlyList<Card>? Cards { get; init; }
    /// <summary>Other policies in use, not earlier versions of this one.</summary>
    public IReadOnlyList<PolicyDraft> Others { get; init; } = [];
    /// <summary>When terms must be running.</summary>
    public DateOnly? Day { get; init; }
}

/// <summary>What a policy officer should know of a draft before signing. Pure: findings in a fixed order. Whether a label can be had at all is asked of the engine.</summary>
public static class PolicyLint
{
    /// <summary>WCAG 2.2 level AA for text.</summary>
    public const double MinContrast = 4.5;
    /// <summary>Lab distance below which two marks are confused.</summary>
    public const double MinDifference = 10;

    public static IReadOnlyList<LintFinding> Run(PolicyDraft draft, LintContext context)
    {
        var found = new List<LintFinding>();
        var statement = Provisional(draft);
        if (FormFault(statement) is { } fault) found.Add(new("form", "policy", LintLevel.Error, $"The gateway would refuse it: {fault}.", $"Trục sẽ từ chối: {fault}."));
        // What the form check would trip over is no ground for further questions.
        if (draft.Levels.Any(l => l is null) || draft.TagSets.Any(t => t is null)) return found;
        found.AddRange(PolicyLintText.Run(draft));
        found.AddRange(References(draft, context));
        if (found.Exists(f => f.Code == "form")) return found;

        var policy = CompiledPolicy.Compile(statement);
        found.AddRange(Colours(draft));
        found.AddRange(Numbers(draft));
        found.AddRange(Terms(draft, context.Day));
        found.AddRange(Freshness(draft));
        found.AddRange(Clashes(draft, context.Others));
        found.AddRange(Unmeetable(policy));
        found.AddRange(TimeStamps(draft));
        if (context.Standing is { } standing) found.AddRange(PolicyLintStanding.Run(policy, standing));
        if (context.Cards is { } cards) found.AddRange(Roles(draft, cards));
        return found;
    }

    /// <summary>The draft as a statement that nobody signs.</summary>
    public static PolicyStatement Provisional(PolicyDraft draft) => new()
    {
        V = 1, Type = PolicyStatement.TypeName, Signers = [], Policy = draft.Policy, Version = 1, NotBefore = 0, NotAfter = LabelForm.MaxTime, Levels = draft.Levels, TagSets = draft.TagSets,
    };

    static string? FormFault(PolicyStatement statement)
    {
        try { PolicyForm.Check(statement); return null; }
        catch (RefusedException e) { return e.Detail; }
    }

    static IEnumerable<LintFinding> References(PolicyDraft draft, LintContext context)
    {
        foreach (var set in draft.TagSets)
            foreach (var lost in set.RequiredOn.Where(c => draft.Levels.All(l => l.Class != c)))
                yield return new("dangling", $"tag set {set.Tag}", LintLevel.Error, $"It is required on class {lost}, which is no level.", $"Bắt buộc ở lớp {lost}, nhưng không có độ mật đó.");
        foreach (var level in draft.Levels)
        {
            foreach (var channel in level.Handling.Channels.Where(c => !Trust.DirectoryForm.Adapters.Contains(c)))
                yield return new("dangling", $"level {level.Code}", LintLevel.Error, $"No office can be reached by a channel {channel}.", $"Không có loại kênh {channel}.");
            var keys = context.Cards?.SelectMany(c => c.Keys).Where(k => k.Use == "encrypt").Select(k => Digest.Of(k.Certificate)).ToHashSet();
            foreach (var key in level.Handling.Recovery.Where(k => keys is not null && !keys.Contains(k)))
                yield return new("dangling", $"level {level.Code}", LintLevel.Error, $"The recovery key {key} is no encryption key of any card.", $"Khóa khôi phục {key} không thuộc thẻ nào.");
        }
    }

    static IEnumerable<LintFinding> Colours(PolicyDraft draft)
    {
        foreach (var level in draft.Levels)
            if (Colour.ContrastWithWhite(level.Colour) is var ratio && ratio < MinContrast)
                yield return new("contrast", $"level {level.Code}", LintLevel.Warning, $"{level.Colour} on white has a contrast of {Number(ratio)}; text needs {Number(MinContrast)} (WCAG 1.4.3).",
                    $"{level.Colour} trên nền trắng có độ tương phản {Number(ratio)}; chữ cần {Number(MinContrast)} (WCAG 1.4.3).");
        foreach (var (a, b) in Pairs(draft.Levels))
            if (Colour.Difference(a.Colour, b.Colour) is var difference && difference < MinDifference)
                yield return new("alike", $"level {b.Code}", LintLevel.Warning, $"{b.Colour} is hard to tell from {a.Colour} of {a.Code} (distance {Number(difference)}, at least {Number(MinDifference)}).",
                    $"{b.Colour} khó phân biệt với {a.Colour} của {a.Code} (khoảng cách {Number(difference)}, tối thiểu {Number(MinDifference)}).");
    }

    // RFC 2634 section 3.2: 0 to 5 are unmarked … top-secret everywhere; other software will read them so.
    static IEnumerable<LintFinding> Numbers(PolicyDraft draft)
    {
        var basic = draft.Levels.Where(l => l.Class <= 5).ToList();
        foreach (var (lower, higher) in basic.Zip(basic.Skip(1)).Where(p => p.First.Class > p.Second.Class))
            yield return new("reserved", $"level {higher.Code}", LintLevel.Warning, $"Classes 0 to 5 have a fixed meaning (RFC 2634): elsewhere {higher.Class} is read as lower than {lower.Class} of {lower.Code}.",
                $"Các lớp 0 đến 5 có nghĩa cố định (RFC 2634): nơi khác hiểu {higher.Class} thấp hơn {lower.Class} của {lower.Code}.");
    }

    static IEnumerable<LintFinding> Terms(PolicyDraft draft, DateOnly? day)
    {
        foreach (var (lower, higher) in draft.Levels.Zip(draft.Levels.Skip(1)))
            foreach (var date in lower.Handling.Terms.Concat(higher.Handling.Terms).Select(t => t.From).Distinct().Order(StringComparer.Ordinal))
            {
                var (a, b) = (TermAt(lower, date), TermAt(higher, date));
                if (a is not null && b is not null && b.Years < a.Years)
                    yield return new("term-order", $"level {higher.Code}", LintLevel.Warning, $"From {date} it is protected for {b.Years} years, less than the {a.Years} of {lower.Code}.",
                        $"Từ {date} được bảo vệ {b.Years} năm, ít hơn {a.Years} năm của {lower.Code}.");
                if (a is not null && b is null)
                    yield return new("term-order", $"level {higher.Code}", LintLevel.Warning, $"At {date} {lower.Code} has a term and it has none.", $"Ngày {date} độ {lower.Code} có thời hạn mà độ này không có.");
            }
        if (day?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) is { } today)
            foreach (var level in draft.Levels.Where(l => l.Handling.Terms.Length > 0 && TermAt(l, today) is null))
                yield return new("term-order", $"level {level.Code}", LintLevel.Warning, $"Its first term begins after {today}.", $"Thời hạn đầu tiên bắt đầu sau {today}.");
    }

    // What a level below asks for, and one above leaves out, is rarely meant: PolicyForm refuses it only where the level below would not let go.
    static IEnumerable<LintFinding> Freshness(PolicyDraft draft)
    {
        foreach (var (lower, higher) in draft.Levels.Zip(draft.Levels.Skip(1)).Where(p => p.First.Handling.Revocation is not null))
            if (higher.Handling.Revocation is not { } asked)
                yield return new("freshness", $"level {higher.Code}", LintLevel.Warning, $"It does not say how old revocation data may be, and {lower.Code} below it does.", $"Không nêu dữ liệu thu hồi được cũ đến đâu, trong khi {lower.Code} ở dưới có nêu.");
            else if (asked.MaxMinutes > lower.Handling.Revocation!.MaxMinutes)
                yield return new("freshness", $"level {higher.Code}", LintLevel.Warning, $"It takes older revocation data than {lower.Code} below it.", $"Chấp nhận dữ liệu thu hồi cũ hơn độ {lower.Code} ở dưới.");
    }

    static PolicyTerm? TermAt(PolicyLevel level, string date) => level.Handling.Terms.LastOrDefault(t => string.CompareOrdinal(t.From, date) <= 0);

    // Said by nobody it is "refuse": an authority that is away for a day stops the level for a day, and whatever takes something of it back.
    static IEnumerable<LintFinding> TimeStamps(PolicyDraft draft) => draft.Levels.Where(l => l.Handling is { Timestamp: true, TimestampAway: null })
        .Select(l => new LintFinding("timestamp-away", $"level {l.Code}", LintLevel.Warning, "While no time-stamp authority answers nothing of this level is sent, recalls included: timestampAway should say so, or say pending.",
            "Khi không có nơi cấp dấu thời gian nào trả lời, không gửi được gì ở độ này, kể cả thu hồi: timestampAway cần ghi rõ như vậy, hoặc ghi pending."));

    static IEnumerable<LintFinding> Clashes(PolicyDraft draft, IReadOnlyList<PolicyDraft> others)
    {
        foreach (var other in others)
        {
            if (other.Policy == draft.Policy)
                yield return new("oid-clash", "policy", LintLevel.Error, $"{draft.Policy} is the OID of another policy: labels of both could not be told apart.", $"{draft.Policy} là OID của chính sách khác: không phân biệt được nhãn của hai bên.");
            foreach (var set in draft.TagSets.Where(s => other.TagSets.Any(o => o.Tag == s.Tag)))
                yield return new("oid-clash", $"tag set {set.Tag}", LintLevel.Error, "Another policy has a tag set of this OID: its values mean something else there.", "Chính sách khác có bộ phạm trù cùng OID: giá trị ở đó có nghĩa khác.");
        }
    }

    // Of each level at least one new label must be possible: required sets need a value that may still be chosen.
    static IEnumerable<LintFinding> Unmeetable(CompiledPolicy policy)
    {
        foreach (var level in policy.Content.Levels.Where(l => !l.Obsolete))
            if (Sample(policy, level, null) is not { } label || PolicyProbe.Fault(policy, label) is { Rule: not "R01" })
                yield return new("unreachable", $"level {level.Code}", LintLevel.Error, "No new label of this level can be valid: a required tag set has no value that may still be chosen.",
                    "Không thể có nhãn mới hợp lệ ở độ này: bộ phạm trù bắt buộc không còn giá trị được chọn.");
    }

    /// <summary>The least demanding label of a level that the holder of a clearance might have: one value of each required set. null: none can be made.</summary>
    internal static Label? Sample(CompiledPolicy policy, PolicyLevel level, Clearance? holder)
    {
        var categories = new List<Category>();
        foreach (var set in policy.Content.TagSets.Where(s => s.RequiredOn.Contains(level.Class)))
        {
            var held = holder?.Categories.FirstOrDefault(c => c.Tag == set.Tag && c.Type == set.Type)?.Values;
            var value = set.Values.FirstOrDefault(v => !v.Obsolete && (holder is null || set.Type == "informative" || held?.Contains(v.Value) == true));
            if (value is null) return null;
            categories.Add(new Category { Type = set.Type, Tag = set.Tag, Values = [value.Value] });
        }
        return policy.NewLabel(level.Code, "lint", categories);
    }

    static IEnumerable<LintFinding> Roles(PolicyDraft draft, IReadOnlyList<Card> cards)
    {
        // Distinct persons per role: a card lists a person once per certificate.
        var persons = cards.SelectMany(c => c.Persons).SelectMany(p => p.Roles.Select(r => (Role: r, Person: Digest.Of(p.Certificate)))).ToLookup(p => p.Role, p => p.Person);
        foreach (var level in draft.Levels)
        {
            foreach (var role in level.Approvals.Concat(level.Handling.Release.Roles).Distinct().Where(r => !persons[r].Any()))
                yield return new("role-nobody", $"level {level.Code}", level.Approvals.Contains(role) ? LintLevel.Error : LintLevel.Warning, $"Nobody in the directory has the role {role}.", $"Không ai trong danh bạ có vai trò {role}.");
            if (!level.AuthorRoles.Any(r => persons[r].Any()))
                yield return new("role-nobody", $"level {level.Code}", LintLevel.Error, "Nobody in the directory may author at this level.", "Không ai trong danh bạ được soạn ở độ này.");
            var (needed, roles) = level.Handling.Release;
            if (needed > 0 && roles.SelectMany(r => persons[r]).Distinct().Count() is var able && able < needed)
                yield return new("role-nobody", $"level {level.Code}", LintLevel.Error, $"Release needs {needed} persons of {string.Join(", ", roles)}; the directory has {able}.", $"Cần {needed} người thuộc {string.Join(", ", roles)} để duyệt phát hành; danh bạ có {able}.");
        }
    }

    internal static IEnumerable<(T A, T B)> Pairs<T>(IReadOnlyList<T> items)
    {
        for (var i = 0; i < items.Count; i++)
            for (var j = i + 1; j < items.Count; j++) yield return (items[i], items[j]);
    }

    static string Number(double value) => Math.Round(value, 1).ToString("0.0", CultureInfo.InvariantCulture);
}

/// <summary>Texts that look like one another: level with level, tag set with tag set, value with value of its set.</summary>
static class PolicyLintText
{
    public static IEnumerable<LintFinding> Run(PolicyDraft draft)
    {
        (string Name, Func<PolicyLevel, string> Of)[] members =
        [
            ("name.vi", l => l.Name.Vi), ("name.en", l => l.Name.En), ("mark", l => l.Mark),
            ("markings.top.vi", l => l.Markings.Top.Vi), ("markings.top.en", l => l.Markings.Top.En), ("markings.bottom.vi", l => l.Markings.Bottom.Vi), ("markings.bottom.en", l => l.Markings.Bottom.En),
            ("markings.firstLine.vi", l => l.Markings.FirstLine.Vi), ("markings.firstLine.en", l => l.Markings.FirstLine.En), ("markings.subjectCode.vi", l => l.Markings.SubjectCode.Vi),
            ("markings.subjectCode.en", l => l.Markings.SubjectCode.En), ("markings.fileName.vi", l => l.Markings.FileName.Vi), ("markings.fileName.en", l => l.Markings.FileName.En),
        ];
        foreach (var (name, of) in members)
            foreach (var f in Alike(draft.Levels, l => $"level {l.Code}", name, of)) yield return f;
        foreach (var f in Alike(draft.TagSets, t => $"tag set {t.Tag}", "name.vi", t => t.Name.Vi).Concat(Alike(draft.TagSets, t => $"tag set {t.Tag}", "name.en", t => t.Name.En))) yield return f;
        foreach (var set in draft.TagSets)
            foreach (var f in Alike(set.Values, v => $"tag set {set.Tag} value {v.Code}", "name.vi", v => v.Name.Vi).Concat(Alike(set.Values, v => $"tag set {set.Tag} value {v.Code}", "name.en", v => v.Name.En))) yield return f;
    }

    static IEnumerable<LintFinding> Alike<T>(IReadOnlyList<T> items, Func<T, string> place, string member, Func<T, string> text)
    {
        foreach (var item in items)
            if (!text(item).IsNormalized(NormalizationForm.FormC))
                yield return new("not-nfc", place(item), LintLevel.Error, $"{member} is not in Unicode NFC: typed another way, the same word would be another.", $"{member} không ở dạng Unicode NFC: cùng một từ gõ cách khác sẽ thành từ khác.");
        // By key first: a policy of thousands of values is looked through once.
        foreach (var group in items.GroupBy(i => Folded(text(i)), StringComparer.Ordinal).Where(g => g.Count() > 1))
            foreach (var item in group.Skip(1))
            {
                var same = text(item).Normalize() == text(group.First()).Normalize();
                yield return new("duplicate", place(item), same ? LintLevel.Error : LintLevel.Warning, $"{member} is {(same ? "the same text" : "the same but for upper and lower case")} as that of {place(group.First())}.",
                    $"{member} {(same ? "trùng" : "chỉ khác chữ hoa, chữ thường")} với {place(group.First())}.");
            }
    }

    static string Folded(string text) => text.Normalize().ToUpperInvariant().ToLowerInvariant().Normalize();
}

/// <summary>The policy beside the clearances and channels that the officers gave.</summary>
static class PolicyLintStanding
{
    public static IEnumerable<LintFinding> Run(CompiledPolicy policy, StandingStatement standing)
    {
        foreach (var office in standing.Offices)
            foreach (var (what, clearance) in office.Channels.Select(c => ("ceiling", c.Ceiling)).Prepend(("clearance", office.Clearance)))
                if (clearance is not null)
                    foreach (var f in Of(policy, office, what, clearance)) yield return f;
        foreach (var level in policy.Content.Levels.Where(l => !l.Obsolete))
            foreach (var f in Reach(policy, level, standing)) yield return f;
    }

    static IEnumerable<LintFinding> Of(CompiledPolicy policy, StandingOffice office, string what, Clearance clearance)
    {
        var at = $"office {office.Code}";
        if (clearance.Policy != policy.Content.Policy)
        {
            yield return new("dangling", at, LintLevel.Error, $"Its {what} is of another policy, {clearance.Policy}: under this one it may hold nothing.", $"{Vi(what)} thuộc chính sách khác, {clearance.Policy}: theo chính sách này không được giữ gì.");
            yield break;
        }
        foreach (var lost in clearance.Classes.Where(c => policy.Rank(c) < 0))
            yield return new("dangling", at, LintLevel.Warning, $"Its {what} names class {lost}, which is no level.", $"{Vi(what)} nêu lớp {lost}, không phải độ mật nào.");
        foreach (var category in clearance.Categories)
            if (policy.TagSet(category.Tag) is not { } set || set.Type != category.Type)
                yield return new("dangling", at, LintLevel.Warning, $"Its {what} names {category.Type} tag set {category.Tag}, which this policy does not have.", $"{Vi(what)} nêu bộ phạm trù {category.Tag} ({category.Type}), chính sách này không có.");
            else if (category.Values.Where(v => set.Values.All(t => t.Value != v)).ToList() is { Count: > 0 } lost)
                yield return new("dangling", at, LintLevel.Warning, $"Its {what} names values {string.Join(", ", lost)} of {category.Tag}, which are none.", $"{Vi(what)} nêu giá trị {string.Join(", ", lost)} của {category.Tag}, không tồn tại.");
        var ranks = clearance.Classes.Select(policy.Rank).Where(r => r >= 0).Order().ToList();
        if (ranks.Count > 0 && ranks[^1] != ranks.Count - 1)
        {
            var holes = policy.Content.Levels.Take(ranks[^1]).Where((_, rank) => !ranks.Contains(rank)).Select(l => l.Code);
            yield return new("hole", at, LintLevel.Warning, $"Its {what} reaches {policy.Content.Levels[ranks[^1]].Code} and leaves out {string.Join(", ", holes)} below.", $"{Vi(what)} tới {policy.Content.Levels[ranks[^1]].Code} mà bỏ {string.Join(", ", holes)} ở dưới.");
        }
    }

    static IEnumerable<LintFinding> Reach(CompiledPolicy policy, PolicyLevel level, StandingStatement standing)
    {
        var holders = standing.Offices.Where(o => PolicyLint.Sample(policy, level, o.Clearance) is { } label && Lattice.Can(policy, o.Clearance, label)).ToList();
        if (holders.Count == 0)
        {
            yield return new("unreachable", $"level {level.Code}", LintLevel.Warning, "No office of the standing can receive any label of this level.", "Không cơ quan nào có thẩm quyền nhận nhãn ở độ này.");
            yield break;
        }
        if (holders.All(o => !o.Channels.Any(c => level.Handling.Channels.Contains(c.Adapter))))
            yield return new("no-channel", $"level {level.Code}", LintLevel.Warning, $"None of the {holders.Count} offices cleared for it is reached by {string.Join(", ", level.Handling.Channels)}.",
                $"Không cơ quan nào trong {holders.Count} cơ quan được giữ độ này dùng kênh {string.Join(", ", level.Handling.Channels)}.");
    }

    static string Vi(string what) => what == "clearance" ? "Thẩm quyền" : "Trần kênh";
}
