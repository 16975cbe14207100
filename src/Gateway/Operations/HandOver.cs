using System.Security.Cryptography;
using System.Text;

namespace Exchange.Gateway.Operations;

/// <summary>Hands documents to the running gateway by its incoming folder, all at once, and waits for what it says of them.</summary>
static class HandOver
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(90), Look = TimeSpan.FromMilliseconds(100);

    /// <returns>What was wrong, empty when all are in force or wait for a gateway that does not run.</returns>
    public static async Task<IReadOnlyList<string>> Run(string data, IReadOnlyList<FileInfo> files, TextWriter say, TimeProvider clock, CancellationToken cancel)
    {
        var incoming = Path.Combine(data, "incoming");
        if (!Directory.Exists(incoming)) return [$"{incoming}: no such folder; is this a data folder?"];
        List<string> wrong = [.. files.Where(f => !f.Exists).Select(f => $"{f}: no such file"), .. files.GroupBy(f => f.Name).Where(g => g.Count() > 1).Select(g => $"{g.Key}: given twice")];
        if (wrong.Count > 0) return wrong;

        // 1. A folder of them appears by one rename, so that the gateway never sees a directory without its cards. A crash before leaves a hidden folder that nobody reads.
        var began = clock.GetUtcNow();
        var name = FormattableString.Invariant($"{began:yyyyMMddHHmmssfff}-{Environment.ProcessId}");
        var making = Path.Combine(incoming, "." + name);
        DurableFile.CreateFolder(making);
        try
        {
            foreach (var file in files) DurableFile.Write(Path.Combine(making, file.Name), Der(await File.ReadAllBytesAsync(file.FullName, cancel)));
            Directory.Move(making, Path.Combine(incoming, name));
        }
        finally { if (Directory.Exists(making)) Directory.Delete(making, recursive: true); }
        if (!File.Exists(Path.Combine(data, "address")))
        {
            await say.WriteLineAsync("handed over; the gateway does not run, and takes them in when it starts");
            return [];
        }

        // 2. What became of each.
        using var patience = new CancellationTokenSource(Patience, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, patience.Token);
        using var timer = new PeriodicTimer(Look, clock);
        foreach (var file in files)
        {
            while (File.Exists(Path.Combine(incoming, name, file.Name)))
                try { await timer.WaitForNextTickAsync(both.Token); }
                catch (OperationCanceledException) { return [.. wrong, $"{file.Name}: not looked at yet; is the gateway running? See {incoming}/done and {incoming}/refused"]; }
            if (Reason(Path.Combine(incoming, IncomingFolder.Refused, file.Name + ".reason"), began) is { } reason) wrong.Add($"{file.Name}: refused: {reason}");
            else await say.WriteLineAsync($"{file.Name}: in force");
        }
        return wrong;
    }

    /// <summary>Hands an order to the running gateway and waits for what became of it.</summary>
    /// <param name="end">Of its name: see <see cref="IncomingFolder"/>.</param>
    /// <returns>What was done, or what was wrong.</returns>
    public static async Task<(string? Done, string? Wrong)> Give(string data, byte[] order, string end, TimeProvider clock, CancellationToken cancel)
    {
        var incoming = Path.Combine(data, "incoming");
        if (!File.Exists(Path.Combine(data, "address"))) return (null, "the gateway does not run: only the running one changes anything");
        var began = clock.GetUtcNow();
        var name = FormattableString.Invariant($"{began:yyyyMMddHHmmssfff}-{Environment.ProcessId}{end}");
        DurableFile.Write(Path.Combine(incoming, "." + name), order);
        File.Move(Path.Combine(incoming, "." + name), Path.Combine(incoming, name));
        using var patience = new CancellationTokenSource(Patience, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, patience.Token);
        using var timer = new PeriodicTimer(Look, clock);
        while (File.Exists(Path.Combine(incoming, name)))
            try { await timer.WaitForNextTickAsync(both.Token); }
            catch (OperationCanceledException) { return (null, $"{name}: not looked at yet; is the gateway running? See {incoming}/done and {incoming}/refused"); }
        if (Reason(Path.Combine(incoming, IncomingFolder.Refused, name + ".reason"), began) is { } reason) return (null, reason);
        return ((await File.ReadAllTextAsync(Path.Combine(incoming, IncomingFolder.Done, name + ".result"), cancel)).Trim(), null);
    }

    // One of that name may lie there from another day.
    static string? Reason(string file, DateTimeOffset began) =>
        File.Exists(file) && File.GetLastWriteTimeUtc(file) >= began.UtcDateTime.AddSeconds(-1) ? File.ReadAllLines(file).Aggregate(OneLine) : null;

    // A detail ends anyhow, a sentence with its stop.
    static string OneLine(string said, string next) => $"{said}{(said.EndsWith('.') ? "" : ":")} {next}";

    // A CA publishes its list in either form; everything else here is DER.
    static byte[] Der(byte[] bytes)
    {
        if (!bytes.AsSpan().StartsWith("-----BEGIN X509 CRL-----"u8)) return bytes;
        var text = Encoding.ASCII.GetString(bytes);
        return PemEncoding.TryFind(text, out var found) ? Convert.FromBase64String(text[found.Base64Data]) : bytes;
    }
}
