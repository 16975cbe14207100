using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Office.Join;

/// <summary>A folder that goes from one officer to the next and then to the gateway: directory.p7s, standing.p7s, policy.p7s as far as they change, and the cards that are new.</summary>
sealed class Proposal(IReadOnlyList<PartlySigned> statements, IReadOnlyList<Statement> cards)
{
    static readonly StatementType[] Types = [StatementType.Policy, StatementType.Directory, StatementType.Standing];

    public IReadOnlyList<PartlySigned> Statements { get; } = statements;
    public IReadOnlyList<Statement> Cards { get; } = cards;
    public bool IsComplete => Statements.All(s => s.Missing.Count == 0);

    /// <exception cref="UsageException">Nothing in it.</exception>
    public static Proposal Read(string folder)
    {
        var statements = Types.Select(t => (Type: t, File: Path.Combine(folder, OfficerFolder.FileOf(t)))).Where(s => File.Exists(s.File)).Select(s => PartlySigned.Read(File.ReadAllBytes(s.File), s.Type)).ToList();
        if (statements.Count == 0) throw new UsageException($"{folder}: no directory.p7s, standing.p7s or policy.p7s there", $"{folder}: không có directory.p7s, standing.p7s hay policy.p7s");
        return new Proposal(statements, [.. Directory.GetFiles(folder, "*.card.p7s").Order(StringComparer.Ordinal).Select(f => Statement.Read(File.ReadAllBytes(f), StatementType.Card))]);
    }

    public void Write(string folder)
    {
        DurableFile.CreateFolder(folder);
        foreach (var card in Cards) DurableFile.Write(Path.Combine(folder, $"{card.As<Card>().Office}-{card.As<Card>().Version}.card.p7s"), card.Der.Span);
        foreach (var statement in Statements) DurableFile.Write(Path.Combine(folder, OfficerFolder.FileOf(statement.Type)), statement.Der.Span);
    }

    /// <summary>This officer's signature on everything that still waits for it.</summary>
    public Proposal Sign(IPrivateKey key, DateTimeOffset now) => new([.. Statements.Select(s => s.Missing.Contains(key.Certificate.Key) ? s.Add(key, now) : s)], Cards);

    /// <exception cref="RefusedException">A signature is missing.</exception>
    public IReadOnlyList<Statement> Complete() => [.. Statements.Select(s => Statement.Read(s.Der, s.Type))];

    /// <summary>Does it follow what this officer knows, and does it name the pinned officers only?</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.VersionOld"/>, <see cref="Refusal.Officers"/>, <see cref="Refusal.Card"/>.</exception>
    public void Demand(OfficerFolder known)
    {
        foreach (var statement in Statements)
        {
            var (version, inForce) = statement.Type switch
            {
                StatementType.Directory => (statement.As<DirectoryStatement>().Version, known.Directory?.Version),
                StatementType.Standing => (statement.As<StandingStatement>().Version, known.Standing?.Version),
                _ => (statement.As<Crypto.Policy.PolicyStatement>().Version, known.Policy?.Version),
            };
            if (version != (inForce ?? 0) + 1) throw new RefusedException(Refusal.VersionOld, $"{statement.Type} {version}, in force here {inForce ?? 0}");
            var pinned = statement.Type == StatementType.Policy ? known.PolicyOfficers : known.DirectoryOfficers;
            if (!statement.Signers.All(pinned.Contains)) throw new RefusedException(Refusal.Officers, $"{statement.Type}: a signer is not pinned");
            if (statement.Type != StatementType.Directory) continue;
            var directory = statement.As<DirectoryStatement>();
            if (directory.Previous != known.DirectoryRef) throw new RefusedException(Refusal.VersionOld, $"directory {version} does not follow the one in force here");
            foreach (var office in directory.Offices)
                if (CardOf(office, known) is not { } card) throw new RefusedException(Refusal.Card, $"{office.Code}: missing");
                else if (office.Vouched is null && known.CardOf(office.Code)?.Ref != card.Ref && !NextStatements.Follows(card, known.CardOf(office.Code)))
                    throw new RefusedException(Refusal.Card, $"{office.Code}: neither chained nor vouched");
        }
    }

    public Statement? CardOf(DirectoryOffice office, OfficerFolder known) => Cards.FirstOrDefault(c => c.Ref == office.Card) ?? known.Cards.GetValueOrDefault(office.Card);
}
