namespace Exchange.Adapters.Sftp;

/// <summary>
/// The connections to offices' servers: so many an office, each used by one at a time, kept for the next one while it is well. SSH.NET blocks a thread where a server takes no more bytes, and
/// no token ends that. So whoever is cancelled leaves at once; what he left behind ends when its connection was taken down, and only then is its place free again: a server that swallows
/// everything holds no more threads than an office may have connections.
/// </summary>
sealed class SftpLines : IDisposable
{
    readonly SftpOptions options;
    readonly TimeProvider clock;
    readonly ITimer sweeper;
    readonly Lock gate = new();
    readonly Dictionary<(string Office, SftpTarget Server), Place> places = [];
    bool disposed;

    public SftpLines(SftpOptions options, TimeProvider clock)
    {
        (this.options, this.clock) = (options, clock);
        var often = TimeSpan.FromSeconds(Math.Max(1, options.IdleSeconds / 2.0));
        sweeper = clock.CreateTimer(_ => Sweep(), null, often, often);
    }

    sealed class Place(int connections)
    {
        public SemaphoreSlim Free { get; } = new(connections);
        public Stack<SftpLine> Idle { get; } = new();
    }

    /// <summary>Runs the work on a connection to this office. Any exception but <see cref="BusyException"/> is of the connecting or of the work, or the cancellation.</summary>
    /// <exception cref="BusyException">All its connections were in use for too long.</exception>
    public async Task<T> RunAsync<T>(string office, SftpTarget target, Func<SftpLine, CancellationToken, Task<T>> work, CancellationToken cancel)
    {
        // Offices never share a connection, nor do two settings of one office: each was judged for its own. Only the folders do not count.
        Place place;
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            var server = (office, target.Server);
            if (!places.TryGetValue(server, out place!)) places[server] = place = new Place(options.Connections);
        }
        if (!await place.Free.WaitAsync(TimeSpan.FromSeconds(options.QueueSeconds), cancel).ConfigureAwait(false)) throw new BusyException();
        var running = Task.Run(() => OnLineAsync(place, target, work, cancel), CancellationToken.None);
        _ = running.ContinueWith(ended =>
        {
            _ = ended.Exception;
            place.Free.Release();
        }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return await running.WaitAsync(cancel).ConfigureAwait(false);
    }

    async Task<T> OnLineAsync<T>(Place place, SftpTarget target, Func<SftpLine, CancellationToken, Task<T>> work, CancellationToken cancel)
    {
        var line = await WellAsync(place, target, cancel).ConfigureAwait(false) ?? await SftpLine.ConnectAsync(target, options, cancel).ConfigureAwait(false);
        T result;
        try
        {
            // Taking the connection down is what wakes a thread that waits for the server inside the package.
            using (cancel.UnsafeRegister(held => _ = Task.Run(((SftpLine)held!).Dispose), line)) result = await work(line, cancel).ConfigureAwait(false);
        }
        catch
        {
            line.Dispose();
            throw;
        }
        if (cancel.IsCancellationRequested || !GiveBack(place, line)) line.Dispose();
        return result;
    }

    // A connection that was not used for a while may lead nowhere without anybody having said so: one question tells.
    async Task<SftpLine?> WellAsync(Place place, SftpTarget target, CancellationToken cancel)
    {
        while (true)
        {
            SftpLine? line;
            lock (gate) place.Idle.TryPop(out line);
            if (line is null) return null;
            try
            {
                if (line.IsAlive && clock.GetElapsedTime(line.IdleSince) <= TimeSpan.FromSeconds(options.IdleSeconds))
                {
                    await line.LengthOfAsync(target.Folder, cancel).ConfigureAwait(false);
                    return line;
                }
            }
            catch (Exception e) when (e is Renci.SshNet.Common.SshException or System.Net.Sockets.SocketException or InvalidOperationException) { }
            catch
            {
                line.Dispose();
                throw;
            }
            line.Dispose();
        }
    }

    bool GiveBack(Place place, SftpLine line)
    {
        line.IdleSince = clock.GetTimestamp();
        lock (gate)
        {
            if (disposed || options.IdleSeconds == 0) return false;
            place.Idle.Push(line);
            return true;
        }
    }

    // What nobody used for too long, or has ended by itself.
    void Sweep()
    {
        List<SftpLine> old = [];
        lock (gate)
            foreach (var place in places.Values)
            {
                var kept = place.Idle.Where(l => l.IsAlive && clock.GetElapsedTime(l.IdleSince) <= TimeSpan.FromSeconds(options.IdleSeconds)).Reverse().ToList();
                old.AddRange(place.Idle.Except(kept));
                place.Idle.Clear();
                foreach (var line in kept) place.Idle.Push(line);
            }
        foreach (var line in old) line.Dispose();
    }

    public void Dispose()
    {
        sweeper.Dispose();
        List<SftpLine> idle;
        lock (gate)
        {
            disposed = true;
            idle = [.. places.Values.SelectMany(p => p.Idle)];
            places.Clear();
        }
        Parallel.ForEach(idle, line => line.Dispose());
    }
}

/// <summary>All connections that an office may have are in use.</summary>
sealed class BusyException : Exception;
