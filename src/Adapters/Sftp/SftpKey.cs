using System.Security.Cryptography;
using Renci.SshNet;
using Renci.SshNet.Common;
using Renci.SshNet.Security;

namespace Exchange.Adapters.Sftp;

/// <summary>The key that the gateway shows to SFTP servers: Ed25519 or ECDSA on P-384, encrypted in its file, as `ssh-keygen` writes it. One for all connections.</summary>
public sealed class SftpKey : IDisposable
{
    readonly PrivateKeyFile file;

    SftpKey(PrivateKeyFile file) => this.file = file;

    internal IPrivateKeySource Source => file;

    /// <exception cref="CryptographicException">Not a key, of another kind, not encrypted, or under another passphrase.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SftpKey Load(string path, string passphrase)
    {
        // The other keys are never in the clear on a disk, and neither is this one.
        if (Opens(path, null) is { } open)
        {
            open.Dispose();
            throw new CryptographicException("the key is not encrypted: give it the passphrase of the others with ssh-keygen -p");
        }
        var file = Opens(path, passphrase) ?? throw new CryptographicException("another passphrase, or not a private key");
        if (file.Key is ED25519Key or EcdsaKey { KeyLength: 384 }) return new SftpKey(file);
        file.Dispose();
        throw new CryptographicException("must be Ed25519 or ECDSA on P-384: ssh-keygen -t ed25519, or -t ecdsa -b 384");
    }

    static PrivateKeyFile? Opens(string path, string? passphrase)
    {
        try { return new PrivateKeyFile(path, passphrase); }
        // How the parts of a file under another passphrase look is anybody's guess, and so is what a parser makes of it.
        catch (Exception e) when (e is SshException or CryptographicException or ArgumentException or FormatException or InvalidOperationException or NotSupportedException) { return null; }
    }

    public void Dispose() => file.Dispose();
}
