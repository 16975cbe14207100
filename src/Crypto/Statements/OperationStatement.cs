using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Statements;

/// <summary>Two administrators of a gateway want something done there that one alone may not: so far, that dead copies of a protected level are discarded.</summary>
public sealed record OperationStatement : IStatementContent
{
    public const string TypeName = "operation", Discard = "discard";
    public required int V { get; init; }
    public required string Type { get; init; }
    /// <summary>Keys of two administrators, pinned in the gateway's configuration.</summary>
    public required Digest[] Signers { get; init; }
    /// <summary>Ledger origin of the gateway.</summary>
    public required string Gateway { get; init; }
    /// <summary>"discard".</summary>
    public required string Act { get; init; }
    /// <summary>Ids of the copies that it is about, as the gateway lists them; none else.</summary>
    public required Guid[] Parcels { get; init; }
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
        if (content.Act != Discard || content.Parcels.Length == 0 || !IsCode(content.Code)) throw new RefusedException(Refusal.Request, "operation");
        return read;
    }
}
