using System.Diagnostics;
using System.Formats.Asn1;
using System.Security.Cryptography;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Tests.Statements;

public sealed class StatementTests
{
    static readonly DateTimeOffset At = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);
    static readonly Label Plain = new() { Policy = "2.25.1.3.1", Class = 10, Mark = "KHÔNG MẬT", Categories = [], Basis = null, Term = null, Caveats = [] };
    // Any well-formed value will do: that the attribute equals the label is the envelope's rule, not the statement's.
    static readonly byte[] Ess = Convert.FromHexString("3106020104060129");

    static Approval ApprovalBy(params IPrivateKey[] signers) => new()
    {
        V = 1, Type = "approval", Signers = [.. signers.Select(s => s.Certificate.Key)], Act = "send", Dispatch = Digest.Of([1]), Label = Plain,
        From = "G22", To = ["H41"], NotAfter = At.AddDays(1).ToUnixTimeMilliseconds(),
    };

    static Dispatch DispatchBy(params IPrivateKey[] signers) => new()
    {
        V = 1, Type = "dispatch", Signers = [.. signers.Select(s => s.Certificate.Key)], Salt = new byte[32], From = "G22", To = ["H41"], Label = Plain,
        Sheet = new() { Number = "7816", Notation = "VPCP-TTĐT", Subject = "Về việc thử nghiệm", DocumentType = "Công văn", Place = "Hà Nội", Date = "2026-11-24", Signatory = null },
        Documents = [new("a.pdf", "application/pdf", 3, Digest.Of([1, 2, 3]), 1)],
    };

    static Refusal Refused(Action read) => Assert.Throws<RefusedException>(read).Refusal;

    [Fact]
    public void A_signed_statement_reads_back_with_its_record_ref_signers_and_time()
    {
        using var a = new SelfSignedKey("CN=Person");
        using var b = new SelfSignedKey("CN=Office");
        var content = DispatchBy(b, a);
        var statement = Statement.Sign(content, [b, a], At.AddMilliseconds(700), Ess);
        var read = Statement.Read(statement.Der, StatementType.Dispatch);
        Assert.Equal(Digest.Of(read.Json.Span), read.Ref);
        Assert.Equal([b.Certificate, a.Certificate], read.Signers);
        Assert.All(read.SigningTimes, t => Assert.Equal(At, t));
        Assert.Equal(Ess, read.Label!.Value.ToArray());
        Assert.Equal("Về việc thử nghiệm", read.As<Dispatch>().Sheet.Subject);
        Assert.Equal(2, read.SignatureDigests.Count);
        Assert.Throws<InvalidOperationException>(() => read.As<Header>());
    }

    [Theory, InlineData("nistP384"), InlineData("nistP256")]
    public void OpenSSL_verifies_a_statement_and_prints_its_JSON(string curve)
    {
        using var key = new SelfSignedKey(curve: ECCurve.CreateFromFriendlyName(curve));
        var statement = Statement.Sign(ApprovalBy(key), [key], At);
        var folder = Directory.CreateTempSubdirectory("exchange-");
        try
        {
            File.WriteAllBytes(Path.Combine(folder.FullName, "s.p7s"), statement.Der.ToArray());
            File.WriteAllText(Path.Combine(folder.FullName, "ca.pem"), key.Pem);
            var start = new ProcessStartInfo("openssl", "cms -verify -inform DER -in s.p7s -CAfile ca.pem -purpose any -cades -attime 1795510800 -out out.json")
            { WorkingDirectory = folder.FullName, RedirectStandardError = true };
            using var openssl = Process.Start(start)!;
            var said = openssl.StandardError.ReadToEnd();
            openssl.WaitForExit();
            Assert.True(openssl.ExitCode == 0, said);
            Assert.Equal(statement.Json.ToArray(), File.ReadAllBytes(Path.Combine(folder.FullName, "out.json")));
        }
        finally { folder.Delete(recursive: true); }
    }

    [Theory, InlineData("nistP384"), InlineData("nistP256")]
    public void Every_flipped_byte_is_refused(string curve)
    {
        using var key = new SelfSignedKey(curve: ECCurve.CreateFromFriendlyName(curve));
        var der = Statement.Sign(ApprovalBy(key), [key], At).Der.ToArray();
        for (var i = 0; i < der.Length; i++)
        {
            var broken = (byte[])der.Clone();
            broken[i] ^= 1;
            // A flipped bit in the certificate's own signature changes its key, hence the signer that the JSON names.
            Assert.Contains(Refused(() => Statement.Read(broken, StatementType.Approval)), new[] {
                Refusal.Der, Refusal.Json, Refusal.Signature, Refusal.StatementType, Refusal.StatementAttributes, Refusal.StatementSigners, Refusal.Algorithm });
        }
    }

    [Fact]
    public void A_truncated_or_lengthened_statement_is_refused()
    {
        using var key = new SelfSignedKey();
        var der = Statement.Sign(ApprovalBy(key), [key], At).Der;
        Assert.Equal(Refusal.Der, Refused(() => Statement.Read(der[..^1], StatementType.Approval)));
        Assert.Equal(Refusal.Der, Refused(() => Statement.Read((byte[])[.. der.Span, 0], StatementType.Approval)));
        Assert.Equal(Refusal.Der, Refused(() => Statement.Read(ReadOnlyMemory<byte>.Empty, StatementType.Approval)));
    }

    [Fact]
    public void A_statement_of_one_type_is_not_read_as_another()
    {
        using var key = new SelfSignedKey();
        var approval = Statement.Sign(ApprovalBy(key), [key], At);
        Assert.Equal(Refusal.StatementType, Refused(() => Statement.Read(approval.Der, StatementType.Receipt)));
        Assert.Equal(Refusal.StatementType, Refused(() => Statement.Read(approval.Der, StatementType.Recall)));
        // The same JSON signed under id-data's place, or under another type's OID, is not an approval.
        Assert.Equal(Refusal.StatementType, Refused(() => Statement.Read(Forge(approval.Json.ToArray(), key, Oids.Data, Oids.Data), StatementType.Approval)));
        var card = Oids.ContentType(StatementType.Card);
        Assert.Equal(Refusal.StatementType, Refused(() => Statement.Read(Forge(approval.Json.ToArray(), key, card, card), StatementType.Approval)));
    }

    [Fact]
    public void Whatever_type_a_file_holds_is_read_as_that_type()
    {
        var pki = TestPki.Shared;
        Assert.Equal(StatementType.Directory, Statement.ReadAny(pki.SignDirectory(pki.NewDirectory(1, null, [])).Der).Type);
        using var key = new SelfSignedKey();
        Assert.Equal(StatementType.Approval, Statement.ReadAny(Statement.Sign(ApprovalBy(key), [key], At).Der).Type);
        Assert.Equal(Refusal.StatementType, Refused(() => Statement.ReadAny(Forge([.. "{}"u8], key, Oids.Data, Oids.Data))));
    }

    [Fact]
    public void The_content_type_attribute_must_repeat_the_content_type()
    {
        using var key = new SelfSignedKey();
        var json = Statement.Sign(ApprovalBy(key), [key], At).Json.ToArray();
        var forged = Forge(json, key, Oids.ContentType(StatementType.Approval), Oids.ContentType(StatementType.Receipt));
        Assert.Equal(Refusal.StatementAttributes, Refused(() => Statement.Read(forged, StatementType.Approval)));
    }

    [Fact]
    public void A_stripped_second_signer_is_noticed()
    {
        using var a = new SelfSignedKey("CN=Person");
        using var b = new SelfSignedKey("CN=Office");
        var data = SignedData.Decode(Statement.Sign(DispatchBy(a, b), [a, b], At, Ess).Der, 4);
        foreach (var keep in new[] { 0, 1 })
        {
            var info = data.Signers[keep];
            var certificate = new[] { a, b }.Single(k => k.Certificate.Key == info.Attributes.Certificate).Certificate.Der;
            var stripped = data with { Signers = [info], Certificates = [certificate] };
            Assert.Equal(Refusal.StatementSigners, Refused(() => Statement.Read(stripped.Encode(), StatementType.Dispatch)));
            var certificatesKept = data with { Signers = [info] };
            Assert.Equal(Refusal.StatementSigners, Refused(() => Statement.Read(certificatesKept.Encode(), StatementType.Dispatch)));
        }
    }

    [Fact]
    public void A_signer_that_the_text_does_not_name_is_refused()
    {
        using var a = new SelfSignedKey("CN=Person");
        using var mallory = new SelfSignedKey("CN=Mallory");
        var data = SignedData.Decode(Statement.Sign(DispatchBy(a), [a], At, Ess).Der, 4);
        var other = SignedData.Decode(Statement.Sign(DispatchBy(mallory), [mallory], At, Ess).Der, 4);
        var added = data with { Signers = [.. data.Signers, .. other.Signers], Certificates = [.. data.Certificates, .. other.Certificates] };
        Assert.Equal(Refusal.Signature, Refused(() => Statement.Read(added.Encode(), StatementType.Dispatch)));   // his digest is of other JSON
        Assert.Equal(Refusal.StatementSigners, Refused(() => Statement.Read(Forge(data.Content.ToArray(), mallory, data.ContentType, data.ContentType, Ess), StatementType.Dispatch)));
    }

    [Fact]
    public void A_certificate_of_nobody_who_signs_is_not_carried_along()
    {
        using var key = new SelfSignedKey();
        using var other = new SelfSignedKey("CN=Mallory");
        var data = SignedData.Decode(Statement.Sign(ApprovalBy(key), [key], At).Der, 1);
        foreach (ReadOnlyMemory<byte>[] certificates in new ReadOnlyMemory<byte>[][] { [key.Certificate.Der, other.Certificate.Der], [other.Certificate.Der], [] })
            Assert.Equal(Refusal.StatementSigners, Refused(() => Statement.Read((data with { Certificates = certificates }).Encode(), StatementType.Approval)));
    }

    [Fact]
    public void Dropped_signed_attributes_are_refused()
    {
        // draft-ietf-lamps-cms-euf-cma-signeddata: the attributes' DER as content, no signedAttrs, the signature still fits. OpenSSL accepts it.
        using var key = new SelfSignedKey();
        var data = SignedData.Decode(Statement.Sign(ApprovalBy(key), [key], At).Der, 1);
        var info = data.Signers[0];
        var bare = new AsnWriter(AsnEncodingRules.DER);
        using (bare.PushSequence())
        {
            bare.WriteInteger(1);
            using (bare.PushSequence()) { bare.WriteEncodedValue(info.Issuer.Span); bare.WriteInteger(info.Serial.Span); }
            SignerInfo.WriteAlgorithm(bare, Oids.Sha384);
            SignerInfo.WriteAlgorithm(bare, Oids.EcdsaSha384);
            bare.WriteOctetString(info.Signature.Span);
        }
        var der = Replace((data with { Content = info.Attributes.ToBeSigned() }).Encode(), info.Encode(), bare.Encode());
        Assert.Equal(Refusal.StatementAttributes, Refused(() => Statement.Read(der, StatementType.Approval)));
    }

    public static TheoryData<string> Attributes => [Oids.ContentTypeAttribute, Oids.MessageDigest, Oids.SigningTime, Oids.SigningCertificateV2, Oids.CmsAlgorithmProtection, Oids.EssSecurityLabel];

    [Theory, MemberData(nameof(Attributes))]
    public void Every_signed_attribute_must_be_there_once(string oid)
    {
        using var key = new SelfSignedKey();
        var der = Statement.Sign(DispatchBy(key), [key], At, Ess).Der.ToArray();
        var missing = Resign(der, key, attributes => attributes.RemoveAll(a => a.Oid == oid));
        Assert.Equal(Refusal.StatementAttributes, Refused(() => Statement.Read(missing, StatementType.Dispatch)));
        var doubled = Resign(der, key, attributes => attributes.Add(attributes.First(a => a.Oid == oid)));
        Assert.Equal(Refusal.StatementAttributes, Refused(() => Statement.Read(doubled, StatementType.Dispatch)));
    }

    [Fact]
    public void An_attribute_outside_the_list_is_refused()
    {
        using var key = new SelfSignedKey();
        var der = Statement.Sign(DispatchBy(key), [key], At, Ess).Der.ToArray();
        var extra = Resign(der, key, attributes => attributes.Add(("1.2.840.113549.1.9.16.2.1", Convert.FromHexString("3016060B2A864886F70D010910020131070C0568656C6C6F"))));
        Assert.Equal(Refusal.StatementAttributes, Refused(() => Statement.Read(extra, StatementType.Dispatch)));
        Assert.Equal(Refusal.StatementAttributes, Refused(() => Statement.Sign(DispatchBy(key), [key], At)));
        Assert.Equal(Refusal.StatementAttributes, Refused(() => Statement.Sign(ApprovalBy(key), [key], At, Ess)));
        Assert.Equal(Refusal.StatementAttributes, Refused(() => Statement.Sign(DispatchBy(key), [key], At, Ess, Digest.Of([1]))));
    }

    [Fact]
    public void Labels_that_differ_between_signers_are_refused()
    {
        using var a = new SelfSignedKey("CN=Person");
        using var b = new SelfSignedKey("CN=Office");
        var content = DispatchBy(a, b);
        var one = SignedData.Decode(Statement.Sign(content, [a, b], At, Ess).Der, 4);
        var two = SignedData.Decode(Statement.Sign(content, [a, b], At, Convert.FromHexString("3106020103060129")).Der, 4);
        SignerInfo Of(SignedData data, IPrivateKey key) => data.Signers.Single(s => s.Attributes.Certificate == key.Certificate.Key);
        var mixed = one with { Signers = [Of(one, a), Of(two, b)] };
        Assert.Equal(Refusal.LabelMismatch, Refused(() => Statement.Read(mixed.Encode(), StatementType.Dispatch)));
    }

    [Fact]
    public void A_signer_with_another_curve_is_refused()
    {
        using var p521 = new SelfSignedKey("CN=P-521", ECCurve.NamedCurves.nistP521);
        Assert.Equal(Refusal.Algorithm, Refused(() => Statement.Sign(ApprovalBy(p521), [p521], At)));
    }

    [Fact]
    public void Signers_on_both_curves_each_with_its_own_digest()
    {
        using var a = new SelfSignedKey("CN=P-384");
        using var b = new SelfSignedKey("CN=P-256", ECCurve.NamedCurves.nistP256);
        var data = SignedData.Decode(Statement.Sign(DispatchBy(a, b), [a, b], At, Ess).Der, 4);
        Assert.Equal([48, 32], new[] { a, b }.Select(k => data.Signers.Single(s => s.Attributes.Certificate == k.Certificate.Key).Attributes.MessageDigest.Length));
        // digestAlgorithms is exactly what the signers use: one of them more, less or twice is not ours.
        var set = SetOf(Oids.Sha256, Oids.Sha384);
        var der = data.Encode();
        Assert.True(der.AsSpan().IndexOf(set) > 0);
        Assert.Equal(Refusal.Der, Refused(() => Statement.Read(Spliced(der, set, SetOf(Oids.Sha384, Oids.Sha384)), StatementType.Dispatch)));
    }

    [Fact]
    public void A_digest_that_is_not_the_curves_is_refused()
    {
        foreach (var (curve, wrong) in new[] { (ECCurve.NamedCurves.nistP256, Ecdsa.P384), (ECCurve.NamedCurves.nistP384, Ecdsa.P256) })
        {
            using var key = new SelfSignedKey("CN=Other", curve);
            var data = SignedData.Decode(Statement.Sign(ApprovalBy(key), [key], At).Der, 1);
            var attributes = data.Signers[0].Attributes with { Algorithm = wrong, MessageDigest = wrong.Digested(data.Content.Span) };
            var forged = data with { Signers = [data.Signers[0] with { Attributes = attributes, Signature = key.SignWith(wrong.Hash, attributes.ToBeSigned()) }] };
            Assert.Equal(Refusal.Algorithm, Refused(() => Statement.Read(forged.Encode(), StatementType.Approval)));
            // Outside one algorithm, in the attribute that protects it another.
            var outside = Spliced(data.Encode(), Algorithm(data.Signers[0].Algorithm.Signature), Algorithm(wrong.Signature));
            Assert.Equal(Refusal.Algorithm, Refused(() => Statement.Read(outside, StatementType.Approval)));
        }
    }

    static byte[] SetOf(params string[] digests)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSetOf()) foreach (var oid in digests) SignerInfo.WriteAlgorithm(writer, oid);
        return writer.Encode();
    }

    static byte[] Algorithm(string oid)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        SignerInfo.WriteAlgorithm(writer, oid);
        return writer.Encode();
    }

    /// <summary>The last place where the old bytes stand, with new ones of the same length.</summary>
    static byte[] Spliced(byte[] der, byte[] old, byte[] with)
    {
        Assert.Equal(old.Length, with.Length);
        var copy = (byte[])der.Clone();
        with.CopyTo(copy, der.AsSpan().LastIndexOf(old));
        return copy;
    }

    [Fact]
    public void The_malleable_twin_of_a_signature_has_the_same_ref()
    {
        // (r, n−s) verifies too: signature bytes are no identity, refs are.
        using var key = new SelfSignedKey();
        var statement = Statement.Sign(ApprovalBy(key), [key], At);
        var data = SignedData.Decode(statement.Der, 1);
        var pair = new AsnReader(data.Signers[0].Signature, AsnEncodingRules.DER).ReadSequence();
        var (r, s) = (pair.ReadInteger(), pair.ReadInteger());
        var n = new System.Numerics.BigInteger(Ecdsa.P384.Domain.N.ToByteArrayUnsigned(), isUnsigned: true, isBigEndian: true);
        var twin = new AsnWriter(AsnEncodingRules.DER);
        using (twin.PushSequence()) { twin.WriteInteger(r); twin.WriteInteger(n - s); }
        var read = Statement.Read((data with { Signers = [data.Signers[0] with { Signature = twin.Encode() }] }).Encode(), StatementType.Approval);
        Assert.Equal(statement.Ref, read.Ref);
        Assert.NotEqual(statement.SignatureDigests, read.SignatureDigests);
    }

    [Theory, InlineData("nistP384"), InlineData("nistP256")]
    public void A_certificate_met_again_and_again_is_parsed_once_and_still_refuses_what_it_did_not_sign(string curve)
    {
        using var key = new SelfSignedKey(curve: ECCurve.CreateFromFriendlyName(curve));
        using var other = new SelfSignedKey(curve: ECCurve.CreateFromFriendlyName(curve));
        var statement = Statement.Sign(ApprovalBy(key), [key], At);
        var data = SignedData.Decode(statement.Der, 1);
        var foreign = (data with { Signers = [data.Signers[0] with { Signature = other.Sign(data.Signers[0].Attributes.ToBeSigned()) }] }).Encode();
        for (var i = 0; i < 8; i++)
        {
            Assert.Same(statement.Signers[0], Statement.Read(statement.Der, StatementType.Approval).Signers[0]);
            Assert.Equal(Refusal.Signature, Refused(() => Statement.Read(foreign, StatementType.Approval)));
        }
        Assert.Equal(Refusal.Der, Refused(() => Certificate.Of([.. key.Certificate.Der.Span, 0])));
        Assert.Equal(Refusal.Der, Refused(() => Certificate.Of([.. key.Certificate.Der.Span, 0])));
    }

    /// <summary>Signs any bytes under any two content types, with all the attributes: what a plugin made to sign files could be tricked into.</summary>
    static byte[] Forge(byte[] json, IPrivateKey key, string type, string attributeType, byte[]? label = null)
    {
        var attributes = new SignedAttributes(attributeType, SHA384.HashData(json), At, key.Certificate.Key, label is null ? default(ReadOnlyMemory<byte>?) : label, null);
        var info = new SignerInfo(key.Certificate.IssuerDer, key.Certificate.SerialNumber, attributes, key.Sign(attributes.ToBeSigned()), null);
        return new SignedData(type, json, [key.Certificate.Der], [info]).Encode();
    }

    /// <summary>The statement with its list of signed attributes changed and honestly signed again.</summary>
    static byte[] Resign(byte[] der, IPrivateKey key, Action<List<(string Oid, byte[] Der)>> change)
    {
        var info = SignedData.Decode(der, 4).Signers[0];
        var set = new AsnReader(info.Attributes.ToBeSigned(), AsnEncodingRules.DER).ReadSetOf();
        var list = new List<(string, byte[])>();
        while (set.HasData)
        {
            var one = set.ReadEncodedValue();
            list.Add((new AsnReader(one, AsnEncodingRules.DER).ReadSequence().ReadObjectIdentifier(), one.ToArray()));
        }
        change(list);
        byte[] Set(Asn1Tag tag)
        {
            var writer = new AsnWriter(AsnEncodingRules.DER);
            using (writer.PushSetOf(tag)) foreach (var (_, bytes) in list) writer.WriteEncodedValue(bytes);
            return writer.Encode();
        }
        var again = new AsnWriter(AsnEncodingRules.DER);
        using (again.PushSequence())
        {
            again.WriteInteger(1);
            using (again.PushSequence()) { again.WriteEncodedValue(info.Issuer.Span); again.WriteInteger(info.Serial.Span); }
            SignerInfo.WriteAlgorithm(again, Oids.Sha384);
            again.WriteEncodedValue(Set(new Asn1Tag(TagClass.ContextSpecific, 0, true)));
            SignerInfo.WriteAlgorithm(again, Oids.EcdsaSha384);
            again.WriteOctetString(key.Sign(Set(Asn1Tag.SetOf)));
        }
        return Replace(der, info.Encode(), again.Encode());
    }

    /// <summary>Puts another SignerInfo in the place of the only one and mends the lengths around it.</summary>
    static byte[] Replace(byte[] der, byte[] oldInfo, byte[] newInfo)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        var oid = outer.ReadObjectIdentifier();
        var body = outer.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0, true)).ReadSequence();
        var parts = new List<byte[]>();
        while (body.HasData) parts.Add(body.ReadEncodedValue().ToArray());
        Assert.True(parts[^1].AsSpan().IndexOf(oldInfo) >= 0);
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(oid);
            using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0, true)))
            using (writer.PushSequence())
            {
                foreach (var part in parts.SkipLast(1)) writer.WriteEncodedValue(part);
                using (writer.PushSetOf()) writer.WriteEncodedValue(newInfo);
            }
        }
        return writer.Encode();
    }
}
