using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Join;

/// <param name="Ceiling">Levels that may travel by it; null: the lowest only.</param>
sealed record FallbackChannel(string Adapter, IReadOnlyDictionary<string, string> Settings, IReadOnlyList<string>? Ceiling)
{
    /// <summary>"sftp host=… user=… ceiling=thuong,mat": the adapter, its settings, and what may travel by it.</summary>
    /// <exception cref="UsageException">Not like that.</exception>
    public static FallbackChannel Parse(string text)
    {
        var parts = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length == 0) throw new UsageException("--fallback: \"NAME SETTING=VALUE …\"", "--fallback: \"TÊN THAM-SỐ=GIÁ-TRỊ …\"");
        var settings = OfficerCommands.Settings(parts[1..]).ToDictionary(StringComparer.Ordinal);
        return settings.Remove("ceiling", out var levels) ? new(parts[0], settings, levels.Split(',')) : new(parts[0], settings, null);
    }
}

/// <param name="Channel">null: as it is; mailbox for an office that is new.</param>
/// <param name="Levels">Codes of the policy's levels that the office may hold; null: as it is.</param>
/// <param name="Ceiling">Levels that may travel through the channel; null: as it is; for a new one the lowest only.</param>
/// <param name="Categories">Tag set → values held; null: as they are.</param>
sealed record StandingChange(string Code, string? Channel, IReadOnlyDictionary<string, string> Settings, IReadOnlyList<string>? Levels, IReadOnlyList<string>? Ceiling, IReadOnlyDictionary<string, int[]>? Categories)
{
    /// <summary>Channels for while the first does not work, in order; null: as they are; empty: none any more.</summary>
    public IReadOnlyList<FallbackChannel>? Fallbacks { get; init; }

    public bool IsNone => Fallbacks is null && Channel is null && Settings.Count == 0 && Levels is null && Ceiling is null && Categories is null;
}

/// <param name="Key">Of his TLS client certificate; null: as it is.</param>
/// <param name="Levels">Codes of levels that he may read; null: as they are.</param>
/// <param name="Categories">Tag set → values held; null: as they are.</param>
/// <param name="Until">When it ends; null: as it is, for a new one with the policy.</param>
sealed record AuditorChange(string Code, Digest? Key, IReadOnlyList<string>? Levels, IReadOnlyDictionary<string, int[]>? Categories, DateTimeOffset? Until, bool Remove);

/// <param name="Name">null: as it is.</param>
/// <param name="Loss">The officers know by another way that this card, which no key before signed, is the office's.</param>
sealed record DirectoryChange(string Code, Statement? Card, OfficeName? Name, string? Parent, bool Remove, bool Loss);

/// <summary>The next version of what officers sign, made from the one in force. Nothing is signed here.</summary>
static class NextStatements
{
    /// <exception cref="UsageException">What the change asks for cannot be.</exception>
    public static DirectoryStatement Directory(DirectoryStatement? from, Digest? fromRef, Func<string, Statement?> cardOf, DirectoryChange change, IReadOnlyList<Digest> signers, DateTimeOffset now)
    {
        var old = from?.Offices.FirstOrDefault(o => o.Code == change.Code);
        if (change.Remove && old is null) throw new UsageException($"there is no {change.Code} in the directory", $"không có {change.Code} trong danh bạ");
        var others = from?.Offices.Where(o => o.Code != change.Code) ?? [];
        return new DirectoryStatement
        {
            V = 1, Type = DirectoryStatement.TypeName, Signers = [.. signers], Version = (from?.Version ?? 0) + 1, Issued = now.ToUnixTimeMilliseconds(), Previous = fromRef,
            Offices = [.. (change.Remove ? others : others.Append(Entry(old, cardOf(change.Code), change, now))).OrderBy(o => o.Code, StringComparer.Ordinal)],
        };
    }

    public static DirectoryStatement EmptyDirectory(IReadOnlyList<Digest> signers, DateTimeOffset now) =>
        new() { V = 1, Type = DirectoryStatement.TypeName, Signers = [.. signers], Version = 1, Issued = now.ToUnixTimeMilliseconds(), Previous = null, Offices = [] };

