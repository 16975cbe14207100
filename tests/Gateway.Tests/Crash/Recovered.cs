using System.Globalization;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;

namespace Exchange.Tests.Crash;

/// <summary>A folder as power loss left it, opened the way the gateway opens it at start, in its order; and whether it still holds what was promised.</summary>
sealed class Recovered : IDisposable
{
    static readonly Lazy<CheckpointKey> Key = new(() => CheckpointKey.Load(DevPkiFolder.At("gateway", "checkpoint.key"), DevPkiFolder.Passphrase, File.ReadAllText(DevPkiFolder.At("gateway", "origin")).Trim()));
    readonly Stack<IDisposable> owned = new();
    readonly Guard guard;
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
            var engine = Own(SqliteEngine.Open(folder.Database));
            blobs = new BlobStore(folder.Blobs, TimeProvider.System);
            guard = Own(Guard.Open(Guard.FileIn(Initialise.DefaultGuard(data)), options.Origin));
            Findings = StoreCheck.Run(engine, blobs, guard.Notes());
            // Checked only when the pages themselves are: its first step would fail on others anyway.
            Checkpoints.Open(engine, guard, Key.Value, TimeSpan.FromSeconds(5), failure => throw failure);
            blobs.SweepTemporary();
            reader = Own(engine.Reader());
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public IReadOnlyList<Finding> Findings { get; }

    /// <summary>Pages of SQLite that do not fit together, payloads that are not those of their headers, temporary files: half things.</summary>
    public string? Halves()
    {
        if (reader.Query<string>("PRAGMA integrity_check") is not ["ok"]) return "integrity_check";
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

    /// <summary>Parcel, digest of the office's receipt.</summary>
    public static string? Filed(Recovered r, string[] said) =>
        !r.HasReceipt(said[1]) ? "no receipt" : ParcelTable.Find(r.reader, "H41", Guid.Parse(said[0]))?.State != ParcelState.Delivered ? "not delivered" : null;

    /// <summary>Size, root: what was signed the guard knows for ever.</summary>
    public static string? Signed(Recovered r, string[] said)
    {
        var size = long.Parse(said[0], CultureInfo.InvariantCulture);
        if (r.guard.Head.Size < size) return "the guard is behind";
        return r.guard.Notes().Any(n => n.Size == size && Convert.ToHexStringLower(n.Root.ToArray()) == said[1]) ? null : "no note";
    }

    bool HasReceipt(string text) =>
        Digest.TryParse(text, out var digest) && reader.One<long>("SELECT EXISTS (SELECT 1 FROM receipt WHERE sha256 = @digest)", new { digest }) == 1;

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
