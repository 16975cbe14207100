using System.Text.Json.Serialization.Metadata;
using Exchange.Crypto.Policy;

namespace Exchange.Crypto.Statements;

/// <summary>What is fixed per statement type: its name in JSON, its record, its limits and which attributes its signatures carry. The closed list of what can be read.</summary>
abstract class StatementKind(StatementType type, string name, int minSigners, int maxSigners, int maxLength, bool hasLabel = false, bool hasManifestDigest = false)
{
    static readonly StatementKind[] All =
    [
        new Kind<Dispatch>(StatementType.Dispatch, Dispatch.TypeName, StatementJson.Default.Dispatch, 1, 4, 4 << 20, hasLabel: true),
        new Kind<Approval>(StatementType.Approval, Approval.TypeName, StatementJson.Default.Approval, 1, 1, 1 << 16),
        new Kind<Header>(StatementType.Header, Header.TypeName, StatementJson.Default.Header, 1, 1, 1 << 20, hasLabel: true, hasManifestDigest: true),
        new Kind<Receipt>(StatementType.Receipt, Receipt.TypeName, StatementJson.Default.Receipt, 1, 1, 1 << 16),
        new Kind<HandlingStatus>(StatementType.Status, HandlingStatus.TypeName, StatementJson.Default.HandlingStatus, 1, 1, 1 << 16),
        new Kind<Card>(StatementType.Card, Card.TypeName, StatementJson.Default.Card, 1, 1, 1 << 20),
        new Kind<PolicyStatement>(StatementType.Policy, PolicyStatement.TypeName, StatementJson.Default.PolicyStatement, 2, 2, 4 << 20),
        new Kind<DirectoryStatement>(StatementType.Directory, DirectoryStatement.TypeName, StatementJson.Default.DirectoryStatement, 2, 2, 64 << 20),
        new Kind<StandingStatement>(StatementType.Standing, StandingStatement.TypeName, StatementJson.Default.StandingStatement, 2, 2, 64 << 20),
        new Kind<LabelStatement>(StatementType.Label, LabelStatement.TypeName, StatementJson.Default.LabelStatement, 1, 1, 1 << 16),
        new Kind<OperationStatement>(StatementType.Operation, OperationStatement.TypeName, StatementJson.Default.OperationStatement, 2, 2, 1 << 20),
        new Kind<ActivationApproval>(StatementType.Activation, ActivationApproval.TypeName, StatementJson.Default.ActivationApproval, 2, 2, 1 << 16),
    ];

    public StatementType Type { get; } = type;
    public string Name { get; } = name;
    public int MinSigners { get; } = minSigners;
    public int MaxSigners { get; } = maxSigners;
    /// <summary>Bytes of DER.</summary>
    public int MaxLength { get; } = maxLength;
    public bool HasLabel { get; } = hasLabel;
    public bool HasManifestDigest { get; } = hasManifestDigest;

    public abstract IStatementContent Read(ReadOnlySpan<byte> json);

    /// <exception cref="RefusedException"><see cref="Refusal.StatementType"/>: a type that this version does not read.</exception>
    public static StatementKind Of(StatementType type) =>
        Array.Find(All, k => k.Type == type) ?? throw new RefusedException(Refusal.StatementType, "not read by this version");

    /// <summary>The kind that an eContentType names; null: none of ours.</summary>
    public static StatementKind? OfContent(string contentType) => Array.Find(All, k => Oids.ContentType(k.Type) == contentType);

    public static int MostSigners => All.Max(k => k.MaxSigners);

    public static Kind<T> Of<T>() where T : class, IStatementContent => All.OfType<Kind<T>>().Single();

    internal sealed class Kind<T>(StatementType type, string name, JsonTypeInfo<T> json, int minSigners, int maxSigners, int maxLength,
        bool hasLabel = false, bool hasManifestDigest = false)
        : StatementKind(type, name, minSigners, maxSigners, maxLength, hasLabel, hasManifestDigest) where T : class, IStatementContent
    {
        public override IStatementContent Read(ReadOnlySpan<byte> bytes) => StrictJson.Read(bytes, json);
        public byte[] Write(T content) => StrictJson.Write(content, json);
    }
}
