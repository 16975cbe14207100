using System.Text.Json.Nodes;
using Xunit;

namespace Exchange.Tests;

/// <summary>exchange policy, on files.</summary>
public sealed class PolicyCommandTests(DevPkiFixture pki) : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("exchange-policy-");

    public void Dispose() => folder.Delete(recursive: true);

    string At(string name) => Path.Combine(folder.FullName, name);

    static readonly string Shipped = Sample("policies/vietnam-state.json");

    internal static string Sample(string path)
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "Exchange.sln"))) at = at.Parent ?? throw new DirectoryNotFoundException("Exchange.sln");
        return Path.Combine(at.FullName, "samples", path);
    }

    string Edited(string name, Action<JsonObject> edit)
    {
        var draft = JsonNode.Parse(File.ReadAllText(Shipped))!.AsObject();
        edit(draft);
        File.WriteAllText(At(name), draft.ToJsonString());
        return At(name);
    }

    static JsonObject Level(JsonObject draft, int rank) => draft["levels"]![rank]!.AsObject();

    [Fact]
    public void Lint_has_an_exit_status_for_nothing_for_warnings_and_for_errors()
    {
        var (code, output, _) = DevPkiFixture.Run("policy", "lint", Shipped, "--lang", "en");
        Assert.Equal((0, "nothing found\n"), (code, output.ReplaceLineEndings("\n")));
        (code, output, _) = DevPkiFixture.Run("policy", "lint", Edited("pale.json", d => Level(d, 1)["colour"] = "#ff8080"), "--lang", "vi");
        Assert.Equal(2, code);
        Assert.Contains("lưu ý    contrast  level mat: #ff8080 trên nền trắng", output, StringComparison.Ordinal);
        (code, output, _) = DevPkiFixture.Run("policy", "lint", Edited("twice.json", d => Level(d, 1)["class"] = 10), "--json");
        Assert.Equal(1, code);
        Assert.Equal("form", JsonNode.Parse(output)!["findings"]![0]!["code"]!.GetValue<string>());
        Assert.Equal("error", JsonNode.Parse(output)!["findings"]![0]!["level"]!.GetValue<string>());
        Assert.Equal(64, DevPkiFixture.Run("policy", "lint", At("nothing.json")).Code);
        File.WriteAllText(At("broken.json"), "{ \"policy\": 1 }");
        Assert.Equal(1, DevPkiFixture.Run("policy", "lint", At("broken.json")).Code);
    }

    [Fact]
    public void Lint_looks_at_a_signed_policy_beside_directory_and_standing()
    {
        var signed = pki.At("statements/policy.p7s");
        string[] beside = ["--standing", pki.At("statements/standing.p7s"), "--directory", pki.At("statements/directory.p7s"), "--lang", "en"];
        var (code, output, error) = DevPkiFixture.Run(["policy", "lint", signed, .. beside]);
        Assert.True((code, output.Trim()) == (0, "nothing found"), output + error);
        var archivist = Edited("archivist.json", d => { for (var rank = 2; rank < 4; rank++) Level(d, rank)["handling"]!["release"]!["roles"] = new JsonArray("archivist", "signatory"); });
        (code, output, error) = DevPkiFixture.Run(["policy", "lint", archivist, .. beside]);
        Assert.True(code == 2, output + error);
        Assert.Contains("role-nobody  level toi-mat: Nobody in the directory has the role archivist", output, StringComparison.Ordinal);
        (code, output, _) = DevPkiFixture.Run("policy", "lint", signed, "--other", Sample("policies/nato-like.json"), "--other", Shipped, "--lang", "en");
        Assert.Equal(1, code);
        Assert.Contains("oid-clash  policy", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Diff_names_the_offices_and_ends_with_what_an_approval_names()
    {
        var next = Edited("next.json", d => Level(d, 1)["handling"]!["release"] = new JsonObject { ["persons"] = 1, ["roles"] = new JsonArray("signatory") });
        string[] args = ["policy", "diff", pki.At("statements/policy.p7s"), next, "--standing", pki.At("statements/standing.p7s")];
        var (code, output, error) = DevPkiFixture.Run([.. args, "--lang", "en"]);
        Assert.True(code == 0, error);
        Assert.Contains("basis and approvals given: permit -> hold (R06 release)   G22, H37, H41", output, StringComparison.Ordinal);
        Assert.Contains("levels.mat.handling.release.persons: 0 -> 1", output, StringComparison.Ordinal);
        (_, var json, _) = DevPkiFixture.Run([.. args, "--json"]);
        Assert.EndsWith($"diff {JsonNode.Parse(json)!["ref"]!.GetValue<string>()}", output.TrimEnd(), StringComparison.Ordinal);
        Assert.Contains("đủ căn cứ, đã phê duyệt", DevPkiFixture.Run([.. args, "--lang", "vi"]).Output, StringComparison.Ordinal);
    }

    (int Code, string Output, string Error) As(int officer, params string[] args) => DevPkiFixture.Run([.. args, "--folder", At($"officer{officer}"), "--key", pki.At($"officers/policy-{officer}.p12"),
        "--passphrase-file", pki.At("passphrase"), "--lang", "en"]);

    void Officers()
    {
        foreach (var officer in new[] { 1, 2 })
            foreach (var part in new[] { "trust", "statements", "pins.json" }) Copy(pki.At(part), At($"officer{officer}/{part}"));
    }

    static void Copy(string from, string to)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        if (File.Exists(from)) { File.Copy(from, to); return; }
        Directory.CreateDirectory(to);
        foreach (var entry in Directory.GetFileSystemEntries(from)) Copy(entry, Path.Combine(to, Path.GetFileName(entry)));
    }

    static void Good((int Code, string Output, string Error) ran) => Assert.True(ran.Code == 0, ran.Output + ran.Error);

    [Fact]
    public void Two_officers_sign_a_policy_and_approve_that_it_follows_the_one_in_force()
    {
        Officers();
        var next = Edited("next.json", d => Level(d, 1)["handling"]!["release"] = new JsonObject { ["persons"] = 1, ["roles"] = new JsonArray("signatory") });
        // The policy: each is shown lint and diff, and nothing is signed without a yes.
        Assert.Equal(64, As(1, "policy", "sign", next, "--out", At("p2")).Code);
        var first = As(1, "policy", "sign", next, "--out", At("p2"), "--yes");
        Good(first);
        Assert.Contains("basis and approvals given: permit -> hold (R06 release)   G22, H37, H41", first.Output, StringComparison.Ordinal);
        Assert.Contains("exchange officer sign", first.Error, StringComparison.Ordinal);
        Assert.NotEqual(0, As(1, "policy", "activate", At("p2"), "--yes").Code);
        var second = As(2, "policy", "sign", At("p2"), "--yes");
        Good(second);
        Assert.Contains("exchange policy activate", second.Error, StringComparison.Ordinal);
        Good(As(1, "policy", "sign", At("p2"), "--yes"));

        // Its activation.
        Good(As(1, "policy", "activate", At("p2"), "--yes"));
        Assert.Equal(1, As(1, "policy", "activate", At("p2"), "--yes").Code);
        var done = As(2, "policy", "activate", At("p2"), "--yes");
        Good(done);
        Assert.Contains("approved by two", done.Output, StringComparison.Ordinal);
        var approval = Exchange.Crypto.Statements.Statement.Read(File.ReadAllBytes(At("p2/activation.p7s")), Exchange.Crypto.Statements.StatementType.Activation).As<Exchange.Crypto.Policy.ActivationApproval>();
        Assert.Contains($"diff {approval.Diff}", done.Output, StringComparison.Ordinal);
        Assert.Contains($"diff {approval.Diff}", first.Output, StringComparison.Ordinal);

        // One of them takes another policy for the one before: his is another diff, and a new approval begins.
        Directory.Delete(At("officer2/statements/policies"), recursive: true);
        Assert.Equal(64, As(2, "policy", "activate", At("p2"), "--yes").Code);
    }

    [Fact]
    public void A_draft_with_an_error_is_not_signed()
    {
        Officers();
        var draft = Edited("bad.json", d => Level(d, 2)["handling"]!["channels"] = new JsonArray("gateway", "https", "pigeon"));
        Assert.Equal(1, As(1, "policy", "sign", draft, "--out", At("p2"), "--yes").Code);
        Assert.False(Directory.Exists(At("p2")));
    }
}
