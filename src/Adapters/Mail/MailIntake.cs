using System.Runtime.Versioning;
using System.Security.Cryptography;
using MailKit;
using MailKit.Net.Imap;
using MailKit.Search;

namespace Exchange.Adapters.Mail;

/// <summary>
/// What comes into the gateway's mailbox. Nothing is remembered between two rounds but the connection: which mails are new is asked anew, so that neither a lost connection nor a new UIDVALIDITY can make
/// one be skipped. Between rounds it idles (RFC 2177) where the server can. Memory is a few buffers, whatever comes; what is too large is not even fetched.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class MailIntake : IIntake, IDisposable
{
    const int AtOnce = 500, Piece = 1 << 20, MostTries = 3;
    readonly MailOptions options;
    readonly MailConnection connection;
    readonly MailSender sender;
    readonly TimeProvider clock;
    // How often a mail was tried and the callback threw, or the connection broke at it. Lost with the process: it only orders, and counts to three.
    readonly Dictionary<UniqueId, (int Thrown, int Broken)> tried = [];
    TaskCompletionSource arriving = new(TaskCreationOptions.RunContinuationsAsynchronously);
    ImapClient? imap;
    IMailFolder? quarantine;
    CancellationTokenSource? wake;
    bool grown;
    int count;
    Task idling = Task.CompletedTask;

    /// <exception cref="ArgumentException">An option is out of its range, or there is no mailbox.</exception>
    public MailIntake(MailOptions options, TimeProvider clock)
    {
        options.Demand();
        if (options.Imap is null) throw new ArgumentException("Imap: missing");
        (this.options, this.clock) = (options, clock);
        (connection, sender) = (new MailConnection(options, clock), new MailSender(options, clock));
        DurableFile.CreateFolder(options.Temporary);
        DurableFile.Sweep(options.Temporary);
    }

    public string Name => "mail";

    public Task Arriving
    {
        get
        {
            if (arriving.Task.IsCompleted) arriving = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return arriving.Task;
        }
    }

    public async Task<IntakeRound> StepAsync(Func<Brought, CancellationToken, Task<IntakeAnswer>> take, CancellationToken cancel)
    {
        var (taken, aside, left) = (0, 0, 0);
        using var patience = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancel);
        void Patient(int seconds) => patience.CancelAfter(TimeSpan.FromSeconds(seconds));
        try
        {
            // 1. The connection of the last round, or a new one.
            Patient(options.ConnectSeconds);
            var inbox = await InboxAsync(both.Token).ConfigureAwait(false);

            // 2. What is there, oldest first. A crash from here on leaves all that is not yet let go.
            Patient(options.AnswerSeconds);
            grown = false;
            // Last what broke the connection before, so that it keeps nobody from his turn.
            var ids = (await inbox.SearchAsync(SearchQuery.NotDeleted, both.Token).ConfigureAwait(false)).OrderBy(id => tried.GetValueOrDefault(id).Broken).ThenBy(id => id.Id).Take(AtOnce).ToList();
            var mails = ids.Count == 0 ? [] : await inbox.FetchAsync(ids, MessageSummaryItems.UniqueId | MessageSummaryItems.Size, both.Token).ConfigureAwait(false);
            foreach (var mail in mails.OrderBy(m => ids.IndexOf(m.UniqueId)))
            {
                // 3. Looked at, shown to the gateway, answered. One that is too large for anything of ours is not fetched.
                var verdict = mail.Size > options.MaxBytes ? IntakeVerdict.Quarantine : await TriedAsync(inbox, mail.UniqueId, take, Patient, both.Token).ConfigureAwait(false);

                // 4. Let go: what the gateway has is deleted, what it will never have is put aside. A crash before: brought again, and answered alike.
                Patient(options.AnswerSeconds);
                verdict = await LetGoAsync(inbox, mail.UniqueId, verdict, both.Token).ConfigureAwait(false);
                _ = verdict switch { IntakeVerdict.Taken => taken++, IntakeVerdict.Quarantine => aside++, _ => left++ };
            }
            // 5. Told when there is more.
            if (grown || ids.Count == AtOnce) arriving.TrySetResult();
            Idle(inbox, cancel);
            return new IntakeRound(taken, aside, left, null);
        }
        catch (Exception e) when (MailConnection.IsTheirs(e))
        {
            Drop();
            return new IntakeRound(taken, aside, left, "imap: " + MailConnection.Reason(e));
        }
    }

    public async Task<string?> ReplyAsync(IntakeReply reply, CancellationToken cancel) =>
        MailAdapter.AddressOf(reply.Settings) is { } address ? await sender.TellAsync(Answer(address, reply), cancel).ConfigureAwait(false) : MailAdapter.BadSettings.Reason;

    public Task<string?> ProbeAsync(CancellationToken cancel) => connection.ProbeMailboxAsync(options.Imap!, cancel);

    async Task<IMailFolder> InboxAsync(CancellationToken cancel)
    {
        await StopIdlingAsync().ConfigureAwait(false);
        if (imap is { IsConnected: true, IsAuthenticated: true, Inbox: { IsOpen: true } open })
        {
            // Alive, and what has come since is known.
            await imap.NoOpAsync(cancel).ConfigureAwait(false);
            return open;
        }
        Drop();
        imap = new ImapClient();
        await connection.OpenAsync(imap, options.Imap!, cancel).ConfigureAwait(false);
        var inbox = imap.Inbox!;
        try { quarantine = await imap.GetFolderAsync(options.Quarantine, cancel).ConfigureAwait(false); }
        catch (FolderNotFoundException) { quarantine = await imap.GetFolder(imap.PersonalNamespaces[0]).CreateAsync(options.Quarantine, true, cancel).ConfigureAwait(false); }
        await inbox.OpenAsync(FolderAccess.ReadWrite, cancel).ConfigureAwait(false);
        // Numbers of another validity name other mails: this connection ends, and the next one asks anew.
        inbox.UidValidityChanged += (_, _) => Drop();
        count = inbox.Count;
        inbox.CountChanged += (_, _) =>
        {
            // Our own deletions make it smaller. What comes while we work, the end of the round tells.
            if (inbox.Count > count) (grown, _) = (true, wake is not null && arriving.TrySetResult());
            count = inbox.Count;
        };
        return inbox;
    }

    async Task<IntakeVerdict> TriedAsync(IMailFolder inbox, UniqueId id, Func<Brought, CancellationToken, Task<IntakeAnswer>> take, Action<int> patient, CancellationToken cancel)
    {
        var (thrown, broken) = tried.GetValueOrDefault(id);
        if (tried.Count > AtOnce * 4) tried.Clear();
        tried[id] = (thrown, broken + 1);
        IntakeVerdict verdict;
        try { verdict = await TakeAsync(inbox, id, take, patient, cancel).ConfigureAwait(false); }
        catch (TakeFailedException)
        {
            tried[id] = (thrown + 1, broken);
            return thrown + 1 < MostTries ? IntakeVerdict.Later : IntakeVerdict.Quarantine;
        }
        // The server says no to this one mail.
        catch (ImapCommandException) { return IntakeVerdict.Later; }
        tried.Remove(id);
        return verdict;
    }

    async Task<IntakeVerdict> LetGoAsync(IMailFolder inbox, UniqueId id, IntakeVerdict verdict, CancellationToken cancel)
    {
        try
        {
            if (verdict == IntakeVerdict.Quarantine) await inbox.MoveToAsync(id, quarantine!, cancel).ConfigureAwait(false);
            if (verdict != IntakeVerdict.Taken) return verdict;
            await inbox.AddFlagsAsync(id, MessageFlags.Deleted, true, cancel).ConfigureAwait(false);
            await inbox.ExpungeAsync([id], cancel).ConfigureAwait(false);
            return verdict;
        }
        catch (ImapCommandException) { return IntakeVerdict.Later; }
    }

    async Task<IntakeVerdict> TakeAsync(IMailFolder inbox, UniqueId id, Func<Brought, CancellationToken, Task<IntakeAnswer>> take, Action<int> patient, CancellationToken cancel)
    {
        await using var file = Nameless();
        // In pieces: the library holds what it fetches in memory.
        for (var got = -1L; got != file.Length;)
        {
            got = file.Length;
            patient(options.AnswerSeconds);
            await using var piece = await inbox.GetStreamAsync(id, (int)got, Piece, cancel).ConfigureAwait(false);
            await piece.CopyToAsync(file, cancel).ConfigureAwait(false);
            if (file.Length > options.MaxBytes) return IntakeVerdict.Quarantine;
            if (file.Length - got < Piece) break;
        }
        file.Position = 0;
        if (await MailScan.ReadAsync(file, cancel).ConfigureAwait(false) is not { } mail || IsOwn(mail.Header)) return IntakeVerdict.Quarantine;
        var parts = MailParts.Of(mail);
        if (parts.Count == 0) return IntakeVerdict.Quarantine;
        // The gateway takes as long as it takes; it has the caller's patience.
        patient(int.MaxValue / 1000);
        var verdict = IntakeVerdict.Taken;
        foreach (var (part, kind, name) in parts)
        {
            var one = await ShowAsync(file, mail, part, kind, name, take, cancel).ConfigureAwait(false);
            // Something in it may come later: all of it is brought again. Something in it will never be taken: persons see it, though the rest was.
            if (one == IntakeVerdict.Later) return one;
            if (one == IntakeVerdict.Quarantine) verdict = one;
        }
        return verdict;
    }

    async Task<IntakeVerdict> ShowAsync(FileStream file, ScannedMail mail, MailPart part, BroughtKind kind, string name, Func<Brought, CancellationToken, Task<IntakeAnswer>> take, CancellationToken cancel)
    {
        CarrierReport? report = null;
        await using var content = Nameless();
        if (kind == BroughtKind.Report)
        {
            var returned = mail.Parts.FirstOrDefault(p => p.Type is "text/rfc822-headers" or "message/rfc822" or "message/rfc822-headers");
            report = part.Length > MailReport.MaxBytes ? null : MailReport.Read(await MailParts.TextAsync(file, part, cancel).ConfigureAwait(false),
                returned is null ? "" : await MailParts.TextAsync(file, returned, cancel).ConfigureAwait(false), options.Domain);
            if (report is null) return IntakeVerdict.Quarantine;
        }
        else await MailParts.DecodeAsync(file, part, content, cancel).ConfigureAwait(false);
        IntakeAnswer answer;
        try { answer = await take(new Brought(kind, name, content, report), cancel).ConfigureAwait(false); }
        catch (Exception e) when (!cancel.IsCancellationRequested) { throw new TakeFailedException(e); }
        return answer.Reply is null || await AnswerAsync(answer.Reply, cancel).ConfigureAwait(false) ? answer.Verdict : IntakeVerdict.Later;
    }

    // A reply that its address refuses for good is gone: the receipt stands in the gateway, and a mail that could never be answered would stay for ever.
    async Task<bool> AnswerAsync(IntakeReply reply, CancellationToken cancel) => MailAdapter.AddressOf(reply.Settings) is not { } address
        || await sender.SendAsync(Answer(address, reply), cancel).ConfigureAwait(false) is DeliveryOutcome.HandedOn or DeliveryOutcome.Refused;

    static OutgoingMail Answer(string address, IntakeReply reply) => new(address, reply.Name, null, ($"{reply.Name}.p7s", reply.Receipt), null);

    // Our own mails that came back: an address of an office that leads here, or a forwarding in a circle.
    bool IsOwn(IReadOnlyDictionary<string, string> header) => header.GetValueOrDefault("message-id", "").TrimEnd('>', ' ').EndsWith("@" + options.Domain, StringComparison.OrdinalIgnoreCase)
        && header.GetValueOrDefault("from", "").Contains(options.From, StringComparison.OrdinalIgnoreCase);

    /// <summary>A file of mode 0600 whose name is gone before its first byte: nothing of it outlives the handle, however the process ends.</summary>
    FileStream Nameless()
    {
        var path = Path.Combine(options.Temporary, $".tmp-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}");
        var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Options = FileOptions.Asynchronous, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        File.Delete(path);
        return file;
    }

    void Idle(IMailFolder inbox, CancellationToken cancel)
    {
        if (imap is not { } client || (client.Capabilities & ImapCapabilities.Idle) == 0 || !inbox.IsOpen) return;
        wake = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        idling = client.IdleAsync(wake.Token, cancel);
    }

    async Task StopIdlingAsync()
    {
        if (wake is not null) await wake.CancelAsync().ConfigureAwait(false);
        try { await idling.WaitAsync(TimeSpan.FromSeconds(options.ConnectSeconds), clock).ConfigureAwait(false); }
        catch (Exception e) when (MailConnection.IsTheirs(e) || e is TimeoutException) { Drop(); }
        wake?.Dispose();
        (wake, idling) = (null, Task.CompletedTask);
    }

    void Drop()
    {
        // Disposed while it idles, the idling ends with an error that nobody needs.
        _ = idling.ContinueWith(t => t.Exception, TaskScheduler.Default);
        imap?.Dispose();
        (imap, quarantine) = (null, null);
    }

    public void Dispose()
    {
        wake?.Cancel();
        Drop();
        wake?.Dispose();
    }

    /// <summary>The callback threw, and has said why where it knows how.</summary>
    sealed class TakeFailedException(Exception why) : Exception(why.GetType().Name, why);
}
