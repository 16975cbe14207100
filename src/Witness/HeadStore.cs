using System.Globalization;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;

namespace Exchange.Witnessing;

/// <summary>Newest head of one ledger that this witness cosigned.</summary>
/// <param name="Time">Of the cosignature, seconds since 1970.</param>
/// <param name="Note">The checkpoint with the ledger's own lines alone: what shows who signed it, should it ever contradict another.</param>
sealed record KeptHead(Checkpoint Checkpoint, long Time, string Note)
{
    public WitnessHead Head => new(Checkpoint.Size, Checkpoint.Root);
}

/// <summary>
/// A file for each ledger, named after SHA-256 of its origin: "time N", then the note. One process owns the folder. A file that cannot be read is never taken for "nothing cosigned yet": the witness
/// does not start, because it would cosign whatever comes first.
/// </summary>
sealed class HeadStore
{
    const string TimeWord = "time ";
    readonly string folder;
    readonly Dictionary<string, KeptHead> heads = [];

    HeadStore(string folder) => this.folder = folder;

    /// <summary>For the one process that writes there.</summary>
    /// <exception cref="WitnessException">A file is damaged.</exception>
    public static HeadStore Open(string folder)
    {
        DurableFile.Sweep(folder);
        var store = new HeadStore(folder);
        foreach (var head in Read(folder)) store.heads.Add(head.Checkpoint.Origin, head);
        return store;
    }

    /// <summary>All of them, to look at, also beside a witness that runs.</summary>
    /// <exception cref="WitnessException">A file is damaged.</exception>
    public static IReadOnlyList<KeptHead> Read(string folder) => [.. Directory.EnumerateFiles(folder).Where(f => !Path.GetFileName(f).StartsWith(DurableFile.TempPrefix, StringComparison.Ordinal)).Select(file =>
        ReadFile(file) is var head && Path.GetFileName(file) == NameOf(head.Checkpoint.Origin) ? head : throw Damaged(file, "it is the head of another ledger"))];

    public KeptHead? Of(string origin) => heads.GetValueOrDefault(origin);

    /// <summary>Durable on return. Threw: the head before counts, and what is on the disk was cosigned by nobody.</summary>
    public void Keep(KeptHead head)
    {
        DurableFile.Write(Path.Combine(folder, NameOf(head.Checkpoint.Origin)), Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{TimeWord}{head.Time}\n{head.Note}")));
        heads[head.Checkpoint.Origin] = head;
    }

    static KeptHead ReadFile(string file)
    {
        var text = File.ReadAllText(file);
        var end = text.IndexOf('\n', StringComparison.Ordinal);
        if (end < 0 || !text.StartsWith(TimeWord, StringComparison.Ordinal) || !long.TryParse(text[TimeWord.Length..end], NumberStyles.None, CultureInfo.InvariantCulture, out var time)) throw Damaged(file, "time");
        var note = text[(end + 1)..];
        try { return new KeptHead(Checkpoint.Parse(SignedNote.Read(Encoding.UTF8.GetBytes(note)).Text), time, note); }
        catch (RefusedException e) { throw Damaged(file, e.Detail); }
    }

    static string NameOf(string origin) => Convert.ToHexStringLower(Digest.Of(Encoding.UTF8.GetBytes(origin)).ToArray());

    static WitnessException Damaged(string file, string? why) => new(
        $"{file} cannot be read ({why}). Without it this witness would cosign a fork. Bring it back, or ask the ledger's owner for the newest checkpoint that bears this witness's line.",
        $"Không đọc được {file} ({why}). Thiếu nó, nhân chứng có thể ký cho sổ rẽ nhánh. Khôi phục tệp, hoặc xin chủ sổ điểm kiểm tra mới nhất có chữ ký của nhân chứng này.");
}

/// <summary>Why a command or the server cannot go on, for who runs it.</summary>
sealed class WitnessException(string en, string vi) : Exception(en)
{
    public string Vi { get; } = vi;
}
