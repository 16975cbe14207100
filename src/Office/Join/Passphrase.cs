using System.Buffers.Text;
using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using Exchange.Crypto;

namespace Exchange.Office.Join;

/// <summary>Where the passphrase of key files comes from: a file, else $EXCHANGE_PASSPHRASE, else the prompt; never the command line.</summary>
static class Passphrase
{
    const int Shortest = 12, RandomBytes = 32, RandomIterations = 2_048;

    /// <summary>How often a key file's passphrase is stretched: what people choose, as often as the loader allows; what <see cref="New"/> made is 256 random bits, to which stretching adds nothing but waiting.</summary>
    public static int Iterations(string passphrase) =>
        Base64Url.IsValid(passphrase, out var bytes) && bytes == RandomBytes && passphrase.Length == Base64Url.GetEncodedLength(RandomBytes) ? RandomIterations : Crypto.Keys.Pkcs12.Iterations;

    public static Option<string?> Option(bool made = false) => new("--passphrase-file")
    {
        Description = "File whose first line opens the key files" + (made ? "; made with 256 random bits when it is not there" : "") + ". Default: $EXCHANGE_PASSPHRASE, else asked", HelpName = "FILE",
    };

    /// <exception cref="RefusedException"><see cref="Refusal.Passphrase"/>: none was given.</exception>
    public static string Get(string? file, Output say)
    {
        if (file is not null && !File.Exists(file)) throw new RefusedException(Refusal.Passphrase, $"there is no file {file}");
        var given = file is not null ? File.ReadLines(file).FirstOrDefault() : Environment.GetEnvironmentVariable("EXCHANGE_PASSPHRASE") ?? say.AskPassphrase();
        return string.IsNullOrEmpty(given) ? throw new RefusedException(Refusal.Passphrase, "no passphrase was given") : given;
    }

    /// <summary>For keys that are being made: the file is made where it is missing, and what is typed is asked for twice.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Passphrase"/>: none, too short, or typed differently.</exception>
    public static string New(string? file, Output say)
    {
        if (file is not null && !File.Exists(file))
        {
            DurableFile.CreateFolder(Path.GetDirectoryName(Path.GetFullPath(file))!);
            DurableFile.Write(file, Encoding.ASCII.GetBytes(Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomBytes)) + "\n"), replace: false);
        }
        var isTyped = file is null && Environment.GetEnvironmentVariable("EXCHANGE_PASSPHRASE") is null;
        var given = Get(file, say);
        if (given.Length < Shortest) throw new RefusedException(Refusal.Passphrase, $"shorter than {Shortest} characters");
        if (isTyped && say.AskPassphrase() != given) throw new RefusedException(Refusal.Passphrase, "typed differently the second time");
        return given;
    }
}
