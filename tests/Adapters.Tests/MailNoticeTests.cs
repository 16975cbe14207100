using Exchange.Adapters.Mail;
using MimeKit;

namespace Exchange.Tests;

/// <summary>What an administrator is told by mail, through a real relay into a real mailbox.</summary>
[Collection(nameof(MailServers))]
public sealed class MailNoticeTests(MailServers servers)
{
    [Fact]
    public async Task A_notice_arrives_as_it_was_written_and_a_relay_that_does_not_take_it_says_so()
    {
        Assert.SkipUnless(servers.IsHere, "needs root, postfix and dovecot");
        var duty = servers.NewAddress("duty");
        var options = servers.Options(servers.NewAddress("gw"), _ => MailTrace.None);
        var notice = new MailNotice(options, TimeProvider.System);
        var id = Guid.CreateVersion7();
        const string text = "Văn bản hỏa tốc chưa đến nơi.\nGọi ngay cho cơ quan nhận.\n";
        Assert.Null(await notice.SendAsync(duty, id, "[gw.test/ledger] FlashUndelivered H41 +2", text, TestContext.Current.CancellationToken));
        var mail = MimeMessage.Load(await ArrivedAsync(duty));
        Assert.Equal(("[gw.test/ledger] FlashUndelivered H41 +2", text.Trim(), $"{id}@{MailServers.Domain}"), (mail.Subject, mail.TextBody!.ReplaceLineEndings("\n").Trim(), mail.MessageId));
        Assert.Equal("auto-generated", mail.Headers["Auto-Submitted"]);

        Assert.Equal("SMTP_550", await notice.SendAsync($"refused@{MailServers.Domain}", id, "s", text, TestContext.Current.CancellationToken));
        var closed = new MailNotice(options with { Smtp = options.Smtp with { Port = 1 } }, TimeProvider.System);
        Assert.StartsWith("smtp: ", await closed.SendAsync(duty, id, "s", text, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    // Whoever reads the mailbox is told by IDLE; a notice is nothing that an intake takes.
    async Task<string> ArrivedAsync(string address)
    {
        using var intake = new MailIntake(servers.Options(address), TimeProvider.System);
        while (true)
        {
            var arriving = intake.Arriving;
            await intake.StepAsync((_, _) => throw new InvalidOperationException("a notice is no parcel"), TestContext.Current.CancellationToken);
            if (servers.Mails(address, "Quarantine") is [var mail]) return mail;
            await arriving.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        }
    }
}
