using System.Collections.Frozen;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Policy;

/// <summary>A policy, verified (two pinned policy officers) and made ready for decisions. Immutable.</summary>
public sealed class CompiledPolicy
{
    readonly int[] ranks;
    readonly FrozenDictionary<string, PolicyLevel> byCode;
    readonly FrozenDictionary<string, (PolicyTagSet Set, Dictionary<int, PolicyTag> Tags)> byTag;

    CompiledPolicy(PolicyStatement content, Digest reference, ReadOnlyMemory<byte> statement)
    {
        Content = content;
        Ref = reference;
        Statement = statement;
        ranks = new int[LabelForm.MaxClass + 1];
        Array.Fill(ranks, -1);
        for (var rank = 0; rank < content.Levels.Length; rank++) ranks[content.Levels[rank].Class] = rank;
        byCode = content.Levels.ToFrozenDictionary(l => l.Code, StringComparer.Ordinal);
        byTag = content.TagSets.ToFrozenDictionary(t => t.Tag, t => (t, t.Values.ToDictionary(v => v.Value)), StringComparer.Ordinal);
    }

    /// <param name="statement">Policy statement, DER.</param>
    /// <param name="officers">Keys of the pinned policy officers: two different ones must have signed, and no one else.</param>
    /// <param name="at">When the officers' certificates must be valid. Whether the policy itself is in force is asked in each decision (R01), so that one can be loaded early and kept for replay.</param>
    /// <param name="seenVersion">Highest version activated before.</param>
    /// <param name="again">It was put in force before: see <see cref="Officers"/>.</param>
    /// <exception cref="RefusedException"><see cref="Refusal.Officers"/>, <see cref="Refusal.VersionOld"/>, <see cref="Refusal.PolicyInvalid"/>, or what the statement or a certificate is refused for.</exception>
    public static CompiledPolicy Open(ReadOnlyMemory<byte> statement, IReadOnlyCollection<Digest> officers, CertificateCheck trust, DateTimeOffset at, long seenVersion = 0, bool again = false)
    {
        var read = Statements.Statement.Read(statement, StatementType.Policy);
        Officers.Demand(read, officers, trust, at, again);
        var content = read.As<PolicyStatement>();
        if (content.Version < seenVersion) throw new RefusedException(Refusal.VersionOld, $"policy {content.Version} below {seenVersion}");
        PolicyForm.Check(content);
        return new CompiledPolicy(content, read.Ref, statement.ToArray());
    }

    /// <summary>
    /// A policy that was opened when it was put in force, from where it was kept since. Its officers and their certificates were judged then; that they have ended, or that
    /// others are pinned now, changes nothing about what was decided by it.
    /// </summary>
    /// <param name="reference">Under which it was put in force.</param>
    /// <exception cref="RefusedException"><see cref="Refusal.PolicyInvalid"/>: another policy; or what the statement is refused for.</exception>
    public static CompiledPolicy Reopen(ReadOnlyMemory<byte> statement, Digest reference)
    {
        var read = Statements.Statement.Read(statement, StatementType.Policy);
        if (read.Ref != reference) throw new RefusedException(Refusal.PolicyInvalid, "not the policy of that ref");
        var content = read.As<PolicyStatement>();
        PolicyForm.Check(content);
        return new CompiledPolicy(content, read.Ref, statement.ToArray());
    }

    /// <summary>A policy that nobody has signed: for checking a draft before it is signed, and for tests. Never decide on it in a service.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.PolicyInvalid"/>.</exception>
    public static CompiledPolicy Compile(PolicyStatement content)
    {
        PolicyForm.Check(content);
        return new CompiledPolicy(content, Digest.Of(StrictJson.Write(content, StatementJson.Default.PolicyStatement)), default);
    }

    /// <summary>SHA-256 of the statement's JSON: what decisions and headers name.</summary>
    public Digest Ref { get; }
    public PolicyStatement Content { get; }
    /// <summary>Of some level it must not show that there is anything of it.</summary>
    public bool HidesLevels => Content.Levels.Any(l => l.Handling.Hidden is true);
    /// <summary>DER as opened, for passing on; empty when only compiled.</summary>
    public ReadOnlyMemory<byte> Statement { get; }

