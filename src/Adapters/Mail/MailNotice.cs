namespace Exchange.Adapters.Mail;

/// <summary>Words to the administrator, through the gateway's own relay.</summary>
public sealed class MailNotice(MailOptions options, TimeProvider clock)
{
    readonly MailSender sender = new(options, clock);

    /// <param name="id">The same each time the same thing is told.</param>
    /// <returns>null: the relay has it. Else why not.</returns>
    public async Task<string?> SendAsync(string to, Guid id, string subject, string text, CancellationToken cancel) =>
        await sender.TellAsync(new OutgoingMail(to, id.ToString(), null, default, null) { Words = (subject, text) }, cancel).ConfigureAwait(false);
}
