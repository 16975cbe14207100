namespace Exchange.Gateway.Operations;

/// <summary>
/// Free space of the data folder's file system. Below the reserve nothing new is taken in, so that what was accepted can still be settled and receipted;
/// room made while the gateway runs is enough, it need not be started again.
/// </summary>
sealed class Room(string folder, long reserve, TimeProvider clock, ILogger<Room> log)
{
    static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
    readonly DriveInfo drive = new(folder);
    readonly Lock gate = new();
    DateTimeOffset looked = DateTimeOffset.MinValue;
    bool isShort;
    long free = long.MaxValue;

    /// <summary>Bytes, as last looked at.</summary>
    public long Free
    {
        get
        {
            _ = IsShort;
            lock (gate) return free;
        }
    }

    /// <summary>Looked at no more than once a second.</summary>
    public bool IsShort
    {
        get
        {
            lock (gate)
            {
                var now = clock.GetUtcNow();
                if (now - looked < Every) return isShort;
                looked = now;
                free = drive.AvailableFreeSpace;
                // With a reserve of nothing it is short when it is full.
                if (free <= reserve != isShort)
                {
                    isShort = !isShort;
                    if (isShort) log.RoomIsShort(free, reserve);
                    else log.RoomIsBack(free);
                }
                return isShort;
            }
        }
    }
}
