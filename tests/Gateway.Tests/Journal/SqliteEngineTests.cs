using System.Diagnostics;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;
using Microsoft.Data.Sqlite;

namespace Exchange.Tests;

public sealed class SqliteEngineTests : IDisposable
{
    const int ReadOnly = 8;
    readonly TestStore store = new();

    [Theory]
    [InlineData("INSERT INTO upload VALUES (zeroblob(16), 'G22', zeroblob(16), zeroblob(32), zeroblob(32), 1, 1, 1, x'', x'', x'')")]
    [InlineData("UPDATE head SET size = 9 RETURNING size")]
    [InlineData("DELETE FROM entry RETURNING seq")]
    [InlineData("DROP TABLE parcel")]
    [InlineData("CREATE TABLE other (a)")]
    [InlineData("PRAGMA user_version = 3")]
    [InlineData("PRAGMA query_only = OFF; UPDATE head SET size = 9")]
    public void No_statement_through_a_reader_can_write(string sql)
    {
        store.Commit(store.NewDispatch().Accept);
        for (var connection = 0; connection < 3; connection++)
        {
            using var other = store.Engine.Reader();
            using var reader = store.Engine.Reader();
            Assert.Equal(ReadOnly, Assert.Throws<SqliteException>(() => reader.Query<long>(sql)).SqliteErrorCode);
        }
        Assert.Equal(1, store.Head().Size);
    }

    [Theory]
    [InlineData("synchronous", 2L)]
    [InlineData("foreign_keys", 1L)]
    [InlineData("secure_delete", 1L)]
    [InlineData("trusted_schema", 0L)]
    [InlineData("wal_autocheckpoint", 0L)]
    [InlineData("temp_store", 2L)]
    public void The_connection_that_writes_is_set_for_durability(string name, long value)
    {
        using var transaction = store.Engine.Begin();
        using var command = transaction.Connection.CreateCommand();
        command.CommandText = $"PRAGMA {name}";
        Assert.Equal(value, command.ExecuteScalar());
        command.CommandText = "PRAGMA journal_mode";
        Assert.Equal("wal", command.ExecuteScalar());
    }

    [Fact]
    public void What_a_reader_has_prepared_answers_as_the_store_is_now_and_keeps_no_snapshot()
    {
        const string Sql = "SELECT size FROM head WHERE one = @one";
        for (var round = 0; round < 3; round++)
        {
            using (var reader = store.Engine.Reader())
            {
                Assert.Equal(round, Assert.Single(reader.Query<long>(Sql, new { one = 1 })));
                Assert.Empty(reader.Query<long>(Sql, new { one = 2 }));
                // Broken off in the middle, and refused: neither may be in the way of the next.
                Assert.Equal(1L, reader.Walk<long>("SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3").First());
                Assert.Throws<SqliteException>(() => reader.Query<long>("DELETE FROM head RETURNING size"));
                Assert.Throws<InvalidOperationException>(() => reader.Query<long>(Sql));
            }
            var entry = TestStore.Entry(round);
            store.Commit(b => b.Log(entry, EntryKind.Start) is not null);
            using var other = new SqliteConnection($"Data Source={store.Folder.Database};Pooling=False");
            other.Open();
            using var checkpoint = other.CreateCommand();
            checkpoint.CommandText = "PRAGMA wal_checkpoint(TRUNCATE)";
            Assert.Equal(0L, checkpoint.ExecuteScalar());
        }
    }

    [Fact]
    public void The_answer_comes_after_the_log_is_synced()
    {
        if (!File.Exists("/usr/bin/strace")) Assert.Skip("strace is not installed");
        var trace = Trace();
        var answered = trace.FindIndex(l => l.Contains("ANSWERED", StringComparison.Ordinal));
        var begins = trace.FindIndex(l => l.Contains("BEGINS", StringComparison.Ordinal));
        var commit = trace[begins..answered];
        var written = commit.FindLastIndex(l => l.Contains("pwrite64", StringComparison.Ordinal) && l.Contains("exchange.db-wal", StringComparison.Ordinal));
        var synced = commit.FindLastIndex(l => (l.Contains("fdatasync", StringComparison.Ordinal) || l.Contains("fsync", StringComparison.Ordinal)) && l.Contains("exchange.db-wal", StringComparison.Ordinal));
        Assert.True(written >= 0, "the log was not written before the answer");
        Assert.True(synced > written, "the log was not synced between its last write and the answer");
    }

    [Fact]
    public void What_was_answered_is_in_a_copy_of_the_files_taken_at_that_moment()
    {
        var dispatch = store.NewDispatch();
        Assert.True(store.Commit(dispatch.Accept));
        var folder = Directory.CreateTempSubdirectory("exchange-copy-").FullName;
        try
        {
            foreach (var end in new[] { "", "-wal" }) File.Copy(store.Folder.Database + end, Path.Combine(folder, "exchange.db" + end));
            using var engine = SqliteEngine.Open(Path.Combine(folder, "exchange.db"));
            using var reader = engine.Reader();
            Assert.NotNull(ReceiptTable.Acceptance(reader, "G22", dispatch.Row.Envelope));
            Assert.Empty(StoreCheck.Run(engine, store.Blobs, []));
        }
        finally { Directory.Delete(folder, recursive: true); }
    }

    [Fact]
    public void One_folder_has_one_gateway()
    {
        var refused = Assert.Throws<CannotStartException>(() => DataFolder.Open(store.Folder.Root));
        Assert.Contains("Another gateway runs", refused.Message, StringComparison.Ordinal);
        store.Reopen();
        Assert.Throws<CannotStartException>(() => DataFolder.Open(store.Folder.Root));
    }

