using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;

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
        if (!standing.Offices.Any(o => o.Code == office)) throw new UsageException($"--office: no {office} in the standing", $"--office: không có {office}");
        var passphrase = File.ReadLines(Path.Combine(pki, "passphrase")).First();
        using var first = FileKey.Load(Path.Combine(pki, "officers", "directory-1.p12"), passphrase);
        using var second = FileKey.Load(Path.Combine(pki, "officers", "directory-2.p12"), passphrase);
        var next = standing with
        {
            Version = standing.Version + 1, Issued = now.ToUnixTimeMilliseconds(), Signers = [first.Certificate.Key, second.Certificate.Key],
            Offices = [.. standing.Offices.Select(o => o.Code != office ? o : o with { Channel = new StandingChannel(adapter, o.Channel.Ceiling, new SortedDictionary<string, string>(settings.ToDictionary(), StringComparer.Ordinal)) })],
        };
        return Statement.Sign(next, [first, second], now).Der.ToArray();
    }
}
