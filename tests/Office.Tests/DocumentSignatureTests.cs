using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Security.Cryptography.Xml;
using System.Text;
using System.Xml;
using Exchange.Crypto;
using Exchange.Office;
using Exchange.Office.Client;

namespace Exchange.Tests;

/// <summary>What is said of signatures that documents bring along, in-process; and by the process of its own that the product uses.</summary>
public sealed class DocumentSignatureTests(DevPkiFixture pki) : IDisposable
{
    static readonly X509Certificate2 Point = Certificate(ECDsa.Create(ECCurve.NamedCurves.nistP256)), Rsa = Certificate(RSA.Create(2048)), Weak = Certificate(RSA.Create(1024));
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("exchange-signed-");

    public void Dispose() => folder.Delete(recursive: true);

    static X509Certificate2 Certificate(AsymmetricAlgorithm key)
    {
        var request = key is RSA rsa ? new CertificateRequest("CN=Vũ Thị Ký", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1) : new CertificateRequest("CN=Vũ Thị Ký", (ECDsa)key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DevPkiFixture.Now.AddYears(-1), DevPkiFixture.Now.AddYears(1));
    }

    string Save(byte[] bytes, string name = "letter.pdf")
    {
        var file = Path.Combine(folder.FullName, name);
        File.WriteAllBytes(file, bytes);
        return file;
    }

    SignedDocument Read(byte[] bytes) => SignatureReader.Read(Save(bytes));

    DocumentSignature One(byte[] bytes)
    {
        var read = Read(bytes);
        Assert.Null(read.Trouble);
        return Assert.Single(read.Signatures);
    }

    void Says(SignatureOutcome outcome, string why, byte[] bytes)
    {
        var one = One(bytes);
        Assert.Equal((outcome, why), (one.Outcome, one.Why));
    }

    void Trouble(string why, byte[] bytes)
    {
        var read = Read(bytes);
        Assert.Equal(why, read.Trouble);
        Assert.Empty(read.Signatures);
    }

    [Fact]
    public void A_signature_over_the_whole_PDF_holds_and_names_its_signer_and_the_time_he_says()
    {
        foreach (var signer in new[] { Point, Rsa })
            foreach (var form in new[] { "adbe.pkcs7.detached", "ETSI.CAdES.detached" })
            {
                var one = One(new SignedPdf().Sign(SignedPdf.By(signer), form).Bytes);
                Assert.Equal((SignatureOutcome.Holds, SignatureWhy.Whole), (one.Outcome, one.Why));
                Assert.Equal("CN=Vũ Thị Ký", one.Signer);
                Assert.Equal(new DateTimeOffset(2026, 11, 20, 9, 30, 0, TimeSpan.FromHours(7)), one.Claimed);
                Assert.Equal(signer.RawData, one.Certificate);
            }
    }

