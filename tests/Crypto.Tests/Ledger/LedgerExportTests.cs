using System.Text;
using CsCheck;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;
using Xunit;

namespace Exchange.Tests.Ledger;

/// <summary>The check of a whole export: kept checkpoints, cosignatures, keys that change, details, files that should not be there. What each test changes must be named.</summary>
public sealed class LedgerExportTests : IDisposable
{
    const string Origin = "test.exchange/ledger";
    const long Start = 1_800_000_000;
    readonly CheckpointKey key = CheckpointKey.Create(Origin), next = CheckpointKey.Create(Origin);
    readonly CosignerKey mldsa = CosignerKey.Create(Origin, NoteKeyType.MlDsa44Cosignature);
    readonly CosignerKey w1 = CosignerKey.Create("witness.example/1", NoteKeyType.Ed25519Cosignature), w2 = CosignerKey.Create("witness.example/2", NoteKeyType.Ed25519Cosignature);
    readonly WitnessPolicy both;

    public LedgerExportTests() => both = Policy("all");

    public void Dispose()
    {
        key.Dispose();
        next.Dispose();
        mldsa.Dispose();
        w1.Dispose();
        w2.Dispose();
    }

    WitnessPolicy Policy(string threshold) => WitnessPolicy.Parse(Encoding.UTF8.GetBytes($"witness a {w1.VerifierKey}\nwitness b {w2.VerifierKey}\ngroup g {threshold} a b\nquorum g\n"));

    LedgerPins Pins => new(Origin, [key.VerifierKey]);

    LedgerPins Witnessed => Pins with { Witnesses = both };

    string Sign(Checkpoint head) => key.Sign(head);

    string Cosign(Checkpoint head) => key.Sign(head) + w1.SignLine(head, Start + head.Size) + w2.SignLine(head, Start + head.Size);

    /// <summary>20 entries, four checkpoints, two witnesses, one entry gone.</summary>
    TestExport Small() => TestExport.Make(Origin, 20, Cosign, [0, 5, 12], details: true, new Dictionary<int, int> { [3] = 17 });

    static Findings Check(TestExport export, LedgerPins pins) => LedgerCheck.Check(export, pins);

    static void AssertNamed(TestExport export, LedgerPins pins, string part, FindingKind kind = FindingKind.Bad, string? code = null)
    {
        var findings = Check(export, pins);
        Assert.True(findings.All.Any(f => f.Kind == kind && f.Part == part && (code is null || f.Code == code)), $"{part} is not named {kind} {code}:\n{string.Join('\n', findings.All)}");
        Assert.Equal(kind == FindingKind.Bad ? 1 : 2, findings.ExitCode);
    }

    static void AssertGood(TestExport export, LedgerPins pins) => Assert.DoesNotContain(Check(export, pins).All, f => f.Kind != FindingKind.Good);

    [Fact]
    public void No_healthy_export_raises_an_alarm()
    {
        Gen.Select(Gen.Int[0, 600], Gen.Int[0, 600].Array[0, 6], Gen.Int[0, 600].Array[0, 4], Gen.Int[0, 1 << 20]).Sample((size, sizes, gone, seed) =>
        {
            var erased = new Dictionary<int, int>();
            foreach (var entry in gone)
            {
                var by = entry + 1 + (seed % 7);
                if (by < size && !erased.ContainsValue(by) && !erased.ContainsKey(by) && !erased.ContainsValue(entry)) erased.TryAdd(entry, by);
            }
            AssertGood(TestExport.Make(Origin, size, Cosign, sizes.Where(s => s <= size), details: seed % 3 > 0, erased), Witnessed);
        }, iter: 60);
        Assert.Contains(Check(Small(), Witnessed).All, f => f is { Part: "details", Detail: "19 open, 1 erased and said so" });
    }

    [Fact]
    public void A_healthy_export_of_two_units_is_good_and_each_kept_checkpoint_is_a_beginning()
    {
        var export = LargeExport.Fresh();
        AssertGood(export, LargeExport.Pins);
        Assert.Contains(Check(export, LargeExport.Pins).All, f => f is { Part: "checkpoints", Detail: "9 checkpoints" });
        var path = LedgerCheck.KeptPath(65_537);
        Assert.Equal("checkpoints/x065/537", path);
        export[path] = Encoding.UTF8.GetBytes(LargeExport.Sign(new Checkpoint(LargeExport.Origin, 65_537, Digest.Of([1]))));
        AssertNamed(export, LargeExport.Pins, path, code: "E_FORK");
    }

