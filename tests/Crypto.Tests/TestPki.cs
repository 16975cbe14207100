using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Office.Dev;
using Exchange.Office.Join;

namespace Exchange.Tests;

/// <summary>An office with all its keys. H37 has an RSA-3072 encryption key, the others P-384.</summary>
sealed record TestOffice(string Code, OfficeName Name, FileKey Sign, FileKey Encrypt, FileKey Tls, FileKey Signatory, FileKey Clerk);

/// <summary>
/// A whole small world in memory at a fixed time: root, issuing CA, CRLs, four offices, directory and policy officers, a gateway, and a verified directory.
/// <see cref="Shared"/> is made once; nothing in it changes. Tests that need other certificates issue them from <see cref="Issuing"/>.
/// </summary>
sealed class TestPki
{
    /// <summary>The present of every test that does not say otherwise.</summary>
    public static readonly DateTimeOffset Now = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);
    /// <summary>All certificates are valid from 72 h before <see cref="Now"/>; leaves for two years, CAs for ten, CRLs for one.</summary>
    public static readonly DateTimeOffset Start = Now.AddHours(-72);
    public static readonly Validity AuthorityValidity = new(Start, Start.AddYears(10));
    public static readonly Validity LeafValidity = new(Start, Start.AddYears(2));
    public static readonly DateTimeOffset NextUpdate = Start.AddYears(1);

    static readonly Lazy<TestPki> shared = new(() => new TestPki());
    public static TestPki Shared => shared.Value;

    readonly Lazy<OfficeDirectory> directory;

    public TestPki()
    {
        Root = DevAuthority.Root("Test root", AuthorityValidity);
        Issuing = Root.Subordinate("Test issuing CA", AuthorityValidity);
        Trust = TrustStore.Create([Root.Certificate.RawDataMemory], [Issuing.Certificate.RawDataMemory],
            [Root.Crl(1, Start, NextUpdate), Issuing.Crl(1, Start, NextUpdate)]);
        Check = new CertificateCheck(Trust);
        DirectoryOfficers = [Key("Directory", "DIR", "officer 1"), Key("Directory", "DIR", "officer 2")];
        PolicyOfficers = [Key("Policy", "POL", "officer 1"), Key("Policy", "POL", "officer 2")];
        Gateway = Key("Gateway", "GW", "evidence", KeyUse.Evidence);
        Offices = new[]
        {
            NewOffice("G22", "Văn phòng Chính phủ", "Office of the Government"),
            NewOffice("H14", "UBND tỉnh Cao Bằng", "People's Committee of Cao Bằng"),
            NewOffice("H37", "UBND tỉnh Lạng Sơn", "People's Committee of Lạng Sơn", rsaBits: 3072),
            NewOffice("H41", "UBND tỉnh Nghệ An", "People's Committee of Nghệ An"),
        }.ToDictionary(o => o.Code);
        directory = new(() =>
        {
            var cards = Offices.Values.Select(o => SignCard(NewCard(o))).ToList();
            var statement = SignDirectory(NewDirectory(1, null, cards));
            return OfficeDirectory.Open(statement.Der, cards.Select(c => c.Der), DirectoryOfficerKeys, Check, Now);
        });
    }

    public DevAuthority Root { get; }
    public DevAuthority Issuing { get; }
    public TrustStore Trust { get; }
    public CertificateCheck Check { get; }
    public IReadOnlyList<FileKey> DirectoryOfficers { get; }
    public IReadOnlyList<FileKey> PolicyOfficers { get; }
    public Digest[] DirectoryOfficerKeys => [.. DirectoryOfficers.Select(o => o.Certificate.Key)];
    public Digest[] PolicyOfficerKeys => [.. PolicyOfficers.Select(o => o.Certificate.Key)];
    /// <summary>The gateway's evidence key.</summary>
    public FileKey Gateway { get; }
    public IReadOnlyDictionary<string, TestOffice> Offices { get; }
    /// <summary>Version 1 with all offices, vouched for 48 h ago: nothing is held.</summary>
    public OfficeDirectory Directory => directory.Value;

    public TestOffice this[string code] => Offices[code];

    /// <summary>A key with a certificate of the issuing CA.</summary>
    public FileKey Key(string organization, string code, string name, KeyUse use = KeyUse.Sign, int? rsaBits = null, Validity? validity = null) =>
        FileKey.Of(Issuing.Issue(KeyProfile.Subject(organization, code, name), use, validity ?? LeafValidity, rsaBits));

    /// <summary>A certificate over a request that the test may spoil first.</summary>
    public X509Certificate2 Spoiled(KeyUse use, Action<CertificateRequest> spoil)
    {
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP384);
        var request = Issuing.Request(KeyProfile.Subject("Spoiled", "X", "x"), use, key);
        spoil(request);
        return Issuing.Sign(request, LeafValidity);
    }

    public TestOffice NewOffice(string code, string vi, string en, int? rsaBits = null) => new(code, new OfficeName(vi, en),
        Key(vi, code, "sign"), Key(vi, code, "encrypt", KeyUse.Encrypt, rsaBits), Key(vi, code, "tls", KeyUse.TlsClient),
        Key(vi, code, "signatory"), Key(vi, code, "clerk"));

    /// <summary>A card of the office's keys, to be signed by <see cref="SignCard"/>.</summary>
    public static Card NewCard(TestOffice office, long version = 1, Digest? previous = null, FileKey? signer = null) => new()
    {
        V = 1, Type = Card.TypeName, Signers = [(signer ?? office.Sign).Certificate.Key],
        Office = office.Code, Version = version, Issued = Start.ToUnixTimeMilliseconds(), Previous = previous,
        Keys = [new("sign", Der(office.Sign)), new("encrypt", Der(office.Encrypt)), new("tls", Der(office.Tls))],
        Persons = [new(["signatory"], Der(office.Signatory)), new(["clerk"], Der(office.Clerk))],
    };

    public static byte[] Der(IPrivateKey key) => key.Certificate.Der.ToArray();

    public Statement SignCard(Card card, FileKey? signer = null) => Statement.Sign(card, [signer ?? Offices[card.Office].Sign], Now);

    /// <summary>A directory of these cards, vouched for 48 h before <see cref="Now"/> unless told otherwise.</summary>
    public DirectoryStatement NewDirectory(long version, Digest? previous, IEnumerable<Statement> cards, Func<Card, long?>? vouched = null, IReadOnlyList<FileKey>? officers = null) => new()
    {
        V = 1, Type = DirectoryStatement.TypeName, Signers = [.. (officers ?? DirectoryOfficers).Select(o => o.Certificate.Key)],
        Version = version, Issued = Now.ToUnixTimeMilliseconds(), Previous = previous,
        Offices = [.. cards.Select(c => (c.Ref, Card: c.As<Card>())).OrderBy(c => c.Card.Office, StringComparer.Ordinal).Select(c => new DirectoryOffice(
            c.Card.Office, Offices.TryGetValue(c.Card.Office, out var office) ? office.Name : new OfficeName(c.Card.Office, c.Card.Office), null, c.Ref,
            vouched is null ? Now.AddHours(-48).ToUnixTimeMilliseconds() : vouched(c.Card)))],
    };

    public Statement SignDirectory(DirectoryStatement content, IReadOnlyList<FileKey>? officers = null) => Statement.Sign(content, officers ?? DirectoryOfficers, Now);
}
