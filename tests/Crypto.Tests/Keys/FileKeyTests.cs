using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Office.Dev;
using Exchange.Office.Join;

namespace Exchange.Tests.Keys;

public sealed class FileKeyTests : IDisposable
{
    const string Pass = "một mật khẩu dài";
    static readonly TestPki Pki = TestPki.Shared;
    static readonly byte[] Data = [1, 2, 3];

    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("exchange-keys-");

    public void Dispose() => folder.Delete(recursive: true);

    string Save(byte[] pkcs12)
    {
        var path = Path.Combine(folder.FullName, $"{Directory.GetFiles(folder.FullName).Length}.p12");
        File.WriteAllBytes(path, pkcs12);
        return path;
    }

    static X509Certificate2 Issued(KeyUse use, int? rsaBits = null) => Pki.Issuing.Issue(KeyProfile.Subject("Test", "T", "key"), use, TestPki.LeafValidity, rsaBits);
    static byte[] Written(X509Certificate2 key, params X509Certificate2[] chain) => Pkcs12.Write(key, chain, Pass, iterations: 1000);
    static Refusal Refused(string path, string pass = Pass) => Assert.Throws<RefusedException>(() => FileKey.Load(path, pass)).Refusal;

    [Fact]
    public void A_signing_key_comes_back_from_its_file_with_certificate_and_chain_and_signs()
    {
        using var issued = Issued(KeyUse.Sign);
        using var ca = X509CertificateLoader.LoadCertificate(Pki.Issuing.Certificate.RawData);
        using var key = FileKey.Load(Save(Written(issued, ca)), Pass);
        Assert.Equal(issued.RawData, key.Certificate.Der.ToArray());
        Assert.Equal(ca.RawData, Assert.Single(key.Chain).RawData);
        using var check = issued.GetECDsaPublicKey()!;
        Assert.True(check.VerifyData(Data, key.Sign(Data), HashAlgorithmName.SHA384, DSASignatureFormat.Rfc3279DerSequence));
    }

    [Fact]
    public void The_key_usage_decides_what_a_key_does()
    {
        using var sign = FileKey.Of(Issued(KeyUse.Sign));
        using var encrypt = FileKey.Of(Issued(KeyUse.Encrypt));
        using var rsa = FileKey.Of(Issued(KeyUse.Encrypt, 3072));
        Assert.Throws<CryptographicException>(() => sign.Agree(Point(encrypt), Data));
        Assert.Throws<CryptographicException>(() => sign.Decrypt(new byte[384]));
        Assert.Throws<CryptographicException>(() => encrypt.Sign(Data));
        Assert.Throws<CryptographicException>(() => encrypt.Decrypt(new byte[384]));
        Assert.Throws<CryptographicException>(() => rsa.Agree(Point(encrypt), Data));
        Assert.Throws<CryptographicException>(() => rsa.Sign(Data));
    }

    [Fact]
    public void Agreement_is_the_X963_KDF_of_the_shared_point_and_refuses_points_off_the_curve()
    {
        using var key = FileKey.Of(Issued(KeyUse.Encrypt));
        using var peer = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP384);
        using var mine = key.ForTls.GetECDiffieHellmanPublicKey()!;
        using var minePublic = mine.PublicKey;
        byte[] z = peer.DeriveRawSecretAgreement(minePublic), point = PointOf(peer);
        Assert.Equal(SHA384.HashData([.. z, 0, 0, 0, 1, .. Data])[..32], key.Agree(point, Data));

