using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Trust;
using Exchange.Office.Dev;
using Exchange.Office.Join;

namespace Exchange.Tests.Envelope;

public class AuthEnvelopedTests
{
    static readonly TestPki Pki = TestPki.Shared;
    static readonly FileKey Ec = Pki["H41"].Encrypt, Ec2 = Pki["H14"].Encrypt, Rsa = Pki["H37"].Encrypt;
    static readonly byte[] Ukm = SHA256.HashData("ctx"u8);

    static byte[] Seal(byte[] text, byte[] ukm, params Certificate[] recipients)
    {
        var cek = RandomNumberGenerator.GetBytes(32);
        return ManifestSealer.Encrypt(text, cek, RandomNumberGenerator.GetBytes(12), ManifestSealer.Wrap(cek, recipients, ukm)).Encode();
    }

    static byte[]? Open(byte[] der, FileKey key) => ManifestOpener.Decrypt(AuthEnveloped.Decode(der, 1000), key);

    static string Pem(FileKey key) => key.ForTls.ExportCertificatePem();
    static string PrivatePem(FileKey key) => ((AsymmetricAlgorithm?)key.ForTls.GetRSAPrivateKey() ?? key.ForTls.GetECDiffieHellmanPrivateKey())!.ExportPkcs8PrivateKeyPem();

    static OpenSsl WithKeys()
    {
        var openssl = new OpenSsl();
        openssl.Write("ec.pem", Pem(Ec));
        openssl.Write("ec.key", PrivatePem(Ec));
        openssl.Write("ec2.pem", Pem(Ec2));
        openssl.Write("ec2.key", PrivatePem(Ec2));
        openssl.Write("rsa.pem", Pem(Rsa));
        openssl.Write("rsa.key", PrivatePem(Rsa));
        return openssl;
    }

    [Fact]
    public void Every_recipient_opens_and_another_key_does_not()
    {
        var der = Seal([1, 2, 3], Ukm, Ec.Certificate, Rsa.Certificate, Ec2.Certificate);
        Assert.Equal([1, 2, 3], Open(der, Ec));
        Assert.Equal([1, 2, 3], Open(der, Ec2));
        Assert.Equal([1, 2, 3], Open(der, Rsa));
        Assert.Null(Open(der, Pki["G22"].Encrypt));
    }

    [Theory]
    [InlineData("ec")]
    [InlineData("ec2")]
    [InlineData("rsa")]
    public void OpenSSL_opens_what_we_seal_with_ukm(string recipient)
    {
        using var openssl = WithKeys();
        openssl.Write("m.der", Seal("Kính gửi"u8.ToArray(), Ukm, Ec.Certificate, Rsa.Certificate, Ec2.Certificate));
        openssl.Run($"cms -decrypt -inform DER -in m.der -recip {recipient}.pem -inkey {recipient}.key -out text");
        Assert.Equal("Kính gửi"u8, openssl.Read("text"));
    }

    [Fact]
    public void We_open_what_OpenSSL_seals_for_P384_and_RSA_together()
    {
        using var openssl = WithKeys();
        openssl.Write("text", "Kính gửi");
        openssl.Run("cms -encrypt -binary -aes-256-gcm -outform DER -in text -out m.der -recip ec.pem -keyopt ecdh_kdf_md:sha384 " +
            "-recip rsa.pem -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 -keyopt rsa_mgf1_md:sha256");
        var der = openssl.Read("m.der");
        Assert.Equal("Kính gửi"u8.ToArray(), Open(der, Ec));
        Assert.Equal("Kính gửi"u8.ToArray(), Open(der, Rsa));
        Assert.Null(AuthEnveloped.Decode(der, 10).Recipients.OfType<KeyAgreement>().Single().Ukm);
    }

    [Fact]
    public void We_open_what_OpenSSL_seals_for_one_key_alone()
    {
        using var openssl = WithKeys();
        openssl.Write("text", "a");
        openssl.Run("cms -encrypt -binary -aes-256-gcm -outform DER -in text -out ec.der -recip ec.pem -keyopt ecdh_kdf_md:sha384");
        openssl.Run("cms -encrypt -binary -aes-256-gcm -outform DER -in text -out rsa.der -recip rsa.pem -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 -keyopt rsa_mgf1_md:sha256");
        Assert.Equal("a"u8.ToArray(), Open(openssl.Read("ec.der"), Ec));
        Assert.Equal("a"u8.ToArray(), Open(openssl.Read("rsa.der"), Rsa));
    }

    public static TheoryData<string, string, string> Foreign => new()
    {
        { "SHA-1 KDF", "-aes-256-gcm -recip ec.pem", "E_ALGORITHM" },
        { "SHA-256 KDF", "-aes-256-gcm -recip ec.pem -keyopt ecdh_kdf_md:sha256", "E_ALGORITHM" },
        { "cofactor ECDH", "-aes-256-gcm -recip ec.pem -keyopt ecdh_kdf_md:sha384 -keyopt ecdh_cofactor_mode:1", "E_ALGORITHM" },
        { "PKCS1 v1.5", "-aes-256-gcm -recip rsa.pem", "E_ALGORITHM" },
        { "OAEP with SHA-1", "-aes-256-gcm -recip rsa.pem -keyopt rsa_padding_mode:oaep", "E_ALGORITHM" },
        { "OAEP with SHA-1 MGF", "-aes-256-gcm -recip rsa.pem -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 -keyopt rsa_mgf1_md:sha1", "E_ALGORITHM" },
        { "AES-128", "-aes-128-gcm -recip ec.pem -keyopt ecdh_kdf_md:sha384", "E_ALGORITHM" },
        { "CBC", "-aes-256-cbc -recip ec.pem -keyopt ecdh_kdf_md:sha384", "E_MANIFEST_FORM" },
        { "key identifier", "-aes-256-gcm -keyid -recip ec.pem -keyopt ecdh_kdf_md:sha384", "E_MANIFEST_FORM" },
        { "key identifier, RSA", "-aes-256-gcm -keyid -recip rsa.pem -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256", "E_MANIFEST_FORM" },
        { "shared secret key", "-aes-256-gcm -secretkey 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f -secretkeyid 01", "E_MANIFEST_FORM" },
        { "streamed BER", "-stream -aes-256-gcm -recip ec.pem -keyopt ecdh_kdf_md:sha384", "E_DER" },
    };

