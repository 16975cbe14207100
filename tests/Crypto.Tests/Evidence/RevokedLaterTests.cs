using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Tests.Trust;

namespace Exchange.Tests.Evidence;

/// <summary>Signed while good stays verifiable at T, after the certificates have expired or were revoked; what was not the owner's any more at T does not.</summary>
public sealed class RevokedLaterTests
{
    static readonly TestPki Pki = TestPki.Shared;
    static readonly DateTimeOffset Now = TestPki.Now, Ended = TestPki.Start.AddYears(2);
    static readonly DispatchEvidenceInput Good = EvidenceCase.Shared.Input;

    /// <summary>Everybody whose signature is in the evidence.</summary>
    static readonly IReadOnlyList<Certificate> Signers = [.. new[] { (Good.Header!, StatementType.Header), (Good.Directory!, StatementType.Directory), (Good.Policy!, StatementType.Policy) }
        .Concat(Good.Approvals.Select(p => (p, StatementType.Approval))).Concat(Good.Receipts.Select(p => (p, StatementType.Receipt))).Concat(Good.Statuses.Select(p => (p, StatementType.Status)))
        .SelectMany(s => Statement.Read(s.Item1.Bytes, s.Item2).Signers).Distinct()];

    /// <summary>The folder as it would be filled after every certificate of today had expired: the list of then has no word for them.</summary>
    static readonly DispatchEvidenceInput Late = Good with { Trust = () => Pki.Trust.WithCrls([Pki.Issuing.Crl(9, Ended.AddDays(10), Ended.AddDays(40))]) };

    static DispatchEvidenceInput Stapled(DispatchEvidenceInput input, Func<Certificate, OcspForge>? forge = null) => input with
    {
        Responses = [.. Signers.Select((c, i) => new EvidencePart($"trust/ocsp/{i:00}.ors", (forge ?? Answer)(c).Make()))],
    };

    static OcspForge Answer(Certificate certificate) => new(Pki.Issuing, certificate) { ThisUpdate = Now.AddDays(1), NextUpdate = Now.AddDays(2) };

    static void AssertGood(DispatchEvidenceInput input)
    {
        var findings = DispatchEvidence.Check(input);
        Assert.True(findings.ExitCode == 0, string.Join('\n', findings.All.Where(f => f.Kind != FindingKind.Good)));
    }

    static string[] BadCodes(DispatchEvidenceInput input) => [.. DispatchEvidence.Check(input).All.Where(f => f.Kind == FindingKind.Bad).Select(f => f.Code).Distinct()];

    [Fact]
    public void What_the_CA_said_while_they_were_valid_proves_certificates_that_have_expired_since()
    {
        Assert.Contains(Refusal.RevocationUnknown.Code, BadCodes(Late));
        AssertGood(Stapled(Late));
    }

    [Fact]
    public void A_revocation_of_after_T_takes_nothing_back_and_one_that_reaches_back_before_T_does()
    {
        var (office, gateway) = (Pki["H41"].Sign.Certificate, Pki.Gateway.Certificate);
        Func<Certificate, OcspForge> Revoked(Certificate signer, DateTimeOffset? invalid) => c => c.Equals(signer) ? Answer(c) with { Revoked = Now.AddHours(9), Invalid = invalid } : Answer(c);
        AssertGood(Stapled(Late) with { Trust = () => Pki.Trust.WithCrls([Pki.Issuing.Crl(9, Now.AddDays(3), Ended, (Pki["H41"].Sign.ForTls, Now.AddHours(9)))]) });
        foreach (var input in new[] { Good, Late })
        {
            AssertGood(Stapled(input, Revoked(office, null)));
            // A key that was not the office's any more at T is none of the directory of that time.
            Assert.Equal([Refusal.SignerUnknown.Code], BadCodes(Stapled(input, Revoked(office, Now))));
            AssertGood(Stapled(input, Revoked(gateway, Now.AddHours(1))));
            Assert.Equal([Refusal.CertificateRevoked.Code], BadCodes(Stapled(input, Revoked(gateway, Now))));
        }
    }

    [Fact]
    public void A_response_that_nobody_may_give_is_named_and_proves_nothing()
    {
        using var plain = OcspForge.Delegate(Pki.Issuing, eku: false);
        var forged = Stapled(Late, c => Answer(c) with { Responder = plain });
        var findings = DispatchEvidence.Check(forged);
        Assert.Equal(Signers.Count, findings.All.Count(f => f.Kind == FindingKind.Bad && f.Part.StartsWith("trust/ocsp/", StringComparison.Ordinal) && f.Code == Refusal.CertificatePurpose.Code));
        Assert.Contains(findings.All, f => f.Kind == FindingKind.Bad && f.Code == Refusal.RevocationUnknown.Code);
    }
}
