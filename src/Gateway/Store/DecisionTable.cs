using System.Security.Cryptography;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>A decision's record. Ledger entries name it by a salted digest, so that it can be shown by clearance and erased.</summary>
/// <param name="Digest">SHA-256(salt ‖ record): "decision" in entry details.</param>
/// <param name="Salt">32 random bytes.</param>
/// <param name="Record">Decision.Record.</param>
internal sealed record DecisionRow(Digest Digest, byte[] Salt, byte[] Record)
{
    /// <summary>Salts a record; outside the writer.</summary>
    public static DecisionRow Of(byte[] record)
    {
        var salt = RandomNumberGenerator.GetBytes(LedgerEntry.SaltSize);
        return new DecisionRow(new LedgerEntry(salt, record).Hash, salt, record);
    }
}

internal static class DecisionTable
{
    internal static readonly RowShape<DecisionRow> Shape = new("decision", ["digest", "salt", "record"], d => [d.Digest, d.Salt, d.Record]);

    /// <summary>null: there is none, or it was erased.</summary>
    public static DecisionRow? Find(Source source, Digest digest) =>
        source.One<DecisionRow>($"SELECT digest, salt, record FROM decision WHERE digest = @digest AND salt <> {ErasureTable.Gone}", new { digest });

    /// <summary>Everything, for the check.</summary>
    public static IEnumerable<DecisionRow> Walk(Source source) => source.Walk<DecisionRow>("SELECT digest, salt, record FROM decision");
}
