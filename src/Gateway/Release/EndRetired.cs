using Exchange.Crypto;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Release;

/// <summary>
/// Ends copies that wait sealed to a key which its office has taken out of its card: nobody can open them, and nothing sealed to it is handed out. The sender hears at once, with a code that says what
/// to do, instead of at the end of the copy's time. Looked for once in each directory. A certificate that is only ended or unknown ends nothing here: that may be this gateway's own state.
/// </summary>
sealed class EndRetired(Shared shared, EndParcel end)
{
    const int AtOnce = 100;
    Digest looked;

    /// <returns>How many there were: a full hundred means that more may be.</returns>
    public async Task<int> Step(DateTimeOffset now)
    {
        if (!shared.Worlds.Current.Complete || shared.Worlds.Current.Directory is not { } directory || directory.Ref == looked) return 0;
        IReadOnlyList<EndingParcel> ended;
        using (var reader = shared.Engine.Reader())
            ended = [.. ParcelExpiry.Waiting(reader).Where(w => directory.IsRetired(w.Office, w.Key)).SelectMany(w => ParcelExpiry.Of(reader, w.Office, w.Key, AtOnce)).Take(AtOnce)];
        foreach (var copy in ended) await end.End(copy, ParcelState.Refused, Refusal.KeyRetired, null);
        // What a worker carries at this moment is his: he decides before the next byte. Anything else that is left is looked for again.
        if (ended.Count == 0) looked = directory.Ref;
        return ended.Count;
    }
}
