namespace Exchange.Adapters;

/// <summary>
/// The seam for a delivery protocol: carries one parcel to one office. An implementation is a folder of two files here and one line in the
/// gateway's composition. It sees opaque bytes and codes, nothing else; this assembly has no reference to Crypto.
/// </summary>
public interface IDeliveryAdapter
{
    /// <summary>The name under which a standing's channel asks for it ("https", "folder").</summary>
    string Name { get; }

    /// <summary>
    /// The channel ends in the office's own TLS: nobody on the way sees what it carries. False: a mail server, a file server, a mounted folder may be anybody's, so the gateway
    /// seals each copy once more to its office (docs/envelope.md 13); <see cref="Parcel.Receipt"/> is then inside and empty here.
    /// </summary>
    bool EndsAtOffice { get; }

    /// <summary>
    /// Carries the parcel. Contract: <see cref="DeliveryOutcome.Delivered"/> only when the other side has it durably. Never retries by itself: the
    /// queue does, with the same <see cref="Parcel.Id"/>, which the other side must use to recognise a repeat. Called concurrently for
    /// different parcels, never for the same. Ends promptly on cancellation, with <see cref="DeliveryOutcome.Unknown"/> when bytes may have arrived,
    /// else <see cref="DeliveryOutcome.TryLater"/>. Whatever the other side does is an outcome; only the caller's bug throws.
    /// </summary>
    /// <param name="open">The one-file form from its first byte; the adapter disposes what it opens, and may open again.</param>
    Task<DeliveryOutcome> DeliverAsync(Parcel parcel, Func<CancellationToken, Task<Stream>> open, CancellationToken cancel);

    /// <summary>Asks the other side whether it holds this parcel; used after <see cref="DeliveryOutcome.Unknown"/>, before anything is sent again.</summary>
    /// <returns>null: the other side answers that it does not hold it, so it may be sent again. Otherwise as for a delivery; never a guess.</returns>
    Task<DeliveryOutcome?> AskAsync(Parcel parcel, CancellationToken cancel);

    /// <summary>Could a parcel be carried now? Goes all the way there, carries nothing and leaves nothing behind.</summary>
    /// <param name="nobody">A parcel with an id that was never used and without bytes: only its office and settings count.</param>
    /// <returns>null: yes. Else what is in the way, as in an outcome.</returns>
    async Task<string?> ProbeAsync(Parcel nobody, CancellationToken cancel) => await AskAsync(nobody, cancel).ConfigureAwait(false) switch
    {
        null => null,
        DeliveryOutcome.TryLater later => later.Reason,
        DeliveryOutcome.Unknown unknown => unknown.Reason,
        DeliveryOutcome.Busy => "asked: busy",
        _ => "asked: it claims to hold a parcel that never was",
    };
}
