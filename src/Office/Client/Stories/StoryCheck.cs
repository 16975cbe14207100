using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;

namespace Exchange.Office.Client.Stories;

/// <summary>Reads all that lies in an evidence file, checks it and tells it. No network, no clock, no profile.</summary>
static class StoryCheck
{
    public const string Unpinned = "the pins lie in the file, so they are what its maker says: use --pins with those that the officers gave you", OtherPins = "the pins in the file are not all among yours; yours were used",
        OtherReport = "written in another form than this version writes: make your own with --html", NoPins = "needs the pins that lie in the file", NotDerived = "it is not what follows from the evidence";

    /// <param name="whole">They come out of one file, and that file's own findings.</param>
    /// <param name="given">What the auditor pins; null: what lies in the file is used, and that is a finding.</param>
    /// <param name="ledger">The same for the ledger, with whose cosignatures count.</param>
    public static Story Run(IReadOnlyList<EvidencePart> parts, bool whole, Findings findings, PinsFile? given, LedgerPins? ledger)
    {
        EvidenceFiles.Check(parts, whole, findings);
        var inside = PinsIn(parts, findings);
        if ((given ?? inside) is not { } used)
        {
            findings.Add(new Finding(FindingKind.Incomplete, EvidenceFiles.Pins, "from the officers", FindingCode.Missing, NoPins));
            return new Story([], [.. findings.All]);
        }
        var (facts, decisions) = Facts(parts, used);
        // With the same keys the sender's story is of the same facts, and they are not looked for twice; before anything of the auditor's own is added to them.
        var sender = inside is not null && SameKeys(used, inside) ? OfSender(facts with { Findings = Copy(facts.Findings) }, decisions) : null;
        IReadOnlyList<(string, long?)>? witnesses = ledger?.Witnesses is null || parts.FirstOrDefault(p => p.Name == EvidenceFiles.Checkpoint) is not { } note ? null : CheckpointEvidence.Check(note, ledger, facts.Findings);
        foreach (var finding in facts.Findings.All) findings.Add(finding);
        CheckPins(inside, given, findings);
        CheckDerived(parts, inside, sender, findings);
        return new Story(new StoryTeller(facts, decisions, witnesses).Tell(), [.. findings.All]);
    }

    /// <summary>The files that follow from the evidence, and say nothing that it does not: the report is the sender's, by his own pins.</summary>
    /// <param name="known">The sender's story, if it was told already.</param>
    public static IEnumerable<EvidencePart> Derive(IReadOnlyList<EvidencePart> parts, PinsFile pins, Story? known = null)
    {
        parts = [.. parts.Where(p => !IsDerived(p.Name))];
        if (EvidenceReadme.Of(parts, listed: true) is { } readme) yield return readme;
        yield return new EvidencePart(EvidenceFiles.Report, StoryReport.Write(known ?? OfSender(parts, pins)));
    }

    static bool IsDerived(string name) => name is EvidenceFiles.Report or EvidenceFiles.Readme or EvidenceFiles.Contents;

    static Story OfSender(IReadOnlyList<EvidencePart> parts, PinsFile pins)
    {
        var (facts, decisions) = Facts(parts, pins);
        return OfSender(facts, decisions);
    }

    static Story OfSender(DispatchFacts facts, IReadOnlyList<DecisionFact> decisions)
    {
        facts.Findings.Add(new Finding(FindingKind.Incomplete, EvidenceFiles.Pins, "from the officers", FindingCode.Missing, Unpinned));
        return new Story(new StoryTeller(facts, decisions, null).Tell(), facts.Findings.All);
    }

    static (DispatchFacts Facts, IReadOnlyList<DecisionFact> Decisions) Facts(IReadOnlyList<EvidencePart> parts, PinsFile pins)
    {
        var keys = new EvidencePins(pins.DirectoryOfficers, pins.PolicyOfficers, pins.GatewayEvidence, pins.Origin, pins.CheckpointKey) { CheckpointKeys = pins.CheckpointKeys ?? [] };
        var facts = DispatchEvidence.Read(EvidenceFiles.Input(parts, keys));
        return (facts, DecisionEvidence.Check(parts, facts, keys));
    }

