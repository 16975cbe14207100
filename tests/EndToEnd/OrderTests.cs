using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace Exchange.Tests;

/// <summary>What a running gateway asks of the kernel while it takes in one dispatch of 1 MB, and in what order.</summary>
public sealed partial class OrderTests(DevelopmentPki pki, ITestOutputHelper output)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Payload_file_name_folder_and_commit_are_on_the_disk_before_the_first_byte_of_the_answer()
    {
        if (!File.Exists("/usr/bin/strace")) Assert.Skip("strace is not installed");
        await using var site = await Site.StartAsync(pki);
        var office = new OfficeByHand(pki.Folder.FullName, "G22");
        using var gateway = office.Connect(site.Gateway.Address);
        // The first one is slow with compiling; what is looked at is the everyday case, folders of its own included.
        Assert.Equal(HttpStatusCode.Created, (await OfficeByHand.PostAsync(gateway, "/dispatches", (await office.SealAsync("H41", 1 << 20)).File)).Status);
        var ready = await office.SealAsync("H41", 1 << 20);

        var trace = site.At("trace");
        using (var strace = Process.Start(new ProcessStartInfo("strace",
            ["-f", "-y", "-s", "0", "-o", trace, "-p", $"{site.Gateway.Id}", "-e", "trace=openat,write,pwrite64,fsync,fdatasync,link,linkat,rename,renameat,renameat2,unlink,sendmsg,sendto"])
        { RedirectStandardError = true })!)
        {
            if (await strace.StandardError.ReadLineAsync(Cancel) is not { } said || !said.Contains("attached", StringComparison.Ordinal)) Assert.Skip("strace may not attach here");
            Assert.Equal(HttpStatusCode.Created, (await OfficeByHand.PostAsync(gateway, "/dispatches", ready.File)).Status);
            await Site.RunAsync("/bin/kill", ["-INT", $"{strace.Id}"]);
            await strace.WaitForExitAsync(Cancel);
        }

        var calls = Trimmed(File.ReadLines(trace), site.Data);
        foreach (var call in calls) output.WriteLine(call);
        string[] order = ["open NEW", "write NEW", "fsync NEW", "open FOLDER", "link NEW BLOB", "unlink NEW", "fsync FOLDER", "write store/exchange.db-wal", "fsync store/exchange.db-wal", "answer"];
        var next = 0;
        foreach (var call in calls) if (next < order.Length && call.StartsWith(order[next], StringComparison.Ordinal)) next++;
        Assert.True(next == order.Length, $"no '{(next < order.Length ? order[next] : "")}' where it belongs");
        // Once each, and none after the answer.
        var answer = calls.FindIndex(c => c.StartsWith("answer", StringComparison.Ordinal));
        Assert.DoesNotContain(calls.Skip(answer), c => c.Contains("NEW", StringComparison.Ordinal) || c.Contains("FOLDER", StringComparison.Ordinal));
        Assert.Single(calls.Take(answer), c => c.StartsWith("fsync store/exchange.db-wal", StringComparison.Ordinal));
    }

    /// <summary>Calls on the data folder as they were completed, runs of writes together; and the first send large enough for a receipt. Smaller sends are HTTP/2's own.</summary>
    static List<string> Trimmed(IEnumerable<string> lines, string data)
    {
        var begun = new Dictionary<string, string>();
        var calls = new List<(string Call, string What, long Bytes, int Times)>();
        foreach (var line in lines)
        {
            var (pid, text) = (line.Split(' ')[0], line[line.IndexOf(' ', StringComparison.Ordinal)..].Trim());
            if (text.EndsWith("<unfinished ...>", StringComparison.Ordinal))
            {
                begun[pid] = text[..^"<unfinished ...>".Length];
                continue;
            }
            if (Resumed().Match(text) is { Success: true } resumed) text = begun[pid] + text[resumed.Length..];
            if (Call().Match(text) is not { Success: true } call || !long.TryParse(call.Groups[3].Value, CultureInfo.InvariantCulture, out var result) || result < 0) continue;
            var (name, arguments) = (call.Groups[1].Value, call.Groups[2].Value);
            if (name is "sendmsg" or "sendto")
            {
                if (result > 1000) calls.Add(("answer", "to the socket", result, 1));
                continue;
            }
            var files = Regex.Matches(arguments, "[\"<](" + Regex.Escape(data) + "[^\">]*)").Select(m => Name(m.Groups[1].Value[(data.Length + 1)..])).Distinct().ToArray();
            if (files.Length == 0 || files[0].EndsWith("-shm", StringComparison.Ordinal)) continue;
            name = name switch { "pwrite64" => "write", "fdatasync" => "fsync", "linkat" => "link", "openat" => "open", "renameat" or "renameat2" => "rename", _ => name };
            var (what, bytes) = (string.Join(' ', files), name == "write" ? result : 0);
            if (name == "write" && calls.Count > 0 && calls[^1] is var last && last.Call == name && last.What == what) calls[^1] = (name, what, last.Bytes + bytes, last.Times + 1);
            else calls.Add((name, what, bytes, 1));
        }
        return [.. calls.Select(c => $"{c.Call} {c.What}{(c.Bytes > 0 ? $"  {c.Bytes} bytes" : "")}{(c.Times > 1 ? $" in {c.Times} calls" : "")}")];
    }

    static string Name(string path) => Path.GetFileName(path) is var name && name.StartsWith(".tmp-", StringComparison.Ordinal) ? "NEW"
        : BlobFolder().IsMatch(path) ? "FOLDER" : path.Length == "blobs/xx".Length && path.StartsWith("blobs/", StringComparison.Ordinal) ? "PARENT" : path.StartsWith("blobs/", StringComparison.Ordinal) ? "BLOB" : path;

    [GeneratedRegex(@"^<\.\.\. \w+ resumed>")]
    private static partial Regex Resumed();

    [GeneratedRegex(@"^(\w+)\((.*)\)\s+=\s+(-?\d+)", RegexOptions.Singleline)]
    private static partial Regex Call();

    [GeneratedRegex("^blobs/../..$")]
    private static partial Regex BlobFolder();
}
