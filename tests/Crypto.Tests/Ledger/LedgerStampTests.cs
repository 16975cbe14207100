using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.TimeStamps;
using Exchange.Crypto.Trust;
using Exchange.Office.Dev;
using Exchange.Office.Join;

namespace Exchange.Tests.Ledger;

/// <summary>Time-stamps in an export: each against its head and against the auditor's anchors, and one after the other.</summary>
public sealed class LedgerStampTests : IDisposable
{
    const string Origin = "test.exchange/ledger";
    static readonly FileKey Authority = TestPki.Shared.Key("TSA", "TSA", "tsa", KeyUse.TimeStamp);
    readonly CheckpointKey key = CheckpointKey.Create(Origin);

    public void Dispose() => key.Dispose();

    LedgerPins Pins => new(Origin, [key.VerifierKey]) { TimeStamps = TestPki.Shared.Check };

    static Checkpoint HeadOf(TestExport export, long size) => Checkpoint.Parse(SignedNote.Read(export[LedgerCheck.KeptPath(size)]).Text);

    static byte[] Token(Checkpoint head, DateTimeOffset at, FileKey? by = null) =>
        new DevTimeStamps(by ?? Authority).Token(DevStampQuery.Read(new TimeStampQuery(CheckpointStamp.ImprintOf(head), null).Der), at);

    /// <summary>Twenty entries, four heads, three of them time-stamped, ten minutes apart.</summary>
    TestExport Export(int size = 20, params int[] stamped)
    {
        var export = TestExport.Make(Origin, size, key.Sign, [5, 12, size], details: true);
        foreach (var (at, i) in (stamped.Length > 0 ? stamped : [5, 12, size]).Select((s, i) => (s, i))) export[LedgerCheck.StampPath(at)] = Token(HeadOf(export, at), TestPki.Now.AddMinutes(10 * i));
        return export;
    }

    static void Named(Findings findings, string part, string code) =>
        Assert.True(findings.ExitCode == 1 && findings.All.Any(f => f.Kind == FindingKind.Bad && f.Part == part && f.Code == code), $"{part} {code} is not among:\n{string.Join('\n', findings.All)}");

    [Theory, InlineData(20), InlineData(300), InlineData(2000)]
    public void Tokens_that_hold_are_good_and_the_newest_is_told(int size)
    {
        var findings = LedgerCheck.Check(Export(size), Pins);
        Assert.True(findings.ExitCode == 0, string.Join('\n', findings.All));
        Assert.Contains(findings.All, f => f is { Part: "checkpoints", Check: "time-stamp" } && f.Detail == $"3 tokens; {LedgerCheck.StampPath(size)} there by 2026-11-24T08:20:00Z");
        Assert.Equal(size < 1000 ? $"checkpoints/{size:000}.tst" : "checkpoints/x002/000.tst", LedgerCheck.StampPath(size));
        // Cosignatures that come later spoil none of them.
        var export = Export(size);
        using var witness = CosignerKey.Create("witness.example/1", NoteKeyType.Ed25519Cosignature);
        export[LedgerCheck.KeptPath(12)] = [.. export[LedgerCheck.KeptPath(12)], .. Encoding.UTF8.GetBytes(witness.SignLine(HeadOf(export, 12), 1_800_000_000))];
        Assert.Equal(0, LedgerCheck.Check(export, Pins).ExitCode);
    }

    [Fact]
    public void Each_changed_byte_of_a_token_is_found_and_its_file_named()
    {
        var export = Export(20, 12);
        var path = LedgerCheck.StampPath(12);
        var token = export[path];
        for (var i = 0; i < token.Length; i++)
        {
            export[path] = [.. token];
            export[path][i] ^= 0x10;
            var findings = LedgerCheck.Check(export, Pins);
            Assert.True(findings.ExitCode == 1 && findings.All.Single(f => f.Kind != FindingKind.Good).Part == path, $"byte {i}:\n{string.Join('\n', findings.All)}");
            // Who trusts nobody finds it as well.
            Assert.Equal(1, LedgerCheck.Check(export, Pins with { TimeStamps = null }).ExitCode);
        }
        foreach (var other in new[] { token[..^1], [.. token, 0], [], new byte[TimeStampCheck.MaxLength + 1] })
        {
            export[path] = other;
            Assert.Equal(1, LedgerCheck.Check(export, Pins).ExitCode);
        }
    }

