using Mono.Cecil;
using Xunit;

namespace Exchange.Tests;

/// <summary>Which assembly may name what: the walls of DESIGN.md section 2.</summary>
public sealed class WallTests
{
    static readonly string[] Outside = ["System.Net", "System.Data", "Microsoft.AspNetCore", "Microsoft.Data", "Microsoft.Extensions", "Dapper", "DbUp", "SQLitePCL"];
    static readonly string[] Sql = ["System.Data", "Microsoft.Data", "Dapper", "DbUp", "SQLitePCL"];
    static readonly string[] Screen = ["System.Console", "System.CommandLine", "Spectre"];

    [Fact]
    public void Crypto_names_no_web_no_SQL_and_no_network() => Rules.Empty(Il.Uses(Il.Crypto).Naming(Outside));

    [Fact]
    public void Crypto_refers_to_the_runtime_and_BouncyCastle_only() => Rules.Empty(
        References(Il.Crypto).Where(r => !Rules.Under(r, "System") && r is not ("BouncyCastle.Cryptography" or "netstandard")));

    [Fact]
    public void Adapters_refer_to_none_of_the_other_three() => Rules.Empty(References(Il.Adapters).Where(Ours));

    [Fact]
    public void The_gateway_refers_to_Crypto_and_Adapters_only() =>
        Rules.Empty(References(Il.Gateway).Where(r => Ours(r) && r is not ("Exchange.Crypto" or "Exchange.Adapters")));

    [Fact]
    public void The_office_refers_to_Crypto_only() => Rules.Empty(References(Il.Office).Where(r => Ours(r) && r != "Exchange.Crypto"));

    [Fact]
    public void The_witness_refers_to_Crypto_only_and_names_no_SQL() =>
        Rules.Empty(References(Il.Witness).Where(r => Ours(r) && r != "Exchange.Crypto").Concat(Il.Uses(Il.Witness).Naming(Sql).Select(u => u.ToString())));

    [Fact]
    public void The_office_names_no_SQL_and_a_web_server_only_where_it_receives() => Rules.Empty(
        Il.Uses(Il.Office).Naming(Sql).Concat(Il.Uses(Il.Office).Where(u => u.From.Name != "ReceiveServer").Naming("Microsoft.AspNetCore", "Microsoft.Extensions")));

    [Fact]
    public void The_client_library_names_nothing_of_the_console_and_no_web_server() =>
        Rules.Empty(Il.Types(Il.Office).Where(t => Rules.Under(Il.NamespaceOf(t), "Exchange.Office.Client")).Uses().Naming([.. Screen, "Microsoft.AspNetCore", "Microsoft.Extensions"]));

    [Fact]
    public void The_client_library_does_not_know_the_commands() =>
        Rules.Empty(Il.Types(Il.Office).Where(t => Rules.Under(Il.NamespaceOf(t), "Exchange.Office.Client")).Uses()
            .Where(u => Rules.Under(u.Type, "Exchange.Office") && !Rules.Under(u.Type, "Exchange.Office.Client")));

    [Fact]
    public void A_type_that_climbs_a_wall_is_found()
    {
        Assert.NotEmpty(Il.Uses(Il.Fixture<Climber>()).Naming(Outside));
        Assert.NotEmpty(Il.Uses(Il.Fixture<Climber>()).Naming(Screen));
        // In a closure and in a state machine too.
        Assert.NotEmpty(Il.Uses(Il.Fixture<HiddenClimber>()).Naming(Outside));
        Assert.NotEmpty(Il.Uses(Il.Fixture<HiddenClimber>()).Naming(Screen));
    }

    static IEnumerable<string> References(ModuleDefinition module) => module.AssemblyReferences.Select(r => r.Name);

    static bool Ours(string name) => name.StartsWith("Exchange.", StringComparison.Ordinal) || name is "exchange" or "exchange-gateway" or "exchange-witness";

    sealed class Climber
    {
        public System.Net.IPAddress? Address { get; set; }
        public static void Say() => Console.WriteLine();
    }

    sealed class HiddenClimber
    {
        public static Func<int> Closure(int port) => () => new System.Net.IPEndPoint(0, port).Port;

        public static async Task Later()
        {
            await Task.Yield();
            Console.WriteLine();
        }
    }
}
