using System.Globalization;
using Exchange.Adapters;
using Exchange.Adapters.Mail;

namespace Exchange.Tests;

/// <summary>Nothing else runs in this process beside it: what it measures belongs to all of it.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>Strangers' mail as long as a stranger cares to send it.</summary>
[Collection(nameof(Alone)), Trait("tier", "long")]
public sealed class LargeMailTests(MailServers servers, ITestOutputHelper output) : IClassFixture<MailServers>
{
    const int Length = 100_000_000, MostKiB = 50_000;
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Hostile_mails_of_100_MB_are_looked_at_and_put_aside_in_memory_that_does_not_know_how_long_they_are()
    {
        if (!servers.IsHere) Assert.Skip("needs root, postfix and dovecot");
        var address = servers.NewAddress("gw");
        // A limit that lets them through: fetched whole, and looked into.
        var options = servers.Options(address) with { MaxBytes = 2L * Length };
        long shown = 0;
        async Task<IntakeAnswer> LookAsync(Brought brought, CancellationToken cancel)
        {
            var block = new byte[1 << 16];
            for (int read; (read = await brought.Content.ReadAsync(block, cancel)) > 0;) shown += read;
            return new(IntakeVerdict.Quarantine);
        }
        // A small one first: what the libraries take once is not counted.
        servers.Plant(address, HostileMails.All["plain text"]);
        using (var intake = new MailIntake(options, TimeProvider.System))
        {
            Assert.Equal(new IntakeRound(0, 1, 0, null), await intake.StepAsync(LookAsync, Cancel));
            foreach (var (name, write) in HostileMails.Long(Length))
            {
                servers.Plant(address, write);
                var before = Memory("VmRSS", anew: true);
                Assert.Equal(new IntakeRound(0, 1, 0, null), await intake.StepAsync(LookAsync, Cancel));
                var grew = Memory("VmHWM") - before;
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {grew / 1024.0:0.0} MiB more at its peak"));
                Assert.True(grew < MostKiB, $"{name}: {grew} KiB");
            }
        }
        // Only the one that calls itself an envelope was shown to the gateway, which would refuse it at its first bytes.
        Assert.InRange(shown, Length / 4 * 3 - 8, Length / 4 * 3 + 8);

        // As it is configured by default they are not even fetched.
        foreach (var (_, write) in HostileMails.Long(Length)) servers.Plant(address, write);
        using (var intake = new MailIntake(servers.Options(address), TimeProvider.System))
        {
            var before = Memory("VmRSS", anew: true);
            Assert.Equal(new IntakeRound(0, HostileMails.Long(Length).Count, 0, null), await intake.StepAsync(LookAsync, Cancel));
            Assert.True(Memory("VmHWM") - before < MostKiB);
        }
        Assert.Empty(servers.Mails(address));
        Assert.Empty(servers.Temporary);
    }

    /// <summary>Of this process, in KiB, from the kernel.</summary>
    /// <param name="anew">The peak is measured from now on.</param>
    static long Memory(string what, bool anew = false)
    {
        if (anew)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            File.WriteAllText("/proc/self/clear_refs", "5");
        }
        return long.Parse(File.ReadLines("/proc/self/status").First(l => l.StartsWith(what + ":", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
