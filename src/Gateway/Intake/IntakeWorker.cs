using Exchange.Adapters;

namespace Exchange.Gateway.Intake;

/// <summary>Rounds of one intake. What it brings goes to <see cref="TakeBrought"/>; what it puts aside is counted.</summary>
sealed class IntakeWorker(IIntake intake, TakeBrought take, Shared shared, CancellationToken stopping)
{
    readonly ILogger log = shared.Log<IntakeWorker>();
    string? problem;

    public string Name => intake.Name;
    public Task Arriving => intake.Arriving;

    public async Task<IntakeRound> Step(DateTimeOffset now)
    {
        var round = await intake.StepAsync((brought, cancel) => take.Take(intake.Name, brought, cancel), stopping);
        if (round.Quarantined > 0)
        {
            shared.Meters.Quarantined.Add(round.Quarantined, new KeyValuePair<string, object?>("channel", intake.Name));
            log.WasPutAside(intake.Name, round.Quarantined);
        }
        // Once when it begins, once when it is over.
        if (round.Problem is { } why && why != problem) log.IntakeIsDown(intake.Name, why);
        else if (round.Problem is null && problem is not null) log.IntakeIsBack(intake.Name);
        problem = round.Problem;
        return round;
    }
}
