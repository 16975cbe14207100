using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Statements;
using Exchange.Crypto.TimeStamps;
using Exchange.Crypto.Trust;
using Exchange.Office.Client;

namespace Exchange.Office;

/// <summary>One statement or envelope against what the office's profile trusts. A statement alone proves less than a dispatch's evidence: no ledger, no T.</summary>
static class FileCheck
{
    /// <param name="client">null: no profile, so nobody to trust.</param>
    public static async Task<IReadOnlyList<Finding>> RunAsync(string file, OfficeClient? client, TimeProvider clock, CancellationToken cancel)
    {
        var findings = new List<Finding>();
        SealedFile read;
        try { read = await SealedFile.ReadAsync(file, cancel).ConfigureAwait(false); }
        catch (RefusedException e) { return [Bad(file, "form and signatures", e)]; }
        findings.Add(new Finding(FindingKind.Good, file, "form and signatures", FindingCode.Ok, read.Kind));
        if (read.Kind == "manifest") return [.. findings, new Finding(FindingKind.Incomplete, file, "header", FindingCode.Missing, "a manifest means something only with its header")];
        if (client is null) return [.. findings, new Finding(FindingKind.Incomplete, file, "signers", FindingCode.Missing, "no profile: nobody is trusted")];
        if (read.Parts is { } parts) await EnvelopeAsync(file, parts, read.Statements[0], client, findings, cancel).ConfigureAwait(false);
        else Signers(file, read.Statements[0], client, clock.GetUtcNow(), findings);
        return findings;
    }

    // Without the gateway's receipt there is no T: the signing time, which the signer chose, stands in for it, and the finding says so.
    static async Task EnvelopeAsync(string file, EnvelopeParts parts, Statement header, OfficeClient client, List<Finding> findings, CancellationToken cancel)
    {
        try
        {
            var verified = Envelope.Verify(parts, new EnvelopeContext(client.Directory, client.Trust, header.SigningTimes[0]));
            findings.Add(new Finding(FindingKind.Good, file, "envelope as of its signing time", FindingCode.Ok, $"from {verified.Header.Sender}"));
            if (verified.Header.Payload is not { } payload) return;
            await using var stream = File.OpenRead(file);
            await EnvelopeFile.ReadPartsAsync(stream, cancel).ConfigureAwait(false);
            await Payload.VerifyAsync(stream, payload, null, null, cancel).ConfigureAwait(false);
            findings.Add(new Finding(FindingKind.Good, file, "payload", FindingCode.Ok));
        }
        catch (RefusedException e) { findings.Add(Bad(file, "envelope", e)); }
    }

    static void Signers(string file, Statement statement, OfficeClient client, DateTimeOffset now, List<Finding> findings)
    {
        var pins = client.Profile.Pins;
        var stamps = TimeStamps(file, statement, client, findings);
        for (var i = 0; i < statement.Signers.Count; i++)
        {
            var signer = statement.Signers[i];
            var (purpose, known, who) = statement.Type switch
            {
                StatementType.Directory or StatementType.Standing => (Purpose.Officer, pins.DirectoryOfficers.Contains(signer.Key), "pinned directory officer"),
                StatementType.Policy or StatementType.Activation => (Purpose.Officer, pins.PolicyOfficers.Contains(signer.Key), "pinned policy officer"),
                StatementType.Receipt when signer.Key == pins.GatewayEvidence => (Purpose.GatewayEvidence, true, "pinned gateway"),
                StatementType.Approval or StatementType.Label => (Purpose.PersonSigning, PersonOf(client, signer), "person of an office"),
                StatementType.Dispatch => PersonOf(client, signer) ? (Purpose.PersonSigning, true, "person of an office") : (Purpose.OfficeSigning, OfficeOf(client, signer), "office"),
                _ => (Purpose.OfficeSigning, OfficeOf(client, signer), "office"),
            };
            // What bears a time-stamp was signed by then, whatever became of the certificate.
            var verdict = client.Trust.Check(signer, purpose, i < stamps.Count ? stamps[i].Time : now);
            findings.Add(verdict.Refusal is { } refusal ? new Finding(FindingKind.Bad, file, "certificate", refusal.Code, verdict.Explained) : new Finding(FindingKind.Good, file, "certificate", FindingCode.Ok, signer.Subject));
            findings.Add(known ? new Finding(FindingKind.Good, file, "signer", FindingCode.Ok, who) : new Finding(FindingKind.Bad, file, "signer", Refusal.SignerUnknown.Code, $"not a {who}"));
        }
    }

    static IReadOnlyList<VerifiedTimeStamp> TimeStamps(string file, Statement statement, OfficeClient client, List<Finding> findings)
    {
        try
        {
            var stamps = TimeStampCheck.OfDispatch(statement, client.Trust);
            findings.AddRange(stamps.Select(s => new Finding(FindingKind.Good, file, "time-stamp", FindingCode.Ok,
                $"there by {s.Time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture)}, says {s.Authority.Subject}")));
            return stamps;
        }
        catch (RefusedException e)
        {
            findings.Add(Bad(file, "time-stamp", e));
            return [];
        }
    }

    static bool OfficeOf(OfficeClient client, Certificate signer) => client.Directory.Offices.Any(o => o.Signing.Contains(signer));
    static bool PersonOf(OfficeClient client, Certificate signer) => client.Directory.Offices.Any(o => o.Persons.Any(p => p.Certificate.Equals(signer)));

    static Finding Bad(string file, string check, RefusedException e) => new(FindingKind.Bad, file, check, e.Refusal.Code, e.Detail);
}
