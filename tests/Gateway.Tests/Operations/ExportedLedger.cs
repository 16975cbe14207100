using System.Text;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Tests.Operations;

/// <summary>A running gateway's ledger, of less than 256 entries, as files.</summary>
sealed class ExportedLedger : ILedgerFiles
{
    readonly Dictionary<string, byte[]> files = [];

    public ExportedLedger(LedgerReader ledger, IEngine engine)
    {
        var size = (int)ledger.Newest!.Size;
        var entries = new TilePath(TilePath.Entries, 0, size);
        using var reader = engine.Reader();
        files[LedgerCheck.Newest] = Encoding.UTF8.GetBytes(ledger.Newest.Note);
        files[new TilePath(0, 0, size).ToString()] = ledger.Tile(0, 0, size)!;
        files[entries.ToString()] = ledger.EntryBundle(0, size)!;
        files[DetailBundle.PathOf(entries)] = Encoding.UTF8.GetBytes(string.Concat(EntryTable.Range(reader, 0, size).Select(e => $"{Convert.ToBase64String(e.Secret!.Salt)} {Encoding.UTF8.GetString(e.Secret.Detail)}\n")));
        foreach (var note in ledger.Notes!.After(0, 1000)!.Where(n => n.Size <= size)) files[LedgerCheck.KeptPath(note.Size)] = Encoding.UTF8.GetBytes(note.Note);
    }

    public byte[]? Read(string path, int limit) => files.GetValueOrDefault(path);

    public IEnumerable<string> List(string folder) => files.Keys.Where(f => f.StartsWith(folder + "/", StringComparison.Ordinal))
        .Select(f => f[(folder.Length + 1)..]).Select(f => f.IndexOf('/', StringComparison.Ordinal) is >= 0 and var slash ? f[..(slash + 1)] : f).Distinct();
}
