namespace Exchange.Tests;

/// <summary>Certificates that must not get in. The client is openssl at security level 0, so that every refusal is the gateway's.</summary>
public sealed class DoorTests(DevelopmentPki pki)
{
    [Fact]
    public async Task Each_hostile_certificate_is_refused_in_the_handshake_with_the_reason_in_the_log_and_nothing_for_the_caller()
    {
        if (!File.Exists("/usr/bin/openssl")) Assert.Skip("no openssl command on this machine");
        await using var site = await Site.StartAsync(pki);
        var good = await KnockAsync(site, pki.At("offices", "H41", "tls.p12"));
        Assert.Contains("HTTP/1.1 200", good.Out, StringComparison.Ordinal);
        // The log's own words for the reason, per certificate.
        var expected = new Dictionary<string, string>
        {
            ["expired"] = "E_CERTIFICATE_TIME", ["not-yet-valid"] = "E_CERTIFICATE_TIME", ["revoked"] = "E_CERTIFICATE_REVOKED", ["wrong-eku"] = "E_CERTIFICATE_PURPOSE",
            ["foreign-ca"] = "E_CERTIFICATE_UNTRUSTED", ["sha1"] = "E_CERTIFICATE_ALGORITHM", ["rsa-1024"] = "E_CERTIFICATE_ALGORITHM", ["look-alike"] = "E_",
        };
        Assert.Equal(expected.Keys.Order(), Directory.GetFiles(pki.At("hostile"), "*.p12").Select(Path.GetFileNameWithoutExtension).Order());
        foreach (var (name, code) in expected)
        {
            var before = Lines(site);
            var answer = await KnockAsync(site, pki.At("hostile", name + ".p12"));
            Assert.DoesNotContain("HTTP/1.1 200", answer.Out, StringComparison.Ordinal);
            if (name != "look-alike") Assert.DoesNotContain("HTTP/", answer.Out, StringComparison.Ordinal);
            Assert.DoesNotContain("E_CERTIFICATE", answer.Out + answer.Error, StringComparison.Ordinal);
            await Site.UntilAsync(() => Task.FromResult(Lines(site).Skip(before.Length).Any(l => l.Contains(code, StringComparison.Ordinal))), $"{name}: {code} in the log");
        }
        // No certificate at all.
        var nobody = await Site.RunAsync("/bin/bash", ["-c", $"printf 'GET /health HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n' | timeout 10 openssl s_client -connect 127.0.0.1:{site.Gateway.Address.Port} -ign_eof -quiet"]);
        Assert.DoesNotContain("HTTP/", nobody.Out, StringComparison.Ordinal);
    }

    string[] Lines(Site site)
    {
        using var stream = new FileStream(site.Log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    Task<Ran> KnockAsync(Site site, string p12)
    {
        var pem = site.At(Path.GetFileNameWithoutExtension(p12) + ".pem");
        return Site.RunAsync("/bin/bash", ["-c", $"""
            openssl pkcs12 -in {p12} -passin file:{pki.At("passphrase")} -nodes -out {pem} 2>/dev/null || openssl pkcs12 -legacy -in {p12} -passin file:{pki.At("passphrase")} -nodes -out {pem}
            openssl pkcs12 -in {p12} -passin file:{pki.At("passphrase")} -clcerts -nokeys -out {pem}.crt
            printf 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' | timeout 20 openssl s_client -connect 127.0.0.1:{site.Gateway.Address.Port} -cert {pem}.crt -key {pem} -cert_chain {pem} -CAfile {pki.At("trust", "roots", "root.pem")} -cipher DEFAULT@SECLEVEL=0 -ign_eof -quiet
            """]);
    }
}
