using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Offices;
using Exchange.Office.Dev;
using Exchange.Office.Join;

namespace Exchange.Tests.Simulation;

/// <summary>Who takes part in simulations with so many offices: keys, certificates, signed directory, standing and policy. From a fixed seed and the same for every run, so it is made once a process.</summary>
sealed class SimulatedWorld
{
    public const string Origin = "gateway.test/simulated", Adapter = "https";
    static readonly ConcurrentDictionary<int, Lazy<SimulatedWorld>> made = [];

    public static SimulatedWorld Of(int offices) => made.GetOrAdd(offices, n => new(() => new SimulatedWorld(n))).Value;

    SimulatedWorld(int offices)
    {
        using var seeded = SeededOpenSsl.Use(new SimulatedRandom(5));
        var start = Pump.Epoch.AddHours(-72);
        var (authorities, leaves) = (new Validity(start, start.AddYears(10)), new Validity(start, start.AddYears(2)));
        using var root = DevAuthority.Root("Simulated root", authorities);
        using var issuing = root.Subordinate("Simulated issuing CA", authorities);
        FileKey Key(string code, string name, KeyUse use) => FileKey.Of(issuing.Issue(KeyProfile.Subject("Simulated", code, name), use, leaves));

        Anchors = TrustStore.Create([root.Certificate.RawDataMemory], [issuing.Certificate.RawDataMemory], [root.Crl(1, start, start.AddYears(1)), issuing.Crl(1, start, start.AddYears(1))]);
        FileKey[] directory = [Key("DIR", "officer 1", KeyUse.Sign), Key("DIR", "officer 2", KeyUse.Sign)], policy = [Key("POL", "officer 1", KeyUse.Sign), Key("POL", "officer 2", KeyUse.Sign)];
        Pins = new Pins([.. directory.Select(o => o.Certificate.Key)], [.. policy.Select(o => o.Certificate.Key)]);
        Evidence = Key("GW", "evidence", KeyUse.Evidence);
        Tls = issuing.Issue(KeyProfile.Subject("Simulated", "GW", "localhost"), KeyUse.Tls, leaves);
        Checkpoint = new LedgerKeys(LedgerKey.Create(Origin, NoteKeyType.Ed25519));

        Offices = [.. Enumerable.Range(0, offices).Select(n => $"S{n:d3}")];
        var cards = Offices.Select(code => Card(code, start, Key)).ToList();
        var statement = Statement.Sign(new DirectoryStatement
        {
            V = 1, Type = DirectoryStatement.TypeName, Signers = [.. Pins.DirectoryOfficers], Version = 1, Issued = start.ToUnixTimeMilliseconds(), Previous = null,
            Offices = [.. cards.Select((c, n) => new DirectoryOffice(Offices[n], new OfficeName(Offices[n], Offices[n]), null, c.Ref, start.ToUnixTimeMilliseconds()))],
        }, directory, Pump.Epoch);
        Documents = [Policy(policy, start), statement.Der, .. cards.Select(c => c.Der), Standing(directory)];
    }

    public IReadOnlyList<string> Offices { get; }
    public TrustStore Anchors { get; }
    public Pins Pins { get; }
    /// <summary>P-256. Headers are signed with it too: nobody checks here whose signature a header has.</summary>
    public FileKey Evidence { get; }
    public X509Certificate2 Tls { get; }
    public LedgerKeys Checkpoint { get; }
    /// <summary>DER: policy, directory, cards, standing.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Documents { get; }

    static Statement Card(string code, DateTimeOffset issued, Func<string, string, KeyUse, FileKey> key)
    {
        var sign = key(code, "sign", KeyUse.Sign);
        return Statement.Sign(new Card
        {
            V = 1, Type = Crypto.Statements.Card.TypeName, Signers = [sign.Certificate.Key], Office = code, Version = 1, Issued = issued.ToUnixTimeMilliseconds(), Previous = null,
            Keys = [new("sign", sign.Certificate.Der.ToArray()), new("encrypt", key(code, "encrypt", KeyUse.Encrypt).Certificate.Der.ToArray()), new("tls", key(code, "tls", KeyUse.TlsClient).Certificate.Der.ToArray())],
            Persons = [],
        }, [sign], Pump.Epoch);
    }

    static ReadOnlyMemory<byte> Policy(FileKey[] officers, DateTimeOffset start)
    {
        using var stream = typeof(SimulatedWorld).Assembly.GetManifestResourceStream("vietnam-state.json")!;
        using var draft = new MemoryStream();
        stream.CopyTo(draft);
        return Statement.Sign(PolicyDraft.ToStatement(draft.ToArray(), [.. officers.Select(s => s.Certificate.Key)], 1, start, start.AddYears(1)), officers, Pump.Epoch).Der;
    }

    ReadOnlyMemory<byte> Standing(FileKey[] officers)
    {
        var clearance = DevAuthority.Ceiling with { Classes = [10] };
        return Statement.Sign(new StandingStatement
        {
            V = 1, Type = StandingStatement.TypeName, Signers = [.. Pins.DirectoryOfficers], Version = 1, Issued = 0, Note = "simulated",
            Offices = [.. Offices.Select(code => new StandingOffice(code, clearance, new(Adapter, clearance, []), []))],
        }, officers, Pump.Epoch).Der;
    }
}
