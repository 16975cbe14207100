using System.Globalization;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Operations;

/// <summary>
/// States that nobody reports because nothing happens: certificates and revocation lists that end, a disk that fills, a clock that was set, a ledger that falls behind. Looked at now and then; each is told
/// when it begins, once a day while it lasts, and when it is over.
/// </summary>
sealed class AlarmWatch(Shared shared, Equipment equipment, Backlog backlog, Func<bool> isClockSure, Func<string?> revocationTrouble, Func<IEnumerable<Alarm>> pending)
{
    static readonly TimeSpan Again = TimeSpan.FromDays(1), CrlNotice = TimeSpan.FromDays(2);
    readonly Dictionary<(AlarmCode, string?), DateTimeOffset> told = [];
    bool started;

    public Task Step(DateTimeOffset now)
    {
        if (!started) Started();
        started = true;
        var holds = Look(now).ToDictionary(a => (a.Code, a.Office));
        foreach (var (what, alarm) in holds)
        {
            if (told.TryGetValue(what, out var last) && now - last < Again && now >= last) continue;
            told[what] = now;
            shared.Alarms.Raise(alarm);
        }
        foreach (var over in told.Keys.Where(k => !holds.ContainsKey(k)).ToList())
        {
            told.Remove(over);
            shared.Alarms.Raise(new Alarm(AlarmCode.Over, over.Item2, over.Item1.ToString()));
        }
        return Task.CompletedTask;
    }

    IEnumerable<Alarm> Look(DateTimeOffset now)
    {
        var limits = shared.Options.Limits;
        var soon = now.AddDays(limits.CertificateAlarmDays);
        var store = shared.Worlds.Current.Trust.Store;
        var authorities = store.Roots.Concat(store.Intermediates).Select(a => ("CA", a.NotAfter));
        if (Ending([("tls", equipment.Tls.NotAfter), ("evidence", equipment.Evidence.Certificate.NotAfter), .. authorities], soon) is { } own) yield return new(AlarmCode.CertificateEnding, null, own);
        foreach (var office in shared.Worlds.Current.Directory.Offices)
            if (Ending(KeyEnds.Of(office).Select(e => (e.Role is null ? e.Use : $"{e.Use} {e.Role}", e.Until)), soon) is { } ending) yield return new(AlarmCode.CertificateEnding, office.Code, ending);
        if (store.CrlsUntil is { } until && until < now + CrlNotice) yield return new(AlarmCode.RevocationEnding, null, Day(until));
        if (revocationTrouble() is { } sources) yield return new(AlarmCode.RevocationUnfetched, null, sources);
        if (shared.Room.Free is var free && free < limits.DiskAlarmBytes) yield return new(AlarmCode.DiskLow, null, string.Create(CultureInfo.InvariantCulture, $"{free} bytes free"));
        if (!isClockSure()) yield return new(AlarmCode.ClockUnsure, null, "set by more than a minute");
        foreach (var alarm in pending()) yield return alarm;
        if (backlog.Now.Lag is var lag && lag > TimeSpan.FromSeconds(limits.PromiseSeconds)) yield return new(AlarmCode.LedgerBehind, null, string.Create(CultureInfo.InvariantCulture, $"by {(long)lag.TotalSeconds} s"));
    }

    static string? Ending(IEnumerable<(string Use, DateTimeOffset Until)> certificates, DateTimeOffset soon)
    {
        var ending = certificates.Where(c => c.Until < soon).OrderBy(c => c.Until).Select(c => $"{c.Use} {Day(c.Until)}").ToList();
        return ending.Count == 0 ? null : string.Join(", ", ending);
    }

    // Events of the run before may have died with it: what still holds of them is told again.
    void Started()
    {
        using var reader = shared.Engine.Reader();
        var (down, dead, late) = (OfficeStateTable.Down(reader), DeadTable.Count(reader), ParcelExpiry.LateFlash(reader));
        if (down + dead + late > 0)
            shared.Alarms.Raise(new Alarm(AlarmCode.StartedWithTrouble, null, string.Create(CultureInfo.InvariantCulture, $"{down} channels down, {dead} copies given up, {late} flash copies late")));
    }

    static string Day(DateTimeOffset time) => "until " + time.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
