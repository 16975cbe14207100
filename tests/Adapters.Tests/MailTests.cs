using System.Net;
using System.Net.Sockets;
using System.Text;
using Exchange.Adapters;
using Exchange.Adapters.Mail;

namespace Exchange.Tests;

/// <summary>Sending, against real servers where they are.</summary>
[Collection(nameof(MailServers))]
public sealed class MailTests(MailServers servers)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    MailPeer Peer(Func<MailOptions, MailOptions>? change = null)
    {
        if (!servers.IsHere) Assert.Skip("needs root, postfix and dovecot");
        return new MailPeer(servers, change);
    }

    static Task<DeliveryOutcome> Send(MailPeer there, int length = 1000) => there.Adapter.DeliverAsync(there.NewParcel(length), Conformance.Open(Conformance.Bytes(length)), Cancel);

    [Fact]
    public async Task Nothing_is_sent_to_a_server_that_is_not_the_one_configured_or_offers_no_TLS()
    {
        var options = Peer().Options;
        async Task Refused(Func<MailOptions, MailOptions> change, string reason)
        {
            await using var there = Peer(change);
            Assert.Contains(reason, Assert.IsType<DeliveryOutcome.TryLater>(await Send(there)).Reason, StringComparison.Ordinal);
            Assert.Contains(reason, await there.Adapter.ProbeAsync(there.NewParcel(0), Cancel), StringComparison.Ordinal);
            Assert.Equal(0, there.Effects);
        }
        using var plain = new PlainServer();
        await Refused(o => o with { Authorities = [servers.Client] }, "its certificate");
        await Refused(o => o with { Pins = [new byte[32]] }, "its certificate");
        await Refused(o => o with { Smtp = o.Smtp with { Host = "localhost" } }, "its certificate");
        await Refused(o => o with { Smtp = o.Smtp with { Port = plain.Port } }, "STARTTLS");
        await Refused(o => o with { Smtp = o.Smtp with { Password = "wrong" } }, "the user");
        Assert.DoesNotContain("MAIL", plain.Heard, StringComparison.Ordinal);
        Assert.DoesNotContain("AUTH", plain.Heard, StringComparison.Ordinal);
        Assert.NotNull(options);
    }

    [Fact]
    public async Task A_pin_alone_implicit_TLS_and_a_client_certificate_will_do()
    {
        foreach (var change in new Func<MailOptions, MailOptions>[]
        {
            o => o with { Authorities = [], Pins = [servers.ServerPin] },
            o => o with { Smtp = servers.Options(o.From, tls: MailTls.Implicit).Smtp, Imap = servers.Options(o.From, tls: MailTls.Implicit).Imap },
            o => o with { Smtp = o.Smtp with { User = null, Password = null, Client = servers.Client } },
        })
        {
            await using var there = Peer(change);
            Assert.Null(await there.Adapter.ProbeAsync(there.NewParcel(0), Cancel));
            Assert.IsType<DeliveryOutcome.HandedOn>(await Send(there));
        }
    }

    [Fact]
    public async Task What_the_relay_says_of_the_recipient_is_told_apart()
    {
        await using var there = Peer();
        there.Aim("refused@" + MailServers.Domain);
        Assert.Equal(new DeliveryOutcome.Refused("SMTP_550"), await Send(there));
        Assert.Equal("smtp: SMTP 550", await there.Adapter.ProbeAsync(there.NewParcel(0), Cancel));
        there.Aim("later@" + MailServers.Domain);
        Assert.IsType<DeliveryOutcome.Busy>(await Send(there));
        there.Aim("a@elsewhere.test");
        Assert.IsNotType<DeliveryOutcome.HandedOn>(await Send(there));
        // Larger than the relay takes (3 MB) and than we would send: neither is begun.
        there.Aim(there.Office);
        Assert.Equal(new DeliveryOutcome.Refused("MAIL_TOO_LARGE"), await Send(there, 2_300_000));
        Assert.IsType<DeliveryOutcome.HandedOn>(await Send(there, 2_000_000));
        await using var small = Peer(o => o with { MaxBytes = 64 << 10 });
        Assert.Equal(new DeliveryOutcome.Refused("MAIL_TOO_LARGE"), await Send(small, 50_000));
    }

    [Fact]
    public async Task When_the_answer_to_its_last_byte_is_lost_nobody_knows()
    {
        // The relay has taken it, and what it says of that is spoilt on the way. (Broken off before its last byte: the suite of all adapters.)
        await using var there = Peer(o => o with { AnswerSeconds = 60 });
        there.Answer(Manner.Wrongly);
        Assert.IsType<DeliveryOutcome.Unknown>(await Send(there, 300_000));
    }

    [Fact]
    public async Task What_comes_back_ends_the_parcel_and_what_is_given_to_somebody_who_does_not_report_waits()
    {
        await using var there = Peer();
        there.Aim("bounced@" + MailServers.Domain);
        var parcel = there.NewParcel(1000);
        Assert.IsType<DeliveryOutcome.HandedOn>(await there.Adapter.DeliverAsync(parcel, Conformance.Open(Conformance.Bytes(1000)), Cancel));
        Assert.Equal(new DeliveryOutcome.Refused("DSN_5_1_1"), await there.HearAsync(there.Adapter, parcel));
        there.Aim(there.Office.Replace(MailServers.Domain, MailServers.Forgetful, StringComparison.Ordinal));
        parcel = there.NewParcel(1000);
        Assert.IsType<DeliveryOutcome.HandedOn>(await there.Adapter.DeliverAsync(parcel, Conformance.Open(Conformance.Bytes(1000)), Cancel));
        Assert.IsType<DeliveryOutcome.HandedOn>(await there.HearAsync(there.Adapter, parcel));
        Assert.NotNull(there.Held(parcel.Id));
    }

    [Fact]
    public async Task A_mail_tells_nothing_but_the_parcels_id()
    {
        await using var there = Peer();
        var parcel = there.NewParcel(1000) with { Receipt = default };
        await there.Adapter.DeliverAsync(parcel, Conformance.Open(Conformance.Bytes(1000)), Cancel);
        await there.HearAsync(there.Adapter, parcel);
        var mail = Assert.Single(there.Messages);
        Assert.Equal(($"{parcel.Id}", $"{parcel.Id}@{MailServers.Domain}", "auto-generated"), (mail.Subject, mail.MessageId, mail.Headers["Auto-Submitted"]));
        Assert.Equal([$"{parcel.Id}.bin"], mail.BodyParts.OfType<MimeKit.MimePart>().Select(p => p.FileName));
        // As a word: three characters stand in a random boundary now and then.
        Assert.DoesNotMatch(@"\bH41\b", mail.ToString());
        Assert.DoesNotContain(Environment.MachineName, mail.Headers["Received"] ?? "", StringComparison.OrdinalIgnoreCase);
    }

    public static TheoryData<bool, ReportedAction?, string, int, string?> Words => new()
    {
        { true, null, "", 1, "HandedOn" }, { true, null, "", 239, "HandedOn" }, { true, null, "", 241, null },
        { false, null, "", 1, "Unknown" }, { false, null, "", 16, null },
        { true, ReportedAction.Delivered, "DSN_2_0_0", 1000, "Delivered" }, { false, ReportedAction.Delivered, "DSN_2_0_0", 1, "Delivered" },
        { true, ReportedAction.Failed, "DSN_5_1_1", 1, "Refused" }, { true, ReportedAction.Failed, "DSN_4_4_7", 10, "TryLater" }, { true, ReportedAction.Failed, "DSN_4_4_7", 20, null },
        { true, ReportedAction.Relayed, "DSN_2_0_0", 1000, "HandedOn" }, { true, ReportedAction.Delayed, "DSN_4_4_1", 1000, "HandedOn" },
    };

    [Theory, MemberData(nameof(Words))]
    public async Task What_was_heard_and_how_long_ago_says_what_follows(bool handedOn, ReportedAction? action, string code, int minutes, string? expected)
    {
        var (parcel, now) = (new Parcel(Guid.CreateVersion7(), "H41", 1, default, new Dictionary<string, string> { ["address"] = "h41@gw.test" }), TimeProvider.System.GetUtcNow());
        var then = now.AddMinutes(-minutes);
        var adapter = new MailAdapter(new MailOptions
        {
            Smtp = new("127.0.0.1", 1, MailTls.StartTls, null, null, null), From = "gw@gw.test", Authorities = [], Pins = [new byte[32]], Temporary = "/nowhere",
            Trace = _ => new MailTrace(then, handedOn, action is { } a ? new CarrierReport(parcel.Id, "", a, code) : null, action is null ? null : then),
        }, TimeProvider.System);
        Assert.Equal(expected, (await adapter.AskAsync(parcel, Cancel))?.GetType().Name);
    }

    /// <summary>An SMTP server that offers no TLS.</summary>
    sealed class PlainServer : IDisposable
    {
        readonly TcpListener listener = new(IPAddress.Loopback, 0);
        readonly StringBuilder heard = new();

        public PlainServer()
        {
            listener.Start();
            _ = ServeAsync();
        }

        public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;
        public string Heard => heard.ToString();

        async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    using var client = await listener.AcceptTcpClientAsync();
                    using var lines = new StreamReader(client.GetStream());
                    await client.GetStream().WriteAsync("220 plain.test\r\n"u8.ToArray());
                    while (await lines.ReadLineAsync() is { } line)
                    {
                        heard.AppendLine(line);
                        await client.GetStream().WriteAsync("250 AUTH PLAIN\r\n"u8.ToArray());
                    }
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException) { }
        }

        public void Dispose() => listener.Stop();
    }
}
