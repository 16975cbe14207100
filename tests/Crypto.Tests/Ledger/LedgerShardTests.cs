using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;
using Xunit;

namespace Exchange.Tests.Ledger;

/// <summary>A tree of two years, and each year's shard on a stick of its own: what is not there is said, what is there is checked as ever, and the one is chained to the other.</summary>
public sealed class LedgerShardTests : IDisposable
{
    const string Old = "test.exchange/ledger-2026", New = "test.exchange/ledger-2027";
    /// <summary>The old one's last head, and the first entry of the new one; the first bundle that a shard of it needs is the third.</summary>
    const int End = 600, Size = 1100, First = 2;
    static readonly Dictionary<int, int> Erased = new() { [5] = 9, [650] = 660, [3] = 700 };
    readonly CheckpointKey old = CheckpointKey.Create(Old), next = CheckpointKey.Create(New);
    readonly CosignerKey witness = CosignerKey.Create("witness.example/1", NoteKeyType.Ed25519Cosignature);
    readonly TestExport first, whole, second;

    public LedgerShardTests()
    {
        first = TestExport.Make(Old, End, Sign, [20, 256], details: true, new Dictionary<int, int> { [5] = 9 });
        whole = Whole(Head(first).Root);
        first[LedgerCheck.Ended] = Encoding.UTF8.GetBytes(ProofOf(whole));
        second = Shard(whole);
    }

    public void Dispose()
    {
        old.Dispose();
        next.Dispose();
        witness.Dispose();
    }

    string Sign(Checkpoint head) => head.Size <= End ? old.Sign(head with { Origin = Old }) : next.Sign(head);

    /// <summary>Both years.</summary>
    /// <param name="root">What the second says of the first one's last head.</param>
    TestExport Whole(Digest root, int size = End, string code = Succession.Year, Func<Checkpoint, string>? sign = null) => TestExport.Make(New, Size, sign ?? Sign, [20, 256, End, 700, 1024], details: true, Erased, new Dictionary<int, LedgerEntry>
    {
        [End] = new(new byte[32], EntryDetails.Write(new SuccessionDetail(New, [new EndedLedger(Old, size, root, End, 7)], End, code, Digest.Of([1])) { Time = End })),
    });

    static Checkpoint Head(TestExport export) => Checkpoint.Parse(SignedNote.Read(export[LedgerCheck.Newest]).Text);

    static string ProofOf(TestExport export)
    {
        var line = DetailBundle.Read(export["details/002"], 256)[End - 512];
        var nodes = Tiles.InclusionProof(End, Size, (level, index, width) => export[new TilePath(level, index, Tiles.WidthAt(level, index, Size)).ToString()].AsMemory(0, width * 32));
        return TlogProof.Of(new LedgerEntry(line.Salt.ToArray(), line.Detail.ToArray()), End, nodes, Encoding.UTF8.GetString(export[LedgerCheck.Newest])).Write();
    }

    /// <summary>What is of the second year, or leads from it to the root.</summary>
    static TestExport Shard(TestExport whole)
    {
        var shard = whole.Copy();
        foreach (var path in whole.Paths.Where(p => IsBelow(p) || p is "checkpoints/020" or "checkpoints/256").ToArray()) shard.Remove(path);
        return shard;
    }

    static bool IsBelow(string path) => new[] { "tile/0/", "tile/entries/", "details/" }.Any(f => path.StartsWith(f, StringComparison.Ordinal) && int.Parse(path.AsSpan(f.Length, 3), System.Globalization.CultureInfo.InvariantCulture) < First);

    LedgerPins Pins(string? shard, bool witnessed = false) => new(New, [next.VerifierKey, old.VerifierKey])
    {
        Shard = shard, Witnesses = witnessed ? WitnessPolicy.Parse(Encoding.UTF8.GetBytes($"witness a {witness.VerifierKey}\nquorum a\n")) : null,
    };

    Findings Check(TestExport export, string? shard = New) => LedgerCheck.Check(export, Pins(shard));

    void Named(TestExport export, FindingKind kind, string part, string says, string? shard = New)
    {
        var findings = Check(export, shard);
        Assert.True(findings.All.Any(f => f.Kind == kind && f.Part == part && f.Detail.Contains(says, StringComparison.Ordinal)), $"{part} is not named {kind}:\n{string.Join('\n', findings.All)}");
        Assert.Equal(kind switch { FindingKind.Bad => 1, FindingKind.Good => 0, _ => 2 }, findings.ExitCode);
    }

