using System.Text.RegularExpressions;
using Exchange.Adapters;

namespace Exchange.Tests;

/// <summary>The connection cut at every stage of a delivery, and what the server does with its disk in between.</summary>
public sealed partial class SftpCutTests(SftpServer server, ITestOutputHelper output) : IClassFixture<SftpServer>
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public Task A_connection_cut_at_eight_places_loses_nothing_and_doubles_nothing() => CutAsync(8);

    [Fact, Trait("tier", "long")]
    public Task A_connection_cut_at_three_hundred_places_loses_nothing_and_doubles_nothing() => CutAsync(300);

    async Task CutAsync(int places)
    {
        const int Length = 300_000;
        // How many bytes go each way, once.
        long sent, came;
        await using (var whole = new SftpPeer(server))
        {
            Assert.IsType<DeliveryOutcome.Delivered>(await whole.Adapter.DeliverAsync(whole.NewParcel(Length), Conformance.Open(new byte[Length]), Cancel));
            (sent, came) = (whole.Wire.Sent, whole.Wire.Came);
        }
        int unknown = 0, kept = 0;
        for (var place = 0; place < places; place++)
        {
            await using var there = new SftpPeer(server);
            var (parcel, bytes) = (there.NewParcel(Length), Conformance.Bytes(Length));
            // Requests that never arrive, and answers that never do. Most of the last ones are about names, and small.
            if (place % 2 == 0) there.Wire.CutAfterSent = 1 + sent * place / places;
            else there.Wire.CutAfterCame = 1 + came * place / places;
            var outcome = await there.Adapter.DeliverAsync(parcel, Conformance.Open(bytes), Cancel);
            var asked = await there.Adapter.AskAsync(parcel, Cancel);
            var held = there.Held(parcel.Id);
            switch (outcome)
            {
                // The marker was never asked for.
                case DeliveryOutcome.TryLater: Assert.True(asked is null && held is null, asked?.ToString()); break;
                // It may come to be while we ask.
                case DeliveryOutcome.Unknown: Assert.True(asked is null || held is not null, asked?.ToString()); break;
                // Some bytes more or less went than the first time, and the cut came behind the last.
                default: Assert.True(outcome is DeliveryOutcome.Delivered && held is not null, outcome.ToString()); break;
            }
            if (outcome is DeliveryOutcome.Unknown) unknown++;
            if (held is not null) kept++;
            Assert.IsType<DeliveryOutcome.Delivered>(await there.Restart().DeliverAsync(parcel, Conformance.Open(bytes), Cancel));
            Assert.Equal(bytes, there.Held(parcel.Id));
            Assert.Equal([.. new[] { "envelope", "ready", "receipt.p7s" }.Select(k => $"{parcel.Id}.{k}")], there.Files);
        }
        output.WriteLine($"{places} cuts in {sent} bytes to the server and {came} from it: {unknown} of unknown end, {kept} delivered all the same");
    }

    [Fact]
    public async Task A_server_killed_in_the_middle_is_gone_on_with_when_it_is_back()
    {
        await using var there = new SftpPeer(server);
        const int Length = 6 << 20;
        var (parcel, bytes) = (there.NewParcel(Length), Conformance.Bytes(Length));
        using var source = new ActingStream(bytes, 4 << 20, server.Kill);
        Assert.IsType<DeliveryOutcome.TryLater>(await there.Adapter.DeliverAsync(parcel, _ => Task.FromResult<Stream>(source), Cancel));
        Assert.Equal("connection: ConnectionRefused", Assert.IsType<DeliveryOutcome.TryLater>(await there.Adapter.DeliverAsync(parcel with { Settings = server.Settings(there.Folder) }, Conformance.Open(bytes), Cancel)).Reason);
        await server.StartAsync();
        Assert.IsType<DeliveryOutcome.Delivered>(await there.Adapter.DeliverAsync(parcel, Conformance.Open(bytes), Cancel));
        Assert.Equal(bytes, there.Held(parcel.Id));
    }

    [Fact]
    public async Task A_marker_whose_answer_was_lost_is_of_unknown_end_and_asking_finds_it()
    {
        await using var there = new SftpPeer(server);
        var (parcel, bytes) = (there.NewParcel(1000), Conformance.Bytes(1000));
        there.Wire.CutWhen = () => File.Exists(there.At(parcel.Id, "ready"));
        Assert.IsType<DeliveryOutcome.Unknown>(await there.Adapter.DeliverAsync(parcel, Conformance.Open(bytes), Cancel));
        Assert.IsType<DeliveryOutcome.Delivered>(await there.Adapter.AskAsync(parcel, Cancel));
        // An answer that was lost just before leaves nothing to ask about.
        var other = there.NewParcel(1000);
        there.Wire.CutWhen = () => File.Exists(there.At(other.Id, "receipt.p7s"));
        Assert.IsType<DeliveryOutcome.TryLater>(await there.Adapter.DeliverAsync(other, Conformance.Open(bytes), Cancel));
        Assert.Null(await there.Adapter.AskAsync(other, Cancel));
        Assert.Equal(1, there.Effects);
    }

    [Fact]
    public async Task What_the_servers_disk_would_not_sync_is_not_delivered_and_not_built_upon()
    {
        await using var failing = new SftpServer { Fault = "fsync:error=EIO" };
        await failing.InitializeAsync();
        await using var there = new SftpPeer(failing);
        Assert.Equal("sftp: the server failed: a quota, or its disk", Assert.IsType<DeliveryOutcome.TryLater>(await there.Adapter.DeliverAsync(there.NewParcel(1000), Conformance.Open(new byte[1000]), Cancel)).Reason);
        Assert.Empty(there.Files);
    }

    [Fact]
    public async Task Everything_is_on_the_servers_disk_before_the_marker_and_the_marker_before_the_answer()
    {
        var trace = Path.GetTempFileName();
        await using var traced = new SftpServer { Trace = trace, KeyExchange = null };
        await traced.InitializeAsync();
        await using var there = new SftpPeer(traced);
        var parcel = there.NewParcel(17 << 20);
        Assert.IsType<DeliveryOutcome.Delivered>(await there.Adapter.DeliverAsync(parcel, Conformance.Open(new byte[17 << 20]), Cancel));
        traced.Kill();
        var calls = File.ReadLines(trace).Select(l => Call().Match(l)).Where(m => m.Success)
            .Select(m => $"{m.Groups[1].Value} {m.Groups[2].Value}".Replace(there.Folder, "", StringComparison.Ordinal).Replace($"{parcel.Id}", "ID", StringComparison.Ordinal).Trim('/')).ToList();
        Assert.Equal(
        [
            // Once on the way, once at its end.
            "fsync /.ID.envelope", "fsync /.ID.envelope", "fsync /.ID.receipt.p7s", "fsync /.ID.ready",
            "rename /.ID.envelope", "rename /.ID.receipt.p7s", "fsync", "rename /.ID.ready", "fsync",
        ], calls.Select(c => c.Trim()));
        File.Delete(trace);
    }

    [Fact, Trait("tier", "long")]
    public async Task Memory_does_not_grow_with_the_parcel()
    {
        await using var there = new SftpPeer(server);
        const long Length = 1L << 30;
        var parcel = there.NewParcel(0) with { Length = Length };
        var before = GC.GetTotalMemory(forceFullCollection: true);
        long most = 0;
        var counted = new Sampled(new Zeroes(Length), () => most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before));
        Assert.IsType<DeliveryOutcome.Delivered>(await there.Adapter.DeliverAsync(parcel, _ => Task.FromResult<Stream>(counted), Cancel));
        Assert.Equal(Length, new FileInfo(there.At(parcel.Id, "envelope")).Length);
        output.WriteLine($"{most >> 10} KiB held at most while 1 GiB went");
        Assert.True(most < 24 << 20, $"{most >> 20} MiB held");
    }

    /// <summary>Looks every 64 MiB.</summary>
    sealed class Sampled(Stream inner, Action look) : Stream
    {
        long read;
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => read; set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await inner.ReadAsync(buffer, cancellationToken);
            if ((read + count) >> 26 > read >> 26) look();
            read += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override void Flush() => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }

    /// <summary>Does something at one place, and goes on.</summary>
    sealed class ActingStream(byte[] bytes, int at, Action act) : MemoryStream(bytes, writable: false)
    {
        bool done;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!done && Position >= at)
            {
                done = true;
                act();
            }
            return base.ReadAsync(buffer, cancellationToken);
        }
    }

    [GeneratedRegex("""(fsync|rename)\w*\((?:\d+<|"|AT_FDCWD[^,]*, ")([^">]*)""")]
    private static partial Regex Call();
}
