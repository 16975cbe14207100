using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Exchange.Tests.Crash;

/// <summary>One thing that a process did, in the order in which it was done. Began: how many events had been done when a sync was asked for; only those it covers.</summary>
abstract record Event
{
    public sealed record Wrote(int File, long Offset, byte[] Bytes) : Event;
    public sealed record Cut(int File, long Length) : Event;
    public sealed record Synced(int File, int Began) : Event;
    /// <summary>The kernel may have dropped what was not on the disk yet, and say yes to the next sync: such bytes count as lost for ever.</summary>
    public sealed record SyncFailed(int File, int Began) : Event;
    /// <summary>Names of one folder change together: each gets a file, or none (null).</summary>
    public sealed record Named(string Folder, params (string Name, int? File)[] Changes) : Event;
    public sealed record FolderSynced(string Folder, int Began) : Event;
    public sealed record Said(string Line) : Event;
}

/// <summary>
/// What one child process did to one folder, as strace saw it. Every call that writes, names or syncs is either understood or fails the recording:
/// a runtime that begins to use another call must be noticed. Writes through a memory map are not seen; only SQLite's -shm has them, and it is left out.
/// </summary>
sealed partial class Recording
{
    const string Calls = "openat,open,creat,close,write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,sync_file_range,ftruncate,truncate,fallocate,copy_file_range,sendfile,"
        + "unlink,unlinkat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,mkdir,mkdirat,rmdir";
    readonly string root;
    readonly List<Event> events = [];
    readonly Dictionary<string, int> names = [];
    int files;

    Recording(string root) => this.root = root;

    public IReadOnlyList<Event> Events => events;
    /// <summary>Where the folder was first whole enough to say that it is one: its settings are there for good.</summary>
    public int Made => events.FindIndex(events.FindIndex(e => e is Event.Named n && n.Changes.Any(c => c.Name == "gateway.json")), e => e is Event.FolderSynced);
    /// <summary>Where the gateway listened and the workload began.</summary>
    public int Ready => events.FindIndex(e => e is Event.Said { Line: "READY now" });
    /// <summary>Where something was said between two moments.</summary>
    public IReadOnlyList<int> SaidWithin(int first, int last) => [.. Enumerable.Range(0, events.Count).Where(i => i >= first && i < last && events[i] is Event.Said)];
    public string BlobFolder => Path.Combine(root, CrashWorkload.Data, "blobs");
    public HashSet<int> Blobs => [.. events.OfType<Event.Named>().Where(n => n.Folder.StartsWith(BlobFolder, StringComparison.Ordinal)).SelectMany(n => n.Changes).Where(c => c.File is not null).Select(c => c.File!.Value)];
    /// <summary>Files of the uploads folder whose names end so; a part is a blob later.</summary>
    public HashSet<int> Uploads(string ending) => [.. events.OfType<Event.Named>().Where(n => n.Folder == Path.Combine(root, CrashWorkload.Data, "uploads")).SelectMany(n => n.Changes).Where(c => c.File is not null && c.Name.EndsWith(ending, StringComparison.Ordinal)).Select(c => c.File!.Value)];
    /// <summary>Folders are files too: a name of one may be lost with all that is in it.</summary>
    public HashSet<int> Folders { get; } = [];
    public string Root => root;

