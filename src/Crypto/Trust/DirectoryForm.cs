using System.Text.RegularExpressions;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Trust;

/// <summary>The form of directory, cards and standing: ranges, order, one spelling per value. What officers and offices sign is checked like anyone's input.</summary>
public static partial class DirectoryForm
{
    const int MaxOffices = 100_000, MaxKeys = 16, MaxPersons = 256, MaxName = 200, MaxNote = 1000, MaxSettings = 32, MaxSetting = 1000, MaxGroups = 256, MaxGroup = 64, MaxAuditors = 1000;

    static readonly string[] Uses = ["sign", "encrypt", "tls"];
    const int MaxFallbacks = 3;
    internal static readonly string[] Adapters = ["mailbox", "https", "folder", "mail", "sftp", "gateway"];

    /// <summary>Roles that a person may have, in ordinal order.</summary>
    public static IReadOnlyList<string> Roles { get; } = ["clerk", "release-officer", "signatory"];

    /// <summary>An office code: starts with a letter or digit, so that it is also a safe file name.</summary>
    public static bool IsCode(string? code) => code is not null && Code().IsMatch(code);

    internal static void Check(DirectoryStatement directory)
    {
        Demand(IsVersion(directory.Version) && IsTime(directory.Issued), "directory: version or issued");
        Demand(directory.Version > 1 || directory.Previous is null, "directory: previous in the first version");
        Demand(directory.Version == 1 || directory.Previous is not null, "directory: no previous");
        Demand(directory.Offices.Length <= MaxOffices && directory.Offices.All(o => o is not null && IsCode(o.Code)), "directory: office codes");
        Demand(LabelForm.Rising(directory.Offices.Select(o => o.Code).ToList(), StringComparer.Ordinal), "directory: order of offices");
        var parents = directory.Offices.ToDictionary(o => o.Code, o => o.Parent);
        foreach (var office in directory.Offices)
        {
            Demand(LabelForm.IsText(office.Name.Vi, MaxName) && LabelForm.IsText(office.Name.En, MaxName), $"{office.Code}: name");
            Demand(office.Vouched is null || IsTime(office.Vouched.Value), $"{office.Code}: vouched");
            Demand(office.Parent is null || parents.ContainsKey(office.Parent), $"{office.Code}: parent");
        }
        foreach (var office in directory.Offices) Demand(ReachesTop(office.Code, parents), $"{office.Code}: its own ancestor");
    }

    internal static void Check(Card card)
    {
        Demand(IsCode(card.Office) && IsVersion(card.Version) && IsTime(card.Issued), "card: office, version or issued");
        Demand(card.Version > 1 || card.Previous is null, $"{card.Office}: previous in the first card");
        Demand(card.Keys.Length is > 0 and <= MaxKeys && card.Keys.All(k => k is not null && Uses.Contains(k.Use)), $"{card.Office}: keys");
        Demand(Uses.All(use => card.Keys.Any(k => k.Use == use)), $"{card.Office}: a kind of key is missing");
        Demand(card.Persons.Length <= MaxPersons && card.Persons.All(p => p is not null), $"{card.Office}: persons");
        foreach (var person in card.Persons)
            Demand(person.Roles.Length > 0 && person.Roles.All(Roles.Contains) && LabelForm.Rising(person.Roles, StringComparer.Ordinal), $"{card.Office}: roles");
    }

    internal static void Check(StandingStatement standing)
    {
        Demand(IsVersion(standing.Version) && IsTime(standing.Issued), "standing: version or issued");
        // The note is the only free text outside a dispatch; it may be empty.
        Demand(standing.Note.Length == 0 || LabelForm.IsText(standing.Note, MaxNote), "standing: note");
        Demand(standing.Offices.Length <= MaxOffices && standing.Offices.All(o => o is not null && IsCode(o.Code)), "standing: office codes");
        Demand(LabelForm.Rising(standing.Offices.Select(o => o.Code).ToList(), StringComparer.Ordinal), "standing: order of offices");
        foreach (var office in standing.Offices)
        {
            LabelForm.Check(office.Clearance);
            // Each adapter once: breaker and window are by adapter. A mailbox never fails, so nothing can stand behind it.
            Demand(office.Fallbacks is null or { Length: > 0 and <= MaxFallbacks } && office.Channels.All(c => c is not null) && office.Channels.DistinctBy(c => c.Adapter).Count() == office.Channels.Count
                && office.Channels.SkipLast(1).All(c => office.Channels.Count == 1 || c.Adapter != "mailbox"), $"{office.Code}: fallbacks");
            foreach (var channel in office.Channels) Check(office.Code, channel);
            Demand(office.NeedToKnow.Length <= MaxGroups && office.NeedToKnow.All(g => LabelForm.IsText(g, MaxGroup)) && LabelForm.Rising(office.NeedToKnow, StringComparer.Ordinal),
                $"{office.Code}: needToKnow");
        }
        if (standing.Auditors is { } auditors) Check(standing, auditors);
    }

    static void Check(StandingStatement standing, StandingAuditor[] auditors)
    {
        Demand(auditors.Length is > 0 and <= MaxAuditors && auditors.All(a => a is not null && IsCode(a.Code)), "standing: auditor codes");
        Demand(LabelForm.Rising(auditors.Select(a => a.Code).ToList(), StringComparer.Ordinal), "standing: order of auditors");
        Demand(auditors.DistinctBy(a => a.Key).Count() == auditors.Length, "standing: two auditors with one key");
        Demand(!auditors.Select(a => a.Code).Intersect(standing.Offices.Select(o => o.Code)).Any(), "standing: an auditor with an office's code");
        foreach (var auditor in auditors) LabelForm.Check(auditor.Clearance);
    }

    static void Check(string office, StandingChannel channel)
    {
        Demand(Adapters.Contains(channel.Adapter), $"{office}: adapter");
        if (channel.Ceiling is { } ceiling) LabelForm.Check(ceiling);
        Demand(channel.Settings.Count <= MaxSettings && channel.Settings.All(s => LabelForm.IsText(s.Key, MaxGroup) && LabelForm.IsText(s.Value, MaxSetting)), $"{office}: settings");
    }

    static bool ReachesTop(string code, Dictionary<string, string?> parents)
    {
        var steps = 0;
        for (var at = parents[code]; at is not null; at = parents[at])
            if (++steps > 32) return false;
        return true;
    }

    static bool IsVersion(long version) => version is >= 1 and <= StrictJson.MaxInteger;
    static bool IsTime(long time) => time is >= 0 and <= LabelForm.MaxTime;

    static void Demand(bool holds, string detail)
    {
        if (!holds) throw new RefusedException(Refusal.Json, detail);
    }

    [GeneratedRegex("^[A-Z0-9][A-Z0-9.-]{0,49}\\z")]
    private static partial Regex Code();
}
