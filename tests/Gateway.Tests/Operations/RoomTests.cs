using System.Diagnostics;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;

namespace Exchange.Tests.Operations;

/// <summary>A real file system that runs full, made for the test.</summary>
public sealed class RoomTests
{
    [Fact]
    public async Task Below_the_reserve_submissions_get_507_settling_goes_on_and_room_is_enough_to_go_on()
    {
        var mount = Directory.CreateTempSubdirectory("exchange-room-").FullName;
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", mount), "no file system can be mounted here");
        try
        {
            await using var gateway = await TestGateway.Start(l => l with { ReserveBytes = 16 << 20 }, Path.Combine(mount, "data"));
            var (envelope, _, parcel) = await gateway.Accepted("H41", "H41");
            var filler = Path.Combine(mount, "filler");
            File.WriteAllBytes(filler, new byte[32 << 20]);
            gateway.Clock.Advance(TimeSpan.FromSeconds(2));

            var (_, file) = await gateway.SealFile("H41");
            var refused = await gateway.Submit(file);
            Assert.Equal((507, "E_FULL"), (refused.Status, refused.Code));
            Assert.Equal("full", (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/health")).Json.GetProperty("status").GetString());
            // What was accepted is still settled, with its receipts.
            Assert.Equal(201, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Post, $"/mailbox/{parcel}/receipts", OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover))).Status);
            Assert.Single(gateway.Logs.Lines, l => l.Contains("ALARM", StringComparison.Ordinal));

            File.Delete(filler);
            gateway.Clock.Advance(TimeSpan.FromSeconds(2));
            Assert.Equal(201, (await gateway.Submit(file)).Status);
            Assert.Equal("ready", (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/health")).Json.GetProperty("status").GetString());
            var shared = gateway.Host.Shared;
            Assert.Empty(StoreCheck.Run(shared.Engine, shared.Blobs, []));
        }
        finally { Run("umount", "-l", mount); }
    }

    static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
