using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto.Trust;
using Exchange.Office;
using Exchange.Office.Client;
using Exchange.Office.Dev;
using Exchange.Tests.Trust;

namespace Exchange.Tests;

/// <summary>What CAs say goes with the evidence, as long as it is worth something; and what ends soon is told to the office that must renew it.</summary>
public sealed class StapledTests(DevPkiFixture pki)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    DevAuthority Authority(string name) => DevAuthority.Of(X509CertificateLoader.LoadPkcs12FromFile(pki.At($"ca/{name}.p12"), pki.Passphrase, X509KeyStorageFlags.Exportable));

    static async Task<byte[]?> Staple(Bench bench, Certificate about)
    {
        using var office = bench.Start("G22");
        return (await new StapleResponses(office).RunAsync([about], online: true, Cancel)).Where(s => s.Key == about.Key).Select(s => s.Response).SingleOrDefault();
    }

    [Fact]
    public async Task An_answer_that_came_once_is_kept_for_later_exports_and_no_worse_one_takes_its_place()
    {
        using var bench = new Bench(pki.Folder);
        using var issuing = Authority("issuing");
        var (sign, other) = (pki.Directory.Find("G22")!.Signing[0], pki.Directory.Find("H41")!.Signing[0]);
        byte[] Says(Certificate about, DateTimeOffset at) => new OcspForge(issuing, about) { ThisUpdate = at, NextUpdate = at.AddHours(4) }.Make();
        var responses = bench.Gateway.Responses;
        Assert.Null(await Staple(bench, sign));
        var first = responses[sign.Key.ToString()] = Says(sign, DevPkiFixture.Now);
        Assert.Equal(first, await Staple(bench, sign));
        responses[sign.Key.ToString()] = Says(other, DevPkiFixture.Now);
        Assert.Equal(first, await Staple(bench, sign));
        responses.Clear();
        Assert.Equal(first, await Staple(bench, sign));
        var second = responses[sign.Key.ToString()] = Says(sign, DevPkiFixture.Now.AddHours(1));
        Assert.Equal(second, await Staple(bench, sign));
        bench.Clock.SetUtcNow(sign.NotAfter.AddSeconds(1));
        responses[sign.Key.ToString()] = Says(sign, sign.NotAfter.AddSeconds(1));
        Assert.Equal(second, await Staple(bench, sign));
    }

    [Fact]
    public void The_verifier_takes_answers_from_where_the_export_puts_them()
    {
        using var bench = new Bench(pki.Folder);
        Directory.CreateDirectory(bench.At("evidence", "trust", StapleResponses.Folder));
        File.Copy(pki.At("pins.json"), bench.At("evidence", "pins.json"));
        File.WriteAllBytes(bench.At("evidence", "trust", StapleResponses.Folder, "x" + StapleResponses.Ending), [1]);
        var part = Assert.Single(EvidenceFolder.Read(bench.At("evidence"), null).Responses);
        Assert.Equal(("trust/ocsp/x.ors", (byte)1), (part.Name, part.Bytes.Span[0]));
    }

    [Fact]
    public async Task What_ends_within_sixty_days_is_told_by_use_and_role()
    {
        using var bench = new Bench(pki.Folder);
        var until = pki.Directory.Find("G22")!.Signing[0].NotAfter;
        bench.Clock.SetUtcNow(until.AddDays(-61));
        using var issuing = Authority("issuing");
        using var root = Authority("root");
        foreach (var authority in new[] { root, issuing }) bench.Gateway.Crls.Add(authority.Crl(2, until.AddDays(-62), until));
        using (var early = new OfficeClient(bench.Start("G22")))
        {
            await early.RefreshAsync(Cancel);
            Assert.Empty(early.Ending());
        }
        bench.Clock.SetUtcNow(until.AddDays(-59));
        using var late = new OfficeClient(bench.Start("G22"));
        var ending = late.Ending();
        Assert.Superset(new HashSet<(string, string?)> { ("sign", null), ("encrypt", null), ("tls", null), ("person", "signatory"), ("person", "clerk") }, ending.Select(e => (e.Use, e.Role)).ToHashSet());
        Assert.All(ending, e => Assert.Equal(until, e.Until, TimeSpan.FromMinutes(5)));
    }
}
