using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Exchange.Crypto.Labels;

namespace Exchange.Crypto.Policy;

/// <summary>
/// Which label of another policy protects what a label of one protects: agreed with one partner, in one direction, for a time. By codes and numbers, never by names: "Secret" of one
/// scheme is not that of another. docs/policy.md has every member.
/// </summary>
public sealed record MappingFile
{
    public required string Code { get; init; }
    public required int Version { get; init; }
    /// <summary>Code of whom it was agreed with.</summary>
    public required string Partner { get; init; }
    /// <summary>Policy of the labels that come in, dotted OID.</summary>
    public required string From { get; init; }
    /// <summary>Policy of the labels that come out.</summary>
    public required string To { get; init; }
    /// <summary>First day, yyyy-MM-dd, UTC.</summary>
    public required string NotBefore { get; init; }
    /// <summary>The day after the last.</summary>
    public required string NotAfter { get; init; }
    /// <summary>A level that is not listed: "refuse", or "next-higher": as the next listed one above it.</summary>
    public required string Unmapped { get; init; }
    /// <summary>An informative value that is not listed: "refuse" or "drop". Others are always refused.</summary>
    public required string Informative { get; init; }
    /// <summary>From lowest to highest.</summary>
    public required MappedLevel[] Levels { get; init; }
    public required MappedTagSet[] TagSets { get; init; }
}

/// <param name="From">Code of a level.</param>
/// <param name="To">Code of a level of the other policy.</param>
/// <param name="Basis">What justifies the level there, in place of what the label says; null: what the label says.</param>
public sealed record MappedLevel(string From, string To, string? Basis);

/// <param name="From">Tag set, dotted OID.</param>
/// <param name="To">Tag set of the other policy, of the same type.</param>
public sealed record MappedTagSet(string From, string To, MappedValue[] Values);

/// <param name="From">Code of a value.</param>
/// <param name="To">Code of a value of the other tag set; no two map to one.</param>
public sealed record MappedValue(string From, string To);

/// <summary>A mapping between two policies, checked against both. Translating makes a new label; the one that came keeps standing where it stands.</summary>
public sealed class PolicyMapping
{
    readonly MappingFile file;
    readonly CompiledPolicy from, to;
    readonly DateOnly first, end;

    PolicyMapping(MappingFile file, CompiledPolicy from, CompiledPolicy to)
    {
        (this.file, this.from, this.to) = (file, from, to);
        first = Day(file.NotBefore, "notBefore");
        end = Day(file.NotAfter, "notAfter");
        Check();
    }

    public MappingFile Content => file;

    /// <exception cref="RefusedException"><see cref="Refusal.MappingInvalid"/>, naming the place.</exception>
    public static PolicyMapping Read(ReadOnlySpan<byte> json, CompiledPolicy from, CompiledPolicy to)
    {
        try { return new PolicyMapping(JsonSerializer.Deserialize(json, MappingJson.Default.MappingFile) ?? throw new JsonException("null"), from, to); }
        catch (JsonException e) { throw new RefusedException(Refusal.MappingInvalid, $"{e.Path} line {e.LineNumber + 1}"); }
    }

    /// <summary>The label of the other policy. Never lower than what came: a level, restriction or limit without an equivalent is a refusal.</summary>
    /// <param name="now">The mapping must be in force then.</param>
    /// <exception cref="RefusedException"><see cref="Refusal.NoMapping"/>.</exception>
    public Label Translate(Label label, DateTimeOffset now)
    {
        var day = DateOnly.FromDateTime(now.UtcDateTime);
        if (day < first || day >= end) throw new RefusedException(Refusal.NoMapping, "not in force");
        if (label.Policy != file.From || from.Level(label.Class) is not { } level) throw new RefusedException(Refusal.NoMapping, "level");
        var target = Level(level) ?? throw new RefusedException(Refusal.NoMapping, $"level {level.Code}");
        var made = to.NewLabel(target.To, target.Basis ?? label.Basis, label.Categories.Select(Translate).OfType<Category>(), label.Caveats) with { Term = label.Term };
        return PolicyProbe.Fault(to, made) is { } fault ? throw new RefusedException(Refusal.NoMapping, $"not a label there: {fault.Rule} {fault.Reason}") : made;
    }

    MappedLevel? Level(PolicyLevel level) => Listed(level.Code) is { } listed ? listed
        : file.Unmapped == "next-higher" ? from.Content.Levels.Skip(from.Rank(level.Class) + 1).Select(l => Listed(l.Code)).FirstOrDefault(m => m is not null) : null;

