using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Relabelling;

/// <summary>How it stands with the label of a dispatch, read at one moment: what is in force, what lies on it, what waits.</summary>
/// <param name="Mark">Differs once anything of it has changed: a commit prepared on this finds that.</param>
sealed record LabelStanding(DispatchRow Dispatch, Header Header, IReadOnlyList<LabelChangeRow> Changes, string Mark)
{
    /// <param name="source">A snapshot.</param>
    /// <param name="dispatch">Of an update it is its original that stands here: one label for all envelopes of a dispatch.</param>
    public static LabelStanding Read(Source source, DispatchRow dispatch)
    {
        if (RecallTable.Find(source, dispatch.Id) is { Kind: "update" } update) dispatch = DispatchTable.Read(source, update.Sender, update.Target)!;
        return new(dispatch, Statement.Read(dispatch.Header, StatementType.Header).As<Header>(), LabelTable.Of(source, dispatch.Id), LabelTable.Mark(source, dispatch.Id));
    }

    LabelChangeRow? Last => Changes.Where(c => c.N is not null).MaxBy(c => c.N);

    public Label InForce => Last is { } last ? LabelChange.Read(last.Change).Label! : Header.Label;

    /// <summary>What a change has to point at.</summary>
    public Digest Previous => Last?.Ref ?? Dispatch.Ctx;

    /// <summary>When the label in force began to count, by our clock: what the law's term counts from.</summary>
    public long Since => Last?.InForceAt ?? Dispatch.ReceivedAt;

    public long NextPlace => (Last?.N ?? 0) + 1;

    /// <summary>Latest end that persons signed; null: none.</summary>
    public long? Extension => OnIt.Max(c => c.Until);

    public bool Stopped => OnIt.Any(c => c.Act == LabelAct.Stop);

    // An extension or stop of one person stays when one person raises the label. Two who lower it decide anew about everything that lies on it.
    IEnumerable<LabelChangeRow> OnIt
    {
        get
        {
            var lowered = Changes.Where(c => c is { N: not null, Words: >= 2 }).Max(c => c.InForceAt) ?? long.MinValue;
            return Changes.Where(c => c.State == LabelState.Accepted && c.Act is LabelAct.Extension or LabelAct.Stop && c.AcceptedAt >= lowered);
        }
    }

    /// <summary>
    /// The label that is judged. Who extends or stops changes nothing of it but its end, so it is judged as one that ends later, or by the law only: then protecting longer needs
    /// one person (R13), also when a term that was signed has run out and nothing has ended by it yet.
    /// </summary>
    public Label Judged(LabelChange change) => change switch
    {
        { Label: { } label } => label,
        { Act: LabelAct.Extension } => InForce.Term is null ? InForce : InForce with { Term = change.Until },
        _ => InForce with { Term = null },
    };

    /// <summary>The facts of R13 to R15.</summary>
    /// <param name="cause">"person", "term" or "succession".</param>
    public RelabelFacts Facts(LabelChange change, string cause, IEnumerable<RelabelPerson> persons) => new(InForce, change.Previous, Header.Sender, cause, [.. persons], change.Reason, Since,
        change.Until is { } until && !(Extension > until) ? until : Extension, change.At, Stopped);
}
