namespace Exchange.Tests.Simulation;

/// <summary>What goes wrong, how often and for how long. Counts are per simulated run, whatever its length, for a plan whose trouble is 1.</summary>
sealed class Troubles(Simulator simulator, SimulationPlan plan, Pump pump, SimulatedOffices offices, Promises promises, SimulatedRandom chance)
{
    static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    bool over;
    TimeSpan slowUntil;

    public void Begin()
    {
        simulator.CommitTakes = () => slowUntil > pump.Elapsed ? chance.Between(TimeSpan.FromSeconds(0.2), TimeSpan.FromSeconds(3)) : TimeSpan.FromMilliseconds(1 + chance.Below(9));

        // The process: killed, without power, dead in the middle of a write or sync.
        Often(8, () => Restart(powerCut: false));
        Often(8, () => Restart(powerCut: true));
        Often(12, () => simulator.Disk.DieIn(chance.Below(60)));

        // The machine: stands still, a thread gets no processor, a slow disk, a wrong time of day.
        Often(5, Freeze);
        Often(plan.LateWorkers, HeartbeatStands, always: true);
        Often(4, () =>
        {
            slowUntil = pump.Elapsed + chance.Around(Minute);
            Disturb(slowUntil - pump.Elapsed + Minute);
        });
        Often(6, () => SetClock(pump.Wrong + chance.Between(TimeSpan.FromSeconds(-20), TimeSpan.FromSeconds(20)), sane: true));
        Often(2, () => SetClock(chance.Between(TimeSpan.FromMinutes(-90), TimeSpan.FromMinutes(90)), sane: false));

        // The network and the offices.
        Often(plan.Offices, () => Office(o => o.Down = pump.Elapsed + chance.Around(Minute * 4)));
        Often(plan.Offices / 4.0, () => Office(o => o.Swallows = pump.Elapsed + chance.Around(Minute * 5)));
        Often(plan.Offices / 2.0, () => Office(o => o.Busy = pump.Elapsed + chance.Around(Minute * 2)));
        Often(2, () =>
        {
            var until = pump.Elapsed + chance.Between(Minute, Minute * 8);
            foreach (var office in offices.All) office.Down = until;
            Disturb(until - pump.Elapsed + Minute * 5);
        });
    }

    /// <summary>Nothing goes wrong any more, and what is wrong is put right.</summary>
    public void End()
    {
        over = true;
        offices.IsRough = false;
        (slowUntil, offices.SlowUntil) = (pump.Elapsed, pump.Elapsed);
        foreach (var office in offices.All) (office.Down, office.Swallows, office.Busy) = (pump.Elapsed, pump.Elapsed, pump.Elapsed);
        Disturb(pump.Wrong.Duration() + Minute * 20);
        pump.SetWrong(TimeSpan.Zero);
        if (simulator.Gateway is { } gateway) gateway.HeartbeatStands = false;
        // Somebody has looked after the clock, and starts the gateway again.
        simulator.Restart(TimeSpan.FromSeconds(1), powerCut: false);
    }

    /// <summary>Nobody may expect to be served for so long.</summary>
    public void Disturb(TimeSpan time) => promises.Disturbed = new(Math.Max(promises.Disturbed.Ticks, (pump.Elapsed + time).Ticks));

    void Often(double times, Action action, bool always = false)
    {
        times *= always ? 1 : plan.Trouble;
        if (times <= 0) return;
        void Next() => pump.After(chance.Around(plan.Duration / times), () =>
        {
            if (over) return;
            action();
            Next();
        });
        Next();
    }

    void Restart(bool powerCut) => simulator.Restart(TimeSpan.FromSeconds(1) + chance.Around(TimeSpan.FromSeconds(20)), powerCut);

    void Office(Action<SimulatedOffices.Receiver> action) => action(offices[plan.World.Offices[chance.Below(plan.Offices)]]);

    void Freeze()
    {
        var time = chance.Between(TimeSpan.FromSeconds(10), Minute * 3);
        pump.Freeze(time);
        Disturb(Minute * 2);
    }

    // Leases run out under workers that still wait for an answer, and a second claim runs beside the first.
    void HeartbeatStands()
    {
        if (simulator.Gateway is not { } gateway) return;
        gateway.HeartbeatStands = true;
        offices.SlowUntil = pump.Elapsed + Minute * 3;
        Disturb(Minute * 8);
        pump.After(Minute * 4, () => gateway.HeartbeatStands = false);
    }

    // By more than a minute the gateway does not believe its clock any more: it lets nothing out until somebody has put it right and started it again.
    void SetClock(TimeSpan wrong, bool sane)
    {
        var step = (wrong - pump.Wrong).Duration();
        pump.SetWrong(wrong);
        Disturb(step + Minute * 2);
        if (sane) return;
        var after = chance.Between(Minute, Minute * 5);
        Disturb(step + after + Minute * 3);
        pump.After(after, () =>
        {
            pump.SetWrong(TimeSpan.Zero);
            Disturb(step + Minute * 3);
            Restart(powerCut: false);
        });
    }
}
