using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Office.Client;
using Exchange.Office.Client.Stories;
using Exchange.Tests.Evidence;

namespace Exchange.Tests;

/// <summary>The evidence of one dispatch as its sender writes it down, and copies of it that somebody changed.</summary>
static class StoryCase
{
    public static readonly EvidenceCase Case = EvidenceCase.Shared;
    public static readonly PinsFile Pins = new([.. Case.Input.Pins.DirectoryOfficers], [.. Case.Input.Pins.PolicyOfficers], Case.Input.Pins.GatewayEvidence, Case.Input.Pins.Origin, Case.Input.Pins.CheckpointKey);
    public static readonly IReadOnlyList<EvidencePart> Whole = EvidenceFile.Complete(Evidence(Case.Input), Pins);
    public static readonly byte[] File = EvidenceZip.Write(Whole);

    public static IReadOnlyList<EvidencePart> Evidence(DispatchEvidenceInput input, bool decisions = true)
    {
        var trust = TestPki.Shared.Trust;
        List<EvidencePart> parts =
        [
            .. new[] { input.Header, input.Manifest, input.Dispatch, input.Checkpoint, input.Directory, input.Policy, input.Opened }.OfType<EvidencePart>(),
            .. input.Approvals, .. input.Receipts, .. input.Statuses, .. input.Recalls, .. input.TimeStamps, .. input.Proofs, .. input.Cards, .. decisions ? Case.Decisions : [],
            .. trust.Roots.Select((c, i) => Pem($"trust/roots/{i + 1:00}.pem", c)), .. trust.Intermediates.Select((c, i) => Pem($"trust/intermediates/{i + 1:00}.pem", c)),
            .. trust.Crls.Select((c, i) => new EvidencePart($"trust/crls/{i + 1:00}.crl", c)), new(EvidenceFiles.Pins, PinsFile.Write(new Pins(Pins.DirectoryOfficers, Pins.PolicyOfficers, Pins.GatewayEvidence, Pins.Origin, Pins.CheckpointKey))),
        ];
        parts.Add(new(EvidenceFiles.Chain, EvidenceReadme.ChainOf(parts)));
        return parts;

        static EvidencePart Pem(string name, Exchange.Crypto.Trust.Certificate certificate) => new(name, System.Text.Encoding.ASCII.GetBytes(
            $"-----BEGIN CERTIFICATE-----\n{Convert.ToBase64String(certificate.Der.Span, Base64FormattingOptions.InsertLineBreaks).ReplaceLineEndings("\n")}\n-----END CERTIFICATE-----\n"));
    }

    /// <summary>Whoever changes a file also writes the list and the order anew: only what is signed, or follows from it, can find him.</summary>
    public static byte[] Relisted(IEnumerable<EvidencePart> parts)
    {
        List<EvidencePart> others = [.. parts.Where(p => p.Name != EvidenceFiles.Contents)];
        return EvidenceZip.Write(EvidenceFiles.Ordered([.. others, EvidenceFiles.List(others)]));
    }

    /// <summary>The whole with one member changed.</summary>
    public static IEnumerable<EvidencePart> With(string name, Func<byte[], byte[]> change) => Whole.Select(p => p.Name == name ? p with { Bytes = change(p.Bytes.ToArray()) } : p);

    public static Story Tell(byte[] file, bool pinned = true)
    {
        var findings = new Findings();
        return StoryCheck.Run(EvidenceZip.Read(file, findings), whole: true, findings, pinned ? Pins : null, null);
    }

    public static Story Tell(DispatchEvidenceInput input, bool decisions = true) => Tell(EvidenceZip.Write(EvidenceFile.Complete(Evidence(input, decisions), Pins)));

    /// <summary>All that it tells, findings apart.</summary>
    public static string Text(Story story, bool vietnamese = false) => string.Join('\n', story.Sections.SelectMany(s => s.Lines).Select(l => $"{l.Kind} {Told.Plain(vietnamese ? l.Text.Vi : l.Text.En)}"));

    public static string Why(Story story) => string.Join('\n', story.Findings.Where(f => f.Kind != FindingKind.Good)) + "\n" + Text(story);
}
