namespace Exchange.Adapters.Mail;

/// <summary>
/// The mail channel: one mail a parcel, {id}.bin attached, Message-ID {id}@domain the same for all tries, by which the office recognises a repeat. A relay that takes it has not delivered it:
/// that says the report which it, or the office's own server, sends to the gateway's mailbox, or the office's receipt. Until then the parcel is handed on. Memory is one buffer a parcel, whatever its length.
/// </summary>
public sealed class MailAdapter : IDeliveryAdapter
{
    readonly MailOptions options;
    readonly MailSender sender;
    readonly TimeProvider clock;

    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public MailAdapter(MailOptions options, TimeProvider clock)
    {
        options.Demand();
        (this.options, this.clock) = (options, clock);
        sender = new MailSender(options, clock);
    }

    public string Name => "mail";
    public bool EndsAtOffice => false;

    public Task<DeliveryOutcome> DeliverAsync(Parcel parcel, Func<CancellationToken, Task<Stream>> open, CancellationToken cancel) => AddressOf(parcel.Settings) is not { } address
        ? Task.FromResult<DeliveryOutcome>(BadSettings)
        : sender.SendAsync(new OutgoingMail(address, $"{parcel.Id}", parcel.Id, ($"{parcel.Id}.receipt.p7s", parcel.Receipt), ($"{parcel.Id}.bin", new MailContent(parcel.Length, open))), cancel);

    /// <summary>Nobody can be asked; it tells from what has been heard since it was sent, and when enough time has gone without a word it may be sent again.</summary>
    public Task<DeliveryOutcome?> AskAsync(Parcel parcel, CancellationToken cancel) => Task.FromResult(AddressOf(parcel.Settings) is null ? BadSettings : Heard(options.Trace(parcel.Id)));

    /// <summary>The relay would take a mail to this address, and the mailbox opens into which reports come.</summary>
    public async Task<string?> ProbeAsync(Parcel nobody, CancellationToken cancel) => AddressOf(nobody.Settings) is not { } address ? BadSettings.Reason
        : await sender.ProbeAsync(address, cancel).ConfigureAwait(false) ?? (options.Imap is null ? null : await new MailConnection(options, clock).ProbeMailboxAsync(options.Imap, cancel).ConfigureAwait(false));

    DeliveryOutcome? Heard(MailTrace trace)
    {
        if (trace.Sent is not { } sent) return null;
        var now = clock.GetUtcNow();
        return trace.Report?.Action switch
        {
            ReportedAction.Delivered => new DeliveryOutcome.Delivered(null),
            // 4.x.x: the carrier gave up on something that passes. Its last try is over, so after a while it may be sent once more.
            ReportedAction.Failed when trace.Report.Code.StartsWith("DSN_4", StringComparison.Ordinal) => trace.ReportedAt + options.ResendAfter > now ? new DeliveryOutcome.TryLater($"reported: {trace.Report.Code}") : null,
            ReportedAction.Failed => new DeliveryOutcome.Refused(trace.Report.Code),
            // Nothing more will be reported, or it is still on its way: only the office, or the parcel's own time, ends this.
            ReportedAction.Relayed or ReportedAction.Delayed => new DeliveryOutcome.HandedOn(options.ReportWithin),
            _ when trace.HandedOn => sent + options.ReportWithin > now ? new DeliveryOutcome.HandedOn(sent + options.ReportWithin - now) : null,
            _ => sent + options.ResendAfter > now ? new DeliveryOutcome.Unknown("asked: no report of it yet") : null,
        };
    }

    internal static readonly DeliveryOutcome.TryLater BadSettings = new("settings: address must be NAME@DOMAIN, in ASCII, without quotes and comments");

    internal static string? AddressOf(IReadOnlyDictionary<string, string> settings) => settings.TryGetValue("address", out var address) && MailAddress.IsGood(address) ? address : null;
}
