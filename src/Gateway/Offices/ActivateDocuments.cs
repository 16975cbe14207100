using Exchange.Crypto;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Offices;

/// <summary>Puts documents in force through the journal, whoever brought them: a file, or a source of revocation lists.</summary>
sealed class ActivateDocuments(Journal journal, Worlds worlds, Pins pins)
{
    /// <summary>On return they are in force, and durably so.</summary>
    /// <exception cref="RefusedException">As <see cref="WorldActivation.Prepare"/>; Busy or Full: later.</exception>
    public async Task Run(IReadOnlyList<ReadOnlyMemory<byte>> documents, DateTimeOffset now)
    {
        // Prepared outside the writer; another activation in between answers false, and it is prepared again on the new World.
        PreparedWorld prepared;
        do prepared = WorldActivation.Prepare(worlds.Current, documents, pins, now);
        while (!await journal.Commit(b => b.Activate(prepared), documents.Sum(d => d.Length), settle: true));
    }
}
