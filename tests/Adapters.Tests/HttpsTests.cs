using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Exchange.Adapters;
using Exchange.Adapters.Https;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Exchange.Tests;

public sealed class Http2Conformance : AdapterConformance
{
    private protected override async Task<Counterpart> StartAsync() => await HttpsPeer.StartAsync(HttpProtocols.Http2, o => o with { AnswerSeconds = 1 });
}

public sealed class Http1Conformance : AdapterConformance
{
    private protected override async Task<Counterpart> StartAsync() => await HttpsPeer.StartAsync(HttpProtocols.Http1, o => o with { AnswerSeconds = 1 });
}

public sealed class HttpsTests
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;
    static HttpsOptions Impatient(HttpsOptions options) => options with { ConnectSeconds = 1, StallSeconds = 1, AnswerSeconds = 1 };

    public static TheoryData<HttpProtocols, string, string> Table => new()
    {
        // What it does, what must come of it. No answer means that nobody knows, an answer means what it says.
        { HttpProtocols.Http1, nameof(Misdeed.NeverReads), "Unknown { Reason = took no more bytes }" }, { HttpProtocols.Http2, nameof(Misdeed.NeverReads), "Unknown { Reason = took no more bytes }" },
        { HttpProtocols.Http1, nameof(Misdeed.HangsBeforeAnswer), "Unknown { Reason = no answer in time }" }, { HttpProtocols.Http2, nameof(Misdeed.HangsBeforeAnswer), "Unknown { Reason = no answer in time }" },
        { HttpProtocols.Http1, nameof(Misdeed.ClosesMidBody), "Unknown { Reason = connection: *" }, { HttpProtocols.Http2, nameof(Misdeed.ClosesMidBody), "Unknown { Reason = connection: *" },
        { HttpProtocols.Http1, nameof(Misdeed.EndlessReceipt), "Unknown { Reason = HTTP 200 without a receipt }" }, { HttpProtocols.Http2, nameof(Misdeed.EndlessReceipt), "Unknown { Reason = HTTP 200 without a receipt }" },
        { HttpProtocols.Http1, nameof(Misdeed.NoReceipt), "Unknown { Reason = HTTP 201 without a receipt }" }, { HttpProtocols.Http2, nameof(Misdeed.NoReceipt), "Unknown { Reason = HTTP 201 without a receipt }" },
        { HttpProtocols.Http1, nameof(Misdeed.Busy503), "Busy { RetryAfter = 00:00:07 }" }, { HttpProtocols.Http2, nameof(Misdeed.Busy503), "Busy { RetryAfter = 00:00:07 }" },
        { HttpProtocols.Http1, nameof(Misdeed.Busy429), "Busy { RetryAfter = 00:01:*" }, { HttpProtocols.Http2, nameof(Misdeed.Busy429), "Busy { RetryAfter = 00:01:*" },
        { HttpProtocols.Http1, nameof(Misdeed.Problem400), "Refused { Code = E_DER }" }, { HttpProtocols.Http2, nameof(Misdeed.Problem400), "Refused { Code = E_DER }" },
        { HttpProtocols.Http1, nameof(Misdeed.Unauthorized401), "Refused { Code = HTTP_401 }" }, { HttpProtocols.Http2, nameof(Misdeed.Unauthorized401), "Refused { Code = HTTP_401 }" },
        { HttpProtocols.Http1, nameof(Misdeed.Conflict409), "Refused { Code = HTTP_409 }" }, { HttpProtocols.Http2, nameof(Misdeed.Conflict409), "Refused { Code = HTTP_409 }" },
        { HttpProtocols.Http1, nameof(Misdeed.Error500), "TryLater { Reason = HTTP 500 }" }, { HttpProtocols.Http2, nameof(Misdeed.Error500), "TryLater { Reason = HTTP 500 }" },
        { HttpProtocols.Http1, nameof(Misdeed.Timeout408), "TryLater { Reason = HTTP 408 }" }, { HttpProtocols.Http2, nameof(Misdeed.Timeout408), "TryLater { Reason = HTTP 408 }" },
        { HttpProtocols.Http1, nameof(Misdeed.Redirects), "TryLater { Reason = HTTP 307: *" }, { HttpProtocols.Http2, nameof(Misdeed.Redirects), "TryLater { Reason = HTTP 307: *" },
    };

    [Theory, MemberData(nameof(Table))]
    public async Task Each_misdeed_has_its_outcome(HttpProtocols protocols, string misdeed, string expected)
    {
        await using var there = await HttpsPeer.StartAsync(protocols, Impatient);
        there.Misdeed = Enum.Parse<Misdeed>(misdeed);
        var parcel = there.NewParcel(8 << 20);
        var time = Stopwatch.StartNew();
        var outcome = (await there.Adapter.DeliverAsync(parcel, Conformance.Open(new byte[8 << 20]), Cancel)).ToString();
        Assert.True(time.Elapsed < TimeSpan.FromSeconds(8), $"{time.Elapsed}");
        if (expected.EndsWith('*')) Assert.StartsWith(expected[..^1], outcome, StringComparison.Ordinal);
        else Assert.Equal(expected, outcome);
        // Afterwards it can be asked, and sent again.
        there.Misdeed = Misdeed.None;
        Assert.Null(await there.Adapter.AskAsync(parcel, Cancel));
        Assert.IsType<DeliveryOutcome.Delivered>(await there.Adapter.DeliverAsync(parcel, Conformance.Open(new byte[8 << 20]), Cancel));
    }

    [Theory, InlineData(HttpProtocols.Http1), InlineData(HttpProtocols.Http2)]
    public async Task An_answer_that_comes_too_late_is_unknown_until_it_is_asked_for(HttpProtocols protocols)
    {
        await using var there = await HttpsPeer.StartAsync(protocols, Impatient);
        there.Misdeed = Misdeed.AnswersLate;
        var (parcel, bytes) = (there.NewParcel(100_000), Conformance.Bytes(100_000));
        Assert.IsType<DeliveryOutcome.Unknown>(await there.Adapter.DeliverAsync(parcel, Conformance.Open(bytes), Cancel));
        Assert.Equal(parcel.Id.ToByteArray(), Assert.IsType<DeliveryOutcome.Delivered>(await there.Adapter.AskAsync(parcel, Cancel)).Receipt!.Value.ToArray());
        Assert.IsType<DeliveryOutcome.Delivered>(await there.Adapter.DeliverAsync(parcel, Conformance.Open(bytes), Cancel));
        Assert.Equal(1, there.Effects);
    }

    [Fact]
    public async Task A_slow_partner_is_not_cut_off_while_it_takes_bytes()
    {
        // All together may take two seconds until a connection stands and one without progress; this takes longer, a little at a time.
        await using var there = await HttpsPeer.StartAsync(change: Impatient);
        there.Misdeed = Misdeed.ReadsSlowly;
        var (parcel, bytes) = (there.NewParcel(6 << 20), Conformance.Bytes(6 << 20));
        var time = Stopwatch.StartNew();
        Assert.IsType<DeliveryOutcome.Delivered>(await there.Adapter.DeliverAsync(parcel, Conformance.Open(bytes), Cancel));
        Assert.True(time.Elapsed > TimeSpan.FromSeconds(2), $"{time.Elapsed}");
        Assert.Equal(bytes, there.Held(parcel.Id));
    }

    [Theory, InlineData(HttpProtocols.Http1), InlineData(HttpProtocols.Http2)]
    public async Task A_refusal_comes_before_the_body_has_left(HttpProtocols protocols)
    {
        await using var there = await HttpsPeer.StartAsync(protocols);
        there.Misdeed = Misdeed.Problem400;
        var opened = 0;
        var outcome = await there.Adapter.DeliverAsync(there.NewParcel(5000), _ => { opened++; return Task.FromResult<Stream>(new MemoryStream(new byte[5000])); }, Cancel);
        Assert.IsType<DeliveryOutcome.Refused>(outcome);
        Assert.Equal(0, opened);
    }

    [Fact]
    public async Task Cancelled_while_the_other_side_hangs_it_ends_at_once_and_does_not_know()
    {
        await using var there = await HttpsPeer.StartAsync();
        there.Misdeed = Misdeed.HangsBeforeAnswer;
        using var stop = new CancellationTokenSource();
        var work = there.Adapter.DeliverAsync(there.NewParcel(1000), Conformance.Open(new byte[1000]), stop.Token);
        await there.Arrived.Task.WaitAsync(Cancel);
        while (Interlocked.Read(ref there.Read) < 1000) await Task.Delay(10, Cancel);
        var time = Stopwatch.StartNew();
        await stop.CancelAsync();
        Assert.Equal("cancelled", Assert.IsType<DeliveryOutcome.Unknown>(await work).Reason);
        Assert.True(time.Elapsed < TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_server_with_another_certificate_gets_nothing()
    {
        await using var there = await HttpsPeer.StartAsync(server: HttpsPeer.Stranger);
        var parcel = there.NewParcel(1000);
        Assert.Equal("certificate: not the one of this office", Assert.IsType<DeliveryOutcome.TryLater>(await there.Adapter.DeliverAsync(parcel, Conformance.Open(new byte[1000]), Cancel)).Reason);
        Assert.IsType<DeliveryOutcome.Unknown>(await there.Adapter.AskAsync(parcel, Cancel));
        Assert.False(there.Arrived.Task.IsCompleted);
    }

    [Fact]
    public async Task A_connection_made_for_one_office_is_not_used_for_another()
    {
        await using var there = await HttpsPeer.StartAsync();
        var parcel = there.NewParcel(1000);
        Assert.IsType<DeliveryOutcome.Delivered>(await there.Adapter.DeliverAsync(parcel, Conformance.Open(new byte[1000]), Cancel));
        var other = there.NewParcel(1000) with { Office = "H14" };
        Assert.IsType<DeliveryOutcome.TryLater>(await there.Adapter.DeliverAsync(other, Conformance.Open(new byte[1000]), Cancel));
        Assert.Equal(1, there.Effects);
    }

    [Fact]
    public async Task A_gateway_that_the_office_does_not_know_gets_no_further_than_the_handshake()
    {
        await using var there = await HttpsPeer.StartAsync(client: HttpsPeer.Stranger);
        Assert.IsType<DeliveryOutcome.TryLater>(await there.Adapter.DeliverAsync(there.NewParcel(1000), Conformance.Open(new byte[1000]), Cancel));
        Assert.False(there.Arrived.Task.IsCompleted);
    }

    [Fact]
    public async Task A_server_that_hangs_in_the_handshake_or_does_not_listen_is_tried_later()
    {
        await using var there = await HttpsPeer.StartAsync(change: Impatient);
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var parcel = there.NewParcel(1000) with { Settings = new Dictionary<string, string> { ["url"] = $"https://{silent.LocalEndpoint}" } };
        var time = Stopwatch.StartNew();
        Assert.IsType<DeliveryOutcome.TryLater>(await there.Adapter.DeliverAsync(parcel, Conformance.Open(new byte[1000]), Cancel));
        Assert.True(time.Elapsed < TimeSpan.FromSeconds(4), $"{time.Elapsed}");
        silent.Stop();
        Assert.Equal("connection: ConnectionRefused", Assert.IsType<DeliveryOutcome.TryLater>(await there.Adapter.DeliverAsync(parcel, Conformance.Open(new byte[1000]), Cancel)).Reason);
    }

    [Theory, InlineData(HttpProtocols.Http1), InlineData(HttpProtocols.Http2)]
    public async Task Memory_does_not_grow_with_the_parcel(HttpProtocols protocols)
    {
        await using var there = await HttpsPeer.StartAsync(protocols);
        there.Misdeed = Misdeed.NoReceipt;
        async Task<long> CostAsync(int megabytes)
        {
            var parcel = there.NewParcel(megabytes << 20);
            var before = GC.GetTotalAllocatedBytes();
            Assert.IsType<DeliveryOutcome.Unknown>(await there.Adapter.DeliverAsync(parcel, _ => Task.FromResult<Stream>(new Zeroes(parcel.Length)), Cancel));
            return GC.GetTotalAllocatedBytes() - before;
        }
        await CostAsync(8);
        var most = await CostAsync(256);
        // Client, server and whatever else this process tests meanwhile, each byte ever allocated: far from holding it once.
        Assert.True(most < 128 << 20, $"{most >> 20} MiB allocated for a parcel of 256 MiB");
    }

    [Fact]
    public void Options_out_of_range_are_all_named()
    {
        var wrong = new HttpsOptions { Client = System.Net.Security.SslStreamCertificateContext.Create(HttpsPeer.Office, null, offline: true), IsServerOf = (_, _) => false, StallSeconds = 0, AnswerSeconds = 601 };
        Assert.Equal("StallSeconds: 1 to 600; AnswerSeconds: 1 to 600", Assert.Throws<ArgumentException>(() => new HttpsAdapter(wrong, TimeProvider.System)).Message);
    }
}

/// <summary>So many zeroes.</summary>
sealed class Zeroes(long length) : Stream
{
    long position;
    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => position; set => throw new NotSupportedException(); }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = (int)Math.Min(buffer.Length, length - position);
        buffer.Span[..count].Clear();
        position += count;
        return ValueTask.FromResult(count);
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override void Flush() => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
