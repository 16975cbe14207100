using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Policy;

namespace Exchange.Gateway.Delivery;

/// <summary>
/// Copies sealed once more to their office, for channels that others run. Each is made once and kept until the copy ends: a second sealing would draw a new secret, and a
/// broken upload could not go on where it broke. A crash leaves it whole or not at all; what no copy wants any more is swept with the blobs.
/// </summary>
sealed class SealedCopies(Shared shared, ReleaseParcel release)
{
    /// <param name="decision">Of just now: the permit names the key.</param>
    /// <param name="receipt">The acceptance, which goes inside.</param>
    /// <returns>Bytes of it.</returns>
    /// <exception cref="RefusedException">Full: it would take what is kept free for settling. SignerUnknown: the key has left the office's card, so there is nobody to seal it to.</exception>
    public async Task<long> Make(FoundParcel copy, Decision decision, ReadOnlyMemory<byte> receipt, CancellationToken cancel)
    {
        var (parcel, office) = (copy.Row.Id, copy.Row.Office);
        if (shared.Sealed.Length(parcel) is { } made) return made;
        // A copy of any size must not eat the reserve out of which others are settled and receipted.
        if (shared.Room.Free - copy.Dispatch.Size < shared.Options.Limits.ReserveBytes) throw new RefusedException(Refusal.Full, "no room to seal it");
        var key = shared.Worlds.Current.Directory.Find(office)?.Encryption.FirstOrDefault(k => k.Key == copy.Row.Key) ?? throw new RefusedException(Refusal.SignerUnknown, "the key has left the card");
        await shared.Sealed.PutAsync(parcel, output => SealedParcel.SealAsync(parcel, receipt, copy.Dispatch.Size, () => release.Open(copy, decision), key, output, cancel), cancel);
        return shared.Sealed.Length(parcel)!.Value;
    }

    /// <param name="decision">Of just now: what was sealed under an earlier permit does not leave without one.</param>
    public Stream Open(FoundParcel copy, Decision decision) =>
        decision.Verdict == Verdict.Permit ? shared.Sealed.Open(copy.Row.Id) : throw new InvalidOperationException("Nothing is opened without a permit.");

    /// <summary>The copy has ended.</summary>
    public void Drop(Guid parcel)
    {
        if (shared.Sealed.Length(parcel) is not null) shared.Sealed.Remove(parcel);
    }
}
