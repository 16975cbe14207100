using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.TimeStamps;
using Exchange.Office.Dev;
using Exchange.Office.Join;
using Exchange.Tests.Envelope;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Cms;
using Org.BouncyCastle.Security;
using CmsAttribute = Org.BouncyCastle.Asn1.Cms.Attribute;
using CmsAttributes = Org.BouncyCastle.Asn1.Cms.AttributeTable;

namespace Exchange.Tests.TimeStamps;

/// <summary>Tokens whose signature holds, made by an authority's own key, and which are not of the one form.</summary>
public sealed class TimeStampFormTests
{
    const string Certificates = "1.2.840.113549.1.9.16.2.47", Sha512 = "2.16.840.1.101.3.4.2.3";
    static readonly TestPki Pki = TestPki.Shared;
    static readonly Digest Imprint = Digest.Of("signature"u8);
    static readonly X509Certificate2 Authority = Pki.Issuing.Issue(KeyProfile.Subject("TSA", "TSA", "tsa"), KeyUse.TimeStamp, TestPki.LeafValidity);
    static readonly byte[] Good = new DevTimeStamps(FileKey.Of(Authority)).Token(new(Oids.Sha256, Imprint.ToArray(), null, null), TestPki.Now);

    static string Told(byte[] token)
    {
        try { return TimeStampCheck.Run(token, [Imprint], Pki.Check).Imprint == Imprint ? "good" : "another"; }
        catch (RefusedException e) { return e.Message; }
    }

    /// <summary>What the good one says, signed once more.</summary>
    static byte[] Signed(string digest, Func<CmsAttribute, IEnumerable<CmsAttribute>>? change = null, string type = Oids.TstInfo)
    {
        var good = new CmsSignedData(Good);
        var named = good.GetSignerInfos().GetSigners().Single().SignedAttributes[new DerObjectIdentifier(Certificates)];
        var attributes = new Asn1EncodableVector();
        foreach (var attribute in change?.Invoke(named) ?? [named]) attributes.Add(attribute);
        using var key = Authority.GetECDsaPrivateKey()!;
        var generator = new CmsSignedDataGenerator();
        var certificate = new Org.BouncyCastle.X509.X509Certificate(Authority.RawData);
        generator.AddSigner(PrivateKeyFactory.CreateKey(key.ExportPkcs8PrivateKey()), certificate, digest, new CmsAttributes(attributes), null);
        generator.AddCertificate(certificate);
        using var content = new MemoryStream();
        good.SignedContent.Write(content);
        return generator.Generate(new CmsProcessableByteArray(new DerObjectIdentifier(type), content.ToArray()), encapsulate: true).ContentInfo.GetEncoded("DER");
    }

    [Fact]
    public void A_signature_by_SHA1_counts_for_nothing_though_it_holds()
    {
        Assert.Equal("good", Told(Good));
        Assert.Equal("good", Told(Signed(Oids.Sha256)));
        Assert.Equal("good", Told(Signed(Sha512)));
        Assert.Equal("E_TIMESTAMP: signature algorithm", Told(Signed("1.3.14.3.2.26")));
        Assert.Equal("E_TIMESTAMP: signature algorithm", Told(Signed("2.16.840.1.101.3.4.2.4")));
    }

    [Fact]
    public void Something_else_that_the_authority_signed_is_no_time_stamp() =>
        Assert.Equal("E_TIMESTAMP: content type", Told(Signed(Oids.Sha256, type: "1.2.840.113549.1.7.1")));

    [Fact]
    public void One_certificate_is_named_and_once()
    {
        Assert.Equal("E_TIMESTAMP: ESSCertIDv2", Told(Signed(Oids.Sha256, _ => [])));
        Assert.Equal("E_TIMESTAMP: ESSCertIDv2", Told(Signed(Oids.Sha256, named => [named, named])));
        Assert.Equal("E_TIMESTAMP: ESSCertIDv2", Told(Signed(Oids.Sha256, named => [new CmsAttribute(named.AttrType, new DerSet(new Asn1EncodableVector(named.AttrValues[0], new DerSequence())))])));
    }

    [Fact]
    public void Algorithms_outside_of_the_signature_are_those_of_the_signer_alone()
    {
        var root = Tlv.Parse(Good);
        var digests = root.Children![1].Children![0].Children![1];
        byte[] more = [0x30, 0x0b, .. Tlv.Oid(Sha512)];
        Assert.Equal("E_TIMESTAMP: signature algorithm", Told(root.Rebuild(t => t.Path == digests.Path ? Tlv.Value(0x31, [.. digests.Children![0].Encoded, .. more]) : null)));
    }
}
