using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Trust;

namespace Exchange.Tests.Trust;

/// <summary>What CRL and OCSP say together.</summary>
public sealed class StapledResponsesTests : IDisposable
{
    static readonly TestPki Pki = TestPki.Shared;
    static readonly DateTimeOffset Now = TestPki.Now, Start = TestPki.Start, Next = TestPki.NextUpdate;

    readonly FileKey key = Pki.Key("Test", "T", "x", validity: new(Start, Now.AddDays(2)));
    readonly StapledResponses stapled = new();

    public void Dispose() => key.Dispose();

    OcspForge Good => new(Pki.Issuing, key.Certificate);

    static TrustStore Store(params ReadOnlyMemory<byte>[] crls) => TrustStore.Create([Pki.Root.Certificate.RawDataMemory], [Pki.Issuing.Certificate.RawDataMemory], [Pki.Root.Crl(1, Start, Next), .. crls]);

    CertificateCheck With(TrustStore store, params OcspForge[] forged)
    {
        stapled.Add(forged.Select(f => f.Read(store)).ToArray());
        return new CertificateCheck(store, stapled);
    }

    CertificateVerdict At(CertificateCheck check, DateTimeOffset at) => check.Check(key.Certificate, Purpose.OfficeSigning, at);

    [Fact]
    public void An_answer_stands_in_for_a_CRL_that_is_missing_or_stale_until_its_own_end()
    {
        foreach (var store in new[] { Store(), Store(Pki.Issuing.Crl(1, Start, Now.AddHours(-1))) })
        {
            Assert.Equal(Refusal.RevocationUnknown, At(new CertificateCheck(store), Now).Refusal);
            var verdict = At(With(store, Good), Now);
            Assert.True(verdict.Good, verdict.Detail);
            Assert.Equal((Now.AddHours(4), Now), (verdict.ValidUntil, verdict.RevocationAsOf));
            Assert.Equal(Refusal.RevocationUnknown, At(With(store), Now.AddHours(4)).Refusal);
        }
    }

    [Fact]
    public void The_newer_of_the_two_is_believed_and_said_to_be()
    {
        var older = With(Store(Pki.Issuing.Crl(1, Now.AddHours(-2), Next)), Good with { ThisUpdate = Now.AddHours(-3) });
        Assert.Equal((Now.AddHours(-2), true), (At(older, Now).RevocationAsOf, At(older, Now).Good));
        var newer = With(Store(Pki.Issuing.Crl(1, Now.AddHours(-2), Next)), Good with { ThisUpdate = Now.AddHours(-1) });
        Assert.Equal((Now.AddHours(-1), Now.AddHours(4)), (At(newer, Now).RevocationAsOf, At(newer, Now).ValidUntil));
        // When the newer one has ended, the older one that has not speaks again.
        Assert.Equal(Now.AddHours(-2), At(newer, Now.AddHours(5)).RevocationAsOf);
        Assert.Equal(Refusal.RevocationUnknown, At(With(Store(Pki.Issuing.Crl(1, Now.AddHours(-2), Next)), Good with { Unknown = true }), Now).Refusal);
        Assert.Null(At(With(Store(Pki.Issuing.Crl(1, Now.AddHours(1), Next))), Now).Refusal);
    }

    [Fact]
    public void Revoked_in_either_is_revoked_whichever_is_newer_and_for_good()
    {
        var crl = Pki.Issuing.Crl(2, Now.AddHours(-2), Next, (key.ForTls, Now.AddHours(-2)));
        Assert.Equal(Refusal.CertificateRevoked, At(With(Store(crl), Good), Now).Refusal);
        var ocsp = With(Store(Pki.Issuing.Crl(1, Now.AddHours(1), Next)), Good with { Revoked = Now.AddHours(-1) });
        Assert.Equal(Refusal.CertificateRevoked, At(ocsp, Now).Refusal);
        Assert.Equal(Refusal.CertificateRevoked, At(ocsp, Now.AddDays(1)).Refusal);      // long after its nextUpdate
        Assert.True(At(ocsp, Now.AddHours(-2)).Good);
        Assert.Equal(Now.AddHours(-1), At(ocsp, Now.AddHours(-2)).ValidUntil);
        // A "good" of later takes nothing back.
        Assert.Equal(Refusal.CertificateRevoked, At(With(Store(Pki.Issuing.Crl(1, Start, Next)), Good with { ThisUpdate = Now.AddHours(2), NextUpdate = Now.AddDays(9) }), Now).Refusal);
    }

