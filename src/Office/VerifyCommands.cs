using System.CommandLine;

namespace Exchange.Office;

/// <summary>inspect and verify.</summary>
static class VerifyCommands
{
    public static Command Inspect(Shell shell) => new("inspect");
    public static Command Verify(Shell shell) => new("verify");
}
