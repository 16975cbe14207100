using System.CommandLine;
using System.Net;
using Exchange.Crypto;
using Exchange.Office.Client;

namespace Exchange.Office;

/// <summary>receive: takes what the gateway brings, and opens it.</summary>
static class ReceiveCommands
{
    public static Command Receive(Shell shell)
    {
        var listen = new Option<string>("--listen") { Description = "Address and port at which the gateway delivers; the office's channel names them", Required = true, HelpName = "ADDRESS:PORT" };
        var folder = new Option<string>("--out") { Description = "Folder in which each dispatch gets its own folder", Required = true, HelpName = "DIR" };
        var command = new Command("receive", "Takes dispatches that the gateway delivers here, and opens them. Nhận văn bản do trục chuyển tới.") { listen, folder };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            if (!IPEndPoint.TryParse(parsed.GetValue(listen)!, out var at) || !parsed.GetValue(listen)!.Contains(':'))
                throw new UsageException("--listen: an address and a port, like 0.0.0.0:8444", "--listen: địa chỉ và cổng, ví dụ 0.0.0.0:8444");
            using var client = shell.Client(parsed, say);
            if (await client.RefreshAsync(cancel).ConfigureAwait(false) is { } offline)
                say.Note($"{offline.Code}: the gateway cannot be reached; the directory of the last time is used", $"{offline.Code}: không kết nối được tới trục; dùng danh bạ lần trước");
            using var opener = new ReceivedOpener(client, parsed.GetValue(folder)!, say, shell.Clock);
            var profile = shell.Profile(parsed);
            await using var server = new ReceiveServer(new OfficeContext(profile, new OfficeKeys(profile, say.AskPassphrase), new OfficeFiles(profile.State), shell.Clock, ClientOptions.Default), say, opener.Wake);
            var address = await server.StartAsync(at).ConfigureAwait(false);
            say.Say($"receiving at {address.AbsoluteUri.TrimEnd('/')}; Ctrl-C ends", $"đang nhận tại {address.AbsoluteUri.TrimEnd('/')}; Ctrl-C để dừng");
            await opener.RunAsync(cancel).ConfigureAwait(false);
            return ExchangeProgram.Good;
        });
    }
}

/// <summary>Opens what is held, one after the other; what cannot be opened or acknowledged now is tried again every minute.</summary>
sealed class ReceivedOpener(OfficeClient client, string folder, Output say, TimeProvider clock) : IDisposable
{
    static readonly TimeSpan Again = TimeSpan.FromMinutes(1), Soon = TimeSpan.FromSeconds(2);

    readonly SemaphoreSlim wake = new(0);
    readonly Dictionary<Guid, DateTimeOffset> notBefore = [];
    DateTimeOffset nextRound = DateTimeOffset.MinValue;
    // When receipts that the gateway does not have go again; an earlier run may have left some. It has just delivered what we open and may not have written that down yet.
    DateTimeOffset? nextAcknowledgement = DateTimeOffset.MinValue;
    TimeSpan pause = Soon;

    /// <summary>Something has arrived.</summary>
    public void Wake() => wake.Release();

    public void Dispose() => wake.Dispose();

    public async Task RunAsync(CancellationToken cancel)
    {
        try
        {
            while (!cancel.IsCancellationRequested)
            {
                await StepAsync(clock.GetUtcNow(), cancel).ConfigureAwait(false);
                var until = nextAcknowledgement < nextRound ? nextAcknowledgement.Value : nextRound;
                var wait = until - clock.GetUtcNow();
                using var time = new CancellationTokenSource(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, clock);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, time.Token);
                try { await wake.WaitAsync(either.Token).ConfigureAwait(false); }
                catch (OperationCanceledException) when (!cancel.IsCancellationRequested) { }
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested) { }
    }

    public async Task StepAsync(DateTimeOffset now, CancellationToken cancel)
    {
        if (now >= nextRound || client.IsBehind())
        {
            nextRound = now + Again;
            await SafelyAsync(() => client.RefreshAsync(cancel)).ConfigureAwait(false);
        }
        foreach (var parcel in client.Held().Where(p => !notBefore.TryGetValue(p.Parcel, out var time) || time <= now))
        {
            notBefore[parcel.Parcel] = now + Again;
            if (await OpenAsync(parcel, cancel).ConfigureAwait(false)) notBefore.Remove(parcel.Parcel);
            else nextAcknowledgement ??= now + Soon;
        }
        if (now >= nextAcknowledgement) await SafelyAsync(() => AcknowledgeAsync(now, cancel)).ConfigureAwait(false);
    }

    async Task AcknowledgeAsync(DateTimeOffset now, CancellationToken cancel)
    {
        nextAcknowledgement = now + pause;
        pause = pause < Again ? pause * 2 : Again;
        if (await client.AcknowledgeAsync(cancel).ConfigureAwait(false) == 0) (nextAcknowledgement, pause) = (null, Soon);
    }

    async Task SafelyAsync(Func<Task> work)
    {
        try { await work().ConfigureAwait(false); }
        catch (RefusedException e) { say.Note($"{e.Refusal.Code}: {e.Detail}", $"{e.Refusal.Code}: {e.Detail}"); }
    }

    async Task<bool> OpenAsync(MailboxParcel parcel, CancellationToken cancel)
    {
        try
        {
            var opened = await client.OpenAsync(parcel.Parcel, folder, null, cancel).ConfigureAwait(false);
            var signed = await client.SignaturesAsync(opened.Files, opened.Accepted, cancel).ConfigureAwait(false);
            say.Json(InboxCommands.Describe(opened, signed));
            InboxCommands.Tell(opened, say, signed);
            if (!opened.Acknowledged) nextAcknowledgement ??= clock.GetUtcNow() + Soon;
            return true;
        }
        catch (Exception e) when (e is RefusedException or IOException or UnauthorizedAccessException)
        {
            // The bytes and our handover are safe: nothing is lost by waiting.
            var reason = e is RefusedException refused ? $"{refused.Refusal.Code}  {refused.Detail}" : e.Message;
            say.Note($"not opened yet  {parcel.Parcel}  {parcel.Sender}  {reason}", $"chưa mở được  {parcel.Parcel}  {parcel.Sender}  {reason}");
            return false;
        }
    }
}
