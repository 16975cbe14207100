using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Xunit;

namespace Exchange.Tests.Ledger;

/// <summary>What a ledger that goes on under a new name has to admit, and what its first entry cannot say.</summary>
public sealed class SuccessionTests
{
    const string Old = "gateway.example/ledger", New = "gateway.example/ledger-2";
    static readonly Digest Root = Digest.Of([1]), Other = Digest.Of([2]);
    // 100 signed, 70 of which are in the new one; the store had 75.
    static readonly SuccessionDetail Good = new(New, [new(Old, 100, Root, 70, 5)], 75, "RESTORED", Root) { Time = 9 };

    [Theory]
    [InlineData(0, true, false, SuccessionVerdict.Continues)]
    [InlineData(70, true, true, SuccessionVerdict.Continues)]
    [InlineData(70, true, false, SuccessionVerdict.Fork)]
    [InlineData(1, true, false, SuccessionVerdict.Fork)]
    // The store went on behind the last head: nothing of that is lost.
    [InlineData(74, true, true, SuccessionVerdict.Continues)]
    [InlineData(71, true, false, SuccessionVerdict.AdmittedLost)]
    [InlineData(99, false, false, SuccessionVerdict.AdmittedLost)]
    [InlineData(100, true, false, SuccessionVerdict.AdmittedLost)]
    [InlineData(100, false, false, SuccessionVerdict.Fork)]
    [InlineData(101, true, false, SuccessionVerdict.Fork)]
    // Behind the entry itself nothing of the old name can go on.
    [InlineData(80, true, true, SuccessionVerdict.AdmittedLost)]
    public void A_kept_head_goes_on_is_admitted_to_be_lost_or_is_hidden(long size, bool sameRoot, bool continues, SuccessionVerdict verdict) =>
        Assert.Equal(verdict, Succession.Judge(Good, new Checkpoint(Old, size, sameRoot ? Root : Other), continues).Verdict);

    [Fact]
    public void A_ledger_that_is_not_named_did_not_end_here()
    {
        Assert.Equal(SuccessionVerdict.Fork, Succession.Judge(Good, new Checkpoint("other/ledger", 70, Root), true).Verdict);
        Assert.False(Succession.MayContinue(Good, new Checkpoint("other/ledger", 70, Root)));
        Assert.True(Succession.MayContinue(Good, new Checkpoint(Old, 75, Root)));
        Assert.False(Succession.MayContinue(Good, new Checkpoint(Old, 76, Root)));
    }

    [Fact]
    public void Entries_that_cannot_be_true_are_no_beginning()
    {
        var ended = Good.Follows[0];
        Assert.Null(Succession.Fault(Good, 75));
        Assert.NotNull(Succession.Fault(Good, 76));
        foreach (var wrong in new[]
        {
            Good with { Follows = [] }, Good with { Follows = [null!] }, Good with { Follows = [ended, ended] }, Good with { Origin = Old }, Good with { Code = "why not" }, Good with { Follows = [ended with { Common = 101 }] },
            Good with { Follows = [ended with { Common = 76 }] }, Good with { Follows = [ended with { Common = -1 }] }, Good with { Follows = [ended with { Size = 0, Common = 0 }] }, Good with { Follows = [ended with { Since = -1 }] },
        })
            Assert.NotNull(Succession.Fault(wrong, 75));
    }

    [Fact]
    public void A_year_ends_whole_or_is_none()
    {
        var year = Good with { Code = Succession.Year, Follows = [new(Old, 75, Root, 75, 5)] };
        Assert.Null(Succession.Fault(year, 75));
        foreach (var ended in new[] { new EndedLedger(Old, 75, Root, 70, 5), new EndedLedger(Old, 74, Root, 74, 5), new EndedLedger(Old, 100, Root, 70, 5) })
        {
            Assert.NotNull(Succession.Fault(year with { Follows = [ended] }, 75));
            Assert.Null(Succession.Fault(year with { Follows = [ended], Code = "RESTORED" }, 75));
        }
        // A loss before the year began is no affair of that year, and none of whoever followed since.
        var after = year with { Follows = [new(Old, 75, Root, 75, 5), new("gateway.example/before", 60, Other, 50, 3), new("gateway.example/first", 40, Other, 40, 2)] };
        Assert.Null(Succession.Fault(after, 75));
        Assert.Equal((true, false, false, false), (Succession.IsYearsEnd(after, Old), Succession.IsYearsEnd(after, "gateway.example/before"), Succession.IsYearsEnd(after, "gateway.example/first"), Succession.IsYearsEnd(after, "other/ledger")));
        Assert.False(Succession.IsYearsEnd(after with { Code = "KEYS_LOST" }, Old));
    }

    [Fact]
    public void Only_an_entry_that_is_proven_to_be_in_the_ledger_of_its_own_name_begins_it()
    {
        var entry = LedgerEntry.Create(Good with { Had = 2 } with { Follows = [new(Old, 3, Root, 2, 0)] });
        Digest[] leaves = [Digest.Of([10]), Digest.Of([11]), entry.Leaf, Digest.Of([12])];
        var head = new Checkpoint(New, 4, MerkleTree.Root(leaves));
        var proof = MerkleTree.InclusionProof(2, 4, (level, at) => MerkleTree.Root([.. leaves.Skip((int)(at << level)).Take(1 << level)]));
        Assert.Equal(2, Succession.Open(entry, 2, proof, head).Had);
        Refusal Told(LedgerEntry e, long index, Checkpoint of) => Assert.Throws<RefusedException>(() => Succession.Open(e, index, proof, of)).Refusal;
        Assert.Equal(Refusal.Proof, Told(entry, 3, head));
        Assert.Equal(Refusal.Proof, Told(entry, 2, head with { Root = Other }));
        Assert.Equal(Refusal.Json, Told(entry, 2, head with { Origin = "gateway.example/ledger-3" }));
        Assert.Equal(Refusal.Proof, Told(new LedgerEntry(new byte[32], entry.Detail), 2, head));
    }
}
