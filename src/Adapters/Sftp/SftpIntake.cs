using System.Globalization;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using Renci.SshNet.Common;

namespace Exchange.Adapters.Sftp;

/// <summary>
/// What offices put for the gateway into a folder of their own servers: the other direction of <see cref="SftpAdapter"/>, with the same three rules. An office writes NAME.envelope or NAME.receipt.p7s, and
/// last, renamed into its place, NAME.ready with the digest of each as `sha256sum` writes it. What has no marker is not there yet. What was taken is removed, marker first; what never will be is moved into a folder of
/// its own below quarantine/. The gateway's answer to an envelope comes into the folder of the copies as NAME.answer.p7s.
/// Offices are looked at side by side, shown to the gateway one after another. One whose server does not answer waits up to a quarter of an hour for its next turn.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class SftpIntake : IIntake, IDisposable
{
    const int MostTries = 3, SideBySide = 4;
    static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(30), LongestWait = TimeSpan.FromMinutes(15), KeptUnfinished = TimeSpan.FromDays(7);
    readonly SftpIntakeOptions options;
    readonly SftpLines lines;
    readonly TimeProvider clock;
    readonly Lock gate = new();
    // How often a server did not answer, and how often a marker was tried in vain. Lost with the process: they order and count, no more.
    readonly Dictionary<string, (int Times, long Since)> silent = new(StringComparer.Ordinal);
    readonly Dictionary<(string Office, string Name), (int Failed, int Begun)> tried = [];

    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public SftpIntake(SftpIntakeOptions options, TimeProvider clock)
    {
        options.Demand();
        (this.options, this.clock) = (options, clock);
        lines = new SftpLines(options.Lines, clock);
        DurableFile.CreateFolder(options.Temporary);
    }

    public string Name => "sftp";

    public async Task<IntakeRound> StepAsync(Func<Brought, CancellationToken, Task<IntakeAnswer>> take, CancellationToken cancel)
    {
        var total = new Tally();
        using var oneByOne = new SemaphoreSlim(1);
        async Task<IntakeAnswer> TakeAsync(Brought brought, CancellationToken stop)
        {
            await oneByOne.WaitAsync(stop).ConfigureAwait(false);
            try { return await take(brought, stop).ConfigureAwait(false); }
            finally { oneByOne.Release(); }
        }
        SweepUnfinished();
        try
        {
            await Parallel.ForEachAsync(Due(total), new ParallelOptions { MaxDegreeOfParallelism = SideBySide, CancellationToken = cancel },
                async (due, stop) => await LookAsync(due.Office, due.Target, TakeAsync, total, stop).ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) { total.Problem("cancelled"); }
        return total.Round();
    }

    public async Task<string?> ProbeAsync(CancellationToken cancel)
    {
        var problems = new Tally();
        foreach (var (office, target) in Sources(problems))
            try
            {
                if (!await lines.RunAsync(office, target, (line, stop) => line.HasFolderAsync(target.Inbound!, stop), cancel).ConfigureAwait(false)) problems.Problem($"{office}: {SftpReason.NotThere}");
            }
            catch (Exception e) when (SftpReason.IsTheirs(e)) { problems.Problem($"{office}: {SftpReason.Of(e)}"); }
        return problems.Round().Problem;
    }

    public async Task<string?> ReplyAsync(IntakeReply reply, CancellationToken cancel)
    {
        if (SftpTarget.Read(reply.Settings, out var wrong) is not { } to) return wrong;
        try { return await AnswerAsync(to, reply, cancel).ConfigureAwait(false) ? null : SftpReason.NotThere; }
        catch (Exception e) when (SftpReason.IsTheirs(e)) { return SftpReason.Of(e); }
    }

    public void Dispose() => lines.Dispose();

    // One office's turn. A crash anywhere in it leaves what was not let go, and it is brought again; half a letting go is finished by the next turn.
    async Task LookAsync(string office, SftpTarget target, Func<Brought, CancellationToken, Task<IntakeAnswer>> take, Tally total, CancellationToken cancel)
    {
        try
        {
            await lines.RunAsync(office, target, async (line, stop) =>
            {
                // 1. What is there, and what a crash left half done.
                var inbound = new SftpInbound(line, target, options.AtOnce);
                await inbound.ReadAsync(clock.GetUtcNow(), stop).ConfigureAwait(false);
                // 2. One after another; last what was begun before and is still here, so that it keeps nobody from his turn.
                foreach (var marker in inbound.Markers.OrderBy(m => Tried(office, m).Begun).ThenBy(m => m, StringComparer.Ordinal).Take(options.AtOnce).ToList())
                    total.Count(await OneAsync(office, inbound, marker, take, total, stop).ConfigureAwait(false));
                if (inbound.IsHurt) line.Dispose();
                return true;
            }, cancel).ConfigureAwait(false);
            lock (gate) silent.Remove(office);
        }
        catch (Exception e) when (SftpReason.IsTheirs(e))
        {
            if (!cancel.IsCancellationRequested)
                lock (gate) silent[office] = (silent.GetValueOrDefault(office).Times + 1, clock.GetTimestamp());
            total.Problem($"{office}: {SftpReason.Of(e)}");
        }
    }

    async Task<IntakeVerdict> OneAsync(string office, SftpInbound inbound, string marker, Func<Brought, CancellationToken, Task<IntakeAnswer>> take, Tally total, CancellationToken cancel)
    {
        try
        {
            var verdict = await BringAsync(office, inbound, marker, take, total, cancel).ConfigureAwait(false);
            // 3. Let go. Before: nothing has changed. After its first rename: never brought again.
            if (verdict == IntakeVerdict.Taken) await inbound.RemoveAsync(marker, cancel).ConfigureAwait(false);
            else if (verdict == IntakeVerdict.Quarantine) await inbound.PutAsideAsync(marker, clock.GetUtcNow(), cancel).ConfigureAwait(false);
            if (verdict != IntakeVerdict.Later) Forget(office, marker);
            return verdict;
        }
        catch (SftpException e)
        {
            // The server said no to this one. The others have their turn, and then the connection goes, with what may still be open on it.
            total.Problem($"{office}: {SftpReason.Of(e)}");
            inbound.IsHurt = true;
            return IntakeVerdict.Later;
        }
    }

    async Task<IntakeVerdict> BringAsync(string office, SftpInbound inbound, string marker, Func<Brought, CancellationToken, Task<IntakeAnswer>> take, Tally total, CancellationToken cancel)
    {
        Mark(office, marker, failed: false);
        var contents = await inbound.ContentsAsync(marker, options.MaxBytes, cancel).ConfigureAwait(false);
        if (contents.IsMissing) return Failed(office, marker);
        foreach (var file in contents.Files ?? [])
        {
            // What is fetched is known by its digest alone: a part of an earlier round is gone on with, whatever has become of the file there.
            var path = Path.Combine(options.Temporary, $"{Convert.ToHexStringLower(SHA256.HashData([.. file.Digest, .. Encoding.UTF8.GetBytes(office)]))}.part");
            if (new DriveInfo(options.Temporary).AvailableFreeSpace < file.Length + options.KeepFree)
            {
                total.Problem("here: no room");
                return IntakeVerdict.Later;
            }
            IntakeAnswer answer;
            try
            {
                var fetched = await new SftpFetch(inbound.Line, inbound.At(file.Name), file.Length, file.Digest).RunAsync(path, cancel).ConfigureAwait(false);
                if (fetched == Fetched.Torn) return IntakeVerdict.Later;
                await using var content = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
                answer = fetched == Fetched.Whole ? await take(new Brought(file.Kind, marker, content), cancel).ConfigureAwait(false) : new IntakeAnswer(IntakeVerdict.Quarantine);
            }
            catch (IOException e) when (DurableFile.IsFull(e))
            {
                total.Problem("here: no room");
                return IntakeVerdict.Later;
            }
            catch (Exception e) when (e is not (OperationCanceledException or IOException or SshException or SocketException or OutOfMemoryException))
            {
                // The callback's own mistake, and maybe that of what it was shown.
                total.Problem($"{office}: {e.GetType().Name}");
                return Failed(office, marker);
            }
            if (answer.Reply is { } reply) await AnswerAsync(inbound, reply, cancel).ConfigureAwait(false);
            if (answer.Verdict != IntakeVerdict.Later) File.Delete(path);
            if (answer.Verdict != IntakeVerdict.Taken) return answer.Verdict;
        }
        return contents.Files is { Count: > 0 } ? IntakeVerdict.Taken : IntakeVerdict.Quarantine;
    }

    // To the office that it is for, which need not be the one on whose server the envelope lay.
    async Task AnswerAsync(SftpInbound inbound, IntakeReply reply, CancellationToken cancel)
    {
        var to = SftpTarget.Read(reply.Settings, out _) ?? inbound.Target;
        if (to.Server == inbound.Target.Server) await new SftpInbound(inbound.Line, to, 0).AnswerAsync(reply.Name, reply.Receipt, cancel).ConfigureAwait(false);
        else await AnswerAsync(to, reply, cancel).ConfigureAwait(false);
    }

    Task<bool> AnswerAsync(SftpTarget to, IntakeReply reply, CancellationToken cancel) => lines.RunAsync(reply.Office, to, async (line, stop) =>
    {
        await new SftpInbound(line, to, 0).AnswerAsync(reply.Name, reply.Receipt, stop).ConfigureAwait(false);
        return true;
    }, cancel);

    IEnumerable<(string Office, SftpTarget Target)> Sources(Tally problems)
    {
        foreach (var source in options.Sources().Where(s => s.Settings.ContainsKey("inbound")))
            if (SftpTarget.Read(source.Settings, out var wrong) is { } target) yield return (source.Office, target);
            else problems.Problem($"{source.Office}: {wrong}");
    }

    List<(string Office, SftpTarget Target)> Due(Tally problems)
    {
        lock (gate)
            return [.. Sources(problems).Where(s => !silent.TryGetValue(s.Office, out var since)
                || clock.GetElapsedTime(since.Since) >= TimeSpan.FromTicks(Math.Min(LongestWait.Ticks, FirstWait.Ticks << Math.Min(since.Times - 1, 10))))];
    }

    (int Failed, int Begun) Tried(string office, string marker)
    {
        lock (gate) return tried.GetValueOrDefault((office, marker));
    }

    IntakeVerdict Failed(string office, string marker) => Mark(office, marker, failed: true) < MostTries ? IntakeVerdict.Later : IntakeVerdict.Quarantine;

    int Mark(string office, string marker, bool failed)
    {
        lock (gate)
        {
            if (tried.Count > 10_000) tried.Clear();
            var (before, begun) = tried.GetValueOrDefault((office, marker));
            tried[(office, marker)] = failed ? (before + 1, begun) : (before, begun + 1);
            return before + 1;
        }
    }

    void Forget(string office, string marker)
    {
        lock (gate) tried.Remove((office, marker));
    }

    void SweepUnfinished()
    {
        var before = clock.GetUtcNow() - KeptUnfinished;
        foreach (var part in Directory.GetFiles(options.Temporary, "*.part").Where(p => File.GetLastWriteTimeUtc(p) < before.UtcDateTime)) File.Delete(part);
    }

    /// <summary>What a round comes to, from several offices at once.</summary>
    sealed class Tally
    {
        readonly Lock gate = new();
        int taken, aside, left, problems;
        string? first;

        public void Count(IntakeVerdict verdict)
        {
            lock (gate) _ = verdict switch { IntakeVerdict.Taken => taken++, IntakeVerdict.Quarantine => aside++, _ => left++ };
        }

        public void Problem(string problem)
        {
            lock (gate) (first, problems) = (first ?? problem, problems + 1);
        }

        public IntakeRound Round()
        {
            lock (gate) return new IntakeRound(taken, aside, left, problems > 1 ? string.Create(CultureInfo.InvariantCulture, $"{first}; and {problems - 1} more") : first);
        }
    }
}
