using System.Collections.Frozen;
using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Trust;

/// <summary>A person of an office and what the card says he may do.</summary>
public sealed record OfficePerson(Certificate Certificate, IReadOnlyList<string> Roles);

/// <param name="HeldUntil">A card that no previous key signed is not used from Mật up before this time; null: no hold.</param>
public sealed record OfficeEntry(
    string Code, OfficeName Name, string? Parent, Digest CardRef, long CardVersion,
    IReadOnlyList<Certificate> Signing, IReadOnlyList<Certificate> Encryption, IReadOnlyList<Certificate> Tls, IReadOnlyList<OfficePerson> Persons,
    DateTimeOffset? HeldUntil)
{
    /// <summary>Every encryption key that its card names, also those whose certificate is not good now: what is not among these the office has taken out.</summary>
    public IReadOnlyList<Digest> NamedEncryption { get; init; } = [];
}

/// <summary>The directory, verified: two pinned officers, every card present and signed as it must be. Immutable.</summary>
public sealed class OfficeDirectory
{
    /// <summary>How long a card that only the officers vouch for is held back from Mật up.</summary>
    public static readonly TimeSpan Hold = TimeSpan.FromHours(24);

    readonly FrozenDictionary<string, OfficeEntry> byCode;
    readonly FrozenDictionary<Digest, OfficeEntry> byTls;

    OfficeDirectory(Statement statement, IReadOnlyList<OfficeEntry> offices, IReadOnlyDictionary<Digest, ReadOnlyMemory<byte>> cards)
    {
        Ref = statement.Ref;
        Version = statement.As<DirectoryStatement>().Version;
        Statement = statement.Der;
        Offices = offices;
        Cards = cards;
        byCode = offices.ToFrozenDictionary(o => o.Code);
        byTls = offices.SelectMany(o => o.Tls.Select(c => (c.Key, Office: o))).ToFrozenDictionary(p => p.Key, p => p.Office);
    }

    /// <param name="directory">Directory statement, DER.</param>
    /// <param name="cards">
    /// Card statements, DER, any order; those that the directory names are needed. Older ones help a reader that missed versions; others are ignored.
    /// </param>
    /// <param name="officers">Keys of the pinned directory officers; two different ones must have signed.</param>
    /// <param name="trust">Path check of officers' and offices' certificates at <paramref name="at"/>; a bad office certificate removes that key only.</param>
    /// <param name="again">It was put in force before: see <see cref="Officers"/>.</param>
    /// <param name="seen">The newest one verified before; older versions and cards that break the chain are refused.</param>
    /// <exception cref="RefusedException"><see cref="Refusal.Officers"/>, <see cref="Refusal.VersionOld"/>, <see cref="Refusal.Card"/> …</exception>
    public static OfficeDirectory Open(ReadOnlyMemory<byte> directory, IEnumerable<ReadOnlyMemory<byte>> cards, IReadOnlyCollection<Digest> officers,
        CertificateCheck trust, DateTimeOffset at, OfficeDirectory? seen = null, bool again = false)
    {
        var statement = Statements.Statement.Read(directory, StatementType.Directory);
        Officers.Demand(statement, officers, trust, at, again);
        var content = statement.As<DirectoryStatement>();
        DirectoryForm.Check(content);
        if (seen is not null) DemandNewer(statement, content, seen);

        var byRef = new Dictionary<Digest, Statement>();
        foreach (var card in cards.Select(der => Statements.Statement.Read(der, StatementType.Card))) byRef.TryAdd(card.Ref, card);
        var chain = new CardChain(byRef, seen, trust, at);
        var owners = new HashSet<Digest>();
        var entries = content.Offices.Select(office =>
        {
            if (!byRef.TryGetValue(office.Card, out var card)) throw new RefusedException(Refusal.Card, $"{office.Code}: missing");
            var keys = card.As<Card>();
            DirectoryForm.Check(keys);
            if (keys.Office != office.Code) throw new RefusedException(Refusal.Card, $"{office.Code}: card of another office");
            chain.Demand(office, card);
            // One key, one office, one use: else a connection or a signature would be two parties' at once.
            if (!keys.Keys.Select(k => k.Certificate).Concat(keys.Persons.Select(p => p.Certificate)).All(der => owners.Add(Digest.Of(der))))
                throw new RefusedException(Refusal.Card, $"{office.Code}: a key that stands in the directory twice");
            return Entry(office, card, keys, trust, at, seen?.Find(office.Code)?.HeldUntil);
        }).ToList();
        return new OfficeDirectory(statement, entries, content.Offices.ToFrozenDictionary(o => o.Card, o => byRef[o.Card].Der));
    }

