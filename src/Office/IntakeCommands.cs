using System.CommandLine;
using Exchange.Crypto;
using Exchange.Office.Client;

namespace Exchange.Office;

/// <summary>intake: sends what other programs put into a folder.</summary>
static class IntakeCommands
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(2), Refresh = TimeSpan.FromMinutes(1);

    public static Command Intake(Shell shell)
    {
        var folder = new Option<string>("--folder") { Description = "Folder with NAME.job.json and the files it names", Required = true, HelpName = "DIR" };
        var once = new Option<bool>("--once") { Description = "One pass, then end: 0 all sent, 1 something failed, 2 something waits" };
        var command = new Command("intake", "Seals and sends what other programs put into a folder. Gửi văn bản do phần mềm khác đặt vào thư mục.") { folder, once };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            var root = Path.GetFullPath(parsed.GetValue(folder)!);
            if (!Directory.Exists(root)) throw new UsageException($"--folder: there is no folder {root}", $"--folder: không có thư mục {root}");
            using var client = shell.Client(parsed, say);
            var intake = new Intake(client, new OfficeFiles(root), shell.Clock);
            using var alone = intake.TryLock() ?? throw new RefusedException(Refusal.Busy, "another process works on this folder");
            intake.Sweep();
            return await LoopAsync(client, intake, parsed.GetValue(once), say, shell.Clock, cancel).ConfigureAwait(false);
        });
    }

    static async Task<int> LoopAsync(OfficeClient client, Intake intake, bool once, Output say, TimeProvider clock, CancellationToken cancel)
    {
        var told = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var refreshed = DateTimeOffset.MinValue; ;)
        {
            var code = ExchangeProgram.Good;
            try
            {
                var jobs = intake.Jobs();
                if (jobs.Count > 0 && clock.GetUtcNow() - refreshed > Refresh)
                {
                    await client.RefreshAsync(cancel).ConfigureAwait(false);
                    refreshed = clock.GetUtcNow();
                }
                foreach (var name in jobs) code = Worse(code, Tell(await intake.RunAsync(name, cancel).ConfigureAwait(false), told, say));
            }
            // The gateway or the disk, not a job: in a loop it passes or is told again.
            catch (Exception e) when (!once && e is RefusedException or IOException) { say.Note(e.Message, e.Message); }
            catch (OperationCanceledException) when (!once && cancel.IsCancellationRequested) { return ExchangeProgram.Good; }
            if (once) return code;
            try { await Task.Delay(Pause, clock, cancel).ConfigureAwait(false); }
            catch (OperationCanceledException) { return ExchangeProgram.Good; }
        }
    }

    // What failed needs somebody; what waits does not.
    static int Worse(int a, int b) => a == ExchangeProgram.Bad || b == ExchangeProgram.Bad ? ExchangeProgram.Bad : Math.Max(a, b);

    // A job that waits is told of once for each reason, not at every pass.
    static int Tell(IntakeVerdict verdict, Dictionary<string, string> told, Output say)
    {
        switch (verdict)
        {
            case IntakeVerdict.Sent sent:
                told.Remove(sent.Name);
                say.Json(new { job = sent.Name, state = "sent", id = sent.Entry.Id });
                if (!say.IsJson) SendCommands.Tell(sent.Entry, sent.Verdict, say);
                return ExchangeProgram.Good;
            case IntakeVerdict.Failed failed:
                told.Remove(failed.Name);
                say.Json(new { job = failed.Name, state = "failed", error = Output.Describe(failed.Reason, failed.Detail) });
                say.Say($"failed    {failed.Name}", $"không gửi được  {failed.Name}");
                if (!say.IsJson) say.Refused(failed.Reason, failed.Detail);
                return ExchangeProgram.Bad;
            case IntakeVerdict.Waiting waiting:
                var why = waiting.Reason is { } reason ? $"{reason.Code}  {waiting.Detail}" : say.Text("files are missing", "thiếu tệp");
                if (told.GetValueOrDefault(waiting.Name) != why) say.Note($"waiting   {waiting.Name}  {why}", $"đang chờ  {waiting.Name}  {why}");
                told[waiting.Name] = why;
                return ExchangeProgram.Incomplete;
            default: throw new InvalidOperationException(verdict.GetType().Name);
        }
    }
}
