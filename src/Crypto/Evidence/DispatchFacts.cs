using Exchange.Crypto.Envelope;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Evidence;

/// <param name="Detail">What the ledger entry that it promises says; null: none, or it does not hold.</param>
public sealed record ReceiptFact(string Part, Receipt Receipt, Certificate Signer, LedgerDetail? Detail);

public sealed record StatusFact(string Part, HandlingStatus Status, Certificate Signer);

/// <param name="Time">As its signer says.</param>
public sealed record RecallFact(string Part, Header Header, Certificate Signer, DateTimeOffset Time);

public sealed record TimeStampFact(string Part, DateTimeOffset Time, Certificate Authority);

/// <summary>What the check of a dispatch has read, for telling it. How far each part holds says <see cref="Of"/>: what a part says counts only as far as its findings let it.</summary>
public sealed record DispatchFacts(Findings Findings)
{
    /// <summary>Ref of the header.</summary>
    public Digest? Ctx { get; init; }
    /// <summary>null: there is none whose signature holds.</summary>
    public Header? Header { get; init; }
    /// <summary>null: as a whole it does not hold, or nobody can say.</summary>
    public VerifiedEnvelope? Envelope { get; init; }
    /// <summary>Who signed the dispatch itself, where it came out of its seal and is the one that the header names.</summary>
    public IReadOnlyList<Certificate> Authors { get; init; } = [];
    public IReadOnlyList<ReceiptFact> Receipts { get; init; } = [];
    public IReadOnlyList<StatusFact> Statuses { get; init; } = [];
    public IReadOnlyList<RecallFact> Recalls { get; init; } = [];
    public IReadOnlyList<TimeStampFact> TimeStamps { get; init; } = [];
    /// <summary>By the pinned officers, at the time of the submission.</summary>
    public OfficeDirectory? Directory { get; init; }
    /// <summary>The policy that decided; null: it is not here, or does not hold.</summary>
    public CompiledPolicy? Policy { get; init; }
    public CertificateCheck? Trust { get; init; }
    /// <summary>Level of the label in that policy.</summary>
    public PolicyLevel? Level { get; init; }
    /// <summary>By the pinned key.</summary>
    public Checkpoint? Checkpoint { get; init; }
    /// <summary>Index of each leaf that is proven to be in it.</summary>
    public IReadOnlyDictionary<Digest, long> Proven { get; init; } = new Dictionary<Digest, long>();

    /// <summary>The worst that was found about a part; a part that nobody checked is not good.</summary>
    public FindingKind Of(string part)
    {
        var (checkedOnce, worst) = (false, FindingKind.Good);
        foreach (var finding in Findings.All.Where(f => f.Part == part)) (checkedOnce, worst) = (true, finding.Kind > worst ? finding.Kind : worst);
        return checkedOnce ? worst : FindingKind.Incomplete;
    }

    /// <summary>Whether one check of a part was made and holds.</summary>
    public bool Holds(string part, string check) => Findings.All.Any(f => f.Part == part && f.Check == check && f.Kind == FindingKind.Good) && !Findings.All.Any(f => f.Part == part && f.Check == check && f.Kind != FindingKind.Good);
}
