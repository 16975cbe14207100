namespace Exchange.Crypto.Policy;

/// <summary>What must be done besides, for a decision that is not a denial. Computed by it, written into its record, checked where it is carried out.</summary>
/// <param name="Markings">The level as text, by position, for whoever shows or prints it.</param>
/// <param name="Keys">The keys that the envelope may be opened with, all and no other, ordinal order.</param>
/// <param name="ManifestBucket">Bytes.</param>
/// <param name="PayloadBucket">Bytes.</param>
/// <param name="Register">What registers, lists and notifications may say of it: "subject", or "type" only.</param>
/// <param name="Receipt">Whether a signed receipt is due: for whatever is taken in or handed out.</param>
/// <param name="Caveats">Those of the label and those of its level, ordinal order.</param>
public sealed record Obligations(PolicyMarkings Markings, Digest[] Keys, int ManifestBucket, int PayloadBucket, string Register, bool Receipt, string[] Caveats)
{
    internal static Obligations? Of(DecisionFacts? facts, CompiledPolicy policy, Verdict verdict)
    {
        if (verdict == Verdict.Deny || facts?.Label is not { } label || policy.Level(label.Class) is not { } level) return null;
        return new Obligations(level.Markings, [.. facts.Recipients.Select(r => r.Key).OfType<Digest>().Distinct().OrderBy(k => k.ToString(), StringComparer.Ordinal)],
            level.ManifestBucket, level.PayloadBucket, level.Handling.Register, facts.Action is not ("seal" or "dry-run" or "read"),
            [.. label.Caveats.Union(level.Handling.Caveats).Order(StringComparer.Ordinal)]);
    }
}
