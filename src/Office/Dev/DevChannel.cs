using Exchange.Crypto.Keys;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Office.Join;

namespace Exchange.Office.Dev;

/// <summary>The next standing of a development PKI, in which one office is reached in another way. Its officers' keys lie there, so one program may sign for both.</summary>
static class DevChannel
{
    /// <param name="from">Standing in force, DER.</param>
    /// <returns>DER, for `exchange-gateway activate`.</returns>
    /// <exception cref="UsageException">No such office.</exception>
    public static byte[] Next(string pki, byte[] from, string office, string adapter, IReadOnlyDictionary<string, string> settings, DateTimeOffset now)
    {
        var standing = Statement.Read(from, StatementType.Standing).As<StandingStatement>();
        if (standing.Offices.FirstOrDefault(o => o.Code == office) is not { } old) throw new UsageException($"--office: no {office} in the standing", $"--office: không có {office}");
        var passphrase = File.ReadLines(Path.Combine(pki, "passphrase")).First();
        using var first = FileKey.Load(Path.Combine(pki, "officers", "directory-1.p12"), passphrase);
        using var second = FileKey.Load(Path.Combine(pki, "officers", "directory-2.p12"), passphrase);
        var policy = Statement.Read(File.ReadAllBytes(Path.Combine(pki, "statements", "policy.p7s")), StatementType.Policy).As<PolicyStatement>();
        var next = NextStatements.Standing(standing, policy, new StandingChange(office, adapter, settings, null, null, null), [first.Certificate.Key, second.Certificate.Key], now);
        // On a developer's machine every channel carries what the first one did.
        next = next with { Offices = [.. next.Offices.Select(o => o.Code != office ? o : o with { Channel = o.Channel with { Ceiling = old.Channel.Ceiling } })] };
        return Statement.Sign(next, [first, second], now).Der.ToArray();
    }
}