    static bool SameKeys(PinsFile a, PinsFile b) => a.DirectoryOfficers.SequenceEqual(b.DirectoryOfficers) && a.PolicyOfficers.SequenceEqual(b.PolicyOfficers) && a.GatewayEvidence == b.GatewayEvidence && a.Origin == b.Origin
        && a.CheckpointKey == b.CheckpointKey && (a.CheckpointKeys ?? []).SequenceEqual(b.CheckpointKeys ?? []);

    static Findings Copy(Findings findings)
    {
        var copy = new Findings();
        foreach (var finding in findings.All) copy.Add(finding);
        return copy;
    }

    static PinsFile? PinsIn(IReadOnlyList<EvidencePart> parts, Findings findings)
    {
        if (parts.FirstOrDefault(p => p.Name == EvidenceFiles.Pins) is not { } file) return null;
        try { return JsonSerializer.Deserialize(file.Bytes.Span, ClientJson.Default.PinsFile) is { IsWhole: true } pins ? pins : throw new JsonException("members"); }
        catch (JsonException)
        {
            findings.Add(new Finding(FindingKind.Bad, EvidenceFiles.Pins, "form", Refusal.Json.Code));
            return null;
        }
    }

    static void CheckPins(PinsFile? inside, PinsFile? given, Findings findings)
    {
        if (given is null) findings.Add(new Finding(FindingKind.Incomplete, EvidenceFiles.Pins, "from the officers", FindingCode.Missing, Unpinned));
        else if (inside is not null)
        {
            var mine = inside.DirectoryOfficers.All(given.DirectoryOfficers.Contains) && inside.PolicyOfficers.All(given.PolicyOfficers.Contains) && inside.GatewayEvidence == given.GatewayEvidence && (inside.Origin == given.Origin || (given.CheckpointKeys ?? []).Contains(inside.CheckpointKey))
                && (inside.CheckpointKey == given.CheckpointKey || (given.CheckpointKeys ?? []).Contains(inside.CheckpointKey));
            findings.Add(mine ? new Finding(FindingKind.Good, EvidenceFiles.Pins, "among yours", FindingCode.Ok) : new Finding(FindingKind.Incomplete, EvidenceFiles.Pins, "among yours", FindingCode.Missing, OtherPins));
        }
    }

    // Nobody signs these files; each byte of them follows from what is signed.
    static void CheckDerived(IReadOnlyList<EvidencePart> parts, PinsFile? inside, Story? sender, Findings findings)
    {
        const string check = "follows from the evidence";
        if (parts.FirstOrDefault(p => p.Name == EvidenceFiles.Chain) is { } chain) Judge(chain, EvidenceReadme.ChainOf(parts).AsSpan().SequenceEqual(chain.Bytes.Span));
        // Without a report it is no form of ours, or an older one: beside it lies what that one says.
        if (parts.FirstOrDefault(p => p.Name == EvidenceFiles.Report) is not { } report) return;
        if (StoryReport.IsOurs(report.Bytes.Span) is null) { findings.Add(new Finding(FindingKind.Incomplete, report.Name, check, FindingCode.Missing, OtherReport)); return; }
        if (inside is null) { findings.Add(new Finding(FindingKind.Incomplete, report.Name, check, FindingCode.Missing, NoPins)); return; }
        foreach (var derived in Derive(parts, inside, sender))
            if (parts.FirstOrDefault(p => p.Name == derived.Name) is { } here) Judge(here, derived.Bytes.Span.SequenceEqual(here.Bytes.Span));

        void Judge(EvidencePart part, bool holds) => findings.Add(holds ? new Finding(FindingKind.Good, part.Name, check, FindingCode.Ok) : new Finding(FindingKind.Bad, part.Name, check, Refusal.EvidenceDamaged.Code, NotDerived));
    }
}
