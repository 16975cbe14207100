using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging.Console;

namespace Exchange;

/// <summary>What a program needs that serves until it is told to stop: a log on standard error, a line each, in UTC; and to be told, by SIGTERM or Ctrl-C.</summary>
sealed class ServingProcess : IDisposable
{
    readonly TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly PosixSignalRegistration term, interrupt;

    public ServingProcess()
    {
        Logs = LoggerFactory.Create(logging => logging.SetMinimumLevel(LogLevel.Information)
            .AddFilter("Microsoft", LogLevel.Warning)
            .AddSimpleConsole(console => { console.SingleLine = true; console.UseUtcTimestamp = true; console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ "; })
            .Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace));
        (term, interrupt) = (PosixSignalRegistration.Create(PosixSignal.SIGTERM, Ask), PosixSignalRegistration.Create(PosixSignal.SIGINT, Ask));
    }

    public ILoggerFactory Logs { get; }

    /// <summary>Completes when it is to stop.</summary>
    public Task Asked => asked.Task;

    void Ask(PosixSignalContext signal)
    {
        // The process ends when it has stopped, not here.
        signal.Cancel = true;
        asked.TrySetResult();
    }

    public void Dispose()
    {
        term.Dispose();
        interrupt.Dispose();
        Logs.Dispose();
    }
}
