using System.Collections.Concurrent;
using System.Text;
using Exchange.Adapters;
using Exchange.Adapters.Mail;
using MimeKit;

namespace Exchange.Tests;

/// <summary>What comes into the gateway's mailbox, with a real IMAP server.</summary>
[Collection(nameof(MailServers))]
public sealed class MailIntakeTests : IDisposable
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;
    readonly MailServers servers;
    readonly string address;
    readonly MailOptions options;
    readonly MailIntake intake;
    readonly ConcurrentQueue<(BroughtKind Kind, byte[] Bytes, CarrierReport? Report)> taken = [];
    Func<Brought, IntakeAnswer> answer = _ => new(IntakeVerdict.Taken);

    public MailIntakeTests(MailServers servers)
    {
        this.servers = servers;
        if (!servers.IsHere) Assert.Skip("needs root, postfix and dovecot");
        address = servers.NewAddress("gw");
        options = servers.Options(address) with { MaxBytes = 3_000_000 };
        intake = new MailIntake(options, TimeProvider.System);
    }

    public void Dispose() => intake?.Dispose();

    async Task<IntakeAnswer> TakeAsync(Brought brought, CancellationToken cancel)
    {
        using var bytes = new MemoryStream();
        await brought.Content.CopyToAsync(bytes, cancel);
        taken.Enqueue((brought.Kind, bytes.ToArray(), brought.Report));
        return answer(brought);
    }

    Task<IntakeRound> Step() => intake.StepAsync(TakeAsync, Cancel);
    int Waiting => servers.Mails(address).Count;
    int Aside => servers.Mails(address, options.Quarantine).Count;

    [Fact]
    public async Task Among_all_that_strangers_send_what_is_ours_is_taken_and_all_else_put_aside()
    {
        var (envelope, receipt, parcel) = (Conformance.Bytes(1_500_000), Conformance.Bytes(900), Guid.CreateVersion7());
        foreach (var (_, write) in HostileMails.All) servers.Plant(address, write);
        servers.Plant(address, HostileMails.Mixed(HostileMails.Attachment("a.bin", "base64", Convert.ToBase64String(envelope, Base64FormattingOptions.InsertLineBreaks))));
        servers.Plant(address, HostileMails.Mixed(HostileMails.Attachment("r.p7s", "base64", Convert.ToBase64String(receipt))));
        servers.Plant(address, HostileMails.Text(HostileMails.Report($"Original-Envelope-Id: {parcel}\r\n", "delivered", "2.0.0")));
        // Our own mail, back from wherever it was sent.
        servers.Plant(address, HostileMails.Mixed(HostileMails.Attachment("a.bin", "base64", "AAAA"), $"From: {address}\r\nMessage-ID: <{parcel}@{MailServers.Domain}>\r\n"));
        var round = await Step();
        Assert.Equal(new IntakeRound(3, HostileMails.All.Count + 1, 0, null), round);
        Assert.Equal((0, HostileMails.All.Count + 1), (Waiting, Aside));
        Assert.Equal([BroughtKind.Envelope, BroughtKind.Receipt, BroughtKind.Report], taken.Select(t => t.Kind));
        Assert.Equal(envelope, taken.First().Bytes);
        Assert.Equal(receipt, taken.ElementAt(1).Bytes);
        Assert.Equal(new CarrierReport(parcel, "h41@gw.test", ReportedAction.Delivered, "DSN_2_0_0"), taken.Last().Report);
        Assert.Empty(servers.Temporary);
    }

    [Fact]
    public async Task A_mail_leaves_the_inbox_only_after_it_was_taken_and_never_keeps_the_next_from_its_turn()
    {
        foreach (var content in new[] { "MQ==", "Mg==", "Mw==" }) servers.Plant(address, HostileMails.Mixed(HostileMails.Attachment("a.bin", "base64", content)));
        answer = b => b.Content.Length != 1 ? throw new InvalidOperationException() : Text(taken.Last().Bytes) switch
        {
            "1" => new(IntakeVerdict.Later),
            "2" => throw new InvalidOperationException("a mistake of ours"),
            _ => new(IntakeVerdict.Taken),
        };
        Assert.Equal(new IntakeRound(1, 0, 2, null), await Step());
        Assert.Equal(new IntakeRound(0, 0, 2, null), await Step());
        // The third time what failed is put aside; what was told to wait waits.
        Assert.Equal(new IntakeRound(0, 1, 1, null), await Step());
        answer = _ => new(IntakeVerdict.Taken);
        Assert.Equal(new IntakeRound(1, 0, 0, null), await Step());
        Assert.Equal((0, 1), (Waiting, Aside));
        // Cut off in the middle of being taken: it is still there.
        servers.Plant(address, HostileMails.Mixed(HostileMails.Attachment("a.bin", "base64", "MQ==")));
        using var stop = new CancellationTokenSource();
        answer = _ =>
        {
            stop.Cancel();
            return new(IntakeVerdict.Taken);
        };
        await intake.StepAsync(TakeAsync, stop.Token);
        Assert.Equal(1, Waiting);
    }

    [Fact]
    public async Task The_receipt_goes_out_before_the_mail_is_let_go()
    {
        var office = servers.NewAddress("office");
        IntakeReply To(string where) => new("H41", new Dictionary<string, string> { ["address"] = where }, "the-receipt", "receipt"u8.ToArray());
        servers.Plant(address, HostileMails.Mixed(HostileMails.Attachment("a.bin", "base64", "MQ==")));
        answer = _ => new(IntakeVerdict.Taken, To("later@" + MailServers.Domain));
        Assert.Equal(new IntakeRound(0, 0, 1, null), await Step());
        answer = _ => new(IntakeVerdict.Taken, To(office));
        Assert.Equal(new IntakeRound(1, 0, 0, null), await Step());
        // One that its address refuses for good is not tried for ever.
        servers.Plant(address, HostileMails.Mixed(HostileMails.Attachment("a.bin", "base64", "MQ==")));
        answer = _ => new(IntakeVerdict.Taken, To("refused@" + MailServers.Domain));
        Assert.Equal(new IntakeRound(1, 0, 0, null), await Step());
        using var reader = new MailIntake(servers.Options(office), TimeProvider.System);
        while (servers.Mails(office).Count == 0)
        {
            var arriving = reader.Arriving;
            await reader.StepAsync((_, _) => Task.FromResult(new IntakeAnswer(IntakeVerdict.Later)), Cancel);
            if (servers.Mails(office).Count == 0) await arriving.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        }
        var mail = MimeMessage.Load(Assert.Single(servers.Mails(office)));
        Assert.Equal("the-receipt@" + MailServers.Domain, mail.MessageId);
        using var bytes = new MemoryStream();
        mail.BodyParts.OfType<MimePart>().Single(p => p.FileName == "the-receipt.p7s").Content!.DecodeTo(bytes);
        Assert.Equal("receipt", Text(bytes.ToArray()));
        // What is signed afterwards waits where it was made until the relay has it.
        Assert.Null(await intake.ReplyAsync(To(office), Cancel));
        Assert.Equal("smtp: busy", await intake.ReplyAsync(To("later@" + MailServers.Domain), Cancel));
        Assert.Matches("^SMTP_5", await intake.ReplyAsync(To("refused@" + MailServers.Domain), Cancel));
        Assert.Contains("address", await intake.ReplyAsync(To("nowhere"), Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_told_of_new_mail_and_goes_on_after_a_broken_line_and_new_numbers()
    {
        void One() => servers.Plant(address, HostileMails.Mixed(HostileMails.Attachment("a.bin", "base64", "MQ==")));
        One();
        var arriving = intake.Arriving;
        Assert.Equal(new IntakeRound(1, 0, 0, null), await Step());
        One();
        await arriving.WaitAsync(TimeSpan.FromSeconds(20), Cancel);
        Assert.Equal(new IntakeRound(1, 0, 0, null), await Step());
        // The line breaks while it idles: the next round has another.
        servers.BreakConnections();
        One();
        var broken = await Step();
        Assert.True(broken is { Taken: 1, Problem: null } or { Taken: 0, Problem: not null }, broken.ToString());
        if (broken.Problem is not null) Assert.Equal(new IntakeRound(1, 0, 0, null), await Step());
        // A new UIDVALIDITY: what was seen under the old numbers says nothing, and nothing is skipped.
        servers.BreakConnections();
        servers.Renumber(address);
        One();
        var round = await Step();
        if (round.Problem is not null) round = await Step();
        Assert.Equal((1, 0), (round.Taken, Waiting));
        using var wrong = new MailIntake(options with { Imap = options.Imap! with { Password = "wrong" } }, TimeProvider.System);
        Assert.Equal("imap: the server does not accept the user", (await wrong.StepAsync(TakeAsync, Cancel)).Problem);
        Assert.Equal("imap: the server does not accept the user", await wrong.ProbeAsync(Cancel));
    }

    static string Text(byte[] bytes) => Encoding.ASCII.GetString(bytes);
}
