using System.Collections.Concurrent;
using Exchange.Crypto;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Release;

/// <summary>
/// Which copies of a mailbox somebody has begun to fetch. Reading changes nothing in the store, so this is memory of one run: of a copy that is older than the run nobody knows, and it
/// counts as fetched. A recall closes a copy before its commit, and whoever comes in between waits for that.
/// </summary>
sealed class HandedOut(TimeProvider clock)
{
    readonly long since = clock.GetUtcNow().ToUnixTimeMilliseconds();
    // True: fetched, or begun to be. False: being recalled.
    readonly ConcurrentDictionary<Guid, bool> copies = [];

    /// <summary>Bytes are about to be handed out; called before the state of the copy is read.</summary>
    /// <exception cref="RefusedException">Busy: it is being recalled at this moment.</exception>
    public void Begin(Guid parcel)
    {
        if (!copies.GetOrAdd(parcel, true)) throw new RefusedException(Refusal.Busy, "it is being recalled");
    }

    /// <summary>Nothing was handed out, or it is acknowledged: nobody asks any more.</summary>
    public void Forget(Guid parcel) => copies.TryRemove(new(parcel, true));

    /// <returns>True: surely nobody has begun, and nobody can until <see cref="Reopen"/>.</returns>
    public bool TryClose(ParcelRow copy) => copy.CreatedAt > since && copies.TryAdd(copy.Id, false);

    public void Reopen(Guid parcel) => copies.TryRemove(new(parcel, false));
}
