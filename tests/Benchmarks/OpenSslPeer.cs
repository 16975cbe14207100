using System.Diagnostics;

namespace Exchange.Benchmarks;

/// <summary>The triple wrap by `openssl cms` alone: signed by the person, encrypted with AES-256-GCM to the recipient, signed by the office.</summary>
sealed class OpenSslPeer
{
    readonly string work, file;

    public OpenSslPeer(string pki, string work, string file)
    {
        (this.work, this.file) = (work, file);
        foreach (var (key, name) in new[] { ("G22/sign", "office"), ("G22/persons/clerk", "clerk"), ("H41/encrypt", "recipient") })
            Shell($"openssl pkcs12 -in '{pki}/offices/{key}.p12' -passin 'file:{pki}/passphrase' -nodes -clcerts -out {name}.pem").GetAwaiter().GetResult();
        Shell($"cat '{pki}'/trust/roots/*.pem '{pki}'/trust/intermediates/*.pem > chain.pem").GetAwaiter().GetResult();
    }

    public Task SealAsync() => Shell($"""
        openssl cms -sign -binary -nodetach -stream -outform DER -md sha256 -signer clerk.pem -in '{file}' -out 1.der
        openssl cms -encrypt -binary -stream -outform DER -aes-256-gcm -recip recipient.pem -keyopt ecdh_kdf_md:sha384 -in 1.der -out 2.der
        openssl cms -sign -binary -nodetach -stream -outform DER -md sha256 -signer office.pem -in 2.der -out 3.der
        """);

    public Task OpenAsync() => Shell("""
        openssl cms -verify -binary -inform DER -CAfile chain.pem -purpose any -in 3.der -out 4.der
        openssl cms -decrypt -binary -inform DER -recip recipient.pem -inkey recipient.pem -in 4.der -out 5.der
        openssl cms -verify -binary -inform DER -CAfile chain.pem -purpose any -in 5.der -out 6.bin
        """);

    async Task Shell(string script)
    {
        var start = new ProcessStartInfo("bash") { WorkingDirectory = work, RedirectStandardError = true };
        start.ArgumentList.Add("-ec");
        start.ArgumentList.Add(script);
        using var bash = Process.Start(start)!;
        var said = await bash.StandardError.ReadToEndAsync();
        await bash.WaitForExitAsync();
        if (bash.ExitCode != 0) throw new InvalidOperationException("openssl: " + said);
    }
}
