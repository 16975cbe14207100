using Exchange.Adapters;
using Exchange.Adapters.Sftp;

namespace Exchange.Tests;

/// <summary>One office's folder on a real OpenSSH server, over a wire that can be cut and spoilt.</summary>
sealed class SftpPeer : Counterpart
{
    static readonly Dictionary<string, SftpKey> Keys = [];
    readonly SftpServer server;
    readonly Func<SftpOptions, SftpOptions> change;
    readonly List<SftpAdapter> adapters = [];

    public SftpPeer(SftpServer server, Func<SftpOptions, SftpOptions>? change = null, string? folder = null)
    {
        this.server = server;
        this.change = change ?? (o => o);
        Wire = new Wire(server.Port);
        Folder = folder ?? server.NewFolder();
        Settings = server.Settings(Folder, Wire.Port);
        Adapter = Restart();
    }

    public Wire Wire { get; }
    public string Folder { get; }
    public override IDeliveryAdapter Adapter { get; }
    public override Dictionary<string, string> Settings { get; }
    public override byte[]? Held(Guid id) => File.Exists(At(id, "ready")) ? File.ReadAllBytes(At(id, "envelope")) : null;
    public override byte[]? HeldReceipt(Guid id) => File.Exists(At(id, "ready")) ? File.ReadAllBytes(At(id, "receipt.p7s")) : null;
    public override int Effects => Files.Count(f => f[0] != '.' && f.EndsWith(".ready", StringComparison.Ordinal));
    public override void Spoil() => Directory.Delete(Folder, recursive: true);
    public string At(Guid id, string kind) => Path.Combine(Folder, $"{id}.{kind}");
    public string Hidden(Guid id, string kind) => Path.Combine(Folder, $".{id}.{kind}");
    public IEnumerable<string> Files => Directory.GetFiles(Folder).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal);

    /// <summary>Opened once for all: its passphrase is slow on purpose.</summary>
    public static SftpKey Key(string path)
    {
        lock (Keys) return Keys.TryGetValue(path, out var key) ? key : Keys[path] = SftpKey.Load(path, SftpServer.Passphrase);
    }

    public override IDeliveryAdapter Restart()
    {
        adapters.Add(new SftpAdapter(change(new SftpOptions { Key = Key(server.Ed25519) }), TimeProvider.System));
        return adapters[^1];
    }

    // In the middle of the envelope. What is late comes when nobody waits for it any more.
    public override bool Answer(Manner manner)
    {
        if (manner == Manner.Well) Wire.Release();
        else Wire.SpoilAfter = Wire.Sent + 100_000;
        Wire.Manner = manner;
        return true;
    }

    public override ValueTask DisposeAsync()
    {
        Wire.Dispose();
        foreach (var adapter in adapters) adapter.Dispose();
        return ValueTask.CompletedTask;
    }
}
