using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Office;
using Exchange.Office.Client;
using Exchange.Office.Join;
using Xunit;

namespace Exchange.Tests;

/// <summary>Auditors in the next standing, and the auditor's own profile.</summary>
public sealed class AuditorStandingTests(DevPkiFixture pki)
{
    static readonly DateTimeOffset Now = DevPkiFixture.Now;

    StandingStatement Before => Statement.Read(File.ReadAllBytes(pki.At("statements/standing.p7s")), StatementType.Standing).As<StandingStatement>();
    PolicyStatement Policy => Statement.Read(File.ReadAllBytes(pki.At("statements/policy.p7s")), StatementType.Policy).As<PolicyStatement>();

    StandingStatement Next(StandingStatement from, AuditorChange change) => NextStatements.Auditor(from, Policy, change, from.Signers, Now);

    [Fact]
    public void A_change_of_an_office_leaves_the_auditors_as_they_are()
    {
        var next = NextStatements.Standing(Before, Policy, new("H41", "folder", new Dictionary<string, string> { ["folder"] = "H41" }, null, null, null), Before.Signers, Now);
        Assert.Equal(Before.Auditors!.Select(a => (a.Code, a.Key)), next.Auditors!.Select(a => (a.Code, a.Key)));
    }

    [Fact]
    public void An_auditor_begins_changes_and_ends()
    {
        var key = Digest.Of([1]);
        var begun = Next(Before, new("AUDIT-1", key, ["thuong"], null, Now.AddDays(30), false));
        Assert.Equal(["AUDIT-1", "AUDIT-ALL", "AUDIT-MAT"], begun.Auditors!.Select(a => a.Code));
        Assert.Equal((Before.Version + 1, Before.Offices.Length), (begun.Version, begun.Offices.Length));
        Assert.Equal((key, 1, Now.AddDays(30).ToUnixTimeMilliseconds()), begun.Auditors![0] is var one ? (one.Key, one.Clearance.Classes.Length, one.Clearance.ValidTo) : default);
        var changed = Next(begun, new("AUDIT-1", null, ["thuong", "mat"], null, null, false)).Auditors![0];
        Assert.Equal((key, 2), (changed.Key, changed.Clearance.Classes.Length));
        var none = new[] { "AUDIT-1", "AUDIT-ALL", "AUDIT-MAT" }.Aggregate(begun, (standing, code) => Next(standing, new(code, null, null, null, null, true)));
        Assert.Null(none.Auditors);
        foreach (var wrong in new AuditorChange[] { new("AUDIT-2", null, ["thuong"], null, null, false), new("AUDIT-2", key, null, null, null, false), new("AUDIT-2", null, null, null, null, true), new("AUDIT-2", key, ["none"], null, null, false) })
            Assert.Throws<UsageException>(() => Next(Before, wrong));
    }

    [Fact]
    public void A_profile_names_all_that_is_wrong_with_it()
    {
        var good = AuditorProfile.Load(pki.At("auditors/AUDIT-MAT"));
        Assert.Equal((new Uri("https://localhost:8443"), pki.At("pins.json"), pki.At("trust")), (good.Gateway, good.Pins, good.Trust));
        var file = Path.Combine(Directory.CreateTempSubdirectory("exchange-auditor-").FullName, "auditor.json");
        File.WriteAllText(file, """{"gateway":"http://x","key":"none.p12","passphraseFile":null,"trust":"none","pins":"none.json","colour":"red"}""");
        Assert.Equal(6, Assert.Throws<ProfileException>(() => AuditorProfile.Load(file)).Errors.Count);
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
    }
}
