using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Office.Dev;
using Exchange.Office.Join;

namespace Exchange.Tests.Envelope;

/// <summary>Many recipients without as many keys: each has a certificate of its own, over one of a few key pairs. Every tenth is RSA-3072, the others P-384.</summary>
static class ManyRecipients
{
    static readonly Lazy<(List<SealRecipient> Recipients, List<FileKey> Keys)> all = new(() => Issue(1001));

    /// <summary>The first of up to 1,001, which are made once.</summary>
    public static (List<SealRecipient> Recipients, List<FileKey> Keys) Take(int count) => (all.Value.Recipients[..count], all.Value.Keys[..count]);

    static (List<SealRecipient> Recipients, List<FileKey> Keys) Issue(int count)
    {
        var issuing = TestPki.Shared.Issuing;
        using var rsa = RSA.Create(3072);
        var points = Enumerable.Range(0, 4).Select(_ => ECDiffieHellman.Create(ECCurve.NamedCurves.nistP384)).ToArray();
        var recipients = new List<SealRecipient>(count);
        var keys = new List<FileKey>(count);
        for (var i = 0; i < count; i++)
        {
            var office = "T" + i.ToString("d4", CultureInfo.InvariantCulture);
            var subject = KeyProfile.Subject("Test", office, "encrypt");
            FileKey key;
            if (i % 10 == 9) key = FileKey.Of(issuing.Issue(subject, KeyUse.Encrypt, TestPki.LeafValidity, rsa).CopyWithPrivateKey(rsa));
            else key = FileKey.Of(issuing.Issue(subject, KeyUse.Encrypt, TestPki.LeafValidity, points[i % 4]).CopyWithPrivateKey(points[i % 4]));
            keys.Add(key);
            recipients.Add(new SealRecipient(office, key.Certificate, i % 3 == 0 ? "to" : "cc"));
        }
        foreach (var point in points) point.Dispose();
        return (recipients, keys);
    }
}
