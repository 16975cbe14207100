using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using Exchange.Gateway.Operations;
using Exchange.Office;
using Exchange.Office.Client;
using Exchange.Office.Dev;

[assembly: AssemblyFixture(typeof(Exchange.Tests.DevelopmentPki))]

namespace Exchange.Tests;

/// <summary>One development PKI for the whole run: making it is slow, and nothing writes to it.</summary>
public sealed class DevelopmentPki : IDisposable
{
    public DirectoryInfo Folder { get; } = Directory.CreateTempSubdirectory("exchange-pki-");
    public string At(params string[] parts) => Path.Combine([Folder.FullName, .. parts]);

    public DevelopmentPki() : this([]) { }

    /// <param name="more">Offices besides the usual ones.</param>
    internal DevelopmentPki(IReadOnlyList<DevOffice> more) => DevPki.Write(Folder.FullName, TimeProvider.System.GetUtcNow(), force: false, more);

    public void Dispose() => Folder.Delete(recursive: true);
}

/// <summary>What a program said and how it ended. VmHWM in KiB, as last seen before it ended.</summary>
sealed record Ran(int Code, string Out, string Error, long PeakKiB)
{
    public override string ToString() => $"exit {Code}\n{Out}\n{Error}";
}

/// <summary>A gateway in its own process on a folder of its own, and offices with profiles and states of their own.</summary>
sealed class Site : IAsyncDisposable
{
    public static readonly string Exchange = Path.Combine(AppContext.BaseDirectory, "exchange");
    public static readonly string GatewayProgram = Path.Combine(AppContext.BaseDirectory, "exchange-gateway");
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("exchange-site-");
    ServerProcess? gateway;

    Site(DevelopmentPki pki) => Pki = pki;

    public DevelopmentPki Pki { get; }
    public ServerProcess Gateway => gateway!;
    public string Data => At("gateway");
    public string Log => At("gateway.log");
    public string At(params string[] parts) => Path.Combine([folder.FullName, .. parts]);

