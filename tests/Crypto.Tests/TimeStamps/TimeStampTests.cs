using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.TimeStamps;
using Exchange.Crypto.Trust;
using Exchange.Office.Dev;
using Exchange.Office.Join;

namespace Exchange.Tests.TimeStamps;

/// <summary>An answer of a time-stamp authority, and everything that can be wrong with one.</summary>
public sealed class TimeStampTests
{
    const string Other = "1.3.6.1.4.1.99999.1";
    static readonly TestPki Pki = TestPki.Shared;
    static readonly DateTimeOffset Now = TestPki.Now;
    static readonly Digest Imprint = Digest.Of("signature"u8);
    static readonly FileKey Key = Pki.Key("TSA", "TSA", "tsa", KeyUse.TimeStamp);

    static RefusedException Refused(Action act) => Assert.Throws<RefusedException>(act);

    static ReadOnlyMemory<byte> Ask(DevTimeStamps authority, string? policy = null, CertificateCheck? trust = null, Func<byte[], byte[]>? changed = null, DateTimeOffset? at = null)
    {
        var query = new TimeStampQuery(Imprint, policy);
        var answer = authority.Answer(query.Der, at ?? Now);
        return query.Read(changed?.Invoke(answer) ?? answer, trust ?? Pki.Check, Now);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void A_token_says_what_it_is_about_when_it_was_made_and_by_whom(bool p384)
    {
        var key = p384 ? Usual(r => { }) : Key;
        var token = Ask(new DevTimeStamps(key) { AccuracySeconds = 2 }, policy: Other);
        var held = TimeStampCheck.Run(token, [Digest.Of("another"u8), Imprint], Pki.Check);
        Assert.Equal((Imprint, Now, TimeSpan.FromSeconds(2), Other, key.Certificate), (held.Imprint, held.Time, held.Accuracy, held.Policy, held.Authority));
    }

    [Fact]
    public void Each_question_has_a_nonce_of_its_own() => Assert.NotEqual(DevStampQuery.Read(new TimeStampQuery(Imprint, null).Der).Nonce, DevStampQuery.Read(new TimeStampQuery(Imprint, null).Der).Nonce);

    /// <summary>A P-384 certificate like those of other uses, spoiled before it is signed.</summary>
    static FileKey Usual(Action<CertificateRequest> spoil, Validity? validity = null)
    {
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP384);
        var request = Pki.Issuing.Request(KeyProfile.Subject("TSA", "TSA", "spoiled"), KeyUse.TimeStamp, key);
        spoil(request);
        return FileKey.Of(Pki.Issuing.Sign(request, validity ?? TestPki.LeafValidity).CopyWithPrivateKey(key));
    }

