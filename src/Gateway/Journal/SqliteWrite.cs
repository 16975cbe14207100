using System.Data.Common;
using System.Text;
using Dapper;
using Exchange.Gateway.Store;
using Microsoft.Data.Sqlite;

namespace Exchange.Gateway.Journaling;

/// <summary>The one write transaction of <see cref="SqliteEngine"/>.</summary>
internal sealed class SqliteWrite : IEngineTransaction
{
    readonly SqliteConnection connection;
    readonly SqliteStatements statements;
    readonly WriteAheadLog log;
    bool open;

    public SqliteWrite(SqliteConnection connection, SqliteStatements statements, WriteAheadLog log)
    {
        (this.connection, this.statements, this.log) = (connection, statements, log);
        // IMMEDIATE: takes the write lock now, so that the head cannot move after it is read.
        statements.Run("BEGIN IMMEDIATE");
        open = true;
        Head = HeadTable.Read(connection);
    }

    public DbConnection Connection => connection;
    public LedgerHead Head { get; }
    public long Written => SQLitePCL.raw.sqlite3_total_changes(connection.Handle);

    public int Execute(string sql, object? args) => StoreErrors.Guard(() => connection.Execute(sql, args));

    public void Insert<T>(RowShape<T> shape, IReadOnlyList<T> rows) => StoreErrors.Guard(() => { statements.Insert(shape, rows); return 0; });

    public void Commit()
    {
        statements.Run("COMMIT");
        open = false;
        // It is durable already; what fails here only says that this process must not go on.
        log.CarryOver();
    }

    public void Rollback()
    {
        if (!open) return;
        open = false;
        // After some errors (disk full among them) SQLite has rolled back by itself.
        if (SQLitePCL.raw.sqlite3_get_autocommit(connection.Handle) == 0) statements.Run("ROLLBACK");
    }

    public void Dispose() => Rollback();
}

/// <summary>Prepared statements of the write connection.</summary>
internal sealed class SqliteStatements(SqliteConnection connection) : IDisposable
{
    // Rows per statement. More gains little in process: a statement's cost is its rows.
    const int Many = 16;
    readonly Dictionary<(string, int), SqliteCommand> prepared = [];

    public void Run(string sql)
    {
        var command = Get((sql, 0), () => sql, 0);
        StoreErrors.Guard(command.ExecuteNonQuery);
    }

    public void Insert<T>(RowShape<T> shape, IReadOnlyList<T> rows)
    {
        for (var at = 0; at < rows.Count;)
        {
            var count = rows.Count - at >= Many ? Many : 1;
            var command = Get((shape.Table, count), () => Sql(shape.Table, shape.Columns, count), count * shape.Columns.Length);
            var parameter = 0;
            for (var i = 0; i < count; i++)
                foreach (var value in shape.Values(rows[at + i])) command.Parameters[parameter++].Value = ColumnTypes.ToColumn(value);
            command.ExecuteNonQuery();
            at += count;
        }
    }

    static string Sql(string table, string[] columns, int rows)
    {
        var sql = new StringBuilder($"INSERT INTO {table} ({string.Join(", ", columns)}) VALUES ");
        for (var row = 0; row < rows; row++)
            sql.Append(row == 0 ? "(" : ", (").AppendJoin(", ", Enumerable.Range(row * columns.Length, columns.Length).Select(n => $"@p{n}")).Append(')');
        return sql.ToString();
    }

    SqliteCommand Get((string, int) key, Func<string> sql, int parameters)
    {
        if (prepared.TryGetValue(key, out var command)) return command;
        command = connection.CreateCommand();
        command.CommandText = sql();
        for (var n = 0; n < parameters; n++) command.Parameters.Add(new SqliteParameter { ParameterName = $"@p{n}", Value = DBNull.Value });
        command.Prepare();
        prepared.Add(key, command);
        return command;
    }

    public void Dispose()
    {
        foreach (var command in prepared.Values) command.Dispose();
    }
}
