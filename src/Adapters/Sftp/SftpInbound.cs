using System.Globalization;
using System.Text;
using Renci.SshNet.Common;
using Renci.SshNet.Sftp;

namespace Exchange.Adapters.Sftp;

/// <summary>
/// One office's inbound folder on its server, in one round. Letting go begins with the marker's rename to a hidden name, which says what is to come: .NAME.taken, and the rest is removed; .NAME.aside-TIME, and
/// the rest is moved to quarantine/NAME-TIME. So a crash in between is finished by whoever finds that name. What is not a plain file is not looked at: a link could lead anywhere on that server.
/// </summary>
sealed class SftpInbound(SftpLine line, SftpTarget target, int atOnce)
{
    const int MostNames = 20_000, MostFiles = 8, MarkerBytes = 2048, NameLength = 60;
    const string Ready = ".ready", Taken = ".taken", Aside = ".aside-", Quarantine = "quarantine";
    readonly Dictionary<string, long> files = new(StringComparer.Ordinal);

    public SftpLine Line => line;
    /// <summary>Something failed on the connection: it is not used again.</summary>
    public bool IsHurt { get; set; }
    public SftpTarget Target => target;
    public string At(string name) => $"{target.Inbound}/{name}";

    /// <summary>Names of markers, without ".ready".</summary>
    public IEnumerable<string> Markers => files.Keys.Where(f => f.EndsWith(Ready, StringComparison.Ordinal)).Select(f => f[..^Ready.Length]).Where(IsName);

    public async Task ReadAsync(DateTimeOffset now, CancellationToken cancel)
    {
        await foreach (var entry in line.ListAsync(target.Inbound!, cancel).ConfigureAwait(false))
        {
            if (entry.Attributes.IsRegularFile) files[entry.Name] = entry.Attributes.Size;
            // Enough for one round; what the others are for is seen when these are gone.
            if (files.Count >= MostNames) break;
        }
        foreach (var left in files.Keys.Where(f => f[0] == '.').Take(atOnce).ToList())
            if (left.EndsWith(Taken, StringComparison.Ordinal) && IsName(left[1..^Taken.Length])) await FinishRemovingAsync(left[1..^Taken.Length], cancel).ConfigureAwait(false);
            else if (left.IndexOf(Aside, StringComparison.Ordinal) is > 1 and var at && IsName(left[1..at]) && IsName(left[(at + Aside.Length)..])) await FinishPuttingAsideAsync(left[1..at], left[(at + Aside.Length)..], cancel).ConfigureAwait(false);
        // A marker whose name is none of ours cannot be shown to anybody. Its files stay where they are, without it.
        foreach (var odd in files.Keys.Where(f => f[0] != '.' && f.EndsWith(Ready, StringComparison.Ordinal) && !IsName(f[..^Ready.Length])).Take(atOnce).ToList())
        {
            await FolderAsync(Quarantine, cancel).ConfigureAwait(false);
            await line.RenameAsync(At(odd), At($"{Quarantine}/{Stamp(now)}-{Convert.ToHexStringLower(Encoding.UTF8.GetBytes(odd))[..16]}"), cancel).ConfigureAwait(false);
        }
    }

