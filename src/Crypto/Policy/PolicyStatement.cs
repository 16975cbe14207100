using System.Text.Json.Serialization;
using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Policy;

/// <summary>Levels, categories and what each level demands: data signed by two policy officers. Its ref is pinned into every decision.</summary>
public sealed record PolicyStatement : IStatementContent
{
    public const string TypeName = "policy";
    public required int V { get; init; }
    public required string Type { get; init; }
    public required Digest[] Signers { get; init; }
    /// <summary>Dotted OID that labels name.</summary>
    public required string Policy { get; init; }
    /// <summary>Strictly rising.</summary>
    public required long Version { get; init; }
    /// <summary>Unix milliseconds, inclusive.</summary>
    public required long NotBefore { get; init; }
    /// <summary>Unix milliseconds, exclusive.</summary>
    public required long NotAfter { get; init; }
    /// <summary>From lowest to highest.</summary>
    public required PolicyLevel[] Levels { get; init; }
    public required PolicyTagSet[] TagSets { get; init; }
    /// <summary>Keys of those who may translate labels of other policies into this one (R25), ordinal order; null: nobody.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public Digest[]? Translators { get; init; }
}

public sealed record PolicyLevel
{
    /// <summary>Code that a clerk types: "thuong", "mat", "toi-mat", "tuyet-mat".</summary>
    public required string Code { get; init; }
    /// <summary>Number in labels.</summary>
    public required int Class { get; init; }
    public required OfficeName Name { get; init; }
    /// <summary>Privacy mark of labels at this level ("MẬT").</summary>
    public required string Mark { get; init; }
    /// <summary>#rrggbb.</summary>
    public required string Colour { get; init; }
    /// <summary>Still valid on old labels, refused on new ones.</summary>
    public required bool Obsolete { get; init; }
    public required bool BasisRequired { get; init; }
    /// <summary>Roles whose approval the gateway must see; one approval per role.</summary>
    public required string[] Approvals { get; init; }
    /// <summary>Who signs the dispatch inside: "person", or "person" and "office".</summary>
    public required string[] Authors { get; init; }
    /// <summary>Roles of persons who may author.</summary>
    public required string[] AuthorRoles { get; init; }
    /// <summary>Whether a newly vouched card is held back for 24 h.</summary>
    public required bool HoldNewCards { get; init; }
    /// <summary>The manifest's plaintext is filled with zeros to a multiple of this; at least 4096.</summary>
    public required int ManifestBucket { get; init; }
    /// <summary>The payload is filled with zeros to a multiple of this; 1: no padding.</summary>
    public required int PayloadBucket { get; init; }
    public required PolicyMarkings Markings { get; init; }
    public required PolicyHandling Handling { get; init; }
}

/// <summary>The level as text, by position; each in both languages, and each of one level only, so that a marking maps back to its level.</summary>
/// <param name="Top">Top of each page.</param>
/// <param name="Bottom">Bottom of each page.</param>
/// <param name="FirstLine">First line of plain text.</param>
/// <param name="SubjectCode">In place of a subject where that must not be written: lists, mail, notifications.</param>
/// <param name="FileName">In file names.</param>
public sealed record PolicyMarkings(OfficeName Top, OfficeName Bottom, OfficeName FirstLine, OfficeName SubjectCode, OfficeName FileName);

/// <summary>What a level demands besides approvals and padding.</summary>
public sealed record PolicyHandling
{
    /// <summary>Protection by law, dated, by rising date; the one of the day on which the label was chosen counts. Empty: no term.</summary>
    public required PolicyTerm[] Terms { get; init; }
    /// <summary>Adapters that may carry it, ordinal order; "mailbox" among them where the office may fetch it.</summary>
    public required string[] Channels { get; init; }
    /// <summary>Who must release it before it leaves the gateway (dual control).</summary>
    public required PolicyRelease Release { get; init; }
    /// <summary>Whether the dispatch must bear a timestamp (RFC 3161).</summary>
    public required bool Timestamp { get; init; }
    /// <summary>What the sender does while no time-stamp authority answers: "refuse", or "pending" (sealed without, the time-stamp follows); null: "refuse". Only beside a timestamp.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? TimestampAway { get; init; }
    public required PolicyFreshness Directory { get; init; }
    /// <summary>How old the word of the CA about sender and recipients may be; null: until it ends by itself, which no policy puts off.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public PolicyFreshness? Revocation { get; init; }
    /// <summary>Caveats that every label of this level must bear, ordinal order.</summary>
    public required string[] Caveats { get; init; }
    /// <summary>What registers, lists and notifications may say of it: "subject", or "type" only.</summary>
    public required string Register { get; init; }
    /// <summary>Days that the gateway keeps the payload after the last copy ended; null: for ever.</summary>
    public required int? PayloadDays { get; init; }
    /// <summary>Days after which all that is left of the dispatch is erased, salts and details of the ledger included; null: never. Not fewer than <see cref="PayloadDays"/>, which then must be there.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public int? DetailDays { get; init; }
    /// <summary>Keys to which every dispatch of this level is sealed besides, role "recovery"; ordered. Empty: nobody else can open it.</summary>
    public required Digest[] Recovery { get; init; }
    /// <summary>Whether every dispatch of this level is sealed to its sender besides, role "self": true must, false must not; null: as the sender likes.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public bool? Self { get; init; }
    /// <summary>Whether that there is something of this level must not show: gateways then sign heads of their ledgers at a fixed beat, padded with dummies. null: it may show.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public bool? Hidden { get; init; }
    /// <summary>Whether a second, independent engine must come to the same verdict.</summary>
    public required bool SecondOpinion { get; init; }
}

/// <param name="From">First day, yyyy-MM-dd.</param>
/// <param name="Years">1 .. 100.</param>
/// <param name="Source">Act and article.</param>
public sealed record PolicyTerm(string From, int Years, string Source);

/// <param name="Persons">0, 1 or 2 distinct persons, none of them the author.</param>
/// <param name="Roles">Roles that may release, ordinal order; empty when nobody is needed.</param>
public sealed record PolicyRelease(int Persons, string[] Roles);

/// <param name="MaxMinutes">Age above which <paramref name="Late"/> applies.</param>
/// <param name="Late">"permit", "hold" or "deny".</param>
public sealed record PolicyFreshness(int MaxMinutes, string Late);

public sealed record PolicyTagSet
{
    public required string Tag { get; init; }
    /// <summary>"restrictive", "permissive" or "informative".</summary>
    public required string Type { get; init; }
    public required OfficeName Name { get; init; }
    public required PolicyTag[] Values { get; init; }
    /// <summary>Classes on which at least one value is mandatory.</summary>
    public required int[] RequiredOn { get; init; }
}

public sealed record PolicyTag(int Value, string Code, OfficeName Name, bool Obsolete);
