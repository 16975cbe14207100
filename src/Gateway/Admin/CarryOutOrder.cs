using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Erasing;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Queue;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Admin;

/// <summary>Sends dead copies on their way again, or gives them up for good; in commits of a hundred, each copy with an entry of its own. What two administrators want erased goes to <see cref="EraseDispatches"/>.</summary>
sealed class CarryOutOrder(Shared shared)
{
    const int AtOnce = 100;

    /// <param name="isSigned">It is an Operation statement of two administrators.</param>
    /// <returns>What was done, in a line.</returns>
    /// <exception cref="RefusedException">Not an order, not signed by those who must, or for another gateway.</exception>
    public async Task<string> Run(byte[] bytes, bool isSigned)
    {
        var now = shared.Clock.GetUtcNow();
        if (!isSigned)
        {
            var order = QueueOrder.Read(bytes);
            return order.Act == QueueOrder.Redrive ? await Redrive(order, now) : await Discard(order, null, now);
        }
        var statement = OperationStatement.Open(bytes, shared.Options.Origin, shared.Options.Administrators, shared.Worlds.Current.Trust, now);
        var operation = statement.As<OperationStatement>();
        if (operation.Act == OperationStatement.Erase) return await new EraseDispatches(new FinishErasures(shared), shared).Run(statement);
        return await Discard(new(1, QueueOrder.Discard, null, null, operation.Parcels, operation.Code, operation.Parcels.Length), (statement.Ref, operation.Issued), now);
    }

    async Task<string> Redrive(QueueOrder order, DateTimeOffset now)
    {
        var options = shared.Options.Queue;
        var time = now.ToUnixTimeMilliseconds();
        var found = Find(order, (int)Math.Min(order.Most, options.RedriveMost));
        // Past header.expires nothing may be delivered any more.
        var alive = found.Where(c => c.Expires > time).ToList();
        var (done, life, spread) = (0, (long)options.Of(RetrySchedule.Bulk).Life.TotalMilliseconds, options.RedriveSeconds * 1000);
        foreach (var some in alive.Select((copy, i) => (Copy: copy, Due: time + spread * i / alive.Count)).Chunk(AtOnce))
        {
            var entries = some.Select(s => LedgerEntry.Create(new RedriveDetail(s.Copy.Sender, s.Copy.Envelope, s.Copy.Ctx, s.Copy.Office, s.Copy.Key, s.Copy.Reason) { Time = time })).ToList();
            // ONE commit. Before it: dead, and the order is found again. After it: these are on their way, under a higher fence and the same idempotency key, and the office is asked first.
            done += await shared.Journal.Commit(b =>
            {
                var revived = 0;
                foreach (var ((copy, due), entry) in some.Zip(entries))
                {
                    var end = Math.Min(copy.Expires, due + life);
                    if (!DeadTable.Revive(b, copy.Parcel, end, Life.Half(due, end))) continue;
                    b.Log(entry, EntryKind.Redrive, copy.Parcel).Add([new JobRow { Parcel = copy.Parcel, Office = copy.Office, Class = RetrySchedule.Bulk, Due = due, Fence = copy.Fence, Ask = true }]);
                    revived++;
                }
                return revived;
            }, settle: true);
        }
        return $"{done} redriven over {spread / 1000} s, {found.Count - alive.Count} past their time and left dead";
    }

    /// <param name="signed">Ref of the administrators' statement and when it was made; null: there is none.</param>
    async Task<string> Discard(QueueOrder order, (Digest Ref, long Issued)? signed, DateTimeOffset now)
    {
        if (order.Code is not { } code || !OperationStatement.IsCode(code)) throw new RefusedException(Refusal.Request, "a discard needs a code: capitals, digits, underscores");
        var time = now.ToUnixTimeMilliseconds();
        var found = Find(order, order.Most);
        if (signed is { } of && found.Any(c => c.DiedAt > of.Issued)) throw new RefusedException(Refusal.Request, "a copy died after this was signed");
        if (signed is null && found.FirstOrDefault(c => IsProtected(c, shared.Worlds.Current)) is { } guarded)
            throw new RefusedException(Refusal.Officers, $"parcel {guarded.Parcel} is of a protected level: two administrators sign its discard");
        var done = 0;
        foreach (var some in found.Chunk(AtOnce))
        {
            var entries = some.Select(c => LedgerEntry.Create(new DiscardDetail(c.Sender, c.Envelope, c.Ctx, c.Office, c.Key, c.Reason, code, signed?.Ref) { Time = time })).ToList();
            // ONE commit: nobody waits for these any more. The parcels stay dead; their payloads go with the time that the policy keeps them.
            done += await shared.Journal.Commit(b =>
            {
                var discarded = 0;
                foreach (var (copy, entry) in some.Zip(entries))
                {
                    if (!DeadTable.Remove(b, copy.Parcel)) continue;
                    JobOrder.Promote(b, copy.Parcel);
                    b.Log(entry, EntryKind.Discard, copy.Parcel);
                    discarded++;
                }
                return discarded;
            }, settle: true);
        }
        return $"{done} discarded, {code}";
    }

    /// <summary>Anything above the policy's lowest level, by the author's label or by one that it was given since.</summary>
    internal static bool IsProtected(DeadCopy copy, World world) => world.Policy.Content.Levels is { Length: > 0 } levels && (copy.Class != levels[0].Class || copy.SignedClass != levels[0].Class);

    IReadOnlyList<DeadCopy> Find(QueueOrder order, int most)
    {
        using var reader = shared.Engine.Reader();
        return DeadTable.Matching(reader, order.Office, order.Reason, order.Parcels, most);
    }
}
