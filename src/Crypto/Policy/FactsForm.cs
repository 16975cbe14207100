using System.Text;
using Exchange.Crypto.Labels;

namespace Exchange.Crypto.Policy;

/// <summary>Whether facts can be written into a record: text in Unicode NFC, integers that JSON holds, nothing missing. What cannot be recorded is not decided on.</summary>
static class FactsForm
{
    /// <exception cref="ArgumentException">They cannot.</exception>
    public static void Demand(DecisionFacts facts, CompiledPolicy policy)
    {
        Text(facts.Action);
        Text(facts.Sender);
        Demand(facts.Label, policy);
        Demand(facts.SenderClearance);
        Demand(facts.StoreCeiling);
        Demand(facts.Reader);
        for (var i = 0; i < facts.Recipients.Count; i++) Demand(facts.Recipients[i]);
        for (var i = 0; i < facts.Approvals.Count; i++)
        {
            Text(facts.Approvals[i].Act);
            Texts(facts.Approvals[i].Roles);
        }
        if (facts.NeedToKnow is not null) Texts(facts.NeedToKnow);
        if (facts.Named is not null) Texts(facts.Named);
        if (facts.Translation is { } translation) Text(translation.From);
        if (facts.Revocation?.AsOf is { } asOf) Numbers(asOf, 0);
        if (facts.Sizes is { } sizes) Numbers(sizes.Manifest, sizes.Payload);
        for (var i = 0; i < (facts.References?.Count ?? 0); i++) Demand(facts.References![i], policy);
        if (facts.Relabel is { } relabel) Demand(relabel, policy);
    }

    static void Demand(RecipientFacts recipient)
    {
        Text(recipient.Office);
        Text(recipient.Role);
        Demand(recipient.Clearance);
        Demand(recipient.ChannelCeiling);
        if (recipient.Channel is not null) Text(recipient.Channel);
        if (recipient.Groups is not null) Texts(recipient.Groups);
    }

    static void Demand(ReferenceFacts reference, CompiledPolicy policy)
    {
        Text(reference.Relation);
        Demand(reference.Label, policy);
        if (reference.Originator is not null) Text(reference.Originator);
        if (reference.Released is not null) Texts(reference.Released);
    }

    static void Demand(RelabelFacts relabel, CompiledPolicy policy)
    {
        Demand(relabel.Old, policy);
        Text(relabel.Originator);
        Text(relabel.Cause);
        if (relabel.Reason is not null) Text(relabel.Reason);
        Numbers(relabel.LabelledAt, relabel.Extension ?? 0);
        Numbers(relabel.SuccessionAt ?? 0, 0);
        foreach (var person in relabel.Persons)
        {
            Text(person.Office);
            Texts(person.Roles);
            Demand(person.Clearance);
        }
    }

    /// <param name="policy">Its own marks are in form.</param>
    static void Demand(Label? label, CompiledPolicy policy)
    {
        if (label is null) return;
        Text(label.Policy);
        if (policy.Level(label.Class)?.Mark != label.Mark) Text(label.Mark);
        if (label.Basis is not null) Text(label.Basis);
        Numbers(label.Term ?? 0, 0);
        Texts(label.Caveats);
        Demand(label.Categories);
    }

    static void Demand(Clearance? clearance)
    {
        if (clearance is null) return;
        Text(clearance.Policy);
        Numbers(clearance.ValidFrom, clearance.ValidTo);
        ArgumentNullException.ThrowIfNull(clearance.Classes);
        Demand(clearance.Categories);
    }

    static void Demand(Category[] categories)
    {
        foreach (var category in categories)
        {
            Text(category.Type);
            Text(category.Tag);
            ArgumentNullException.ThrowIfNull(category.Values);
        }
    }

    static void Texts(IReadOnlyList<string> texts)
    {
        for (var i = 0; i < texts.Count; i++) Text(texts[i]);
    }

    static void Text(string text)
    {
        if (!Ascii.IsValid(text) && !text.IsNormalized(NormalizationForm.FormC)) throw new ArgumentException("Text must be Unicode NFC.");
    }

    static void Numbers(long a, long b)
    {
        if (a is > StrictJson.MaxInteger or < -StrictJson.MaxInteger || b is > StrictJson.MaxInteger or < -StrictJson.MaxInteger) throw new ArgumentException("Only integers within 2^53-1 are written.");
    }
}
