using Exchange.Crypto.Ledger;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Offices;

/// <summary>A world verified outside the writer, with the rows and entries that put it in force.</summary>
internal sealed record PreparedWorld(long BasedOn, World Next, IReadOnlyList<PreparedDocument> Documents);

/// <param name="Entry">Logged with the document; null for a card, which its directory's entry covers.</param>
internal sealed record PreparedDocument(DocumentRow Row, LedgerEntry? Entry);

internal static class WorldActivation
{
    /// <summary>
    /// Verifies the documents (policy, directory with its new cards, standing, CRLs, in any number and order) against the pins and the world in force. Pure; the result goes to Batch.Activate.
    /// </summary>
    /// <exception cref="Crypto.RefusedException">VersionOld when a document is not newer than the one in force; Officers, Card … ; Der when it is none of these.</exception>
    public static PreparedWorld Prepare(World current, IReadOnlyList<ReadOnlyMemory<byte>> documents, Pins pins, DateTimeOffset at) => throw new NotImplementedException();
}