    [Fact]
    public void Bytes_of_a_small_export_changed_one_by_one_are_found_and_named() => EveryByte(5);

    [Fact, Trait("tier", "long")]
    public void Every_byte_of_a_small_export_changed_is_found_and_named() => EveryByte(1);

    void EveryByte(int step)
    {
        var export = TestExport.Make(Origin, 20, Cosign, [5], details: true, new Dictionary<int, int> { [3] = 17 });
        AssertGood(export, Witnessed);
        foreach (var path in export.Paths.ToArray())
        {
            var bytes = export[path];
            for (var i = 0; i < bytes.Length; i += step)
            {
                bytes[i] ^= 0x10;
                var findings = Check(export, Witnessed);
                Assert.True(findings.ExitCode != 0 && findings.All.Any(f => f.Kind != FindingKind.Good && f.Part == path), $"{path} byte {i}");
                bytes[i] ^= 0x10;
            }
        }
        AssertGood(export, Witnessed);
    }

    /// <summary>100 files at a time, one byte in each.</summary>
    [Fact, Trait("tier", "long")]
    public void Ten_thousand_random_changes_of_a_large_export_are_found_and_named()
    {
        var export = TestExport.Make(Origin, 140_321, Cosign, Enumerable.Range(1, 140).Select(i => i * 1000), details: true);
        string[] paths = [.. export.Paths.Where(p => p != LedgerCheck.Newest)];
        var draw = new Random(20_261_130);
        for (var round = 0; round < 100; round++)
        {
            var changed = draw.GetItems(paths, 140).Distinct().Take(100).Select(p => (Path: p, At: draw.Next(export[p].Length), Bits: (byte)(1 << draw.Next(8)))).ToArray();
            foreach (var (path, at, bits) in changed) export[path][at] ^= bits;
            var findings = Check(export, Witnessed);
            foreach (var (path, at, bits) in changed)
            {
                Assert.True(findings.All.Any(f => f.Kind != FindingKind.Good && f.Part == path), $"round {round}: {path} byte {at} bits {bits:x2}");
                export[path][at] ^= bits;
            }
            Assert.Equal(1, findings.ExitCode);
        }
        AssertGood(export, Witnessed);
    }

    [Fact]
    public void Entries_dropped_added_swapped_or_repeated_are_found_by_their_numbers()
    {
        const string path = "tile/entries/000.p/20";
        const int step = EntryBundle.Step;
        foreach (var change in new Func<byte[], byte[]>[]
        {
            b => b[step..],
            b => [.. b, .. b[..step]],
            b => [.. b[step..(2 * step)], .. b[..step], .. b[(2 * step)..]],
            b => [.. b[..step], .. b[..step], .. b[(2 * step)..]],
        })
        {
            var export = Small();
            export[path] = change(export[path]);
            AssertNamed(export, Witnessed, path, code: "E_PROOF");
        }
        var swapped = Small();
        var bytes = swapped[path];
        swapped[path] = [.. bytes[..(7 * step)], .. bytes[(8 * step)..(9 * step)], .. bytes[(7 * step)..(8 * step)], .. bytes[(9 * step)..]];
        Assert.Contains(Check(swapped, Witnessed).All, f => f.Part == path && f.Detail == "does not lead to the checkpoint: entry 7, 8");
    }

