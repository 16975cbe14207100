using System.Globalization;
using System.Text.RegularExpressions;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Policy;

/// <summary>
/// What a policy must be before anything is decided by it: unique codes, numbers, marks and colours (ADatP-4774.1 section 3.4), references that
/// resolve, values in range, and levels that never ask for less than the one below, so that raising a label can only close doors.
/// </summary>
static partial class PolicyForm
{
    const int MaxLevels = 64;
    const int MaxTagSets = 64;
    const int MaxTags = 4096;
    const int MaxName = 128;
    const int ManifestUnit = 4096;
    const int MaxManifestBucket = 1 << 20;
    const int MaxPayloadBucket = 1 << 30;
    const int MaxMinutes = 60 * 24 * 366;

    /// <exception cref="RefusedException"><see cref="Refusal.PolicyInvalid"/>, naming the place.</exception>
    public static void Check(PolicyStatement policy)
    {
        Demand(policy.V == 1 && policy.Type == PolicyStatement.TypeName, "version or type of the statement");
        Demand(LabelForm.IsOid(policy.Policy), "policy OID");
        Demand(policy.Version is >= 1 and <= StrictJson.MaxInteger, "version");
        Demand(policy.NotBefore >= 0 && policy.NotAfter <= LabelForm.MaxTime && policy.NotBefore < policy.NotAfter, "notBefore, notAfter");
        Demand(policy.Levels.Length is >= 1 and <= MaxLevels, "number of levels");
        Demand(policy.TagSets.Length <= MaxTagSets, "number of tag sets");
        // Nullable annotations are checked by the JSON reader for members, not for elements.
        Demand(policy.Levels.All(l => l is not null) && policy.TagSets.All(t => t is not null), "null element");
        foreach (var level in policy.Levels) CheckLevel(level);
        Unique(policy.Levels, l => l.Code, "level code");
        Unique(policy.Levels, l => l.Class, "class");
        Unique(policy.Levels, l => l.Mark, "mark");
        Unique(policy.Levels, l => l.Colour, "colour");
        Unique(policy.Levels, l => l.Name.Vi, "level name");
        Unique(policy.Levels, l => l.Name.En, "level name");
        for (var position = 0; position < 5; position++)
        {
            var at = position;
            Unique(policy.Levels, l => Markings(l).ElementAt(at).Vi, "marking");
            Unique(policy.Levels, l => Markings(l).ElementAt(at).En, "marking");
        }
        foreach (var set in policy.TagSets) CheckTagSet(set, policy.Levels);
        Unique(policy.TagSets, t => t.Tag, "tag set");
        Unique(policy.TagSets, t => t.Name.Vi, "tag set name");
        Unique(policy.TagSets, t => t.Name.En, "tag set name");
        Demand(policy.Translators is null || LabelForm.Rising([.. policy.Translators.Select(k => k.ToString())], StringComparer.Ordinal), "translators");
        for (var rank = 1; rank < policy.Levels.Length; rank++) CheckRises(policy.Levels[rank - 1], policy.Levels[rank], policy.TagSets);
    }

    static void CheckLevel(PolicyLevel level)
    {
        Demand(Code().IsMatch(level.Code), "level code");
        var at = $"level {level.Code}";
        Demand(level.Class is >= 0 and <= LabelForm.MaxClass, at + ": class");
        CheckName(level.Name, at);
        Demand(LabelForm.IsText(level.Mark, LabelForm.MaxMark), at + ": mark");
        Demand(ColourForm().IsMatch(level.Colour), at + ": colour");
        CheckRoles(level.Approvals, at + ": approvals");
        CheckRoles(level.AuthorRoles, at + ": authorRoles");
        Demand(level.AuthorRoles.Length > 0, at + ": authorRoles");
        Demand(level.Authors is ["person"] or ["person", "office"], at + ": authors");
        Demand(level.ManifestBucket is >= ManifestUnit and <= MaxManifestBucket && level.ManifestBucket % ManifestUnit == 0, at + ": manifestBucket");
        Demand(level.PayloadBucket is >= 1 and <= MaxPayloadBucket, at + ": payloadBucket");
        foreach (var marking in Markings(level)) CheckName(marking, at + ": markings");
        CheckHandling(level.Handling, at);
    }

