using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace Exchange.Tests;

/// <summary>What may stand in tracked files.</summary>
public sealed partial class FileTests
{
    const int MaxLines = 400;

    [Fact]
    public void No_source_file_is_longer_than_400_lines() =>
        Rules.Empty(Repository.Files("*.cs").Select(f => (File: f, Lines: File.ReadLines(Repository.Path(f)).Count())).Where(f => f.Lines > MaxLines));

    [Fact]
    public void No_tracked_file_names_a_machine_or_holds_a_private_key() => Rules.Empty(Repository.Files().SelectMany(f => Faults(f, Text(f))));

    [Fact]
    public void No_key_or_store_file_is_tracked() => Rules.Empty(Repository.Files().Where(f => KeyFile().IsMatch(f)));

    [Fact]
    public void Text_is_Unicode_NFC_without_a_byte_order_mark() => Rules.Empty(
        Repository.Files("*.cs", "*.md", "*.json", "*.sql", "*.txt", "*.csproj", "*.props").Where(f => Text(f) is var text && (text.StartsWith('\ufeff') || !text.IsNormalized(NormalizationForm.FormC))));

    [Fact]
    public void No_two_log_events_have_one_number() =>
        Rules.Empty(Repository.Files("src/*.cs").SelectMany(f => EventNumber().Matches(Text(f)).Select(m => m.Groups[1].Value)).CountBy(n => n).Where(n => n.Value > 1));

    [Fact]
    public void Faulty_files_are_found()
    {
        Assert.NotEmpty(Faults("a.md", "see " + "/wo" + "rk/main/src"));
        Assert.NotEmpty(Faults("a.md", "see " + "/ho" + "me/someone/x"));
        Assert.NotEmpty(Faults("a.md", "curl https://build7" + ".internal/x"));
        Assert.NotEmpty(Faults("a.pem", "-----BEGIN " + "PRIVATE KEY-----\nMIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDD0\n"));
        Assert.Empty(Faults("a.cs", "text.Contains(\"-----BEGIN " + "PRIVATE KEY-----\")"));
        Assert.Empty(Faults("a.md", "https://localhost:8443/mailbox and https://gateway.dev.exchange/ledger"));
        Assert.Matches(KeyFile(), "certs-dev/offices/H41/sign.p12");
        Assert.Matches(KeyFile(), "data/store/exchange.db-wal");
    }

    static string Text(string file)
    {
        var bytes = File.ReadAllBytes(Repository.Path(file));
        return bytes.AsSpan().IndexOf((byte)0) >= 0 ? "" : Encoding.UTF8.GetString(bytes);
    }

    static IEnumerable<string> Faults(string file, string text)
    {
        foreach (Match match in Machine().Matches(text)) yield return $"{file}: {match.Value}";
        if (PrivateKey().IsMatch(text)) yield return $"{file}: a private key";
    }

    [GeneratedRegex(@"\[LoggerMessage\((\d+)")]
    private static partial Regex EventNumber();

    [GeneratedRegex(@"(?<![\w.~-])/(?:work|home|root|Users)/[\w.-]+|[A-Z]:\\Users\\|https?://[\w.-]+\.(?:internal|corp|lan|intranet)\b")]
    private static partial Regex Machine();

    // The header with key material behind it; code that only speaks of the header is none.
    [GeneratedRegex(@"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+(?:[\w-]+: .*\s+)*[A-Za-z0-9+/]{40}")]
    private static partial Regex PrivateKey();

    [GeneratedRegex(@"\.(?:p12|pfx|key|db|db-wal|db-shm)$|(?:^|/)(?:passphrase|id_[a-z0-9]+)$", RegexOptions.IgnoreCase)]
    private static partial Regex KeyFile();
}
