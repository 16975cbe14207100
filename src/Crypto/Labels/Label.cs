using System.Text.Json.Serialization;

namespace Exchange.Crypto.Labels;

/// <summary>
/// A confidentiality label as the author chose it. Immutable; compared by policy and class number, never by name.
/// The same value stands in dispatch, header and approvals; the ESS attribute (RFC 2634) is computed from it by <see cref="EssLabel"/>.
/// </summary>
public sealed record Label
{
    /// <summary>Security policy (dotted OID) whose numbers the rest uses.</summary>
    public required string Policy { get; init; }

    /// <summary>Classification number of that policy, 0..256 (RFC 2634 section 3.2). Order comes from the policy, never from the number.</summary>
    public required int Class { get; init; }

    /// <summary>Privacy mark, exactly the policy's marking text of the class ("MẬT"). 1..128 characters, NFC.</summary>
    public required string Mark { get; init; }

    /// <summary>Category values, ordered by type then tag set; at most 64.</summary>
    public required Category[] Categories { get; init; }

    /// <summary>Code of the entry of the official list that justifies the class; null where the policy asks for none.</summary>
    public required string? Basis { get; init; }

    /// <summary>End of protection, Unix milliseconds; null: the policy's own term.</summary>
    public required long? Term { get; init; }

    /// <summary>Caveat codes in ordinal order ("named-only", "no-forward", "originator-control", "return-after-use"); empty: none.</summary>
    public required string[] Caveats { get; init; }
}

/// <summary>Values of one tag set. For permissive sets an absent category is "no limit" and an empty list is "nobody": different things.</summary>
public sealed record Category
{
    /// <summary>"restrictive", "permissive" or "informative".</summary>
    public required string Type { get; init; }
    /// <summary>Tag set, dotted OID.</summary>
    public required string Tag { get; init; }
    /// <summary>Ascending, distinct, 0..65535.</summary>
    public required int[] Values { get; init; }
}

/// <summary>What a party, a channel or a store may hold. Any part that is missing permits nothing.</summary>
public sealed record Clearance
{
    public required string Policy { get; init; }
    /// <summary>Class numbers, ascending: a set, not a maximum.</summary>
    public required int[] Classes { get; init; }
    /// <summary>Category values held.</summary>
    public required Category[] Categories { get; init; }
    /// <summary>Unix milliseconds, inclusive.</summary>
    public required long ValidFrom { get; init; }
    /// <summary>Unix milliseconds, exclusive.</summary>
    public required long ValidTo { get; init; }
}
