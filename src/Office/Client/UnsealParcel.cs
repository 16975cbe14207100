using Exchange.Crypto;
using Exchange.Crypto.Envelope;

namespace Exchange.Office.Client;

/// <summary>An envelope as it came by a channel that others run.</summary>
/// <param name="Receipt">The gateway's acceptance, DER; null: it was not inside.</param>
/// <param name="Envelope">The file form, from its first byte.</param>
sealed record BroughtParcel(Guid? Parcel, byte[]? Receipt, Stream Envelope) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Envelope.DisposeAsync();
}

/// <summary>Opens the second sealing of a copy, where there is one. What comes out is an envelope that nobody has verified yet.</summary>
static class UnsealParcel
{
    /// <summary>Sealed or not, told by its first bytes. The unsealed bytes stand in a file without a name, which goes with the stream.</summary>
    /// <param name="source">Seekable, at its start; owned from now on.</param>
    /// <exception cref="RefusedException">NotForThisKey, Passphrase, Profile; ParcelDamaged: changed on the way, or not whole.</exception>
    public static async Task<BroughtParcel> RunAsync(OfficeContext office, Stream source, CancellationToken cancel)
    {
        var start = new byte[32];
        var length = await source.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancel).ConfigureAwait(false);
        source.Position = 0;
        if (!SealedParcelOpener.IsSealed(start.AsSpan(0, length))) return new BroughtParcel(null, null, source);
        await using (source)
        {
            var path = Path.Combine(office.Files.Folder("fetch"), $"{Guid.CreateVersion7(office.Now):N}.unsealing");
            var envelope = OfficeFiles.Create(path);
            try
            {
                File.Delete(path);
                var parcel = await SealedParcelOpener.OpenAsync(source, office.Keys.Encrypt, envelope, cancel).ConfigureAwait(false);
                envelope.Position = 0;
                return new BroughtParcel(parcel.Parcel, parcel.Receipt, envelope);
            }
            catch (Exception e)
            {
                await envelope.DisposeAsync().ConfigureAwait(false);
                // One answer, whatever in the bytes does not hold: whoever changes them on the way learns nothing from it.
                if (e is RefusedException refused && refused.Refusal != Refusal.NotForThisKey && refused.Refusal != Refusal.Passphrase && refused.Refusal != Refusal.Profile) throw new RefusedException(Refusal.ParcelDamaged);
                throw;
            }
        }
    }
}
