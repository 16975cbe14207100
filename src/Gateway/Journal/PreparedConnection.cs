using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Data.Sqlite;

namespace Exchange.Gateway.Journaling;

/// <summary>
/// A connection that keeps what its commands have prepared, by their text: Dapper makes a command for each query, and to parse and plan it each time costs more than to run it. What was kept is
/// reset, so it holds no lock and no snapshot. As any connection: one user at a time.
/// </summary>
internal sealed class PreparedConnection(string settings) : SqliteConnection(settings)
{
    // The queries of the gateway are a few hundred; what is longer than any of them is a migration.
    const int Most = 512, Longest = 4096;
    readonly Dictionary<string, SqliteCommand> idle = new(StringComparer.Ordinal);

    protected override DbCommand CreateDbCommand() => new Borrowed(this);

    SqliteCommand Take(string sql)
    {
        if (idle.Remove(sql, out var kept))
        {
            kept.Transaction = Transaction;
            return kept;
        }
        var command = CreateCommand();
        command.CommandText = sql;
        return command;
    }

    void GiveBack(SqliteCommand command)
    {
        command.Parameters.Clear();
        if (State != ConnectionState.Open || command.CommandText.Length > Longest || idle.Count >= Most || !idle.TryAdd(command.CommandText, command)) command.Dispose();
    }

    /// <summary>One use of a command: it is found by its text when that is set, and goes back when this is disposed, unless it failed.</summary>
    sealed class Borrowed(PreparedConnection connection) : DbCommand
    {
        SqliteCommand? command;
        DbDataReader? reader;
        bool failed;

        SqliteCommand Command => command ??= connection.CreateCommand();

        [AllowNull]
        public override string CommandText
        {
            get => command?.CommandText ?? "";
            set
            {
                if (command is null) command = connection.Take(value ?? "");
                else command.CommandText = value ?? "";
            }
        }

        public override int CommandTimeout { get => Command.CommandTimeout; set => Command.CommandTimeout = value; }
        public override CommandType CommandType { get => Command.CommandType; set => Command.CommandType = value; }
        public override bool DesignTimeVisible { get; set; }
        public override UpdateRowSource UpdatedRowSource { get; set; }
        protected override DbConnection? DbConnection { get => connection; set => throw new NotSupportedException(); }
        protected override DbParameterCollection DbParameterCollection => Command.Parameters;
        protected override DbTransaction? DbTransaction { get => Command.Transaction; set => Command.Transaction = (SqliteTransaction?)value; }

        public override void Cancel() { }
        public override void Prepare() => Command.Prepare();
        protected override DbParameter CreateDbParameter() => new SqliteParameter();
        public override int ExecuteNonQuery() => Guarded(c => c.ExecuteNonQuery());
        public override object? ExecuteScalar() => Guarded(c => c.ExecuteScalar());
        protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior) => reader = Guarded(c => c.ExecuteReader(behavior));

        T Guarded<T>(Func<SqliteCommand, T> run)
        {
            failed = true;
            var result = run(Command);
            failed = false;
            return result;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing && command is not null)
            {
                reader?.Dispose();
                if (failed) command.Dispose();
                else connection.GiveBack(command);
                command = null;
            }
            base.Dispose(disposing);
        }
    }
}