        var off = (byte[])point.Clone();
        off[^1] ^= 1;
        foreach (var bad in new[] { off, point[..96], [.. point, 0], new byte[97], [(byte)(2 + (point[96] & 1)), .. point[1..49]], [] })
            Assert.ThrowsAny<CryptographicException>(() => key.Agree(bad, Data));
    }

    [Fact]
    public void Decryption_is_OAEP_with_SHA256_and_takes_only_whole_ciphertexts()
    {
        using var key = FileKey.Of(Issued(KeyUse.Encrypt, 3072));
        using var rsa = key.ForTls.GetRSAPublicKey()!;
        Assert.Equal(Data, key.Decrypt(rsa.Encrypt(Data, RSAEncryptionPadding.OaepSHA256)));
        foreach (var bad in new[] { rsa.Encrypt(Data, RSAEncryptionPadding.Pkcs1), rsa.Encrypt(Data, RSAEncryptionPadding.OaepSHA384), new byte[383], new byte[385], [] })
            Assert.ThrowsAny<CryptographicException>(() => key.Decrypt(bad));
    }

    [Fact]
    public void A_wrong_passphrase_and_a_damaged_file_are_one_refusal_and_a_missing_file_another()
    {
        using var issued = Issued(KeyUse.Sign);
        var bytes = Written(issued);
        Assert.Equal(Refusal.Passphrase, Refused(Save(bytes), "wrong"));
        Assert.Equal(Refusal.Passphrase, Refused(Save(bytes), ""));
        Assert.Equal(Refusal.Passphrase, Refused(Save(bytes[..^20])));
        Assert.Equal(Refusal.Passphrase, Refused(Save([])));
        Assert.Equal(Refusal.Profile, Refused(Path.Combine(folder.FullName, "none.p12")));
        var e = Assert.Throws<RefusedException>(() => FileKey.Load(Save(bytes), "geheim"));
        Assert.DoesNotContain("geheim", e.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_without_a_key_or_with_two_is_refused()
    {
        using X509Certificate2 a = Issued(KeyUse.Sign), b = Issued(KeyUse.Sign);
        var parameters = new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000);
        Assert.Equal(Refusal.Passphrase, Refused(Save(new X509Certificate2Collection { a, b }.ExportPkcs12(parameters, Pass))));
        using var bare = X509CertificateLoader.LoadCertificate(a.RawData);
        Assert.Equal(Refusal.Passphrase, Refused(Save(new X509Certificate2Collection { bare }.ExportPkcs12(parameters, Pass))));
        Assert.Throws<ArgumentException>(() => Written(bare));
    }

    [Fact]
    public void Keys_that_are_too_weak_or_of_another_curve_are_refused()
    {
        using var rsa = Issued(KeyUse.TlsClient, 2048);
        Assert.Equal(Refusal.CertificateAlgorithm, Refused(Save(Written(rsa))));
        using var p521 = ECDsa.Create(ECCurve.NamedCurves.nistP521);
        using var certificate = Pki.Issuing.Issue(KeyProfile.Subject("Test", "T", "p521"), KeyUse.Sign, TestPki.LeafValidity, p521);
        using var withKey = certificate.CopyWithPrivateKey(p521);
        Assert.Equal(Refusal.CertificateAlgorithm, Refused(Save(Written(withKey))));
    }

    [Fact]
    public void A_key_signs_with_the_digest_of_its_curve()
    {
        using var evidence = FileKey.Of(Issued(KeyUse.Evidence));
        using var check = evidence.ForTls.GetECDsaPublicKey()!;
        Assert.True(check.VerifyData(Data, evidence.Sign(Data), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
    }

    [Fact]
    public void One_key_serves_many_threads_and_nothing_once_it_is_disposed()
    {
        using var key = FileKey.Of(Issued(KeyUse.Sign));
        using var check = key.ForTls.GetECDsaPublicKey()!;
        var signatures = new byte[64][];
        Parallel.For(0, signatures.Length, i => signatures[i] = key.Sign([(byte)i]));
        for (var i = 0; i < signatures.Length; i++)
            Assert.True(check.VerifyData(new[] { (byte)i }, signatures[i], HashAlgorithmName.SHA384, DSASignatureFormat.Rfc3279DerSequence));
        key.Dispose();
        Assert.Throws<ObjectDisposedException>(() => key.Sign(Data));
    }

    [Fact]
    public void OpenSSL_reads_our_files_and_finds_PBES2_with_AES256_and_SHA256_in_them()
    {
        using var issued = Issued(KeyUse.Sign);
        var said = OpenSsl("pkcs12", "-info", "-noout", "-in", Save(Pkcs12.Write(issued, [], "p", 1000)), "-passin", "pass:p");
        Assert.Contains("MAC: sha256, Iteration 1000", said, StringComparison.Ordinal);
        Assert.Contains("Shrouded Keybag: PBES2, PBKDF2, AES-256-CBC, Iteration 1000, PRF hmacWithSHA256", said, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_OpenSSL_wrote_is_read()
    {
        using var issued = Issued(KeyUse.Sign);
        using var ec = issued.GetECDsaPrivateKey()!;
        var pem = Path.Combine(folder.FullName, "key.pem");
        File.WriteAllText(pem, issued.ExportCertificatePem() + "\n" + ec.ExportPkcs8PrivateKeyPem() + "\n");
        var path = Path.Combine(folder.FullName, "openssl.p12");
        OpenSsl("pkcs12", "-export", "-in", pem, "-out", path, "-passout", "pass:p");
        using var key = FileKey.Load(path, "p");
        Assert.Equal(issued.RawData, key.Certificate.Der.ToArray());
        Assert.NotEmpty(key.Sign(Data));
    }

    static byte[] Point(FileKey key)
    {
        using var ec = key.ForTls.GetECDiffieHellmanPublicKey()!;
        return PointOf(ec);
    }

    static byte[] PointOf(ECDiffieHellman key)
    {
        var q = key.ExportParameters(includePrivateParameters: false).Q;
        return [4, .. q.X!, .. q.Y!];
    }

    static string OpenSsl(params string[] arguments)
    {
        var start = new ProcessStartInfo("openssl", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var said = process.StandardError.ReadToEnd() + process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, said);
        return said;
    }
}
