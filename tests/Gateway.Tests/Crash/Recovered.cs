using System.Globalization;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Store;
using Exchange.Gateway.Submission;
using Exchange.Tests.Http;
using Microsoft.Data.Sqlite;

namespace Exchange.Tests.Crash;

/// <summary>A folder as power loss left it, opened the way the gateway opens it at start, in its order; and whether it still holds what was promised.</summary>
sealed class Recovered : IDisposable
{
    static readonly Lazy<LedgerKeys> Key = new(() => new LedgerKeys(Load("checkpoint.key"), Load("checkpoint-mldsa.key")));

    static LedgerKey Load(string file) => LedgerKey.Load(DevPkiFolder.At("gateway", file), DevPkiFolder.Passphrase, File.ReadAllText(DevPkiFolder.At("gateway", "origin")).Trim());

    readonly Stack<IDisposable> owned = new();
    readonly Guard guard;
    readonly SqliteEngine engine;
    readonly BlobStore blobs;
    readonly Reader reader;

    /// <exception cref="CannotStartException">The gateway would not start.</exception>
    public Recovered(string root)
    {
        try
        {
            var data = Path.Combine(root, CrashWorkload.Data);
            var options = Configuration.Read(data);
            if (TrustStore.Load(Path.Combine(data, Equipment.TrustFolder)).Roots.Count == 0) throw new CannotStartException("no trust anchors");
            var folder = Own(DataFolder.Open(data));
            engine = Own(SqliteEngine.Open(folder.Database));
            blobs = new BlobStore(folder.Blobs, TimeProvider.System);
            guard = Own(Guard.Open(Guard.FileIn(Initialise.DefaultGuard(data)), options.Origin));
            Findings = StoreCheck.Run(engine, blobs, guard.Heads());
            Checkpoints.Open(engine, guard, Key.Value, TimeSpan.FromSeconds(5), failure => throw failure);
            blobs.SweepTemporary();
            reader = Own(engine.Reader());
            Uploads = new UploadFolder(folder.Uploads, blobs) { SyncEvery = CrashUploads.Group };
            Uploads.Sweep(id => UploadTable.IsAwaited(reader, id));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public IReadOnlyList<Finding> Findings { get; }
    public UploadFolder Uploads { get; }
    public BlobStore Blobs => blobs;
    public Reader Reader => reader;

    /// <summary>What does not hold of the store, or a payload that is not that of its header.</summary>
    public string? Halves()
    {
        if (Invariants.Broken(engine, blobs, guard, []) is { } broken) return broken;
        foreach (var row in DispatchTable.Walk(reader))
            if (EnvelopeFile.PeekUnverified(row.Header).Payload is { } payload)
            {
                using var wire = row.Payload is { } inline ? new MemoryStream(inline) : blobs.Open(row.Id);
                try { Payload.VerifyAsync(wire, payload, Stream.Null, null, CancellationToken.None).GetAwaiter().GetResult(); }
                catch (RefusedException e) { return $"payload of {row.Id}: {e.Message}"; }
            }
        return null;
    }

    /// <summary>Envelope, digest of the file form, digest of the receipt.</summary>
    public static string? Accepted(Recovered r, string[] said)
    {
        if (DispatchTable.Read(r.reader, "G22", Guid.Parse(said[0])) is not { } row) return "no dispatch";
        using var file = new MemoryStream();
        file.Write([.. row.Header, .. row.Approvals, .. row.Manifest]);
        if (row.Payload is { } inline) file.Write(inline);
        else
        {
            using var blob = r.blobs.Open(row.Id);
            blob.CopyTo(file);
        }
        if (Digest.Of(file.ToArray()).ToString() != said[1]) return "other bytes";
        if (ParcelTable.OfDispatch(r.reader, "G22", row.Id).Count != 1) return "no parcel";
        if (ReceiptTable.Acceptance(r.reader, "G22", row.Envelope) is not { } receipt || receipt.Sha256.ToString() != said[2]) return "another receipt, or none";
        return EntryTable.Find(r.reader, receipt.Leaf) is null ? "no entry" : null;
    }

    /// <summary>Digest of the receipt.</summary>
    public static string? Refused(Recovered r, string[] said) => r.HasReceipt(said[0]) ? null : "no receipt";

    /// <summary>Envelope, digest of the receipt: it waits with all its bytes, or became a dispatch.</summary>
    public static string? Held(Recovered r, string[] said)
    {
        if (!r.HasReceipt(said[1])) return "no receipt";
        if (HeldTable.Find(r.reader, "G22", Guid.Parse(said[0])) is not { } row) return "not held";
        return row.State == HeldState.Waiting ? r.blobs.Length(row.Id) == row.PayloadBytes ? null : "no payload"
            : row.State == HeldState.Released && DispatchTable.Find(r.reader, "G22", row.Envelope)?.Id == row.Id ? null : "neither waiting nor released";
    }

    /// <summary>Envelope, digest of the receipt: the person's word is on record.</summary>
    public static string? Said(Recovered r, string[] said) => !r.HasReceipt(said[1]) ? "no receipt"
        : HeldTable.Find(r.reader, "G22", Guid.Parse(said[0])) is { } row && HeldTable.Approvals(r.reader, row.Id).Count == row.Approved && row.Approved > 0 ? null : "no word";

    /// <summary>Envelope, digest of the receipt, ref of the change, how many signed it, whether it counts: all of it is there, and gives the label or has been followed by another.</summary>
    public static string? Labelled(Recovered r, string[] said)
    {
        if (!r.HasReceipt(said[1])) return "no receipt";
        if (DispatchTable.Find(r.reader, "G22", Guid.Parse(said[0])) is not { } dispatch) return "no dispatch";
        if (LabelTable.Of(r.reader, dispatch.Id).FirstOrDefault(c => c.Ref.ToString() == said[2]) is not { } change) return "no change";
        if (LabelTable.Words(r.reader, change.Id).Count < int.Parse(said[3], CultureInfo.InvariantCulture)) return "no statement";
        return said[4] == "False" || change is { State: LabelState.Accepted, N: not null } ? null : "it does not count";
    }

    /// <summary>Parcel, digest of the office's receipt.</summary>
    public static string? Filed(Recovered r, string[] said) =>
        !r.HasReceipt(said[1]) ? "no receipt" : ParcelTable.Find(r.reader, "H41", Guid.Parse(said[0]))?.State != ParcelState.Delivered ? "not delivered" : null;

    /// <summary>Parcel, outcome: an attempt that somebody has seen stays on record, and a delivery is one for ever.</summary>
    public static string? Attempted(Recovered r, string[] said)
    {
        var (parcel, outcome) = (Guid.Parse(said[0]), long.Parse(said[1], CultureInfo.InvariantCulture));
        if (r.reader.One<long>("SELECT EXISTS (SELECT 1 FROM attempt WHERE parcel = @parcel AND outcome = @outcome)", new { parcel, outcome }) == 0) return "no attempt";
        return outcome == (long)AttemptOutcome.Delivered && ParcelTable.Find(r.reader, "H14", parcel)?.State != ParcelState.Delivered ? "not delivered" : null;
    }

    /// <summary>Parcel: the office has seen bytes of it, so it is asked before any more are sent. The claim or what became of it is there.</summary>
    public static string? Claimed(Recovered r, string[] said)
    {
        var parcel = Guid.Parse(said[0]);
        return r.reader.One<long>("SELECT coalesce((SELECT fence FROM job WHERE parcel = @parcel), (SELECT max(fence) FROM attempt WHERE parcel = @parcel), 0)", new { parcel }) > 0 ? null : "no claim";
    }

    /// <summary>Size, root: what was signed the guard knows for ever.</summary>
    public static string? Signed(Recovered r, string[] said)
    {
        var size = long.Parse(said[0], CultureInfo.InvariantCulture);
        if (r.guard.Head.Size < size) return "the guard is behind";
        return r.guard.Heads().Any(n => n.Size == size && Convert.ToHexStringLower(n.Root.ToArray()) == said[1]) ? null : "no note";
    }

    bool HasReceipt(string text) =>
        Digest.TryParse(text, out var digest) && reader.One<long>("SELECT EXISTS (SELECT 1 FROM receipt WHERE sha256 = @digest)", new { digest }) == 1;

    /// <summary>Builds the state, opens it and asks for everything said; null: all good. Lost: something acknowledged is not there.</summary>
    public static (bool Lost, string What)? Fault(CrashState state)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"exchange-crash-{Guid.CreateVersion7():N}")).FullName;
        try
        {
            state.Write(folder);
            using var recovered = new Recovered(folder);
            if (recovered.Findings.Count > 0) return (false, recovered.Findings[0].ToString());
            // Uploads are carried to their end, so they come last.
            foreach (var line in state.Said.Where(l => l.StartsWith("ACK ", StringComparison.Ordinal)).OrderBy(l => l.StartsWith("ACK announced ", StringComparison.Ordinal)))
            {
                var words = line.Split(' ');
                var step = CrashSteps.All.Single(s => s.Name == words[1]);
                if (step.Broken(recovered, words[2..]) is { } broken) return (true, $"{words[1]}: {broken}");
            }
            return recovered.Halves() is { } half ? (false, half) : null;
        }
        catch (Exception e) when (e is CannotStartException or SqliteException or IOException or IoFailure or OptionsException or RefusedException) { return (false, e.Message); }
        finally { Directory.Delete(folder, recursive: true); }
    }

    T Own<T>(T one) where T : IDisposable
    {
        owned.Push(one);
        return one;
    }

    public void Dispose()
    {
        while (owned.TryPop(out var one)) one.Dispose();
    }
}