    MappedLevel? Listed(string code) => Array.Find(file.Levels, m => m.From == code);

    /// <summary>null: informative, not listed, and dropped.</summary>
    Category? Translate(Category category)
    {
        var set = from.TagSet(category.Tag) is { } known && known.Type == category.Type ? known : throw new RefusedException(Refusal.NoMapping, "tag set");
        var mapped = Array.Find(file.TagSets, t => t.From == category.Tag);
        var other = mapped is null ? null : to.TagSet(mapped.To);
        var values = new List<int>();
        foreach (var value in category.Values)
        {
            var code = Array.Find(set.Values, v => v.Value == value)?.Code;
            if (mapped?.Values.FirstOrDefault(v => v.From == code) is { } pair) values.Add(Array.Find(other!.Values, v => v.Code == pair.To)!.Value);
            else if (set.Type != "informative" || file.Informative == "refuse") throw new RefusedException(Refusal.NoMapping, $"value {code ?? "unknown"} of {category.Tag}");
        }
        // Nobody stays nobody.
        if (mapped is null) return set.Type == "informative" ? null : throw new RefusedException(Refusal.NoMapping, $"tag set {category.Tag}");
        return values.Count == 0 && set.Type != "permissive" ? null : new Category { Type = set.Type, Tag = mapped.To, Values = [.. values.Order()] };
    }

    void Check()
    {
        Demand(file.From == from.Content.Policy && file.To == to.Content.Policy && file.From != file.To, "from, to: not these two policies");
        Demand(PolicyForm.IsCode(file.Code) && PolicyForm.IsCode(file.Partner) && file.Version >= 1, "code, partner or version");
        Demand(first < end, "notBefore, notAfter");
        Demand(file.Unmapped is "refuse" or "next-higher", "unmapped");
        Demand(file.Informative is "refuse" or "drop", "informative");
        Demand(file.Levels.Length > 0 && file.Levels.All(l => l is not null) && file.TagSets.All(t => t?.Values is not null && t.Values.All(v => v is not null)), "null element");
        for (var i = 0; i < file.Levels.Length; i++) CheckLevel(file.Levels[i], i == 0 ? null : file.Levels[i - 1]);
        Demand(Distinct(file.TagSets.Select(t => t.From)) && Distinct(file.TagSets.Select(t => t.To)), "tag set used twice");
        foreach (var set in file.TagSets) CheckTagSet(set);
    }

    void CheckLevel(MappedLevel level, MappedLevel? below)
    {
        var at = $"level {level.From}: ";
        Demand(from.Level(level.From) is not null && to.Level(level.To) is not null, at + "no such level");
        Demand(!to.Level(level.To)!.Obsolete, at + "obsolete there");
        Demand(level.Basis is null || LabelForm.IsText(level.Basis, LabelForm.MaxBasis), at + "basis");
        if (below is null) return;
        Demand(Rank(from, below.From) < Rank(from, level.From), at + "order of levels");
        Demand(Rank(to, below.To) <= Rank(to, level.To), at + "lower there than the one below it");
    }

    void CheckTagSet(MappedTagSet set)
    {
        var at = $"tag set {set.From}: ";
        var (own, other) = (from.TagSet(set.From), to.TagSet(set.To));
        Demand(own is not null && other is not null, at + "no such tag set");
        Demand(own!.Type == other!.Type, at + "another type there");
        Demand(set.Values.All(v => own.Values.Any(o => o.Code == v.From) && other.Values.Any(o => o.Code == v.To && !o.Obsolete)), at + "no such value");
        // Two values that became one could not be told apart on the way back: a limit to one would be a limit to both.
        Demand(Distinct(set.Values.Select(v => v.From)) && Distinct(set.Values.Select(v => v.To)), at + "value used twice");
    }

    static int Rank(CompiledPolicy policy, string code) => policy.Rank(policy.Level(code)!.Class);

    static bool Distinct(IEnumerable<string> values) => values.ToList() is var list && list.Distinct(StringComparer.Ordinal).Count() == list.Count;

    static DateOnly Day(string text, string member) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : throw new RefusedException(Refusal.MappingInvalid, member);

    static void Demand(bool holds, string detail)
    {
        if (!holds) throw new RefusedException(Refusal.MappingInvalid, detail);
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(MappingFile))]
sealed partial class MappingJson : JsonSerializerContext;