    [Fact]
    public void Each_year_is_good_by_itself_and_the_second_is_chained_to_the_first()
    {
        Assert.True(Check(whole, null).ExitCode == 0, string.Join('\n', Check(whole, null).All));
        Assert.Contains(Check(whole, null).All, f => f is { Kind: FindingKind.Good, Part: "checkpoints/600", Check: "succession" });
        Named(first, FindingKind.Good, "checkpoint", $"{Old} ended at 600 entries, {New} follows it (YEAR)", Old);
        Named(second, FindingKind.Good, "tile/entries", $"512; entries 0 to 511 are not here, but in the export of {Old}: {New} begins at entry 600");
        Named(second, FindingKind.Good, "checkpoints/600", $"{Old} ended at 600 entries");
        Named(second, FindingKind.Good, "details", "1 say so of entries below the minimum index");
        Assert.Equal(first["checkpoint"], second["checkpoints/600"]);
        // From the tiles of the second alone.
        var proof = ConsistencyCheck.FromTiles(second, End, Size);
        Assert.True(MerkleTree.VerifyConsistency(End, Head(first).Root, Size, Head(second).Root, proof!));
    }

    [Fact]
    public void A_shard_is_good_for_nobody_who_did_not_ask_for_it_by_its_name()
    {
        Named(first, FindingKind.Incomplete, "checkpoint", $"good for --shard {Old} alone", null);
        Named(second, FindingKind.Incomplete, "tile/entries", $"good for --shard {New} alone", null);
        Named(first, FindingKind.Incomplete, "checkpoint", $"not of {New}");
        Named(second, FindingKind.Incomplete, "checkpoint", $"not of {Old}", Old);
    }

    [Fact]
    public void Whatever_is_taken_from_a_shard_is_missed()
    {
        foreach (var path in second.Paths.Where(p => p is not ("checkpoint" or "checkpoints/700" or "checkpoints/x001/024")))
        {
            // What a head of an earlier size needed.
            if (path.Contains(".p/", StringComparison.Ordinal) && !path.EndsWith(".p/76", StringComparison.Ordinal) && path != "tile/1/000.p/4") continue;
            var less = second.Copy();
            less.Remove(path);
            Named(less, FindingKind.Incomplete, path, "");
        }
        // Its whole first bundle: the entry with which the ledger begins went with it.
        var later = second.Copy();
        foreach (var path in second.Paths.Where(p => p.StartsWith("tile/0/002", StringComparison.Ordinal) || p.StartsWith("tile/entries/002", StringComparison.Ordinal) || p == "details/002").ToArray()) later.Remove(path);
        Named(later, FindingKind.Incomplete, "tile/entries", "entries 0 to 767 are not here, and nothing that is here shows");
        var unproven = first.Copy();
        unproven.Remove(LedgerCheck.Ended);
        Named(unproven, FindingKind.Incomplete, "checkpoint", "nothing here shows that it did so with this head", Old);
    }

    [Fact]
    public void Every_changed_byte_of_a_shard_is_found()
    {
        foreach (var (shard, name) in new[] { (first, Old), (second, New) })
            foreach (var path in shard.Paths.ToArray())
            {
                var bytes = shard[path];
                // Of the level above: also of the tiles that are not here.
                for (var i = 0; i < bytes.Length; i += path.StartsWith("tile/1/", StringComparison.Ordinal) ? 5 : 1 + (bytes.Length / 6))
                {
                    bytes[i] ^= 0x10;
                    var findings = Check(shard, name);
                    Assert.True(findings.ExitCode == 1, $"{path} byte {i}:\n{string.Join('\n', findings.All)}");
                    bytes[i] ^= 0x10;
                }
            }
        second["tile/1/000.p/4"][3 * 32] ^= 1;
        Named(second, FindingKind.Bad, "tile/1/000.p/4", "node 3");
    }

    [Fact]
    public void Bundles_that_lie_about_the_minimum_index_are_found()
    {
        foreach (var (from, to, kind) in new[] { ("001", "001", FindingKind.Good), ("002", "001", FindingKind.Bad), ("000", "000", FindingKind.Incomplete), ("002", "000", FindingKind.Bad) })
        {
            var more = second.Copy();
            foreach (var folder in new[] { "tile/0/", "tile/entries/", "details/" }) more[folder + to] = whole[folder + from];
            Assert.True(Check(more).All.Max(f => f.Kind) == kind, $"{from} as {to}:\n{string.Join('\n', Check(more).All)}");
        }
    }

