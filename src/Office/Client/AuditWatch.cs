using System.Globalization;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;

namespace Exchange.Office.Client;

/// <summary>What a look at a ledger's head found. From <see cref="Silent"/> on it is an alarm.</summary>
enum WatchVerdict
{
    /// <summary>A newer head that continues the kept one; it is kept now.</summary>
    Grown,
    /// <summary>The same head, or no answer, and not for too long yet.</summary>
    Quiet,
    /// <summary>A year ended and another ledger goes on, with all that was there. Told once; the new head is kept now.</summary>
    NextYear,
    /// <summary>No newer head, or no answer, for too long.</summary>
    Silent,
    /// <summary>The ledger ended, and this is the one that follows: it admits what is lost. Told once; the new head is kept now.</summary>
    Succeeded,
    /// <summary>A head that is older than one that was kept.</summary>
    Back,
    /// <summary>Two heads that no one ledger can have had; both are kept.</summary>
    Fork,
}

/// <param name="Size">Of the newest head that is kept; 0: none.</param>
/// <param name="Detail">Why, where there is more to say.</param>
sealed record Watched(WatchVerdict Verdict, long Size, string Detail)
{
    public bool IsAlarm => Verdict >= WatchVerdict.Silent;
}

/// <summary>
/// Follows one ledger from outside, in a folder of its own: "checkpoint" the newest head, "checkpoints/N" every one that was seen, "grown" when it grew last, "fork/" two that contradict each other, "ended/" what was kept of ledgers that this one follows, and where it admits that.
/// A head is taken only with a proof that it continues the kept one. One process a folder.
/// </summary>
sealed class AuditWatch(AuditApi api, LedgerPins pins, OfficeFiles files, TimeProvider clock)
{
    const string Grown = "grown", Forks = "fork", Ended = "ended";

    /// <param name="patience">For how long there may be nothing new.</param>
    public async Task<Watched> LookAsync(TimeSpan patience, CancellationToken cancel)
    {
        files.Folder();
        var kept = Kept();
        try
        {
            var note = await api.CheckpointAsync(cancel).ConfigureAwait(false);
            var offered = Checkpoint.OpenBoth(note, pins.Keys, pins.Origin);
            if (kept is not null && kept.Origin != offered.Origin) return await SucceedAsync(kept, offered, note, cancel).ConfigureAwait(false);
            if (kept is null || offered.Size > kept.Size)
            {
                if (kept is { Size: > 0 } && !await ContinuesAsync(kept, offered, cancel).ConfigureAwait(false)) return Fork(kept, note);
                Keep(offered, note);
                return new(WatchVerdict.Grown, offered.Size, "");
            }
            if (offered.Size == kept.Size) return offered.Root == kept.Root ? Waits(kept.Size, patience, "no newer head") : Fork(kept, note);
            return await ContinuesAsync(offered, kept, cancel).ConfigureAwait(false)
                ? new(WatchVerdict.Back, kept.Size, string.Create(CultureInfo.InvariantCulture, $"a head of {offered.Size} entries was shown")) : Fork(kept, note);
        }
        // A gateway that signs nothing acceptable, or nothing at all, is as silent as one that is off.
        catch (RefusedException e) { return Waits(kept?.Size ?? 0, patience, $"{e.Refusal.Code} {e.Detail}"); }
    }

    Checkpoint? Kept() => File.Exists(files.At(LedgerCheck.Newest)) ? Checkpoint.OpenAny(File.ReadAllBytes(files.At(LedgerCheck.Newest)), pins.Keys) : null;

    // Evidence first: the admission with its proof, then the heads of the old name out of the way of those of the new one, which have sizes again that are there already. A crash after any of them: asked again.
    async Task<Watched> SucceedAsync(Checkpoint kept, Checkpoint offered, byte[] note, CancellationToken cancel)
    {
        var followed = await FollowSuccession.RunAsync(api.Gateway, kept, offered, Encoding.UTF8.GetString(note), cancel).ConfigureAwait(false);
        if (followed.Verdict == SuccessionVerdict.Fork)
        {
            var fork = Fork(kept, note);
            return fork with { Detail = $"{followed.Why}; {fork.Detail}" };
        }
        var name = followed.Proof!.Entry!.Leaf.ToString();
        files.Folder(Ended);
        files.Write(files.At(Ended, name + ".tlog-proof"), Encoding.UTF8.GetBytes(followed.Proof.Write()));
        files.Write(files.At(Ended, name + ".head"), File.ReadAllBytes(files.At(LedgerCheck.Newest)));
        if (Directory.Exists(files.At(LedgerCheck.Kept)) && !Directory.Exists(files.At(Ended, name))) files.MoveFolder(files.At(LedgerCheck.Kept), files.At(Ended, name));
        Keep(offered, note);
        return new(followed.IsYearsEnd ? WatchVerdict.NextYear : WatchVerdict.Succeeded, offered.Size, Succession.Told(followed.Admission!, followed.Ended!));
    }

    // The proof comes from the gateway under watch: only one that holds counts.
    async Task<bool> ContinuesAsync(Checkpoint older, Checkpoint newer, CancellationToken cancel)
    {
        IReadOnlyList<Digest> proof;
        try { proof = await api.Gateway.ConsistencyAsync(older.Size, newer.Size, cancel).ConfigureAwait(false); }
        // It signed both and has no proof: that is a no. Whether it can be reached at all is another question.
        catch (RefusedException e) when (e.Refusal == Refusal.NotFound || e.Refusal == Refusal.Request) { return false; }
        return MerkleTree.VerifyConsistency(older.Size, older.Root, newer.Size, newer.Root, proof);
    }

    // Each durable before the next: a crash leaves an older newest head, and the look is made again.
    void Keep(Checkpoint head, byte[] note)
    {
        var own = LedgerCheck.KeptPath(head.Size);
        files.Folder(Path.GetDirectoryName(own)!);
        files.Write(files.At(own), note);
        files.Write(files.At(LedgerCheck.Newest), note);
        Mark();
    }

    long Mark()
    {
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        files.Write(files.At(Grown), Encoding.ASCII.GetBytes(now.ToString(CultureInfo.InvariantCulture)));
        return now;
    }

    // Before the first head there is a first look; the time of that is kept as well, so that a watch by cron comes to its alarm.
    Watched Waits(long size, TimeSpan patience, string detail)
    {
        var since = File.Exists(files.At(Grown)) && long.TryParse(File.ReadAllText(files.At(Grown)), NumberStyles.None, CultureInfo.InvariantCulture, out var at) ? at : Mark();
        return new(clock.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(since) >= patience ? WatchVerdict.Silent : WatchVerdict.Quiet, size, detail);
    }

    Watched Fork(Checkpoint kept, byte[] note)
    {
        files.Folder(Forks);
        var name = string.Create(CultureInfo.InvariantCulture, $"{kept.Size}-{Digest.Of(note)}");
        files.Write(files.At(Forks, name + "-kept"), File.ReadAllBytes(files.At(LedgerCheck.Newest)));
        files.Write(files.At(Forks, name + "-offered"), note);
        return new(WatchVerdict.Fork, kept.Size, $"both heads are in {files.At(Forks)}");
    }
}
