using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Exchange.Benchmarks;

/// <summary>Other people's programs that do the same job on the same file, each with keys of its own, as shell scripts: a pipe is a pipe, and every process of it is counted.</summary>
sealed partial class Peer
{
    readonly string folder, seal, open;
    readonly string? end;

    Peer(string name, string folder, string seal, string open, string? end = null) => (Name, this.folder, this.seal, this.open, this.end) = (name, folder, seal, open, end);

    public string Name { get; }
    string Sealed => Path.Combine(folder, "sealed");
    public string Opened => Path.Combine(folder, "opened");

    /// <summary>null: it is not installed, or says no to its own keys.</summary>
    public static Peer? Age(string work, string file) => Make("age", work, "age-keygen -o key; age-keygen -y key > recipient",
        $"age -R recipient -o sealed '{file}'", "age -d -i key -o opened sealed");

    /// <summary>With a home and keys of its own, on the curves that it takes by default and that go with SHA-256; without compression, which random bytes would make pointless.</summary>
    public static Peer? Gpg(string work, string file)
    {
        const string gpg = "gpg --homedir . --batch --quiet --no-tty --yes --trust-model always";
        return Make("gpg -se", work, $$"""
            chmod 700 .
            {{gpg}} --pinentry-mode loopback --passphrase '' --quick-generate-key office ed25519 sign never
            {{gpg}} --pinentry-mode loopback --passphrase '' --quick-add-key $({{gpg}} --with-colons --list-keys office | awk -F: '/^fpr/ { print $10; exit }') cv25519 encr never
            """,
            $"{gpg} --compress-algo none --cipher-algo AES256 --digest-algo SHA256 -u office -r office -o sealed -s -e '{file}'", $"{gpg} -o opened -d sealed", "gpgconf --homedir . --kill all");
    }

    /// <summary>Signed by the person and encrypted with AES-256-GCM to the recipient, in one pipe; the same keys as the product's.</summary>
    public static Peer? OpenSsl(string work, string file, string pki) => Make("openssl cms", work, $"""
            for key in G22/persons/clerk H41/encrypt; do openssl pkcs12 -in '{pki}'/offices/$key.p12 -passin 'file:{pki}/passphrase' -nodes -clcerts -out $(basename $key).pem; done
            cat '{pki}'/trust/roots/*.pem '{pki}'/trust/intermediates/*.pem > chain.pem
            """,
        $"openssl cms -sign -binary -nodetach -stream -outform DER -md sha256 -signer clerk.pem -in '{file}' | openssl cms -encrypt -binary -stream -outform DER -aes-256-gcm -recip encrypt.pem -keyopt ecdh_kdf_md:sha384 -out sealed",
        "openssl cms -decrypt -binary -inform DER -recip encrypt.pem -inkey encrypt.pem -in sealed | openssl cms -verify -binary -inform DER -CAfile chain.pem -purpose any -out opened");

    static Peer? Make(string name, string work, string keys, string seal, string open, string? end = null)
    {
        var folder = Directory.CreateDirectory(Path.Combine(work, name.Split(' ')[0])).FullName;
        try
        {
            Shell(folder, keys).GetAwaiter().GetResult();
            return new Peer(name, folder, seal, open, end);
        }
        catch (InvalidOperationException e)
        {
            Console.WriteLine($"{name}: not run. {e.Message}");
            return null;
        }
    }

    /// <returns>Processor seconds of all its processes.</returns>
    public Task<double> SealAsync()
    {
        File.Delete(Sealed);
        return Shell(folder, seal);
    }

    public Task<double> OpenAsync()
    {
        File.Delete(Opened);
        return Shell(folder, open);
    }

    public Task EndAsync() => end is null ? Task.CompletedTask : Shell(folder, end);

    static async Task<double> Shell(string folder, string script)
    {
        var start = new ProcessStartInfo("bash") { WorkingDirectory = folder, RedirectStandardError = true, RedirectStandardOutput = true };
        start.ArgumentList.Add("-ec");
        start.ArgumentList.Add($"set -o pipefail\n{script}\ntimes");
        using var bash = Process.Start(start)!;
        var said = await Task.WhenAll(bash.StandardOutput.ReadToEndAsync(), bash.StandardError.ReadToEndAsync());
        await bash.WaitForExitAsync();
        if (bash.ExitCode != 0) throw new InvalidOperationException(said[1].Trim().Split('\n')[^1]);
        // The second line of `times`: user and system time of its children.
        return Minutes().Matches(said[0].Trim().Split('\n')[^1]).Sum(m => 60 * Value(m, 1) + Value(m, 2));
    }

    static double Value(Match match, int group) => double.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"(\d+)m([\d.]+)s")]
    private static partial Regex Minutes();
}
