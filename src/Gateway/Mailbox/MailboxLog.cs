namespace Exchange.Gateway.Mailbox;

static partial class MailboxLog
{
    [LoggerMessage(3002, LogLevel.Information, "Parcel {Parcel} was handed over to {Office}")]
    public static partial void ParcelWasHandedOver(this ILogger log, Guid parcel, string office);

    [LoggerMessage(3003, LogLevel.Information, "{Office} reported {Event} of parcel {Parcel}: {Code}")]
    public static partial void OfficeReported(this ILogger log, string office, string @event, Guid parcel, string code);

    [LoggerMessage(3004, LogLevel.Warning, "A receipt of {Office} for parcel {Parcel} was refused: {Detail}")]
    public static partial void ReceiptWasRefused(this ILogger log, string office, Guid parcel, string detail);
}
