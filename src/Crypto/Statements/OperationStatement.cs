using System.Text.Json.Serialization;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Statements;

/// <summary>Two administrators of a gateway want something done there that one alone may not: that dead copies of a protected level are discarded, or that dispatches are erased.</summary>
public sealed record OperationStatement : IStatementContent
{
    public const string TypeName = "operation", Discard = "discard", Erase = "erase";
    /// <summary>Dispatches that one statement may name.</summary>
    public const int MaxDispatches = 1000;
    public required int V { get; init; }
    public required string Type { get; init; }
    /// <summary>Keys of two administrators, pinned in the gateway's configuration.</summary>
    public required Digest[] Signers { get; init; }
    /// <summary>Ledger origin of the gateway.</summary>
    public required string Gateway { get; init; }
    /// <summary>"discard" or "erase".</summary>
    public required string Act { get; init; }
    /// <summary>Discard: ids of the copies that it is about, as the gateway lists them; none else. Erase: empty.</summary>
    public required Guid[] Parcels { get; init; }
    /// <summary>Erase: the dispatches that it is about, each once; none else. Discard: null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public OperatedDispatch[]? Dispatches { get; init; }
    /// <summary>Why, in a code: capitals, digits, underscores.</summary>
    public required string Code { get; init; }
    /// <summary>Unix milliseconds; it says nothing of a copy that died later.</summary>
    public required long Issued { get; init; }

    public static bool IsCode(string text) => text.Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c) || c == '_');

    /// <summary>Judges it as the gateway does before it acts on it.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Officers"/>, <see cref="Refusal.OtherGateway"/>, <see cref="Refusal.Request"/>, or what the statement or a certificate is refused for.</exception>
    public static Statement Open(ReadOnlyMemory<byte> der, string gateway, IReadOnlyCollection<Digest> administrators, CertificateCheck trust, DateTimeOffset at)
    {
        var read = Statement.Read(der, StatementType.Operation);
        Officers.Demand(read, administrators, trust, at, again: false);
        var content = read.As<OperationStatement>();
        if (content.Gateway != gateway) throw new RefusedException(Refusal.OtherGateway, content.Gateway);
        if (!content.IsFormed) throw new RefusedException(Refusal.Request, "operation");
        return read;
    }

    // What an act is not about is not there: nobody signs a list that nothing is done with.
    bool IsFormed => IsCode(Code) && Act switch
    {
        Discard => Dispatches is null && Parcels.Length > 0,
        Erase => Parcels.Length == 0 && Dispatches is { Length: > 0 and <= MaxDispatches } named && named.Distinct().Count() == named.Length && named.All(d => d.Sender.Length > 0),
        _ => false,
    };
}

/// <param name="Sender">Office code.</param>
/// <param name="Envelope">Header id, unique per sender.</param>
public sealed record OperatedDispatch(string Sender, Guid Envelope);
