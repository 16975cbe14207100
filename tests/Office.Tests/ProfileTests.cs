using Exchange.Office.Client;

namespace Exchange.Tests;

public sealed class ProfileTests : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("exchange-profile-");

    public void Dispose() => folder.Delete(recursive: true);

    IReadOnlyList<string> Errors(string json)
    {
        File.WriteAllText(Path.Combine(folder.FullName, "profile.json"), json);
        return Assert.Throws<ProfileException>(() => Profile.Load(folder.FullName)).Errors;
    }

    [Fact]
    public void Everything_wrong_with_a_profile_is_said_at_once()
    {
        var errors = Errors("""
            {"office":"g22","gateway":"http://here","origin":"","checkpointKey":"k","colour":1,"pins":{"directoryOfficers":["x"],"policyOfficers":[],"gatewayEvidence":"short"},
             "keys":{"sign":"missing.p12","encrypt":[],"persons":{"clerk":7}},"passphraseFile":"nowhere","trust":"nowhere","state":"state",
             "timestamps":{"authorities":["http://tsa/","ftp://tsa/"],"policy":"1.x","patience":3}}
            """);
        foreach (var name in new[] { "office:", "gateway:", "origin:", "colour:", "pins.directoryOfficers[0]:", "pins.policyOfficers:", "pins.gatewayEvidence:", "keys.sign:", "keys.encrypt:", "keys.tls:", "keys.persons.clerk:", "passphraseFile:", "trust:", "timestamps.authorities[1]:", "timestamps.policy:", "timestamps.patience:" })
            Assert.Contains(errors, e => e.StartsWith(name, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{", "not JSON")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("""{"office":"G22","office":"H41"}""", "not JSON")]
    public void A_profile_that_is_not_one_object_with_each_member_once_is_refused(string json, string error) => Assert.Contains(error, Errors(json)[0], StringComparison.Ordinal);

    [Fact]
    public void A_missing_file_is_named() => Assert.Contains("no such file", Assert.Throws<ProfileException>(() => Profile.Load(Path.Combine(folder.FullName, "none.json"))).Errors[0], StringComparison.Ordinal);
}
