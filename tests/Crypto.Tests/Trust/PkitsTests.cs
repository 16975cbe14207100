using System.Globalization;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Trust;

namespace Exchange.Tests.Trust;

/// <summary>
/// NIST PKITS 1.0.1, all 249 runs, through the product's own check. Its keys are RSA-2048 and its names and serial numbers use every freedom of RFC 5280, so it is judged under demands of its own;
/// everything else is what ships. CRLs that the store refuses are not in use, as in a running gateway. DSA is in no profile of ours: those cases are refused and counted apart.
/// </summary>
public sealed class PkitsTests(ITestOutputHelper output)
{
    static readonly DateTimeOffset At = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    static readonly Refusal[] Revocation = [Refusal.CertificateRevoked, Refusal.RevocationUnknown];

    [Fact]
    public void All_runs_of_PKITS_end_as_NIST_says()
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(Vectors.Path("pkits/pkits_cases.json")));
        var policies = file.RootElement.GetProperty("policy_oids").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString()!);
        var (agree, apart, all) = (0, 0, 0);
        List<string> wrongAccepts = [], wrongRefusals = [], oddReasons = [];
        foreach (var run in file.RootElement.GetProperty("cases").EnumerateArray())
        {
            all++;
            var section = run.GetProperty("section").GetString()!;
            var good = run.GetProperty("should_validate").GetBoolean();
            var (refusal, detail, dsa) = Judge(run, policies);
            if (dsa)
            {
                Assert.Equal(Refusal.CertificateAlgorithm.Code, refusal?.Code);
                apart++;
            }
            else if (good == refusal is null) agree++;
            else (good ? wrongRefusals : wrongAccepts).Add($"{section}: {refusal?.Code} {detail}");
            if (!dsa && !good && refusal is not null && !Expected(run.GetProperty("test_number").GetString()!).Contains(refusal)) oddReasons.Add($"{section}: {refusal.Code} {detail}");
        }
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"PKITS: {all} runs, {agree} agree, {apart} apart (DSA), {wrongAccepts.Count} wrong accepts, {wrongRefusals.Count} wrong refusals"));
        foreach (var line in wrongAccepts.Concat(wrongRefusals).Concat(oddReasons)) output.WriteLine(line);
        Assert.Empty(wrongAccepts);
        Assert.Empty(wrongRefusals);
        Assert.Empty(oddReasons);
        Assert.Equal((249, 246, 3), (all, agree, apart));
    }

    static (Refusal?, string, bool Dsa) Judge(JsonElement run, Dictionary<string, string> policies)
    {
        var ders = run.GetProperty("certs").EnumerateArray().Select(c => Der("certs", c.GetString()!, ".crt")).ToList();
        var end = Certificate.Of(ders[^1].Span);
        var dsa = ders.Select(d => Certificate.Of(d.Span)).Any(c => c.Parsed.CertificateStructure.SubjectPublicKeyInfo.Algorithm.Algorithm.Id == "1.2.840.10040.4.1" || c.Parsed.SigAlgOid.StartsWith("1.2.840.10040.4", StringComparison.Ordinal));
        var demands = new PathDemands
        {
            LeastRsaBits = 2048, ExactForm = false, Policies = [.. Names(run, "initial_policy_set").Select(n => policies[n])],
            ExplicitPolicy = Is(run, "initial_explicit_policy"), InhibitMapping = Is(run, "initial_policy_mapping_inhibit"), InhibitAnyPolicy = Is(run, "initial_inhibit_any_policy"),
        };
        // A CA with a key that is not allowed never gets into a store.
        var between = ders.Skip(1).SkipLast(1).Where(d => CertificateProfile.WrongKey(Certificate.Of(d.Span), 2048) is null);
        var store = TrustStore.Create([ders[0]], between, [], demands);
        foreach (var crl in Names(run, "crls").Select(n => Der("crls", n, ".crl")))
        {
            try { store = store.WithCrls([crl]); }
            catch (RefusedException) { }
        }
        var check = new CertificateCheck(store, demands);
        var verdict = check.Check(end, null, At, new PathWork(new(store))).Verdict;
        return (verdict.Refusal, verdict.Explained, dsa);
    }

    /// <summary>What may be said against the runs of a section that must fail: a refusal for another reason would prove nothing.</summary>
    static Refusal[] Expected(string number) => number.Split('.')[1] switch
    {
        "2" => [Refusal.CertificateTime],
        "4" => number is "4.4.1" ? Revocation : [.. Revocation, Refusal.CertificateUntrusted],
        "5" when number is not "4.5.8" => [Refusal.CertificateRevoked],
        "7" when number is "4.7.4" or "4.7.5" => Revocation,
        "14" or "15" => Revocation,
        _ => [Refusal.CertificateUntrusted],
    };

    static IEnumerable<string> Names(JsonElement run, string member) => run.TryGetProperty(member, out var all) ? all.EnumerateArray().Select(n => n.GetString()!) : [];
    static bool Is(JsonElement run, string member) => run.TryGetProperty(member, out var value) && value.GetBoolean();
    static ReadOnlyMemory<byte> Der(string folder, string name, string extension) => File.ReadAllBytes(Vectors.Path($"pkits/{folder}/{name}{extension}"));
}
