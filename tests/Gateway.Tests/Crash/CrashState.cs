namespace Exchange.Tests.Crash;

/// <summary>A build in which something is not synced: the same recording without those syncs.</summary>
enum Without { Nothing, BlobSync, BlobFolderSync, PartSync, LeavesSync }

/// <summary>
/// One state in which the disk may be after power was lost at a moment of a recording. Contents: what was written before a file's last completed sync is there;
/// of what came later nothing, everything, a random half, or a prefix with the next write torn at a multiple of 512 bytes. Names: what a folder's last completed
/// sync covers has happened; of the later changes each may have, but none overtakes an earlier one of the same name.
/// </summary>
sealed class CrashState
{
    const int Sector = 512;
    readonly Recording recording;
    readonly Random random;
    readonly Func<Event, bool> kept;

    /// <summary>Events before this one had been done.</summary>
    public int Cut { get; }

    /// <param name="moments">Between which events the lights go out.</param>
    /// <param name="kept">False: a sync as if it had not been.</param>
    public CrashState(Recording recording, (int First, int Last) moments, int seed, int index, Func<Event, bool> kept)
    {
        (this.recording, this.kept) = (recording, kept);
        // Each state by itself: seed and index say which one it is.
        random = new Random(unchecked(seed * 1_000_003 + index));
        Cut = random.Next(moments.First + 1, Math.Min(moments.Last, recording.Events.Count) + 1);
        // Half of them right after something was said: then it has to be there, and nothing that came later can have made it durable.
        if (random.Next(2) == 0 && recording.SaidWithin(moments.First, moments.Last) is { Count: > 0 } said) Cut = said[random.Next(said.Count)] + 1;
    }

    /// <summary>Said before the lights went out.</summary>
    public IEnumerable<string> Said => recording.Events.Take(Cut).OfType<Event.Said>().Select(s => s.Line);

    /// <summary>Builds it in an empty folder.</summary>
    public void Write(string target)
    {
        var names = Names();
        var content = Contents();
        foreach (var ((folder, name), file) in names.OrderBy(n => n.Key.Folder.Length).ThenBy(n => n.Key, Comparer<(string, string)>.Default))
        {
            var parent = target + folder[recording.Root.Length..];
            // A folder whose own name was lost has taken its names along.
            if (!Directory.Exists(parent)) continue;
            var path = Path.Combine(parent, name);
            if (recording.Folders.Contains(file)) Directory.CreateDirectory(path);
            else File.WriteAllBytes(path, content.TryGetValue(file, out var bytes) ? bytes : []);
        }
    }

    Dictionary<(string Folder, string Name), int> Names()
    {
        var synced = new Dictionary<string, int>();
        for (var i = 0; i < Cut; i++)
            if (recording.Events[i] is Event.FolderSynced s && kept(s)) synced[s.Folder] = Math.Max(s.Began, synced.GetValueOrDefault(s.Folder));
        var names = new Dictionary<(string, string), int>();
        var lost = new HashSet<(string, string)>();
        // Mostly all or nothing: a mixture hits one name seldom enough.
        var chance = random.Next(4) switch { 0 => 0.0, 1 => 1.0, _ => random.NextDouble() };
        for (var i = 0; i < Cut; i++)
        {
            if (recording.Events[i] is not Event.Named change) continue;
            var durable = i < synced.GetValueOrDefault(change.Folder);
            if (!durable && (change.Changes.Any(c => lost.Contains((change.Folder, c.Name))) || random.NextDouble() >= chance))
            {
                foreach (var (name, _) in change.Changes) lost.Add((change.Folder, name));
                continue;
            }
            foreach (var (name, file) in change.Changes)
                if (file is { } there) names[(change.Folder, name)] = there;
                else names.Remove((change.Folder, name));
        }
        return names;
    }

    Dictionary<int, byte[]> Contents()
    {
        var operations = new Dictionary<int, List<(Event Event, int At)>>();
        var durable = new Dictionary<int, int>();
        var doomed = new HashSet<int>();
        for (var i = 0; i < Cut; i++)
            switch (recording.Events[i])
            {
                case Event.Wrote w: Of(w.File).Add((w, i)); break;
                case Event.Cut c: Of(c.File).Add((c, i)); break;
                case Event.Synced s when kept(s): durable[s.File] = Math.Max(s.Began, durable.GetValueOrDefault(s.File)); break;
                case Event.SyncFailed f: doomed.UnionWith(Of(f.File).Select(o => o.At).Where(at => at >= durable.GetValueOrDefault(f.File) && at < f.Began)); break;
                default: break;
            }
        return operations.ToDictionary(o => o.Key, o => Content(o.Value, at => at < durable.GetValueOrDefault(o.Key) && !doomed.Contains(at)));

        List<(Event Event, int At)> Of(int file) => operations.TryGetValue(file, out var list) ? list : operations[file] = [];
    }

    byte[] Content(List<(Event Event, int At)> operations, Func<int, bool> durable)
    {
        var later = operations.Count(o => !durable(o.At));
        var (way, prefix) = (random.Next(4), random.Next(later + 1));
        using var content = new MemoryStream();
        var n = 0;
        foreach (var (operation, at) in operations)
        {
            if (durable(at)) Apply(content, operation, int.MaxValue);
            else
            {
                var length = way switch { 0 => 0, 1 => int.MaxValue, 2 => random.Next(2) == 0 ? 0 : int.MaxValue, _ => n < prefix ? int.MaxValue : n == prefix ? Torn(operation) : 0 };
                if (length > 0) Apply(content, operation, length);
                n++;
            }
        }
        return content.ToArray();
    }

    int Torn(Event operation) => operation is Event.Wrote w ? random.Next((w.Bytes.Length + Sector - 1) / Sector) * Sector : 0;

    static void Apply(MemoryStream content, Event operation, int length)
    {
        if (operation is Event.Cut cut) content.SetLength(cut.Length);
        if (operation is not Event.Wrote write) return;
        content.Position = write.Offset;
        content.Write(write.Bytes.AsSpan(0, Math.Min(length, write.Bytes.Length)));
    }
}
