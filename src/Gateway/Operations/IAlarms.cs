namespace Exchange.Gateway.Operations;

/// <summary>What an administrator must hear of: a closed list. docs/operations.md says for each what it means and what to do.</summary>
enum AlarmCode
{
    /// <summary>An office's channel fails, and copies wait or go another way.</summary>
    BreakerOpened,
    /// <summary>It works again.</summary>
    BreakerClosed,
    /// <summary>A flash copy is not delivered after the time that it is worth.</summary>
    FlashUndelivered,
    /// <summary>A copy was given up.</summary>
    ParcelDead,
}

/// <param name="Office">Whom it concerns; null: this gateway.</param>
/// <param name="Detail">Ids, codes, channels and times; never content.</param>
sealed record Alarm(AlarmCode Code, string? Office, string Detail);

/// <summary>Where alarms go. Raise returns at once and never throws: whoever raises it has other work, and it may be a worker or a loop. Called once for each event, from any thread.</summary>
interface IAlarms
{
    void Raise(Alarm alarm);
}

/// <summary>Alarms as lines of the log, with what to do.</summary>
sealed class LogAlarms(ILogger<LogAlarms> log) : IAlarms
{
    public void Raise(Alarm alarm) => log.AlarmWasRaised(alarm.Code, alarm.Office ?? "this gateway", alarm.Detail, ToDo(alarm.Code));

    /// <summary>What to do, in a sentence.</summary>
    public static string ToDo(AlarmCode code) => code switch
    {
        AlarmCode.BreakerOpened => "Ask the office whether its side runs; see exchange-gateway ping OFFICE and exchange-gateway admin queue. It is tried again by itself",
        AlarmCode.BreakerClosed => "Nothing to do",
        AlarmCode.FlashUndelivered => "Call the office now; see exchange-gateway admin queue for what is in the way",
        _ => "See exchange-gateway admin dead; then redrive or discard",
    };
}