    public static StandingStatement EmptyStanding(IReadOnlyList<Digest> signers, DateTimeOffset now) =>
        new() { V = 1, Type = StandingStatement.TypeName, Signers = [.. signers], Version = 1, Issued = now.ToUnixTimeMilliseconds(), Note = "", Offices = [] };

    static DirectoryOffice Entry(DirectoryOffice? old, Statement? oldCard, DirectoryChange change, DateTimeOffset now)
    {
        var name = change.Name ?? old?.Name ?? throw new UsageException($"{change.Code} is new: it needs --name-vi and --name-en", $"{change.Code} là cơ quan mới: cần --name-vi và --name-en");
        var parent = change.Parent ?? old?.Parent;
        if (change.Card is not { } card)
            return old is null ? throw new UsageException($"{change.Code} is new: it needs --card", $"{change.Code} là cơ quan mới: cần --card") : old with { Name = name, Parent = parent };
        if (card.As<Card>().Office != change.Code) throw new UsageException($"--card: the card is of {card.As<Card>().Office}", $"--card: thẻ thuộc {card.As<Card>().Office}");
        if (old is null) return new DirectoryOffice(change.Code, name, parent, card.Ref, now.ToUnixTimeMilliseconds());
        if (Follows(card, oldCard)) return new DirectoryOffice(change.Code, name, parent, card.Ref, null);
        if (!change.Loss)
            throw new UsageException($"the card of {change.Code} is not signed by a key of the one before. Ask the office, by a way that does not need its keys, whether they are lost; if so, say --loss",
                $"thẻ của {change.Code} không do khóa trước ký. Hãy hỏi cơ quan, bằng cách không dùng khóa của họ, xem khóa có bị mất không; nếu đúng, dùng --loss");
        return new DirectoryOffice(change.Code, name, parent, card.Ref, now.ToUnixTimeMilliseconds());
    }

    /// <summary>Whether a key of the card before signed this one.</summary>
    public static bool Follows(Statement card, Statement? before) =>
        before is not null && card.As<Card>().Previous == before.Ref && before.As<Card>().Keys.Any(k => k.Use == "sign" && Digest.Of(k.Certificate) == card.Signers[0].Key);

    /// <exception cref="UsageException">What the change asks for cannot be.</exception>
    public static StandingStatement Standing(StandingStatement? from, PolicyStatement? policy, StandingChange change, IReadOnlyList<Digest> signers, DateTimeOffset now)
    {
        var old = from?.Offices.FirstOrDefault(o => o.Code == change.Code);
        if (policy is null) throw new UsageException("there is no policy in statements/: its levels are what clearances name", "chưa có chính sách trong statements/: thẩm quyền phải theo các độ mật của chính sách");
        if (old is null && change.Levels is null) throw new UsageException($"{change.Code} has no standing yet: it needs --levels", $"{change.Code} chưa có thẩm quyền: cần --levels");
        var clearance = change.Levels is null && change.Categories is null ? old!.Clearance : Clearance(policy, change.Levels, change.Categories, old?.Clearance);
        var adapter = change.Channel ?? old?.Channel.Adapter ?? "mailbox";
        var settings = change.Channel is null && change.Settings.Count == 0 && old is not null ? old.Channel.Settings : new SortedDictionary<string, string>(change.Settings.ToDictionary(), StringComparer.Ordinal);
        // What was approved for one way of carrying is not approved for another.
        var ceiling = change.Ceiling is { } levels ? Clearance(policy, levels, change.Categories, clearance) : adapter == old?.Channel.Adapter ? old.Channel.Ceiling : null;
        var fallbacks = change.Fallbacks is null ? old?.Fallbacks : change.Fallbacks.Count == 0 ? null : change.Fallbacks.Select(f =>
            new StandingChannel(f.Adapter, f.Ceiling is { } most ? Clearance(policy, most, change.Categories, clearance) : null, new(f.Settings.ToDictionary(), StringComparer.Ordinal))).ToArray();
        var entry = new StandingOffice(change.Code, clearance, new StandingChannel(adapter, ceiling, settings), old?.NeedToKnow ?? [], fallbacks);
        return new StandingStatement
        {
            V = 1, Type = StandingStatement.TypeName, Signers = [.. signers], Version = (from?.Version ?? 0) + 1, Issued = now.ToUnixTimeMilliseconds(), Note = from?.Note ?? "",
            Offices = [.. (from?.Offices.Where(o => o.Code != change.Code) ?? []).Append(entry).OrderBy(o => o.Code, StringComparer.Ordinal)], Auditors = from?.Auditors,
        };
    }

