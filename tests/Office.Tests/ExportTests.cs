using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Interop;
using Exchange.Crypto.TimeStamps;
using Exchange.Office;
using Exchange.Office.Client;
using Exchange.Office.Client.Exports;
using Org.BouncyCastle.Cms;

namespace Exchange.Tests;

/// <summary>A dispatch in a container that other people's tools read. Python and OpenSSL give the second opinion.</summary>
public sealed class ExportTests(DevPkiFixture pki) : IDisposable
{
    const string Document = "Công văn số 1.pdf";
    readonly Bench bench = new(pki.Folder);

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    // Another reader of ZIP, XML and SHA-256; argument: the container. Prints how many files are signed.
    const string Check = """
        import sys,zipfile,hashlib,base64,urllib.parse,xml.etree.ElementTree as E
        z=zipfile.ZipFile(sys.argv[1])
        assert z.testzip() is None
        first=z.infolist()[0]
        assert (first.filename,first.compress_type,first.extra)==('mimetype',0,b''),first
        a,d='{http://uri.etsi.org/02918/v1.2.1#}','{http://www.w3.org/2000/09/xmldsig#}'
        m=E.fromstring(z.read('META-INF/ASiCManifest.xml'))
        assert m.tag==a+'ASiCManifest' and m.find(a+'SigReference').get('URI')=='META-INF/signature.p7s'
        named={urllib.parse.unquote(r.get('URI')):r for r in m.findall(a+'DataObjectReference')}
        assert set(named)|{'mimetype','META-INF/ASiCManifest.xml','META-INF/signature.p7s'}==set(z.namelist()) and len(z.namelist())==len(named)+3
        for n,r in named.items():
            assert r.find(d+'DigestMethod').get('Algorithm')=='http://www.w3.org/2001/04/xmlenc#sha256'
            assert base64.b64encode(hashlib.sha256(z.read(n)).digest()).decode()==r.find(d+'DigestValue').text,n
        print(len(named))
        """;

