using System.Text.Json.Serialization;
using Exchange.Crypto.Labels;

namespace Exchange.Crypto.Statements;

/// <summary>All offices and the refs of their cards. Signed by two directory officers whose keys offices pin; relayed, never signed, by the gateway.</summary>
public sealed record DirectoryStatement : IStatementContent
{
    public const string TypeName = "directory";
    public required int V { get; init; }
    public required string Type { get; init; }
    public required Digest[] Signers { get; init; }
    /// <summary>Strictly rising.</summary>
    public required long Version { get; init; }
    /// <summary>Unix milliseconds.</summary>
    public required long Issued { get; init; }
    /// <summary>Ref of the version before; null in the first.</summary>
    public required Digest? Previous { get; init; }
    /// <summary>Ordered by code.</summary>
    public required DirectoryOffice[] Offices { get; init; }
}

/// <param name="Code">Office code ("H41"), [A-Z0-9.-]{1,50}.</param>
/// <param name="Card">Ref of the office's card statement.</param>
/// <param name="Vouched">Unix milliseconds since when the officers vouch for a card that no previous key signed; null otherwise. Held 24 h from Mật up.</param>
public sealed record DirectoryOffice(string Code, OfficeName Name, string? Parent, Digest Card, long? Vouched);

public sealed record OfficeName(string Vi, string En);

/// <summary>An office's own keys, signed by its previous signing key; the first one by itself, and vouched for in the directory.</summary>
public sealed record Card : IStatementContent
{
    public const string TypeName = "card";
    public required int V { get; init; }
    public required string Type { get; init; }
    public required Digest[] Signers { get; init; }
    public required string Office { get; init; }
    /// <summary>Strictly rising per office.</summary>
    public required long Version { get; init; }
    public required long Issued { get; init; }
    /// <summary>Ref of the card before; null in the first.</summary>
    public required Digest? Previous { get; init; }
    public required CardKey[] Keys { get; init; }
    public required CardPerson[] Persons { get; init; }
}

/// <param name="Use">"sign", "encrypt" or "tls". The first "encrypt" key is the one to seal to.</param>
/// <param name="Certificate">DER, base64url.</param>
public sealed record CardKey(string Use, [property: JsonConverter(typeof(BytesJson))] byte[] Certificate);

/// <param name="Roles">"clerk", "release-officer", "signatory", in ordinal order.</param>
public sealed record CardPerson(string[] Roles, [property: JsonConverter(typeof(BytesJson))] byte[] Certificate);

/// <summary>Clearances and channels, and who may read the ledger as an auditor, for the gateway only. Signed by the two directory officers.</summary>
public sealed record StandingStatement : IStatementContent
{
    public const string TypeName = "standing";
    public required int V { get; init; }
    public required string Type { get; init; }
    public required Digest[] Signers { get; init; }
    public required long Version { get; init; }
    public required long Issued { get; init; }
    /// <summary>Why a channel is approved for more than the lowest level; free of secrets ("development only").</summary>
    public required string Note { get; init; }
    /// <summary>Ordered by code.</summary>
    public required StandingOffice[] Offices { get; init; }
    /// <summary>Ordered by code; left out when there is none. Only here is an auditor made: by two directory officers, not by whoever runs the gateway.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public StandingAuditor[]? Auditors { get; init; }
}

/// <param name="Code">As an office's, and none of them.</param>
/// <param name="Key">SHA-256 of the TLS client certificate that he signs in with.</param>
/// <param name="Clearance">What he may read, and from when to when.</param>
public sealed record StandingAuditor(string Code, Digest Key, Clearance Clearance);

/// <param name="NeedToKnow">Groups the office belongs to, ordinal order.</param>
/// <param name="Channel">How it is reached.</param>
/// <param name="Fallbacks">How it is reached, in this order, while what stands before does not work; left out when there is none.</param>
public sealed record StandingOffice(string Code, Clearance Clearance, StandingChannel Channel, string[] NeedToKnow,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] StandingChannel[]? Fallbacks = null)
{
    /// <summary>All of its channels, in order; never empty.</summary>
    [JsonIgnore] public IReadOnlyList<StandingChannel> Channels => Fallbacks is null ? [Channel] : [Channel, .. Fallbacks];
}

/// <param name="Adapter">"mailbox", later "https", "folder", "mail", "sftp", "gateway".</param>
/// <param name="Ceiling">What may travel through it; null: only the policy's lowest level.</param>
public sealed record StandingChannel(string Adapter, Clearance? Ceiling, SortedDictionary<string, string> Settings);
