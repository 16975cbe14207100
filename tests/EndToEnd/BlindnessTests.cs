using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace Exchange.Tests;

/// <summary>The gateway never holds plaintext, a subject, or a key that opens: looked for as bytes wherever it could have left them.</summary>
public sealed class BlindnessTests(DevelopmentPki pki)
{
    const string Body = "KIM-TU-THAP-7f3a91c2-noi-dung", Subject = "TRICH-YEU-5be0d7-khong-ai-duoc-doc";

    [Fact]
    public async Task No_plaintext_subject_document_name_or_key_is_in_store_logs_answers_temp_files_or_memory_of_the_gateway()
    {
        await using var site = await Site.StartAsync(pki);
        // Inline, uploaded apart, and refused: each way a dispatch can take.
        Assert.Equal(0, (await site.SendAsync(site.Document("ten-tai-lieu-c4d1.bin", 1, Body), "H41", "1", Subject)).Code);
        Assert.Equal(0, (await site.SendAsync(site.Document("ten-tai-lieu-c4d1-2.bin", 20, Body), "H41,H37", "2", Subject)).Code);
        var refused = await site.OfficeAsync("G22", "send", site.Document("ten-tai-lieu-c4d1-3.bin", 1, Body), "--to", "H14", "--level", "mat", "--basis", "K1", "--approve", "signatory", "--sheet", site.Sheet("3", Subject), "--json");
        Assert.Equal(1, refused.Code);
        Assert.DoesNotContain(Subject, refused.Out, StringComparison.Ordinal);
        var memory = Memory(site.Gateway.Id);
        Assert.Equal(0, (await site.OfficeAsync("H41", "open", "--all", "--out", site.At("H41", "received"))).Code);

        var secrets = Secrets(site);
        foreach (var file in Directory.GetFiles(site.Data, "*", SearchOption.AllDirectories).Concat(Directory.GetFiles(site.Data + ".guard")).Append(site.Log).Where(f => Path.GetFileName(f) != "lock"))
            NothingIn(ReadShared(file), secrets, file);
        NothingIn(memory, secrets, "memory of the gateway");
        // The search itself works: what may be there is found, and the offices' side has what the gateway has not.
        Assert.Contains(Directory.GetFiles(Path.Combine(site.Data, "store"), "*", SearchOption.AllDirectories), f => ReadShared(f).AsSpan().IndexOf("H41"u8) >= 0);
        using var configuration = JsonDocument.Parse(ReadShared(Path.Combine(site.Data, "gateway.json")));
        var origin = configuration.RootElement.GetProperty("origin").GetString()!;
        Assert.True(memory.AsSpan().IndexOf(Encoding.Unicode.GetBytes(origin)) >= 0);
        Assert.Contains(Directory.GetFiles(site.At("H41", "received"), "*", SearchOption.AllDirectories), f => File.ReadAllBytes(f).AsSpan().IndexOf(Encoding.UTF8.GetBytes(Body)) >= 0);
    }

    List<(string Name, byte[] Bytes)> Secrets(Site site)
    {
        var secrets = new List<(string, byte[])>();
        foreach (var (name, text) in new[] { ("plaintext", Body), ("subject", Subject), ("document name", "ten-tai-lieu-c4d1") })
            secrets.AddRange([(name, Encoding.UTF8.GetBytes(text)), ($"{name} in UTF-16", Encoding.Unicode.GetBytes(text)), ($"{name} in base64", Encoding.ASCII.GetBytes(Convert.ToBase64String(Encoding.UTF8.GetBytes(text))[..20]))]);
        foreach (var office in new[] { "G22", "H41", "H14" })
        {
            using var certificate = X509CertificateLoader.LoadPkcs12FromFile(pki.At("offices", office, "encrypt.p12"), File.ReadLines(pki.At("passphrase")).First(), X509KeyStorageFlags.Exportable);
            using var key = certificate.GetECDiffieHellmanPrivateKey()!;
            var exported = key.ExportEncryptedPkcs8PrivateKey("x", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1));
            using var again = ECDiffieHellman.Create();
            again.ImportEncryptedPkcs8PrivateKey("x", exported, out _);
            secrets.Add(($"private key of {office}", again.ExportParameters(includePrivateParameters: true).D!));
        }
        using var client = site.Client("G22");
        secrets.AddRange(client.Outbox().Select(e => ("R of a dispatch", e.Opened())));
        return secrets;
    }

    static void NothingIn(byte[] haystack, List<(string Name, byte[] Bytes)> secrets, string where)
    {
        foreach (var (name, bytes) in secrets)
            Assert.True(haystack.AsSpan().IndexOf(bytes) < 0, $"{name} found in {where}");
    }

    static byte[] ReadShared(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    // Every readable page, as a core dump would have it.
    static byte[] Memory(int process)
    {
        using var all = new MemoryStream();
        using var memory = new FileStream($"/proc/{process}/mem", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1);
        foreach (var line in File.ReadLines($"/proc/{process}/maps"))
        {
            var parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (!parts[1].StartsWith("rw", StringComparison.Ordinal)) continue;
            var range = parts[0].Split('-').Select(a => long.Parse(a, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToArray();
            var page = new byte[1 << 20];
            for (var at = range[0]; at < range[1] && all.Length < 1L << 30; at += page.Length)
            {
                try
                {
                    memory.Position = at;
                    var read = memory.Read(page, 0, (int)Math.Min(page.Length, range[1] - at));
                    if (page.AsSpan(0, read).IndexOfAnyExcept((byte)0) >= 0) all.Write(page, 0, read);
                }
                catch (IOException) { break; }
            }
        }
        return all.ToArray();
    }
}
