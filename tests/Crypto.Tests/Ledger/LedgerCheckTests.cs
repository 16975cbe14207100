using System.Text;
using CsCheck;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;
using Xunit;

namespace Exchange.Tests.Ledger;

public sealed class LedgerCheckTests : IDisposable
{
    readonly CheckpointKey key = CheckpointKey.Create("test.exchange/ledger");

    public void Dispose() => key.Dispose();

    (byte[] Note, Dictionary<TilePath, byte[]> Files) Export(int size)
    {
        var entries = Enumerable.Range(0, size).Select(TestTree.Entry).ToArray();
        var note = key.Sign(new Checkpoint(key.Origin, size, MerkleTree.Root([.. entries.Select(LedgerEntry.LeafOf)])));
        return (Encoding.UTF8.GetBytes(note), MemoryTiles.Export(entries));
    }

    Findings Check((byte[] Note, Dictionary<TilePath, byte[]> Files) export) =>
        LedgerCheck.Check(export.Note, key.VerifierKey, path => export.Files.TryGetValue(path, out var bytes) ? bytes : null);

    [Theory]
    [InlineData(0), InlineData(1), InlineData(20), InlineData(255), InlineData(256), InlineData(257), InlineData(600), InlineData(66_000)]
    public void A_healthy_ledger_is_good(int size)
    {
        var findings = Check(Export(size));
        Assert.Equal(0, findings.ExitCode);
        Assert.DoesNotContain(findings.All, f => f.Kind != FindingKind.Good);
    }

    [Fact]
    public void Every_flipped_byte_of_a_small_export_is_found_and_named() => EveryFlip(Export(20), 1);

    [Fact]
    public void Flipped_bytes_of_an_export_with_two_levels_are_found_and_named() => EveryFlip(Export(258), 31);

    [Fact, Trait("tier", "long")]
    public void Every_flipped_byte_of_an_export_with_two_levels_is_found_and_named() => EveryFlip(Export(513), 1);

    void EveryFlip((byte[] Note, Dictionary<TilePath, byte[]> Files) export, int step)
    {
        foreach (var (path, bytes) in export.Files)
            for (var i = 0; i < bytes.Length; i += step)
            {
                bytes[i] ^= 0x10;
                var bad = Assert.Single(Check(export).All, f => f.Kind != FindingKind.Good);
                Assert.Equal((FindingKind.Bad, path.ToString(), "E_PROOF"), (bad.Kind, bad.Part, bad.Code));
                bytes[i] ^= 0x10;
            }
        for (var i = 0; i < export.Note.Length; i++)
        {
            export.Note[i] ^= 0x10;
            var bad = Assert.Single(Check(export).All);
            Assert.Equal((FindingKind.Bad, "checkpoint", "E_NOTE"), (bad.Kind, bad.Part, bad.Code));
            export.Note[i] ^= 0x10;
        }
    }

    [Fact]
    public void Entries_and_tiles_changed_together_do_not_lead_to_the_checkpoint()
    {
        var export = Export(300);
        var other = MemoryTiles.Export([.. Enumerable.Range(1, 300).Select(TestTree.Entry)]);
        var findings = Check((export.Note, other));
        Assert.Contains(findings.All, f => f is { Kind: FindingKind.Bad, Part: "checkpoint", Check: "root" });
        Assert.Equal(1, findings.ExitCode);
    }

    [Fact]
    public void A_dropped_or_swapped_entry_is_found()
    {
        var export = Export(20);
        var bundle = export.Files.Keys.Single(p => p.Level == TilePath.Entries);
        var bytes = export.Files[bundle];
        export.Files[bundle] = [.. bytes[34..68], .. bytes[..34], .. bytes[68..]];
        Assert.Contains(Check(export).All, f => f.Kind == FindingKind.Bad && f.Part == bundle.ToString());
        export.Files[bundle] = bytes[34..];
        Assert.Contains(Check(export).All, f => f.Kind == FindingKind.Bad && f.Part == bundle.ToString());
    }

    [Fact]
    public void Who_sees_only_some_details_checks_the_whole_and_finds_what_was_altered_swapped_or_dropped_seen_or_not()
    {
        // P18. Every entry stands there as 32 bytes; those whose salt and detail are shown are computed from them again.
        Gen.Select(Gen.Int[1, 600], Gen.Int[0, 3], Gen.Int[0, 1 << 30]).Sample((size, how, seed) =>
        {
            var draw = new Random(seed);
            LedgerEntry[] written = [.. Enumerable.Range(0, size).Select(i => new LedgerEntry(Digest.Of(BitConverter.GetBytes(i + seed)).ToArray(), BitConverter.GetBytes(i)))];
            var note = Encoding.UTF8.GetBytes(key.Sign(new Checkpoint(key.Origin, size, MerkleTree.Root([.. written.Select(e => e.Leaf)]))));
            int CheckOf(IEnumerable<(LedgerEntry? Seen, Digest Opaque)> shown) => Check((note, MemoryTiles.Export([.. shown.Select(e => e.Seen?.Hash ?? e.Opaque)]))).ExitCode;
            (LedgerEntry? Seen, Digest Opaque)[] view = [.. written.Select(e => draw.Next(2) == 0 ? (e, default) : ((LedgerEntry?)null, e.Hash))];
            Assert.Equal(0, CheckOf(view));

            var at = draw.Next(size);
            var other = (at + 1) % size;
            if (how == 0 && view[at].Seen is { } seen) view[at].Seen = seen with { Detail = [.. seen.Detail, 0] };
            else if (how == 0) view[at].Opaque = Digest.Of("another"u8);
            else if (how == 1 && size > 1) (view[at], view[other]) = (view[other], view[at]);
            else view = [.. view.Where((_, i) => i != at)];
            Assert.NotEqual(0, CheckOf(view));
        }, iter: 200);
    }

    [Fact]
    public void A_missing_file_is_incomplete_and_named()
    {
        foreach (var path in Export(258).Files.Keys)
        {
            var export = Export(258);
            export.Files.Remove(path);
            var findings = Check(export);
            Assert.Equal(2, findings.ExitCode);
            Assert.Contains(findings.All, f => f.Kind == FindingKind.Incomplete && f.Part == path.ToString() && f.Code == FindingCode.Missing);
        }
        var nothing = Export(258);
        nothing.Files.Clear();
        Assert.Equal(2, Check(nothing).ExitCode);
    }
}
