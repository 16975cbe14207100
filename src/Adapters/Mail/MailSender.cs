using System.Globalization;
using MailKit;
using MailKit.Net.Smtp;
using MimeKit;

namespace Exchange.Adapters.Mail;

/// <summary>A mail of the gateway: opaque attachments under neutral names, nothing in the text; or a notice to its administrator.</summary>
/// <param name="Id">Local part of its Message-ID, the same each time the same thing is sent.</param>
/// <param name="Parcel">Reports are asked for under this name; null: none are.</param>
/// <param name="Small">Attached first, whole; empty: not at all.</param>
/// <param name="Large">Attached last, streamed: when its last byte is out, the end of the mail may be out as well.</param>
sealed record OutgoingMail(string To, string Id, Guid? Parcel, (string Name, ReadOnlyMemory<byte> Bytes) Small, (string Name, MailContent Content)? Large)
{
    /// <summary>null: there are no words.</summary>
    public (string Subject, string Text)? Words { get; init; }
}

/// <summary>One SMTP session a mail: what a relay says is an outcome. Nothing here retries.</summary>
sealed class MailSender(MailOptions options, TimeProvider clock)
{
    // Header fields and boundaries of what we write; far less in fact.
    const int AroundAttachments = 8 << 10;
    readonly MailConnection connection = new(options, clock);

    /// <returns>HandedOn: the relay has it. Never Delivered: that is not for a relay to say.</returns>
    public async Task<DeliveryOutcome> SendAsync(OutgoingMail mail, CancellationToken cancel)
    {
        var size = AroundAttachments + (mail.Words is { } words ? Encoded(4L * words.Text.Length) : 0) + Encoded(mail.Small.Bytes.Length) + Encoded(mail.Large?.Content.Length ?? 0);
        if (size > options.MaxBytes) return TooLarge;
        using var patience = Patience(cancel);
        using var smtp = new Reporting(mail.Parcel, size);
        using var message = Compose(mail);
        try
        {
            await connection.OpenAsync(smtp, options.Smtp, patience.Token).ConfigureAwait(false);
            if (smtp.MaxSize > 0 && size > smtp.MaxSize) return TooLarge;
            patience.CancelAfter(TimeSpan.FromSeconds(options.AnswerSeconds));
            await smtp.SendAsync(FormatOptions.Default, message, new MailboxAddress("", options.Return ?? options.From), [new MailboxAddress("", mail.To)], patience.Token, new Progress(patience, options.AnswerSeconds)).ConfigureAwait(false);
            // What comes of the farewell changes nothing: it has taken the mail.
            await GoAsync(smtp, patience.Token).ConfigureAwait(false);
            return new DeliveryOutcome.HandedOn(options.ReportWithin);
        }
        catch (SmtpCommandException e) { return Answered(e); }
        catch (MailSourceException e) { return new DeliveryOutcome.TryLater(e.Message); }
        catch (Exception e) when (MailConnection.IsTheirs(e))
        {
            // Without the final dot nothing is taken. The dot follows the last byte of the last attachment, so before that byte the mail is certainly not there; after it nobody knows.
            var mayBeThere = mail.Large is { } large ? large.Content.IsOut : patience.HasBegun;
            return mayBeThere ? new DeliveryOutcome.Unknown("smtp: " + MailConnection.Reason(e)) : new DeliveryOutcome.TryLater("smtp: " + MailConnection.Reason(e));
        }
    }

    /// <summary>For what nobody reports about.</summary>
    /// <returns>null: the relay has it. Else why not.</returns>
    public async Task<string?> TellAsync(OutgoingMail mail, CancellationToken cancel) => await SendAsync(mail, cancel).ConfigureAwait(false) switch
    {
        DeliveryOutcome.HandedOn => null,
        DeliveryOutcome.Refused refused => refused.Code,
        DeliveryOutcome.TryLater later => later.Reason,
        DeliveryOutcome.Unknown unknown => unknown.Reason,
        _ => "smtp: busy",
    };

    /// <summary>Connects, signs in, and asks whether this sender and recipient would do; no mail is sent.</summary>
    public async Task<string?> ProbeAsync(string? to, CancellationToken cancel)
    {
        using var patience = Patience(cancel);
        using var smtp = new Reporting(null, 0);
        try
        {
            await connection.OpenAsync(smtp, options.Smtp, patience.Token).ConfigureAwait(false);
            return to is null ? null : await smtp.WouldTakeAsync(options.Return ?? options.From, to, patience.Token).ConfigureAwait(false) is { } code ? $"smtp: SMTP {code}" : null;
        }
        catch (Exception e) when (MailConnection.IsTheirs(e)) { return "smtp: " + MailConnection.Reason(e); }
    }

    static readonly DeliveryOutcome.Refused TooLarge = new("MAIL_TOO_LARGE");

    /// <summary>Bytes of base64 in lines of 72 and 76, and the part's own header.</summary>
    static long Encoded(long bytes) => (bytes + 2) / 3 * 4 / 72 * 74 + 1024;