    [Fact]
    public void A_new_data_folder_must_be_empty_and_an_old_one_must_be_there()
    {
        Assert.Throws<CannotStartException>(() => DataFolder.Create(store.Folder.Root));
        Assert.Throws<CannotStartException>(() => DataFolder.Open(store.Folder.Root + ".none"));
        Assert.Throws<CannotStartException>(() => SqliteEngine.Open(store.Folder.Database + ".none"));
        Assert.False(File.Exists(store.Folder.Database + ".none"));
    }

    [Theory]
    [InlineData("3.51.2")]
    [InlineData("3.45.0")]
    [InlineData("unknown")]
    public void An_SQLite_that_can_lose_data_is_refused(string version) => Assert.Throws<CannotStartException>(() => SqliteSettings.DemandVersion(version));

    [Fact]
    public void A_schema_newer_than_the_program_is_refused()
    {
        store.Tamper("INSERT INTO SchemaVersions (ScriptName, Applied) VALUES ('Exchange.Gateway.Store.Migrations.0099_later.sql', '2027-01-01')");
        var refused = Assert.Throws<CannotStartException>(() => store.Reopen());
        Assert.Contains("schema 99", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>What takes a migration back, so that a store is as the program before it left it. A new migration is one more line.</summary>
    static readonly SortedDictionary<long, string> Undo = new()
    {
        [2] = "DROP TABLE job; DROP TABLE attempt; DROP INDEX parcel_queued",
        [3] = "DROP INDEX dispatch_retained; ALTER TABLE dispatch DROP COLUMN payload_erased_at",
        [10] = "DROP INDEX receipt_refused; DROP INDEX entry_alone; DROP TABLE erasure; DROP TABLE operation",
        [9] = "DROP TABLE reply; DROP TABLE brought",
        [8] = "DROP TABLE report",
        [7] = "DROP TABLE asked_back; DROP TABLE recall; DROP TABLE status",
        [6] = """
            DROP TABLE dead; DROP TABLE office_state; ALTER TABLE attempt DROP COLUMN channel; DROP INDEX parcel_look; DROP INDEX job_after; ALTER TABLE job DROP COLUMN after; ALTER TABLE job DROP COLUMN lost;
            ALTER TABLE parcel DROP COLUMN look_at; ALTER TABLE parcel DROP COLUMN half_at; ALTER TABLE parcel DROP COLUMN alarm_at; ALTER TABLE parcel DROP COLUMN expires
            """,
        [5] = "DROP TABLE label_word; DROP TABLE label_change; DROP INDEX dispatch_law; DROP INDEX dispatch_term; ALTER TABLE dispatch DROP COLUMN term",
        [4] = "DROP INDEX receipt_held; ALTER TABLE receipt DROP COLUMN held; DROP TABLE held_approval; DROP TABLE held",
    };

    public static TheoryData<long> EarlierSchemas => [.. Enumerable.Range(1, (int)Migrations.Newest - 1).Select(n => (long)n)];

    [Theory, MemberData(nameof(EarlierSchemas))]
    public void A_store_of_every_earlier_schema_is_migrated_with_its_data(long schema)
    {
        var dispatch = store.NewDispatch();
        store.Commit(dispatch.Accept);
        var (newest, head) = (store.Engine.Schema, store.Head());
        for (var n = newest; n > schema; n--) store.Tamper($"{Undo[n]}; DELETE FROM SchemaVersions WHERE ScriptName LIKE '%.{n:0000}_%'");
        using (var before = SqliteEngine.OpenReadOnly(store.Folder.Database)) Assert.Equal(schema, before.Schema);
        store.Reopen();
        Assert.Equal(newest, store.Engine.Schema);
        Assert.Equal((head.Size, head.Root), (store.Head().Size, store.Head().Root));
        using (var reader = store.Engine.Reader()) Assert.NotNull(ReceiptTable.Acceptance(reader, dispatch.Row.Sender, dispatch.Row.Envelope));
        Assert.True(store.Commit(dispatch.HandOver(store, dispatch.Parcels[0])));
        Assert.Empty(store.Check());
    }

    [Fact]
    public void A_file_that_is_no_store_is_refused()
    {
        store.Close();
        File.WriteAllBytes(store.Folder.Database, new byte[8192]);
        Assert.Throws<CannotStartException>(() => SqliteEngine.Open(store.Folder.Database));
    }

    [Fact]
    public void A_store_can_be_read_beside_the_one_that_writes()
    {
        store.Commit(store.NewDispatch().Accept);
        using var beside = SqliteEngine.OpenReadOnly(store.Folder.Database);
        Assert.Empty(StoreCheck.Run(beside, store.Blobs, []));
        Assert.Throws<InvalidOperationException>(() => beside.Begin());
    }

    static List<string> Trace()
    {
        var log = Path.Combine(Directory.CreateTempSubdirectory("exchange-trace-").FullName, "trace");
        // The host of this test runs it as a program of its own.
        var start = new ProcessStartInfo("/usr/bin/strace") { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in new[] { "-f", "-y", "-s", "32", "-o", log, "-e", "trace=pwrite64,write,fsync,fdatasync", Environment.ProcessPath! }) start.ArgumentList.Add(argument);
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") start.ArgumentList.Add(typeof(SqliteEngineTests).Assembly.Location);
        start.Environment[JournalProbe.Variable] = "1";
        using var process = Process.Start(start)!;
        var (errors, output) = (process.StandardError.ReadToEndAsync(), process.StandardOutput.ReadToEndAsync());
        Assert.True(process.WaitForExit(TimeSpan.FromMinutes(2)), "the probe did not end");
        Assert.True(process.ExitCode == 0, errors.Result + output.Result);
        var lines = File.ReadAllLines(log).ToList();
        Directory.Delete(Path.GetDirectoryName(log)!, recursive: true);
        return lines;
    }

    public void Dispose() => store.Dispose();
}