    public async Task<MarkerContents> ContentsAsync(string marker, long maxBytes, CancellationToken cancel)
    {
        if (files[marker + Ready] is 0 or > MarkerBytes) return MarkerContents.Bad;
        var bytes = new byte[MarkerBytes];
        var file = await line.OpenAsync(At(marker + Ready), FileMode.Open, FileAccess.Read, cancel).ConfigureAwait(false);
        var count = await file.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel).ConfigureAwait(false);
        await file.DisposeAsync().ConfigureAwait(false);
        var found = new List<MarkedFile>();
        foreach (var entry in Encoding.Latin1.GetString(bytes, 0, count).TrimEnd('\n').Split('\n'))
        {
            // Two spaces, or a space and the star of sha256sum --binary.
            if (found.Count == MostFiles || entry.Length < 67 || entry[64] != ' ' || entry[65] is not (' ' or '*')) return MarkerContents.Bad;
            var name = entry[66..];
            BroughtKind? kind = name == $"{marker}.envelope" ? BroughtKind.Envelope : name == $"{marker}.receipt.p7s" ? BroughtKind.Receipt : null;
            var digest = new byte[32];
            if (kind is null || Convert.FromHexString(entry.AsSpan(0, 64), digest, out _, out _) != System.Buffers.OperationStatus.Done) return MarkerContents.Bad;
            // A list that is read while names are made may show a marker without the file that was there before it.
            if (!files.TryGetValue(name, out var length)) return MarkerContents.Missing;
            if (length > maxBytes) return MarkerContents.Bad;
            found.Add(new MarkedFile(kind.Value, name, length, digest));
        }
        return new MarkerContents(found, IsMissing: false);
    }

    public async Task RemoveAsync(string marker, CancellationToken cancel)
    {
        await line.RenameAsync(At(marker + Ready), At($".{marker}{Taken}"), cancel).ConfigureAwait(false);
        await FinishRemovingAsync(marker, cancel).ConfigureAwait(false);
    }

    public async Task PutAsideAsync(string marker, DateTimeOffset now, CancellationToken cancel)
    {
        var stamp = Stamp(now);
        await line.RenameAsync(At(marker + Ready), At($".{marker}{Aside}{stamp}"), cancel).ConfigureAwait(false);
        await FinishPuttingAsideAsync(marker, stamp, cancel).ConfigureAwait(false);
    }

    /// <summary>The gateway's word, into the folder of the copies; the same name is the same word.</summary>
    public async Task AnswerAsync(string name, ReadOnlyMemory<byte> receipt, CancellationToken cancel)
    {
        var place = target.At($"{name}.answer.p7s");
        if (await line.LengthOfAsync(place, cancel).ConfigureAwait(false) is not null) return;
        await line.PutAsync(target.At($".{name}.answer.p7s"), receipt, cancel).ConfigureAwait(false);
        await line.RenameAsync(target.At($".{name}.answer.p7s"), place, cancel).ConfigureAwait(false);
        await line.SyncFolderAsync(target.Folder, cancel).ConfigureAwait(false);
    }

    async Task FinishRemovingAsync(string marker, CancellationToken cancel)
    {
        foreach (var file in Of(marker)) await line.RemoveAsync(At(file), cancel).ConfigureAwait(false);
        await line.RemoveAsync(At($".{marker}{Taken}"), cancel).ConfigureAwait(false);
    }

    async Task FinishPuttingAsideAsync(string marker, string stamp, CancellationToken cancel)
    {
        var place = $"{Quarantine}/{marker}-{stamp}";
        await FolderAsync(Quarantine, cancel).ConfigureAwait(false);
        await FolderAsync(place, cancel).ConfigureAwait(false);
        foreach (var file in Of(marker)) await MoveAsync(file, $"{place}/{file}", cancel).ConfigureAwait(false);
        await line.RenameAsync(At($".{marker}{Aside}{stamp}"), At($"{place}/{marker}{Ready}"), cancel).ConfigureAwait(false);
    }

    // What a crash moved already is not in this round's list, or goes in between.
    async Task MoveAsync(string file, string to, CancellationToken cancel)
    {
        try { await line.RenameAsync(At(file), At(to), cancel).ConfigureAwait(false); }
        catch (SftpPathNotFoundException) { }
    }

    async Task FolderAsync(string name, CancellationToken cancel)
    {
        if (await line.HasFolderAsync(At(name), cancel).ConfigureAwait(false)) return;
        await line.MakeFolderAsync(At(name), cancel).ConfigureAwait(false);
    }

    // Its files, but no marker: one under the same name may have come since.
    List<string> Of(string marker) => [.. files.Keys.Where(f => f.StartsWith(marker + ".", StringComparison.Ordinal) && !f.EndsWith(Ready, StringComparison.Ordinal))];

    static string Stamp(DateTimeOffset now) => now.UtcDateTime.ToString("yyyyMMdd-HHmmssfffffff", CultureInfo.InvariantCulture);

    // No dots: a name that begins another one would take that one's files along.
    static bool IsName(string name) => name.Length is > 0 and <= NameLength && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');
}

/// <summary>A line of a marker.</summary>
sealed record MarkedFile(BroughtKind Kind, string Name, long Length, byte[] Digest);

/// <summary>What a marker names, in its order.</summary>
/// <param name="Files">null: no marker that could be shown to anybody, or too large a file; or <paramref name="IsMissing"/>: one of its files is not seen.</param>
sealed record MarkerContents(IReadOnlyList<MarkedFile>? Files, bool IsMissing)
{
    public static readonly MarkerContents Bad = new(null, false), Missing = new(null, true);
}
