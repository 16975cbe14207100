using Exchange.Crypto.Trust;
using Exchange.Office.Join;

namespace Exchange.Tests.Trust;

/// <summary>A gateway asks about the same certificates from many threads, and right after a start nothing of them was looked at before.</summary>
public sealed class CertificateRaceTests
{
    static readonly TestPki Pki = TestPki.Shared;

    [Fact]
    public void Threads_that_ask_at_once_about_what_nobody_has_looked_at_yet_get_one_verdict()
    {
        using var sign = Pki.Key("Test", "T", "x", KeyUse.Sign);
        using var encrypt = Pki.Key("Test", "T", "y", KeyUse.Encrypt);
        using var tls = Pki.Key("Test", "T", "z", KeyUse.TlsClient);
        for (var round = 0; round < 15; round++)
        {
            var check = new CertificateCheck(TrustStore.Create(Pki.Trust.Roots.Select(r => r.Der), Pki.Trust.Intermediates.Select(i => i.Der), Pki.Trust.Crls));
            (Certificate, Purpose)[] asked = [(new(sign.Certificate.Der.Span), Purpose.OfficeSigning), (new(encrypt.Certificate.Der.Span), Purpose.OfficeEncryption), (new(tls.Certificate.Der.Span), Purpose.TlsClient)];
            using var start = new Barrier(6);
            var found = new CertificateVerdict[6][];
            var threads = Enumerable.Range(0, 6).Select(n => new Thread(() =>
            {
                start.SignalAndWait();
                found[n] = [.. Enumerable.Range(0, 3).Select(i => check.Check(asked[(n + i) % 3].Item1, asked[(n + i) % 3].Item2, TestPki.Now))];
            })).ToList();
            threads.ForEach(t => t.Start());
            threads.ForEach(t => t.Join());
            Assert.All(found.SelectMany(f => f), v => Assert.True(v.Good, $"round {round}: {v.Explained}"));
        }
    }
}
