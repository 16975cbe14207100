using Exchange.Adapters;
using Exchange.Gateway.Store;
using Exchange.Tests.Delivery;
using Exchange.Tests.Http;

namespace Exchange.Tests.Audit;

public sealed class OverdueTests : ScriptedOffice
{
    [Fact]
    public async Task An_auditor_lists_copies_that_are_late_until_they_are_there()
    {
        h41.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Busy(null));
        Assert.Equal(201, (await gateway.Submit((await gateway.SealFile("H41")).File)).Status);
        var auditor = gateway.AsAuditor("AUDIT-MAT");
        async Task<int> Overdue() => (await TestGateway.Send(auditor, HttpMethod.Get, "/audit/overdue")).Json.GetProperty("entries").GetArrayLength();
        await gateway.Host.Loops.StepAll();
        Assert.Equal(0, await Overdue());
        for (var day = 0; day < 4; day++)
        {
            gateway.Clock.Advance(TimeSpan.FromDays(1));
            await gateway.Host.Loops.StepAll();
        }
        Assert.Equal(1, await Overdue());
        Assert.Equal("E_REQUEST", (await TestGateway.Send(auditor, HttpMethod.Get, "/audit/overdue?kind=submission")).Code);
        gateway.Clock.Advance(TimeSpan.FromDays(2));
        await gateway.Host.Loops.StepAll();
        await gateway.Host.Worker.Idle();
        await gateway.Host.Loops.StepAll();
        using (var reader = gateway.Host.Shared.Engine.Reader()) Assert.False(ParcelTable.IsUnderWay(reader, reader.One<Guid>("SELECT id FROM parcel")));
        Assert.Equal(0, await Overdue());
    }
}
