using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Office;
using Exchange.Office.Client;
using Exchange.Office.Client.Stories;
using Xunit;

namespace Exchange.Tests;

/// <summary>exchange audit story: what is told follows from what was checked, in the order of time, in both languages, and reaches a page or a terminal as mere text.</summary>
public sealed partial class StoryTests(DevPkiFixture pki) : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("exchange-story-");
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Delete(recursive: true);

    string At(string name) => Path.Combine(folder.FullName, name);

    static (int Code, string Output, string Error) Run(params string[] arguments) => DevPkiFixture.Run(["audit", "story", .. arguments]);

    [Fact]
    public void The_story_says_who_signed_what_label_why_when_and_where_in_the_order_of_time()
    {
        var story = StoryCase.Tell(StoryCase.File);
        var text = StoryCase.Text(story);
        foreach (var part in new[]
        {
            "A dispatch from G22 (Văn phòng Chính phủ) to H37 (UBND tỉnh Lạng Sơn), H41", "signed the envelope with the certificate of ", "as signatory, signed: send.", "Who signed the dispatch itself is sealed with it", "marked MẬT", "Basis: 1.2.",
            "accepted it under version 1 of the policy", "the approval of a signatory: it is there", "made again here with the same outcome: ", "H41 (UBND tỉnh Nghệ An): arrived at 2026-11-24", "which is proven: only who opened it could make the proof",
            "H37 (UBND tỉnh Lạng Sơn): arrived at 2026-11-24", "reported as not openable", "Ledger test.exchange/ledger, 305 entries", "Entry 300: submission",
        }) Assert.Contains(part, text, StringComparison.Ordinal);
        var events = story.Sections.Single(s => s.Title.En == "What happened").Lines;
        Assert.Equal(events.Select(e => e.Time), events.Select(e => e.Time).Order());
        Assert.Equal(["SubmissionAcceptance", "ContentHandover-H41", "ContentConsignment-H41", "HandlingStatus-H41", "HandlingStatus-H41", "ContentHandover-H37", "ContentConsignment-H37", "ContentOpening-H41", "ContentOpeningFailure-H37"],
            events.Where(e => e.Part.StartsWith("receipts/", StringComparison.Ordinal)).Select(e => Path.GetFileNameWithoutExtension(e.Part)[3..]));
        var vietnamese = StoryCase.Text(story, vietnamese: true);
        foreach (var part in new[] { "Văn bản của G22", "ký bao bì bằng chứng thư", "Căn cứ: 1.2.", "Trục tiếp nhận theo phiên bản 1", "có bằng chứng chỉ người mở được mới tạo được", "báo không mở được", "Mục 300" }) Assert.Contains(part, vietnamese, StringComparison.Ordinal);
        Assert.Equal(vietnamese, vietnamese.Normalize());
        Assert.All(story.Sections.SelectMany(s => s.Lines), l => Assert.True(l.Text.En.Length > 0 && l.Text.Vi.Length > 0 && l.Text.En != l.Text.Vi));
        Assert.All(story.Findings, f => Assert.True(FindingWords.Knows(f), f.Check));
    }

    [Fact]
    public void What_does_not_hold_is_not_told_and_what_is_not_proven_is_told_as_that()
    {
        // A proof of opening that is not one.
        var lied = StoryCase.Tell(StoryCase.Case.WithReceipt("ContentOpening-H41.p7s", r => r with { Proof = Digest.Of([1]) }));
        Assert.Equal(1, lied.ExitCode);
        Assert.DoesNotContain("opened it", StoryCase.Text(lied), StringComparison.Ordinal);
        Assert.DoesNotContain("opened at", StoryCase.Text(lied), StringComparison.Ordinal);
        Assert.Contains("Something does not hold, and nothing that it says is told: receipts/", StoryCase.Text(lied), StringComparison.Ordinal);
        // Without R.
        var silent = StoryCase.Tell(StoryCase.Case.Input with { Opened = null });
        Assert.Equal(2, silent.ExitCode);
        Assert.Contains("Incomplete H41 (UBND tỉnh Nghệ An) says that it opened it", StoryCase.Text(silent), StringComparison.Ordinal);
        Assert.DoesNotContain("proven: only who opened", StoryCase.Text(silent), StringComparison.Ordinal);
        // A consignment by somebody who is not the gateway; an acceptance likewise.
        var forged = StoryCase.Tell(StoryCase.Case.WithReceipt("ContentConsignment-H41.p7s", r => r, TestPki.Shared["H41"].Sign));
        Assert.DoesNotContain("Good H41 (UBND tỉnh Nghệ An): arrived", StoryCase.Text(forged), StringComparison.Ordinal);
        Assert.DoesNotContain("accepted it", StoryCase.Text(StoryCase.Tell(StoryCase.Case.WithReceipt("SubmissionAcceptance.p7s", r => r, TestPki.Shared["H41"].Sign))), StringComparison.Ordinal);
        // A header that nobody signed so.
        var header = StoryCase.Tell(StoryCase.Case.Input with { Header = StoryCase.Case.Input.Header! with { Bytes = StoryCase.Case.Input.Policy!.Bytes } });
        Assert.Equal("Bad The envelope does not hold, so nothing of it is told. See the findings.", StoryCase.Text(header));
        // Without proofs nothing is said to be in the ledger.
        Assert.DoesNotContain("Ledger entry", StoryCase.Text(StoryCase.Tell(StoryCase.Case.Input with { Checkpoint = null, Proofs = [] })), StringComparison.Ordinal);
    }

    [Fact]
    public void The_gateways_record_says_why_only_when_its_entry_and_its_policy_say_so_too()
    {
        var without = StoryCase.Tell(StoryCase.Case.Input, decisions: false);
        Assert.True(without.ExitCode == 0, StoryCase.Why(without));
        Assert.Contains("Incomplete Each reason is in the gateway's record of the decision, which is not here", StoryCase.Text(without), StringComparison.Ordinal);
        const string at = "decisions/300-submission/";
        foreach (var (name, check) in new[] { ("decision.json", "about this envelope"), ("decision.salt", "about this envelope"), ("entry.json", "the gateway's own entry"), ("entry.salt", "the gateway's own entry"), ("policy.p7s", "decided again") })
        {
            var story = StoryCase.Tell(StoryCase.Relisted(StoryCase.With(at + name, b => [.. b[..^20], (byte)(b[^20] ^ 1), .. b[^19..]])));
            Assert.True(story.ExitCode == 1, name);
            Assert.Contains(story.Findings, f => f.Part == at[..^1] && f.Check == check && f.Kind != FindingKind.Good);
            if (name.StartsWith("decision", StringComparison.Ordinal)) Assert.Contains(story.Findings, f => f.Part == at[..^1] && f.Code == Refusal.DecisionRecord.Code);
            Assert.DoesNotContain("made again here", StoryCase.Text(story), StringComparison.Ordinal);
        }
        // A policy of the same officers, and not the one that decided.
        var policy = Statement.Read(StoryCase.Case.Input.Policy!.Bytes, StatementType.Policy).As<PolicyStatement>();
        var next = Statement.Sign(policy with { Version = policy.Version + 1 }, TestPki.Shared.PolicyOfficers, TestPki.Now).Der.ToArray();
        var other = StoryCase.Tell(StoryCase.Relisted(StoryCase.With(at + "policy.p7s", _ => next)));
        Assert.Contains(other.Findings, f => f is { Kind: FindingKind.Bad, Check: "decided again" } && f.Code == Refusal.DecisionRecord.Code);
        Assert.DoesNotContain("made again here", StoryCase.Text(other), StringComparison.Ordinal);
        Assert.Contains(StoryCase.Tell(StoryCase.Relisted(StoryCase.Whole.Where(p => p.Name != at + "entry.salt"))).Findings, f => f.Part == at[..^1] && f.Code == FindingCode.Missing);
    }

    [Fact]
    public void Without_pins_from_elsewhere_it_is_the_makers_word_and_other_pins_are_told_apart()
    {
        var unpinned = StoryCase.Tell(StoryCase.File, pinned: false);
        Assert.Equal(2, unpinned.ExitCode);
        Assert.Equal([StoryCheck.Unpinned], unpinned.Findings.Where(f => f.Kind != FindingKind.Good).Select(f => f.Detail));
        var findings = new Findings();
        var other = StoryCheck.Run(EvidenceZip.Read(StoryCase.File, findings), whole: true, findings, StoryCase.Pins with { GatewayEvidence = Digest.Of([1]) }, null);
        Assert.Equal(1, other.ExitCode);
        Assert.Contains(other.Findings, f => f.Detail == StoryCheck.OtherPins);
        Assert.DoesNotContain("accepted it", StoryCase.Text(other), StringComparison.Ordinal);
        // Keys of the ledger change: the older one is pinned beside.
        findings = new Findings();
        using var next = CheckpointKey.Create(StoryCase.Pins.Origin);
        var rotated = StoryCheck.Run(EvidenceZip.Read(StoryCase.File, findings), whole: true, findings, StoryCase.Pins with { CheckpointKey = next.VerifierKey.ToString(), CheckpointKeys = [StoryCase.Pins.CheckpointKey] }, null);
        Assert.True(rotated.ExitCode == 0, StoryCase.Why(rotated));
    }

    [Fact]
    public void Text_of_others_is_text_in_the_report_and_on_the_terminal()
    {
        const string evil = "<script>alert(1)</script>\u202e\u2066\u2069\u0007\u001b[2J\"'&";
        var told = new Told($"from {Told.Of(evil)}", $"từ {Told.Of(evil)}");
        var story = new Story([new(told, [new(FindingKind.Good, evil, told, 5)])], [new(FindingKind.Bad, evil, "signature", Refusal.Der.Code, evil), new(FindingKind.Good, "x", evil, FindingCode.Ok)]);
        var page = Encoding.UTF8.GetString(StoryReport.Write(story));
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("<bdi>&lt;script&gt;alert(1)&lt;/script&gt;\\u{202e}\\u{2066}\\u{2069}\\u{7}\\u{1b}[2J&quot;&apos;&amp;</bdi>", page, StringComparison.Ordinal);
        Assert.DoesNotContain(page, c => c is '\u202e' or '\u2066' or '\u2068' or '\u2069' or '\u0007' or '\u001b');
        Assert.DoesNotContain(Told.Plain(told.En), c => char.IsControl(c) || c is '\u202e' or '\u2066' or '\u2069');
    }

    [Fact]
    public void The_report_runs_nothing_reaches_nowhere_and_speaks_both_languages()
    {
        var page = Encoding.UTF8.GetString(StoryCase.Whole.Single(p => p.Name == EvidenceFiles.Report).Bytes.Span);
        var style = Regex.Match(page, "<style>(.*)</style>").Groups[1].Value;
        Assert.Contains($"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(style)))}'; base-uri 'none'; form-action 'none'", page, StringComparison.Ordinal);
        foreach (var part in new[] { "<script", "http://", "https://", "src=", "href=", "style=", "url(", "@import", "<iframe", "<img", "onload" }) Assert.DoesNotContain(part, page, StringComparison.OrdinalIgnoreCase);
        Assert.Matches(BothLanguages(), page);
        Assert.Contains("NOT PROVABLE IN FULL", page, StringComparison.Ordinal);
        // Each element that is opened is closed again.
        Assert.NotNull(System.Xml.Linq.XElement.Parse(Regex.Replace(page["<!DOCTYPE html>\n".Length..], "<meta ([^>]*)>", "<meta $1/>")));
    }

    [GeneratedRegex("(?s)<section lang=\"vi\">.*Ai đã ký.*</section>.*<section lang=\"en\">.*Who signed.*</section>")]
    private static partial Regex BothLanguages();

    [Fact]
    public void The_command_exits_by_its_verdict_and_writes_a_report_of_its_own()
    {
        File.WriteAllBytes(At("x.zip"), StoryCase.File);
        File.WriteAllBytes(At("pins.json"), StoryCase.Whole.Single(p => p.Name == EvidenceFiles.Pins).Bytes.ToArray());
        var (code, output, error) = Run(At("x.zip"), "--pins", At("pins.json"), "--html", At("own.html"), "--lang", "en");
        Assert.True(code == 0, output + error);
        Assert.Contains("What happened", output, StringComparison.Ordinal);
        Assert.Contains("GOOD", output, StringComparison.Ordinal);
        Assert.Contains("with pins that he gave", File.ReadAllText(At("own.html")), StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(At("own.html")));
        Assert.Equal(64, Run(At("x.zip"), "--pins", At("pins.json"), "--html", At("own.html")).Code);
        (code, output, _) = Run(At("x.zip"), "--lang", "vi");
        Assert.Equal(2, code);
        Assert.Contains("CHƯA CHỨNG MINH ĐỦ", output, StringComparison.Ordinal);
        Assert.Contains("Diễn biến", output, StringComparison.Ordinal);
        (code, output, _) = Run(At("x.zip"), "--pins", At("pins.json"), "--json");
        var json = JsonDocument.Parse(output).RootElement;
        Assert.Equal((0, "good", "given"), (code, json.GetProperty("verdict").GetString(), json.GetProperty("pins").GetString()));
        Assert.Contains(json.GetProperty("story").EnumerateArray(), s => s.GetProperty("title").GetProperty("vi").GetString() == "Vì sao được phép");
        File.WriteAllBytes(At("bad.zip"), [.. StoryCase.File, 0]);
        (code, output, _) = Run(At("bad.zip"), "--pins", At("pins.json"), "--lang", "vi");
        Assert.Equal(1, code);
        Assert.Contains("SAI", output, StringComparison.Ordinal);
        Assert.Equal(64, Run(At("none.zip")).Code);
        // Pins that lie in the folder that they are to judge.
        Assert.Equal(64, Run(folder.FullName, "--pins", At("pins.json")).Code);
        Assert.Equal(64, Run(At("x.zip"), "--policy", At("pins.json")).Code);
        // Witnesses that the auditor pins and that have not signed.
        using var witness = CosignerKey.Create("witness.example/1", NoteKeyType.Ed25519Cosignature);
        File.WriteAllText(At("policy"), $"witness a {witness.VerifierKey}\nquorum a\n");
        Assert.Equal(2, Run(At("x.zip"), "--pins", At("pins.json"), "--policy", At("policy"), "--lang", "en").Code);
    }

    [Fact]
    public async Task What_was_sent_is_exported_as_one_file_that_tells_its_story_and_replaces_nothing()
    {
        using var bench = new Bench(pki.Folder);
        var entry = (await bench.SendAsync()).Entry;
        using var client = new OfficeClient(bench.Start("G22"));
        await client.RefreshAsync(Cancel);
        var exported = await client.ExportAsync(entry, bench.At("x.zip"), Cancel);
        Assert.Equal((bench.At("x.zip"), true), (exported.Folder, exported.Complete));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(exported.Folder));
        var story = EvidenceFile.Tell(exported.Folder, EvidenceFolder.PinsFileOf(pki.At("pins.json")), null);
        Assert.True(story.ExitCode == 2 && story.Findings.All(f => f.Kind != FindingKind.Bad), StoryCase.Why(story));
        Assert.Equal([FindingCode.Pending], story.Findings.Where(f => f.Kind == FindingKind.Incomplete).Select(f => f.Code));
        var before = File.ReadAllBytes(exported.Folder);
        await Assert.ThrowsAsync<IOException>(() => client.ExportAsync(entry, bench.At("x.zip"), Cancel));
        Assert.Equal(before, File.ReadAllBytes(exported.Folder));
        // A folder holds the same, and nothing temporary is left beside.
        await client.ExportAsync(entry, bench.At("x"), Cancel);
        var findings = new Findings();
        Assert.Equal(EvidenceZip.Read(before, findings).Select(p => p.Name).Order(StringComparer.Ordinal), Directory.GetFiles(bench.At("x"), "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(bench.At("x"), f)).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(Directory.GetFiles(bench.At("")), f => Path.GetFileName(f).StartsWith(DurableFile.TempPrefix, StringComparison.Ordinal));
    }

    /// <summary>Made by an earlier day's program. Whoever changes words of the report, of the file README.txt or of a check fails here: then the report's form gets its next number, and this file a second one beside it.</summary>
    [Fact]
    public void A_file_that_was_kept_is_still_good()
    {
        var kept = Path.Combine(AppContext.BaseDirectory, "testdata", "story");
        Story Tell(string name) => EvidenceFile.Tell(Path.Combine(kept, name), EvidenceFolder.PinsFileOf(Path.Combine(kept, "pins.json")), null);
        var story = Tell("report-2.zip");
        Assert.True(story.ExitCode == 0, StoryCase.Why(story));
        // Of a report in an older form nothing is said but that.
        Assert.Equal((StoryCheck.OtherReport, FindingKind.Incomplete), Assert.Single(Tell("report-1.zip").Findings, f => f.Kind != FindingKind.Good) is var older ? (older.Detail, older.Kind) : default);
    }
}
