using Exchange.Adapters;
using Exchange.Adapters.Mail;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway;
using Exchange.Gateway.Store;
using Exchange.Tests.Delivery;
using Exchange.Tests.Http;
using Exchange.Tests.Recalling;

namespace Exchange.Tests.Intake;

/// <summary>One gateway two of whose offices are reached by a mail channel that the test plays.</summary>
public sealed class MailedGateway : IAsyncLifetime
{
    int standing = 1;
    internal ScriptedIntake Mail { get; } = new();
    internal ScriptedAdapter Carrier { get; } = new() { Name = "mail", EndsAtOffice = false };
    internal TestGateway Gateway { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Gateway = await TestGateway.Start(limits: l => l with { InlinePayloadBytes = 256 << 10 }, intake: Mail, adapters: Carrier);
        await Reach();
        await Gateway.Host.Loops.StepAll();
    }

    /// <summary>H14 and H37 keep their mailboxes, which may carry every level.</summary>
    public Task Reach(string ofG22 = "mail", bool ceiling = true) => Gateway.Activate(DevPkiFolder.Standing(++standing, o => o.Code is not ("G22" or "H41") ? o : o with
    {
        Channel = o.Channel with { Adapter = o.Code == "G22" ? ofG22 : "mail", Ceiling = ceiling || o.Code != "G22" ? o.Channel.Ceiling : null, Settings = new(StringComparer.Ordinal) { ["address"] = $"{o.Code}@gw.test" } },
    }));

    public async ValueTask DisposeAsync()
    {
        var shared = Gateway.Host.Shared;
        Assert.Empty(StoreCheck.Run(shared.Engine, shared.Blobs, []));
        await Gateway.DisposeAsync();
    }
}

/// <summary>What channels bring in, from the callback of the intake on: G22 sends and H41 receives by mail.</summary>
public sealed partial class IntakeTests(MailedGateway mailed) : IClassFixture<MailedGateway>
{
    readonly ScriptedIntake mail = mailed.Mail;
    readonly ScriptedAdapter carrier = mailed.Carrier;
    readonly TestGateway gateway = mailed.Gateway;
    readonly Dictionary<EntryKind, int> before = Counted(mailed.Gateway);

    [Theory, InlineData(1_000), InlineData(300_000)]
    public async Task An_envelope_is_submitted_as_its_senders_and_answered_at_the_address_of_the_standing(int size)
    {
        var (envelope, file) = await gateway.SealFile("H41", size: size);
        var answer = await mail.Bring(BroughtKind.Envelope, file);
        Assert.Equal(IntakeVerdict.Taken, answer.Verdict);
        Assert.Equal(("G22", "G22@gw.test"), (answer.Reply!.Office, answer.Reply.Settings["address"]));
        var receipt = Statement.Read(answer.Reply.Receipt, StatementType.Receipt).As<Receipt>();
        Assert.Equal((ReceiptEvent.SubmissionAcceptance, envelope.Ctx), (receipt.Event, receipt.Ctx));
        // The same once more: the first receipt under the same name, and nothing is made twice.
        var again = await mail.Bring(BroughtKind.Envelope, file);
        Assert.Equal(answer.Reply.Name, again.Reply!.Name);
        Assert.Equal(answer.Reply.Receipt.ToArray(), again.Reply.Receipt.ToArray());
        Assert.Equal(1, New(EntryKind.Submission));
    }