    /// <summary>Runs this test program again with a startup hook that does the workload, under strace. Root: what is recorded; what is there already counts as safe.</summary>
    /// <param name="inject">"fsync:error=EIO:when=3": calls that strace lets fail, counted in each thread; the child may then end as it likes.</param>
    public static Recording Of(string root, IReadOnlyDictionary<string, string> environment, string? inject = null)
    {
        var log = Path.Combine(Directory.CreateTempSubdirectory("exchange-strace-").FullName, "log");
        try
        {
            var start = new ProcessStartInfo("strace") { RedirectStandardError = true, RedirectStandardOutput = true };
            foreach (var argument in (string[])["-f", "-qq", "-y", "-xx", "-s", "4000000", "-o", log, "--seccomp-bpf", "-e", "trace=" + Calls, .. inject is null ? (string[])[] : ["-e", "inject=" + inject], Environment.ProcessPath!]) start.ArgumentList.Add(argument);
            if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") start.ArgumentList.Add(typeof(Recording).Assembly.Location);
            start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(Recording).Assembly.Location;
            foreach (var (name, value) in environment) start.Environment[name] = value;
            var recording = new Recording(root);
            recording.Found(root);
            using var process = Process.Start(start)!;
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            if (!process.WaitForExit(TimeSpan.FromMinutes(3)))
            {
                process.Kill(entireProcessTree: true);
                Assert.Fail("the workload did not end");
            }
            Assert.True(process.ExitCode == 0 || inject is not null, $"the workload ended with {process.ExitCode}: {error.Result}{output.Result}");
            recording.Read(File.ReadLines(log));
            return recording;
        }
        finally { Directory.Delete(Path.GetDirectoryName(log)!, recursive: true); }
    }

    void Found(string folder)
    {
        foreach (var inner in Directory.GetDirectories(folder))
        {
            Folders.Add(Name(inner));
            Found(inner);
        }
        foreach (var path in Directory.GetFiles(folder).Where(Ours))
        {
            var file = Name(path);
            events.Add(new Event.Wrote(file, 0, File.ReadAllBytes(path)));
            events.Add(new Event.Synced(file, events.Count));
        }
        events.Add(new Event.FolderSynced(folder, events.Count));
    }

    void Read(IEnumerable<string> lines)
    {
        var open = new Dictionary<string, (string Text, int Began)>();
        foreach (var line in lines)
        {
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            var (pid, text, began) = (line[..space], line[(space + 1)..].TrimStart(), events.Count);
            if (text.EndsWith("<unfinished ...>", StringComparison.Ordinal))
            {
                open[pid] = (text[..^"<unfinished ...>".Length].TrimEnd(), began);
                continue;
            }
            if (text.StartsWith("<... ", StringComparison.Ordinal))
            {
                var (first, at) = open[pid];
                open.Remove(pid);
                (text, began) = (first + text[(text.IndexOf("resumed>", StringComparison.Ordinal) + "resumed>".Length)..], at);
            }
            if (Call().Match(text) is { Success: true } call) Take(call.Groups[1].Value, call.Groups[2].Value, call.Groups[3].Value, began);
        }
    }

    void Take(string call, string arguments, string result, int began)
    {
        // The process died inside the call: nobody was told that it had happened, and the states without it are those in which it had not.
        if (result.StartsWith('?')) return;
        if (result.StartsWith('-'))
        {
            if (call is "fsync" or "fdatasync" && Descriptor().Match(arguments) is { Success: true } hurt && names.TryGetValue(Text(hurt.Groups[1].Value), out var file)) events.Add(new Event.SyncFailed(file, began));
            return;
        }
        var strings = Quoted().Matches(arguments).Select(m => m.Groups[1].Value).ToArray();
        var descriptor = Descriptor().Match(arguments) is { Success: true } d ? Text(d.Groups[1].Value) : null;
        if (call is "write" && (descriptor is null || !Ours(descriptor)))
        {
            Say(strings);
            return;
        }
        switch (call)
        {
            case "openat" or "open" when Text(strings[0]) is var path && Ours(path): Open(path, arguments); break;
            case "mkdir" or "mkdirat" when Text(strings[0]) is var path && Ours(path): Folders.Add(Name(path)); break;
            case "unlink" or "unlinkat" when Text(strings[0]) is var path && Ours(path): Rename(path, null); break;
            case "rename" or "renameat" or "renameat2" when Text(strings[0]) is var path && Ours(path): Rename(path, Text(strings[1])); break;
            case "link" or "linkat" when Text(strings[0]) is var path && Ours(path): Set(Text(strings[1]), names[path]); break;
            case "pwrite64" when Ours(descriptor!): Write(descriptor!, arguments, strings[0], result); break;
            case "fsync" or "fdatasync" when Ours(descriptor!): Sync(descriptor!, began); break;
            case "ftruncate" when Ours(descriptor!): events.Add(new Event.Cut(names[descriptor!], Last(arguments))); break;
            case "close": break;
            default:
                if ((descriptor is not null && Ours(descriptor)) || strings.Any(s => Ours(Text(s)))) throw new NotSupportedException($"{call} is not understood yet: {arguments}");
                break;
        }
    }

