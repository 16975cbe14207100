using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Math;

namespace Exchange.Tests.Envelope;

/// <summary>C2SP wycheproof through our own functions: valid gives the exact output, invalid is refused. Cases outside the profile are counted, so that none is lost unseen.</summary>
public class WycheproofTests
{
    static IEnumerable<(JsonElement Group, JsonElement Test)> Cases(string file)
    {
        var document = JsonDocument.Parse(File.ReadAllBytes(Vectors.Path($"wycheproof/{file}_test.json")));
        foreach (var group in document.RootElement.GetProperty("testGroups").EnumerateArray())
            foreach (var test in group.GetProperty("tests").EnumerateArray())
                yield return (group, test);
    }

    static byte[] Hex(JsonElement element, string name) => Convert.FromHexString(element.GetProperty(name).GetString()!);
    static string Result(JsonElement test) => test.GetProperty("result").GetString()!;
    static string Name(JsonElement test) => $"tcId {test.GetProperty("tcId").GetInt32()}: {test.GetProperty("comment").GetString()}";

    [Fact]
    public void AES_GCM_with_a_nonce_of_12_bytes_and_a_tag_of_16()
    {
        var ran = 0;
        foreach (var (group, test) in Cases("aes_gcm"))
        {
            byte[] key = Hex(test, "key"), nonce = Hex(test, "iv"), text = Hex(test, "msg"), ciphertext = Hex(test, "ct"), tag = Hex(test, "tag");
            // The format has 256-bit keys and no associated data.
            if (nonce.Length != 12 || tag.Length != 16 || key.Length != 32 || Hex(test, "aad").Length > 0) continue;
            ran++;
            var opened = ManifestOpener.Decrypt(new AuthEnveloped([], nonce, ciphertext, tag), key);
            if (Result(test) == "valid")
            {
                var sealed_ = ManifestSealer.Encrypt(text, key, nonce, []);
                Assert.Equal(ciphertext, sealed_.Ciphertext.ToArray());
                Assert.Equal(tag, sealed_.Tag.ToArray());
                Assert.Equal(text, opened);
            }
            else Assert.True(opened is null, Name(test));
        }
        Assert.Equal(48, ran);
    }

    [Fact]
    public void AES_key_wrap()
    {
        var ran = 0;
        foreach (var (_, test) in Cases("aes_wrap"))
        {
            byte[] kek = Hex(test, "key"), key = Hex(test, "msg"), wrapped = Hex(test, "ct");
            ran++;
            var unwrapped = AesKeyWrap.Unwrap(kek, wrapped);
            if (Result(test) == "valid")
            {
                Assert.Equal(wrapped, AesKeyWrap.Wrap(kek, key));
                Assert.Equal(key, unwrapped);
            }
            else Assert.True(unwrapped is null, Name(test));
        }
        Assert.Equal(165, ran);
    }

    [Fact]
    public void ECDH_P384_with_the_ephemeral_and_with_the_long_term_key()
    {
        int valid = 0, refused = 0;
        byte[] info = EcdhKeyWrap.SharedInfo([1, 2, 3]), expected = new byte[32];
        foreach (var (_, test) in Cases("ecdh_secp384r1"))
        {
            var shared = Hex(test, "shared");
            var scalar = new BigInteger(1, Hex(test, "private"));
            if (Ecdsa.P384.PublicKey(Hex(test, "public")) is not { } peer)
            {
                // Compressed points and unnamed curves ("acceptable") are not in the profile.
                Assert.True(Result(test) != "valid", Name(test));
                refused++;
                continue;
            }
            Assert.True(Result(test) == "valid", Name(test));
            valid++;
            Assert.Equal(shared, EcdhKeyWrap.SharedSecret(new ECPrivateKeyParameters(scalar, Ecdsa.P384.Domain), peer));
            // Long-term keys cost a certificate each: one in sixteen.
            if (valid % 16 != 0) continue;
            EcdhKeyWrap.X963Kdf(shared, info, expected);
            using var key = LongTerm(scalar);
            Assert.Equal(expected, key.Agree(peer.Q.GetEncoded(false), info));
        }
        Assert.Equal(1047, valid + refused);
        Assert.InRange(valid, 700, 1000);
    }

    static FileKey LongTerm(BigInteger scalar)
    {
        var q = Ecdsa.P384.Domain.G.Multiply(scalar).Normalize();
        using var ecdsa = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP384, D = Padded(scalar), Q = new ECPoint { X = q.AffineXCoord.GetEncoded(), Y = q.AffineYCoord.GetEncoded() },
        });
        return FileKey.Of(new CertificateRequest("CN=x", ecdsa, HashAlgorithmName.SHA384).CreateSelfSigned(TestPki.Start, TestPki.Now));

        static byte[] Padded(BigInteger value)
        {
            var bytes = value.ToByteArrayUnsigned();
            return [.. new byte[48 - bytes.Length], .. bytes];
        }
    }

    [Fact]
    public void ECDSA_P384_with_SHA384()
    {
        var (ran, met) = (0, new Dictionary<string, ECPublicKeyParameters>());
        foreach (var (group, test) in Cases("ecdsa_secp384r1_sha384"))
        {
            ran++;
            var (der, message, signature) = (Hex(group, "publicKeyDer"), Hex(test, "msg"), Hex(test, "sig"));
            Assert.True(Ecdsa.P384.Verify(Ecdsa.P384.PublicKey(der)!, message, signature) == (Result(test) == "valid"), Name(test));
            // A key that was used a few times is verified with in another way, by tables that are kept with it.
            if (!met.TryGetValue(Convert.ToHexString(der), out var key))
            {
                met[Convert.ToHexString(der)] = key = Ecdsa.P384.PublicKey(der)!;
                for (var i = 0; i < 5; i++) Ecdsa.P384.Verify(key, message, signature);
            }
            Assert.True(Ecdsa.P384.Verify(key, message, signature) == (Result(test) == "valid"), Name(test));
        }
        Assert.Equal(504, ran);
    }

    [Fact]
    public void HKDF_SHA256_without_salt()
    {
        var ran = 0;
        foreach (var (_, test) in Cases("hkdf_sha256"))
        {
            if (Hex(test, "salt").Length > 0) continue;
            ran++;
            var output = new byte[test.GetProperty("size").GetInt32()];
            if (Result(test) == "valid")
            {
                KeySchedule.Derive(Hex(test, "ikm"), Hex(test, "info"), output);
                Assert.Equal(Hex(test, "okm"), output);
            }
            else Assert.Throws<ArgumentOutOfRangeException>(() => KeySchedule.Derive(Hex(test, "ikm"), Hex(test, "info"), output));
        }
        Assert.InRange(ran, 10, 86);
    }

    [Fact]
    public void RSA_OAEP_with_the_empty_label()
    {
        var ran = 0;
        FileKey? key = null;
        foreach (var (group, test) in Cases("rsa_oaep_3072_sha256_mgf1sha256"))
        {
            if (key is null)
            {
                using var rsa = RSA.Create();
                rsa.ImportPkcs8PrivateKey(Hex(group, "privateKeyPkcs8"), out _);
                key = FileKey.Of(new CertificateRequest("CN=x", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(TestPki.Start, TestPki.Now));
            }
            if (Hex(test, "label").Length > 0) continue;
            ran++;
            if (Result(test) == "valid") Assert.Equal(Hex(test, "msg"), key.Decrypt(Hex(test, "ct")));
            else Assert.ThrowsAny<CryptographicException>(() => key.Decrypt(Hex(test, "ct")));
        }
        key?.Dispose();
        Assert.InRange(ran, 20, 37);
    }
}
