using System.Collections.Frozen;
using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Trust;

/// <summary>Clearances and channels, verified like the directory. Gateway only.</summary>
public sealed class Standing
{
    readonly FrozenDictionary<string, StandingOffice> byCode;
    readonly FrozenDictionary<Digest, StandingAuditor> auditors;

    Standing(Statement statement, StandingStatement content)
    {
        Ref = statement.Ref;
        Version = content.Version;
        Note = content.Note;
        Statement = statement.Der;
        byCode = content.Offices.ToFrozenDictionary(o => o.Code);
        auditors = (content.Auditors ?? []).ToFrozenDictionary(a => a.Key);
    }

    /// <param name="seenVersion">Highest version activated before; a lower one is refused.</param>
    /// <param name="again">It was put in force before: see <see cref="Officers"/>.</param>
    /// <exception cref="RefusedException"><see cref="Refusal.Officers"/>, <see cref="Refusal.VersionOld"/>, <see cref="Refusal.Json"/>, <see cref="Refusal.LabelForm"/> …</exception>
    public static Standing Open(ReadOnlyMemory<byte> statement, IReadOnlyCollection<Digest> officers, CertificateCheck trust, DateTimeOffset at, long seenVersion = 0, bool again = false)
    {
        var read = Statements.Statement.Read(statement, StatementType.Standing);
        Officers.Demand(read, officers, trust, at, again);
        var content = read.As<StandingStatement>();
        DirectoryForm.Check(content);
        if (content.Version < seenVersion) throw new RefusedException(Refusal.VersionOld, $"standing {content.Version} after {seenVersion}");
        return new Standing(read, content);
    }

    public Digest Ref { get; }
    public long Version { get; }
    public string Note { get; }
    public IReadOnlyCollection<StandingOffice> Offices => byCode.Values;
    public StandingOffice? Find(string code) => byCode.GetValueOrDefault(code);
    public IReadOnlyCollection<StandingAuditor> Auditors => auditors.Values;
    /// <param name="key">Of a TLS client certificate.</param>
    public StandingAuditor? FindAuditor(Digest key) => auditors.GetValueOrDefault(key);
    public ReadOnlyMemory<byte> Statement { get; }
}