    void Open(string path, string arguments)
    {
        if (names.TryGetValue(path, out var file))
        {
            if (arguments.Contains("O_TRUNC", StringComparison.Ordinal)) events.Add(new Event.Cut(file, 0));
        }
        else if (arguments.Contains("O_CREAT", StringComparison.Ordinal)) Name(path);
    }

    int Name(string path)
    {
        Set(path, files);
        return files++;
    }

    void Set(string path, int? file)
    {
        if (file is { } there) names[path] = there;
        else names.Remove(path);
        events.Add(new Event.Named(Path.GetDirectoryName(path)!, (Path.GetFileName(path), file)));
    }

    void Rename(string from, string? to)
    {
        if (to is null)
        {
            Set(from, null);
            return;
        }
        var (file, folder) = (names[from], Path.GetDirectoryName(from)!);
        if (Path.GetDirectoryName(to) != folder)
        {
            // Two folders, two syncs: the file may be in either, in both, and on a file system that does not journal in none.
            Set(to, file);
            Set(from, null);
            return;
        }
        names.Remove(from);
        names[to] = file;
        events.Add(new Event.Named(folder, (Path.GetFileName(from), null), (Path.GetFileName(to), file)));
    }

    void Write(string path, string arguments, string data, string result)
    {
        var bytes = Bytes(data);
        if (bytes.Length != long.Parse(result.Split(' ')[0], CultureInfo.InvariantCulture)) throw new NotSupportedException($"a short write, or one cut off by strace: {bytes.Length} of {result}");
        events.Add(new Event.Wrote(names[path], Last(arguments), bytes));
    }

    void Sync(string path, int began) =>
        events.Add(names.TryGetValue(path, out var file) && !Folders.Contains(file) ? new Event.Synced(file, began) : new Event.FolderSynced(path, began));

    // What the workload says, on whatever descriptor: "@ACK ..." and the like, one line a write.
    void Say(string[] strings)
    {
        if (strings.Length == 0 || !strings[0].StartsWith(@"\x40", StringComparison.Ordinal)) return;
        var text = Text(strings[0]);
        if (Spoken().IsMatch(text)) events.Add(new Event.Said(text[1..].TrimEnd('\n')));
    }

    bool Ours(string path) => (path == root || path.StartsWith(root + "/", StringComparison.Ordinal)) && !path.EndsWith("-shm", StringComparison.Ordinal);

    static long Last(string arguments) => long.Parse(arguments[(arguments.LastIndexOf(", ", StringComparison.Ordinal) + 2)..], CultureInfo.InvariantCulture);

    static string Text(string hex) => Encoding.UTF8.GetString(Bytes(hex));

    // \x41\x42 → 2 bytes
    static byte[] Bytes(string hex)
    {
        var bytes = new byte[hex.Length / 4];
        for (var i = 0; i < bytes.Length; i++) bytes[i] = (byte)((Digit(hex[4 * i + 2]) << 4) | Digit(hex[4 * i + 3]));
        return bytes;
    }

    static int Digit(char c) => c <= '9' ? c - '0' : c - 'a' + 10;

    [GeneratedRegex(@"^(\w+)\((.*)\)\s+=\s+(.*)$", RegexOptions.Singleline)]
    private static partial Regex Call();

    [GeneratedRegex("\"((?:\\\\x[0-9a-f]{2})*)\"")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"^\d+<((?:\\x[0-9a-f]{2})*)>")]
    private static partial Regex Descriptor();

    [GeneratedRegex("^@[A-Z]+ ")]
    private static partial Regex Spoken();
}