    SendRequest Request(SendRequest request)
    {
        File.WriteAllBytes(bench.At(Document), Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("Nội dung văn bản. ", 4000))));
        return request with { Files = [bench.At(Document), bench.At("document.bin")], Keep = true };
    }

    static (int Code, string Output) Run(string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync(Cancel);
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output + error.Result);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip($"no {program} on this machine");
            throw;
        }
    }

    static void Good((int Code, string Output) ran) => Assert.True(ran.Code == 0, ran.Output);

    string Unzipped(string container)
    {
        var folder = bench.At("unzipped-" + Path.GetFileName(container));
        ZipFile.ExtractToDirectory(container, folder);
        return folder;
    }

    /// <summary>All that can be said of a container without our software; then what ours says of the evidence in it.</summary>
    IReadOnlyList<Finding> Demand(string container)
    {
        var bytes = File.ReadAllBytes(container);
        Assert.Equal("mimetypeapplication/vnd.etsi.asic-e+zipPK", Encoding.ASCII.GetString(bytes, 30, 41));
        var folder = Unzipped(container);
        Assert.Equal(XDocument.Load(Path.Combine(folder, AsicContainer.ManifestName)).Root!.Elements().Count() - 1 + 3, ZipFile.OpenRead(container).Entries.Count);
        Good(Run(folder, "openssl", "cms", "-verify", "-binary", "-cades", "-inform", "DER", "-in", AsicContainer.SignatureName, "-content", AsicContainer.ManifestName, "-CAfile", pki.At("trust/roots/root.pem"), "-purpose", "any", "-out", "/dev/null"));
        // Its signature holds for that list of files alone.
        File.AppendAllText(Path.Combine(folder, AsicContainer.ManifestName), " ");
        Assert.NotEqual(0, Run(folder, "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", AsicContainer.SignatureName, "-content", AsicContainer.ManifestName, "-CAfile", pki.At("trust/roots/root.pem"), "-purpose", "any", "-out", "/dev/null").Code);
        Good(Run(folder, "python3", "-c", Check, container));
        foreach (var name in new[] { Document, "document.bin" }) Assert.Equal(File.ReadAllBytes(bench.At(name)), File.ReadAllBytes(Path.Combine(folder, "documents", name)));
        var findings = DispatchEvidence.Check(EvidenceFolder.Read(Path.Combine(folder, "evidence"), null)).All;
        Assert.DoesNotContain(findings, f => f.Kind == FindingKind.Bad);
        Assert.Contains(findings, f => f is { Kind: FindingKind.Good, Part: "envelope", Check: "as a whole" });
        // The author's own words and the documents beside the evidence are part of what is verified.
        Assert.Contains(findings, f => f is { Kind: FindingKind.Good, Part: "dispatch.p7s", Check: "author of the sender" });
        Assert.Contains(findings, f => f is { Kind: FindingKind.Good, Part: "documents/" + Document });
        File.AppendAllText(Path.Combine(folder, "documents", Document), " ");
        Assert.Equal([("documents/" + Document, Refusal.DocumentDigest.Code)],
            DispatchEvidence.Check(EvidenceFolder.Read(Path.Combine(folder, "evidence"), null)).All.Where(f => f.Kind == FindingKind.Bad).Select(f => (f.Part, f.Code)));
        return findings;
    }

    // Nothing in clear but the container.
    void DemandNothingLeft(params string[] files) => Assert.Equal(files, Directory.GetFileSystemEntries(bench.At("out")).Select(f => Path.GetFileName(f)!).Order());

    async Task<Guid> ArchivedAsync()
    {
        using (bench.Start("H41")) { }
        var text = new StringWriter();
        Assert.Equal(0, await ExchangeProgram.RunAsync(["--profile", bench.At("H41"), "--json", "archive", "key"], bench.Clock, text, TextWriter.Null));
        var key = JsonDocument.Parse(text.ToString()).RootElement.GetProperty("file").GetString()!;
        bench.Keys["H41"] = keys => keys with { Archive = [key] };
        var id = (await bench.SendAsync(change: Request)).Entry.Id;
        using var client = new OfficeClient(bench.Start("H41"));
        await client.RefreshAsync(Cancel);
        await client.OpenAsync(id, bench.At("received"), null, Cancel);
        return id;
    }

    async Task<AsicResult> AsicAsync(string office, Func<OfficeClient, ExportSource> source, string name = "x.asice")
    {
        Directory.CreateDirectory(bench.At("out"));
        using var client = new OfficeClient(bench.Start(office));
        var online = await client.RefreshAsync(Cancel) is null;
        return await client.ExportAsicAsync(source(client), bench.At("out", name), online, null, Cancel);
    }

    static Refusal Refused(Action act) => Assert.Throws<RefusedException>(act).Refusal;

    [Fact]
    public async Task What_was_archived_goes_into_a_container_that_Python_and_OpenSSL_check_and_whose_evidence_verifies()
    {
        var id = await ArchivedAsync();
        var done = await AsicAsync("H41", c => c.FindExport(id.ToString()[..13])!);
        Assert.Equal(("archive", "G22", id, "7816/VPCP", true, false), (done.Role, done.Sender, done.Envelope, done.Number, done.Complete, done.Stamped));
        var findings = Demand(done.File);
        // The author's own words, and this office's receipts, are in it; what only the sender has is not.
        var evidence = bench.At("unzipped-x.asice", "evidence");
        Assert.True(File.Exists(Path.Combine(evidence, "dispatch.p7s")));
        Assert.Equal((4, 1), (Directory.GetFiles(Path.Combine(evidence, "receipts")).Length, Directory.GetFiles(Path.Combine(evidence, "statuses")).Length));
        Assert.Contains(findings, f => f.Code == FindingCode.SenderHoldsR);
        Assert.False(File.Exists(Path.Combine(evidence, "opened")));
        DemandNothingLeft("x.asice");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(done.File));
        // That it was taken out is on record, and says nothing of what it is.
        var record = File.ReadAllText(Assert.Single(Directory.GetFiles(bench.At("H41", "state", "exports"))));
        Assert.Contains(id.ToString(), record, StringComparison.Ordinal);
        Assert.DoesNotContain("7816", record, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_sent_with_keep_goes_too_with_R_and_a_time_stamp_over_the_signature()
    {
        bench.Authorities = new FakeAuthorities(pki, bench.Clock);
        var id = (await bench.SendAsync(change: Request)).Entry.Id;
        var done = await AsicAsync("G22", c => c.FindExport(id.ToString())!);
        Assert.Equal(("self", true, true), (done.Role, done.Complete, done.Stamped));
        Demand(done.File);
        Assert.True(File.Exists(bench.At("unzipped-x.asice", "evidence", "opened")));
        var signature = File.ReadAllBytes(bench.At("unzipped-x.asice", AsicContainer.SignatureName));
        var token = new CmsSignedData(signature).GetSignerInfos().GetSigners().Single().UnsignedAttributes[new Org.BouncyCastle.Asn1.DerObjectIdentifier("1.2.840.113549.1.9.16.2.14")].AttrValues[0].GetEncoded("DER");
        Assert.Equal(DevPkiFixture.Now, TimeStampCheck.Run(token, [CadesSignature.Imprint(signature)], pki.Check).Time);
        // Nobody answers: it goes without.
        bench.Authorities.Away = true;
        Assert.False((await AsicAsync("G22", c => c.FindExport(id.ToString())!, "y.asice")).Stamped);
    }

    [Fact]
    public async Task What_somebody_hands_over_is_exported_by_the_recovery_key_and_without_the_gateway_proofs_are_missing()
    {
        bench.Handle("thuong", h => h with { Recovery = [pki.Directory.Find("H37")!.Encryption[0].Key] });
        var id = (await bench.SendAsync(change: Request)).Entry.Id;
        File.WriteAllBytes(bench.At("x.envelope"), bench.Gateway.Accepted[id].File);
        using (var client = new OfficeClient(bench.Start("H37"))) await client.RefreshAsync(Cancel);
        bench.Gateway.Away = true;
        var done = await AsicAsync("H37", _ => new ExportSource.Brought(bench.At("x.envelope"), bench.Gateway.Accepted[id].Receipt));
        Assert.Equal(("recovery", false), (done.Role, done.Complete));
        Demand(done.File);
        DemandNothingLeft("x.asice");
    }

    [Fact]
    public async Task Without_a_copy_that_opens_it_says_why_and_what_to_do()
    {
        var id = (await bench.SendAsync()).Entry.Id;
        using (var sender = new OfficeClient(bench.Start("G22")))
        {
            var refused = Assert.Throws<RefusedException>(() => sender.FindExport(id.ToString()));
            Assert.Equal((Refusal.ExportCopy, true), (refused.Refusal, refused.Detail.Contains("--keep", StringComparison.Ordinal)));
            Assert.Equal(Refusal.NotFound, Refused(() => sender.FindExport("ffffffff")));
        }
        using var recipient = new OfficeClient(bench.Start("H41"));
        await recipient.RefreshAsync(Cancel);
        await recipient.OpenAsync(id, bench.At("received"), null, Cancel);
        Assert.Contains("archive key", Assert.Throws<RefusedException>(() => recipient.FindExport(id.ToString())).Detail, StringComparison.Ordinal);
        // Two that begin alike are not chosen from.
        var other = (await bench.SendAsync()).Entry.Id;
        using var again = new OfficeClient(bench.Start("G22"));
        Assert.Equal(id.ToString()[0], other.ToString()[0]);
        Assert.Null(again.FindExport(id.ToString()[..1]));
    }

    [Fact]
    public async Task What_does_not_hold_leaves_nothing_and_a_file_that_is_there_stays()
    {
        var id = await ArchivedAsync();
        var kept = bench.At("H41", "state", "archive", "G22", id.ToString(), "envelope");
        var whole = File.ReadAllBytes(kept);
        File.WriteAllBytes(kept, [.. whole[..^100], (byte)(whole[^100] ^ 1), .. whole[^99..]]);
        await Assert.ThrowsAsync<RefusedException>(() => AsicAsync("H41", c => c.FindExport(id.ToString())!));
        DemandNothingLeft();
        File.WriteAllBytes(kept, whole);
        // What a kill left is swept; another export that still runs is not.
        foreach (var name in new[] { "0", "1" }) Directory.CreateDirectory(bench.At("out", ClearCopy.Opening + new string(name[0], 32)));
        File.WriteAllText(bench.At("out", ClearCopy.Opening + new string('0', 32), "letter.docx"), "clear");
        using (OfficeFiles.TryLock(bench.At("out", ClearCopy.Opening + new string('1', 32), "lock")))
            await AsicAsync("H41", c => c.FindExport(id.ToString())!);
        DemandNothingLeft(ClearCopy.Opening + new string('1', 32), "x.asice");
        var before = File.ReadAllBytes(bench.At("out", "x.asice"));
        await Assert.ThrowsAsync<IOException>(() => AsicAsync("H41", c => c.FindExport(id.ToString())!));
        Assert.Equal(before, File.ReadAllBytes(bench.At("out", "x.asice")));
    }

    [Fact]
    public async Task The_command_names_what_it_wrote_in_both_languages_and_asks_for_one_form()
    {
        var id = (await bench.SendAsync(change: Request)).Entry.Id;
        async Task<(int Code, string Text)> Command(params string[] arguments)
        {
            using var text = new StringWriter();
            var code = await ExchangeProgram.RunAsync(["--profile", bench.At("G22"), "export", .. arguments], bench.Clock, text, text);
            return (code, text.ToString());
        }
        Directory.CreateDirectory(bench.At("out"));
        string[][] wrong = [[id.ToString()], ["--asic", bench.At("out", "a")], [id.ToString(), "--asic", "a", "--smime", "b"], [id.ToString(), "--asic", bench.At("nowhere", "a")], [id.ToString(), "--asic", bench.At("out", "a"), "--to-cert", bench.At(Document)],
            [id.ToString(), "--smime", bench.At("out", "a"), "--out-of-system"], [id.ToString(), "--receipt", "r", "--asic", bench.At("out", "a")], ["--file", "none", "--asic", bench.At("out", "a")]];
        foreach (var arguments in wrong) Assert.Equal(ExchangeProgram.Usage, (await Command(arguments)).Code);
        // No gateway is there: it says that proofs are missing, and exits as for what is incomplete.
        var (code, said) = await Command(id.ToString()[..20], "--asic", bench.At("out", "a.asice"), "--lang", "vi");
        Assert.Equal(ExchangeProgram.Incomplete, code);
        Assert.Contains("đã ghi  G22  7816/VPCP  thuong  tài liệu: 2", said, StringComparison.Ordinal);
        Assert.DoesNotContain(Document, said, StringComparison.Ordinal);
        (code, said) = await Command(id.ToString(), "--asic", bench.At("out", "b.asice"), "--json");
        Assert.Equal(["Công văn số 1.pdf", "document.bin"], JsonDocument.Parse(said[said.IndexOf('{', StringComparison.Ordinal)..(said.LastIndexOf('}') + 1)]).RootElement.GetProperty("documents").EnumerateArray().Select(d => d.GetString()));
    }

    public void Dispose() => bench.Dispose();
}
