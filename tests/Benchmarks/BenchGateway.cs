using System.Globalization;
using System.Text.Json.Nodes;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Store;
using Exchange.Office.Dev;
using Microsoft.Data.Sqlite;

namespace Exchange.Benchmarks;

/// <summary>The real gateway in a process of its own, on a folder of its own: its TLS, its SQLite, its syncs. One office stands for all senders, so the share of one office is lifted.</summary>
sealed class BenchGateway : IDisposable
{
    readonly string pki, data;
    readonly ServerProcess process;
    readonly SqliteConnection store;
    byte[] standing;

    BenchGateway(string pki, string data, ServerProcess process)
    {
        (this.pki, this.data, this.process) = (pki, data, process);
        standing = File.ReadAllBytes(Path.Combine(pki, "statements", "standing.p7s"));
        store = new SqliteConnection($"Data Source={DataFolder.DatabaseIn(data)};Mode=ReadOnly;Pooling=False");
        store.Open();
    }

    /// <param name="limits">That are not the defaults.</param>
    public static async Task<BenchGateway> StartAsync(string pki, string work, params (string Name, long Value)[] limits)
    {
        var (program, data) = (Path.Combine(AppContext.BaseDirectory, "exchange-gateway"), Path.Combine(work, "gateway"));
        await ServerProcess.InitAsync(program, data, pki, CancellationToken.None);
        var file = Path.Combine(data, "gateway.json");
        var settings = JsonNode.Parse(await File.ReadAllTextAsync(file))!;
        settings["limits"] = new JsonObject([new("submissionsPerMinute", 1_000_000), .. limits.Select(l => KeyValuePair.Create(l.Name, (JsonNode?)l.Value))]);
        settings["folders"] = Directory.CreateDirectory(Path.Combine(work, "folders")).FullName;
        await File.WriteAllTextAsync(file, settings.ToJsonString());
        // As docs/exchange-gateway.service advises for a gateway with much to do.
        Environment.SetEnvironmentVariable("DOTNET_GCgen0size", "0x4000000");
        return new(pki, data, await ServerProcess.ServeAsync(program, data, Path.Combine(work, "gateway.log"), TimeProvider.System, CancellationToken.None));
    }

    public Uri Address => process.Address;
    public int Id => process.Id;

    /// <summary>How offices are reached from now on, by a standing that the officers of the development PKI sign.</summary>
    public async Task ReachAsync(IReadOnlyDictionary<string, (string Adapter, string Setting, string Value)> channels)
    {
        var (before, passphrase, now) = (Statement.Read(standing, StatementType.Standing).As<StandingStatement>(), (await File.ReadAllLinesAsync(Path.Combine(pki, "passphrase")))[0], TimeProvider.System.GetUtcNow());
        using var first = FileKey.Load(Path.Combine(pki, "officers", "directory-1.p12"), passphrase);
        using var second = FileKey.Load(Path.Combine(pki, "officers", "directory-2.p12"), passphrase);
        StandingChannel Channel(StandingOffice office) => channels.TryGetValue(office.Code, out var to) ? office.Channel with { Adapter = to.Adapter, Settings = new() { [to.Setting] = to.Value } } : office.Channel;
        standing = Statement.Sign(before with { Version = before.Version + 1, Issued = now.ToUnixTimeMilliseconds(), Signers = [first.Certificate.Key, second.Certificate.Key], Offices = [.. before.Offices.Select(o => o with { Channel = Channel(o) })] },
            [first, second], now).Der.ToArray();
        var file = Path.Combine(data, "..", $"standing-{before.Version + 1}.p7s");
        await File.WriteAllBytesAsync(file, standing);
        await ServerProcess.ActivateAsync(Path.Combine(AppContext.BaseDirectory, "exchange-gateway"), data, file, CancellationToken.None);
    }

    /// <summary>Processor time so far: utime and stime, fields 14 and 15 of proc(5), in hundredths of a second.</summary>
    public double CpuMs()
    {
        var fields = File.ReadAllText($"/proc/{process.Id}/stat").Split(' ');
        return 10.0 * (long.Parse(fields[13], CultureInfo.InvariantCulture) + long.Parse(fields[14], CultureInfo.InvariantCulture));
    }

    /// <summary>Reads the gateway's store beside it.</summary>
    public IReadOnlyList<long> Longs(string sql)
    {
        using var command = store.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var values = new List<long>();
        while (reader.Read()) values.Add(reader.GetInt64(0));
        return values;
    }

    /// <summary>Copies that a channel still carries.</summary>
    public long Waiting => Longs("SELECT count(*) FROM job")[0];

    public static string Load() => File.ReadAllText("/proc/loadavg").Split(' ')[0];

    public void Dispose()
    {
        store.Dispose();
        process.Dispose();
    }
}
