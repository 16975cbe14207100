using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Exchange.Tests;

/// <summary>
/// docs/install.md and docs/policy.md as they stand, run line by line in a folder of its own. Only host names and ports become this machine's, an officer's "yes" is given, and `receive` goes on beside.
/// </summary>
sealed class Guide : IDisposable
{
    const string Prelude = """
        set -euo pipefail
        export PATH="$PROGRAMS:$PATH" EXCHANGE_PASSPHRASE=$(cat officers-passphrase) LC_ALL=C.UTF-8
        exchange() {
          case "$*" in
            "officer "* | "policy sign "* | "policy activate "*) command exchange "$@" --yes ;;
            *" receive "*)
              if [ -f receive.pid ]; then kill $(cat receive.pid) 2>/dev/null || true; while kill -0 $(cat receive.pid) 2>/dev/null; do sleep 0.05; done; fi
              "$PROGRAMS/exchange" "$@" > receive.log 2>&1 &
              echo $! > receive.pid
              for i in $(seq 600); do grep -q 'receiving at' receive.log && return 0; sleep 0.05; done
              cat receive.log; return 1 ;;
            *) command exchange "$@" ;;
          esac
        }

        """;

    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("exchange-guide-");
    readonly string text;

    public Guide()
    {
        var root = Repository();
        int gateway = FreePort(), office = FreePort();
        text = (File.ReadAllText(Path.Combine(root, "docs", "install.md")) + File.ReadAllText(Path.Combine(root, "docs", "policy.md")))
            .Replace("0.0.0.0:8443", $"127.0.0.1:{gateway}", StringComparison.Ordinal).Replace("0.0.0.0:8444", $"127.0.0.1:{office}", StringComparison.Ordinal)
            .Replace("gateway.example:8443", $"localhost:{gateway}", StringComparison.Ordinal).Replace("h41.example:8444", $"localhost:{office}", StringComparison.Ordinal)
            .Replace("gateway.example", "localhost", StringComparison.Ordinal).Replace("h41.example", "localhost", StringComparison.Ordinal);
        foreach (var part in new[] { "docs", "samples" }) Directory.CreateSymbolicLink(At(part), Path.Combine(root, part));
        File.WriteAllText(At("officers-passphrase"), Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(24)));
    }

    public string At(params string[] parts) => Path.Combine([folder.FullName, .. parts]);

    /// <summary>The command blocks below a heading of the second level.</summary>
    public IReadOnlyList<string> Blocks(string heading)
    {
        var lines = text.Split('\n').SkipWhile(l => l != "## " + heading).Skip(1).TakeWhile(l => !l.StartsWith("## ", StringComparison.Ordinal) && !l.StartsWith("# ", StringComparison.Ordinal));
        List<string> blocks = [];
        StringBuilder? block = null;
        foreach (var line in lines)
            if (line == "```sh") block = new StringBuilder();
            else if (line == "```" && block is not null) { blocks.Add(block.ToString()); block = null; }
            else block?.Append(line).Append('\n');
        return blocks.Count > 0 ? blocks : throw new InvalidDataException($"docs/install.md and docs/policy.md have no commands under '{heading}'");
    }

    public async Task<Ran> RunAsync(string commands) =>
        await Site.RunAsync("/bin/bash", ["-c", $"PROGRAMS='{AppContext.BaseDirectory}'\n{Prelude}{commands}"], folder: folder.FullName);

    /// <summary>Runs, and expects that every line succeeds.</summary>
    public async Task<Ran> DoAsync(string commands)
    {
        var ran = await RunAsync(commands);
        Assert.True(ran.Code == 0, $"{commands}\n{ran}");
        return ran;
    }

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public static string Repository()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "Exchange.sln"))) at = at.Parent ?? throw new DirectoryNotFoundException("Exchange.sln");
        return at.FullName;
    }

    public void Dispose()
    {
        if (File.Exists(At("receive.pid")))
            try { System.Diagnostics.Process.GetProcessById(int.Parse(File.ReadAllText(At("receive.pid")), System.Globalization.CultureInfo.InvariantCulture)).Kill(); }
            catch (ArgumentException) { }
        folder.Delete(recursive: true);
    }
}
