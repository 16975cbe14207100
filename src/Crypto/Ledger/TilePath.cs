using System.Globalization;

namespace Exchange.Crypto.Ledger;

/// <summary>
/// Where a tile or a bundle of entries is found, C2SP tlog-tiles "Merkle Tree" and "Log Entries": "tile/L/N[.p/W]" and "tile/entries/N[.p/W]", N in groups of
/// three digits, all but the last beginning with x ("x001/x234/067").
/// </summary>
/// <param name="Level">0..63; <see cref="Entries"/> for a bundle of entries.</param>
/// <param name="Width">1..255 partial, 256 complete.</param>
public readonly record struct TilePath(int Level, long Index, int Width)
{
    public const int Entries = -1;

    public override string ToString()
    {
        var path = (Index % 1000).ToString("000", CultureInfo.InvariantCulture);
        for (var rest = Index / 1000; rest > 0; rest /= 1000) path = string.Create(CultureInfo.InvariantCulture, $"x{rest % 1000:000}/{path}");
        var level = Level == Entries ? "entries" : Level.ToString(CultureInfo.InvariantCulture);
        var partial = Width == Tiles.Width ? "" : string.Create(CultureInfo.InvariantCulture, $".p/{Width}");
        return $"tile/{level}/{path}{partial}";
    }

    /// <summary>Reads what <see cref="ToString"/> writes and nothing else.</summary>
    public static bool TryParse(string text, out TilePath path)
    {
        path = default;
        if (text.Length > 100) return false;
        var parts = text.Split('/');
        if (parts.Length < 3 || parts[0] != "tile") return false;
        int level;
        if (parts[1] == "entries") level = Entries;
        else if (!Number(parts[1], 63, out level)) return false;

        var width = Tiles.Width;
        var last = parts.Length - 1;
        if (parts[last - 1].EndsWith(".p", StringComparison.Ordinal))
        {
            if (!Number(parts[last], Tiles.Width - 1, out width) || width == 0) return false;
            parts[--last] = parts[last][..^2];
        }
        long index = 0;
        for (var i = 2; i <= last; i++)
        {
            var digits = i < last && parts[i].StartsWith('x') ? parts[i][1..] : parts[i];
            if (digits.Length != 3 || !digits.All(char.IsAsciiDigit) || index > long.MaxValue / 2000) return false;
            index = (index * 1000) + int.Parse(digits, CultureInfo.InvariantCulture);
        }
        path = new TilePath(level, index, width);
        return path.ToString() == text;
    }

    static bool Number(string text, int max, out int value)
    {
        value = 0;
        return text.Length is > 0 and < 4 && text.All(char.IsAsciiDigit) && (value = int.Parse(text, CultureInfo.InvariantCulture)) <= max;
    }
}
