using System.Text.Json.Nodes;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace Exchange.Tests;

/// <summary>Two offices that have nothing but mailboxes, and a gateway in a process of its own.</summary>
[Trait("tier", "long")]
public sealed class MailTests(DevelopmentPki pki, MailServers servers) : IClassFixture<MailServers>
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_dispatch_goes_there_and_its_receipt_comes_back_by_mail_only()
    {
        if (!servers.IsHere) Assert.Skip("needs root, postfix and dovecot");
        var (gateway, sender, receiver) = (servers.NewAddress("gateway"), servers.NewAddress("g22"), servers.NewAddress("h41"));
        await using var site = await Site.StartAsync(pki);
        await site.StopGatewayAsync();
        Configure(site, gateway);
        await site.ServeAsync();
        await site.ReachAsync(2, "--office", "G22", "--adapter", "mail", "--setting", $"address={sender}");
        await site.ReachAsync(3, "--office", "H41", "--adapter", "mail", "--setting", $"address={receiver}");
        var ping = await Site.RunAsync(Site.GatewayProgram, ["ping", "H41", "--data", site.Data]);
        Assert.Contains("good   mail: the relay let us in", ping.Out, StringComparison.Ordinal);

        // There: larger than what one request may carry would not matter, the mail's size does.
        var (g22, h41) = (new OfficeByHand(pki.Folder.FullName, "G22"), new OfficeByHand(pki.Folder.FullName, "H41"));
        var ready = await g22.SealAsync("H41", 1_200_000);
        await MailAsync(sender, gateway, "văn bản.exd", ready.File);
        var accepted = await ReceivedAsync(sender, ".p7s");
        var receipt = Statement.Read(accepted, StatementType.Receipt).As<Receipt>();
        Assert.Equal((ReceiptEvent.SubmissionAcceptance, ready.Id), (receipt.Event, receipt.Envelope));
        using var inside = new MemoryStream();
        using var key = FileKey.Load(pki.At("offices", "H41", "encrypt.p12"), File.ReadLines(pki.At("passphrase")).First());
        var opened = await SealedParcelOpener.OpenAsync(new MemoryStream(await ReceivedAsync(receiver, ".bin")), [key], inside, Cancel);
        Assert.Equal(ready.File, inside.ToArray());
        Assert.Equal(accepted, opened.Receipt);

        // And back: the office says that it has it, twice, as mail happens to come.
        var handover = h41.Handover(ready.File);
        await MailAsync(receiver, gateway, "r.p7s", handover);
        await MailAsync(receiver, gateway, "r.p7s", handover);
        using var client = g22.Connect(site.Gateway.Address);
        string copies = "";
        await Site.UntilAsync(async () => (copies = await client.GetStringAsync($"/dispatches/{ready.Id}", Cancel)).Contains("\"delivered\"", StringComparison.Ordinal), seconds: 90);
        var receipts = JsonNode.Parse(await client.GetStringAsync($"/dispatches/{ready.Id}/receipts", Cancel))!["receipts"]!.AsArray().Select(r => r!["event"]!.GetValue<string>()).ToList();
        Assert.Contains(ReceiptEvent.ContentConsignment, receipts);
        await Site.UntilAsync(async () => (await client.GetStringAsync($"/dispatches/{ready.Id}/receipts", Cancel)).Contains(ReceiptEvent.ContentHandover, StringComparison.Ordinal), seconds: 90);
        // The sender, who is never connected, has them in his mailbox, each once.
        await Site.UntilAsync(() => Task.FromResult(Receipts(sender).Count == 3), seconds: 90);
        Assert.Equal([ReceiptEvent.ContentConsignment, ReceiptEvent.ContentHandover, ReceiptEvent.SubmissionAcceptance], Receipts(sender).Select(r => r.Event).Order(StringComparer.Ordinal));
        await Site.UntilAsync(() => Task.FromResult(servers.Mails(gateway).Count == 0), seconds: 90);
        Assert.Empty(servers.Mails(gateway, "Quarantine"));
        var log = await File.ReadAllTextAsync(site.Log, Cancel);
        Assert.DoesNotContain("gw.test", log, StringComparison.Ordinal);
    }

    void Configure(Site site, string address)
    {
        var config = Path.Combine(site.Data, "gateway.json");
        var passphrase = site.At("mail-passphrase");
        File.WriteAllText(passphrase, MailServers.Password + "\n");
        var json = JsonNode.Parse(File.ReadAllBytes(config))!.AsObject();
        JsonObject Server(int port) => new() { ["host"] = "127.0.0.1", ["port"] = port, ["tls"] = "starttls", ["user"] = address, ["passphraseFile"] = passphrase };
        json["mail"] = new JsonObject { ["address"] = address, ["smtp"] = Server(servers.StartTls), ["imap"] = Server(servers.Imap), ["ca"] = servers.AuthorityFile };
        json["limits"] = new JsonObject { ["intakeSeconds"] = 5 };
        File.WriteAllText(config, json.ToJsonString());
    }

    /// <summary>As a clerk's mail program does it.</summary>
    async Task MailAsync(string from, string to, string name, byte[] bytes)
    {
        var message = new MimeMessage { Subject = "gửi", Body = new BodyBuilder { TextBody = "Kính gửi", Attachments = { { name, bytes, new ContentType("application", "octet-stream") } } }.ToMessageBody() };
        message.From.Add(new MailboxAddress("", from));
        message.To.Add(new MailboxAddress("", to));
        using var smtp = new SmtpClient { CheckCertificateRevocation = false, ServerCertificateValidationCallback = (_, shown, _, _) => System.Security.Cryptography.SHA256.HashData(shown!.GetRawCertData()).AsSpan().SequenceEqual(servers.ServerPin) };
        await smtp.ConnectAsync("127.0.0.1", servers.StartTls, SecureSocketOptions.StartTls, Cancel);
        await smtp.AuthenticateAsync(from, MailServers.Password, Cancel);
        await smtp.SendAsync(message, Cancel);
        await smtp.DisconnectAsync(true, Cancel);
    }

    IReadOnlyList<Receipt> Receipts(string address) => [.. Attachments(address, ".p7s").Where(p => !p.FileName!.EndsWith(".receipt.p7s", StringComparison.Ordinal)).Select(p => Statement.Read(Decoded(p), StatementType.Receipt).As<Receipt>())];

    IEnumerable<MimePart> Attachments(string address, string ending) =>
        servers.Mails(address).Select(f => MimeMessage.Load(f)).SelectMany(m => m.BodyParts.OfType<MimePart>()).Where(p => p.FileName?.EndsWith(ending, StringComparison.Ordinal) == true);

    static byte[] Decoded(MimePart part)
    {
        using var bytes = new MemoryStream();
        part.Content!.DecodeTo(bytes);
        return bytes.ToArray();
    }

    /// <summary>The attachment of the first mail that has one of this ending.</summary>
    async Task<byte[]> ReceivedAsync(string address, string ending)
    {
        byte[]? found = null;
        await Site.UntilAsync(() =>
        {
            if (Attachments(address, ending).FirstOrDefault() is not { } part) return Task.FromResult(false);
            found = Decoded(part);
            return Task.FromResult(true);
        }, seconds: 90);
        return found!;
    }
}