    [Theory, InlineData(-5, -2), InlineData(-2, -5)]
    public void Where_both_say_that_it_is_revoked_the_earlier_time_counts(int listed, int answered)
    {
        var check = With(Store(Pki.Issuing.Crl(2, Start, Next, (key.ForTls, Now.AddHours(listed)))), Good with { Revoked = Now.AddHours(answered) });
        Assert.Equal(Refusal.CertificateRevoked, At(check, Now.AddHours(-5)).Refusal);
        Assert.Null(At(check, Now.AddHours(-5).AddTicks(-1)).Refusal);
    }

    [Fact]
    public void The_invalidity_date_of_an_answer_counts_as_that_of_a_CRL()
    {
        var check = With(Store(Pki.Issuing.Crl(1, Start, Next)), Good with { Revoked = Now, Invalid = Now.AddHours(-5) });
        Assert.Equal(Refusal.CertificateRevoked, At(check, Now.AddHours(-5)).Refusal);
        Assert.True(At(check, Now.AddHours(-6)).Good);
    }

    [Fact]
    public void What_was_said_while_it_was_valid_answers_when_later_CRLs_are_silent()
    {
        var later = Store(Pki.Issuing.Crl(2, Now.AddDays(3), Next));      // after its end: it may have been taken off the list
        Assert.Equal(Refusal.RevocationUnknown, At(new CertificateCheck(later), Now).Refusal);
        Assert.True(At(With(later, Good with { ThisUpdate = Now.AddDays(1), NextUpdate = Now.AddDays(1.5) }), Now).Good);
    }

    [Fact]
    public void An_answer_of_after_its_end_says_nothing_unless_the_responder_knows_back_to_then()
    {
        var after = Good with { ThisUpdate = Now.AddDays(3), NextUpdate = Now.AddDays(4) };
        Assert.Equal(Refusal.RevocationUnknown, At(With(Store(), after, after with { Archive = Now.AddDays(2).AddSeconds(1) }), Now).Refusal);
        Assert.True(At(With(Store(), after with { Archive = Now.AddDays(2) }), Now).Good);
    }

    [Fact]
    public void A_verdict_that_was_good_does_not_outlive_an_answer_that_comes_later()
    {
        var store = Store(Pki.Issuing.Crl(1, Start, Next));
        var check = With(store);
        Assert.True(At(check, Now).Good);
        stapled.Add(Good.Read(store));
        Assert.Equal(Now, At(check, Now).RevocationAsOf);
        stapled.Add((Good with { Revoked = Now }).Read(store));
        Assert.Equal(Refusal.CertificateRevoked, At(check, Now).Refusal);
    }

    [Fact]
    public void A_revoked_CA_is_found_by_an_answer_of_the_CA_above_it()
    {
        var issuing = new Certificate(Pki.Issuing.Certificate.RawData);
        var check = With(Store(Pki.Issuing.Crl(1, Start, Next)), new OcspForge(Pki.Root, issuing) { Revoked = Now });
        Assert.Equal(Refusal.CertificateRevoked, At(check, Now).Refusal);
    }

    [Fact]
    public void Many_answers_about_one_certificate_take_no_more_room_than_a_few()
    {
        var store = Store();
        for (var i = 0; i < 20; i++) stapled.Add((Good with { ThisUpdate = Now.AddMinutes(i) }).Read(store), (Good with { Revoked = Now.AddDays(1).AddMinutes(-i), ThisUpdate = Now.AddMinutes(i) }).Read(store));
        var kept = stapled.Of(key.Certificate, new Certificate(Pki.Issuing.Certificate.RawData));
        Assert.Equal((5, Now.AddDays(1).AddMinutes(-19)), (kept.Count, kept.Select(a => a.RevokedFrom).Min()));
    }
}
