using System.Globalization;

namespace Exchange.Gateway.Operations;

/// <summary>An alarm as it is told.</summary>
/// <param name="Id">The same for every try: who gets it twice can tell.</param>
sealed record ToldAlarm(Guid Id, DateTimeOffset Time, Alarm Alarm);

/// <summary>Somebody who is told, by whatever way.</summary>
interface IAlarmTarget
{
    /// <summary>"webhook" or "mail".</summary>
    string Name { get; }

    /// <summary>All of these in one message. null: taken. Else why not, without content; it is tried again.</summary>
    Task<string?> TellAsync(IReadOnlyList<ToldAlarm> alarms, CancellationToken cancel);
}

/// <summary>
/// Alarms at once into the log, and then to each target in one message for whatever has come together, so that a storm of five hundred channels is one mail. A target that does not take it is
/// tried again for a day, beside the others. What is not yet told when the process dies stands in log and ledger, and the next start looks for what still holds (<see cref="AlarmWatch"/>).
/// </summary>
sealed class Alarms(IReadOnlyList<IAlarmTarget> targets, TimeProvider clock, ILogger<Alarms> log) : IAlarms
{
    const int Most = 1000, AtOnce = 100;
    static readonly TimeSpan First = TimeSpan.FromSeconds(10), Longest = TimeSpan.FromMinutes(15), Life = TimeSpan.FromDays(1), Patience = TimeSpan.FromSeconds(30);
    readonly Lock gate = new();
    readonly List<Waiting> waiting = [.. targets.Select(t => new Waiting(t))];

    sealed class Waiting(IAlarmTarget target)
    {
        public IAlarmTarget Target { get; } = target;
        public Queue<ToldAlarm> Queue { get; } = [];
        public DateTimeOffset Next { get; set; } = DateTimeOffset.MinValue;
        public TimeSpan Pause { get; set; } = First;
    }

    public void Raise(Alarm alarm)
    {
        var words = AlarmWords.Of(alarm.Code);
        log.AlarmWasRaised(alarm.Code is AlarmCode.Over or AlarmCode.BreakerClosed ? LogLevel.Information : LogLevel.Warning, alarm.Code, alarm.Office ?? "this gateway", alarm.Detail, words.ToDoEn);
        var now = clock.GetUtcNow();
        var told = new ToldAlarm(Guid.CreateVersion7(now), now, alarm);
        lock (gate)
            foreach (var one in waiting)
            {
                if (one.Queue.Count == Most) log.AlarmWasNotTold(one.Target.Name, one.Queue.Dequeue().Alarm.Code, "too many wait");
                one.Queue.Enqueue(told);
            }
    }

    /// <summary>Tells whoever is due to be told.</summary>
    public Task Step(DateTimeOffset now) => Task.WhenAll(waiting.Select(one => Tell(one, now)));

    async Task Tell(Waiting one, DateTimeOffset now)
    {
        List<ToldAlarm> batch;
        lock (gate)
        {
            while (one.Queue.TryPeek(out var oldest) && now - oldest.Time > Life) log.AlarmWasNotTold(one.Target.Name, one.Queue.Dequeue().Alarm.Code, "nobody took it for a day");
            if (one.Queue.Count == 0 || now < one.Next) return;
            batch = [.. one.Queue.Take(AtOnce)];
        }
        using var patience = new CancellationTokenSource(Patience, clock);
        string? why;
        try { why = await one.Target.TellAsync(batch, patience.Token); }
        catch (Exception e) { why = e.GetType().Name; }
        lock (gate)
        {
            if (why is null)
            {
                // What pushed the oldest out meanwhile is not taken away again.
                while (one.Queue.TryPeek(out var first) && batch.Contains(first)) one.Queue.Dequeue();
                (one.Next, one.Pause) = (DateTimeOffset.MinValue, First);
                return;
            }
            one.Next = now + one.Pause;
            log.AlarmsWait(one.Target.Name, batch.Count, why, one.Next.ToString("O", CultureInfo.InvariantCulture));
            one.Pause = one.Pause * 2 < Longest ? one.Pause * 2 : Longest;
        }
    }
}
