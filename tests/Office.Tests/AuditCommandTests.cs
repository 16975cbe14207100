using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;
using Exchange.Office.Client.Stories;
using Exchange.Tests.Ledger;
using Xunit;

namespace Exchange.Tests;

/// <summary>exchange audit fsck, consistency and proof, on files.</summary>
public sealed class AuditCommandTests : IDisposable
{
    const string Origin = "test.exchange/ledger";
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("exchange-audit-");
    readonly CheckpointKey key = CheckpointKey.Create(Origin);
    readonly CosignerKey mldsa = CosignerKey.Create(Origin, NoteKeyType.MlDsa44Cosignature), witness = CosignerKey.Create("witness.example/1", NoteKeyType.MlDsa44Cosignature);
    readonly TestExport export;

    public AuditCommandTests()
    {
        export = TestExport.Make(Origin, 300, h => key.Sign(h) + mldsa.SignLine(h, 0) + witness.SignLine(h, 1_800_000_000), [20, 256], details: true);
        export.Save(At("ledger"));
        Pins("pins.json", null);
        Pins("witnessed.json", $"witness a {witness.VerifierKey}\nquorum a\n");
    }

    public void Dispose()
    {
        key.Dispose();
        mldsa.Dispose();
        witness.Dispose();
        folder.Delete(recursive: true);
    }

    string At(string name) => Path.Combine(folder.FullName, name);

    void Pins(string name, string? policy)
    {
        var officer = Digest.Of([1]);
        var pins = new Dictionary<string, object> { ["directoryOfficers"] = new[] { officer.ToString() }, ["policyOfficers"] = new[] { officer.ToString() }, ["gatewayEvidence"] = officer.ToString(), ["origin"] = Origin, ["checkpointKey"] = key.VerifierKey.ToString() };
        if (policy is not null) { pins["checkpointKeys"] = new[] { mldsa.VerifierKey.ToString() }; pins["witnessPolicy"] = policy; }
        File.WriteAllText(At(name), JsonSerializer.Serialize(pins));
    }

    static (int Code, string Output, string Error) Run(params string[] arguments) => DevPkiFixture.Run(["audit", .. arguments]);

    [Fact]
    public void Fsck_says_good_bad_and_incomplete_in_both_languages_and_names_the_file()
    {
        var (code, output, _) = Run("fsck", At("ledger"), "--pins", At("witnessed.json"), "--known", At("ledger/checkpoints/020"), "--lang", "en");
        Assert.True(code == 0, output);
        Assert.Contains("GOOD", output, StringComparison.Ordinal);
        Assert.Contains("300 entries", output, StringComparison.Ordinal);

        File.WriteAllBytes(At("ledger/tile/0/000"), [.. export["tile/0/000"].Select((b, i) => i == 64 ? (byte)~b : b)]);
        (code, output, _) = Run("fsck", At("ledger"), "--pins", At("pins.json"), "--lang", "vi");
        Assert.Equal(1, code);
        Assert.Contains("tile/0/000", output, StringComparison.Ordinal);
        Assert.Contains("SAI", output, StringComparison.Ordinal);
        Assert.Contains("không dẫn tới điểm kiểm tra: mục 2", output, StringComparison.Ordinal);
        Assert.DoesNotContain("hashes", output, StringComparison.Ordinal);
        (code, output, _) = Run("fsck", At("ledger"), "--pins", At("pins.json"), "--json");
        var json = JsonDocument.Parse(output).RootElement;
        Assert.Equal((1, "bad", Origin), (code, json.GetProperty("verdict").GetString(), json.GetProperty("origin").GetString()));
        Assert.Contains(json.GetProperty("findings").EnumerateArray(), f => f.GetProperty("part").GetString() == "tile/0/000" && f.GetProperty("detail").GetString()!.EndsWith("entry 2", StringComparison.Ordinal));

        File.WriteAllBytes(At("ledger/tile/0/000"), export["tile/0/000"]);
        File.Delete(At("ledger/details/000"));
        Assert.Equal(2, Run("fsck", At("ledger"), "--pins", At("pins.json"), "--lang", "en").Code);
    }

    [Fact]
    public void Whatever_is_bad_in_a_ledger_is_said_in_Vietnamese_with_its_numbers()
    {
        var pins = new LedgerPins(Origin, [key.VerifierKey, mldsa.VerifierKey]);
        List<Finding> bad = [];
        void Harm(string path, Func<byte[], byte[]> change)
        {
            var harmed = export.Share();
            harmed[path] = change(export[path]);
            bad.AddRange(LedgerCheck.Check(harmed, pins).All.Where(f => f.Kind == FindingKind.Bad));
        }
        string Line(byte[] note, Func<string[], IEnumerable<string>> change) => string.Join('\n', change(Encoding.UTF8.GetString(note).Split('\n')));
        foreach (var path in new[] { "checkpoint", "checkpoints/020", "tile/0/000", "tile/0/001.p/44", "tile/entries/000", "tile/1/000.p/1", "details/000" })
        {
            Harm(path, b => [.. b[..^9], (byte)(b[^9] ^ 1), .. b[^8..]]);
            Harm(path, b => b[..^2]);
            Harm(path, b => [.. b, .. b]);
        }
        Harm("checkpoints/020", b => export["checkpoints/256"]);
        Harm("checkpoints/020", b => Encoding.UTF8.GetBytes(Line(b, l => [.. l[..^1], l[^2], ""])));
        Assert.True(bad.Select(f => f.Check).Distinct().Count() > 4);
        Assert.All(bad, f => Assert.True(FindingWords.Knows(f), f.Check));
        Assert.All(bad.Where(f => f.Detail.Length > 0), f =>
        {
            var said = DetailWords.Vietnamese(f.Detail);
            Assert.True(said != f.Detail, f.Detail);
            Assert.Equal(Regex.Matches(f.Detail, "[0-9]+").Select(m => m.Value), Regex.Matches(said, "[0-9]+").Select(m => m.Value));
        });
        Assert.Equal("mục 4711: muối và chi tiết không mở được mục", DetailWords.Vietnamese("entry 4711: salt and detail do not open the entry"));
        Assert.Equal("words that nobody translated", DetailWords.Vietnamese("words that nobody translated"));
    }

