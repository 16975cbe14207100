using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Exchange.Office.Dev;

/// <summary>A gateway in a process of its own, as an administrator would start it: init, serve, SIGTERM.</summary>
sealed partial class GatewayProcess : IDisposable
{
    const int SIGTERM = 15;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    readonly Process process;
    readonly StreamWriter log;

    GatewayProcess(Process process, StreamWriter log, string data, Uri address) => (this.process, this.log, Data, Address) = (process, log, data, address);

    public string Data { get; }
    public Uri Address { get; }
    public int Id => process.Id;
    public Task Exited => process.WaitForExitAsync();

    /// <summary>Makes a data folder from a development PKI.</summary>
    /// <exception cref="IOException">It said no; the message is what it printed.</exception>
    public static async Task InitAsync(string program, string data, string pki, CancellationToken cancel)
    {
        using var init = Start(program, ["init", "--data", data, "--dev", pki]);
        var output = await Task.WhenAll(init.StandardOutput.ReadToEndAsync(cancel), init.StandardError.ReadToEndAsync(cancel)).ConfigureAwait(false);
        await init.WaitForExitAsync(cancel).ConfigureAwait(false);
        if (init.ExitCode != 0) throw new IOException($"{program} init: {string.Join("\n", output).Trim()}");
    }

    /// <summary>Starts it and waits until it says where it listens. What it logs goes to a file.</summary>
    public static async Task<GatewayProcess> ServeAsync(string program, string data, string logFile, TimeProvider clock, CancellationToken cancel)
    {
        var log = new StreamWriter(logFile, append: true) { AutoFlush = true };
        var process = Start(program, ["serve", "--data", data]);
        process.ErrorDataReceived += (_, line) => { if (line.Data is not null) Log(log, line.Data); };
        process.BeginErrorReadLine();
        using var patience = new CancellationTokenSource(Patience, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, patience.Token);
        try
        {
            while (await process.StandardOutput.ReadLineAsync(both.Token).ConfigureAwait(false) is { } line)
            {
                Log(log, line);
                if (line.StartsWith("listening on ", StringComparison.Ordinal)) return new GatewayProcess(process, log, data, new Uri(line["listening on ".Length..]));
            }
            throw new IOException($"{program} serve ended with status {await StatusAsync(process, cancel).ConfigureAwait(false)}; see {logFile}");
        }
        catch
        {
            if (!process.HasExited) process.Kill();
            process.Dispose();
            await log.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Asks it to stop, as a service manager does; its last entry says so.</summary>
    /// <returns>Its exit status; null when it had to be killed.</returns>
    public async Task<int?> StopAsync(TimeProvider clock)
    {
        if (!process.HasExited) _ = kill(process.Id, SIGTERM);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(15), clock);
        try
        {
            await process.WaitForExitAsync(patience.Token).ConfigureAwait(false);
            return process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            return null;
        }
    }

    public void Dispose()
    {
        if (!process.HasExited) process.Kill();
        process.Dispose();
        log.Dispose();
    }

    static async Task<int> StatusAsync(Process process, CancellationToken cancel)
    {
        await process.WaitForExitAsync(cancel).ConfigureAwait(false);
        return process.ExitCode;
    }

    static Process Start(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false };
        return Process.Start(start) ?? throw new IOException($"cannot start {program}");
    }

    static void Log(StreamWriter log, string line)
    {
        lock (log) log.WriteLine(line);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int process, int signal);
}
