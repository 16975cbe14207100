using Exchange.Crypto;
using Exchange.Crypto.Trust;
using Exchange.Office.Dev;

namespace Exchange.Tests.Trust;

/// <summary>A verdict that was kept must be the verdict that a fresh check would give, at every time and in any order of asking.</summary>
public sealed class VerdictCacheTests
{
    static readonly TestPki Pki = TestPki.Shared;
    static readonly DateTimeOffset Now = TestPki.Now;

    [Fact]
    public void A_kept_verdict_does_not_precede_notBefore_nor_outlive_notAfter()
    {
        using var key = Pki.Key("Test", "T", "x", validity: new(Now, Now.AddHours(1)));
        var check = new CertificateCheck(Pki.Trust);
        var first = check.Check(key.Certificate, Purpose.OfficeSigning, Now.AddMinutes(30));
        Assert.True(first.Good);
        Assert.Equal(Now.AddHours(1).AddTicks(1), first.ValidUntil);
        Assert.Same(first, check.Check(key.Certificate, Purpose.OfficeSigning, Now));
        Assert.Same(first, check.Check(key.Certificate, Purpose.OfficeSigning, Now.AddHours(1)));
        Assert.Equal(Refusal.CertificateTime, check.Check(key.Certificate, Purpose.OfficeSigning, Now.AddTicks(-1)).Refusal);
        Assert.Equal(Refusal.CertificateTime, check.Check(key.Certificate, Purpose.OfficeSigning, Now.AddHours(1).AddTicks(1)).Refusal);
    }

    [Fact]
    public void A_kept_verdict_does_not_outlive_the_first_CRL_to_go_stale()
    {
        var store = TrustStore.Create([Pki.Root.Certificate.RawDataMemory], [Pki.Issuing.Certificate.RawDataMemory],
            [Pki.Root.Crl(1, TestPki.Start, Now.AddMinutes(5)), Pki.Issuing.Crl(1, TestPki.Start, Now.AddMinutes(10))]);
        var check = new CertificateCheck(store);
        var certificate = Pki["H41"].Sign.Certificate;
        var first = check.Check(certificate, Purpose.OfficeSigning, Now);
        Assert.Equal(Now.AddMinutes(5), first.ValidUntil);
        Assert.Same(first, check.Check(certificate, Purpose.OfficeSigning, Now.AddMinutes(5).AddTicks(-1)));
        Assert.Equal(Refusal.RevocationUnknown, check.Check(certificate, Purpose.OfficeSigning, Now.AddMinutes(5)).Refusal);
    }

    [Fact]
    public void A_verdict_for_one_purpose_is_none_for_another()
    {
        var check = new CertificateCheck(Pki.Trust);
        var certificate = Pki["H41"].Tls.Certificate;
        Assert.True(check.Check(certificate, Purpose.TlsClient, Now).Good);
        Assert.Equal(Refusal.CertificatePurpose, check.Check(certificate, Purpose.TlsServer, Now).Refusal);
        Assert.True(check.Check(certificate, Purpose.TlsClient, Now).Good);
    }

    [Fact]
    public void A_bad_verdict_is_not_kept()
    {
        using var key = Pki.Key("Test", "T", "x", validity: new(Now, Now.AddHours(1)));
        var check = new CertificateCheck(Pki.Trust);
        Assert.False(check.Check(key.Certificate, Purpose.OfficeSigning, Now.AddHours(-1)).Good);
        Assert.True(check.Check(key.Certificate, Purpose.OfficeSigning, Now).Good);
    }

    [Fact]
    public void Demand_throws_what_Check_says()
    {
        var check = new CertificateCheck(Pki.Trust);
        check.Demand(Pki["H41"].Sign.Certificate, Purpose.OfficeSigning, Now);
        var e = Assert.Throws<RefusedException>(() => check.Demand(Pki["H41"].Sign.Certificate, Purpose.TlsClient, Now));
        Assert.Equal(Refusal.CertificatePurpose, e.Refusal);
    }
}
