using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Operations;
using Exchange.Office;
using Exchange.Office.Client;

namespace Exchange.Tests;

/// <summary>docs/operations.md, "Ending a year", and docs/auditor.md, "A year on a stick of its own", against a real gateway.</summary>
public sealed class YearTests(DevelopmentPki pki) : IAsyncLifetime
{
    const string Next = "gateway.dev.exchange/ledger-2027";
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("exchange-year-");
    FileKey[] administrators = [];
    Served gateway = null!;
    string old = "";

    string At(string name) => Path.Combine(folder.FullName, name);

    public async ValueTask InitializeAsync()
    {
        administrators = [.. new[] { 1, 2 }.Select(n => FileKey.Load(pki.At("officers", $"directory-{n}.p12"), File.ReadLines(pki.At("passphrase")).First()))];
        gateway = await Served.StartAsync(pki, At("gateway"), [.. administrators.Select(a => a.Certificate.Key)]);
        old = gateway.Host.Shared.Options.Origin;
    }

    public async ValueTask DisposeAsync()
    {
        await gateway.DisposeAsync();
        folder.Delete(recursive: true);
    }

    async Task EndAsync()
    {
        var (clock, head) = (gateway.Clock, default(OperationSuccession));
        await gateway.DisposeAsync();
        using (var order = System.Text.Json.JsonDocument.Parse(NewOrigin.Order(At("gateway"), Next, Succession.Year)))
        {
            var next = order.RootElement.GetProperty("succession");
            head = new(Next, next.GetProperty("size").GetInt64(), Digest.TryParse(next.GetProperty("root").GetString(), out var root) ? root : default);
        }
        var operation = new OperationStatement
        {
            V = 1, Type = OperationStatement.TypeName, Signers = [.. administrators.Select(a => a.Certificate.Key)], Gateway = old, Act = OperationStatement.NewOrigin, Parcels = [], Succession = head, Code = Succession.Year,
            Issued = clock.GetUtcNow().ToUnixTimeMilliseconds(),
        };
        await NewOrigin.Run(new(At("gateway"), Next, Statement.Sign(operation, administrators, clock.GetUtcNow()).Der.ToArray(), At("2027.key"), At("2027-mldsa.key")), clock);
        gateway = await Served.AgainAsync(At("gateway"), clock);
        var options = gateway.Host.Shared.Options;
        using var equipment = Equipment.Open(At("gateway"), options, clock);
        Gateway.Operations.Export.Run(options, equipment, gateway.Host.Shared.Worlds.Current, At("pins"), officers: false);
    }

    void Auditor(string pins)
    {
        Directory.CreateDirectory(At("auditor"));
        File.WriteAllBytes(At("auditor/auditor.json"), AuditorProfile.Write(gateway.Host.Address.GetLeftPart(UriPartial.Authority), pki.At("auditors", "AUDIT-ALL", "tls.p12"), pki.At("passphrase"), pki.At("trust"), pins, "state"));
    }

    static async Task<string> RunAsync(int code, params string[] arguments)
    {
        using StringWriter output = new(), error = new();
        var was = await ExchangeProgram.RunAsync(["audit", .. arguments, "--lang", "en"], TimeProvider.System, output, error);
        Assert.True(was == code, $"{string.Join(' ', arguments)}: {was}\n{output}{error}");
        return output.ToString() + error;
    }

    Task<string> ExportAsync(int code, string to, params string[] more) => RunAsync(code, ["export", At(to), "--auditor", At("auditor"), .. more]);

    Task<string> FsckAsync(int code, string of, params string[] more) => RunAsync(code, ["fsck", At(of), "--pins", At("pins/pins.json"), "--trust", pki.At("trust"), .. more]);

    [Fact]
    public async Task Each_year_goes_on_a_stick_of_its_own_and_is_good_there()
    {
        await gateway.GrowAsync(300);
        await gateway.GrowAsync(300);
        Auditor(pki.At("pins.json"));
        Assert.Contains("good", await RunAsync(0, "watch", At("auditor"), "--once"), StringComparison.Ordinal);
        // The only ledger that there is: its shard so far is all.
        await ExportAsync(0, "so-far", "--shard", old);
        Assert.True(File.Exists(At("so-far/tile/0/000")));

        await EndAsync();
        Auditor(At("pins/pins.json"));
        Assert.Contains("the year ended, and this is the next one", await RunAsync(0, "watch", At("auditor"), "--once"), StringComparison.Ordinal);
        await gateway.GrowAsync(500);
        Assert.Contains("follows it (YEAR)", await ExportAsync(0, "2026", "--shard", old), StringComparison.Ordinal);
        Assert.Contains("minimum index", await ExportAsync(0, "2027", "--shard", Next), StringComparison.Ordinal);
        var ended = Checkpoint.Parse(SignedNote.Read(File.ReadAllBytes(At("2026/checkpoint"))).Text);
        Assert.Equal(old, ended.Origin);
        Assert.Equal(File.ReadAllBytes(At("2026/checkpoint")), File.ReadAllBytes(Path.Combine(At("2027"), LedgerCheck.KeptPath(ended.Size))));

        // Neither has what is the other's, but for the bundle in which both are.
        string[] Bundles(string of) => [.. Directory.GetFiles(At($"{of}/tile/entries"), "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(At($"{of}/tile/entries"), f)[..3]).Order(StringComparer.Ordinal)];
        Assert.Equal(["000", "001", "002"], Bundles("2026"));
        Assert.Equal(["002", "003", "004"], Bundles("2027"));
        var heads = Directory.GetFiles(At("2027/checkpoints"), "*", SearchOption.AllDirectories).Select(f => Checkpoint.Parse(SignedNote.Read(File.ReadAllBytes(f)).Text).Origin).ToList();
        Assert.Single(heads, h => h == old);
        Assert.True(heads.Count > 1);

        await FsckAsync(0, "2026", "--shard", old);
        await FsckAsync(0, "2027", "--shard", Next);
        await FsckAsync(2, "2026");
        await FsckAsync(2, "2027");
        // Whoever kept the first stick's head finds the second to continue it.
        await RunAsync(0, "consistency", At("2026/checkpoint"), At("2027/checkpoint"), "--dir", At("2027"), "--pins", At("pins/pins.json"));
        await FsckAsync(0, "2027", "--shard", Next, "--known", At("2026/checkpoint"));

        // All in one, with the heads of both.
        await ExportAsync(0, "all");
        await FsckAsync(0, "all");
        Assert.True(File.Exists(Path.Combine(At("all"), LedgerCheck.KeptPath(ended.Size))));
        Assert.Contains("E_NOT_FOUND", await ExportAsync(1, "none", "--shard", "other/ledger"), StringComparison.Ordinal);

        var tile = Assert.Single(Directory.GetFiles(At("2027/tile/1"), "*", SearchOption.AllDirectories));
        var bytes = File.ReadAllBytes(tile);
        bytes[33] ^= 1;
        File.WriteAllBytes(tile, bytes);
        await FsckAsync(1, "2027", "--shard", Next);
    }
}
