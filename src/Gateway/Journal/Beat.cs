using System.Security.Cryptography;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;

namespace Exchange.Gateway.Journaling;

/// <summary>
/// When heads are published. As a rule: when the ledger grew. Where the policy protects that something exists, at a fixed beat, whether or not anything happened, and of sizes that are multiples of one number: dummies fill up what is missing,
/// and some lie scattered among what was logged, so that a leaf that is not shown, wherever it stands, may be one.
/// </summary>
/// <param name="hides">Whether the policy in force protects the existence of a level.</param>
/// <param name="multiple">Sizes of heads are multiples of this then; from 16.</param>
internal sealed class Beat(Journal journal, Checkpoints checkpoints, Func<bool> hides, int multiple)
{
    // When those are logged that lie scattered until the next beat. Half a multiple: an idle ledger grows by one and never by two.
    readonly List<DateTimeOffset> scattered = [];

    /// <summary>Publishes a head when one is due. True: it did.</summary>
    /// <param name="force">Due or not: at a clean stop.</param>
    /// <exception cref="IoFailure">As <see cref="Checkpoints.Step"/>.</exception>
    /// <exception cref="RefusedException"><see cref="Refusal.Full"/>, <see cref="Refusal.Busy"/>: tried again at the next step.</exception>
    public async Task<bool> Step(DateTimeOffset now, bool force = false)
    {
        if (!hides()) return checkpoints.Step(now, force);
        if (!checkpoints.IsDue(now) && !force)
        {
            await Scatter(now);
            return false;
        }
        // 1. Salts are drawn outside of the writer.
        var dummies = Dummies(multiple, now);
        var signed = checkpoints.Signed;
        // 2. Durable on return, and others may have logged behind it. A crash after it: there are dummies that no head has yet; the next beat fills up from there.
        var size = await journal.Commit(b => Pad(b, dummies, multiple, signed), settle: true);
        // 3. Exactly that size.
        var published = checkpoints.StepTo(now, size);
        scattered.Clear();
        for (var i = 0; i < multiple / 2; i++) scattered.Add(now.AddMilliseconds(RandomNumberGenerator.GetInt32((int)checkpoints.Interval.TotalMilliseconds)));
        return published;
    }

    /// <returns>A size that the ledger has with this batch, a multiple and more than what was signed.</returns>
    static long Pad(Batch b, LedgerEntry[] dummies, int multiple, long signed)
    {
        var missing = (int)((multiple - (b.Size % multiple)) % multiple);
        if (b.Size + missing == signed) missing = multiple;
        foreach (var dummy in dummies.AsSpan(0, missing)) b.Log(dummy, EntryKind.Dummy);
        return b.Size;
    }

    // What is filled up stands behind everything of its beat: without these, a leaf that is not shown before one that is would be a real one.
    async Task Scatter(DateTimeOffset now)
    {
        var count = scattered.RemoveAll(at => at <= now);
        if (count == 0) return;
        var dummies = Dummies(count, now);
        try
        {
            await journal.Commit(b =>
            {
                foreach (var dummy in dummies) b.Log(dummy, EntryKind.Dummy);
                return true;
            });
        }
        // Nothing waits for them.
        catch (RefusedException e) when (e.Refusal == Refusal.Full || e.Refusal == Refusal.Busy) { }
    }

    static LedgerEntry[] Dummies(int count, DateTimeOffset now) =>
        [.. Enumerable.Range(0, count).Select(_ => LedgerEntry.Create(new DummyDetail { Time = now.ToUnixTimeMilliseconds() }))];
}
