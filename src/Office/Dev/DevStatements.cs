using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Office.Join;

namespace Exchange.Office.Dev;

sealed record DevOfficeKeys(DevOffice Office, FileKey Sign, FileKey Encrypt, FileKey Tls, FileKey Signatory, FileKey Clerk, FileKey[] ReleaseOfficers);

/// <summary>Version 1 of everything that officers and offices sign: cards, directory, standing, policy.</summary>
sealed class DevStatements
{
    const string Fields = "2.25.108316152551476243687665024293336149417.4.1", Groups = "2.25.108316152551476243687665024293336149417.4.2";

    readonly DevPki pki;

    public DevStatements(DevPki pki, FileKey[] directoryOfficers, FileKey[] policyOfficers, IReadOnlyList<DevOfficeKeys> offices, IReadOnlyList<(DevAuditor Auditor, FileKey Key)> auditors)
    {
        this.pki = pki;
        var cards = offices.Select(o => (o.Office, Statement: CardOf(o))).ToList();
        Policy = Statement.Sign(PolicyOf(policyOfficers), policyOfficers, pki.Start);
        Directory = Statement.Sign(DirectoryOf(directoryOfficers, cards), directoryOfficers, pki.Now);
        var standing = Statement.Sign(StandingOf(directoryOfficers, Policy.As<PolicyStatement>(), auditors), directoryOfficers, pki.Now);
        All = [("directory", Directory), ("standing", standing), ("policy", Policy), .. cards.Select(c => ($"cards/{c.Office.Code}", c.Statement))];
    }

    public Statement Directory { get; }
    public Statement Policy { get; }
    /// <summary>By file name without ending.</summary>
    public IReadOnlyList<(string Name, Statement Statement)> All { get; }

    Statement CardOf(DevOfficeKeys keys) => CardWriter.Alone(keys.Office.Code, version: 1,
        [("sign", keys.Sign.Certificate), ("encrypt", keys.Encrypt.Certificate), ("tls", keys.Tls.Certificate), ("signatory", keys.Signatory.Certificate), ("clerk", keys.Clerk.Certificate),
            .. keys.ReleaseOfficers.Select(k => ("release-officer", k.Certificate))], keys.Sign, pki.Start);

    DirectoryStatement DirectoryOf(FileKey[] officers, IEnumerable<(DevOffice Office, Statement Statement)> cards) => new()
    {
        V = 1, Type = DirectoryStatement.TypeName, Signers = Keys(officers), Version = 1, Issued = pki.Now.ToUnixTimeMilliseconds(), Previous = null,
        // Vouched for 48 h ago: the 24 h for which new cards are held back from Mật up are over.
        Offices = [.. cards.Select(c => new DirectoryOffice(c.Office.Code, c.Office.Name, null, c.Statement.Ref, pki.Now.AddHours(-48).ToUnixTimeMilliseconds()))],
    };

    StandingStatement StandingOf(FileKey[] officers, PolicyStatement levels, IReadOnlyList<(DevAuditor Auditor, FileKey Key)> auditors)
    {
        var policy = levels.Policy;
        var ceiling = ClearanceOf(policy, pki.Offices.SelectMany(o => o.Classes), pki.Offices.SelectMany(o => o.Groups));
        return new()
        {
            V = 1, Type = StandingStatement.TypeName, Signers = Keys(officers), Version = 1, Issued = pki.Now.ToUnixTimeMilliseconds(),
            Note = "development only: the mailbox of a loopback gateway is approved for every level",
            Offices = [.. pki.Offices.Select(o => new StandingOffice(o.Code, ClearanceOf(policy, o.Classes, o.Groups), new StandingChannel("mailbox", ceiling, []), []))],
            Auditors = [.. auditors.Select(a => new StandingAuditor(a.Auditor.Code, a.Key.Certificate.Key, ClearanceOf(policy, a.Auditor.Levels ?? [.. levels.Levels.Select(l => l.Class)], [1, 2])))],
        };
    }

    PolicyStatement PolicyOf(FileKey[] officers)
    {
        using var resource = typeof(DevStatements).Assembly.GetManifestResourceStream("vietnam-state.json") ?? throw new InvalidOperationException("The policy file is not built in.");
        using var draft = new MemoryStream();
        resource.CopyTo(draft);
        return PolicyDraft.ToStatement(draft.ToArray(), Keys(officers), version: 1, pki.Leaves.From, pki.Leaves.Until);
    }

    /// <summary>Every field is held; the groups say which offices a release may be narrowed to.</summary>
    Clearance ClearanceOf(string policy, IEnumerable<int> classes, IEnumerable<int> groups) => new()
    {
        Policy = policy, Classes = [.. classes.Distinct().Order()],
        Categories = [new() { Type = "permissive", Tag = Groups, Values = [.. groups.Distinct().Order()] }, new() { Type = "restrictive", Tag = Fields, Values = [1, 2] }],
        ValidFrom = pki.Leaves.From.ToUnixTimeMilliseconds(), ValidTo = pki.Leaves.Until.ToUnixTimeMilliseconds(),
    };

    static Digest[] Keys(FileKey[] officers) => [.. officers.Select(o => o.Certificate.Key)];
}