    [Fact]
    public void A_last_head_that_is_forged_or_that_the_next_year_names_otherwise_is_found()
    {
        var other = Digest.Of([9]);
        var forged = second.Copy();
        forged["checkpoints/600"] = Encoding.UTF8.GetBytes(old.Sign(new Checkpoint(Old, End, other)));
        Named(forged, FindingKind.Bad, "checkpoints/600", "");
        Named(Shard(Whole(other)), FindingKind.Bad, "checkpoints/600", $"not the last head of {Old}");
        Named(Whole(other), FindingKind.Bad, "checkpoints/600", $"not the last head of {Old}", null);
        // The first year's stick, with what the second said of it.
        var stick = first.Copy();
        stick[LedgerCheck.Ended] = Encoding.UTF8.GetBytes(ProofOf(Whole(other)));
        Named(stick, FindingKind.Bad, "checkpoint", "not a head with which", Old);
        stick[LedgerCheck.Ended] = Encoding.UTF8.GetBytes(ProofOf(Whole(other, End + 1, "RESTORED")));
        Named(stick, FindingKind.Incomplete, "checkpoint", "not the last head", Old);
        // A year that ended without its last entries.
        var shorter = TestExport.Make(Old, 300, Sign, [20], details: true, new Dictionary<int, int> { [5] = 9 });
        shorter[LedgerCheck.Ended] = first[LedgerCheck.Ended];
        Named(shorter, FindingKind.Incomplete, "checkpoint", "not the last head", Old);
    }

    [Fact]
    public void The_head_that_chains_two_years_is_one_that_the_quorum_has_cosigned()
    {
        string Cosigned(Checkpoint head) => Sign(head) + witness.SignLine(head with { Origin = head.Size <= End ? Old : New }, head.Size <= End ? 2_000_000 : 1_000_000 + head.Size);
        foreach (var lacking in new[] { 0, End })
        {
            var shard = Shard(Whole(Head(first).Root, sign: head => head.Size == lacking ? Sign(head) : Cosigned(head)));
            var findings = LedgerCheck.Check(shard, Pins(New, witnessed: true));
            Assert.True(findings.ExitCode == (lacking == 0 ? 0 : 2), string.Join('\n', findings.All));
            Assert.Equal(lacking != 0, findings.All.Any(f => f is { Part: "checkpoints/600", Code: FindingCode.Pending }));
        }
    }

    [Fact]
    public void A_year_that_begins_with_a_bundle_is_chained_by_the_tiles_above()
    {
        const int end = 2 * Tiles.Width;
        string Of(Checkpoint head) => head.Size <= end ? old.Sign(head with { Origin = Old }) : next.Sign(head);
        var before = Head(TestExport.Make(Old, end, Of, []));
        TestExport Year(Digest root) => Shard(TestExport.Make(New, 700, Of, [end, 600], details: true, other: new Dictionary<int, LedgerEntry>
        {
            [end] = new(new byte[32], EntryDetails.Write(new SuccessionDetail(New, [new EndedLedger(Old, end, root, end, 7)], end, Succession.Year, Digest.Of([1])) { Time = end })),
        }));
        Named(Year(before.Root), FindingKind.Good, "checkpoints/512", $"{Old} ended at 512 entries");
        var forged = Year(before.Root);
        forged["checkpoints/512"] = Encoding.UTF8.GetBytes(old.Sign(new Checkpoint(Old, end, Digest.Of([9]))));
        Named(forged, FindingKind.Bad, "checkpoints/512", "");
        // A head of before that: nothing here says whether it holds.
        var more = Year(before.Root);
        more["checkpoints/020"] = Encoding.UTF8.GetBytes(old.Sign(new Checkpoint(Old, 20, Digest.Of([9]))));
        Named(more, FindingKind.Incomplete, "checkpoints/020", "below the minimum index");
    }

    [Fact]
    public void Of_a_large_tree_what_is_below_is_one_finding_and_still_leads_to_the_root()
    {
        var part = LargeExport.Fresh();
        foreach (var path in part.Paths.Where(p => TilePath.TryParse(p, out var tile) && tile is { Level: 0 or TilePath.Entries, Index: < 100 } || p.StartsWith("details/", StringComparison.Ordinal) && string.CompareOrdinal(p, "details/100") < 0 || p.StartsWith("checkpoints/", StringComparison.Ordinal)).ToArray()) part.Remove(path);
        var only = Assert.Single(LedgerCheck.Check(part, LargeExport.Pins).All, f => f.Kind != FindingKind.Good);
        Assert.Equal((FindingKind.Incomplete, "minimum index"), (only.Kind, only.Check));
        part["tile/1/000"] = [.. part["tile/1/000"].Select((b, i) => i == 32 * 50 ? (byte)~b : b)];
        Assert.Contains(LedgerCheck.Check(part, LargeExport.Pins).All, f => f is { Kind: FindingKind.Bad, Part: "tile/1/000" });
    }
}
