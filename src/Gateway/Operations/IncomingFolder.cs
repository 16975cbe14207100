using Exchange.Crypto;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Operations;

/// <summary>
/// The incoming folder: signed statements and CRLs put there are verified and activated through the journal, then moved to done/, or to refused/ with the
/// reason beside them. Who may write into the folder decides nothing: the signatures do.
/// </summary>
sealed class IncomingFolder(DataFolder folder, ActivateDocuments activate, ILogger<IncomingFolder> log)
{
    public const string Done = "done", Refused = "refused";
    /// <summary>Ends of names of orders to the queue: "x.order.json", or "x.order.p7s" when two administrators signed it.</summary>
    public const string Order = ".order.json", SignedOrder = ".order.p7s";

    /// <summary>Carries an order out and says in a line what was done.</summary>
    /// <exception cref="RefusedException">It does not.</exception>
    public Func<byte[], bool, Task<string>>? Orders { get; set; }
    /// <summary>Largest document that is looked at; a directory of 100,000 offices has about 30 MiB.</summary>
    const long MaxDocument = 64 << 20;

    /// <summary>Takes in what lies there: folders, each of which appeared whole with files that belong together, then single files.</summary>
    public async Task Step(DateTimeOffset now)
    {
        foreach (var together in Directory.EnumerateDirectories(folder.Incoming).Where(d => Path.GetFileName(d) is not (Done or Refused) && IsSeen(d)).Order(StringComparer.Ordinal).ToList())
        {
            await TakeAll(together, now);
            if (!Directory.EnumerateFileSystemEntries(together).Any()) Directory.Delete(together);
        }
        await TakeAll(folder.Incoming, now);
    }

    /// <summary>Documents that only fit together (a directory and its new cards) are tried together first.</summary>
    async Task TakeAll(string from, DateTimeOffset now)
    {
        foreach (var order in Directory.EnumerateFiles(from).Where(f => IsSeen(f) && IsOrder(f)).Order(StringComparer.Ordinal).ToList()) await CarryOut(order);
        var files = Directory.EnumerateFiles(from).Where(f => IsSeen(f) && !IsOrder(f)).Order(StringComparer.Ordinal).ToList();
        if (files.Count == 0) return;
        var together = files.Count > 1 ? await Take(files, now) : "";
        if (together is null) return;
        foreach (var file in files)
            if (await Take([file], now) is { } reason)
                Settle(file, Refused, together.Length == 0 || together == reason ? reason : $"{reason}{Environment.NewLine}Together with what lay beside it: {together}");
    }

    static bool IsOrder(string path) => path.EndsWith(Order, StringComparison.Ordinal) || path.EndsWith(SignedOrder, StringComparison.Ordinal);

    // A crash before the move: found again, and carried out on whatever it still fits.
    async Task CarryOut(string file)
    {
        string result;
        try { result = await Orders!(Read(file).ToArray(), file.EndsWith(SignedOrder, StringComparison.Ordinal)); }
        catch (RefusedException e) when (e.Refusal == Refusal.Busy || e.Refusal == Refusal.Full) { return; }
        catch (RefusedException e)
        {
            Settle(file, Refused, $"{e.Message}{Environment.NewLine}{e.Refusal.En}");
            return;
        }
        var target = Directory.CreateDirectory(Path.Combine(folder.Incoming, Done)).FullName;
        File.WriteAllText(Path.Combine(target, Path.GetFileName(file) + ".result"), result + Environment.NewLine);
        File.Move(file, Path.Combine(target, Path.GetFileName(file)), overwrite: true);
        log.OrderWasCarriedOut(Path.GetFileName(file), result);
    }

    static bool IsSeen(string path) => !Path.GetFileName(path).StartsWith('.');

    /// <returns>null: activated and moved to done. Else why not.</returns>
    async Task<string?> Take(IReadOnlyList<string> files, DateTimeOffset now)
    {
        try
        {
            await activate.Run([.. files.Select(Read)], now);
        }
        catch (RefusedException e)
        {
            if (e.Refusal == Refusal.Busy || e.Refusal == Refusal.Full) return null;      // stays where it is; the next look tries again
            return $"{e.Message}{Environment.NewLine}{e.Refusal.En}";
        }
        // A crash before the move: found again, refused as not newer. It is in force all the same.
        foreach (var file in files) Settle(file, Done, null);
        return null;
    }

    static ReadOnlyMemory<byte> Read(string file) =>
        new FileInfo(file).Length <= MaxDocument ? File.ReadAllBytes(file) : throw new RefusedException(Refusal.Size, Path.GetFileName(file));

    void Settle(string file, string where, string? reason)
    {
        var name = Path.GetFileName(file);
        var target = Directory.CreateDirectory(Path.Combine(folder.Incoming, where)).FullName;
        if (reason is not null) File.WriteAllText(Path.Combine(target, name + ".reason"), reason + Environment.NewLine);
        File.Move(file, Path.Combine(target, name), overwrite: true);
        if (reason is null) log.DocumentWasActivated(name);
        else log.DocumentWasRefused(name, reason.Split(Environment.NewLine)[0]);
    }
}
