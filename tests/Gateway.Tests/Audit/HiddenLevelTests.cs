using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;

namespace Exchange.Tests.Audit;

/// <summary>A gateway whose policy hides a level: what an auditor who is not cleared for it, or an office, can tell from heads, tiles, lists, counts and sizes.</summary>
public sealed class HiddenLevelTests : IAsyncLifetime
{
    const int Multiple = 16;
    TestGateway gateway = null!;

    public async ValueTask InitializeAsync()
    {
        // A beat far longer than what a busy machine adds to the test's clock.
        gateway = await TestGateway.Start(l => l with { CheckpointSeconds = 60 });
        await gateway.Handle("tuyet-mat", h => h with { Hidden = true });
        await Beat();
    }

    public async ValueTask DisposeAsync() => await gateway.DisposeAsync();

    static Task<Answer> Get(HttpClient client, string path) => TestGateway.Send(client, HttpMethod.Get, path);

    async Task Beat(int seconds = 60)
    {
        gateway.Clock.Advance(TimeSpan.FromSeconds(seconds));
        await gateway.Host.Loops.StepAll();
    }

    long Published => gateway.Host.Shared.Ledger.Newest!.Size;

    long Committed
    {
        get
        {
            using var reader = gateway.Host.Shared.Engine.Reader();
            return HeadTable.Read(reader).Size;
        }
    }

    static async Task<string[]> Details(HttpClient auditor, long at) => Encoding.UTF8.GetString((await Get(auditor, $"/audit/details?at={at}&first=0&count=1")).Body).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Sent at the hidden level: refused here, and on record.</summary>
    async Task Secret()
    {
        var (_, file) = await gateway.SealFile("H41", "tuyet-mat");
        Assert.Equal(403, (await gateway.Submit(file)).Status);
    }

    [Fact]
    public async Task Heads_are_multiples_at_each_beat_whatever_was_submitted_and_at_a_stop()
    {
        for (var i = 0; i < 6; i++)
        {
            var before = Published;
            if (i == 2) await Secret();
            if (i == 4) Assert.Equal(201, (await gateway.Submit((await gateway.SealFile("H41")).File)).Status);
            await Beat(20);
            Assert.Equal(before, Published);
            await Beat(40);
            Assert.Equal(before + Multiple, Published);
        }
        await gateway.Restart();
        Assert.Equal(0, Published % Multiple);
        var listed = (await Get(gateway.As("H41"), "/ledger/checkpoints")).Json.GetProperty("checkpoints").EnumerateArray().Select(c => c.GetProperty("size").GetInt64()).ToList();
        // But for what was signed before the policy hid anything.
        Assert.All(listed.Where(s => s >= Multiple), s => Assert.Equal(0, s % Multiple));
    }

    [Fact]
    public async Task Nobody_is_shown_what_is_behind_the_newest_head_nor_how_much_it_is()
    {
        await Secret();
        Assert.Equal(201, (await gateway.Submit((await gateway.SealFile("H41")).File)).Status);
        Assert.True(Committed > Published);
        var (low, high, office) = (gateway.AsAuditor("AUDIT-MAT"), gateway.AsAuditor("AUDIT-ALL"), gateway.As("H41"));
        var (at, committed) = (Published, Committed);
        Digest leaf;
        using (var reader = gateway.Host.Shared.Engine.Reader()) leaf = EntryTable.LeafAt(reader, committed - 1)!.Value;
        foreach (var client in new[] { low, high, office })
        {
            foreach (var path in new[] { $"/ledger/tile/0/000.p/{at % 256 + 1}", $"/ledger/tile/entries/000.p/{at % 256 + 1}", $"/ledger/checkpoints/{committed}", $"/ledger/inclusion?leaf={leaf}", $"/ledger/inclusion?leaf={leaf}&size={committed}", $"/ledger/consistency?from={at}&to={committed}" })
                Assert.Equal((404, "E_NOT_FOUND"), (await Get(client, path)) is var answer ? (answer.Status, answer.Code) : default);
            // As for a leaf that nobody ever had.
            Assert.Equal((await Get(client, $"/ledger/inclusion?leaf={Digest.Of("none"u8)}&size={committed}")).Body.Length, (await Get(client, $"/ledger/inclusion?leaf={leaf}&size={committed}")).Body.Length);
        }
        foreach (var auditor in new[] { low, high })
        {
            var page = (await Get(auditor, "/audit/entries")).Json;
            Assert.Equal(at, page.GetProperty("at").GetInt64());
            Assert.All(page.GetProperty("entries").EnumerateArray(), e => Assert.True(e.GetProperty("index").GetInt64() < at));
            Assert.Equal("E_NOT_FOUND", (await Get(auditor, $"/audit/entries?at={committed}")).Code);
            Assert.Equal("E_NOT_FOUND", (await Get(auditor, $"/audit/details?at={committed}&first=0")).Code);
            Assert.Equal(at, (await Details(auditor, at)).Length);
            // Entries without an office are counted once: the counts are of the published tree, whatever was committed since.
            var counts = (await Get(auditor, "/audit/counts")).Json.GetProperty("counts").EnumerateArray().ToList();
            Assert.DoesNotContain(counts, c => c.GetProperty("kind").GetString() is "submission" or "rejection" or "audit-read");
            if (auditor == high) Assert.Equal(at, counts.Sum(c => c.GetProperty("count").GetInt64()));
        }
        await Beat();
        Assert.Contains((await Get(low, "/audit/counts")).Json.GetProperty("counts").EnumerateArray(), c => c.GetProperty("kind").GetString() == "submission");
        Assert.DoesNotContain((await Get(low, "/audit/counts")).Json.GetProperty("counts").EnumerateArray(), c => c.GetProperty("kind").GetString() is "rejection" or "dummy");
    }

