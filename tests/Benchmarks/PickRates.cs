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
/// costs on that same table. The pick is everything but the commit: lane heads, choice, claim. Then a lane through which ten million jobs have gone while a reader held an old snapshot.
/// </summary>
sealed class PickRates(string pki, string work)
{
    const int Offices = 500, Picks = 400, Rounds = 5, GlobalPicks = 12;
    const string Dead = "H000";
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

        public Bench(TrustStore anchors, string folder, int rows)
        {
            Directory.CreateDirectory(folder);
            file = Path.Combine(folder, "exchange.db");
            engine = SqliteEngine.Open(file, create: true);
            journal = new Journal(engine, Worlds.Load(engine, anchors, new Pins([], []), Now), new FixedClock(), new JournalOptions(), failure => throw failure);
            Fill(rows);
            heads = new LaneHeads(journal, 4);
        }

        // Ids and times of one moment, spread over the last hour; the dead office owns three of five, all flash.
        void Fill(int rows)
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
                    o.Value = dead ? Dead : Name(1 + random.Next(Offices - 1));
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

        /// <summary>So many jobs go through one lane, in steps of a hundred thousand, while somebody reads an old snapshot.</summary>
        public void Churn(int jobs)
        {
            for (var done = 0; done < jobs; done += 100_000)
                Raw(connection =>
                {
                    using var churn = connection.CreateCommand();
                    churn.CommandText = $"""
                        WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)
                        INSERT INTO job (parcel, office, class, state, due, attempt, fence, lease_until, ask, lost, after) SELECT randomblob(16), 'H001', 1, 0, {Now.ToUnixTimeMilliseconds() - 10_000_000} + i, 0, 0, NULL, 0, 0, NULL FROM n;
                        DELETE FROM job WHERE office = 'H001' AND class = 1 AND due < {Now.ToUnixTimeMilliseconds() - 9_000_000};
                        """;
                    churn.ExecuteNonQuery();
                });
        }

        public double LanePick()
        {
            using var reader = engine.Reader();
            var began = Stopwatch.GetTimestamp();
            if (JobTable.Dues(reader, "H001", 1, 4).Count == 0) throw new InvalidOperationException("The lane is empty.");
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
        using var few = new Bench(anchors, Path.Combine(work, "few"), 1_000);
        using var many = new Bench(anchors, Path.Combine(work, "many"), rows);
        many.Raw(connection =>
        {
            using var index = connection.CreateCommand();
            index.CommandText = "CREATE INDEX job_global ON job (class, due, parcel, office) WHERE state = 0";
            index.ExecuteNonQuery();
        });
        using var reader = many.Hold();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Rounds} rounds in turn, {Environment.ProcessorCount} cores, load {Load()}"));
        for (var i = 0; i < 200; i++) _ = few.Pick() + many.Pick();
        var figures = new Dictionary<string, List<double[]>>();
        void Add(string name, Func<double> pick, int count)
        {
            if (!figures.TryGetValue(name, out var list)) figures[name] = list = [];
            list.Add([.. Enumerable.Range(0, count).Select(_ => pick()).Order()]);
        }
        for (var round = 0; round < Rounds; round++)
        {
            Add("pick, 1,000 waiting", few.Pick, Picks);
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
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"p99 {P99(big) / P99("pick, 1,000 waiting"):0.0} times that of 1,000 rows (aim: at most 3); one order over all: {P99("one order over all of them") / P99(big):0} times the pick"));
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
        using (bench.Hold()) bench.Churn(churn);
        var after = Picked();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"head of a lane: p50 {before[1000]:0} us, p99 {before[1980]:0} us; after {churn:N0} jobs went through it in {Stopwatch.GetElapsedTime(began).TotalSeconds:0} s under a held snapshot: p50 {after[1000]:0} us, p99 {after[1980]:0} us"));
    }

    static string Load() => File.ReadAllText("/proc/loadavg").Split(' ')[0];
}
