using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Exchange.Crypto;

namespace Exchange.Tests;

/// <summary>kill -9 again and again, with requests open. What clients remember is kept outside everything that is killed.</summary>
public sealed class KillTests(DevelopmentPki pki, ITestOutputHelper output)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public Task A_gateway_killed_ten_times_with_requests_open_loses_and_doubles_nothing() => GatewayAsync(10);

    [Fact, Trait("tier", "long")]
    public Task A_gateway_killed_five_hundred_times_with_requests_open_loses_and_doubles_nothing() => GatewayAsync(500);

    async Task GatewayAsync(int kills)
    {
        const int senders = 4;
        await using var site = await Site.StartAsync(pki);
        var (g22, h41) = (new OfficeByHand(pki.Folder.FullName, "G22"), new OfficeByHand(pki.Folder.FullName, "H41"));
        var run = new Run(site.Gateway.Address);
        using var noMore = new CancellationTokenSource();
        using var allSent = new CancellationTokenSource();
        var sending = Task.WhenAll(Enumerable.Range(0, senders).Select(n => Task.Run(() => SendAsync(run, g22, n, noMore.Token))));
        var receiving = Task.Run(() => ReceiveAsync(run, h41, allSent.Token));

        int inside = 0, broken = 0;
        for (var kill = 0; kill < kills; kill++)
        {
            // It does some work first.
            var before = run.Receipts.Count;
            await Site.UntilAsync(() => Task.FromResult(run.Receipts.Count >= before + 5));
            // From the first byte of the next request on, somewhere in what an answer takes.
            run.NextBegins = new(TaskCreationOptions.RunContinuationsAsynchronously);
            await run.NextBegins.Task.WaitAsync(TimeSpan.FromSeconds(60), Cancel);
            var until = Stopwatch.GetTimestamp() + (long)(Random.Shared.NextDouble() * 0.8 * run.Latency * Stopwatch.Frequency);
            while (Stopwatch.GetTimestamp() < until) Thread.SpinWait(20);
            var failed = run.Failed;
            if (Volatile.Read(ref run.Open) > 0) inside++;
            await site.KillGatewayAsync();
            await Site.UntilAsync(() => Task.FromResult(Volatile.Read(ref run.Open) == 0));
            if (run.Failed > failed) broken++;
            await site.ServeAsync();
            run.Address = site.Gateway.Address;
        }
        // What was not answered is asked again; then nothing new, and the rest is fetched.
        await noMore.CancelAsync();
        await sending;
        await allSent.CancelAsync();
        await receiving;
        foreach (var (id, receipt) in run.Receipts.TakeLast(100)) Assert.Equal(receipt, await TryAsync(run, g22, new(id, run.Sent[id])));
        await site.Gateway.StopAsync(TimeProvider.System);
        var check = await Site.RunAsync(Site.GatewayProgram, ["check", "--data", site.Data]);
        Assert.True(check.Code == 0, check.ToString());

        var lost = run.Receipts.Keys.Where(id => !run.Received.ContainsKey(id)).ToList();
        var doubled = run.Received.Count(r => r.Value.Count > 1);
        output.WriteLine($"{kills} kills, {inside} with a request open, {broken} that broke one; {run.Receipts.Count} receipts, {run.Received.Count} received; {lost.Count} lost, {doubled} doubled, {run.Other} changed");
        Assert.True(broken >= kills * 7 / 10, $"only {broken} of {kills} kills hit an open request");
        Assert.Empty(lost);
        Assert.Equal((0, 0), (doubled, run.Other));
        Assert.Equal(run.Receipts.Count, run.Received.Count);
    }

    /// <summary>What the clients share.</summary>
    sealed class Run(Uri address)
    {
        public int Open, Other;
        int failed;
        long latency = Stopwatch.Frequency / 50;
        public volatile Uri Address = address;
        public volatile TaskCompletionSource NextBegins = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public int Failed => Volatile.Read(ref failed);
        public void Fail() => Interlocked.Increment(ref failed);
        /// <summary>Seconds between first byte and answer, as of late.</summary>
        public double Latency => Interlocked.Read(ref latency) / (double)Stopwatch.Frequency;
        public void Took(long ticks) => Interlocked.Exchange(ref latency, (Interlocked.Read(ref latency) * 7 + ticks) / 8);
        /// <summary>Envelope → digests of the receipts that a sender has for it.</summary>
        public ConcurrentDictionary<Guid, Digest> Receipts { get; } = [];
        public ConcurrentDictionary<Guid, byte[]> Sent { get; } = [];
        /// <summary>Envelope → parcels in which it came: one effect each, however often a parcel is fetched.</summary>
        public ConcurrentDictionary<Guid, ConcurrentDictionary<Guid, bool>> Received { get; } = [];
    }

    static async Task SendAsync(Run run, OfficeByHand office, int sender, CancellationToken stop)
    {
        for (var n = 0; !stop.IsCancellationRequested; n++)
        {
            // In the row, and as a file of its own.
            var ready = await office.SealAsync("H41", (n + sender) % 2 == 0 ? 2_000 : 200_000);
            run.Sent[ready.Id] = ready.File;
            while (await TryAsync(run, office, ready) is not { } receipt) await Task.Delay(20, Cancel);
        }
    }

    // Null: no answer; the same bytes again. Asked a second time, whoever was killed in between gives the first receipt.
    static async Task<Digest?> TryAsync(Run run, OfficeByHand office, Ready ready)
    {
        using var gateway = office.Connect(run.Address);
        var (began, open) = (0L, false);
        try
        {
            var (status, body) = await OfficeByHand.PostAsync(gateway, "/dispatches", ready.File, () =>
            {
                (began, open) = (Stopwatch.GetTimestamp(), true);
                Interlocked.Increment(ref run.Open);
                run.NextBegins.TrySetResult();
            });
            if (status is not (HttpStatusCode.Created or HttpStatusCode.OK)) return null;
            run.Took(Stopwatch.GetTimestamp() - began);
            return run.Receipts[ready.Id] = Digest.Of(body);
        }
        catch (Exception e) when (IsBroken(e))
        {
            if (open) run.Fail();
            return null;
        }
        finally { if (open) Interlocked.Decrement(ref run.Open); }
    }

    // The second, bare, when it is killed between the handshake and the client's look at its address: see src/HttpFaults.cs.
    static bool IsBroken(Exception e) => e is HttpRequestException or SocketException;

    static async Task ReceiveAsync(Run run, OfficeByHand office, CancellationToken stop)
    {
        for (; ; )
        {
            // The round after the last sender ended sees all there is.
            var last = stop.IsCancellationRequested;
            try
            {
                using var gateway = office.Connect(run.Address);
                while (await TakeAsync(run, office, gateway) > 0) { }
                if (last) return;
            }
            catch (Exception e) when (IsBroken(e)) { }
            await Task.Delay(20, Cancel);
        }
    }

    static async Task<int> TakeAsync(Run run, OfficeByHand office, HttpClient gateway)
    {
        using var list = JsonDocument.Parse(await gateway.GetByteArrayAsync("/mailbox", Cancel));
        var parcels = list.RootElement.GetProperty("parcels").EnumerateArray().ToList();
        foreach (var item in parcels)
        {
            var (parcel, envelope) = (item.GetProperty("parcel").GetGuid(), item.GetProperty("envelope").GetGuid());
            var file = await gateway.GetByteArrayAsync($"/mailbox/{parcel}", Cancel);
            if (!run.Sent.TryGetValue(envelope, out var sent) || !sent.AsSpan().SequenceEqual(file)) Interlocked.Increment(ref run.Other);
            run.Received.GetOrAdd(envelope, _ => []).TryAdd(parcel, true);
            await OfficeByHand.PostAsync(gateway, $"/mailbox/{parcel}/receipts", office.Handover(file));
        }
        return parcels.Count;
    }
}
