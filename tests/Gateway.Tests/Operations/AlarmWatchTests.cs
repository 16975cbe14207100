using Exchange.Adapters;
using Exchange.Gateway.Operations;
using Exchange.Tests.Delivery;
using Exchange.Tests.Http;

namespace Exchange.Tests.Operations;

/// <summary>States that nobody reports: told when they begin, once a day, and when they are over.</summary>
public sealed class AlarmWatchTests
{
    static List<(AlarmCode Code, string? Office)> Raised(TestGateway gateway)
    {
        var raised = gateway.Alarms.Raised.Select(a => (a.Code, a.Office)).ToList();
        gateway.Alarms.Raised.Clear();
        return raised;
    }

    [Fact]
    public async Task A_disk_that_fills_is_told_once_and_again_after_a_day()
    {
        await using var gateway = await TestGateway.Start(limits => limits with { DiskAlarmBytes = 1L << 40 });
        await gateway.Host.Loops.StepAll();
        Assert.Equal([(AlarmCode.DiskLow, null)], Raised(gateway));
        await gateway.Host.Loops.StepAll();
        Assert.Empty(Raised(gateway));
        gateway.Clock.Advance(TimeSpan.FromHours(25));
        await gateway.Host.Loops.StepAll();
        Assert.Contains((AlarmCode.DiskLow, null), Raised(gateway));
    }

    [Fact]
    public async Task A_clock_that_was_set_and_a_ledger_that_is_behind_are_told_and_so_is_their_end()
    {
        await using var gateway = await TestGateway.Start();
        await gateway.Host.Loops.StepAll();
        Assert.Empty(Raised(gateway));
        gateway.Clock.Jump(TimeSpan.FromMinutes(2));
        await gateway.Host.Loops.StepAll();
        Assert.Contains((AlarmCode.ClockUnsure, null), Raised(gateway));
        gateway.Clock.Jump(TimeSpan.FromMinutes(-2));
        await gateway.Host.Loops.StepAll();
        Assert.Equal([(AlarmCode.Over, null)], Raised(gateway));

        // What is accepted now is in no checkpoint two minutes later, until the checkpoint's own step comes.
        await gateway.Submit((await gateway.SealFile("H41")).File);
        gateway.Clock.Advance(TimeSpan.FromMinutes(2));
        await gateway.Host.Loops.StepAll();
        Assert.Contains((AlarmCode.LedgerBehind, null), Raised(gateway));
        gateway.Clock.Advance(TimeSpan.FromSeconds(10));
        await gateway.Host.Loops.StepAll();
        Assert.Equal([(AlarmCode.Over, null)], Raised(gateway));
    }

    [Fact]
    public async Task A_certificate_that_ends_soon_is_told_by_its_office()
    {
        await using var gateway = await TestGateway.Start();
        using var tls = DevPkiFolder.Tls("H41");
        gateway.Clock.Advance(tls.NotAfter - gateway.Clock.GetUtcNow() - TimeSpan.FromDays(59));
        await gateway.Host.Loops.StepAll();
        Assert.Superset(new HashSet<(AlarmCode, string?)> { (AlarmCode.CertificateEnding, "H41"), (AlarmCode.CertificateEnding, "G22"), (AlarmCode.CertificateEnding, null), (AlarmCode.RevocationEnding, null) }, Raised(gateway).ToHashSet());
    }

    [Fact]
    public async Task What_the_run_before_may_not_have_told_is_told_at_the_next_start()
    {
        var channel = new ScriptedAdapter { Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Refused("NO")) };
        await using var gateway = await TestGateway.Start(adapters: channel);
        await gateway.Reach("H41", "https");
        await gateway.Submit((await gateway.SealFile("H41")).File);
        await gateway.Deliver();
        Raised(gateway);
        await gateway.Restart();
        await gateway.Host.Loops.StepAll();
        Assert.Contains("1 copies given up", Assert.Single(gateway.Alarms.Raised, a => a.Code == AlarmCode.StartedWithTrouble).Detail, StringComparison.Ordinal);
    }
}
