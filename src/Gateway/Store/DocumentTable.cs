using Exchange.Crypto;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>The number stands in the store.</summary>
internal enum DocumentKind { Policy = 1, Directory = 2, Card = 3, Standing = 4, Crl = 5, Approval = 6 }

/// <summary>A document that was activated. Never changed; the newest of a kind and name is in force.</summary>
internal sealed record DocumentRow
{
    public required DocumentKind Kind { get; init; }
    /// <summary>Card: office code; CRL: key of its issuer; else empty.</summary>
    public required string Name { get; init; }
    public required long Version { get; init; }
    /// <summary>Ref of the statement; of a CRL SHA-256 of its DER.</summary>
    public required Digest Ref { get; init; }
    public required long ActivatedAt { get; init; }
    /// <summary>Leaf of its activation entry, of a card that of its directory.</summary>
    public required Digest Leaf { get; init; }
    public required byte[] Der { get; init; }
}

internal static class DocumentTable
{
    const string Columns = "kind, name, version, ref, activated_at, leaf, der";

    internal static readonly RowShape<DocumentRow> Shape = new("document", ["kind", "name", "version", "ref", "activated_at", "leaf", "der"],
        d => [d.Kind, d.Name, d.Version, d.Ref, d.ActivatedAt, d.Leaf, d.Der]);

    /// <summary>The document in force of each kind and name.</summary>
    public static IReadOnlyList<DocumentRow> InForce(Source source) => source.Query<DocumentRow>(
        $"""
        SELECT {Columns} FROM document d
        WHERE version = (SELECT max(version) FROM document n WHERE n.kind = d.kind AND n.name = d.name)
        ORDER BY kind, name
        """);

    /// <summary>The directory in force at this time and those since, in order; the first ones when none was.</summary>
    public static IReadOnlyList<DocumentRow> DirectoriesSince(Source source, long time) => source.Query<DocumentRow>(
        $"""
        SELECT {Columns} FROM document
        WHERE kind = 2 AND version >= coalesce((SELECT max(version) FROM document WHERE kind = 2 AND activated_at <= @time), 0)
        ORDER BY version
        """, new { time });

    /// <summary>Of whatever version: documents are kept for good, so that what was decided by one can be decided again. null: never in force here.</summary>
    public static DocumentRow? Find(Source source, DocumentKind kind, Digest reference) =>
        source.One<DocumentRow>($"SELECT {Columns} FROM document WHERE kind = @kind AND ref = @reference", new { kind, reference });

    /// <summary>Every card that was ever in force.</summary>
    public static IReadOnlyList<byte[]> Cards(Source source) => source.Query<byte[]>("SELECT der FROM document WHERE kind = 3");
}
