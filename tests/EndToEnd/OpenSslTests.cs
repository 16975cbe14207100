using Exchange.Crypto.Evidence;
using Exchange.Office;

namespace Exchange.Tests;

/// <summary>What passed a real gateway is read by somebody else's CMS.</summary>
public sealed class OpenSslTests(DevelopmentPki pki)
{
    [Fact]
    public async Task Header_receipts_and_manifest_of_a_real_dispatch_are_read_with_openssl_alone()
    {
        if (!File.Exists("/usr/bin/openssl")) Assert.Skip("no openssl command on this machine");
        await using var site = await Site.StartAsync(pki);
        Assert.Equal(0, (await site.OfficeAsync("G22", "send", site.Document("a.bin", 1), "--to", "H41,H37", "--level", "thuong", "--keep", "--sheet", site.Sheet("7816", "Trích yếu chỉ nơi nhận đọc"))).Code);
        foreach (var office in new[] { "H41", "H37" }) Assert.Equal(0, (await site.OfficeAsync(office, "open", "--all", "--out", site.At(office, "received"))).Code);
        string id;
        using (var client = site.Client("G22")) id = client.Outbox()[0].Id.ToString();
        var evidence = site.At("evidence");
        var exported = await site.OfficeAsync("G22", "receipts", id, "--export", evidence);
        Assert.True(exported.Code == 0, exported.ToString());

        var header = await Shell(evidence, "openssl cms -verify -inform DER -in header.p7s -CAfile trust/chain.pem -purpose any");
        Assert.Contains($"\"id\":\"{id}\"", header.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("Trích yếu", header.Out, StringComparison.Ordinal);
        foreach (var file in Directory.GetFiles(Path.Combine(evidence, "receipts")))
        {
            var receipt = await Shell(evidence, $"openssl cms -verify -inform DER -in {file} -CAfile trust/chain.pem -purpose any");
            Assert.True(receipt.Code == 0, receipt.ToString());
            Assert.Contains("\"event\":", receipt.Out, StringComparison.Ordinal);
        }
        // P-384 and RSA-3072, each with its own key.
        foreach (var office in new[] { "H41", "H37" }) await AuthorIsReadWithOpenSsl(evidence, office);
        var whole = await Site.RunAsync(Site.Exchange, ["verify", "--dispatch", evidence, "--pins", pki.At("pins.json")]);
        Assert.True(whole.Code == 0, whole.ToString());
        AFlippedByteIsFound(evidence);
        await TheContainerHoldsTheSame(site, id);
        await TheEvidenceFileTellsItsStory(site, id);
    }

    async Task TheContainerHoldsTheSame(Site site, string id)
    {
        var exported = await site.OfficeAsync("G22", "export", id, "--asic", site.At("x.asice"));
        Assert.True(exported.Code == 0, exported.ToString());
        System.IO.Compression.ZipFile.ExtractToDirectory(site.At("x.asice"), site.At("x"));
        Assert.Equal(File.ReadAllBytes(site.At("a.bin")), File.ReadAllBytes(site.At("x", "documents", "a.bin")));
        var signed = await Shell(site.At("x"), "openssl cms -verify -binary -cades -inform DER -in META-INF/signature.p7s -content META-INF/ASiCManifest.xml -CAfile evidence/trust/chain.pem -purpose any");
        Assert.True(signed.Code == 0, signed.ToString());
        var whole = await Site.RunAsync(Site.Exchange, ["verify", "--dispatch", site.At("x", "evidence"), "--pins", pki.At("pins.json")]);
        Assert.True(whole.Code == 0, whole.ToString());
    }

    async Task TheEvidenceFileTellsItsStory(Site site, string id)
    {
        var decided = await Site.RunAsync(Site.GatewayProgram, ["decision", id, "--data", site.Data, "--out", site.At("decisions")]);
        Assert.True(decided.Code == 0, decided.ToString());
        var exported = await site.OfficeAsync("G22", "receipts", id, "--export", site.At("x.zip"), "--decision", site.At("decisions"));
        Assert.True(exported.Code == 0, exported.ToString());
        var story = await Site.RunAsync(Site.Exchange, ["audit", "story", site.At("x.zip"), "--pins", pki.At("pins.json"), "--lang", "en"]);
        Assert.True(story.Code == 0, story.ToString());
        // What the real gateway decided is decided again, and comes out alike.
        Assert.Contains("made again here with the same outcome: permit", story.Out, StringComparison.Ordinal);
        foreach (var office in new[] { "H41", "H37" }) Assert.Matches($"{office} .*opened at .*, which is proven", story.Out);
        System.IO.Compression.ZipFile.ExtractToDirectory(site.At("x.zip"), site.At("unpacked"));
        var second = await Shell(site.At("unpacked"), "sha256sum --strict -c contents.txt > /dev/null && for r in header.p7s receipts/*.p7s; do openssl cms -verify -inform DER -in $r -CAfile trust/chain.pem -purpose any > /dev/null || exit 1; done");
        Assert.True(second.Code == 0, second.ToString());
    }

    async Task AuthorIsReadWithOpenSsl(string evidence, string office)
    {
        var dispatch = await Shell(evidence, $"""
            set -o pipefail
            openssl pkcs12 -in {pki.At("offices", office, "encrypt.p12")} -passin file:{pki.At("passphrase")} -clcerts -nodes -out key.pem
            openssl cms -decrypt -inform DER -in manifest.p7m -recip key.pem -inkey key.pem | tail -c +65 | openssl cms -verify -inform DER -CAfile trust/chain.pem -purpose any
            """);
        Assert.True(dispatch.Code == 0, dispatch.ToString());
        Assert.Contains("Trích yếu chỉ nơi nhận đọc", dispatch.Out, StringComparison.Ordinal);
    }

    void AFlippedByteIsFound(string evidence)
    {
        var pins = EvidenceFolder.PinsOf(pki.At("pins.json"));
        string[] kinds = [".p7s", ".p7m", "checkpoint.txt", "opened"];
        foreach (var file in Directory.GetFiles(evidence, "*", SearchOption.AllDirectories).Where(f => kinds.Any(k => f.EndsWith(k, StringComparison.Ordinal))))
        {
            var bytes = File.ReadAllBytes(file);
            bytes[bytes.Length / 2] ^= 1;
            File.WriteAllBytes(file, bytes);
            Assert.True(DispatchEvidence.Check(EvidenceFolder.Read(evidence, pins)).Verdict == FindingKind.Bad, file);
            bytes[bytes.Length / 2] ^= 1;
            File.WriteAllBytes(file, bytes);
        }
    }

    static Task<Ran> Shell(string folder, string script) => Site.RunAsync("/bin/bash", ["-c", script], folder: folder);
}
