using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Exchange.Office.Dev;

/// <summary>A gateway, or an office's endpoint, in a process of its own, as an administrator would start it: init, serve or receive, SIGTERM.</summary>
sealed partial class ServerProcess : IDisposable
{
    const int SIGTERM = 15;
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    readonly Process process;
    readonly StreamWriter log;

    ServerProcess(Process process, StreamWriter log, Uri address) => (this.process, this.log, Address) = (process, log, address);

    public Uri Address { get; }
    public int Id => process.Id;
    public Task Exited => process.WaitForExitAsync();

    /// <summary>Makes a data folder from a development PKI.</summary>
    /// <exception cref="IOException">It said no; the message is what it printed.</exception>
    public static Task InitAsync(string program, string data, string pki, CancellationToken cancel) => RunAsync(program, ["init", "--data", data, "--dev", pki], cancel);

    /// <exception cref="IOException">It said no; the message is what it printed.</exception>
    public static Task ActivateAsync(string program, string data, string file, CancellationToken cancel) => RunAsync(program, ["activate", "--data", data, file], cancel);

    /// <summary>The decisions about a dispatch, a folder each, into this one.</summary>
    public static Task DecisionAsync(string program, string data, Guid dispatch, string folder, CancellationToken cancel) =>
        RunAsync(program, ["decision", dispatch.ToString(), "--data", data, "--out", folder], cancel);

    static async Task RunAsync(string program, string[] arguments, CancellationToken cancel)
    {
        using var process = Start(program, arguments);
        var output = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(cancel), process.StandardError.ReadToEndAsync(cancel)).ConfigureAwait(false);
        await process.WaitForExitAsync(cancel).ConfigureAwait(false);
        if (process.ExitCode != 0) throw new IOException($"{program} {arguments[0]}: {string.Join("\n", output).Trim()}");
    }

    public static Task<ServerProcess> ServeAsync(string program, string data, string logFile, TimeProvider clock, CancellationToken cancel) =>
        StartAsync(program, ["serve", "--data", data], "listening on ", logFile, clock, cancel);

    /// <summary>The endpoint of an office, on a free loopback port.</summary>
    public static Task<ServerProcess> ReceiveAsync(string program, string profile, string folder, string logFile, TimeProvider clock, CancellationToken cancel) =>
        StartAsync(program, ["receive", "--listen", "127.0.0.1:0", "--out", folder, "--profile", profile, "--lang", "en"], "receiving at ", logFile, clock, cancel);

    /// <summary>Starts it and waits until it says where it listens. What it says goes to a file.</summary>
    static async Task<ServerProcess> StartAsync(string program, string[] arguments, string announces, string logFile, TimeProvider clock, CancellationToken cancel)
    {
        var log = new StreamWriter(logFile, append: true) { AutoFlush = true };
        var process = Start(program, arguments);
        process.ErrorDataReceived += (_, line) => { if (line.Data is not null) Log(log, line.Data); };
        process.BeginErrorReadLine();
        using var patience = new CancellationTokenSource(Patience, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, patience.Token);
        try
        {
            while (await process.StandardOutput.ReadLineAsync(both.Token).ConfigureAwait(false) is { } line)
            {
                Log(log, line);
                if (!line.StartsWith(announces, StringComparison.Ordinal)) continue;
                // A receiver says more as it goes on; a pipe that nobody reads would stop it.
                _ = RestAsync(process, log);
                return new ServerProcess(process, log, new Uri(line[announces.Length..].Split(';')[0]));
            }
            throw new IOException($"{program} {arguments[0]} ended with status {await StatusAsync(process, cancel).ConfigureAwait(false)}; see {logFile}");
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
        lock (log) log.Dispose();
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

    static async Task RestAsync(Process process, StreamWriter log)
    {
        while (await process.StandardOutput.ReadLineAsync().ConfigureAwait(false) is { } line) Log(log, line);
    }

    static void Log(StreamWriter log, string line)
    {
        // What a killed process still said may come after the end.
        lock (log)
            if (log.BaseStream.CanWrite) log.WriteLine(line);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int process, int signal);
}
