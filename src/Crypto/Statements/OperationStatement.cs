using System.Text.Json.Serialization;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Statements;

/// <summary>What a ledger is to be gone on with: the head of the one that ends, and the name of the one that follows.</summary>
/// <param name="Origin">The new name.</param>
/// <param name="Size">Of the newest head that the old one may have signed.</param>
/// <param name="Root">Of that head.</param>
public sealed record OperationSuccession(string Origin, long Size, Digest Root);

public sealed record OperationStatement : IStatementContent
{
    public const string TypeName = "operation", Discard = "discard", Erase = "erase", NewOrigin = "new-origin";
    /// <summary>Dispatches that one statement may name.</summary>
    public const int MaxDispatches = 1000;
    public required int V { get; init; }
    public required string Type { get; init; }
    /// <summary>Keys of two administrators, pinned in the gateway's configuration.</summary>
    public required Digest[] Signers { get; init; }
    /// <summary>Ledger origin of the gateway; of a new origin, the one that ends.</summary>
    public required string Gateway { get; init; }
    /// <summary>"discard", "erase" or "new-origin".</summary>
    public required string Act { get; init; }
    /// <summary>Discard: ids of the copies that it is about, as the gateway lists them; none else. Otherwise empty.</summary>
    public required Guid[] Parcels { get; init; }
    /// <summary>Erase: the dispatches that it is about, each once; none else. Otherwise null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public OperatedDispatch[]? Dispatches { get; init; }
    /// <summary>New origin: what ends and what follows. Otherwise null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public OperationSuccession? Succession { get; init; }
    /// <summary>Why, in a code: capitals, digits, underscores.</summary>
    public required string Code { get; init; }
    /// <summary>Unix milliseconds; it says nothing of a copy that died later.</summary>
    public required long Issued { get; init; }

    public static bool IsCode(string text) => text.Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c) || c == '_');

    /// <summary>Judges a discard or an erasure as the gateway does before it acts on it.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Officers"/>, <see cref="Refusal.OtherGateway"/>, <see cref="Refusal.Request"/>, or what the statement or a certificate is refused for.</exception>
    public static Statement Open(ReadOnlyMemory<byte> der, string gateway, IReadOnlyCollection<Digest> administrators, CertificateCheck trust, DateTimeOffset at)
    {
        var (read, content) = Read(der, gateway, administrators, trust, at);
        return content.Act is Discard or Erase && content.IsFormed ? read : throw new RefusedException(Refusal.Request, "operation");
    }

    /// <summary>Judges a new origin likewise: it names the very head that the ledger ended with.</summary>
    /// <param name="ends">Newest head that the ledger may have signed.</param>
    /// <param name="origin">The new name.</param>
    /// <exception cref="RefusedException">As <see cref="Open"/>; <see cref="Refusal.Fork"/>: it names another head.</exception>
    public static Statement OpenNewOrigin(ReadOnlyMemory<byte> der, Checkpoint ends, string origin, IReadOnlyCollection<Digest> administrators, CertificateCheck trust, DateTimeOffset at)
    {
        var (read, content) = Read(der, ends.Origin, administrators, trust, at);
        if (!content.IsFormed || content.Succession is not { } succession) throw new RefusedException(Refusal.Request, "operation");
        if (succession.Origin != origin) throw new RefusedException(Refusal.Request, $"it was signed for the new origin {succession.Origin}");
        return (succession.Size, succession.Root) == (ends.Size, ends.Root) ? read : throw new RefusedException(Refusal.Fork, "it names another head of the ledger than the guard has");
    }

    static (Statement Read, OperationStatement Content) Read(ReadOnlyMemory<byte> der, string gateway, IReadOnlyCollection<Digest> administrators, CertificateCheck trust, DateTimeOffset at)
    {
        var read = Statement.Read(der, StatementType.Operation);
        Officers.Demand(read, administrators, trust, at, again: false);
        var content = read.As<OperationStatement>();
        return content.Gateway == gateway ? (read, content) : throw new RefusedException(Refusal.OtherGateway, content.Gateway);
    }

    // What an act is not about is not there: nobody signs a list that nothing is done with.
    bool IsFormed => IsCode(Code) && Act switch
    {
        Discard => Dispatches is null && Succession is null && Parcels.Length > 0,
        Erase => Parcels.Length == 0 && Succession is null && Dispatches is { Length: > 0 and <= MaxDispatches } named && named.Distinct().Count() == named.Length && named.All(d => d.Sender.Length > 0),
        NewOrigin => Parcels.Length == 0 && Dispatches is null && Succession is not null,
        _ => false,
    };
}

/// <param name="Sender">Office code.</param>
/// <param name="Envelope">Header id, unique per sender.</param>
public sealed record OperatedDispatch(string Sender, Guid Envelope);
