using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Release;

/// <summary>The label that counts now: the author's, until a change of it was accepted. The one in header and dispatch is never rewritten.</summary>
/// <param name="Signed">Those who signed it stand for it as whoever had the dispatch sent stands for the author's: a level that asks for a signatory has him.</param>
sealed record LabelInForce(Label Label, IReadOnlyList<ApprovalFacts> Signed)
{
    /// <param name="header">Of the dispatch.</param>
    public static LabelInForce Of(Source source, Guid dispatch, Header header)
    {
        if (LabelTable.InForce(source, dispatch) is not { } row) return new(header.Label, []);
        var label = LabelChange.Read(row.Change).Label ?? throw new InvalidOperationException("A change in force without a label.");
        // Their roles as they were when it was decided: who answered for it then, did.
        var persons = row.Act == LabelAct.Term || DecisionTable.Find(source, row.Decision) is not { } decision ? [] : Decision.FactsOf(decision.Record)?.Relabel?.Persons ?? [];
        return new(label, [.. persons.Select(p => new ApprovalFacts(ApprovalAct.Send, p.Person, p.Roles, DateTimeOffset.FromUnixTimeMilliseconds(header.Times.Expires)))]);
    }
}