    [Fact]
    public void Files_dropped_added_swapped_or_repeated_are_found()
    {
        var healthy = TestExport.Make(Origin, 1100, Cosign, [300, 700], details: true);
        AssertGood(healthy, Witnessed);
        // Older partial tiles and kept checkpoints may be there; everything else must.
        string[] needed = [.. healthy.Paths.Where(p => p != LedgerCheck.Newest && !p.StartsWith("checkpoints/", StringComparison.Ordinal) && (!p.Contains(".p/", StringComparison.Ordinal) || p.EndsWith(".p/76", StringComparison.Ordinal) || p.EndsWith("tile/1/000.p/4", StringComparison.Ordinal)))];
        foreach (var path in needed)
        {
            var export = healthy.Copy();
            export.Remove(path);
            AssertNamed(export, Witnessed, path, FindingKind.Incomplete, FindingCode.Missing);
        }
        foreach (var (a, b) in new[] { ("tile/0/000", "tile/0/001"), ("tile/entries/001", "tile/entries/002"), ("details/000", "details/003"), ("checkpoints/300", "checkpoints/700") })
        {
            var export = healthy.Copy();
            (export[a], export[b]) = (export[b], export[a]);
            AssertNamed(export, Witnessed, a);
            AssertNamed(export, Witnessed, b);
            export = healthy.Copy();
            export[b] = export[a];
            AssertNamed(export, Witnessed, b);
        }
        foreach (var path in new[] { "tile/0/004", "tile/0/004.p/77", "tile/0/005.p/1", "tile/0/x001/000", "tile/0/x000/000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/0000", "tile/0/note", "tile/2/000.p/1", "tile/8/000", "tile/00/000",
            "tile/entries/004", "tile/entries/004.p/100", "tile/checkpoint", "details/004", "details/004.p/75", "details/x", "details/000.p/1", "checkpoints/x", "checkpoints/300.p/1" })
        {
            var export = healthy.Copy();
            export[path] = export["tile/0/000"];
            var findings = Check(export, Witnessed);
            Assert.True(findings.All.Any(f => f.Kind == FindingKind.Bad && f.Check == "surplus" && path.StartsWith(f.Part.TrimEnd('/'), StringComparison.Ordinal)), path);
        }
    }

    [Fact]
    public void An_older_partial_tile_that_is_not_the_beginning_of_the_complete_one_is_named()
    {
        var healthy = TestExport.Make(Origin, 600, Sign, [5, 300]);
        foreach (var path in new[] { "tile/0/000.p/5", "tile/entries/000.p/5", "tile/0/001.p/44", "tile/1/000.p/1" })
        {
            var export = healthy.Copy();
            Assert.Contains(path, export.Paths);
            export[path][3] ^= 1;
            AssertNamed(export, Pins, path, code: "E_PROOF");
            export = healthy.Copy();
            export[path] = export[path][..^1];
            AssertNamed(export, Pins, path);
        }
    }

    [Fact]
    public void Note_lines_dropped_repeated_or_of_another_note_are_named_with_their_line()
    {
        string[] Lines(byte[] note) => Encoding.UTF8.GetString(note).TrimEnd('\n').Split('\n');
        byte[] Note(IEnumerable<string> lines) => Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n");
        foreach (var path in new[] { "checkpoint", LedgerCheck.KeptPath(5) })
        {
            var export = Small();
            var good = Lines(export[path]);
            var other = Lines(export[LedgerCheck.KeptPath(12)]);
            Assert.Equal(7, good.Length);

            export[path] = Note([.. good[..4], .. good[5..]]);
            AssertNamed(export, Witnessed, path, code: "E_NOTE");
            export[path] = Note(good[..^1]);
            AssertNamed(export, Witnessed, path, FindingKind.Incomplete, FindingCode.Pending);
            export[path] = Note([.. good, good[^1]]);
            AssertNamed(export, Witnessed, path, code: "E_NOTE");
            Assert.Contains(Check(export, Witnessed).All, f => f.Detail == "line 4, by witness.example/2: is there twice");
            export[path] = Note([.. good[..5], other[5], good[6]]);
            AssertNamed(export, Witnessed, path, code: "E_NOTE");
            Assert.Contains(Check(export, Witnessed).All, f => f.Detail == "line 2, by witness.example/1: does not verify");
            export[path] = Note([.. good[..4], other[4], .. good[5..]]);
            AssertNamed(export, Witnessed, path, code: "E_NOTE");
        }
    }

    [Fact]
    public void A_shorter_ledger_signed_anew_is_found_by_what_is_kept_in_it_and_by_what_the_auditor_kept()
    {
        var shorter = TestExport.Make(Origin, 12, Cosign, [5]);
        AssertGood(shorter, Witnessed);
        var long20 = Small();
        var known = Witnessed with { Known = [new EvidencePart("mine", long20["checkpoint"])] };
        AssertNamed(shorter, known, "mine", code: "E_FORK");
        AssertGood(long20, known);
        AssertGood(long20, Witnessed with { Known = [new EvidencePart("mine", shorter["checkpoint"])] });
        shorter[LedgerCheck.KeptPath(20)] = long20["checkpoint"];
        AssertNamed(shorter, Witnessed, LedgerCheck.KeptPath(20), code: "E_FORK");
    }

