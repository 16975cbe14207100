using System.Globalization;
using Exchange.Crypto.Ledger;

namespace Exchange.Crypto.Evidence;

/// <summary>
/// Names of an export: no file that the ledger has no place for, and each partial tile or bundle of an earlier size (C2SP lets them lie beside the complete one) is the
/// beginning of what it grew into.
/// </summary>
sealed class SurplusCheck(ILedgerFiles files, long size, bool hasDetails, Action<Finding> report)
{
    public void All()
    {
        foreach (var name in files.List("tile").Order(StringComparer.Ordinal))
        {
            var level = name == "entries/" ? TilePath.Entries
                : name.EndsWith('/') && int.TryParse(name[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var l) && l < Tiles.Levels && $"{l}/" == name ? l : -2;
            if (level == -2) Surplus($"tile/{name}", report);
            else Level(level, $"tile/{name[..^1]}");
        }
        if (hasDetails) Details();
    }

    public static void Surplus(string path, Action<Finding> report) =>
        report(new Finding(FindingKind.Bad, path, "surplus", Refusal.Proof.Code, "no file of this ledger"));

    void Level(int level, string folder)
    {
        var height = Math.Max(level, 0);
        foreach (var file in NumberedFiles.Walk(files, folder, path => Surplus(path, report)))
        {
            var width = Tiles.WidthAt(height, file.Index, size);
            if (!file.IsPartial)
            {
                if (width < Tiles.Width) Surplus(file.Path, report);
                continue;
            }
            foreach (var name in files.List(file.Path).Order(StringComparer.Ordinal)) Partial(new TilePath(level, file.Index, width), $"{file.Path}/{name}");
        }
    }

    void Partial(TilePath now, string path)
    {
        if (!TilePath.TryParse(path, out var part) || part.Width > now.Width) { Surplus(path, report); return; }
        if (part.Width == now.Width) return;
        var length = part.Width * (now.Level == TilePath.Entries ? EntryBundle.Step : Digest.Size);
        // The one that it grew into has been judged; if it is not there, that has been said.
        if (files.Read(now.ToString(), Tiles.Width * EntryBundle.Step) is not { } whole || whole.Length < length || files.Read(path, length) is not { } bytes) return;
        if (!bytes.AsSpan().SequenceEqual(whole.AsSpan(0, length)))
            report(new Finding(FindingKind.Bad, path, "hashes", Refusal.Proof.Code, $"is not the beginning of {now}"));
    }

    void Details()
    {
        foreach (var file in NumberedFiles.Walk(files, LedgerCheck.Details, path => Surplus(path, report)))
        {
            var width = Tiles.WidthAt(0, file.Index, size);
            if (!file.IsPartial)
            {
                if (width < Tiles.Width) Surplus(file.Path, report);
                continue;
            }
            foreach (var name in files.List(file.Path))
                if (width is 0 or Tiles.Width || name != width.ToString(CultureInfo.InvariantCulture)) Surplus($"{file.Path}/{name}", report);
        }
    }
}