    /// <summary>Ref of the directory statement.</summary>
    public Digest Ref { get; }
    public long Version { get; }
    /// <summary>Ordered by code.</summary>
    public IReadOnlyList<OfficeEntry> Offices { get; }
    public OfficeEntry? Find(string code) => byCode.GetValueOrDefault(code);
    /// <summary>The office has taken this encryption key out of its card, or is gone itself: nothing sealed to it is handed out any more, and it comes back to nobody. An ended or unknown certificate is not that.</summary>
    public bool IsRetired(string office, Digest key) => Find(office) is not { } entry || !entry.NamedEncryption.Contains(key);
    /// <summary>The office whose card holds this TLS key.</summary>
    public OfficeEntry? FindByTls(Digest key) => byTls.GetValueOrDefault(key);
    /// <summary>DER of the directory statement and of each card by ref: for passing on.</summary>
    public ReadOnlyMemory<byte> Statement { get; }
    public IReadOnlyDictionary<Digest, ReadOnlyMemory<byte>> Cards { get; }

    static void DemandNewer(Statement statement, DirectoryStatement content, OfficeDirectory seen)
    {
        if (content.Version < seen.Version) throw new RefusedException(Refusal.VersionOld, $"directory {content.Version} after {seen.Version}");
        if (content.Version == seen.Version && statement.Ref != seen.Ref) throw new RefusedException(Refusal.VersionOld, $"another directory {content.Version} than the one seen");
        if (content.Version == seen.Version + 1 && content.Previous != seen.Ref) throw new RefusedException(Refusal.VersionOld, $"directory {content.Version} does not follow the one seen");
    }

    static OfficeEntry Entry(DirectoryOffice office, Statement card, Card keys, CertificateCheck trust, DateTimeOffset at, DateTimeOffset? heldBefore)
    {
        var vouched = office.Vouched is { } since ? DateTimeOffset.FromUnixTimeMilliseconds(since) + Hold : default(DateTimeOffset?);
        // A newer card, chained or not, does not shorten the hold that lies on the one before.
        var held = vouched is null || heldBefore > vouched ? heldBefore ?? vouched : vouched;
        return new OfficeEntry(office.Code, office.Name, office.Parent, card.Ref, keys.Version,
            Good("sign", Purpose.OfficeSigning), Good("encrypt", Purpose.OfficeEncryption), Good("tls", Purpose.TlsClient),
            [.. keys.Persons.Select(p => Usable(p.Certificate, Purpose.PersonSigning) is { } c ? new OfficePerson(c, p.Roles) : null).OfType<OfficePerson>()], held)
        {
            NamedEncryption = [.. keys.Keys.Where(k => k.Use == "encrypt").Select(k => Digest.Of(k.Certificate))],
        };

        List<Certificate> Good(string use, Purpose purpose) =>
            [.. keys.Keys.Where(k => k.Use == use).Select(k => Usable(k.Certificate, purpose)).OfType<Certificate>()];

        Certificate? Usable(byte[] der, Purpose purpose)
        {
            Certificate certificate;
            // An office that lists rubbish harms itself, not the others.
            try { certificate = new Certificate(der); }
            catch (RefusedException) { return null; }
            return trust.Check(certificate, purpose, at).Good ? certificate : null;
        }
    }
}
