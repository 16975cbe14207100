using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Offices;

/// <summary>A world verified outside the writer, with the rows and entries that put it in force.</summary>
internal sealed record PreparedWorld(long BasedOn, World Next, IReadOnlyList<PreparedDocument> Documents);

/// <param name="Entry">Logged with the document; null for a card, which its directory's entry covers.</param>
internal sealed record PreparedDocument(DocumentRow Row, LedgerEntry? Entry);

/// <summary>
/// How a world follows another. A document is judged when it is activated: versions rise, officers are pinned and their certificates good at that time.
/// A CRL changes what every later check says; it does not undo what was activated before.
/// </summary>
internal static class WorldActivation
{
    /// <summary>Verifies the documents (policy with its approval, directory with its new cards, standing, CRLs, in any number and order) against the pins and the world in force. Pure; the result goes to Batch.Activate.</summary>
    /// <exception cref="RefusedException">VersionOld when a document is not newer than the one in force; Officers, Card … ; Request when it is none of these or doubled.</exception>
    public static PreparedWorld Prepare(World current, IReadOnlyList<ReadOnlyMemory<byte>> documents, Pins pins, DateTimeOffset at)
    {
        var offered = ActivationDocuments.Sort(documents);
        var rows = new List<PreparedDocument>();

        // CRLs first: what comes with them is judged by them.
        var trust = WithCrls(current.Trust, offered.Crls, at, rows);
        var policy = offered.Policy is { } p ? NewPolicy(current, p, offered.Approval, pins, trust, at, rows) : current.PolicyOrNone;
        if (offered.Policy is null && offered.Approval is not null) throw new RefusedException(Refusal.ActivationUnapproved, "an approval comes with the policy that it names");
        var directory = offered.Directory is { } d ? NewDirectory(current, d, offered.Cards, pins, trust, at, rows) : Rejudged(current.DirectoryOrNone, pins, trust, at);
        if (offered.Directory is null && offered.Cards.Count > 0) throw new RefusedException(Refusal.Card, "cards come with the directory that names them");
        var standing = offered.Standing is { } s ? NewStanding(current, s, pins, trust, at, rows) : current.StandingOrNone;
        if (offered.Standing is not null || offered.Directory is not null) DemandApart(directory, standing);

        return new PreparedWorld(current.Id, new World(current.Id + 1, policy, directory, standing, trust), rows);
    }

    /// <summary>The world of the documents in force, each signed by two pinned officers whose certificates were judged at its activation.</summary>
    internal static World Reload(long id, Source source, TrustStore anchors, Pins pins, DateTimeOffset at, StapledResponses? responses = null)
    {
        var inForce = DocumentTable.InForce(source);
        var trust = new CertificateCheck(anchors.WithCrls(inForce.Where(d => d.Kind == DocumentKind.Crl).Select(d => (ReadOnlyMemory<byte>)d.Der)), responses);
        var policy = The(DocumentKind.Policy) is { } p ? CompiledPolicy.Open(p.Der, pins.PolicyOfficers, trust, Time(p), again: true) : null;
        var standing = The(DocumentKind.Standing) is { } s ? Standing.Open(s.Der, pins.DirectoryOfficers, trust, Time(s), again: true) : null;
        return new World(id, policy, Rejudged(DirectoryInForce(source, pins, trust, at), pins, trust, at), standing, trust);

        DocumentRow? The(DocumentKind kind) => inForce.SingleOrDefault(d => d.Kind == kind);
    }

    // A hold on a new card outlives the directory that set it: those of the last two days are followed one after the other, as they were when they came.
    static OfficeDirectory? DirectoryInForce(Source source, Pins pins, CertificateCheck trust, DateTimeOffset at)
    {
        var cards = DocumentTable.Cards(source).Select(c => (ReadOnlyMemory<byte>)c).ToList();
        OfficeDirectory? directory = null;
        foreach (var row in DocumentTable.DirectoriesSince(source, at.AddDays(-2).ToUnixTimeMilliseconds()))
            directory = OfficeDirectory.Open(row.Der, cards, pins.DirectoryOfficers, trust, Time(row), directory, again: true);
        return directory;
    }

    static DateTimeOffset Time(DocumentRow row) => DateTimeOffset.FromUnixTimeMilliseconds(row.ActivatedAt);

    static CertificateCheck WithCrls(CertificateCheck trust, IReadOnlyList<ReadOnlyMemory<byte>> crls, DateTimeOffset at, List<PreparedDocument> rows)
    {
        foreach (var der in crls)
        {
            var next = trust.Store.WithCrls([der]);
            var (issuer, number) = ActivationDocuments.NameOfCrl(der);
            if (next.Id == trust.Store.Id) throw new RefusedException(Refusal.VersionOld, $"CRL {number}");
            trust = new CertificateCheck(next, trust.Responses);
            rows.Add(Row(DocumentKind.Crl, issuer, number, Digest.Of(der.Span), der, at));
        }
        return trust;
    }