    [Fact]
    public void A_PDF_signed_by_openssl_holds()
    {
        var (key, certificate, content) = (Path.Combine(folder.FullName, "k.pem"), Path.Combine(folder.FullName, "c.pem"), Path.Combine(folder.FullName, "content"));
        File.WriteAllText(key, Rsa.GetRSAPrivateKey()!.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(certificate, Rsa.ExportCertificatePem());
        byte[] Sign(byte[] bytes)
        {
            File.WriteAllBytes(content, bytes);
            using var openssl = Process.Start("openssl", ["cms", "-sign", "-binary", "-cades", "-md", "sha512", "-in", content, "-signer", certificate, "-inkey", key, "-outform", "DER", "-out", content + ".p7s"]);
            openssl.WaitForExit();
            Assert.Equal(0, openssl.ExitCode);
            return File.ReadAllBytes(content + ".p7s");
        }
        var one = One(new SignedPdf().Sign(Sign, "ETSI.CAdES.detached").Bytes);
        Assert.Equal((SignatureOutcome.Holds, SignatureWhy.Whole), (one.Outcome, one.Why));
        Assert.NotNull(one.Claimed);
    }

    [Fact]
    public void A_changed_byte_an_added_page_and_a_range_that_leaves_something_out_do_not_hold()
    {
        var good = new SignedPdf().Sign(SignedPdf.By(Point)).Bytes;
        var changed = good.ToArray();
        changed[Encoding.Latin1.GetString(good).IndexOf("Kinh gui", StringComparison.Ordinal)] ^= 1;
        Says(SignatureOutcome.DoesNotHold, SignatureWhy.Digest, changed);
        Says(SignatureOutcome.DoesNotHold, SignatureWhy.ChangedAfter, new SignedPdf().Sign(SignedPdf.By(Point)).Update("Khong gui").Bytes);
        Says(SignatureOutcome.DoesNotHold, SignatureWhy.ChangedAfter, [.. good, (byte)'\n']);
        Says(SignatureOutcome.DoesNotHold, SignatureWhy.Range, new SignedPdf().Sign(SignedPdf.By(Point), range: r => [0, r[1] - 1, r[2], r[3]]).Bytes);
        Says(SignatureOutcome.DoesNotHold, SignatureWhy.Range, new SignedPdf().Sign(SignedPdf.By(Point), range: r => [0, r[1], r[2] + 1, r[3] - 1]).Bytes);
        Says(SignatureOutcome.DoesNotHold, SignatureWhy.Range, new SignedPdf().Sign(SignedPdf.By(Point), range: r => [0, r[1], r[2], r[3] + 1]).Bytes);
        Says(SignatureOutcome.DoesNotHold, SignatureWhy.Range, new SignedPdf().Sign(SignedPdf.By(Point), range: r => [-1, r[1], r[2], r[3]]).Bytes);
    }

    [Fact]
    public void A_signature_that_begins_behind_the_beginning_covers_only_a_part()
    {
        var one = One(new SignedPdf().Sign(content => SignedPdf.By(Point)(content[5..]), range: r => [5, r[1] - 5, r[2], r[3]]).Bytes);
        Assert.Equal((SignatureOutcome.DoesNotHold, SignatureWhy.Part), (one.Outcome, one.Why));
        Assert.Contains("B", one.Covers, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_two_signatories_the_second_holds_and_the_first_signed_an_earlier_state()
    {
        var pdf = new SignedPdf().Sign(SignedPdf.By(Point)).Sign(SignedPdf.By(Rsa));
        Assert.Equal([SignatureWhy.EarlierState, SignatureWhy.Whole], Read(pdf.Bytes).Signatures.Select(s => s.Why));
        // What nobody signed behind both of them is nobody's.
        Assert.All(Read(pdf.Update("Khong gui").Bytes).Signatures, s => Assert.Equal(SignatureWhy.ChangedAfter, s.Why));
    }

    [Fact]
    public void Another_certificate_of_the_same_key_an_old_digest_a_short_key_and_a_time_stamp_do_not_count()
    {
        Says(SignatureOutcome.CannotBeTold, SignatureWhy.Algorithm, new SignedPdf().Sign(SignedPdf.By(Rsa, s => s.DigestAlgorithm = new("1.3.14.3.2.26"))).Bytes);
        Says(SignatureOutcome.CannotBeTold, SignatureWhy.Algorithm, new SignedPdf().Sign(SignedPdf.By(Weak)).Bytes);
        Says(SignatureOutcome.CannotBeTold, SignatureWhy.NoCertificate, new SignedPdf().Sign(SignedPdf.By(Point, s => s.IncludeOption = X509IncludeOption.None)).Bytes);
        Says(SignatureOutcome.CannotBeTold, SignatureWhy.TimeStamp, new SignedPdf().Sign(SignedPdf.By(Point), "ETSI.RFC3161").Bytes);
        Says(SignatureOutcome.CannotBeTold, SignatureWhy.Form, new SignedPdf().Sign(SignedPdf.By(Point), "adbe.pkcs7.sha1").Bytes);
        Says(SignatureOutcome.CannotBeTold, SignatureWhy.Form, new SignedPdf().Sign(_ => [1, 2, 3]).Bytes);
        // ESSCertIDv2 of another certificate (RFC 5035 4): the one beside it was exchanged.
        Says(SignatureOutcome.DoesNotHold, SignatureWhy.Certificate, new SignedPdf().Sign(SignedPdf.By(Point, s => s.SignedAttributes.Add(new AsnEncodedData("1.2.840.113549.1.9.16.2.47", [0x30, 0x26, 0x30, 0x24, 0x30, 0x22, 0x04, 0x20, .. new byte[32]])))).Bytes);
    }

    [Fact]
    public void What_is_cut_short_or_too_much_cannot_be_told_and_never_throws()
    {
        var good = new SignedPdf().Sign(SignedPdf.By(Point)).Bytes;
        for (var length = 8; length < good.Length; length += good.Length / 40)
            Assert.DoesNotContain(Read(good[..length]).Signatures, s => s.Outcome == SignatureOutcome.Holds);
        var many = new SignedPdf();
        for (var i = 0; i <= SignatureReader.MostSignatures; i++) many.Sign(_ => []);
        Trouble(SignatureWhy.TooMany, many.Bytes);
        var large = Save(good);
        using (var file = File.OpenWrite(large)) file.SetLength((64 << 20) + 1);
        Assert.Equal(SignatureWhy.TooLarge, SignatureReader.Read(large).Trouble);
    }

    static byte[] Xml(string document, X509Certificate2 signer, Action<SignedXml>? change = null, string uri = "", bool enveloped = true, Action<XmlDocument, XmlElement>? place = null)
    {
        var xml = new XmlDocument { PreserveWhitespace = true };
        xml.LoadXml(document);
        EcdsaXml.Register();
        var signed = new SignedXml(xml) { SigningKey = (AsymmetricAlgorithm?)signer.GetRSAPrivateKey() ?? signer.GetECDsaPrivateKey() };
        signed.SignedInfo!.CanonicalizationMethod = SignedXml.XmlDsigExcC14NTransformUrl;
        signed.SignedInfo.SignatureMethod = signer.GetRSAPublicKey() is null ? "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256" : SignedXml.XmlDsigRSASHA256Url;
        var reference = new Reference(uri) { DigestMethod = SignedXml.XmlDsigSHA256Url };
        if (enveloped) reference.AddTransform(new XmlDsigEnvelopedSignatureTransform());
        reference.AddTransform(new XmlDsigExcC14NTransform());
        signed.AddReference(reference);
        signed.KeyInfo.AddClause(new KeyInfoX509Data(signer));
        change?.Invoke(signed);
        signed.ComputeSignature();
        var element = (XmlElement)xml.ImportNode(signed.GetXml(), deep: true);
        if (place is not null) place(xml, element);
        else xml.DocumentElement!.AppendChild(element);
        return Encoding.UTF8.GetBytes(xml.OuterXml);
    }

    const string Letter = """<letter Id="all"><to>H41</to><body Id="b">Kính gửi</body></letter>""";

    static byte[] Changed(byte[] xml, string from, string to) => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(xml) is var text && text.Contains(from, StringComparison.Ordinal) ? text.Replace(from, to, StringComparison.Ordinal) : throw new InvalidOperationException(from));

    [Fact]
    public void A_signature_over_the_whole_XML_holds_by_either_kind_of_key_and_reference()
    {
        foreach (var signer in new[] { Point, Rsa })
            foreach (var uri in new[] { "", "#all" })
            {
                var one = One(Xml(Letter, signer, uri: uri));
                Assert.Equal((SignatureOutcome.Holds, SignatureWhy.Whole, "CN=Vũ Thị Ký"), (one.Outcome, one.Why, one.Signer));
            }
        Says(SignatureOutcome.DoesNotHold, SignatureWhy.Signature, Changed(Xml(Letter, Point), "Kính gửi", "Không gửi"));
        Says(SignatureOutcome.DoesNotHold, SignatureWhy.Signature, Changed(Xml(Letter, Rsa), Convert.ToBase64String(Rsa.RawData), Convert.ToBase64String(Certificate(RSA.Create(2048)).RawData)));
    }

    [Fact]
    public void A_signed_part_in_another_document_covers_only_that_part()
    {
        var one = One(Xml(Letter, Point, uri: "#b", enveloped: false));
        Assert.Equal((SignatureOutcome.DoesNotHold, SignatureWhy.Part, "<body #b>"), (one.Outcome, one.Why, one.Covers));
        // Signature wrapping: the whole letter moved aside in another one, with its id, and one of the attacker in its place.
        var wrapped = Changed(Xml(Letter, Point, uri: "#all"), "<letter Id=\"all\">", "<letter><to>H41</to><body>Không gửi</body><letter Id=\"all\">");
        Says(SignatureOutcome.DoesNotHold, SignatureWhy.Part, [.. wrapped, .. "</letter>"u8]);
        // The same id twice: which one was verified and which one is read would be anybody's guess.
        Says(SignatureOutcome.DoesNotHold, SignatureWhy.Ambiguous, Changed(Xml(Letter, Point, uri: "#b", enveloped: false), "<to>", "<to ID=\"b\">"));
    }

    [Fact]
    public void Nothing_is_fetched_run_or_expanded_for_an_XML()
    {
        var good = Xml(Letter, Point);
        Says(SignatureOutcome.CannotBeTold, SignatureWhy.External, Changed(good, "URI=\"\"", "URI=\"http://127.0.0.1:9/x\""));
        Says(SignatureOutcome.CannotBeTold, SignatureWhy.External, Changed(good, "URI=\"\"", "URI=\"file:///etc/passwd\""));
        Says(SignatureOutcome.CannotBeTold, SignatureWhy.External, Changed(good, " URI=\"\"", ""));
        Says(SignatureOutcome.CannotBeTold, SignatureWhy.External, Changed(good, "URI=\"\"", "URI=\"#xpointer(/)\""));
        foreach (var transform in new[] { "http://www.w3.org/TR/1999/REC-xslt-19991116", "http://www.w3.org/TR/1999/REC-xpath-19991116", "http://www.w3.org/2000/09/xmldsig#base64" })
            Says(SignatureOutcome.CannotBeTold, SignatureWhy.Transform, Changed(good, SignedXml.XmlDsigEnvelopedSignatureTransformUrl, transform));
        Says(SignatureOutcome.CannotBeTold, SignatureWhy.Algorithm, Changed(good, "xmldsig-more#ecdsa-sha256", "xmldsig-more#hmac-sha256"));
        Says(SignatureOutcome.CannotBeTold, SignatureWhy.Algorithm, Changed(good, SignedXml.XmlDsigSHA256Url, SignedXml.XmlDsigSHA1Url));
        Says(SignatureOutcome.CannotBeTold, SignatureWhy.NoCertificate, Xml(Letter, Point, s => s.KeyInfo = new KeyInfo()));
    }

    [Fact]
    public void An_XML_with_a_DTD_or_too_much_of_anything_is_not_read()
    {
        var bomb = new StringBuilder("<!DOCTYPE letter [<!ENTITY a0 \"x\">");
        for (var i = 1; i < 30; i++) bomb.Append(System.Globalization.CultureInfo.InvariantCulture, $"<!ENTITY a{i} \"&a{i - 1};&a{i - 1};\">");
        Trouble(SignatureWhy.Dtd, Encoding.UTF8.GetBytes(bomb + "]><letter xmlns:d=\"http://www.w3.org/2000/09/xmldsig#\">&a29;<d:Signature/></letter>"));
        Trouble(SignatureWhy.TooMany, Encoding.UTF8.GetBytes("<letter>" + string.Concat(Enumerable.Repeat("<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"/>", 10_000)) + "</letter>"));
        Trouble(SignatureWhy.TooLarge, Encoding.UTF8.GetBytes("<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\">" + string.Concat(Enumerable.Repeat("<a>", 200_000))));
        var good = Xml(Letter, Point);
        for (var length = 8; length < good.Length; length += good.Length / 40) Trouble(SignatureWhy.Form, good[..length]);
    }

    [Fact]
    public async Task The_process_that_reads_answers_and_a_signer_of_this_exchange_is_known()
    {
        var known = pki.Certificate("offices/H41/sign.p12");
        var files = new[] { Save(new SignedPdf().Sign(SignedPdf.By(known)).Bytes, "a.pdf"), Save(Xml(Letter, Point), "b.xml"), Save("%PDF-1.7"u8.ToArray(), "c.pdf"), Save("text"u8.ToArray(), "d.txt") };
        var before = files.Select(File.ReadAllBytes).ToList();
        var found = await new DocumentSignatures(pki.Check, TimeProvider.System).OfAsync(files, DevPkiFixture.Now, TestContext.Current.CancellationToken);
        Assert.Equal([files[0], files[1]], found.Select(d => d.File));
        Assert.Equal((SignatureOutcome.Holds, true), (found[0].Signatures[0].Outcome, found[0].Signatures[0].Trusted));
        Assert.Equal((SignatureOutcome.Holds, false, Refusal.CertificateUntrusted), (found[1].Signatures[0].Outcome, found[1].Signatures[0].Trusted, found[1].Signatures[0].Distrust));
        Assert.Equal(before, files.Select(File.ReadAllBytes));
        var text = new StringWriter();
        SignatureCommands.Tell(found, new Output(text, TextWriter.Null, vietnamese: true, json: false, TimeProvider.System));
        Assert.Contains("HỢP LỆ", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("CHƯA BIẾT", text.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    // One that is killed, one that says no, one that answers what nobody asked, one that is not there.
    [InlineData("#!/bin/sh\nkill -9 $$\n"), InlineData("#!/bin/sh\nexit 1\n"), InlineData("#!/bin/sh\necho '{}'\n"), InlineData("#!/bin/sh\necho '{\"file\":\"x\",\"kind\":\"pdf\",\"signatures\":[],\"trouble\":null}'\nexit 1\n"), InlineData("#!/bin/sh\nhead -c 9000000 /dev/zero\n"), InlineData(null)]
    public async Task A_reader_that_dies_or_lies_gives_cannot_be_told(string? script)
    {
        var program = Path.Combine(folder.FullName, "reader");
        if (script is not null)
        {
            await File.WriteAllTextAsync(program, script, TestContext.Current.CancellationToken);
            File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
        var file = Save(new SignedPdf().Sign(SignedPdf.By(Point)).Bytes);
        var one = Assert.Single(await new DocumentSignatures(null, TimeProvider.System, program).OfAsync([file], DevPkiFixture.Now, TestContext.Current.CancellationToken));
        Assert.Equal(SignatureWhy.Reader, one.Trouble);
        Assert.Empty(one.Signatures);
    }

    [Fact]
    public async Task A_dispatch_with_a_signed_document_is_carried_byte_for_byte_and_opened_whatever_its_signatures_say()
    {
        using var bench = new Bench(pki.Folder);
        var broken = new SignedPdf().Sign(SignedPdf.By(Point)).Update("Khong gui").Bytes;
        File.WriteAllBytes(bench.At("letter.pdf"), broken);
        var id = (await bench.SendAsync(change: r => r with { Files = [bench.At("letter.pdf")] })).Entry.Id;
        using var client = new OfficeClient(bench.Start("H41"));
        await client.RefreshAsync(TestContext.Current.CancellationToken);
        var opened = await client.OpenAsync(id, bench.At("received"), null, TestContext.Current.CancellationToken);
        Assert.True(opened is { Failure: null, Acknowledged: true });
        var signed = await client.SignaturesAsync(opened.Files, opened.Accepted, TestContext.Current.CancellationToken);
        Assert.Equal(SignatureWhy.ChangedAfter, Assert.Single(Assert.Single(signed).Signatures).Why);
        Assert.Equal(broken, File.ReadAllBytes(Assert.Single(opened.Files)));
        var text = new StringWriter();
        Assert.Equal(ExchangeProgram.Good, InboxCommands.Tell(opened, new Output(text, TextWriter.Null, vietnamese: false, json: false, TimeProvider.System), signed));
        Assert.Contains("letter.pdf: signature DOES NOT HOLD: the document was changed after signing", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Each_reason_is_said_in_both_languages_and_a_hostile_name_does_not_reach_the_terminal()
    {
        Assert.All(SignatureWhy.All, why => Assert.True(SignatureWords.En(why) != why && SignatureWords.Vi(why) != why && SignatureWords.Vi(why).IsNormalized()));
        Assert.Equal("a\\u{1b}[2Jb\\u{202e}\\u{200b}ệ", Output.Visible("a\u001b[2Jb\u202e\u200bệ"));
        var text = new StringWriter();
        new Output(text, TextWriter.Null, vietnamese: false, json: true, TimeProvider.System).Json(new { name = "a\u202e\u001b" });
        Assert.DoesNotContain("\u202e", text.ToString(), StringComparison.Ordinal);
        Assert.Equal("a\u202e\u001b", System.Text.Json.JsonDocument.Parse(text.ToString()).RootElement.GetProperty("name").GetString());
    }
}
