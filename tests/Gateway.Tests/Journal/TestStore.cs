using Exchange.Crypto.Ledger;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Offices;
using Exchange.Gateway.Store;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;

namespace Exchange.Tests;

/// <summary>A store and its journal in a folder of their own. The journal is stepped by hand, and every batch runs twice, the first time rolled back.</summary>
sealed class TestStore : IDisposable
{
    public static readonly DateTimeOffset Start = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);
    public const string Origin = "gateway.test/ledger";
    static readonly LedgerKeys key = new(LedgerKey.Create(Origin, NoteKeyType.Ed25519), LedgerKey.Create(Origin, NoteKeyType.MlDsa44Cosignature));
    /// <summary>What the next <see cref="Reopen"/> signs with; null: the keys of all tests.</summary>
    public LedgerKeys? Keys { get; set; }
    readonly string outside;
    int counter;
    bool closed;

    public TestStore(Func<IEngine, IEngine>? wrap = null, JournalOptions? options = null)
    {
        outside = Directory.CreateTempSubdirectory("exchange-journal-").FullName;
        Folder = DataFolder.Create(Path.Combine(outside, "data"));
        Guard = Guard.Create(GuardFile, Origin);
        Open(wrap, options);
    }

    public FakeTimeProvider Clock { get; set; } = new(Start);
    public DataFolder Folder { get; private set; }
    public Guard Guard { get; private set; }
    public SqliteEngine Engine { get; private set; } = null!;
    public Worlds Worlds { get; private set; } = null!;
    public Journal Journal { get; private set; } = null!;
    public Checkpoints Checkpoints { get; private set; } = null!;
    public BlobStore Blobs { get; private set; } = null!;
    public List<Exception> Stops { get; } = [];
    public string GuardFile => Path.Combine(outside, "guard", "guard.db");
    public static TrustStore Anchors => TestPki.Shared.Trust;
    public static Pins Pins { get; } = new(TestPki.Shared.DirectoryOfficerKeys, TestPki.Shared.PolicyOfficerKeys);
    public static VerifierKey VerifierKey => key.VerifierKeys[0];
    public static LedgerKeys SharedKeys => key;

    void Open(Func<IEngine, IEngine>? wrap, JournalOptions? options)
    {
        Engine = SqliteEngine.Open(Folder.Database, create: true);
        Worlds = Worlds.Load(Engine, Anchors, Pins, Clock.GetUtcNow());
        Journal = new Journal(wrap?.Invoke(Engine) ?? Engine, Worlds, Clock, options ?? new JournalOptions { Rehearse = true }, Stops.Add);
        Checkpoints = Checkpoints.Open(Engine, Guard, Keys ?? key, TimeSpan.FromSeconds(5), Stops.Add);
        Blobs = new BlobStore(Folder.Blobs, Clock);
    }

    /// <summary>As a process that starts again on the same folder.</summary>
    public void Reopen(Func<IEngine, IEngine>? wrap = null, JournalOptions? options = null)
    {
        Close();
        closed = false;
        Folder = DataFolder.Open(Folder.Root);
        Guard = Guard.Open(GuardFile, Origin);
        Open(wrap, options);
    }

    public void Close()
    {
        if (closed) return;
        closed = true;
        Journal.Dispose();
        Engine.Dispose();
        Guard.Dispose();
        Folder.Dispose();
    }

    /// <summary>Commits by one step of the journal.</summary>
    public T Commit<T>(Change<T> change, bool settle = false)
    {
        var task = Journal.Commit(change, settle: settle);
        Journal.Step();
        return task.GetAwaiter().GetResult();
    }

    public LedgerHead Head()
    {
        using var reader = Engine.Reader();
        return HeadTable.Read(reader);
    }

    public IReadOnlyList<Finding> Check() => StoreCheck.Run(Engine, Blobs, Guard.Heads());

    /// <summary>A v7 id that rises with each call.</summary>
    public Guid NewId() => Guid.CreateVersion7(Start.AddMilliseconds(++counter));

    public static LedgerEntry Entry(long number = 0) => LedgerEntry.Create(new StartDetail("test", 1, number) { Time = Start.ToUnixTimeMilliseconds() });

    /// <summary>A dispatch from one office to others, with all the rows that accepting it writes.</summary>
    public TestDispatch NewDispatch(string sender = "G22", params string[] to) => new(this, sender, to.Length == 0 ? ["H41"] : to);

    /// <summary>Statements against the file itself, foreign keys off: what an accident or an intruder does behind the journal.</summary>
    public void Tamper(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Folder.Database};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA foreign_keys = OFF; " + sql;
        command.ExecuteNonQuery();
    }

    public void Dispose()
    {
        Close();
        Directory.Delete(outside, recursive: true);
    }
}
