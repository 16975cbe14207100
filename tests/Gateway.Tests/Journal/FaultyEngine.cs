using System.Data.Common;
using Exchange.Gateway.Journaling;

namespace Exchange.Tests;

enum Fault
{
    /// <summary>The call fails and nothing of the transaction is kept.</summary>
    Lost,
    /// <summary>The call does its work and then says that it failed. Before a commit that is the same as lost.</summary>
    KeptButReportedFailed,
    DiskFull,
    /// <summary>A mistake of the program.</summary>
    Throw,
}

/// <summary>An engine whose nth call fails: begin, each statement, each insert, commit.</summary>
sealed class FaultyEngine(IEngine inner, int nth, Fault fault) : IEngine
{
    int calls;

    public bool Hurt { get; private set; }
    public long Schema => inner.Schema;
    public IEngineTransaction Begin() => Hurting(() => new Transaction(this, inner.Begin()));
    public Reader Reader() => inner.Reader();
    public bool TryEmptyLog() => Hurting(inner.TryEmptyLog);
    public void Dispose() { }

    T Hurting<T>(Func<T> call)
    {
        if (++calls != nth) return call();
        Hurt = true;
        switch (fault)
        {
            case Fault.DiskFull: throw new StoreFull();
            case Fault.Throw: throw new InvalidOperationException("injected");
            case Fault.KeptButReportedFailed: (call() as IDisposable)?.Dispose(); break;
            default: break;
        }
        throw new IoFailure("injected");
    }

    sealed class Transaction(FaultyEngine engine, IEngineTransaction inner) : IEngineTransaction
    {
        public DbConnection Connection => inner.Connection;
        public LedgerHead Head => inner.Head;
        public long Written => inner.Written;
        public int Execute(string sql, object? args) => engine.Hurting(() => inner.Execute(sql, args));
        public void Insert<T>(RowShape<T> shape, IReadOnlyList<T> rows) => engine.Hurting(() => { inner.Insert(shape, rows); return 0; });
        public void Commit() => engine.Hurting(() => { inner.Commit(); return 0; });
        public void Rollback() => inner.Rollback();
        public void Dispose() => inner.Dispose();
    }
}