    static FileKey WithUsages(bool critical, params string[] oids) => Usual(r =>
    {
        r.CertificateExtensions.Remove(r.CertificateExtensions.OfType<X509EnhancedKeyUsageExtension>().Single());
        if (oids.Length > 0) r.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. oids.Select(o => new System.Security.Cryptography.Oid(o))], critical));
    });

    public static TheoryData<string, string, string> Lies() => new()
    {
        { "another imprint", "E_TIMESTAMP", "imprint" },
        { "an imprint by SHA-384", "E_TIMESTAMP", "imprint algorithm" },
        { "an imprint that is too short", "E_TIMESTAMP", "imprint" },
        { "another nonce", "E_TIMESTAMP", "nonce" },
        { "no nonce", "E_TIMESTAMP", "nonce" },
        { "another policy", "E_TIMESTAMP", "policy" },
        { "status: rejected", "E_TIMESTAMP", "status 2" },
        { "status: granted with modifications", "E_TIMESTAMP", "status 1" },
        { "an hour ago", "E_TIMESTAMP", "time" },
        { "in an hour", "E_TIMESTAMP", "time" },
        { "accurate to an hour", "E_TIMESTAMP", "accuracy" },
        { "accurate to less than nothing", "E_TIMESTAMP", "accuracy" },
        { "another version", "E_TIMESTAMP", "version" },
        { "a critical extension", "E_TIMESTAMP", "critical extension" },
        { "two signers", "E_TIMESTAMP", "signers" },
        { "the hash of another certificate", "E_TIMESTAMP", "certificate" },
        { "a byte behind the answer", "E_TIMESTAMP", "bytes behind the answer" },
        { "a changed signature", "E_TIMESTAMP", "signature" },
        { "64 KiB and a byte", "E_SIZE", "answer" },
        { "no answer", "E_TIMESTAMP", "form of the answer" },
        { "usage not critical", "E_CERTIFICATE_PURPOSE", "" },
        { "usage with others", "E_CERTIFICATE_PURPOSE", "" },
        { "another usage", "E_CERTIFICATE_PURPOSE", "" },
        { "no usage", "E_CERTIFICATE_PURPOSE", "" },
        { "an office's signing key", "E_CERTIFICATE_PURPOSE", "" },
        { "an expired certificate", "E_CERTIFICATE_TIME", "" },
        { "a revoked certificate", "E_CERTIFICATE_REVOKED", "" },
        { "a certificate of nobody's", "E_CERTIFICATE_UNTRUSTED", "" },
    };

    [Theory, MemberData(nameof(Lies))]
    public void An_answer_that_lies_is_refused_and_the_fault_named(string lie, string code, string fault)
    {
        var (authority, trust, policy) = (new DevTimeStamps(Key), Pki.Check, (string?)null);
        Func<byte[], byte[]> changed = a => a;
        var at = Now;
        switch (lie)
        {
            case "another imprint": authority = new(Key) { Heard = q => q with { Imprint = Digest.Of("another"u8).ToArray() } }; break;
            case "an imprint by SHA-384": authority = new(Key) { Heard = q => q with { Algorithm = "2.16.840.1.101.3.4.2.2" } }; break;
            case "an imprint that is too short": authority = new(Key) { Heard = q => q with { Imprint = q.Imprint[..31] } }; break;
            case "another nonce": authority = new(Key) { Heard = q => q with { Nonce = q.Nonce + 1 } }; break;
            case "no nonce": authority = new(Key) { Heard = q => q with { Nonce = null } }; break;
            case "another policy": (authority, policy) = (new(Key) { Heard = q => q with { Policy = null } }, Other); break;
            case "status: rejected": authority = new(Key) { Status = 2 }; break;
            case "status: granted with modifications": authority = new(Key) { Status = 1 }; break;
            case "an hour ago": at = Now.AddHours(-1); break;
            case "in an hour": at = Now.AddHours(1); break;
            case "accurate to an hour": authority = new(Key) { AccuracySeconds = 3600 }; break;
            case "accurate to less than nothing": authority = new(Key) { AccuracySeconds = -1 }; break;
            case "another version": authority = new(Key) { Version = 2 }; break;
            case "a critical extension": authority = new(Key) { CriticalExtension = true }; break;
            case "two signers": authority = new(Key) { Signers = [Key, Pki.Key("TSA", "TSA", "second", KeyUse.TimeStamp)] }; break;
            case "the hash of another certificate": authority = new(Key) { EssHash = _ => Digest.Of("x"u8).ToArray() }; break;
            case "a byte behind the answer": changed = a => [.. a, 0]; break;
            case "a changed signature": changed = a => { a[^20] ^= 1; return a; }; break;
            case "64 KiB and a byte": changed = _ => new byte[TimeStampQuery.MaxReply + 1]; break;
            case "no answer": changed = _ => "<html>"u8.ToArray(); break;
            case "usage not critical": authority = new(WithUsages(critical: false, "1.3.6.1.5.5.7.3.8")); break;
            case "usage with others": authority = new(WithUsages(critical: true, "1.3.6.1.5.5.7.3.8", "1.3.6.1.5.5.7.3.4")); break;
            case "another usage": authority = new(WithUsages(critical: true, "1.3.6.1.5.5.7.3.4")); break;
            case "no usage": authority = new(WithUsages(critical: true)); break;
            case "an office's signing key": authority = new(Pki["H41"].Sign); break;
            case "an expired certificate": authority = new(Pki.Key("TSA", "TSA", "old", KeyUse.TimeStamp, validity: new(TestPki.Start, Now.AddHours(-1)))); break;
            case "a revoked certificate":
                var certificate = Pki.Issuing.Issue(KeyProfile.Subject("TSA", "TSA", "gone"), KeyUse.TimeStamp, TestPki.LeafValidity);
                authority = new(FileKey.Of(certificate));
                trust = new CertificateCheck(Pki.Trust.WithCrls([Pki.Issuing.Crl(2, TestPki.Start, TestPki.NextUpdate, (certificate, Now.AddHours(-1)))]));
                break;
            case "a certificate of nobody's":
                using (var stranger = DevAuthority.Root("Test root", TestPki.AuthorityValidity)) authority = new(FileKey.Of(stranger.Issue(KeyProfile.Subject("TSA", "TSA", "tsa"), KeyUse.TimeStamp, TestPki.LeafValidity)));
                break;
        }
        var refused = Refused(() => Ask(authority, policy, trust, changed, at));
        Assert.Equal(code, refused.Refusal.Code);
        if (fault.Length > 0) Assert.Equal(fault, refused.Detail);
    }

    [Fact]
    public void A_token_of_another_signature_is_refused_and_so_is_one_with_bytes_behind_it()
    {
        var token = Ask(new DevTimeStamps(Key)).ToArray();
        Assert.Equal("imprint", Refused(() => TimeStampCheck.Run(token, [Digest.Of("another"u8)], Pki.Check)).Detail);
        Assert.Equal("bytes behind it", Refused(() => TimeStampCheck.Run((byte[])[.. token, 0], [Imprint], Pki.Check)).Detail);
    }

    [Fact]
    public void No_byte_of_a_token_can_be_changed_without_being_seen()
    {
        var token = Ask(new DevTimeStamps(Key)).ToArray();
        for (var i = 0; i < token.Length; i++)
        {
            var changed = token.ToArray();
            changed[i] ^= 0x01;
            try { TimeStampCheck.Run(changed, [Imprint], Pki.Check); }
            catch (RefusedException) { continue; }
            Assert.Fail($"byte {i} of {token.Length}");
        }
    }

    [Fact]
    public void What_is_nested_deeper_than_any_token_or_larger_is_not_read()
    {
        byte[] deep = [];
        while (deep.Length < 2000) deep = [0x30, .. Length(deep.Length), .. deep];
        Assert.Equal("nesting", Refused(() => TimeStampCheck.Run(deep, [Imprint], Pki.Check)).Detail);
        Assert.Equal(Refusal.Size, Refused(() => TimeStampCheck.Run(new byte[TimeStampCheck.MaxLength + 1], [Imprint], Pki.Check)).Refusal);

        static byte[] Length(int n) => n < 128 ? [(byte)n] : n < 256 ? [0x81, (byte)n] : [0x82, (byte)(n >> 8), (byte)n];
    }

    // The certificate ended, the token stands: it is asked about the time that it names.
    [Fact]
    public void A_token_outlives_the_certificate_that_made_it()
    {
        var ending = Pki.Key("TSA", "TSA", "ending", KeyUse.TimeStamp, validity: new(TestPki.Start, Now.AddMinutes(1)));
        var token = Ask(new DevTimeStamps(ending));
        Assert.Equal(Now, TimeStampCheck.Run(token, [Imprint], new CertificateCheck(Pki.Trust)).Time);
        Assert.Equal(Refusal.CertificateTime, Pki.Check.Check(ending.Certificate, Purpose.TimeStamping, Now.AddDays(1)).Refusal);
    }
}