    [Fact]
    public void Fsck_asks_for_the_witnesses_of_the_policy_that_it_is_given()
    {
        using var other = CosignerKey.Create("witness.example/2", NoteKeyType.Ed25519Cosignature);
        File.WriteAllText(At("policy"), $"witness b {other.VerifierKey}\nquorum b\n");
        var (code, output, _) = Run("fsck", At("ledger"), "--pins", At("pins.json"), "--policy", At("policy"), "--lang", "en");
        Assert.Equal(2, code);
        Assert.Contains("PENDING", output, StringComparison.Ordinal);
        File.WriteAllText(At("policy"), "quorum b\n");
        (code, _, var error) = Run("fsck", At("ledger"), "--pins", At("pins.json"), "--policy", At("policy"), "--lang", "en");
        Assert.Equal(1, code);
        Assert.Contains("E_WITNESS_POLICY", error, StringComparison.Ordinal);
        Assert.Equal(64, Run("fsck", At("nowhere"), "--pins", At("pins.json"), "--lang", "en").Code);
        Assert.Equal(64, Run("fsck", At("ledger"), "--pins", At("nowhere"), "--lang", "en").Code);
    }

    [Fact]
    public void Consistency_is_shown_from_tiles_or_a_proof_and_a_fork_is_bad()
    {
        string[] heads = ["consistency", At("ledger/checkpoint"), At("ledger/checkpoints/020"), "--pins", At("pins.json"), "--lang", "en"];
        Assert.Equal(2, Run(heads).Code);
        Assert.Equal(0, Run([.. heads, "--dir", At("ledger")]).Code);
        var nodes = ConsistencyCheck.FromTiles(export, 20, 300)!;
        File.WriteAllText(At("proof"), string.Concat(nodes.Select(n => Convert.ToBase64String(n.ToArray()) + "\n")));
        Assert.Equal(0, Run([.. heads, "--proof", At("proof")]).Code);
        File.WriteAllText(At("proof"), JsonSerializer.Serialize(new { proof = nodes.Select(n => n.ToString()) }));
        Assert.Equal(0, Run([.. heads, "--proof", At("proof")]).Code);
        File.WriteAllText(At("proof"), "no\n");
        Assert.Equal(1, Run([.. heads, "--proof", At("proof")]).Code);
        Assert.Equal(64, Run([.. heads, "--proof", At("proof"), "--dir", At("ledger")]).Code);
        File.WriteAllText(At("fork"), key.Sign(new Checkpoint(Origin, 20, Digest.Of([7]))));
        var (code, output, _) = Run("consistency", At("fork"), At("ledger/checkpoint"), "--dir", At("ledger"), "--pins", At("pins.json"), "--lang", "en");
        Assert.Equal(1, code);
        Assert.Contains("E_FORK", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_proof_shows_its_entry_once_it_is_proven()
    {
        var entry = DetailBundle.Read(export["details/001.p/44"], 44)[1];
        var logged = new LedgerEntry(entry.Salt.ToArray(), entry.Detail.ToArray());
        var nodes = Tiles.InclusionProof(257, 300, (level, index, width) => export[new TilePath(level, index, Tiles.WidthAt(level, index, 300)).ToString()].AsMemory(0, width * 32));
        var proof = TlogProof.Of(logged, 257, nodes, Encoding.UTF8.GetString(export["checkpoint"]));
        File.WriteAllText(At("a.tlog-proof"), proof.Write());
        var (code, output, _) = Run("proof", At("a.tlog-proof"), "--pins", At("witnessed.json"), "--lang", "en");
        Assert.True(code == 0, output);
        Assert.Contains("\"kind\":\"stop\"", output, StringComparison.Ordinal);
        (code, output, _) = Run("proof", At("a.tlog-proof"), "--pins", At("pins.json"), "--leaf", logged.Leaf.ToString(), "--json");
        Assert.Equal((0, "stop"), (code, JsonDocument.Parse(output).RootElement.GetProperty("entry").GetProperty("kind").GetString()));
        Assert.Equal(1, Run("proof", At("a.tlog-proof"), "--pins", At("pins.json"), "--leaf", Digest.Of([1]).ToString(), "--lang", "en").Code);

        File.WriteAllText(At("b.tlog-proof"), (proof with { Extra = logged.Salt.Concat("{\"kind\":\"lie\"}"u8.ToArray()).ToArray() }).Write());
        (code, output, _) = Run("proof", At("b.tlog-proof"), "--pins", At("pins.json"), "--lang", "en");
        Assert.Equal(1, code);
        Assert.DoesNotContain("lie", output, StringComparison.Ordinal);
        File.WriteAllText(At("c.tlog-proof"), (proof with { Extra = null }).Write());
        Assert.Equal(2, Run("proof", At("c.tlog-proof"), "--pins", At("pins.json"), "--lang", "en").Code);
        Assert.Equal(0, Run("proof", At("c.tlog-proof"), "--pins", At("pins.json"), "--leaf", logged.Leaf.ToString(), "--lang", "en").Code);
        Assert.Equal(64, Run("proof", At("c.tlog-proof"), "--pins", At("pins.json"), "--leaf", "x", "--lang", "en").Code);
    }
}