    /// <exception cref="UsageException">What the change asks for cannot be.</exception>
    public static StandingStatement Auditor(StandingStatement? from, PolicyStatement? policy, AuditorChange change, IReadOnlyList<Digest> signers, DateTimeOffset now)
    {
        if (policy is null) throw new UsageException("there is no policy in statements/: its levels are what clearances name", "chưa có chính sách trong statements/: thẩm quyền phải theo các độ mật của chính sách");
        var before = from ?? throw new UsageException("there is no standing yet: begin with --empty", "chưa có thẩm quyền: hãy bắt đầu với --empty");
        var old = before.Auditors?.FirstOrDefault(a => a.Code == change.Code);
        if (change.Remove && old is null) throw new UsageException($"there is no auditor {change.Code} in the standing", $"không có kiểm toán viên {change.Code} trong thẩm quyền");
        if (old is null && (change.Key is null || change.Levels is null)) throw new UsageException($"auditor {change.Code} is new: it needs --certificate and --levels", $"kiểm toán viên {change.Code} là mới: cần --certificate và --levels");
        var others = (before.Auditors ?? []).Where(a => a.Code != change.Code);
        StandingAuditor[] auditors = change.Remove ? [.. others] : [.. others.Append(new StandingAuditor(change.Code, change.Key ?? old!.Key, Held())).OrderBy(a => a.Code, StringComparer.Ordinal)];
        return before with
        {
            Signers = [.. signers], Version = before.Version + 1, Issued = now.ToUnixTimeMilliseconds(), Auditors = auditors.Length == 0 ? null : auditors,
        };

        Clearance Held()
        {
            var clearance = change.Levels is null && change.Categories is null ? old!.Clearance : Clearance(policy, change.Levels, change.Categories, old?.Clearance);
            return change.Until is { } until ? clearance with { ValidTo = until.ToUnixTimeMilliseconds() } : clearance;
        }
    }

    static Clearance Clearance(PolicyStatement policy, IReadOnlyList<string>? levels, IReadOnlyDictionary<string, int[]>? categories, Clearance? old) => new()
    {
        Policy = policy.Policy,
        Classes = levels is null ? old!.Classes : [.. levels.Select(code => policy.Levels.FirstOrDefault(l => l.Code == code)?.Class
            ?? throw new UsageException($"no level {code}; there are {string.Join(", ", policy.Levels.Select(l => l.Code))}", $"không có độ mật {code}; có {string.Join(", ", policy.Levels.Select(l => l.Code))}")).Distinct().Order()],
        Categories = categories is null ? old?.Categories ?? [] : [.. categories.Select(c => new Category
        {
            Type = policy.TagSets.FirstOrDefault(t => t.Tag == c.Key)?.Type ?? throw new UsageException($"no tag set {c.Key}; there are {string.Join(", ", policy.TagSets.Select(t => t.Tag))}", $"không có bộ phạm trù {c.Key}; có {string.Join(", ", policy.TagSets.Select(t => t.Tag))}"),
            Tag = c.Key, Values = [.. c.Value.Distinct().Order()],
        }).OrderBy(c => c.Type, StringComparer.Ordinal).ThenBy(c => c.Tag, StringComparer.Ordinal)],
        ValidFrom = policy.NotBefore, ValidTo = policy.NotAfter,
    };
}
