using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Envelope;

/// <summary>A person's signed change of a label, verified: who he is, for which office, and what it changes.</summary>
/// <param name="Ref">Of the change, the same for all who sign it.</param>
/// <param name="Roles">His, in his office's card of now.</param>
public sealed record VerifiedLabelChange(Digest Ref, LabelStatement Statement, Certificate Person, IReadOnlyList<string> Roles)
{
    public LabelChange Change => Statement.Change;
}

/// <summary>What a label statement may say. Who may change what is the policy's question (R13 to R15).</summary>
static class LabelChangeCheck
{
    public const int SaltLength = 32;

    public static VerifiedLabelChange Run(ReadOnlyMemory<byte> der, Header header, Digest ctx, EnvelopeContext context)
    {
        var statement = Statement.Read(der, StatementType.Label);
        var (content, signer) = (statement.As<LabelStatement>(), statement.Signers[0]);
        Check(content);
        var change = content.Change;
        Demand(change.Sender == header.Sender && change.Id == header.Id && change.Ctx == ctx, "another dispatch");
        Demand(content.NotAfter >= context.At.ToUnixTimeMilliseconds(), "lapsed");
        var person = context.Directory.Find(content.Office)?.Persons.FirstOrDefault(p => p.Certificate.Equals(signer)) ?? throw new RefusedException(Refusal.LabelChange, "not a person of the office");
        context.Trust.Demand(signer, Purpose.PersonSigning, context.At);
        return new VerifiedLabelChange(change.Ref, content, signer, person.Roles);
    }

    /// <summary>Closed lists, ranges, and for each act exactly its members.</summary>
    /// <exception cref="RefusedException">LabelChange, LabelForm.</exception>
    public static void Check(LabelStatement statement)
    {
        var change = statement.Change;
        Demand(HeaderRules.IsOfficeCode(statement.Office), "office");
        Demand(HeaderRules.IsTime(statement.NotAfter), "notAfter");
        Demand(change.Salt.Length == SaltLength, "salt");
        Demand(HeaderRules.IsOfficeCode(change.Sender) && HeaderRules.IsUuidV7(change.Id), "dispatch");
        Demand(LabelAct.OfPersons.Contains(change.Act), "act");
        Demand(change.Reason is null || LabelReason.All.Contains(change.Reason), "reason");
        Demand(change.Label is not null == (change.Act is LabelAct.Label or LabelAct.Succession), "label");
        Demand(change.At is not null == (change.Act == LabelAct.Succession) && (change.At is not { } at || HeaderRules.IsTime(at)), "at");
        Demand(change.Until is not null == (change.Act == LabelAct.Extension) && (change.Until is not { } until || HeaderRules.IsTime(until)), "until");
        if (change.Label is { } label) LabelForm.Check(label);
    }

    static void Demand(bool holds, string detail)
    {
        if (!holds) throw new RefusedException(Refusal.LabelChange, detail);
    }
}
