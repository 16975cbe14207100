using System.Collections.Concurrent;
using Exchange.Adapters;
using Exchange.Adapters.Mail;
using MimeKit;

namespace Exchange.Tests;

/// <summary>An office's mailbox behind real servers, and the gateway's, into which reports come.</summary>
sealed class MailPeer : Counterpart
{
    readonly MailServers servers;
    readonly ConcurrentDictionary<Guid, MailTrace> traces = [];
    readonly string office;
    readonly Wire wire;
    string aim;

    public MailPeer(MailServers servers, Func<MailOptions, MailOptions>? change = null)
    {
        this.servers = servers;
        (office, Address) = (servers.NewAddress("office"), servers.NewAddress("gw"));
        aim = office;
        wire = new Wire(servers.StartTls);
        Options = servers.Options(Address, id => traces.GetValueOrDefault(id, MailTrace.None));
        Options = Options with { Smtp = Options.Smtp with { Port = wire.Port }, AnswerSeconds = 3 };
        Options = change?.Invoke(Options) ?? Options;
        (Adapter, Intake) = (new MailAdapter(Options, TimeProvider.System), new MailIntake(Options, TimeProvider.System));
    }

    public string Address { get; }
    public string Office => office;
    public MailOptions Options { get; }
    public MailIntake Intake { get; }
    public override IDeliveryAdapter Adapter { get; }
    public override IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string> { ["address"] = aim };
    public override byte[]? Held(Guid id) => Attached(id, ".bin");
    public override byte[]? HeldReceipt(Guid id) => Attached(id, ".p7s");
    // Whoever reads the mailbox knows a repeat by its Message-ID.
    public override int Effects => Messages.Select(m => m.MessageId).Distinct().Count();
    public override void Spoil() => servers.Spoil(office);

    public override IDeliveryAdapter Restart() => new MailAdapter(Options, TimeProvider.System);

    // From some way into the mail on, the relay's answers are spoilt: what it took, it took.
    public override bool Answer(Manner manner)
    {
        (wire.Manner, wire.SpoilAfter) = (manner, manner == Manner.Well ? long.MaxValue : wire.Sent + 200_000);
        if (manner == Manner.Well) wire.Release();
        return true;
    }

    /// <summary>From now on the office's address is this one.</summary>
    public void Aim(string address) => aim = address;

    public IReadOnlyList<MimeMessage> Messages => [.. servers.Mails(office).Select(f => MimeMessage.Load(f))];

    byte[]? Attached(Guid id, string ending)
    {
        if (Messages.FirstOrDefault(m => m.MessageId!.StartsWith($"{id}@", StringComparison.Ordinal)) is not { } mail) return null;
        using var bytes = new MemoryStream();
        mail.BodyParts.OfType<MimePart>().Single(p => p.FileName == id + (ending == ".bin" ? ending : ".receipt" + ending)).Content!.DecodeTo(bytes);
        return bytes.ToArray();
    }

    public override async Task<DeliveryOutcome?> HearAsync(IDeliveryAdapter adapter, Parcel parcel)
    {
        traces.AddOrUpdate(parcel.Id, _ => new(TimeProvider.System.GetUtcNow(), true, null, null), (_, t) => t with { Sent = TimeProvider.System.GetUtcNow(), HandedOn = true });
        await UntilAsync(() => traces[parcel.Id].Report is not null);
        return await adapter.AskAsync(parcel, TestContext.Current.CancellationToken);
    }

    /// <summary>Rounds of the intake, each when something has arrived, until it holds.</summary>
    public async Task UntilAsync(Func<bool> holds)
    {
        while (!holds())
        {
            var arriving = Intake.Arriving;
            var round = await Intake.StepAsync(TakeAsync, TestContext.Current.CancellationToken);
            Assert.Null(round.Problem);
            if (holds()) return;
            try { await arriving.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken); }
            catch (TimeoutException) { Assert.Fail($"nothing came; waiting: {servers.Mails(Address).Count}, put aside: {servers.Mails(Address, Options.Quarantine).Count}\n{string.Join('\n', servers.Log.Split('\n').TakeLast(40))}"); }
        }
    }

    Task<IntakeAnswer> TakeAsync(Brought brought, CancellationToken cancel)
    {
        if (brought.Report is not { } report) return Task.FromResult(new IntakeAnswer(IntakeVerdict.Quarantine));
        traces.AddOrUpdate(report.Parcel, _ => new(null, false, report, TimeProvider.System.GetUtcNow()), (_, t) => t with { Report = report, ReportedAt = TimeProvider.System.GetUtcNow() });
        return Task.FromResult(new IntakeAnswer(IntakeVerdict.Taken));
    }

    public override ValueTask DisposeAsync()
    {
        Intake.Dispose();
        wire.Dispose();
        return ValueTask.CompletedTask;
    }
}

[Collection(nameof(MailServers))]
public sealed class MailConformance(MailServers servers) : AdapterConformance
{
    private protected override Task<Counterpart> StartAsync()
    {
        if (!servers.IsHere) Assert.Skip("needs root, postfix and dovecot");
        return Task.FromResult<Counterpart>(new MailPeer(servers));
    }
}
