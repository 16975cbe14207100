using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Trust;
using Exchange.Office.Dev;

namespace Exchange.Tests.Trust;

public sealed class RevocationTests : IDisposable
{
    static readonly TestPki Pki = TestPki.Shared;
    static readonly DateTimeOffset Now = TestPki.Now, Start = TestPki.Start, Next = TestPki.NextUpdate;

    readonly FileKey key = Pki.Key("Test", "T", "x");

    public void Dispose() => key.Dispose();

    static TrustStore Store(params ReadOnlyMemory<byte>[] crls) =>
        TrustStore.Create([Pki.Root.Certificate.RawDataMemory], [Pki.Issuing.Certificate.RawDataMemory], crls);

    static byte[] RootCrl(int number = 1) => Pki.Root.Crl(number, Start, Next);
    (X509Certificate2, DateTimeOffset) Revoked(DateTimeOffset from) => (key.ForTls, from);

    Refusal? At(TrustStore store, DateTimeOffset at) => new CertificateCheck(store).Check(key.Certificate, Purpose.OfficeSigning, at).Refusal;

    [Fact]
    public void Without_the_CRL_of_any_CA_in_the_path_revocation_is_unknown()
    {
        Assert.Equal(Refusal.RevocationUnknown, At(Store(), Now));
        Assert.Equal(Refusal.RevocationUnknown, At(Store(RootCrl()), Now));
        Assert.Equal(Refusal.RevocationUnknown, At(Store(Pki.Issuing.Crl(1, Start, Next)), Now));
        Assert.Null(At(Store(RootCrl(), Pki.Issuing.Crl(1, Start, Next)), Now));
    }

    [Fact]
    public void A_stale_CRL_says_nothing()
    {
        var store = Store(RootCrl(), Pki.Issuing.Crl(1, Start, Now.AddHours(1)));
        Assert.Null(At(store, Now.AddHours(1).AddTicks(-1)));
        Assert.Equal(Refusal.RevocationUnknown, At(store, Now.AddHours(1)));
        var staleRoot = Store(Pki.Root.Crl(1, Start, Now.AddHours(1)), Pki.Issuing.Crl(1, Start, Next));
        Assert.Equal(Refusal.RevocationUnknown, At(staleRoot, Now.AddHours(1)));
    }

    [Fact]
    public void A_revoked_certificate_is_refused_from_its_revocation_on_and_good_before()
    {
        var store = Store(RootCrl(), Pki.Issuing.Crl(2, Now, Next, Revoked(Now)));
        Assert.Equal(Refusal.CertificateRevoked, At(store, Now));
        Assert.Equal(Refusal.CertificateRevoked, At(store, Now.AddDays(9)));
        var check = new CertificateCheck(store);
        var before = check.Check(key.Certificate, Purpose.OfficeSigning, Now.AddHours(-1));
        Assert.True(before.Good);
        Assert.Equal(Now, before.ValidUntil);
        Assert.Equal(Refusal.CertificateRevoked, check.Check(key.Certificate, Purpose.OfficeSigning, Now).Refusal);
    }

    [Fact]
    public void A_revoked_issuing_CA_takes_all_its_certificates_along()
    {
        var store = Store(Pki.Root.Crl(2, Start, Next, (Pki.Issuing.Certificate, Now)), Pki.Issuing.Crl(1, Start, Next));
        Assert.Equal(Refusal.CertificateRevoked, At(store, Now));
    }

    [Fact]
    public void An_older_or_equal_number_never_replaces_the_CRL_in_use()
    {
        var revoking = Pki.Issuing.Crl(7, Start, Next, Revoked(Start));
        var older = Pki.Issuing.Crl(6, Start.AddDays(1), Next);
        var same = Pki.Issuing.Crl(7, Start.AddDays(1), Next);
        var store = Store(RootCrl(), revoking);
        foreach (var replay in new[] { older, same })
        {
            var after = store.WithCrls([replay]);
            Assert.Equal(store.Id, after.Id);
            Assert.Equal(Refusal.CertificateRevoked, At(after, Now));
        }
        Assert.Equal(Refusal.CertificateRevoked, At(Store(older, RootCrl(), revoking), Now));
        Assert.Equal(Refusal.CertificateRevoked, At(Store(revoking, RootCrl(), older), Now));
        var newer = store.WithCrls([Pki.Issuing.Crl(8, Start, Next)]);
        Assert.NotEqual(store.Id, newer.Id);
        Assert.Null(At(newer, Now));
    }

    [Fact]
    public void A_newer_CRL_answers_for_the_past_but_not_about_certificates_that_had_expired_before_it()
    {
        using var brief = Pki.Key("Test", "T", "brief", validity: new(Start, Now));
        var check = new CertificateCheck(Store(RootCrl(), Pki.Issuing.Crl(2, Now.AddDays(1), Next)));
        Assert.True(check.Check(key.Certificate, Purpose.OfficeSigning, Now).Good);
        Assert.Equal(Refusal.RevocationUnknown, check.Check(brief.Certificate, Purpose.OfficeSigning, Now.AddHours(-1)).Refusal);
    }

    [Fact]
    public void CRLs_that_do_not_verify_under_a_CA_of_the_store_are_refused()
    {
        using var root = DevAuthority.Root("Test root", TestPki.AuthorityValidity);
        using var issuing = root.Subordinate("Test issuing CA", TestPki.AuthorityValidity);
        using var other = root.Subordinate("Other CA", TestPki.AuthorityValidity);
        Assert.Equal(Refusal.Signature, Refused(issuing.Crl(9, Start, Next)));
        Assert.Equal(Refusal.CertificateUntrusted, Refused(other.Crl(9, Start, Next)));
        var good = Pki.Issuing.Crl(9, Start, Next);
        Assert.Equal(Refusal.Der, Refused([.. good, 0]));
        Assert.Equal(Refusal.Der, Refused(good[..^1]));
        good[^1] ^= 1;
        Assert.Equal(Refusal.Signature, Refused(good));
        Assert.Equal(Refusal.Der, Refused([]));
        static Refusal Refused(byte[] crl) => Assert.Throws<RefusedException>(() => Store(RootCrl()).WithCrls([crl])).Refusal;
    }

    [Fact]
    public void A_CRL_that_is_not_understood_or_unnumbered_endless_or_by_SHA1_is_refused()
    {
        Assert.Equal(Refusal.RevocationUnknown, Refused(CrlForm.Critical));
        Assert.Equal(Refusal.RevocationUnknown, Refused(CrlForm.NoNumber));
        Assert.Equal(Refusal.RevocationUnknown, Refused(CrlForm.NoNextUpdate));
        Assert.Equal(Refusal.CertificateAlgorithm, Refused(CrlForm.Sha1));
        Assert.NotEmpty(Store(RootCrl(), OddCrl.Make(Pki.Issuing, CrlForm.Plain)).Crls);
        static Refusal Refused(CrlForm form) => Assert.Throws<RefusedException>(() => Store(OddCrl.Make(Pki.Issuing, form))).Refusal;
    }

    [Fact]
    public void The_invalidity_date_counts_where_it_is_earlier_than_the_revocation()
    {
        var store = Store(RootCrl(), OddCrl.Make(Pki.Issuing, CrlForm.Invalidity, key.ForTls, revoked: Now, invalid: Now.AddHours(-2)));
        Assert.Equal(Refusal.CertificateRevoked, At(store, Now.AddHours(-1)));
        Assert.Null(At(store, Now.AddHours(-3)));
    }
}
