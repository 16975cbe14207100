namespace Exchange.Tests.Simulation;

/// <summary>Whoever's continuations and timers belong together: one run of the gateway, or the world around it. Once dead, none of them is run any more.</summary>
sealed class Life(Pump pump, bool isGateway) : SynchronizationContext
{
    public bool IsDead { get; set; }
    public bool IsGateway { get; } = isGateway;

    public override void Post(SendOrPostCallback d, object? state) => pump.Enqueue(this, d, state);

    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("Nothing waits for another thread here.");

    public override SynchronizationContext CreateCopy() => this;
}

/// <summary>
/// The one thread of a simulation. It runs what can run in an order drawn from the seed; when nothing can, and the journal's disk has taken its time, the journal makes a batch; else time goes on to the next
/// timer. Whatever runs on another thread is a mistake, and ends the simulation.
/// </summary>
sealed class Pump
{
    readonly int thread = Environment.CurrentManagedThreadId;
    readonly SimulatedRandom order;
    readonly List<(Life Life, SendOrPostCallback Callback, object? State)> ready = [];
    readonly PriorityQueue<Timer, (long Due, ulong Tie)> timers = new();
    volatile string? foreign;
    TimeSpan wrong;

    public Pump(SimulatedRandom order)
    {
        this.order = order;
        Around = new Life(this, isGateway: false);
    }

    /// <summary>Since the beginning, as the machine's own counter has it.</summary>
    public TimeSpan Elapsed { get; private set; }
    public static readonly DateTimeOffset Epoch = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);
    /// <summary>Time of day as the machine shows it: right, or not.</summary>
    public DateTimeOffset Now => Epoch + Elapsed + wrong;
    /// <summary>By how much.</summary>
    public TimeSpan Wrong => wrong;
    /// <summary>The world around the gateway.</summary>
    public Life Around { get; }
    public long Events { get; private set; }
    /// <summary>Takes one batch; asked when nothing else can run. Whether it did anything.</summary>
    public Func<bool> WhenIdle { get; set; } = () => false;

    public TimeProvider ClockOf(Life life) => new Clock(this, life);

    public Life NewLife() => new(this, isGateway: true);

    /// <summary>Somebody sets the time of day.</summary>
    public void SetWrong(TimeSpan by) => wrong = by;

    /// <summary>The machine stands still: time goes on, and nothing runs.</summary>
    public void Freeze(TimeSpan time) => Elapsed += time;

    public void Enqueue(Life life, SendOrPostCallback callback, object? state)
    {
        if (Environment.CurrentManagedThreadId != thread)
        {
            foreign ??= $"{callback.Method.DeclaringType}.{callback.Method.Name} was set going by another thread:\n{Environment.StackTrace}";
            return;
        }
        if (!life.IsDead) ready.Add((life, callback, state));
    }

    /// <summary>For the world around the gateway; never cancelled.</summary>
    public void After(TimeSpan delay, Action action) => Schedule(new Timer(this, Around, _ => action(), null), delay);

    public void Run(Life life, Func<Task> work, Action<Exception> failed) => Enqueue(life, async _ =>
    {
        try { await work(); }
        catch (Exception e) { failed(e); }
    }, null);

    /// <summary>The returned task completes when the work has.</summary>
    public Task Start(Life life, Func<Task> work)
    {
        var done = new TaskCompletionSource();
        Enqueue(life, async _ =>
        {
            try
            {
                await work();
                done.TrySetResult();
            }
            catch (Exception e) { done.TrySetException(e); }
        }, null);
        return done.Task;
    }

    /// <summary>Until this moment, or until told to stop.</summary>
    public void RunUntil(TimeSpan end, Func<bool> stop)
    {
        while (!stop())
        {
            if (foreign is { } found) throw new InvalidOperationException(found);
            if (ready.Count > 0) RunOne();
            else if (WhenIdle()) Events++;
            else if (!Advance(end)) return;
        }
    }

    void RunOne()
    {
        var at = order.Below(ready.Count);
        var (life, callback, state) = ready[at];
        ready[at] = ready[^1];
        ready.RemoveAt(ready.Count - 1);
        if (life.IsDead) return;
        Events++;
        In(life, () => callback(state));
    }

    bool Advance(TimeSpan end)
    {
        while (timers.TryPeek(out var timer, out var key) && (timer.Life.IsDead || timer.Due != key.Due)) timers.Dequeue();
        if (!timers.TryPeek(out var next, out var when) || when.Due > end.Ticks)
        {
            if (end > Elapsed) Elapsed = end;
            return false;
        }
        timers.Dequeue();
        Elapsed = TimeSpan.FromTicks(Math.Max(Elapsed.Ticks, when.Due));
        Events++;
        In(next.Life, next.Fire);
        return true;
    }

    static void In(Life life, Action action)
    {
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(life);
        try { action(); }
        finally { SynchronizationContext.SetSynchronizationContext(before); }
    }

    void Schedule(Timer timer, TimeSpan delay)
    {
        timer.Due = (Elapsed + delay).Ticks;
        timers.Enqueue(timer, (timer.Due, order.Next()));
    }

    /// <summary>As a run of the program sees the time; its timers end with it.</summary>
    sealed class Clock(Pump pump, Life life) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => pump.Now;
        public override long GetTimestamp() => pump.Elapsed.Ticks;
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new Timer(pump, life, callback, state);
            timer.Change(dueTime, period);
            return timer;
        }
    }

    sealed class Timer(Pump pump, Life life, TimerCallback callback, object? state) : ITimer
    {
        TimeSpan period = Timeout.InfiniteTimeSpan;

        public Life Life { get; } = life;
        /// <summary>-1: not set. What stands in the queue under another time was set before.</summary>
        public long Due { get; set; } = -1;

        public void Fire()
        {
            Due = -1;
            if (period > TimeSpan.Zero) pump.Schedule(this, period);
            callback(state);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            (this.period, Due) = (period, -1);
            if (dueTime >= TimeSpan.Zero) pump.Schedule(this, dueTime);
            return true;
        }

        public void Dispose() => Due = -1;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