    [Fact]
    public async Task Who_is_cleared_opens_every_dummy_and_who_is_not_sees_the_same_withheld_as_for_anything_hidden()
    {
        var (low, high) = (gateway.AsAuditor("AUDIT-MAT"), gateway.AsAuditor("AUDIT-ALL"));
        await Beat();
        var quiet = await Details(low, Published);
        var before = Published;
        await Secret();
        await Beat();
        Assert.Equal(before + Multiple, Published);
        var (withheld, open) = (await Details(low, Published), await Details(high, Published));
        // The beat with the secret and a beat with nothing look alike.
        Assert.All(withheld[(int)before..], l => Assert.Equal("withheld", l));
        Assert.All(quiet[^Multiple..], l => Assert.Equal("withheld", l));
        Assert.Equal(quiet, withheld[..quiet.Length]);
        Assert.DoesNotContain("withheld", open);
        var beat = open[(int)before..].Select(l => EntryDetails.Read(Encoding.UTF8.GetBytes(l[(l.IndexOf(' ', StringComparison.Ordinal) + 1)..]))).ToList();
        Assert.Single(beat.OfType<RejectionDetail>());
        Assert.True(beat.OfType<DummyDetail>().Count() > Multiple / 2);

        // Each of them is in the tree, and opens.
        var page = (await Get(high, $"/audit/entries?kind=dummy&at={Published}&proofs=true")).Json;
        var head = gateway.Host.Shared.Ledger.Newest!;
        foreach (var entry in page.GetProperty("entries").EnumerateArray())
        {
            var leaf = new LedgerEntry(Base64Url.DecodeFromChars(entry.GetProperty("salt").GetString()), Base64Url.DecodeFromChars(entry.GetProperty("detail").GetString())).Leaf;
            Digest[] proof = [.. entry.GetProperty("proof").EnumerateArray().Select(p => Digest.TryParse(p.GetString(), out var node) ? node : default)];
            Assert.True(MerkleTree.VerifyInclusion(leaf, entry.GetProperty("index").GetInt64(), head.Size, proof, head.Root));
        }
        Assert.Empty((await Get(low, "/audit/entries?kind=dummy")).Json.GetProperty("entries").EnumerateArray());
    }

    /// <summary>What an auditor writes out, from the routes that he has.</summary>
    sealed class Written : ILedgerFiles
    {
        readonly Dictionary<string, byte[]> files = [];

        public byte[] this[string path] { get => files[path]; set => files[path] = value; }

        public byte[]? Read(string path, int limit) => files.GetValueOrDefault(path);

        public IEnumerable<string> List(string folder) => files.Keys.Where(f => f.StartsWith(folder + "/", StringComparison.Ordinal)).Select(f => f[(folder.Length + 1)..]).Select(f => f.IndexOf('/', StringComparison.Ordinal) is >= 0 and var end ? f[..(end + 1)] : f).Distinct();
    }

    async Task<Written> Export(HttpClient auditor)
    {
        var (written, size) = (new Written(), Published);
        written[LedgerCheck.Newest] = (await Get(auditor, "/ledger/checkpoint")).Body;
        foreach (var kept in (await Get(auditor, "/ledger/checkpoints")).Json.GetProperty("checkpoints").EnumerateArray()) written[LedgerCheck.KeptPath(kept.GetProperty("size").GetInt64())] = Encoding.UTF8.GetBytes(kept.GetProperty("note").GetString()!);
        foreach (var path in new[] { new TilePath(0, 0, (int)size), new TilePath(TilePath.Entries, 0, (int)size) }) written[path.ToString()] = (await Get(auditor, $"/ledger/{path}")).Body;
        written[DetailBundle.PathOf(new TilePath(0, 0, (int)size))] = (await Get(auditor, $"/audit/details?at={size}&first=0&count=1")).Body;
        return written;
    }

    [Fact]
    public async Task An_export_with_dummies_is_good_and_a_dummy_that_does_not_open_is_found()
    {
        await Secret();
        await Beat();
        await Beat();
        using var equipment = Gateway.Operations.Equipment.Open(gateway.Data, gateway.Host.Shared.Options, gateway.Clock);
        var pins = new LedgerPins(gateway.Host.Shared.Options.Origin, [.. equipment.Checkpoint.VerifierKeys]);
        var export = await Export(gateway.AsAuditor("AUDIT-ALL"));
        var findings = LedgerCheck.Check(export, pins);
        Assert.True(findings.ExitCode == 0, string.Join('\n', findings.All));
        Assert.Equal(2, LedgerCheck.Check(await Export(gateway.AsAuditor("AUDIT-MAT")), pins).ExitCode);

        var path = DetailBundle.PathOf(new TilePath(0, 0, (int)Published));
        var lines = Encoding.UTF8.GetString(export[path]).Split('\n');
        var dummy = Array.FindLastIndex(lines, l => l.Contains("\"dummy\"", StringComparison.Ordinal));
        // Another salt, well formed: "that was only a dummy" does not hold.
        lines[dummy] = Convert.ToBase64String(new byte[32]) + lines[dummy][lines[dummy].IndexOf(' ', StringComparison.Ordinal)..];
        export[path] = Encoding.UTF8.GetBytes(string.Join('\n', lines));
        findings = LedgerCheck.Check(export, pins);
        Assert.Equal((1, path), (findings.ExitCode, Assert.Single(findings.All, f => f.Kind == FindingKind.Bad).Part));
        Assert.Contains($"entry {dummy}", findings.All.Single(f => f.Kind == FindingKind.Bad).Detail, StringComparison.Ordinal);
    }
}
