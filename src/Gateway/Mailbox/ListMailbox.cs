using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Mailbox;

/// <summary>GET /mailbox: copies waiting for the office; with nothing to show it may wait for the next commit.</summary>
sealed class ListMailbox(IEngine engine, Journal journal, TimeProvider clock)
{
    public async Task<IReadOnlyList<MailboxItem>> List(string office, Guid? after, int limit, bool all, TimeSpan wait, CancellationToken cancel)
    {
        var until = clock.GetUtcNow() + wait;
        while (true)
        {
            // Taken before reading: a commit between the read and the wait has already completed it.
            var next = journal.NextCommit;
            using (var reader = engine.Reader())
                if (ParcelTable.Mailbox(reader, office, after, limit, all) is { Count: > 0 } found) return found;

            var left = until - clock.GetUtcNow();
            if (left <= TimeSpan.Zero) return [];
            try { await next.WaitAsync(left, clock, cancel); }
            catch (TimeoutException) { return []; }
        }
    }
}