    MimeMessage Compose(OutgoingMail mail)
    {
        var body = new Multipart("mixed");
        if (mail.Words is { } said) body.Add(new TextPart("plain") { Text = said.Text });
        if (!mail.Small.Bytes.IsEmpty) body.Add(Part(mail.Small.Name, new MimeContent(new MemoryStream(mail.Small.Bytes.ToArray()))));
        if (mail.Large is { } large) body.Add(Part(large.Name, large.Content));
        var message = new MimeMessage
        {
            MessageId = $"{mail.Id}@{options.Domain}", Date = clock.GetUtcNow(), Subject = mail.Words?.Subject ?? mail.Id, Body = body,
            Headers = { { "Auto-Submitted", "auto-generated" } },
        };
        message.From.Add(new MailboxAddress("", options.From));
        message.To.Add(new MailboxAddress("", mail.To));
        return message;
    }

    static MimePart Part(string name, IMimeContent content) => new("application", "octet-stream")
    {
        Content = content, ContentDisposition = new ContentDisposition(ContentDisposition.Attachment) { FileName = name }, ContentTransferEncoding = ContentEncoding.Base64,
    };

    static DeliveryOutcome Answered(SmtpCommandException e)
    {
        var code = (int)e.StatusCode;
        if (code is < 400 or > 599) return new DeliveryOutcome.TryLater($"smtp: SMTP {code}");
        // Of the mail and its recipient: 5 is for good, 4 passes, and the relay is well. Of the session or of us: nothing that ends a parcel.
        if (code >= 500 && code != 530 && e.ErrorCode is SmtpErrorCode.RecipientNotAccepted or SmtpErrorCode.MessageNotAccepted) return new DeliveryOutcome.Refused($"SMTP_{code}");
        if (code == 552) return new DeliveryOutcome.Refused("SMTP_552");
        return code is 450 or 451 or 452 ? new DeliveryOutcome.Busy(null) : new DeliveryOutcome.TryLater($"smtp: SMTP {code}");
    }

    static async Task GoAsync(Reporting smtp, CancellationToken cancel)
    {
        try { await smtp.DisconnectAsync(true, cancel).ConfigureAwait(false); }
        catch (Exception e) when (MailConnection.IsTheirs(e)) { }
    }

    Waiting Patience(CancellationToken cancel)
    {
        var waiting = new Waiting(clock, cancel);
        waiting.CancelAfter(TimeSpan.FromSeconds(options.ConnectSeconds));
        return waiting;
    }

    /// <summary>Ends what has had no progress for too long, or what the caller ends.</summary>
    sealed class Waiting : IDisposable
    {
        readonly CancellationTokenSource late;
        readonly CancellationTokenSource both;

        public Waiting(TimeProvider clock, CancellationToken cancel)
        {
            late = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
            both = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancel);
        }

        public CancellationToken Token => both.Token;
        /// <summary>Bytes of the mail have left.</summary>
        public bool HasBegun { get; set; }
        public void CancelAfter(TimeSpan time) => late.CancelAfter(time);

        public void Dispose()
        {
            both.Dispose();
            late.Dispose();
        }
    }

    sealed class Progress(Waiting waiting, int seconds) : ITransferProgress
    {
        public void Report(long bytesTransferred, long totalSize) => Report(bytesTransferred);

        public void Report(long bytesTransferred)
        {
            waiting.HasBegun = true;
            waiting.CancelAfter(TimeSpan.FromSeconds(seconds));
        }
    }

    /// <summary>Asks for reports of success, failure and delay under the parcel's name, with the header alone returned.</summary>
    sealed class Reporting : SmtpClient
    {
        readonly Guid? parcel;
        readonly long size;

        public Reporting(Guid? parcel, long size)
        {
            (this.parcel, this.size) = (parcel, size);
            DeliveryStatusNotificationType = DeliveryStatusNotificationType.HeadersOnly;
            // Names nothing of the machine.
            LocalDomain = "[127.0.0.1]";
        }

        protected override string? GetEnvelopeId(MimeMessage message) => parcel?.ToString();

        protected override DeliveryStatusNotification? GetDeliveryStatusNotifications(MimeMessage message, MailboxAddress mailbox) =>
            parcel is null ? DeliveryStatusNotification.Never : DeliveryStatusNotification.Success | DeliveryStatusNotification.Failure | DeliveryStatusNotification.Delay;

        // Known beforehand, a little too high: the attachment is read once only.
        protected override long GetSize(FormatOptions options, MimeMessage message, CancellationToken cancellationToken) => size;
        protected override Task<long> GetSizeAsync(FormatOptions options, MimeMessage message, CancellationToken cancellationToken) => Task.FromResult(size);

        /// <returns>The code with which it would not; null: it would.</returns>
        public async Task<string?> WouldTakeAsync(string from, string to, CancellationToken cancel)
        {
            foreach (var command in new[] { $"MAIL FROM:<{from}>\r\n", $"RCPT TO:<{to}>\r\n", "RSET\r\n" })
                if (await SendCommandAsync(command, cancel).ConfigureAwait(false) is { } said && (int)said.StatusCode >= 400) return ((int)said.StatusCode).ToString(CultureInfo.InvariantCulture);
            await DisconnectAsync(true, cancel).ConfigureAwait(false);
            return null;
        }
    }
}
