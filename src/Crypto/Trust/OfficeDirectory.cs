using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Trust;

/// <summary>A person of an office and what the card says he may do.</summary>
public sealed record OfficePerson(Certificate Certificate, IReadOnlyList<string> Roles);

/// <param name="HeldUntil">A card that no previous key signed is not used from Mật up before this time; null: no hold.</param>
public sealed record OfficeEntry(
    string Code, OfficeName Name, string? Parent, Digest CardRef, long CardVersion,
    IReadOnlyList<Certificate> Signing, IReadOnlyList<Certificate> Encryption, IReadOnlyList<Certificate> Tls, IReadOnlyList<OfficePerson> Persons,
    DateTimeOffset? HeldUntil);

/// <summary>The directory, verified: two pinned officers, every card present and signed as it must be. Immutable.</summary>
public sealed class OfficeDirectory
{
    /// <param name="directory">Directory statement, DER.</param>
    /// <param name="cards">Card statements, DER, any order; exactly those that the directory names are needed.</param>
    /// <param name="officers">Keys of the pinned directory officers; two different ones must have signed.</param>
    /// <param name="trust">Path check of officers' and offices' certificates at <paramref name="at"/>; a bad office certificate removes that key only.</param>
    /// <param name="seen">The newest one verified before; older versions and cards that break the chain are refused.</param>
    /// <exception cref="RefusedException"><see cref="Refusal.Officers"/>, <see cref="Refusal.VersionOld"/>, <see cref="Refusal.Card"/> …</exception>
    public static OfficeDirectory Open(ReadOnlyMemory<byte> directory, IEnumerable<ReadOnlyMemory<byte>> cards, IReadOnlyCollection<Digest> officers,
        CertificateCheck trust, DateTimeOffset at, OfficeDirectory? seen = null) => throw new NotImplementedException();

    public Digest Ref => throw new NotImplementedException();
    public long Version => throw new NotImplementedException();
    public IReadOnlyList<OfficeEntry> Offices => throw new NotImplementedException();
    public OfficeEntry? Find(string code) => throw new NotImplementedException();
    /// <summary>The office whose card holds this TLS key.</summary>
    public OfficeEntry? FindByTls(Digest key) => throw new NotImplementedException();
    /// <summary>DER of the directory statement and of each card by ref: for passing on.</summary>
    public ReadOnlyMemory<byte> Statement => throw new NotImplementedException();
    public IReadOnlyDictionary<Digest, ReadOnlyMemory<byte>> Cards => throw new NotImplementedException();
}

/// <summary>Clearances and channels, verified like the directory. Gateway only.</summary>
public sealed class Standing
{
    public static Standing Open(ReadOnlyMemory<byte> statement, IReadOnlyCollection<Digest> officers, CertificateCheck trust, DateTimeOffset at, long seenVersion = 0) =>
        throw new NotImplementedException();

    public Digest Ref => throw new NotImplementedException();
    public long Version => throw new NotImplementedException();
    public string Note => throw new NotImplementedException();
    public StandingOffice? Find(string code) => throw new NotImplementedException();
    public ReadOnlyMemory<byte> Statement => throw new NotImplementedException();
}
