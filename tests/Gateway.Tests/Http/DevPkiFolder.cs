using System.Collections.Concurrent;
using System.Reflection;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Tests.Http;

/// <summary>One development PKI for the whole run, made by our own command.</summary>
static class DevPkiFolder
{
    /// <summary>Names the PKI of a parent process: a child uses it too.</summary>
    public const string Variable = "EXCHANGE_TEST_PKI";
    static readonly Lazy<string> Made = new(() => Environment.GetEnvironmentVariable(Variable) ?? Make());
    static readonly ConcurrentDictionary<string, FileKey> Keys = [];

    public static string Root => Made.Value;
    public static string Passphrase => File.ReadLines(At("passphrase")).First();
    public static string At(params string[] parts) => Path.Combine([Root, .. parts]);

    public static FileKey Key(params string[] parts) => Keys.GetOrAdd(At(parts), path => FileKey.Load(path, Passphrase));
    public static FileKey Sign(string office) => Key("offices", office, "sign.p12");
    public static FileKey Person(string office, string role) => Key("offices", office, "persons", role + ".p12");
    public static X509Certificate2 Tls(string office) => X509CertificateLoader.LoadPkcs12FromFile(At("offices", office, "tls.p12"), Passphrase);
    public static X509Certificate2 AuditorTls(string auditor) => X509CertificateLoader.LoadPkcs12FromFile(At("auditors", auditor, "tls.p12"), Passphrase);
    static FileKey[] Officers(string kind) => [Key("officers", $"{kind}-1.p12"), Key("officers", $"{kind}-2.p12")];

    /// <summary>The standing, changed and signed again by the two officers.</summary>
    public static byte[] Standing(long version, Func<StandingOffice, StandingOffice> change)
    {
        var first = Statement.Read(File.ReadAllBytes(At("statements", "standing.p7s")), StatementType.Standing).As<StandingStatement>();
        var next = first with { Version = version, Offices = [.. first.Offices.Select(change)] };
        return Statement.Sign(StatementType.Standing, StrictJson.Write(next, StatementJson.Default.StandingStatement), Officers("directory"), TimeProvider.System.GetUtcNow()).Der.ToArray();
    }

    /// <summary>The standing with other auditors; null: with none.</summary>
    public static byte[] StandingWith(long version, Func<StandingAuditor[], StandingAuditor[]?> change)
    {
        var first = Statement.Read(File.ReadAllBytes(At("statements", "standing.p7s")), StatementType.Standing).As<StandingStatement>();
        return Statement.Sign(first with { Version = version, Auditors = change(first.Auditors!) }, Officers("directory"), TimeProvider.System.GetUtcNow()).Der.ToArray();
    }

    public static byte[] WithoutClearance(long version, string office) =>
        Standing(version, o => o.Code == office ? o with { Clearance = o.Clearance with { Classes = [] } } : o);

    /// <summary>The policy, changed and signed again by the two officers.</summary>
    public static byte[] Policy(long version, Func<PolicyStatement, PolicyStatement> change)
    {
        var first = Statement.Read(File.ReadAllBytes(At("statements", "policy.p7s")), StatementType.Policy).As<PolicyStatement>();
        return Statement.Sign(change(first with { Version = version }), Officers("policy"), TimeProvider.System.GetUtcNow()).Der.ToArray();
    }

    /// <summary>What both policy officers sign so that a policy may follow the one in force.</summary>
    public static byte[] Approval(CompiledPolicy inForce, byte[] next, ReadOnlyMemory<byte> standing, DateTimeOffset notAfter)
    {
        var diff = PolicyDiff.Between(inForce, CompiledPolicy.Compile(Statement.Read(next, StatementType.Policy).As<PolicyStatement>()), Statement.Read(standing, StatementType.Standing).As<StandingStatement>());
        var officers = Officers("policy");
        return Statement.Sign(ActivationApproval.Of(diff, [.. officers.Select(o => o.Certificate.Key)], notAfter), officers, TimeProvider.System.GetUtcNow()).Der.ToArray();
    }

    static string Make()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "work", $"pki-{Environment.ProcessId}");
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(Path.GetDirectoryName(folder)!);
        var command = Assembly.Load("exchange").EntryPoint!;
        var exit = command.Invoke(null, [new[] { "dev", "pki", "--out", folder }]);
        Assert.Equal(0, exit);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        return folder;
    }
}
