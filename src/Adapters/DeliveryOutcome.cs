namespace Exchange.Adapters;

/// <summary>How an attempt ended: a closed list. What follows from each is the queue's business, not the adapter's.</summary>
public abstract record DeliveryOutcome
{
    DeliveryOutcome() { }

    /// <summary>The other side holds it durably. Ends the parcel.</summary>
    /// <param name="Receipt">Evidence the other side gave: an office's ContentHandover (DER), not yet verified. null: a channel that cannot sign.</param>
    public sealed record Delivered(ReadOnlyMemory<byte>? Receipt) : DeliveryOutcome;

    /// <summary>
    /// A carrier holds it durably on the way; the office does not have it yet, as far as anybody knows. The carrier, or the office itself, will say so. Not a failure of the channel, and not the
    /// end of the parcel: it is asked about again, and sent again only when the adapter says so.
    /// </summary>
    /// <param name="AskIn">When asking again makes sense, if nothing is heard before.</param>
    public sealed record HandedOn(TimeSpan AskIn) : DeliveryOutcome;

    /// <summary>Up and well, but not now. Not a failure of the channel.</summary>
    /// <param name="RetryAfter">As the other side wishes; null: it did not say.</param>
    public sealed record Busy(TimeSpan? RetryAfter) : DeliveryOutcome;

    /// <summary>Not reached, or failed in a way that may pass.</summary>
    /// <param name="Reason">For the operator: codes and system errors, never content. Settings that cannot work are "settings: ...".</param>
    public sealed record TryLater(string Reason) : DeliveryOutcome;

    /// <summary>The other side will never take it. Ends the parcel.</summary>
    /// <param name="Code">Its code, cut to what a code looks like: capitals, digits, underscores.</param>
    public sealed record Refused(string Code) : DeliveryOutcome;

    /// <summary>It may have arrived: ask before sending again.</summary>
    public sealed record Unknown(string Reason) : DeliveryOutcome;
}