    [Fact]
    public void A_fork_shown_to_two_auditors_is_found_when_they_compare()
    {
        // The same first five entries, then two histories.
        var a = Small();
        var b = TestExport.Make(Origin, 30, Sign, [5], details: true, new Dictionary<int, int> { [3] = 18 });
        AssertGood(a, Pins);
        AssertGood(b, Pins);
        var (mine, theirs) = (new EvidencePart("a", a["checkpoint"]), new EvidencePart("b", b["checkpoint"]));
        AssertNamed(b, Pins with { Known = [mine] }, "a", code: "E_FORK");
        var fork = ConsistencyCheck.Check(mine, theirs, Pins, (from, to) => ConsistencyCheck.FromTiles(b, from, to));
        Assert.Contains(fork.All, f => f is { Kind: FindingKind.Bad, Code: "E_FORK" });
        Assert.Equal(1, fork.ExitCode);

        var old = new EvidencePart("old", a[LedgerCheck.KeptPath(5)]);
        Assert.Equal(0, ConsistencyCheck.Check(old, theirs, Pins, (from, to) => ConsistencyCheck.FromTiles(b, from, to)).ExitCode);
        Assert.Equal(0, ConsistencyCheck.Check(mine, old, Pins, (from, to) => ConsistencyCheck.FromTiles(a, from, to)).ExitCode);
        Assert.Equal(2, ConsistencyCheck.Check(mine, old, Pins, (_, _) => null).ExitCode);
        Assert.Equal(0, ConsistencyCheck.Check(mine, mine, Pins, (_, _) => null).ExitCode);
        var same = new EvidencePart("c", Encoding.UTF8.GetBytes(key.Sign(new Checkpoint(Origin, 20, Digest.Of([1])))));
        Assert.Equal(1, ConsistencyCheck.Check(mine, same, Pins, (_, _) => null).ExitCode);
    }

    [Fact]
    public void A_dummy_that_does_not_open_is_named_and_so_is_everything_that_is_hidden_behind_a_false_erasure()
    {
        const string path = "details/000.p/20";
        string[] Lines(TestExport export) => Encoding.UTF8.GetString(export[path]).TrimEnd('\n').Split('\n');
        void Put(TestExport export, string[] lines) => export[path] = Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n");
        var export = Small();
        var lines = Lines(export);
        Assert.Contains("dummy", lines[10], StringComparison.Ordinal);
        var dummy = lines[10];

        lines[10] = DetailText(new DummyDetail { Time = 11 });
        Put(export, lines);
        AssertNamed(export, Witnessed, path, code: "E_PROOF");
        Assert.Contains(Check(export, Witnessed).All, f => f.Detail == "entry 10: salt and detail do not open the entry");
        // Called erased, and nobody says so; or the one who says so speaks of another.
        foreach (var lie in new[] { "erased 15", "erased 17", "erased 3", "erased 99" })
        {
            lines[10] = lie;
            Put(export, lines);
            AssertNamed(export, Witnessed, path, code: "E_PROOF");
            Assert.Contains(Check(export, Witnessed).All, f => f.Detail.StartsWith("entry 10: is erased", StringComparison.Ordinal));
        }
        lines[10] = "withheld";
        Put(export, lines);
        AssertNamed(export, Witnessed, "details", FindingKind.Incomplete, FindingCode.Withheld);
        lines[10] = dummy;
        // An erasure that is said and not done.
        lines[3] = "withheld";
        Put(export, lines);
        AssertNamed(export, Witnessed, path, code: "E_PROOF");
        Assert.Contains(Check(export, Witnessed).All, f => f.Detail.StartsWith("entry 17: says that entry 3 was erased", StringComparison.Ordinal));

        static string DetailText(LedgerDetail detail) => Encoding.UTF8.GetString(DetailBundle.Write([DetailLine.Open(LedgerEntry.Create(detail))])).TrimEnd('\n');
    }

