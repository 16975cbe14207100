namespace Exchange.Gateway.Operations;

static partial class OperationsLog
{
    public const string SignedOnce = "Checkpoints are signed with Ed25519 alone. Add the second key: exchange-gateway checkpoint-key add --data DIR FILE --new ml-dsa-44, then start again.";

    [LoggerMessage(9054, LogLevel.Warning, SignedOnce)]
    public static partial void CheckpointsAreSignedOnce(this ILogger log);

    [LoggerMessage(9020, LogLevel.Critical, "ALARM: {Free} bytes are free, below the reserve of {Reserve}: submissions are refused, deliveries and receipts go on. Make room; no restart is needed")]
    public static partial void RoomIsShort(this ILogger log, long free, long reserve);

    [LoggerMessage(EventId = 9023, Message = "ALARM {Code}, {Office}: {Detail}. {ToDo}")]
    public static partial void AlarmWasRaised(this ILogger log, LogLevel level, AlarmCode code, string office, string detail, string toDo);

    [LoggerMessage(9024, LogLevel.Error, "{Target} was never told of the alarm {Code}: {Why}")]
    public static partial void AlarmWasNotTold(this ILogger log, string target, AlarmCode code, string why);

    [LoggerMessage(9025, LogLevel.Error, "{Target} did not take {Count} alarms ({Why}); tried again at {Next}")]
    public static partial void AlarmsWait(this ILogger log, string target, int count, string why, string next);

    [LoggerMessage(9022, LogLevel.Warning, "The gateway stops without its last entry: there is no room for it")]
    public static partial void StopWasNotRecorded(this ILogger log);

    [LoggerMessage(9021, LogLevel.Warning, "There is room again, {Free} bytes: submissions are taken in")]
    public static partial void RoomIsBack(this ILogger log, long free);

    [LoggerMessage(9001, LogLevel.Information, "The gateway of {Origin} listens on {Address} with {Entries} ledger entries")]
    public static partial void GatewayListens(this ILogger log, string origin, string address, long entries);

    [LoggerMessage(9002, LogLevel.Information, "The gateway stopped after its last entry")]
    public static partial void GatewayStopped(this ILogger log);

    [LoggerMessage(9003, LogLevel.Critical, "The store failed and the process stops; recovery is a fresh start")]
    public static partial void StoreFailed(this ILogger log, Exception failure);

    [LoggerMessage(9004, LogLevel.Error, "The step {Step} failed and is tried again")]
    public static partial void StepFailed(this ILogger log, Exception failure, string step);

    [LoggerMessage(9005, LogLevel.Information, "Document {Name} was activated")]
    public static partial void DocumentWasActivated(this ILogger log, string name);

    [LoggerMessage(9006, LogLevel.Warning, "Document {Name} was refused: {Reason}")]
    public static partial void DocumentWasRefused(this ILogger log, string name, string reason);

    [LoggerMessage(9039, LogLevel.Warning, "The order {Name} was carried out: {Result}")]
    public static partial void OrderWasCarriedOut(this ILogger log, string name, string result);

    [LoggerMessage(9007, LogLevel.Error, "A request to {Route} failed")]
    public static partial void RequestFailed(this ILogger log, Exception failure, string route);

    [LoggerMessage(9008, LogLevel.Debug, "A request to {Route} was refused: {Code} ({Detail})")]
    public static partial void RequestWasRefused(this ILogger log, string route, string code, string detail);

    [LoggerMessage(9009, LogLevel.Warning, "The store check found: {Finding}")]
    public static partial void CheckFound(this ILogger log, string finding);
}
