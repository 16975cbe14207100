using Exchange.Crypto;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>A decision's record. Ledger entries name it by a salted digest, so that it can be shown by clearance and erased.</summary>
/// <param name="Digest">SHA-256(salt ‖ record): "decision" in entry details.</param>
/// <param name="Salt">32 random bytes.</param>
/// <param name="Record">Decision.Record.</param>
internal sealed record DecisionRow(Digest Digest, byte[] Salt, byte[] Record)
{
    /// <summary>Salts a record; outside the writer.</summary>
    public static DecisionRow Of(byte[] record) => throw new NotImplementedException();
}

internal static class DecisionTable
{
    public static DecisionRow? Find(Source source, Digest digest) => throw new NotImplementedException();
}
