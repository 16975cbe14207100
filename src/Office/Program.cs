using System.CommandLine;
using Exchange.Office;
using Exchange.Office.Dev;
using Exchange.Office.Join;
using Exchange.Office.Policies;

return await ExchangeProgram.RunAsync(args, TimeProvider.System).ConfigureAwait(false);

namespace Exchange.Office
{
    /// <summary>The `exchange` command. Exit codes: 0 good, 1 refused or bad, 2 incomplete or cannot say, 3 held: persons must release it, 64 the command line or the profile is wrong.</summary>
    static class ExchangeProgram
    {
        public const int Good = 0, Bad = 1, Incomplete = 2, Held = 3, Usage = 64;

        public static async Task<int> RunAsync(string[] args, TimeProvider clock, TextWriter? output = null, TextWriter? error = null)
        {
            var shell = new Shell(clock, output ?? Console.Out, error ?? Console.Error);
            var parsed = Root(shell).Parse(args);
            var invocation = new InvocationConfiguration { Output = shell.Output, Error = shell.Error, ProcessTerminationTimeout = TimeSpan.FromSeconds(20), EnableDefaultExceptionHandler = false };
            var code = await parsed.InvokeAsync(invocation).ConfigureAwait(false);
            return parsed.Errors.Count > 0 ? Usage : code;
        }

        static RootCommand Root(Shell shell)
        {
            var root = new RootCommand("Sends, receives and proves official dispatches for one office. Gửi, nhận và chứng minh văn bản của một cơ quan.");
            foreach (var option in shell.Options) root.Options.Add(option);
            root.Subcommands.Add(SendCommands.Send(shell));
            root.Subcommands.Add(RecallCommands.Recall(shell));
            root.Subcommands.Add(RecallCommands.Update(shell));
            root.Subcommands.Add(RecallCommands.Resend(shell));
            root.Subcommands.Add(ArchiveCommands.Archive(shell));
            root.Subcommands.Add(SendCommands.Outbox(shell));
            root.Subcommands.Add(HoldCommands.Held(shell));
            root.Subcommands.Add(HoldCommands.Approve(shell));
            root.Subcommands.Add(TrackCommands.Status(shell));
            root.Subcommands.Add(LabelCommands.Label(shell));
            root.Subcommands.Add(InboxCommands.Inbox(shell));
            root.Subcommands.Add(InboxCommands.Open(shell));
            root.Subcommands.Add(HandleCommands.Handle(shell));
            root.Subcommands.Add(IntakeCommands.Intake(shell));
            root.Subcommands.Add(ReceiveCommands.Receive(shell));
            root.Subcommands.Add(TrackCommands.Receipts(shell));
            root.Subcommands.Add(ExportCommands.Export(shell));
            root.Subcommands.Add(InspectCommand.Inspect(shell));
            root.Subcommands.Add(SignatureCommands.Signatures(shell));
            root.Subcommands.Add(SignatureCommands.Reader(shell));
            root.Subcommands.Add(VerifyCommands.Verify(shell));
            root.Subcommands.Add(AuditCommands.Audit(shell));
            root.Subcommands.Add(DirectoryCommands.Directory(shell));
            root.Subcommands.Add(KeysCommands.Keys(shell));
            root.Subcommands.Add(OfficerCommands.Officer(shell));
            root.Subcommands.Add(PolicyCommands.Policy(shell));
            root.Subcommands.Add(DevCommands.Create(shell));
            return root;
        }
    }
}
