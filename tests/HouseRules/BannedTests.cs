using System.Text.RegularExpressions;
using Mono.Cecil;
using Xunit;

namespace Exchange.Tests;

/// <summary>BannedSymbols.txt holds: the analyzer is on in every source project, and the IL shows no such call.</summary>
public sealed partial class BannedTests
{
    sealed record Ban(string Type, string? Member, string? Parameters);

    static readonly IReadOnlyList<Ban> Bans = [.. File.ReadLines(Repository.Path("BannedSymbols.txt")).Where(l => l.Length > 0 && l[0] != '#').Select(Parse)];

    static readonly string[] Drawers = ["Helper", "Helpers", "Util", "Utils", "Utility", "Utilities", "Service", "Services", "Common", "Manager", "Managers"];

    [Fact]
    public void The_list_bans_clocks_sleeps_weak_digests_and_random_ids()
    {
        Assert.All(
            new[] { "DateTime.UtcNow", "DateTimeOffset.UtcNow", "Thread.Sleep", "Task.Delay", "Guid.NewGuid", "System.Random", "MD5", "SHA1" },
            name => Assert.Contains(File.ReadLines(Repository.Path("BannedSymbols.txt")), l => l.Contains(name, StringComparison.Ordinal)));
        Assert.All(Bans, b => Assert.Contains('.', b.Type));
    }

    [Fact]
    public void The_analyzer_is_on_and_its_finding_an_error()
    {
        var props = File.ReadAllText(Repository.Path("Directory.Build.props"));
        Assert.Contains("""<PackageReference Include="Microsoft.CodeAnalysis.BannedApiAnalyzers" PrivateAssets="all" />""", props, StringComparison.Ordinal);
        Assert.Contains("""<AdditionalFiles Include="$(MSBuildThisFileDirectory)BannedSymbols.txt" """.TrimEnd(), props, StringComparison.Ordinal);
        Assert.Contains("<TreatWarningsAsErrors>true</TreatWarningsAsErrors>", props, StringComparison.Ordinal);
        Rules.Empty(Repository.Files("*.cs", "*.csproj", "*.props", ".editorconfig").Where(f => !f.StartsWith("tests/", StringComparison.Ordinal))
            .Where(f => File.ReadAllText(Repository.Path(f)).Contains("RS0030", StringComparison.Ordinal)));
    }

    [Fact]
    public void No_source_assembly_names_a_banned_symbol() => Rules.Empty(Il.Source.SelectMany(Il.Uses).Where(IsBanned));

    [Fact]
    public void No_type_is_a_drawer() => Rules.Empty(Il.Source.SelectMany(Il.Types).Where(t => IsDrawer(t.Name) || Il.NamespaceOf(t).Split('.').Any(IsDrawer)).Select(t => t.FullName));

    [Fact]
    public void A_banned_call_and_a_drawer_are_found()
    {
        var found = Il.Uses(Il.Fixture<Offender>()).Where(IsBanned).Select(u => u.Member).ToList();
        Assert.Contains("get_UtcNow", found);
        Assert.Contains("NewGuid", found);
        Assert.Contains("Delay", found);
        Assert.DoesNotContain("CreateVersion7", found);
        Assert.True(IsDrawer("LabelHelper") && IsDrawer("Utils") && IsDrawer("DispatchServices") && IsDrawer("KeyManager`1"));
        Assert.False(IsDrawer("ServiceabilityNote") || IsDrawer("Commonwealth") || IsDrawer("Utilitarian"));
    }

    static bool IsBanned(Use use) => Bans.Any(b => b.Type == use.Type && (b.Member is null || (b.Member == use.Member && (b.Parameters is null || b.Parameters == use.Parameters))));

    static bool IsDrawer(string name) => Words().Matches(name).Any(w => Drawers.Contains(w.Value));

    /// <summary>One line of the list as it looks in IL.</summary>
    static Ban Parse(string line)
    {
        var symbol = line.Split(';')[0];
        if (symbol.StartsWith("T:", StringComparison.Ordinal)) return new(symbol[2..], null, null);
        var parameters = symbol.IndexOf('(', StringComparison.Ordinal) is > 0 and var open ? symbol[(open + 1)..^1] : "";
        var name = symbol[2..].Split('(')[0];
        var dot = name.LastIndexOf('.');
        var member = symbol[0] == 'P' ? "get_" + name[(dot + 1)..] : name[(dot + 1)..].Replace("#ctor", ".ctor", StringComparison.Ordinal);
        return new(name[..dot], member, symbol[0] == 'P' ? null : parameters.Replace("{", "`1<", StringComparison.Ordinal).Replace('}', '>'));
    }

    [GeneratedRegex("[A-Z][a-z]+")]
    private static partial Regex Words();

    sealed class Offender
    {
        public static async Task<Guid> Now()
        {
            await Task.Delay(1);
            _ = Guid.CreateVersion7();
            return DateTimeOffset.UtcNow > default(DateTimeOffset) ? Guid.NewGuid() : default;
        }
    }
}
