using System.Net.Sockets;
using Renci.SshNet;
using Renci.SshNet.Common;
using Renci.SshNet.Sftp;

namespace Exchange.Adapters.Sftp;

/// <summary>
/// One connection to one office's server, judged by its host key. One user at a time; whatever fails on it, it is not used again. So a file is closed only when all went well: closing would
/// send what could not be sent once more, and wait for it, and the server closes it anyhow when the connection ends.
/// </summary>
sealed class SftpLine : IDisposable
{
    static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);
    readonly PrivateKeyAuthenticationMethod key;
    readonly SftpClient client;
    readonly Lazy<bool> down;
    bool canSync = true;
    string? shown;

    SftpLine(SftpTarget target, SftpOptions options)
    {
        down = new(TakeDown);
        key = new PrivateKeyAuthenticationMethod(target.User, options.Key.Source);
        var connection = new ConnectionInfo(target.Host, target.Port, target.User, key) { Timeout = TimeSpan.FromSeconds(options.ConnectSeconds), ChannelCloseTimeout = TimeSpan.FromSeconds(1), RetryAttempts = 1 };
        // Only what is thought safe today, the best first. Host certificates are out: what is pinned is a key.
        Keep(connection.KeyExchangeAlgorithms, ["mlkem768x25519-sha256", "sntrup761x25519-sha512", "sntrup761x25519-sha512@openssh.com", "curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp384", "ecdh-sha2-nistp256", "ecdh-sha2-nistp521", "diffie-hellman-group16-sha512", "diffie-hellman-group18-sha512", "diffie-hellman-group14-sha256"]);
        Keep(connection.Encryptions, ["aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr", "aes192-ctr", "aes128-ctr"]);
        Keep(connection.HmacAlgorithms, ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512"]);
        Keep(connection.HostKeyAlgorithms, ["ssh-ed25519", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp521", "rsa-sha2-512", "rsa-sha2-256"]);
        client = new SftpClient(connection) { OperationTimeout = TimeSpan.FromSeconds(options.ConnectSeconds), KeepAliveInterval = KeepAlive };
        client.HostKeyReceived += (_, server) =>
        {
            shown = server.FingerPrintSHA256;
            server.CanTrust = target.Knows(shown);
        };
    }

    public bool IsAlive => !down.IsValueCreated && client.IsConnected;
    /// <summary>When it was last used, by <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long IdleSince { get; set; }

    /// <exception cref="HostKeyException">The server showed another key than the settings name; it has seen nothing of ours.</exception>
    /// <exception cref="SshException">Not reached, or not let in.</exception>
    public static async Task<SftpLine> ConnectAsync(SftpTarget target, SftpOptions options, CancellationToken cancel)
    {
        var line = new SftpLine(target, options);
        try
        {
            await line.client.ConnectAsync(cancel).ConfigureAwait(false);
            line.client.OperationTimeout = TimeSpan.FromSeconds(options.AnswerSeconds);
            return line;
        }
        catch (Exception e)
        {
            line.Dispose();
            if (line.shown is { } other && !target.Knows(other)) throw new HostKeyException(other, e);
            throw;
        }
    }

    /// <returns>Bytes of what stands under this path; null: nothing does.</returns>
    public async Task<long?> LengthOfAsync(string path, CancellationToken cancel) => (await FindAsync(path, cancel).ConfigureAwait(false))?.Size;

    public async Task<bool> HasFolderAsync(string path, CancellationToken cancel) => await FindAsync(path, cancel).ConfigureAwait(false) is { IsDirectory: true };

    public Task<SftpFileStream> OpenAsync(string path, FileMode mode, FileAccess access, CancellationToken cancel) => client.OpenAsync(path, mode, access, cancel);

    public IAsyncEnumerable<ISftpFile> ListAsync(string path, CancellationToken cancel) => client.ListDirectoryAsync(path, cancel);

    public Task MakeFolderAsync(string path, CancellationToken cancel) => client.CreateDirectoryAsync(path, cancel);

    /// <summary>Removes a file; absent is fine.</summary>
    public async Task RemoveAsync(string path, CancellationToken cancel)
    {
        try { await client.DeleteFileAsync(path, cancel).ConfigureAwait(false); }
        catch (SftpPathNotFoundException) { }
    }

    /// <summary>Replaces what stands under the new name, in one step where the server has posix-rename@openssh.com.</summary>
    public async Task RenameAsync(string from, string to, CancellationToken cancel)
    {
        try { client.RenameFile(from, to, isPosix: true); }
        catch (NotSupportedException)
        {
            // The plain rename of SFTP never replaces.
            await RemoveAsync(to, cancel).ConfigureAwait(false);
            await client.RenameFileAsync(from, to, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>A new small file, synced.</summary>
    public async Task PutAsync(string path, ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        // Never over a file of an earlier try: a request of that one that is carried out late then finds no name of ours.
        SftpFileStream file;
        try { file = await OpenAsync(path, FileMode.CreateNew, FileAccess.Write, cancel).ConfigureAwait(false); }
        catch (SftpException e) when (e.StatusCode == StatusCode.Failure)
        {
            await RemoveAsync(path, cancel).ConfigureAwait(false);
            file = await OpenAsync(path, FileMode.CreateNew, FileAccess.Write, cancel).ConfigureAwait(false);
        }
        await file.WriteAsync(bytes, cancel).ConfigureAwait(false);
        await file.FlushAsync(cancel).ConfigureAwait(false);
        await SyncAsync(file, cancel).ConfigureAwait(false);
        await file.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>On return its bytes are on the server's disk, where the server can say so at all.</summary>
    /// <exception cref="SftpException">The server tried and failed: nobody knows what is on its disk.</exception>
    public async Task SyncAsync(SftpFileStream file, CancellationToken cancel)
    {
        if (!canSync) return;
        var status = await SftpSync.RunAsync(client, file.Handle, cancel).ConfigureAwait(false);
        canSync = status != StatusCode.OperationUnsupported;
        if (canSync && status != StatusCode.Ok) throw new SftpException(status);
    }

    /// <summary>On return the names in this folder are on the server's disk, where the server can say so at all: not every one opens a folder as a file.</summary>
    public async Task SyncFolderAsync(string path, CancellationToken cancel)
    {
        if (!canSync) return;
        SftpFileStream folder;
        try { folder = await client.OpenAsync(path, FileMode.Open, FileAccess.Read, cancel).ConfigureAwait(false); }
        catch (SftpException) { return; }
        await SyncAsync(folder, cancel).ConfigureAwait(false);
        await folder.DisposeAsync().ConfigureAwait(false);
    }

    /// <returns>What the file system of this folder says of itself; null: the server does not tell.</returns>
    public async Task<SftpFileSystemInformation?> RoomAsync(string path, CancellationToken cancel)
    {
        try { return await client.GetStatusAsync(path, cancel).ConfigureAwait(false); }
        catch (Exception e) when (e is SftpException or NotSupportedException) { return null; }
    }

    /// <summary>From any thread, and while the work on it still runs: it fails then. Whoever comes second waits for the first.</summary>
    public void Dispose() => _ = down.Value;

    // SSH.NET waits for the server's last word, a second at most, and for a write under way, which a dead line may keep for as long as the system does.
    bool TakeDown()
    {
        try
        {
            client.Dispose();
            key.Dispose();
        }
        catch (Exception e) when (e is SshException or SocketException or IOException or InvalidOperationException) { }
        return true;
    }

    async Task<SftpFileAttributes?> FindAsync(string path, CancellationToken cancel)
    {
        try { return await client.GetAttributesAsync(path, cancel).ConfigureAwait(false); }
        catch (SftpPathNotFoundException) { return null; }
    }

    static void Keep<T>(IOrderedDictionary<string, T> algorithms, string[] wanted)
    {
        var kept = wanted.Where(algorithms.ContainsKey).Select(name => (Name: name, Algorithm: algorithms[name])).ToList();
        algorithms.Clear();
        foreach (var (name, algorithm) in kept) algorithms.Add(name, algorithm);
    }
}

/// <summary>Another key than the pinned ones.</summary>
sealed class HostKeyException(string shown, Exception inner) : Exception("another host key", inner)
{
    /// <summary>SHA-256 of it, base64.</summary>
    public string Shown { get; } = shown;
}
