using System.Globalization;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Client;

/// <summary>
/// The newest checkpoint this office has verified. A newer one is taken only with a proof that it continues the one before: offices that do so witness the ledger
/// for each other. Two heads that contradict each other are kept as evidence, both of them, and nothing is taken. From a ledger that ended it goes on to the one that follows, when that admits what is lost.
/// </summary>
sealed class Checkpoints(OfficeFiles files, Pins pins)
{
    string Path => files.At("checkpoint");

    /// <summary>null: none was ever verified.</summary>
    // By any pinned key: it was taken under what was pinned then, and one of those is pinned still. Of a ledger that ended until the first head of the one that follows was taken.
    public Checkpoint? Newest => File.Exists(Path) ? Checkpoint.OpenAny(File.ReadAllBytes(Path), pins.KeysOfLedger) : null;

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
            var followed = ours is null || ours.Origin == offered.Origin ? null : await DemandFollowsAsync(api, ours, offered, note, cancel).ConfigureAwait(false);
            if (ours is not null && followed is null) await DemandConsistentAsync(api, ours, offered, note, cancel).ConfigureAwait(false);
            using var alone = OfficeFiles.TryLock(Path + ".lock");
            if (alone is null) { await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancel).ConfigureAwait(false); continue; }
            // Another process may have moved on meanwhile: its head must be compared too.
            if (Newest != ours) continue;
            // What was seen under the old name is evidence, before anything takes its place. A crash after it: asked and kept again.
            if (followed is not null) Successions.Keep(files, Note!, followed);
            if (ours is null || followed is not null || offered.Size > ours.Size) files.Write(Path, note);
            return ours is null || followed is not null || offered.Size >= ours.Size ? offered : ours;
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

    // Under another name the gateway has another ledger, unless that begins with the admission of what it follows.
    async Task<TlogProof> DemandFollowsAsync(GatewayApi api, Checkpoint ours, Checkpoint offered, byte[] note, CancellationToken cancel)
    {
        var followed = await FollowSuccession.RunAsync(api, ours, offered, Encoding.UTF8.GetString(note), cancel).ConfigureAwait(false);
        if (followed.Verdict == SuccessionVerdict.Fork) Fork(ours, note);
        return followed.Proof!;
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
