using System.Globalization;
using System.Reflection;
using DbUp;
using DbUp.Engine.Output;
using Microsoft.Data.Sqlite;

namespace Exchange.Gateway.Journaling;

/// <summary>Brings the schema up to this program, before the journal opens: the one change of the store that does not go through it.</summary>
internal static class Migrations
{
    const string Folder = ".Store.Migrations.";

    /// <summary>Number of the newest migration that this program knows.</summary>
    public static long Newest => Known().Max(Number);

    /// <summary>Runs what is missing. Returns the number of the newest migration.</summary>
    /// <exception cref="CannotStartException">The store was written by a newer program, or a migration failed (and was rolled back).</exception>
    public static long Run(SqliteConnection connection, string file)
    {
        var known = Known();
        var newest = known.Max(Number);
        var applied = Applied(connection);
        if (applied > newest)
            throw new CannotStartException($"The store at {file} has schema {applied}; this program knows up to {newest}. Start the newer program that wrote it.");
        if (applied == newest) return newest;

        var result = DeployChanges.To.SqliteDatabase(connection.ConnectionString)
            .WithScriptsEmbeddedInAssembly(Assembly.GetExecutingAssembly(), name => known.Contains(name))
            .WithTransactionPerScript()
            .LogTo(new NoUpgradeLog())
            .Build().PerformUpgrade();
        return result.Successful ? newest : throw new CannotStartException($"The store at {file} could not be brought to schema {newest}: {result.Error.Message}", result.Error);
    }

    /// <summary>Number of the newest migration in this store; 0: none.</summary>
    public static long Applied(SqliteConnection connection)
    {
        if (SqliteSettings.Scalar(connection, "SELECT count(*) FROM sqlite_master WHERE name = 'SchemaVersions'") == "0") return 0;
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT ScriptName FROM SchemaVersions";
        using var rows = command.ExecuteReader();
        long newest = 0;
        while (rows.Read()) newest = Math.Max(newest, Number(rows.GetString(0)));
        return newest;
    }

    static string[] Known() => [.. Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(n => n.Contains(Folder, StringComparison.Ordinal))];

    // "Exchange.Gateway.Store.Migrations.0001_initial.sql" → 1
    static long Number(string script)
    {
        var at = script.LastIndexOf(Folder, StringComparison.Ordinal);
        var name = at < 0 ? script : script[(at + Folder.Length)..];
        return long.Parse(name.Split('_')[0], NumberStyles.None, CultureInfo.InvariantCulture);
    }

    sealed class NoUpgradeLog : IUpgradeLog
    {
        public void LogTrace(string format, params object[] args) { }
        public void LogDebug(string format, params object[] args) { }
        public void LogInformation(string format, params object[] args) { }
        public void LogWarning(string format, params object[] args) { }
        public void LogError(string format, params object[] args) { }
        public void LogError(Exception ex, string format, params object[] args) { }
    }
}
