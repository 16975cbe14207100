using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Exchange.Tests;

/// <summary>docs/install.md, part 1, and the unit file beside it, against the program: what they tell an administrator to type works.</summary>
public sealed partial class MachineGuideTests(DevelopmentPki pki) : IDisposable
{
    const string Program = "/opt/exchange/exchange-gateway";
    readonly string root = Directory.CreateTempSubdirectory("exchange-machine-").FullName;
    readonly string guide = File.ReadAllText(Document("install.md")).Split("# Part 2")[0];
    readonly string unit = File.ReadAllText(Document("exchange-gateway.service"));

    public void Dispose() => Directory.Delete(root, recursive: true);

    static string Document(string name)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Exchange.sln"))) return Path.Combine(folder.FullName, "docs", name);
        throw new DirectoryNotFoundException("Exchange.sln");
    }

    /// <summary>Words of the one command of the guide that begins so, continuation lines joined.</summary>
    string[] Command(string verb)
    {
        var block = Blocks().Matches(guide).Select(m => m.Groups[1].Value.Replace("\\\n", " ", StringComparison.Ordinal));
        var line = block.SelectMany(b => b.Split('\n')).Single(l => l.Contains($"exchange-gateway {verb} ", StringComparison.Ordinal));
        return line[line.IndexOf(Program, StringComparison.Ordinal)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }

    [Fact]
    public async Task The_example_of_init_names_every_option_there_is()
    {
        var help = await Site.RunAsync(Site.GatewayProgram, ["init", "--help"]);
        var options = OptionNames().Matches(help.Out).Select(m => m.Value).Distinct().Except(["--dev", "--help", "--version"]).Order(StringComparer.Ordinal);
        Assert.Equal(options, Command("init").Where(w => w.StartsWith("--", StringComparison.Ordinal)).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_example_of_init_makes_a_folder_whose_configuration_is_good()
    {
        // The paths of the guide below a folder of this test, and what a development PKI has in place of what the officers send.
        var etc = Directory.CreateDirectory(Path.Combine(root, "etc")).FullName;
        foreach (var key in new[] { "tls.p12", "evidence.p12", "checkpoint.key" }) File.Copy(pki.At("gateway", key), Path.Combine(etc, key));
        File.Copy(pki.At("passphrase"), Path.Combine(etc, "passphrase"));
        using var pins = System.Text.Json.JsonDocument.Parse(await File.ReadAllBytesAsync(pki.At("pins.json"), TestContext.Current.CancellationToken));
        string Pin(string name, int n) => pins.RootElement.GetProperty(name)[n].GetString()!;
        var given = new Dictionary<string, string>
        {
            ["Production"] = "Development", ["gateway.example/ledger"] = (await File.ReadAllTextAsync(pki.At("gateway", "origin"), TestContext.Current.CancellationToken)).Trim(),
            ["KEY1"] = Pin("directoryOfficers", 0), ["KEY2"] = Pin("directoryOfficers", 1), ["KEY3"] = Pin("policyOfficers", 0), ["KEY4"] = Pin("policyOfficers", 1),
            ["trust"] = pki.At("trust"), ["cards"] = pki.At("statements", "cards"), ["directory.p7s"] = pki.At("statements", "directory.p7s"),
            ["standing.p7s"] = pki.At("statements", "standing.p7s"), ["policy.p7s"] = pki.At("statements", "policy.p7s"),
        };
        string Here(string word) => given.GetValueOrDefault(word) ?? word.Replace("/etc/exchange", etc, StringComparison.Ordinal).Replace("/var/lib", Path.Combine(root, "lib"), StringComparison.Ordinal).Replace("/srv", Path.Combine(root, "srv"), StringComparison.Ordinal);
        var init = await RunAsync(etc, [.. Command("init")[1..].Select(Here)]);
        Assert.True(init.Code == 0, init.ToString());
        var check = await RunAsync(etc, [.. Command("check-config --data")[1..].Select(Here)]);
        Assert.True(check.Code == 0, check.ToString());
        Assert.Contains("%d/passphrase", await File.ReadAllTextAsync(Path.Combine(root, "lib", "exchange", "data", "gateway.json"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        // Outside the unit, and without the variable, it says what is missing.
        var without = await RunAsync(null, [.. Command("check-config --data")[1..].Select(Here)]);
        Assert.Contains("CREDENTIALS_DIRECTORY is not set", without.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_verb_and_option_of_the_guide_is_one_of_the_program()
    {
        var commands = Blocks().Matches(guide).SelectMany(m => m.Groups[1].Value.Replace("\\\n", " ", StringComparison.Ordinal).Split('\n')).Concat(unit.Split('\n'))
            .Where(l => l.Contains("exchange-gateway ", StringComparison.Ordinal)).Select(l => l[(l.IndexOf("exchange-gateway ", StringComparison.Ordinal) + "exchange-gateway ".Length)..]).ToList();
        Assert.Contains(commands, c => c.StartsWith("restore --verify", StringComparison.Ordinal));
        foreach (var command in commands.Where(c => char.IsLower(c[0])).DistinctBy(c => c.Split(' ')[0]))
        {
            var help = await Site.RunAsync(Site.GatewayProgram, [command.Split(' ')[0], "--help"]);
            Assert.True(help.Code == 0, command);
            foreach (var option in commands.Where(c => c.Split(' ')[0] == command.Split(' ')[0]).SelectMany(c => OptionNames().Matches(c)).Select(m => m.Value)) Assert.Contains(option, help.Out, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_unit_writes_only_to_the_folders_of_the_guide_and_lets_the_runtime_compile()
    {
        var init = Command("init");
        string Option(string name) => init[Array.IndexOf(init, name) + 1];
        Assert.Equal(["/opt/exchange/exchange-gateway", "serve", "--data", Option("--data")], Set("ExecStart").Split(' '));
        Assert.Equal([Option("--data"), Option("--guard")], Set("ReadWritePaths").Split(' '));
        Assert.Equal($"passphrase:{Path.GetDirectoryName(Option("--tls"))}/passphrase", Set("LoadCredential"));
        Assert.Equal("%d/passphrase", Option("--passphrase-file"));
        foreach (var (name, value) in (ReadOnlySpan<(string, string)>)[("User", "exchange"), ("NoNewPrivileges", "yes"), ("ProtectSystem", "strict"), ("PrivateTmp", "yes"), ("LimitCORE", "0"), ("Restart", "on-failure"), ("KillSignal", "SIGTERM"),
            ("MemoryDenyWriteExecute", "no"), ("UMask", "0077")]) Assert.Equal(value, Set(name));
        Assert.Contains($"useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin {Set("User")}", guide, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_unit_is_one_that_systemd_understands()
    {
        if (!File.Exists("/usr/bin/systemd-analyze")) Assert.Skip("systemd-analyze is not installed");
        // The program is not installed where the unit says; everything else is as it is.
        var file = Path.Combine(root, "exchange-gateway.service");
        await File.WriteAllTextAsync(file, unit.Replace(Program, Site.GatewayProgram, StringComparison.Ordinal), TestContext.Current.CancellationToken);
        var verified = await Site.RunAsync("/usr/bin/systemd-analyze", ["verify", file]);
        Assert.True(verified.Code == 0 && verified.Error.Length == 0, verified.ToString());
    }

    string Set(string name) => Assert.Single(unit.Split('\n'), l => l.StartsWith(name + "=", StringComparison.Ordinal))[(name.Length + 1)..];

    static async Task<Ran> RunAsync(string? credentials, string[] arguments)
    {
        var start = new ProcessStartInfo(Site.GatewayProgram, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Remove("CREDENTIALS_DIRECTORY");
        if (credentials is not null) start.Environment["CREDENTIALS_DIRECTORY"] = credentials;
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return new Ran(process.ExitCode, await output, await error, 0);
    }

    [GeneratedRegex("^```\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Blocks();

    [GeneratedRegex("--[a-z][a-z-]*")]
    private static partial Regex OptionNames();
}
