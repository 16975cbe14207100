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
    /// <summary>Years of protection; null: none.</summary>
    public required int? TermYears { get; init; }
}

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
