using Exchange.Gateway.Admin;

namespace Exchange.Tests.Admin;

public sealed class QueueScreenTests
{
    [Fact]
    public void A_screen_stays_one_screen_however_many_offices_fail()
    {
        var offices = Enumerable.Range(0, 500).Select(i => new OfficeNow($"H{i}", [new("https", "open", 5_000, 2, 5, "connection: TimedOut", 0)], [1, 2, 3, 4, 5], 0, 0, 0, 5_000, "no channel works")).ToList();
        var dead = Enumerable.Range(0, 500).Select(i => new DeadNow($"H{i}", "E_UNDELIVERED", 3, 0)).ToList();
        Assert.InRange(QueueScreen.Lines(new QueueNow(1_000, 1, 0, 500, 1500, offices, dead), all: false).Count(), 10, 30);
    }
}
