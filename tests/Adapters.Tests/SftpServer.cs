using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Exchange.Tests;

/// <summary>A real OpenSSH server on a port of its own, as an ordinary user: our own, or where the tests run as root, one that every Debian has. It lets in two keys of its own making.</summary>
public sealed class SftpServer : IAsyncLifetime
{
    public const string Passphrase = "passphrase of the tests";
    readonly DirectoryInfo root = Directory.CreateTempSubdirectory("exchange-sshd-");
    readonly bool isRoot = Environment.UserName == "root";
    Process? sshd;

    public int Port { get; private set; }
    public string User => isRoot ? "daemon" : Environment.UserName;
    /// <summary>As settings name it: SHA256:…</summary>
    public string HostKey { get; private set; } = "";
    public string At(params string[] parts) => Path.Combine([root.FullName, .. parts]);
    public string Ed25519 => At("ed25519");
    public string P384 => At("p384");
    public string Stranger => At("stranger");

    /// <summary>A file to which strace writes what the server syncs and renames; null: nobody looks. Set before it starts.</summary>
    public string? Trace { get; init; }

    /// <summary>What the server's disk does, as strace injects it ("fsync:error=EIO"); null: what it should.</summary>
    public string? Fault { get; init; }

    /// <summary>Key exchange; null: as OpenSSH and the adapter agree, post-quantum. The default costs both sides a tenth of that, and most tests are about other things.</summary>
    public string? KeyExchange { get; init; } = "ecdh-sha2-nistp256";

    public async ValueTask InitializeAsync()
    {
        Run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", At("host"));
        foreach (var (name, type, bits) in new[] { ("ed25519", "ed25519", "256"), ("p384", "ecdsa", "384"), ("stranger", "ed25519", "256") })
            Run("ssh-keygen", "-q", "-t", type, "-b", bits, "-a", "1", "-N", Passphrase, "-f", At(name));
        HostKey = Run("ssh-keygen", "-l", "-f", At("host.pub")).Split(' ')[1];
        File.WriteAllText(At("authorized"), File.ReadAllText(Ed25519 + ".pub") + File.ReadAllText(P384 + ".pub"));
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            Port = ((IPEndPoint)free.LocalEndpoint).Port;
        }
        File.WriteAllText(At("config"), $"""
            Port {Port}
            ListenAddress 127.0.0.1
            HostKey {At("host")}
            PidFile none
            AuthorizedKeysFile {At("authorized")}
            StrictModes no
            UsePAM no
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            MaxStartups 200
            MaxSessions 100
            Subsystem sftp internal-sftp
            ForceCommand internal-sftp
            {(KeyExchange is null ? "" : $"KexAlgorithms {KeyExchange}")}

            """);
        await StartAsync();
    }

    /// <summary>Starts it again on the same port.</summary>
    public async Task StartAsync()
    {
        if (isRoot) Run("chown", "-R", User, root.FullName);
        string[] command = ["/usr/sbin/sshd", "-D", "-e", "-f", At("config")];
        if (isRoot) command = ["setpriv", $"--reuid={User}", $"--regid={User}", "--clear-groups", .. command];
        if (Trace is not null) command = ["strace", "-f", "-qq", "-y", "-e", "trace=fsync,rename,renameat,renameat2", "-e", "signal=none", "-o", Trace, .. command];
        if (Fault is not null) command = ["strace", "-f", "-qq", "-e", "trace=fsync", "-e", $"inject={Fault}", "-e", "signal=none", "-o", At("faults"), .. command];
        sshd = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true })!;
        for (string? line; (line = await sshd.StandardError.ReadLineAsync()) is not null;)
            if (line.StartsWith("Server listening", StringComparison.Ordinal))
            {
                _ = sshd.StandardError.ReadToEndAsync();
                return;
            }
        throw new InvalidOperationException("sshd did not start");
    }

    /// <summary>A new folder that the account owns.</summary>
    public string NewFolder()
    {
        var folder = Directory.CreateDirectory(At(Guid.NewGuid().ToString("N"))).FullName;
        Give(folder);
        return folder;
    }

    /// <summary>Makes the account own it.</summary>
    public void Give(string path)
    {
        if (isRoot) Run("chown", "-R", User, path);
    }

    public Dictionary<string, string> Settings(string folder, int? port = null) => new()
    {
        ["host"] = "127.0.0.1", ["port"] = $"{port ?? Port}", ["user"] = User, ["hostKey"] = HostKey, ["folder"] = folder,
    };

    /// <summary>It and every session of it are gone.</summary>
    public void Kill()
    {
        if (sshd is null) return;
        sshd.Kill(entireProcessTree: true);
        sshd.WaitForExit();
        sshd.Dispose();
        sshd = null;
    }

    public ValueTask DisposeAsync()
    {
        Kill();
        root.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>Whether a program ran and ended well.</summary>
    public static bool Try(string program, params string[] arguments)
    {
        try { Run(program, arguments); }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception) { return false; }
        return true;
    }

    static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEnd();
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program}: {error}");
    }
}
