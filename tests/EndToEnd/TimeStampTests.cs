using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.TimeStamps;
using Exchange.Crypto.Trust;
using Exchange.Office;
using Exchange.Office.Client;
using Exchange.Office.Dev;

namespace Exchange.Tests;

/// <summary>Time-stamps between our programs and other people's, by the machine's clock.</summary>
public sealed class TimeStampTests(DevelopmentPki pki) : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("exchange-tsa-");

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    string At(string name) => Path.Combine(folder.FullName, name);

    async Task<byte[]> Shell(string script)
    {
        if (!File.Exists("/usr/bin/openssl")) Assert.Skip("no openssl command on this machine");
        var start = new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", script]) { WorkingDirectory = folder.FullName, RedirectStandardError = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(Cancel);
        var output = await process.StandardOutput.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        Assert.True(process.ExitCode == 0, await error);
        return Encoding.UTF8.GetBytes(output);
    }

    [Fact]
    public async Task The_development_authority_answers_a_query_of_OpenSSL_over_HTTP_and_OpenSSL_accepts_it()
    {
        var start = new ProcessStartInfo(Site.Exchange, ["dev", "tsa", "--pki", pki.Folder.FullName, "--lang", "en"]) { RedirectStandardOutput = true };
        using var program = Process.Start(start)!;
        try
        {
            var said = await program.StandardOutput.ReadLineAsync(Cancel);
            var address = new Uri(said!["time-stamping at ".Length..]);
            await Shell("echo text > text; openssl ts -query -data text -sha256 -cert -out query.tsq");
            using var http = new HttpClient();
            using var query = new ByteArrayContent(await File.ReadAllBytesAsync(At("query.tsq"), Cancel)) { Headers = { ContentType = new MediaTypeHeaderValue("application/timestamp-query") } };
            using var answer = await http.PostAsync(address, query, Cancel);
            Assert.Equal((HttpStatusCode.OK, "application/timestamp-reply"), (answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
            await File.WriteAllBytesAsync(At("answer.tsr"), await answer.Content.ReadAsByteArrayAsync(Cancel), Cancel);
            await Shell($"openssl ts -verify -queryfile query.tsq -in answer.tsr -CAfile {pki.At("trust", "roots", "root.pem")} -untrusted {pki.At("trust", "intermediates", "issuing.pem")}");
            using var nothing = await http.GetAsync(address, Cancel);
            Assert.Equal(HttpStatusCode.BadRequest, nothing.StatusCode);
        }
        finally
        {
            program.Kill();
            await program.WaitForExitAsync(Cancel);
        }
    }

    // A second authority: openssl ts behind HTTP, with the key of the development PKI.
    [Fact]
    public async Task An_office_takes_the_time_stamp_of_an_authority_that_is_not_ours()
    {
        await Shell($"""
            openssl pkcs12 -in {pki.At("tsa", "tsa.p12")} -passin file:{pki.At("passphrase")} -nodes -nocerts -out tsa.key
            openssl pkcs12 -in {pki.At("tsa", "tsa.p12")} -passin file:{pki.At("passphrase")} -nokeys -clcerts -out tsa.pem
            echo 01 > serial
            printf '[tsa]\ndefault_tsa = here\n[here]\nserial = serial\nsigner_cert = tsa.pem\nsigner_key = tsa.key\nsigner_digest = sha256\ndefault_policy = 1.2.3.4\ndigests = sha256\ness_cert_id_alg = sha256\n' > tsa.cnf
            """);
        using var listener = new HttpListener();
        var address = FreeAddress();
        listener.Prefixes.Add(address.AbsoluteUri);
        listener.Start();
        var answering = AnswerOnceAsync(listener);
        var profile = Profile.Load(DevProfile.Write(pki.Folder.FullName, "G22", new Uri("https://localhost:1"), At("G22"), address));
        using var office = new OfficeContext(profile, new OfficeKeys(profile, null), new OfficeFiles(profile.State), TimeProvider.System, new ClientOptions([]));
        var imprint = Digest.Of("signature"u8);
        var token = Assert.Single(await new FetchTimeStamps(office).RunAsync([imprint], Cancel));
        await answering;
        Assert.Equal("1.2.3.4", TimeStampCheck.Run(token, [imprint], new CertificateCheck(TrustStore.Load(pki.At("trust")))).Policy);
    }

    async Task AnswerOnceAsync(HttpListener listener)
    {
        var context = await listener.GetContextAsync();
        await using (var query = File.Create(At("query.tsq"))) await context.Request.InputStream.CopyToAsync(query, Cancel);
        await Shell("openssl ts -reply -config tsa.cnf -queryfile query.tsq -out answer.tsr");
        context.Response.ContentType = "application/timestamp-reply";
        await context.Response.OutputStream.WriteAsync(await File.ReadAllBytesAsync(At("answer.tsr"), Cancel), Cancel);
        context.Response.Close();
    }

    [Fact]
    public async Task A_dispatch_that_was_sent_pending_is_repaired_by_the_outbox_and_its_evidence_is_whole_then()
    {
        await using var site = await Site.StartAsync(pki);
        string[] send = ["send", site.Document("a.txt", 1), "--to", "H41", "--level", "toi-mat", "--basis", "1.2", "--approve", "signatory", "--release", "release-1", "--release", "release-2", "--sheet", site.Sheet("1", "S")];
        var sent = await site.OfficeAsync("G22", send);
        Assert.True(sent.Code == 0, sent.ToString());
        Assert.Contains("time-stamp pending", sent.Out, StringComparison.Ordinal);
        var id = Guid.Empty;
        using (var client = site.Client("G22")) id = Assert.Single(client.Outbox()).Id;
        var opened = await site.OfficeAsync("H41", "open", "--all", "--out", site.At("H41", "received"));
        Assert.True(opened.Code == 0, opened.ToString());
        Assert.Contains("its time-stamp is pending", opened.Out, StringComparison.Ordinal);
        Assert.Equal(2, (await site.OfficeAsync("G22", "outbox", "--send")).Code);
        Assert.Equal(0, (await site.OfficeAsync("G22", "receipts", id.ToString(), "--export", site.At("before"))).Code);
        var before = DispatchEvidence.Check(EvidenceFolder.Read(site.At("before"), null));
        Assert.Contains(before.All, f => f is { Part: "timestamps", Code: FindingCode.Pending });
        Assert.Equal(2, before.ExitCode);

        using var key = Exchange.Crypto.Keys.FileKey.Load(pki.At("tsa", "tsa.p12"), File.ReadLines(pki.At("passphrase")).First());
        using var authority = DevTimeStampServer.Start(new DevTimeStamps(key), 0, TimeProvider.System);
        var running = authority.RunAsync(Cancel);
        DevProfile.Write(pki.Folder.FullName, "G22", site.Gateway.Address, site.At("G22"), authority.Address);
        var repaired = await site.OfficeAsync("G22", "outbox", "--send");
        Assert.True(repaired.Code == 0, repaired.ToString());
        Assert.Contains("time-stamped", repaired.Out, StringComparison.Ordinal);
        Assert.Contains("time-stamped", (await site.OfficeAsync("G22", "status", id.ToString())).Out, StringComparison.Ordinal);
        Assert.Equal(0, (await site.OfficeAsync("G22", "receipts", id.ToString(), "--export", site.At("after"))).Code);
        var after = DispatchEvidence.Check(EvidenceFolder.Read(site.At("after"), null));
        Assert.True(after.ExitCode == 0, string.Join("\n", after.All));
        Assert.Equal(2, after.All.Count(f => f.Part.StartsWith("timestamps", StringComparison.Ordinal)));
        // The line of README.txt that anyone can copy; and a byte of a token changed is found.
        var line = File.ReadLines(Path.Combine(site.At("after"), "README.txt")).First(l => l.Contains("ts -verify", StringComparison.Ordinal)).Trim();
        await Shell($"cd {site.At("after")}; {line}");
        var tst = Path.Combine(site.At("after"), "timestamps", "01.tst");
        var bytes = await File.ReadAllBytesAsync(tst, Cancel);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(tst, bytes, Cancel);
        Assert.Equal(1, DispatchEvidence.Check(EvidenceFolder.Read(site.At("after"), null)).ExitCode);
    }

    static Uri FreeAddress()
    {
        using var socket = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return new Uri($"http://127.0.0.1:{((IPEndPoint)socket.LocalEndpoint).Port}/");
    }

    public void Dispose() => folder.Delete(recursive: true);
}
