using Exchange.Crypto;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>What two persons signed, of which something was done that an entry names: whoever reads the entry finds here on what basis, and who wanted it.</summary>
internal static class OperationTable
{
    /// <summary>Again is harmless.</summary>
    /// <param name="code">Its basis.</param>
    /// <param name="der">The statement of this ref.</param>
    public static void Keep(Batch b, Digest reference, string code, byte[] der) => b.Execute(
        "INSERT INTO operation (ref, code, at, der) VALUES (@reference, @code, @now, @der) ON CONFLICT DO NOTHING", new { reference, code, der, now = b.Now.ToUnixTimeMilliseconds() });
}
