using System.Diagnostics;
using Exchange.Crypto.Envelope;
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

    [Fact]
    public async Task A_disk_that_is_really_full_refuses_without_stopping_and_goes_on_in_the_same_process_when_room_is_made()
    {
        var mount = Directory.CreateTempSubdirectory("exchange-full-").FullName;
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", mount), "no file system can be mounted here");
        try
        {
            var stops = 0;
            await using var gateway = await TestGateway.Start(l => l with { ReserveBytes = 0 }, Path.Combine(mount, "data"), stop: _ => stops++);
            var (first, _, parcel) = await gateway.Accepted("H41", "H41");
            var announced = await gateway.SealFile("H41", size: 3_000_000);
            var parts = EnvelopeFile.Write(announced.Envelope.Parts);
            var upload = $"/dispatches/{EnvelopeFile.PeekUnverified(announced.Envelope.Parts.Header).Id}/payload";
            Assert.Equal(202, (await gateway.Submit(parts)).Status);
            var files = new[] { (await gateway.SealFile("H41")).File, (await gateway.SealFile("H41", size: 2_000_000)).File };

            Fill(Path.Combine(mount, "filler"), leave: 1 << 20);
            // A payload that does not fit is refused by the disk itself, in whichever way it comes.
            Assert.Equal((507, "E_FULL"), await Said(gateway.Submit(files[1])));
            Assert.Equal((507, "E_FULL"), await Said(TestGateway.Send(gateway.As("G22"), HttpMethod.Put, upload, announced.File[parts.Length..])));
            var taken = 0;
            for (var answer = (Status: 201, Code: (string?)null); answer.Status == 201 && taken < 500; taken++)
            {
                answer = await Said(gateway.Submit((await gateway.SealFile("H41")).File));
                if (answer.Status != 201) Assert.Equal((507, "E_FULL"), answer);
            }
            Assert.InRange(taken, 2, 499);
            Assert.Equal("full", (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/health")).Json.GetProperty("status").GetString());

            File.Delete(Path.Combine(mount, "filler"));
            gateway.Clock.Advance(TimeSpan.FromSeconds(6));
            // One finds out that there is room again; then everybody is let in.
            foreach (var file in files) Assert.Equal(201, (await gateway.Submit(file)).Status);
            Assert.Equal(201, (await TestGateway.Send(gateway.As("G22"), HttpMethod.Put, upload, announced.File[parts.Length..])).Status);
            Assert.Equal(201, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Post, $"/mailbox/{parcel}/receipts", OfficeReceipts.Sign(first, ReceiptEvent.ContentHandover))).Status);
            Assert.Equal("ready", (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/health")).Json.GetProperty("status").GetString());
            Assert.Equal(0, stops);
            Assert.Empty(StoreCheck.Run(gateway.Host.Shared.Engine, gateway.Host.Shared.Blobs, []));
        }
        finally { Run("umount", "-l", mount); }
    }

    static async Task<(int, string?)> Said(Task<Answer> answer) => ((await answer).Status, (await answer).Code);

    static void Fill(string path, long leave)
    {
        using var file = File.Create(path);
        var free = new DriveInfo(Path.GetDirectoryName(path)!).AvailableFreeSpace - leave;
        var block = new byte[1 << 16];
        for (var left = free; left > 0; left -= block.Length) file.Write(block, 0, (int)Math.Min(left, block.Length));
    }

    static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
