using System.Runtime.CompilerServices;

namespace Exchange.Tests;

/// <summary>
/// Another entry of this test program: with EXCHANGE_JOURNAL_PROBE set it accepts one dispatch in a process of its own, which strace watches, writes ANSWERED to
/// its standard error the moment the journal has answered, and ends before any test framework starts.
/// </summary>
static class JournalProbe
{
    public const string Variable = "EXCHANGE_JOURNAL_PROBE";

#pragma warning disable CA2255 // Must run before the test framework's own Main.
    [ModuleInitializer]
    public static void Run()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 }) return;
        using (var store = new TestStore(options: new()))
        {
            var dispatch = store.NewDispatch();
            using var error = Console.OpenStandardError();
            error.Write("BEGINS\n"u8);
            store.Commit(dispatch.Accept);
            error.Write("ANSWERED\n"u8);
        }
        Environment.Exit(0);
    }
#pragma warning restore CA2255
}
