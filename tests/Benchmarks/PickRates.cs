using System.Diagnostics;
using System.Globalization;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Offices;
using Exchange.Gateway.Queue;
using Exchange.Gateway.Store;
using Microsoft.Data.Sqlite;

namespace Exchange.Benchmarks;

/// <summary>
/// What the next job costs: among a thousand waiting ones, among a million of which six of ten are flash for an office that is down, and what the shape that River, Oban and pg-boss use
/// costs on that same table. The pick is everything but the commit: lane heads, choice, claim. Then a lane ahead of whose head ten million jobs have come and gone while a reader held an old snapshot.
/// </summary>
sealed class PickRates(string pki, string work)
{
    const int Offices = 500, Picks = 400, Rounds = 5, GlobalPicks = 12;
    const int Few = 1_000, FewOffices = 10, Step = 100_000;
    // Of the store and its log, generously.
    const long BytesEach = 700;
    const string Dead = "H000", Churned = "H001";
    const string FewName = "pick, 1,000 waiting for 499 offices", NarrowName = "pick, 1,000 waiting for 10 offices";
    static readonly DateTimeOffset Now = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);
    readonly TrustStore anchors = TrustStore.Load(Path.Combine(pki, "trust"));

    sealed class FixedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now;
    }

    /// <summary>A store whose job table holds so many rows, and nothing behind them: a pick looks at nothing else.</summary>
    sealed class Bench : IDisposable
    {
        readonly SqliteEngine engine;
        readonly Journal journal;
        readonly LaneHeads heads;
        readonly Turns turns = new();
        readonly Slots slots = new(1, 0, 5, [5_000, 60_000, 300_000, 1_800_000, 14_400_000]);
        readonly string file;

        /// <param name="offices">That are well; the rows that are not the dead one's are spread over all of their lanes.</param>
        public Bench(TrustStore anchors, string folder, int rows, int offices)
        {
            Directory.CreateDirectory(folder);
            file = Path.Combine(folder, "exchange.db");
            engine = SqliteEngine.Open(file, create: true);
            journal = new Journal(engine, Worlds.Load(engine, anchors, new Pins([], []), Now), new FixedClock(), new JournalOptions(), failure => throw failure);
            Fill(rows, offices);
            heads = new LaneHeads(journal, 4);
        }

        // Ids and times of one moment, spread over the last hour; the dead office owns three of five, all flash.
        void Fill(int rows, int offices)
        {
            Raw(connection =>
            {
                using var insert = connection.CreateCommand();
                insert.CommandText = "INSERT INTO job (parcel, office, class, state, due, attempt, fence, lease_until, ask, lost, after) VALUES ($p, $o, $c, 0, $d, 0, 0, NULL, 0, 0, NULL)";
                var (p, o, c, d) = (insert.Parameters.Add("$p", SqliteType.Blob), insert.Parameters.Add("$o", SqliteType.Text), insert.Parameters.Add("$c", SqliteType.Integer), insert.Parameters.Add("$d", SqliteType.Integer));
                var random = new Random(1);
                for (var i = 0; i < rows; i++)
                {
                    var dead = i % 5 < 3;
                    p.Value = Guid.CreateVersion7(Now.AddSeconds(-3600 + 3600.0 * i / rows)).ToByteArray(bigEndian: true);
                    o.Value = dead ? Dead : Name(1 + random.Next(offices));
                    c.Value = dead ? 0 : 1 + random.Next(4);
                    d.Value = Now.AddSeconds(-3600 + 3600.0 * i / rows).ToUnixTimeMilliseconds();
                    insert.ExecuteNonQuery();
                }
            });
        }

        static string Name(int office) => string.Create(CultureInfo.InvariantCulture, $"H{office:000}");

        public void Raw(Action<SqliteConnection> work)
        {
            using var connection = new SqliteConnection($"Data Source={file};Foreign Keys=False;Pooling=False");
            connection.Open();
            using var transaction = connection.BeginTransaction();
            work(connection);
            transaction.Commit();
        }

        public SqliteConnection Hold()
        {
            var connection = new SqliteConnection($"Data Source={file};Mode=ReadOnly;Pooling=False");
            connection.Open();
            using var begin = connection.CreateCommand();
            begin.CommandText = "BEGIN; SELECT count(*) FROM job WHERE office = 'nobody'";
            begin.ExecuteScalar();
            return connection;
        }

        /// <returns>Microseconds of lane heads and choice, and of the claim; the commit between them is not counted.</returns>
        public double Pick()
        {
            var began = Stopwatch.GetTimestamp();
            var lanes = heads.Read(engine, Now);
            var claim = Lanes.Choose(lanes, [], office => office == Dead ? new OfficeGate(null, 2, null) : new OfficeGate("https", 4, null), slots, turns, Now.ToUnixTimeMilliseconds()).Single();
            var chosen = Stopwatch.GetElapsedTime(began);
            turns.Charge(claim.Office, claim.Class, TimeSpan.FromMilliseconds(5));
            var claiming = TimeSpan.Zero;
            var task = journal.Commit(b =>
            {
                b.Quiet(QuietKind.Claim);
                var from = Stopwatch.GetTimestamp();
                var jobs = JobTable.Claim(b, claim.Office, claim.Class, claim.Count, Now.ToUnixTimeMilliseconds(), Now.AddMinutes(1).ToUnixTimeMilliseconds());
                claiming = Stopwatch.GetElapsedTime(from);
                return jobs;
            }, settle: true);
            journal.Step();
            var job = task.GetAwaiter().GetResult().Single();
            // Back, as due last of its lane: the backlog stays what it is.
            var back = journal.Commit(b =>
            {
                b.Quiet(QuietKind.Claim);
                return JobTable.PutBack(b, job.Parcel, job.Fence, Now.ToUnixTimeMilliseconds(), ask: false);
            }, settle: true);
            journal.Step();
            if (!back.GetAwaiter().GetResult()) throw new InvalidOperationException("The claim was lost.");
            return (chosen + claiming).TotalMicroseconds;
        }

        /// <summary>One order over all of it; an office that is down is filtered out, its own index given.</summary>
        public double GlobalPick(SqliteConnection connection)
        {
            using var pick = connection.CreateCommand();
            pick.CommandText = $"SELECT parcel FROM job INDEXED BY job_global WHERE state = 0 AND due <= {Now.ToUnixTimeMilliseconds()} AND office NOT IN ('{Dead}') ORDER BY class, due, parcel LIMIT 1";
            var began = Stopwatch.GetTimestamp();
            if (pick.ExecuteScalar() is not byte[]) throw new InvalidOperationException("Nothing was picked.");
            return Stopwatch.GetElapsedTime(began).TotalMicroseconds;
        }

        /// <summary>So many jobs come into one lane ahead of all others and go again, a hundred thousand at a time, each step a commit of its own, so that whoever reads an old snapshot keeps them all.</summary>
        public void Churn(int jobs)
        {
            using var connection = new SqliteConnection($"Data Source={file};Foreign Keys=False;Pooling=False");
            connection.Open();
            // Nothing here has to survive.
            Run(connection, "PRAGMA synchronous = OFF; PRAGMA cache_size = -200000");
            for (var done = 0; done < jobs; done += Step)
            {
                Run(connection, $"""
                    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {Step - 1})
                    INSERT INTO job (parcel, office, class, state, due, attempt, fence, lease_until, ask, lost, after)
                    SELECT unhex(printf('%032x', {done} + i)), '{Churned}', 1, 0, {Now.ToUnixTimeMilliseconds() - 10_000_000} + i, 0, 0, NULL, 0, 0, NULL FROM n
                    """);
                Run(connection, $"DELETE FROM job WHERE state = 0 AND office = '{Churned}' AND class = 1 AND due < {Now.ToUnixTimeMilliseconds() - 9_000_000}");
            }
        }

        static void Run(SqliteConnection connection, string sql)
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }

        public long LogBytes => new FileInfo(file + "-wal").Length;

        public double LanePick()
        {
            using var reader = engine.Reader();
            var began = Stopwatch.GetTimestamp();
            if (JobTable.Dues(reader, Churned, 1, 4).Count == 0) throw new InvalidOperationException("The lane is empty.");
            return Stopwatch.GetElapsedTime(began).TotalMicroseconds;
        }

        public void Dispose()
        {
            journal.Dispose();
            engine.Dispose();
        }
    }

    public int Run(int rows, int churn)
    {
        var (need, free) = (BytesEach * ((long)rows + churn), new DriveInfo(work).AvailableFreeSpace);
        if (free < need + (2L << 30))
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"not run: it may take {need >> 20} MB in {work}, and of {free >> 20} MB two GB are left alone"));
            return 1;
        }
        // As few jobs, once in as many lanes as they can be in, and once in a few: the second has the least to choose from.
        using var few = new Bench(anchors, Path.Combine(work, "few"), Few, Offices - 1);
        using var narrow = new Bench(anchors, Path.Combine(work, "narrow"), Few, FewOffices);
        using var many = new Bench(anchors, Path.Combine(work, "many"), rows, Offices - 1);
        many.Raw(connection =>
        {
            using var index = connection.CreateCommand();
            index.CommandText = "CREATE INDEX job_global ON job (class, due, parcel, office) WHERE state = 0";
            index.ExecuteNonQuery();
        });
        using var reader = many.Hold();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Rounds} rounds in turn, {Environment.ProcessorCount} cores, load {Load()}"));
        for (var i = 0; i < 600; i++) _ = few.Pick() + narrow.Pick() + many.Pick();
        var figures = new Dictionary<string, List<double[]>>();
        void Add(string name, Func<double> pick, int count)
        {
            if (!figures.TryGetValue(name, out var list)) figures[name] = list = [];
            list.Add([.. Enumerable.Range(0, count).Select(_ => pick()).Order()]);
        }
        for (var round = 0; round < Rounds; round++)
        {
            Add(FewName, few.Pick, Picks);
            Add(NarrowName, narrow.Pick, Picks);
            Add($"pick, {rows:N0} waiting, dead flash office", many.Pick, Picks);
            Add("one order over all of them", () => many.GlobalPick(reader), GlobalPicks);
        }
        foreach (var (name, list) in figures)
        {
            double Of(double part) => list.Select(f => f[(int)(f.Length * part)]).Order().ElementAt(list.Count / 2);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-44} p50 {Of(.5),9:0} us   p99 {Of(.99),9:0} us   ({list.Min(f => f[(int)(f.Length * .99)]):0} .. {list.Max(f => f[(int)(f.Length * .99)]):0})"));
        }
        double P99(string name) => figures[name].Select(f => f[(int)(f.Length * .99)]).Order().ElementAt(Rounds / 2);
        var big = $"pick, {rows:N0} waiting, dead flash office";
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"p99 {P99(big) / P99(FewName):0.0} times that of 1,000 rows in many lanes, {P99(big) / P99(NarrowName):0.0} times that of 1,000 in few (aim: at most 3); one order over all: {P99("one order over all of them") / P99(big):0} times the pick"));
        reader.Dispose();
        if (churn > 0) Lane(many, churn);
        Console.WriteLine($"load {Load()} at the end");
        return 0;
    }

    static void Lane(Bench bench, int churn)
    {
        double[] Picked() => [.. Enumerable.Range(0, 2000).Select(_ => bench.LanePick()).Order()];
        _ = Picked();
        var before = Picked();
        var began = Stopwatch.GetTimestamp();
        double[] held;
        long log;
        double took;
        using (bench.Hold())
        {
            bench.Churn(churn);
            took = Stopwatch.GetElapsedTime(began).TotalSeconds;
            log = bench.LogBytes;
            held = Picked();
        }
        var after = Picked();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"head of a lane: p50 {before[1000]:0} us, p99 {before[1980]:0} us; {churn:N0} jobs come and gone ahead of it in {took:0} s, all kept by a held snapshot in a log of {log >> 20} MB: p50 {held[1000]:0} us, p99 {held[1980]:0} us; the snapshot let go: p50 {after[1000]:0} us, p99 {after[1980]:0} us"));
    }

    static string Load() => File.ReadAllText("/proc/loadavg").Split(' ')[0];
}