    /// <param name="queue">Options of the queue that are not the defaults.</param>
    public static async Task<Site> StartAsync(DevelopmentPki pki, params (string Name, long Value)[] queue)
    {
        var site = new Site(pki);
        // As `init --dev` does it; that the command does is for the guides and the demonstration to show.
        await Initialise.Run(Initialise.FromDevelopment(site.Data, pki.Folder.FullName, new IPEndPoint(IPAddress.Loopback, 0), null, null), TimeProvider.System);
        if (queue.Length > 0)
        {
            var file = Path.Combine(site.Data, "gateway.json");
            var settings = System.Text.Json.Nodes.JsonNode.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken))!;
            settings["queue"] = new System.Text.Json.Nodes.JsonObject(queue.Select(q => KeyValuePair.Create(q.Name, (System.Text.Json.Nodes.JsonNode?)q.Value)));
            await File.WriteAllTextAsync(file, settings.ToJsonString(), TestContext.Current.CancellationToken);
        }
        await site.ServeAsync();
        return site;
    }

    /// <summary>Starts the gateway again: same folder, another port; the profiles follow.</summary>
    public async Task ServeAsync()
    {
        gateway = await ServerProcess.ServeAsync(GatewayProgram, Data, Log, TimeProvider.System, TestContext.Current.CancellationToken);
        foreach (var office in new[] { "G22", "H41", "H14", "H37" }) Profile(office, gateway.Address);
    }

    /// <summary>As a service manager does.</summary>
    public async Task StopGatewayAsync()
    {
        await Gateway.StopAsync(TimeProvider.System);
        Gateway.Dispose();
        gateway = null;
    }

    /// <summary>kill -9.</summary>
    public async Task KillGatewayAsync()
    {
        Process.GetProcessById(Gateway.Id).Kill();
        await Gateway.Exited;
        Gateway.Dispose();
    }

    /// <summary>Puts the next standing in force, in which an office is reached in another way; from 2 on.</summary>
    public async Task ReachAsync(int version, params string[] arguments)
    {
        string Standing(int v) => v == 1 ? Pki.At("statements", "standing.p7s") : At($"standing-{v}.p7s");
        var signed = await HereAsync(["dev", "channel", "--pki", Pki.Folder.FullName, "--from", Standing(version - 1), "--out", Standing(version), .. arguments]);
        Assert.True(signed.Code == 0, signed.ToString());
        Assert.Empty(await HandOver.Run(Data, [new FileInfo(Standing(version))], TextWriter.Null, TimeProvider.System, TestContext.Current.CancellationToken));
    }

    /// <summary>Gives the gateway the key that this server lets in, under its own passphrase, as its administrator would.</summary>
    public async Task WithSftpAsync(SftpServer server)
    {
        await StopGatewayAsync();
        File.Copy(server.Ed25519, At("sftp-key"));
        File.SetUnixFileMode(At("sftp-key"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.True(SftpServer.Try("ssh-keygen", "-q", "-p", "-P", SftpServer.Passphrase, "-N", File.ReadLines(Pki.At("passphrase")).First(), "-f", At("sftp-key")));
        var config = Path.Combine(Data, "gateway.json");
        var settings = System.Text.Json.Nodes.JsonNode.Parse(await File.ReadAllTextAsync(config))!;
        settings["sftp"] = new System.Text.Json.Nodes.JsonObject { ["key"] = At("sftp-key") };
        await File.WriteAllTextAsync(config, settings.ToJsonString());
        await ServeAsync();
    }

    public void Profile(string office, Uri address) => DevProfile.Write(Pki.Folder.FullName, office, address, At(office));

    public OfficeClient Client(string office) => OfficeClient.Open(Exchange_Profile(office), null, TimeProvider.System);
    Profile Exchange_Profile(string office) => global::Exchange.Office.Client.Profile.Load(At(office));

    public string Sheet(string number, string subject)
    {
        var file = At($"sheet-{number}.json");
        File.WriteAllText(file, $$"""{"number":"{{number}}","notation":"VPCP-TTĐT","subject":"{{subject}}"}""");
        return file;
    }

    public string Document(string name, int megabytes, string? canary = null)
    {
        var file = At(name);
        using var stream = File.Create(file);
        var block = new byte[1 << 20];
        for (var i = 0; i < megabytes; i++)
        {
            System.Security.Cryptography.RandomNumberGenerator.Fill(block);
            stream.Write(block);
        }
        if (canary is not null) stream.Write(System.Text.Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(canary + "\n", 100))));
        return file;
    }

    public Task<Ran> SendAsync(string file, string to, string number = "7816", string subject = "Thử nghiệm") =>
        OfficeAsync("G22", "send", file, "--to", to, "--level", "thuong", "--sheet", Sheet(number, subject));

    public Task<Ran> OfficeAsync(string office, params string[] arguments) => HereAsync([.. arguments, "--profile", At(office), "--lang", "en"]);

    /// <summary>What the gateway logged, and every decision that it made about a dispatch: for the message of a test that did not expect it.</summary>
    public async Task<string> WhyAsync(string dispatch)
    {
        var records = Directory.CreateDirectory(At($"decisions-{Guid.NewGuid():N}")).FullName;
        var ran = await RunAsync(GatewayProgram, ["decision", dispatch, "--data", Data, "--out", records]);
        return string.Join('\n', [ran.ToString(), .. Directory.EnumerateFiles(records, "decision.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(r => $"{r}\n{File.ReadAllText(r)}"), File.ReadAllText(Log)]);
    }

    /// <summary>As a program of its own: to be measured.</summary>
    public Task<Ran> OfficeProgramAsync(string office, params string[] arguments) => RunAsync(Exchange, [.. arguments, "--profile", At(office), "--lang", "en"]);

    // The program in this process: another one takes a second to start, and shows no more unless it is killed or measured.
    static async Task<Ran> HereAsync(string[] arguments)
    {
        using StringWriter output = new(), error = new();
        var code = await Task.Run(() => ExchangeProgram.RunAsync(arguments, TimeProvider.System, output, error));
        return new Ran(code, output.ToString(), error.ToString(), 0);
    }

    /// <summary>Starts a verb and leaves it running.</summary>
    public Process StartOffice(string office, params string[] arguments) => Start(Exchange, [.. arguments, "--profile", At(office), "--lang", "en"]);

    public static async Task<Ran> RunAsync(string program, string[] arguments, string? input = null, string? folder = null)
    {
        using var process = Start(program, arguments, folder);
        if (input is not null) await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        long peak = 0;
        while (!process.WaitForExit(20)) peak = Math.Max(peak, PeakKiB(process.Id));
        return new Ran(process.ExitCode, await output, await error, peak);
    }

    static Process Start(string program, string[] arguments, string? folder = null) => Process.Start(new ProcessStartInfo(program, arguments)
    {
        RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder ?? AppContext.BaseDirectory,
    })!;

    /// <summary>Peak resident memory so far, from the kernel.</summary>
    public static long PeakKiB(int process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (IOException) { return 0; }
    }

    /// <summary>Waits for something another process does; looks again every 20 ms.</summary>
    public static async Task UntilAsync(Func<Task<bool>> holds, [CallerArgumentExpression(nameof(holds))] string? what = null, int seconds = 30)
    {
        for (var i = 0; i < seconds * 50; i++)
        {
            if (await holds()) return;
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        Assert.Fail($"never came true: {what}");
    }

    public async ValueTask DisposeAsync()
    {
        if (gateway is not null)
        {
            try { await gateway.StopAsync(TimeProvider.System); }
            catch (InvalidOperationException) { }
            gateway.Dispose();
        }
        folder.Delete(recursive: true);
    }
}