    static CompiledPolicy NewPolicy(World current, ReadOnlyMemory<byte> der, ReadOnlyMemory<byte>? approval, Pins pins, CertificateCheck trust, DateTimeOffset at, List<PreparedDocument> rows)
    {
        var seen = current.PolicyOrNone?.Content.Version ?? 0;
        var policy = CompiledPolicy.Open(der, pins.PolicyOfficers, trust, at, seen);
        Newer("policy", policy.Content.Version, seen);
        if (current.PolicyOrNone is { } inForce) rows.Add(Approved(inForce, policy, current.StandingOrNone, approval, pins, trust, at));
        rows.Add(Row(DocumentKind.Policy, "", policy.Content.Version, policy.Ref, der, at));
        return policy;
    }

    // The first policy follows nothing: init takes it under the pins. Any other comes with two officers' word for what it changes here, which is made again to be compared.
    static PreparedDocument Approved(CompiledPolicy inForce, CompiledPolicy policy, Standing? standing, ReadOnlyMemory<byte>? approval, Pins pins, CertificateCheck trust, DateTimeOffset at)
    {
        if (approval is not { } der) throw new RefusedException(Refusal.ActivationUnapproved, "no approval beside the policy");
        var diff = PolicyDiff.Between(inForce, policy, standing is null ? null : Statement.Read(standing.Statement, StatementType.Standing).As<StandingStatement>());
        return Row(DocumentKind.Approval, "", policy.Content.Version, ActivationApproval.Open(der, diff, pins.PolicyOfficers, trust, at).Ref, der, at);
    }

    static Standing NewStanding(World current, ReadOnlyMemory<byte> der, Pins pins, CertificateCheck trust, DateTimeOffset at, List<PreparedDocument> rows)
    {
        var seen = current.StandingOrNone?.Version ?? 0;
        var standing = Standing.Open(der, pins.DirectoryOfficers, trust, at, seen);
        Newer("standing", standing.Version, seen);
        Channels.Demand(standing);
        rows.Add(Row(DocumentKind.Standing, "", standing.Version, standing.Ref, der, at));
        return standing;
    }

    // Who audits is no party: with one key for both, what an office may see and what an auditor may see would be one.
    static void DemandApart(OfficeDirectory? directory, Standing? standing)
    {
        if (directory is null || standing is null || standing.Auditors.Count == 0) return;
        foreach (var office in directory.Offices)
            foreach (var key in office.Tls.Concat(office.Signing).Concat(office.Encryption).Concat(office.Persons.Select(p => p.Certificate)))
                if (standing.FindAuditor(key.Key) is { } auditor) throw new RefusedException(Refusal.Request, $"the key of auditor {auditor.Code} stands in the card of {office.Code}");
    }

    static OfficeDirectory NewDirectory(World current, ReadOnlyMemory<byte> der, IReadOnlyList<ReadOnlyMemory<byte>> cards, Pins pins, CertificateCheck trust,
        DateTimeOffset at, List<PreparedDocument> rows)
    {
        var seen = current.DirectoryOrNone;
        var held = seen?.Cards ?? new Dictionary<Digest, ReadOnlyMemory<byte>>();
        var directory = OfficeDirectory.Open(der, cards.Concat(held.Values), pins.DirectoryOfficers, trust, at, seen);
        Newer("directory", directory.Version, seen?.Version ?? 0);
        var row = Row(DocumentKind.Directory, "", directory.Version, directory.Ref, der, at);
        rows.Add(row);
        foreach (var office in directory.Offices.Where(o => !held.ContainsKey(o.CardRef)))
        {
            var card = Document(DocumentKind.Card, office.Code, office.CardVersion, office.CardRef, directory.Cards[office.CardRef], at, row.Row.Leaf);
            rows.Add(new PreparedDocument(card, null));
        }
        return directory;
    }

    // Keys that have expired or been revoked since fall out of the directory; the directory itself stays in force even when an officer's certificate has ended.
    static OfficeDirectory? Rejudged(OfficeDirectory? directory, Pins pins, CertificateCheck trust, DateTimeOffset at) =>
        directory is null ? null : OfficeDirectory.Open(directory.Statement, directory.Cards.Values, pins.DirectoryOfficers, trust, at, directory, again: true);

    static void Newer(string what, long version, long seen)
    {
        if (version <= seen) throw new RefusedException(Refusal.VersionOld, $"{what} {version}, in force {seen}");
    }

    static PreparedDocument Row(DocumentKind kind, string name, long version, Digest reference, ReadOnlyMemory<byte> der, DateTimeOffset at)
    {
        var entry = LedgerEntry.Create(new ActivationDetail(ActivationDocuments.Word(kind), reference, version) { Time = at.ToUnixTimeMilliseconds() });
        return new PreparedDocument(Document(kind, name, version, reference, der, at, entry.Leaf), entry);
    }

    static DocumentRow Document(DocumentKind kind, string name, long version, Digest reference, ReadOnlyMemory<byte> der, DateTimeOffset at, Digest leaf) => new()
    {
        Kind = kind, Name = name, Version = version, Ref = reference, ActivatedAt = at.ToUnixTimeMilliseconds(), Leaf = leaf, Der = der.ToArray(),
    };
}
