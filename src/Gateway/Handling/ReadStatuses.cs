using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Handling;

/// <summary>GET /statuses: what is new about any of one's own dispatches; with nothing to show it may wait for the next commit.</summary>
sealed class ReadStatuses(IEngine engine, Journal journal, TimeProvider clock)
{
    /// <param name="after">Place up to which the sender has read; it goes on there, however often it asks.</param>
    public async Task<IReadOnlyList<SaidStatus>> Read(string sender, long after, int limit, TimeSpan wait, CancellationToken cancel)
    {
        var until = clock.GetUtcNow() + wait;
        while (true)
        {
            // Taken before reading: a commit between the read and the wait has already completed it.
            var next = journal.NextCommit;
            using (var reader = engine.Reader())
                if (StatusTable.After(reader, sender, after, limit) is { Count: > 0 } found) return found;

            var left = until - clock.GetUtcNow();
            if (left <= TimeSpan.Zero) return [];
            try { await next.WaitAsync(left, clock, cancel); }
            catch (TimeoutException) { return []; }
        }
    }
}