    public PolicyLevel? Level(int @class) => Rank(@class) is >= 0 and var rank ? Content.Levels[rank] : null;
    public PolicyLevel? Level(string code) => byCode.GetValueOrDefault(code);
    /// <summary>Place in the order, 0 lowest; -1: not a level. The class numbers themselves have no order (RFC 2634 section 3.2).</summary>
    public int Rank(int @class) => @class is >= 0 and <= LabelForm.MaxClass ? ranks[@class] : -1;
    /// <summary>Tag set by its dotted OID; null: not one of this policy.</summary>
    public PolicyTagSet? TagSet(string tag) => byTag.GetValueOrDefault(tag).Set;

    /// <param name="tags">Its values by number; null: not one of this policy.</param>
    internal PolicyTagSet? TagSet(string tag, out Dictionary<int, PolicyTag>? tags)
    {
        (var set, tags) = byTag.GetValueOrDefault(tag);
        return set;
    }

    /// <summary>Whether a label is in form (<see cref="LabelForm"/>) because each of its parts is one of this policy, which is; false says nothing.</summary>
    internal bool IsPlainForm(Label label)
    {
        if (label.Policy != Content.Policy || Level(label.Class) is not { } level || label.Mark != level.Mark) return false;
        if (label.Basis is { } basis && (basis.Length is 0 or > LabelForm.MaxBasis || !IsPlainText(basis))) return false;
        if (label.Term is <= 0 or > LabelForm.MaxTime || label.Categories.Length > LabelForm.MaxCategories) return false;
        for (var i = 0; i < label.Caveats.Length; i++)
            if (!LabelForm.Caveats.Contains(label.Caveats[i]) || (i > 0 && string.CompareOrdinal(label.Caveats[i - 1], label.Caveats[i]) >= 0)) return false;
        for (var i = 0; i < label.Categories.Length; i++)
        {
            var (category, before) = (label.Categories[i], -1);
            if (TagSet(category.Tag) is not { } set || set.Type != category.Type || (i > 0 && LabelForm.Order(label.Categories[i - 1], category) >= 0)) return false;
            if (category.Values.Length == 0 && category.Type != "permissive") return false;
            foreach (var value in category.Values)
            {
                if (value <= before || value > LabelForm.MaxValue) return false;
                before = value;
            }
        }
        return true;
    }

    static bool IsPlainText(string text) => !text.AsSpan().ContainsAnyExceptInRange(' ', '~');

    /// <summary>A label of this policy at a level, with the policy's mark and the caveats that the level always bears.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.LabelClass"/>: no such level; <see cref="Refusal.LabelForm"/>.</exception>
    public Label NewLabel(string level, string? basis = null, IEnumerable<Category>? categories = null, IEnumerable<string>? caveats = null)
    {
        var found = Level(level) ?? throw new RefusedException(Refusal.LabelClass, "no such level");
        var label = new Label
        {
            Policy = Content.Policy, Class = found.Class, Mark = found.Mark, Basis = basis, Term = null,
            Categories = [.. (categories ?? []).Order(Comparer<Category>.Create(LabelForm.Order))],
            Caveats = [.. found.Handling.Caveats.Union(caveats ?? []).Order(StringComparer.Ordinal)],
        };
        LabelForm.Check(label);
        return label;
    }

    /// <summary>Categories of the values that these codes name, across all tag sets.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.LabelCategory"/>: no such value, or two tag sets have one of this code.</exception>
    public Category[] CategoriesOf(IEnumerable<string> codes)
    {
        var named = codes.Distinct(StringComparer.Ordinal).Select(code => Content.TagSets.SelectMany(set => set.Values.Where(v => v.Code == code).Select(v => (Set: set, v.Value))).ToList() switch
        {
            [var one] => one,
            [] => throw new RefusedException(Refusal.LabelCategory, $"no value {code}"),
            _ => throw new RefusedException(Refusal.LabelCategory, $"{code} is a value of several tag sets"),
        });
        return [.. named.GroupBy(n => n.Set).Select(g => new Category { Type = g.Key.Type, Tag = g.Key.Tag, Values = [.. g.Select(n => n.Value).Order()] }).Order(Comparer<Category>.Create(LabelForm.Order))];
    }
}
