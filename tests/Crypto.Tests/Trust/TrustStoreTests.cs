using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Trust;
using Exchange.Office.Dev;

namespace Exchange.Tests.Trust;

public sealed class TrustStoreTests : IDisposable
{
    static readonly TestPki Pki = TestPki.Shared;
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("exchange-trust-");

    public void Dispose() => folder.Delete(recursive: true);

    void Write(string path, byte[] bytes)
    {
        var file = Path.Combine(folder.FullName, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, bytes);
    }

    void WritePem(string path, string pem) => Write(path, System.Text.Encoding.ASCII.GetBytes(pem));

    [Fact]
    public void A_folder_of_PEM_and_DER_files_is_the_same_store_as_its_contents()
    {
        WritePem("roots/root.pem", Pki.Root.Certificate.ExportCertificatePem());
        Write("intermediates/issuing.crt", Pki.Issuing.Certificate.RawData);
        Write("crls/root.crl", Pki.Trust.Crls[0].ToArray());
        WritePem("crls/issuing.pem", "text before\n" + System.Security.Cryptography.PemEncoding.WriteString("X509 CRL", Pki.Trust.Crls[1].Span));
        Write("crls/notes.txt", [1]);
        var store = TrustStore.Load(folder.FullName);
        Assert.Equal(Pki.Trust.Id, store.Id);
        Assert.Equal(2, store.Crls.Count);
        Assert.True(new CertificateCheck(store).Check(Pki["H41"].Sign.Certificate, Purpose.OfficeSigning, TestPki.Now).Good);
    }

    [Fact]
    public void A_missing_folder_or_a_file_of_another_kind_is_named()
    {
        Assert.Equal(Refusal.Profile, Refused().Refusal);
        WritePem("roots/root.pem", Pki.Root.Certificate.ExportCertificatePem());
        Write("intermediates/x.pem", [65, 66]);
        Directory.CreateDirectory(Path.Combine(folder.FullName, "crls"));
        Assert.Contains("intermediates/x.pem", Refused().Detail, StringComparison.Ordinal);
        WritePem("intermediates/x.pem", System.Security.Cryptography.PemEncoding.WriteString("PRIVATE KEY", [1, 2, 3]));
        Assert.Contains("PRIVATE KEY", Refused().Detail, StringComparison.Ordinal);
        RefusedException Refused() => Assert.Throws<RefusedException>(() => TrustStore.Load(folder.FullName));
    }

    [Fact]
    public void Only_CAs_with_an_allowed_key_are_taken_and_at_least_one_root()
    {
        Assert.Equal(Refusal.CertificateUntrusted, Refused([]));
        Assert.Equal(Refusal.CertificateUntrusted, Refused([Pki["H41"].Sign.Certificate.Der]));
        Assert.Equal(Refusal.Der, Refused([new byte[] { 0x30, 0 }]));
        static Refusal Refused(ReadOnlyMemory<byte>[] roots) => Assert.Throws<RefusedException>(() => TrustStore.Create(roots, [], [])).Refusal;
    }

    [Fact]
    public void What_stands_in_a_store_may_do_what_it_stands_there_for()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var name = new X500DistinguishedName("CN=Odd,C=VN").RawData;
        ReadOnlyMemory<byte> Of(bool authority, X509KeyUsageFlags usage) =>
            new OddCertificate { Subject = name, Key = key.ExportSubjectPublicKeyInfo(), Validity = TestPki.AuthorityValidity, Extensions = [.. authority ? [OddCertificate.Authority()] : Array.Empty<X509Extension>(), OddCertificate.Usage(usage)] }.Der(name, key);
        const X509KeyUsageFlags certificates = X509KeyUsageFlags.KeyCertSign, lists = X509KeyUsageFlags.CrlSign;
        static Refusal? Refused(ReadOnlyMemory<byte> root, params ReadOnlyMemory<byte>[] below)
        {
            try { TrustStore.Create([root], below, []); return null; }
            catch (RefusedException e) { return e.Refusal; }
        }
        var good = Of(true, certificates | lists);
        Assert.Null(Refused(good, good, Of(true, certificates), Of(false, lists)));
        foreach (var root in new[] { Of(true, certificates), Of(true, lists), Of(false, certificates | lists) }) Assert.Equal(Refusal.CertificateUntrusted, Refused(root));
        foreach (var below in new[] { Of(true, lists), Of(false, certificates), Of(false, X509KeyUsageFlags.DigitalSignature) }) Assert.Equal(Refusal.CertificateUntrusted, Refused(good, below));
    }

    [Fact]
    public void A_root_says_of_itself_that_it_is_for_development()
    {
        Assert.True(Pki.Trust.IsDevelopment);
        using var root = DevAuthority.Root("Real", TestPki.AuthorityValidity, development: false);
        Assert.False(TrustStore.Create([root.Certificate.RawDataMemory], [], []).IsDevelopment);
        Assert.True(TrustStore.Create([root.Certificate.RawDataMemory, Pki.Root.Certificate.RawDataMemory], [], []).IsDevelopment);
    }

    [Fact]
    public void The_name_tells_root_from_intermediate_and_does_not_depend_on_order()
    {
        ReadOnlyMemory<byte> a = Pki.Root.Certificate.RawDataMemory, b = Pki.Issuing.Certificate.RawDataMemory;
        Assert.NotEqual(TrustStore.Create([a], [b], []).Id, TrustStore.Create([a, b], [], []).Id);
        Assert.Equal(TrustStore.Create([b, a], [], Pki.Trust.Crls).Id, TrustStore.Create([a, b], [], Pki.Trust.Crls.Reverse()).Id);
        Assert.NotEqual(TrustStore.Create([a], [b], []).Id, Pki.Trust.Id);
    }
}