    static void CheckHandling(PolicyHandling handling, string at)
    {
        Demand(handling.Terms.All(t => t is not null && t.Years is >= 1 and <= 100 && LabelForm.IsText(t.Source, MaxName)
            && DateOnly.TryParseExact(t.From, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _)), at + ": terms");
        Demand(LabelForm.Rising([.. handling.Terms.Select(t => t.From)], StringComparer.Ordinal), at + ": order of terms");
        CheckRoles(handling.Channels, at + ": channels");
        Demand(handling.Channels.Length > 0, at + ": channels");
        CheckRoles(handling.Release.Roles, at + ": release");
        Demand(handling.Release.Persons is >= 0 and <= 2 && handling.Release.Persons > 0 == handling.Release.Roles.Length > 0, at + ": release");
        // Said where nothing is asked for, it would be read as if something were.
        Demand(handling.TimestampAway is null || (handling.Timestamp && handling.TimestampAway is TimeStampRule.AwayRefuse or TimeStampRule.AwayPending), at + ": timestampAway");
        Demand(handling.Directory.MaxMinutes is >= 1 and <= MaxMinutes && handling.Directory.Late is "permit" or "hold" or "deny", at + ": directory");
        Demand(handling.Revocation is not { } revocation || (revocation.MaxMinutes is >= 1 and <= MaxMinutes && revocation.Late is "permit" or "hold" or "deny"), at + ": revocation");
        Demand(handling.Caveats.All(LabelForm.Caveats.Contains) && LabelForm.Rising(handling.Caveats, StringComparer.Ordinal), at + ": caveats");
        Demand(handling.Register is "subject" or "type", at + ": register");
        // One spelling of what most levels are.
        Demand(handling.Hidden is null or true, at + ": hidden");
        Demand(handling.PayloadDays is null or (>= 1 and <= 36_500), at + ": payloadDays");
        // Nobody keeps a payload for ever of which nothing else is left.
        Demand(handling.DetailDays is null || (handling.DetailDays is >= 1 and <= 36_500 && handling.DetailDays >= handling.PayloadDays), at + ": detailDays");
        Demand(LabelForm.Rising([.. handling.Recovery.Select(k => k.ToString())], StringComparer.Ordinal), at + ": recovery");
    }

    internal static IEnumerable<OfficeName> Markings(PolicyLevel level) =>
        [level.Markings.Top, level.Markings.Bottom, level.Markings.FirstLine, level.Markings.SubjectCode, level.Markings.FileName];

    static void CheckTagSet(PolicyTagSet set, PolicyLevel[] levels)
    {
        Demand(LabelForm.IsOid(set.Tag), "tag set");
        var at = $"tag set {set.Tag}";
        // A misspelt type must never become one that is not enforced.
        Demand(LabelForm.CategoryTypes.Contains(set.Type), at + ": type");
        CheckName(set.Name, at);
        Demand(set.Values.Length is >= 1 and <= MaxTags && set.Values.All(v => v is not null), at + ": values");
        foreach (var tag in set.Values)
        {
            Demand(tag.Value is >= 0 and <= LabelForm.MaxValue && Code().IsMatch(tag.Code), at + ": values");
            CheckName(tag.Name, at);
        }
        Unique(set.Values, v => v.Value, at + ": value");
        Unique(set.Values, v => v.Code, at + ": code");
        Unique(set.RequiredOn, c => c, at + ": requiredOn");
        Demand(set.RequiredOn.All(c => levels.Any(l => l.Class == c)), at + ": requiredOn names no level");
    }

    static void CheckRises(PolicyLevel lower, PolicyLevel higher, PolicyTagSet[] sets)
    {
        var at = $"level {higher.Code} asks for less than {lower.Code}: ";
        Demand(higher.BasisRequired || !lower.BasisRequired, at + "basisRequired");
        Demand(higher.HoldNewCards || !lower.HoldNewCards, at + "holdNewCards");
        Demand(lower.Approvals.All(higher.Approvals.Contains), at + "approvals");
        Demand(lower.Authors.All(higher.Authors.Contains), at + "authors");
        Demand(higher.Handling.Release.Persons >= lower.Handling.Release.Persons, at + "release");
        Demand(TimeStampRule.Of(higher.Handling) >= TimeStampRule.Of(lower.Handling), at + "timestamp");
        Demand(higher.Handling.SecondOpinion || !lower.Handling.SecondOpinion, at + "secondOpinion");
        Demand(higher.Handling.Hidden is true || lower.Handling.Hidden is null, at + "hidden");
        Demand(higher.Handling.Channels.All(lower.Handling.Channels.Contains), at + "channels");
        Demand(lower.Handling.Caveats.All(higher.Handling.Caveats.Contains), at + "caveats");
        Demand(higher.Handling.Register == "type" || lower.Handling.Register == "subject", at + "register");
        Demand(lower.Handling.Revocation is not { Late: not "permit" } asked || (higher.Handling.Revocation is { } more && more.MaxMinutes <= asked.MaxMinutes && (more.Late == asked.Late || more.Late == "deny")), at + "revocation");
        Demand(sets.All(s => !s.RequiredOn.Contains(lower.Class) || s.RequiredOn.Contains(higher.Class)), at + "requiredOn");
    }

    internal static bool IsCode(string? code) => code is not null && Code().IsMatch(code);

    static void CheckName(OfficeName name, string at) => Demand(LabelForm.IsText(name.Vi, MaxName) && LabelForm.IsText(name.En, MaxName), at + ": name");

    static void CheckRoles(string[] roles, string at) => Demand(roles.All(r => r is not null && Code().IsMatch(r)) && LabelForm.Rising(roles, StringComparer.Ordinal), at);

    static void Unique<T, TKey>(T[] values, Func<T, TKey> key, string what) => Demand(values.Select(key).Distinct().Count() == values.Length, what + " used twice");

    static void Demand(bool holds, string detail)
    {
        if (!holds) throw new RefusedException(Refusal.PolicyInvalid, detail);
    }

    [GeneratedRegex("^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?\\z")]
    private static partial Regex Code();

    [GeneratedRegex("^#[0-9a-f]{6}\\z")]
    private static partial Regex ColourForm();
}