    [Fact]
    public void A_token_that_was_swapped_between_two_heads_is_found_at_both()
    {
        var export = Export();
        var (a, b) = (LedgerCheck.StampPath(5), LedgerCheck.StampPath(12));
        (export[a], export[b]) = (export[b], export[a]);
        foreach (var pins in new[] { Pins, Pins with { TimeStamps = null } })
        {
            var findings = LedgerCheck.Check(export, pins);
            Named(findings, a, "E_TIMESTAMP");
            Named(findings, b, "E_TIMESTAMP");
        }
    }

    [Fact]
    public void Without_anchors_tokens_are_held_against_their_heads_and_the_rest_is_not_provable()
    {
        var findings = LedgerCheck.Check(Export(), Pins with { TimeStamps = null });
        Assert.Equal(2, findings.ExitCode);
        Assert.Equal((FindingKind.Incomplete, "checkpoints", FindingCode.Missing), findings.All.Single(f => f.Kind != FindingKind.Good) is var f ? (f.Kind, f.Part, f.Code) : default);
        // Nobody here knows whether its certificate was revoked.
        var unsure = TrustStore.Create([TestPki.Shared.Root.Certificate.RawDataMemory], [TestPki.Shared.Issuing.Certificate.RawDataMemory], [TestPki.Shared.Root.Crl(1, TestPki.Start, TestPki.NextUpdate)]);
        findings = LedgerCheck.Check(Export(), Pins with { TimeStamps = new CertificateCheck(unsure) });
        Assert.True(findings.ExitCode == 2, string.Join('\n', findings.All));
        // A ledger without any token says nothing about them.
        Assert.DoesNotContain(LedgerCheck.Check(TestExport.Make(Origin, 20, key.Sign, [5]), Pins).All, f => f.Check == "time-stamp");
    }

    [Fact]
    public void A_token_of_whom_nobody_trusts_or_who_may_do_other_things_is_bad()
    {
        var export = Export();
        export[LedgerCheck.StampPath(12)] = Token(HeadOf(export, 12), TestPki.Now.AddMinutes(10), TestPki.Shared["H41"].Sign);
        Named(LedgerCheck.Check(export, Pins), LedgerCheck.StampPath(12), "E_CERTIFICATE_PURPOSE");
        export[LedgerCheck.StampPath(12)] = Token(HeadOf(export, 12), TestPki.Now.AddMinutes(10), new TestPki().Key("TSA", "TSA", "tsa", KeyUse.TimeStamp));
        Named(LedgerCheck.Check(export, Pins), LedgerCheck.StampPath(12), "E_CERTIFICATE_UNTRUSTED");
    }

    [Fact]
    public void Times_that_go_back_from_a_smaller_to_a_larger_head_are_found_but_for_what_the_clocks_may_be_off()
    {
        var export = Export(20, 5);
        // One second each is what they say of themselves.
        export[LedgerCheck.StampPath(12)] = Token(HeadOf(export, 12), TestPki.Now.AddSeconds(-2));
        export[LedgerCheck.StampPath(20)] = Token(HeadOf(export, 20), TestPki.Now);
        Assert.Equal(0, LedgerCheck.Check(export, Pins).ExitCode);
        export[LedgerCheck.StampPath(12)] = Token(HeadOf(export, 12), TestPki.Now.AddSeconds(-3));
        Named(LedgerCheck.Check(export, Pins), LedgerCheck.StampPath(12), "E_TIMESTAMP");
        // Of heads with one between them that has none, too.
        export.Remove(LedgerCheck.StampPath(12));
        export[LedgerCheck.StampPath(20)] = Token(HeadOf(export, 20), TestPki.Now.AddHours(-1));
        Named(LedgerCheck.Check(export, Pins), LedgerCheck.StampPath(20), "E_TIMESTAMP");
    }

    [Theory]
    [InlineData("checkpoints/006.tst"), InlineData("checkpoints/000.tst"), InlineData("checkpoints/021.tst"), InlineData("checkpoints/005.tsr"), InlineData("checkpoints/05.tst"), InlineData("checkpoints/x005.tst"), InlineData("checkpoints/x001/005.tst"), InlineData("tile/0/000.tst"), InlineData("details/000.tst")]
    public void A_token_without_its_head_is_surplus(string path)
    {
        var export = Export();
        export[path] = export[LedgerCheck.StampPath(5)];
        Named(LedgerCheck.Check(export, Pins), path, "E_PROOF");
    }
}
