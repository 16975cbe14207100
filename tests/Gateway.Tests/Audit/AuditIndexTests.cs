using Exchange.Crypto.Ledger;
using Exchange.Gateway.Store;

namespace Exchange.Tests.Audit;

/// <summary>What a step of filling moves between audiences, and what it leaves.</summary>
public sealed class AuditIndexTests : IDisposable
{
    const long Time = 1_795_000_000_000, Day = Time / 86_400_000;
    static readonly Guid Envelope = Guid.Parse("0192f000-0000-7000-8000-00000000000a");
    readonly string folder = Directory.CreateTempSubdirectory("exchange-index-").FullName;
    readonly AuditIndex index;

    public AuditIndexTests() => index = AuditIndex.Open(Path.Combine(folder, "index.db"), _ => null);

    static AboutRow Row(long seq, EntryKind kind, long audience, string sender = "G22") =>
        new() { Seq = seq, Audience = audience, Kind = kind, Verdict = null, Sender = sender, Office = null, Envelope = Envelope, Key = null, Time = Time };

    long[] Seen(long audience) => [.. index.Find([audience], 0, 100, null, 100).Select(r => r.Seq)];

    [Fact]
    public void A_label_that_moves_takes_its_dispatch_along_and_leaves_a_refusal_of_the_same_name_where_it_was()
    {
        var (high, low) = (index.Audience("high"), index.Audience("low"));
        // Refused under this id, later accepted under it; another office has one of the same id; one entry has no label.
        index.Add(new(4, default, [Row(0, EntryKind.Rejection, high), Row(1, EntryKind.Submission, high), Row(2, EntryKind.Submission, high, "H41"), Row(3, EntryKind.Submission, AuditIndex.Top)], [], []));
        index.Add(new(5, default, [Row(4, EntryKind.Label, low)], [("G22", Envelope, low)], []));

        Assert.Equal([1L, 4L], Seen(low));
        Assert.Equal([0L, 2L], Seen(high));
        Assert.Equal([3L], Seen(AuditIndex.Top));
        // What is counted goes the same way.
        Assert.Equal([(EntryKind.Submission, 1L), (EntryKind.Label, 1L)], index.Tally([low], Day, Day, 5).Select(t => (t.Kind, t.N)).OrderBy(t => t.Kind == EntryKind.Label));
        Assert.Equal([("G22", EntryKind.Rejection, 1L), ("H41", EntryKind.Submission, 1L)], index.Tally([high], Day, Day, 5).Select(t => (t.Office, t.Kind, t.N)));
    }

    [Fact]
    public void Pages_of_several_audiences_are_in_the_order_of_the_ledger_and_miss_none()
    {
        long[] audiences = [index.Audience("a"), index.Audience("b"), index.Audience("c")];
        index.Add(new(30, default, [.. Enumerable.Range(0, 30).Select(i => Row(i, EntryKind.Submission, audiences[i * 7 % 3]))], [], []));
        for (long from = 0; from < 30; from += 4)
            Assert.Equal([.. Enumerable.Range((int)from, (int)Math.Min(4, 30 - from)).Select(i => (long)i)], index.Find(audiences, from, 30, null, 4).Select(r => r.Seq));
    }

    public void Dispose()
    {
        index.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