    [Fact]
    public void Keys_change_with_an_overlap_or_not_at_all()
    {
        var two = new LedgerPins(Origin, [key.VerifierKey, next.VerifierKey, mldsa.VerifierKey]);
        string Rotating(Checkpoint head) => head.Size < 100 ? key.Sign(head) : head.Size == 100 ? key.Sign(head) + mldsa.SignLine(head, 0) + next.SignLine(head) : next.Sign(head) + mldsa.SignLine(head, 0);
        var export = TestExport.Make(Origin, 300, Rotating, [20, 100, 200]);
        AssertGood(export, two);
        export.Remove(LedgerCheck.KeptPath(100));
        AssertNamed(export, two, LedgerCheck.KeptPath(200), code: "E_NOTE");
        // Who has not heard of the new key cannot take a head by it alone.
        var unpinned = TestExport.Make(Origin, 300, Rotating, [20, 100]);
        AssertNamed(unpinned, Pins, "checkpoint", code: "E_NOTE");
        // A second signature of the ledger that does not hold spoils the head.
        var broken = TestExport.Make(Origin, 300, h => key.Sign(h) + mldsa.SignLine(h with { Size = h.Size + 1 }, 0), []);
        AssertNamed(broken, two, "checkpoint", code: "E_NOTE");
        AssertGood(broken, Pins);
    }

    [Fact]
    public void A_witness_does_not_go_back_in_time()
    {
        string Late(Checkpoint head) => key.Sign(head) + w1.SignLine(head, head.Size == 12 ? Start + 100 : Start + head.Size) + w2.SignLine(head, Start + head.Size);
        AssertNamed(TestExport.Make(Origin, 20, Late, [5, 12]), Witnessed, "checkpoint", code: "E_NOTE");
    }

    [Fact]
    public void Missing_cosignatures_are_pending_by_the_policy_and_no_alarm_without_one()
    {
        var export = TestExport.Make(Origin, 20, h => key.Sign(h) + w1.SignLine(h, Start), [5]);
        AssertNamed(export, Witnessed, LedgerCheck.KeptPath(5), FindingKind.Incomplete, FindingCode.Pending);
        AssertNamed(export, Witnessed, "checkpoint", FindingKind.Incomplete, FindingCode.Pending);
        AssertGood(export, Pins with { Witnesses = Policy("any") });
        AssertGood(export, Pins);
    }

    [Fact]
    public void A_fault_in_a_tile_and_one_in_its_entries_are_told_apart()
    {
        var export = TestExport.Make(Origin, 1100, Sign, []);
        export["tile/0/002"][32 * 9] ^= 1;
        export["tile/entries/002"][(EntryBundle.Step * 70) + 9] ^= 1;
        export["tile/1/000.p/4"][5] ^= 1;
        var bad = Check(export, Pins).All.Where(f => f.Kind != FindingKind.Good).Select(f => (f.Part, f.Detail)).Order();
        Assert.Equal([("tile/0/002", "does not lead to the checkpoint: entry 521"), ("tile/1/000.p/4", "does not lead to the checkpoint: node 0"), ("tile/entries/002", "does not lead to the checkpoint: entry 582")], bad);
    }

    [Fact]
    public void A_fault_that_tile_and_entries_share_is_named_in_both()
    {
        var export = TestExport.Make(Origin, 1100, Sign, []);
        export["tile/entries/002"][9] ^= 1;
        LedgerEntry.LeafOf(EntryBundle.Read(export["tile/entries/002"], 256)[0]).ToArray().CopyTo(export["tile/0/002"], 0);
        AssertNamed(export, Pins, "tile/0/002");
        Assert.Equal(1, Check(export, Pins).ExitCode);
    }

    [Fact]
    public void A_wrong_bundle_is_bad_also_where_its_tile_or_the_tiles_above_are_gone()
    {
        foreach (var gone in new[] { "tile/0/002", "tile/1/000.p/4" })
        {
            var export = TestExport.Make(Origin, 1100, Sign, []);
            export["tile/entries/002"][9] ^= 1;
            export.Remove(gone);
            AssertNamed(export, Pins, "tile/entries/002");
        }
        var two = LargeExport.Fresh();
        two["tile/entries/002"] = [.. two["tile/entries/002"].Select((b, i) => i == 9 ? (byte)~b : b)];
        two.Remove("tile/0/002");
        two.Remove("tile/1/000");
        Assert.Equal(1, Check(two, LargeExport.Pins).ExitCode);
    }

    [Fact]
    public void Another_ledgers_export_or_none_is_not_good()
    {
        Assert.Equal(2, LedgerCheck.Check(new TestExport(), Pins).ExitCode);
        AssertNamed(Small(), new LedgerPins("other/ledger", [key.VerifierKey]), "checkpoint");
        AssertNamed(Small(), new LedgerPins(Origin, [next.VerifierKey]), "checkpoint");
    }
}
