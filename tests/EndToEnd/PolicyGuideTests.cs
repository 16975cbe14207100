using System.Text.Json.Nodes;
using Exchange.Office.Dev;

namespace Exchange.Tests;

/// <summary>docs/policy.md, part 2: its own commands, after those of docs/install.md that make officers, a gateway and an office.</summary>
public sealed class PolicyGuideTests
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact, Trait("tier", "long")]
    public async Task The_page_takes_a_draft_into_force_and_explains_and_replays_what_is_decided_then()
    {
        if (!File.Exists("/usr/bin/openssl")) Assert.Skip("no openssl command on this machine");
        using var guide = new Guide();
        foreach (var block in guide.Blocks("Once: officers, gateway, policy")) await guide.DoAsync(block);
        var gateway = await ServerProcess.ServeAsync(Site.GatewayProgram, guide.At("gateway"), guide.At("gateway.log"), TimeProvider.System, Cancel);
        try
        {
            await guide.DoAsync(Assert.Single(guide.Blocks("Join an office")));
            var looked = await guide.DoAsync(Assert.Single(guide.Blocks("1. Draft, lint, diff")));
            Assert.Contains("unreachable  level mat", looked.Out, StringComparison.Ordinal);
            Assert.Contains("basis and approvals given: permit -> hold (R06 release)", looked.Out, StringComparison.Ordinal);
            Assert.DoesNotContain("and released by one", looked.Out, StringComparison.Ordinal);

            // A policy alone does not come into force, however well it is signed.
            await guide.DoAsync(Assert.Single(guide.Blocks("2. Two officers sign it")));
            var alone = await guide.RunAsync("exchange-gateway activate --data gateway proposals/policy-2/policy.p7s");
            Assert.Equal(1, alone.Code);
            Assert.Contains("E_ACTIVATION_UNAPPROVED", alone.Error, StringComparison.Ordinal);
            var activated = await guide.DoAsync(Assert.Single(guide.Blocks("3. Two officers approve its activation")));
            Assert.Contains("policy.p7s: in force", activated.Error, StringComparison.Ordinal);
            await guide.DoAsync("exchange-gateway export --data gateway --out now --officers && cmp now/statements/policy.p7s proposals/policy-2/policy.p7s");

            // H41 may hold the lowest level only: it is refused, and the record says why, to each what he may know.
            var sent = await guide.RunAsync("""
                echo x > x.txt; echo '{"number":"1","notation":"VP","subject":"S-U-B-J-E-C-T"}' > sheet.json
                exchange --profile H41 send x.txt --to H41 --level mat --basis K1 --approve signatory --sheet sheet.json --json
                """);
            Assert.Contains("E_SENDER_NOT_CLEARED", sent.Out + sent.Error, StringComparison.Ordinal);
            var id = JsonNode.Parse((await guide.DoAsync("exchange --profile H41 outbox --json")).Out)!.AsArray().Last()!["id"]!.GetValue<string>();
            var explained = await guide.DoAsync($"ID={id}\n{Assert.Single(guide.Blocks("4. Why was it decided so?"))}");
            Assert.Contains("R06  deny", explained.Out, StringComparison.Ordinal);
            Assert.Contains("từ chối", explained.Out, StringComparison.Ordinal);
            // The record is of Mật: H41, cleared for the lowest level, reads nothing of it as an auditor.
            Assert.Contains("nothing that this clearance covers", explained.Out, StringComparison.Ordinal);
            Assert.DoesNotContain("S-U-B-J-E-C-T", explained.Out, StringComparison.Ordinal);
            Assert.Contains("good   decided again, it is the same record, byte for byte", explained.Out, StringComparison.Ordinal);

            // A verdict changed by hand is not what the facts say, and not what the ledger names; the policy before is another one.
            var changed = await guide.RunAsync("sed -i 's/\"verdict\":\"deny\"/\"verdict\":\"hold\"/' decisions/*/decision.json; exchange policy replay decisions/*");
            Assert.Equal(1, changed.Code);
            Assert.Contains("WRONG  the ledger entry names this record", changed.Out, StringComparison.Ordinal);
            Assert.Contains("WRONG  decided again", changed.Out, StringComparison.Ordinal);
            var before = await guide.RunAsync("exchange policy replay decisions/* --policy proposals/2/policy.p7s");
            Assert.Contains("WRONG  the policy is the one that decided", before.Out, StringComparison.Ordinal);
        }
        finally
        {
            await gateway.StopAsync(TimeProvider.System);
            gateway.Dispose();
        }
    }
}
