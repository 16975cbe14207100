using System.Runtime.CompilerServices;
using Exchange.Gateway.Store;

namespace Exchange.Tests;

/// <summary>
/// A second entry of this test program: with EXCHANGE_DURABLE_PROBE set it does one durable action in a process of its own, which strace watches or hurts, and ends
/// with 0 (done), 3 (IOException, errno printed) before any test framework starts.
/// </summary>
static class DurableProbe
{
    public const string Variable = "EXCHANGE_DURABLE_PROBE";

#pragma warning disable CA2255 // Must run before the test framework's own Main.
    [ModuleInitializer]
    public static void Run()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } asked) return;
        var (action, path) = (asked.Split('|')[0], asked.Split('|')[1]);
        try
        {
            switch (action)
            {
                case "write": DurableFile.Write(path, "content"u8); break;
                case "new": DurableFile.Write(path, "content"u8, replace: false); break;
                case "delete": DurableFile.Delete(path); break;
                case "folder": DurableFile.CreateFolder(path); break;
                case "blob": new BlobStore(path, TimeProvider.System).PutAsync(Guid.Parse("00000000-0000-0000-0000-00000000abcd"), to => to.WriteAsync(new byte[5]).AsTask(), CancellationToken.None).GetAwaiter().GetResult(); break;
                default: Environment.Exit(2); break;
            }
        }
        catch (IOException e)
        {
            Console.WriteLine(e.HResult);
            Environment.Exit(3);
        }
        Environment.Exit(0);
    }
#pragma warning restore CA2255
}
