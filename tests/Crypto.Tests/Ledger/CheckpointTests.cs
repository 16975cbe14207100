using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Xunit;

namespace Exchange.Tests.Ledger;

public sealed class CheckpointTests : IDisposable
{
    const string Origin = "test.exchange/ledger";
    readonly CheckpointKey key = CheckpointKey.Create(Origin);
    readonly string folder = Directory.CreateTempSubdirectory("checkpoint").FullName;
    static readonly Digest Root = Digest.Of([1]);

    public void Dispose()
    {
        key.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void A_signed_checkpoint_opens_to_the_same_head()
    {
        var checkpoint = new Checkpoint(Origin, 12345, Root);
        var note = key.Sign(checkpoint);
        Assert.StartsWith("test.exchange/ledger\n12345\nS/USLzRF", note, StringComparison.Ordinal);
        Assert.Equal(checkpoint, Checkpoint.Open(note, key.VerifierKey.ToString()));
        Assert.Equal(note, key.Sign(checkpoint));
    }

    [Fact]
    public void A_witness_signature_beside_ours_is_no_matter()
    {
        using var witness = CheckpointKey.Create("witness.exchange");
        var checkpoint = new Checkpoint(Origin, 7, Root);
        var line = witness.SignNote(checkpoint.Text).Split("\n\n")[1];
        Assert.Equal(checkpoint, Checkpoint.Open(Encoding.UTF8.GetBytes(key.Sign(checkpoint) + line), key.VerifierKey));
        var alone = checkpoint.Text + "\n" + line;
        Assert.Equal(Refusal.Note, Assert.Throws<RefusedException>(() => Checkpoint.Open(alone, key.VerifierKey.ToString())).Refusal);
    }

    [Fact]
    public void A_key_of_the_same_name_is_another_key()
    {
        using var other = CheckpointKey.Create(Origin);
        Assert.Throws<RefusedException>(() => Checkpoint.Open(other.Sign(new Checkpoint(Origin, 7, Root)), key.VerifierKey.ToString()));
    }

    [Theory]
    [InlineData("test.exchange/ledger\n7\nS/USLzRFVMU73i67jNK349FgCtYxw4Wl18ziPHeFRZo=\nextension\n")]
    [InlineData("other.exchange/ledger\n7\nS/USLzRFVMU73i67jNK349FgCtYxw4Wl18ziPHeFRZo=\n")]
    [InlineData("test.exchange/ledger\n07\nS/USLzRFVMU73i67jNK349FgCtYxw4Wl18ziPHeFRZo=\n")]
    [InlineData("test.exchange/ledger\n+7\nS/USLzRFVMU73i67jNK349FgCtYxw4Wl18ziPHeFRZo=\n")]
    [InlineData("test.exchange/ledger\n-7\nS/USLzRFVMU73i67jNK349FgCtYxw4Wl18ziPHeFRZo=\n")]
    [InlineData("test.exchange/ledger\n9223372036854775808\nS/USLzRFVMU73i67jNK349FgCtYxw4Wl18ziPHeFRZo=\n")]
    [InlineData("test.exchange/ledger\n7\nS/USLzRFVMU73i67jNK349FgCtYxw4Wl18ziPHeFRZp=\n")]
    [InlineData("test.exchange/ledger\n7\nS/USLzRFVMU73i67jNK349FgCtYxw4Wl18ziPHeFRZo\n")]
    [InlineData("test.exchange/ledger\n7\nAAAA\n")]
    [InlineData("test.exchange/ledger\n7\n")]
    [InlineData("\n")]
    public void Signed_text_that_is_no_checkpoint_is_refused(string text)
    {
        var note = key.SignNote(text);
        Assert.Equal(text, SignedNote.Open(Encoding.UTF8.GetBytes(note), [key.VerifierKey]).Text);
        Assert.Equal(Refusal.Note, Assert.Throws<RefusedException>(() => Checkpoint.Open(note, key.VerifierKey.ToString())).Refusal);
    }

    [Fact]
    public void Another_ledgers_checkpoint_is_not_signed() => Assert.Throws<ArgumentException>(() => key.Sign(new Checkpoint("other", 1, Root)));

    [Fact, UnsupportedOSPlatform("windows")]
    public void A_saved_key_loads_with_its_passphrase_and_only_with_it()
    {
        var path = Path.Combine(folder, "checkpoint.key");
        key.Save(path, "mật khẩu");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Throws<IOException>(() => key.Save(path, "mật khẩu"));

        using var loaded = CheckpointKey.Load(path, "mật khẩu", Origin);
        Assert.Equal(key.VerifierKey, loaded.VerifierKey);
        Assert.Equal(Refusal.Passphrase, Assert.Throws<RefusedException>(() => CheckpointKey.Load(path, "mat khau", Origin)).Refusal);

        var pem = File.ReadAllText(path);
        File.WriteAllText(path, pem.Replace("ENCRYPTED ", "", StringComparison.Ordinal));
        Assert.Equal(Refusal.Passphrase, Assert.Throws<RefusedException>(() => CheckpointKey.Load(path, "mật khẩu", Origin)).Refusal);
        // The last base64 line holds the end of the ciphertext.
        var last = pem.LastIndexOf('\n', pem.IndexOf("\n-----END", StringComparison.Ordinal) - 1) + 1;
        File.WriteAllText(path, pem[..last] + (pem[last] == 'A' ? 'B' : 'A') + pem[(last + 1)..]);
        Assert.Equal(Refusal.Passphrase, Assert.Throws<RefusedException>(() => CheckpointKey.Load(path, "mật khẩu", Origin)).Refusal);
    }

    [Fact]
    public void OpenSSL_reads_our_key_file_and_we_read_its()
    {
        var ours = Path.Combine(folder, "ours.key");
        key.Save(ours, "passphrase");
        var publicDer = Path.Combine(folder, "ours.pub");
        OpenSsl("pkey", "-in", ours, "-passin", "pass:passphrase", "-pubout", "-outform", "DER", "-out", publicDer);
        Assert.Equal(key.VerifierKey.PublicKey.ToArray(), File.ReadAllBytes(publicDer)[^32..]);

        var theirs = Path.Combine(folder, "theirs.key");
        OpenSsl("genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:passphrase", "-out", theirs);
        OpenSsl("pkey", "-in", theirs, "-passin", "pass:passphrase", "-pubout", "-outform", "DER", "-out", publicDer);
        using var loaded = CheckpointKey.Load(theirs, "passphrase", Origin);
        Assert.Equal(File.ReadAllBytes(publicDer)[^32..], loaded.VerifierKey.PublicKey.ToArray());
    }

    static void OpenSsl(params string[] arguments)
    {
        var start = new ProcessStartInfo("openssl", arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        Process process;
        try { process = Process.Start(start)!; }
        catch (System.ComponentModel.Win32Exception) { Assert.Skip("openssl is not installed"); throw; }
        using (process)
        {
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, error);
        }
    }
}
