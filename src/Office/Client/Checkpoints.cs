using System.Globalization;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Client;

/// <summary>
/// The newest checkpoint this office has verified. A newer one is taken only with a proof that it continues the one before: offices that do so witness the ledger
/// for each other. Two heads that contradict each other are kept as evidence, both of them, and nothing is taken.
/// </summary>
sealed class Checkpoints(OfficeFiles files, Pins pins)
{
    string Path => files.At("checkpoint");

    /// <summary>null: none was ever verified.</summary>
    // By any pinned key: it was taken under what was pinned then, and one of those is pinned still.
    public Checkpoint? Newest => File.Exists(Path) ? Checkpoint.Open(File.ReadAllBytes(Path), pins.KeysOfLedger, pins.Origin) : null;

    /// <summary>What headers and receipts say was seen.</summary>
    public Seen? Seen => Newest is { } newest ? new Seen(newest.Origin, newest.Size, newest.Root) : null;

    /// <summary>The note of <see cref="Newest"/>, as it was signed.</summary>
    public string? Note => File.Exists(Path) ? File.ReadAllText(Path) : null;

    /// <summary>Fetches the ledger's head and takes it as newest when it continues ours.</summary>
    /// <returns>null: the ledger is so young that it has no checkpoint yet.</returns>
    /// <exception cref="RefusedException"><see cref="Refusal.Note"/>, <see cref="Refusal.Proof"/>, <see cref="Refusal.Fork"/>, or the gateway could not be reached.</exception>
    public async Task<Checkpoint?> RefreshAsync(GatewayApi api, CancellationToken cancel)
    {
        byte[] note;
        try { note = await api.CheckpointAsync(cancel).ConfigureAwait(false); }
        catch (RefusedException e) when (e.Refusal == Refusal.NotFound && Newest is null) { return null; }
        files.Folder();
        var offered = Checkpoint.OpenBoth(note, pins.KeysOfLedger, pins.Origin);
        for (; ; )
        {
            var ours = Newest;
            if (ours is not null) await DemandConsistentAsync(api, ours, offered, note, cancel).ConfigureAwait(false);
            using var alone = OfficeFiles.TryLock(Path + ".lock");
            if (alone is null) { await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancel).ConfigureAwait(false); continue; }
            // Another process may have moved on meanwhile: its head must be compared too.
            if (Newest?.Size != ours?.Size) continue;
            if (ours is null || offered.Size > ours.Size) files.Write(Path, note);
            return offered.Size >= (ours?.Size ?? 0) ? offered : ours!;
        }
    }

    async Task DemandConsistentAsync(GatewayApi api, Checkpoint ours, Checkpoint offered, byte[] note, CancellationToken cancel)
    {
        var (older, newer) = ours.Size <= offered.Size ? (ours, offered) : (offered, ours);
        if (older.Size == newer.Size)
        {
            if (older.Root != newer.Root) Fork(ours, note);
            return;
        }
        if (older.Size == 0) return;
        var proof = await api.ConsistencyAsync(older.Size, newer.Size, cancel).ConfigureAwait(false);
        // A gateway that cannot prove that one head continues the other has two ledgers, whatever it says.
        if (!MerkleTree.VerifyConsistency(older.Size, older.Root, newer.Size, newer.Root, proof)) Fork(ours, note);
    }

    void Fork(Checkpoint ours, byte[] offered)
    {
        files.Folder("fork");
        var name = string.Create(CultureInfo.InvariantCulture, $"{ours.Size}-{Digest.Of(offered)}");
        files.Write(files.At("fork", name + "-seen"), Encoding.UTF8.GetBytes(Note!));
        files.Write(files.At("fork", name + "-offered"), offered);
        throw new RefusedException(Refusal.Fork, $"both checkpoints are kept in {files.At("fork")}");
    }
}
