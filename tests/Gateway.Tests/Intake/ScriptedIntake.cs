using Exchange.Adapters;

namespace Exchange.Tests.Intake;

/// <summary>A channel that brings what the test gives it; the gateway's callback is known after the first round.</summary>
sealed class ScriptedIntake : IIntake
{
    public string Name => "mail";
    public Func<Brought, CancellationToken, Task<IntakeAnswer>> Take { get; private set; } = null!;
    public IntakeRound Round { get; set; } = new(0, 0, 0, null);

    public Task<IntakeRound> StepAsync(Func<Brought, CancellationToken, Task<IntakeAnswer>> take, CancellationToken cancel)
    {
        Take = take;
        return Task.FromResult(Round);
    }

    /// <summary>What came back after the answers; what <see cref="Unreachable"/> says is in an office's way did not.</summary>
    public List<IntakeReply> Replies { get; } = [];
    public Func<IntakeReply, string?> Unreachable { get; set; } = _ => null;

    public Task<string?> ReplyAsync(IntakeReply reply, CancellationToken cancel)
    {
        if (Unreachable(reply) is not { } why) Replies.Add(reply);
        else return Task.FromResult<string?>(why);
        return Task.FromResult<string?>(null);
    }

    public Task<string?> ProbeAsync(CancellationToken cancel) => Task.FromResult<string?>(null);

    public Task<IntakeAnswer> Bring(BroughtKind kind, byte[] bytes) => Take(new Brought(kind, "a.bin", new MemoryStream(bytes)), CancellationToken.None);
    public Task<IntakeAnswer> Report(Guid parcel, ReportedAction action, string code = "DSN_2_0_0", string to = "") =>
        Take(new Brought(BroughtKind.Report, "", new MemoryStream(), new CarrierReport(parcel, to, action, code)), CancellationToken.None);
}