    [Theory]
    [MemberData(nameof(Foreign))]
    public void Anything_else_that_OpenSSL_writes_is_refused(string what, string options, string code)
    {
        using var openssl = WithKeys();
        openssl.Write("text", "a");
        openssl.Run($"cms -encrypt -binary -outform DER -in text -out m.der {options}");
        var refused = Assert.Throws<RefusedException>(() => AuthEnveloped.Decode(openssl.Read("m.der"), 1000));
        Assert.True(code == refused.Refusal.Code, $"{what}: {refused.Message}");
    }

    [Fact]
    public void One_more_recipient_than_allowed_is_refused()
    {
        var der = Seal([1], Ukm, Ec.Certificate, Rsa.Certificate, Ec2.Certificate);
        Assert.Equal(Refusal.Size, Assert.Throws<RefusedException>(() => AuthEnveloped.Decode(der, 2)).Refusal);
        AuthEnveloped.Decode(der, 3);
    }

    [Fact]
    public void Flipped_bytes_are_refused_or_do_not_open() => Flips(every: 7);

    [Fact, Trait("tier", "long")]
    public void Every_flipped_byte_is_refused_or_does_not_open() => Flips(every: 1);

    static void Flips(int every)
    {
        var der = Seal([1, 2, 3], Ukm, Ec.Certificate, Rsa.Certificate);
        for (var i = 0; i < der.Length; i += every)
        {
            var flipped = (byte[])der.Clone();
            flipped[i] ^= 0x01;
            AuthEnveloped value;
            try { value = AuthEnveloped.Decode(flipped, 1000); }
            catch (RefusedException) { continue; }
            // Each wrapped key has its own owner: a flip may spoil one and leave the other, but never give another text.
            byte[]? ec = ManifestOpener.Decrypt(value, Ec), rsa = ManifestOpener.Decrypt(value, Rsa);
            Assert.False(ec is not null && rsa is not null, $"byte {i}");
            Assert.All(new[] { ec, rsa }, t => Assert.True(t is null || t.AsSpan().SequenceEqual((byte[])[1, 2, 3])));
        }
    }

    [Fact]
    public void A_point_off_the_curve_never_reaches_the_private_key()
    {
        var manifest = AuthEnveloped.Decode(Seal([1], Ukm, Ec.Certificate), 10);
        var agreement = (KeyAgreement)manifest.Recipients.Single();
        foreach (var point in new[] { Flip(agreement.Point), new byte[97], [4, .. new byte[96]], agreement.Point[..96].ToArray(), [2, .. agreement.Point[1..49].ToArray()], [0] })
        {
            var spy = new SpyKey(Ec);
            Assert.Null(ManifestOpener.Decrypt(manifest with { Recipients = [agreement with { Point = point }] }, spy));
            Assert.Equal(0, spy.Uses);
        }

        static byte[] Flip(ReadOnlyMemory<byte> point)
        {
            var bytes = point.ToArray();
            bytes[^1] ^= 1;
            return bytes;
        }
    }

    [Fact]
    public void A_key_encrypted_to_RSA_with_another_length_does_not_open()
    {
        byte[] text = [1], cek = RandomNumberGenerator.GetBytes(32);
        using var rsa = RSA.Create();
        rsa.ImportSubjectPublicKeyInfo(Rsa.Certificate.PublicKeyInfo, out _);
        foreach (var wrapped in new[] { rsa.Encrypt(cek[..16], RSAEncryptionPadding.OaepSHA256), rsa.Encrypt(cek, RSAEncryptionPadding.OaepSHA1), new byte[384], [] })
        {
            var manifest = ManifestSealer.Encrypt(text, cek, new byte[12], [new KeyTransport(new RecipientKey(KeyWraps.Rid(Rsa.Certificate), wrapped))]);
            Assert.Null(ManifestOpener.Decrypt(manifest, Rsa));
        }
    }

    [Fact]
    public void Keys_that_no_suite_has_cannot_be_sealed_to()
    {
        var small = Pki.Issuing.Issue(KeyProfile.Subject("X", "X", "rsa"), KeyUse.Encrypt, TestPki.LeafValidity, 2048);
        using var p256 = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var other = Pki.Issuing.Issue(KeyProfile.Subject("X", "X", "p256"), KeyUse.Encrypt, TestPki.LeafValidity, p256);
        foreach (var certificate in new[] { small, other })
            Assert.Equal(Refusal.CertificateAlgorithm, Assert.Throws<RefusedException>(() => KeyWraps.For(new Certificate(certificate.RawData))).Refusal);
    }
}