    [Fact]
    public async Task What_is_not_signed_by_an_office_of_this_channel_is_put_aside_unanswered_and_charged_to_nobody()
    {
        var (_, file) = await gateway.SealFile("H41");
        var (_, forged) = await gateway.SealFile("H41", change: r => r with { Office = DevPkiFolder.Sign("H14") });
        Assert.Equal(new IntakeAnswer(IntakeVerdict.Quarantine), await mail.Bring(BroughtKind.Envelope, forged));
        Assert.Equal(new IntakeAnswer(IntakeVerdict.Quarantine), await mail.Bring(BroughtKind.Envelope, "not an envelope"u8.ToArray()));
        Assert.Equal(new IntakeAnswer(IntakeVerdict.Quarantine), await mail.Bring(BroughtKind.Receipt, file));
        await mailed.Reach(ofG22: "mailbox");
        Assert.Equal(new IntakeAnswer(IntakeVerdict.Quarantine), await mail.Bring(BroughtKind.Envelope, file));
        await mailed.Reach();
        Assert.Equal(0, New(EntryKind.Rejection));
        Assert.Equal(0, New(EntryKind.Submission));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task What_this_channel_may_not_carry_is_refused_once_however_often_it_is_brought(bool ceiling)
    {
        // Mật may not travel by mail whatever the ceiling says; without a ceiling nothing but the lowest level may. To H37 it may go, and over HTTPS it does.
        await mailed.Reach(ceiling: ceiling);
        // Other tests of this gateway have moved its clock by more than a directory may be old at that level.
        gateway.Host.Shared.Circumstances.Looked(gateway.Clock.GetUtcNow());
        var (_, file) = await gateway.SealFile("H37", "mat");
        var (_, other) = await gateway.SealFile("H37", "mat");
        Assert.Equal(201, (await gateway.Submit(other)).Status);
        var first = await mail.Bring(BroughtKind.Envelope, file);
        var second = await mail.Bring(BroughtKind.Envelope, file);
        Assert.Equal((IntakeVerdict.Taken, IntakeVerdict.Taken), (first.Verdict, second.Verdict));
        Assert.Equal(ReceiptEvent.SubmissionRejection, Statement.Read(first.Reply!.Receipt, StatementType.Receipt).As<Receipt>().Event);
        Assert.Equal(first.Reply.Receipt.ToArray(), second.Reply!.Receipt.ToArray());
        Assert.Equal(1, New(EntryKind.Rejection));
        await mailed.Reach();
    }

    [Fact]
    public async Task An_update_comes_without_its_payload_by_this_way_too()
    {
        var (original, file) = await gateway.SealKept("H41", "H37", size: 100_000);
        await mail.Bring(BroughtKind.Envelope, file);
        var update = gateway.Reseal(original, "H37");
        var answer = await mail.Bring(BroughtKind.Envelope, Crypto.Envelope.EnvelopeFile.Write(update.Parts));
        Assert.Equal("OK", Statement.Read(answer.Reply!.Receipt, StatementType.Receipt).As<Receipt>().Code);
        Assert.Equal(Updating.Whole(update, original, file), (await gateway.Fetch(update, "H37")).Body);
    }

    [Fact]
    public async Task An_envelope_without_its_payload_is_refused()
    {
        var (envelope, _) = await gateway.SealFile("H41", size: 100_000);
        var answer = await mail.Bring(BroughtKind.Envelope, Crypto.Envelope.EnvelopeFile.Write(envelope.Parts));
        Assert.Equal(Refusal.PayloadLength.Code, Statement.Read(answer.Reply!.Receipt, StatementType.Receipt).As<Receipt>().Code);
        Assert.Equal(0, New(EntryKind.Submission));
    }

    [Fact]
    public async Task The_offices_receipt_ends_a_copy_that_a_carrier_has_on_the_way()
    {
        var (envelope, parcel) = await HandedOn();
        // Opened, it says, before it says that it has it: brought again until the other has come.
        Assert.Equal(IntakeVerdict.Later, (await mail.Bring(BroughtKind.Receipt, OfficeReceipts.Sign(envelope, ReceiptEvent.ContentOpening))).Verdict);
        var handover = OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover);
        Assert.Equal(new IntakeAnswer(IntakeVerdict.Taken), await mail.Bring(BroughtKind.Receipt, handover));
        Assert.Equal("delivered", await State(envelope));
        Assert.Equal(new IntakeAnswer(IntakeVerdict.Taken), await mail.Bring(BroughtKind.Receipt, handover));
        Assert.Equal(IntakeVerdict.Taken, (await mail.Bring(BroughtKind.Receipt, OfficeReceipts.Sign(envelope, ReceiptEvent.ContentOpening))).Verdict);
        Assert.Equal(1, New(EntryKind.Consignment));
        Assert.Equal(1, New(EntryKind.Opening));
        gateway.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, await gateway.Deliver());
        // Another office's word about it counts for nothing.
        Assert.Equal(IntakeVerdict.Quarantine, (await mail.Bring(BroughtKind.Receipt, OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover, signer: DevPkiFolder.Sign("H14")))).Verdict);
        // And a report that comes late changes nothing.
        Assert.Equal(IntakeVerdict.Taken, (await mail.Report(parcel, ReportedAction.Failed, "DSN_5_1_1")).Verdict);
        Assert.Equal("delivered", await State(envelope));
    }

    [Fact]
    public async Task A_report_is_written_down_once_and_the_carrier_is_asked_at_once()
    {
        var (envelope, parcel) = await HandedOn();
        var sent = carrier.Received.Count;
        carrier.Holds = p => p.Id != parcel ? new DeliveryOutcome.HandedOn(TimeSpan.FromHours(4)) : new DeliveryOutcome.Delivered(null);
        Assert.Equal(IntakeVerdict.Quarantine, (await mail.Report(Guid.CreateVersion7(), ReportedAction.Delivered)).Verdict);
        Assert.Equal(IntakeVerdict.Quarantine, (await mail.Report(parcel, ReportedAction.Delivered, to: "somebody@else.test")).Verdict);
        Assert.Equal(0, await gateway.Deliver());
        Assert.Equal(IntakeVerdict.Taken, (await mail.Report(parcel, ReportedAction.Delivered, to: "h41@GW.test")).Verdict);
        Assert.Equal(IntakeVerdict.Taken, (await mail.Report(parcel, ReportedAction.Delivered, to: "h41@GW.test")).Verdict);
        Assert.Equal(1, New(EntryKind.Report));
        Assert.Equal(1, await gateway.Deliver());
        Assert.Equal(("delivered", sent), (await State(envelope), carrier.Received.Count));
        Assert.Equal(1, New(EntryKind.Delivery));
    }

    [Fact]
    public async Task Without_a_word_for_so_long_it_may_be_sent_again_however_often_it_was_asked_about()
    {
        var (_, id) = await HandedOn();
        Task<DeliveryOutcome?> Ask() => Adapter.AskAsync(Copy(id), CancellationToken.None);
        Assert.Null(await Adapter.AskAsync(Copy(Guid.CreateVersion7()), CancellationToken.None));
        Assert.IsType<DeliveryOutcome.HandedOn>(await Ask());
        // Asked twice meanwhile: that is no sending.
        carrier.Holds = _ => new DeliveryOutcome.HandedOn(TimeSpan.FromMinutes(90));
        for (var i = 0; i < 2; i++)
        {
            gateway.Clock.Advance(TimeSpan.FromMinutes(241) / 2);
            await mail.Report(id, ReportedAction.Delayed, $"DSN_4_4_{i}");
            await gateway.Deliver();
        }
        Assert.IsType<DeliveryOutcome.HandedOn>(await Ask());
        // The delays say that it is still on its way. Sent anew, what was reported before says nothing.
        carrier.Holds = p => p.Id == id ? null : new DeliveryOutcome.HandedOn(TimeSpan.FromHours(4));
        gateway.Clock.Advance(TimeSpan.FromMinutes(91));
        await gateway.Deliver();
        gateway.Clock.Advance(TimeSpan.FromMinutes(120));
        carrier.Holds = _ => new DeliveryOutcome.HandedOn(TimeSpan.FromHours(2));
        await gateway.Deliver();
        Assert.IsType<DeliveryOutcome.HandedOn>(await Ask());
        gateway.Clock.Advance(TimeSpan.FromMinutes(121));
        await gateway.Deliver();
        Assert.Null(await Ask());
    }

    [Fact]
    public async Task What_came_back_ends_the_copy_and_says_nothing_once_it_is_sent_anew()
    {
        var (envelope, id) = await HandedOn();
        await mail.Report(id, ReportedAction.Failed, "DSN_5_1_1");
        var heard = await Adapter.AskAsync(Copy(id), CancellationToken.None);
        Assert.Equal(new DeliveryOutcome.Refused("DSN_5_1_1"), heard);
        carrier.Holds = p => p.Id == id ? heard : new DeliveryOutcome.HandedOn(TimeSpan.FromHours(4));
        await gateway.Deliver();
        Assert.Equal("dead", await State(envelope));
        Assert.Null(await Adapter.AskAsync(Copy(id), CancellationToken.None));
    }

    MailAdapter Adapter => new(Composition.Traced(new MailOptions
    {
        Smtp = new("127.0.0.1", 1, MailTls.StartTls, null, null, null), From = "gw@gw.test", Authorities = [], Pins = [new byte[32]], Temporary = "/nowhere", Trace = _ => MailTrace.None,
    }, gateway.Host.Shared.Engine), gateway.Clock);

    static Parcel Copy(Guid id) => new(id, "H41", 1, default, new Dictionary<string, string> { ["address"] = "h41@gw.test" });

    [Fact]
    public async Task A_report_that_is_faster_than_our_settling_is_brought_again()
    {
        IntakeVerdict? early = null;
        var (envelope, parcel) = await HandedOn(async id => early = (await mail.Report(id, ReportedAction.Delivered)).Verdict);
        Assert.Equal(IntakeVerdict.Later, early);
        Assert.Equal(0, New(EntryKind.Report));
        Assert.Equal(IntakeVerdict.Taken, (await mail.Report(parcel, ReportedAction.Delivered)).Verdict);
        Assert.NotEqual("delivered", await State(envelope));
    }

    [Fact]
    public async Task A_receipt_that_is_faster_than_our_settling_is_brought_again()
    {
        IntakeVerdict? early = null;
        Crypto.Envelope.SealedEnvelope? mine = null;
        carrier.Answer = async (_, _, _) =>
        {
            if (mine is not null) early = (await mail.Bring(BroughtKind.Receipt, OfficeReceipts.Sign(mine, ReceiptEvent.ContentHandover))).Verdict;
            return new DeliveryOutcome.HandedOn(TimeSpan.FromHours(4));
        };
        while (await gateway.Deliver() > 0) { }
        (mine, var file) = await gateway.SealFile("H41");
        await gateway.Submit(file);
        await gateway.Deliver();
        Assert.Equal(IntakeVerdict.Later, early);
        Assert.Equal(IntakeVerdict.Taken, (await mail.Bring(BroughtKind.Receipt, OfficeReceipts.Sign(mine, ReceiptEvent.ContentHandover))).Verdict);
        Assert.Equal("delivered", await State(mine));
    }

    [Fact]
    public async Task What_was_put_aside_is_counted_and_a_dead_intake_is_told_once()
    {
        mail.Round = new(0, 3, 0, null);
        await gateway.Host.Loops.StepAll();
        mail.Round = new(0, 0, 0, "imap: ConnectionRefused");
        await gateway.Host.Loops.StepAll();
        await gateway.Host.Loops.StepAll();
        Assert.Single(gateway.Logs.Lines, l => l.Contains("3 things came that are nothing of ours", StringComparison.Ordinal));
        Assert.Single(gateway.Logs.Lines, l => l.Contains("Nothing comes in by mail: imap: ConnectionRefused", StringComparison.Ordinal));
    }

    async Task<(Crypto.Envelope.SealedEnvelope Envelope, Guid Parcel)> HandedOn(Func<Guid, Task>? meanwhile = null)
    {
        Guid? carried = null;
        // What other tests left under way is out of the way first.
        carrier.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.HandedOn(TimeSpan.FromHours(4)));
        while (await gateway.Deliver() > 0) { }
        carrier.Answer = async (parcel, _, _) =>
        {
            carried = parcel.Id;
            if (meanwhile is not null) await meanwhile(parcel.Id);
            return new DeliveryOutcome.HandedOn(TimeSpan.FromHours(4));
        };
        carrier.Holds = _ => new DeliveryOutcome.HandedOn(TimeSpan.FromHours(4));
        var (envelope, file) = await gateway.SealFile("H41");
        Assert.Equal(201, (await gateway.Submit(file)).Status);
        Assert.Equal(1, await gateway.Deliver());
        return (envelope, carried!.Value);
    }

    async Task<string?> State(Crypto.Envelope.SealedEnvelope envelope)
    {
        var id = Crypto.Envelope.EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id;
        return (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{id}")).Json.GetProperty("copies")[0].GetProperty("state").GetString();
    }

    int New(EntryKind kind) => Counted(gateway).GetValueOrDefault(kind) - before.GetValueOrDefault(kind);

    static Dictionary<EntryKind, int> Counted(TestGateway gateway)
    {
        using var reader = gateway.Host.Shared.Engine.Reader();
        return EntryTable.Walk(reader).Select(e => e.Entry).GroupBy(e => e.Kind).ToDictionary(g => g.Key, g => g.Count());
    }
}
