using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Keys;

namespace Exchange.Office.Client;

/// <summary>The office's private keys, each loaded when first asked for.</summary>
public sealed class OfficeKeys : IDisposable
{
    readonly Profile profile;
    readonly Lazy<string> passphrase;
    readonly Dictionary<string, FileKey> loaded = new(StringComparer.Ordinal);
    X509Certificate2? tls;

    /// <param name="prompt">Asked once, only when neither file nor environment gives the passphrase.</param>
    public OfficeKeys(Profile profile, Func<string?>? prompt)
    {
        this.profile = profile;
        passphrase = new Lazy<string>(() => profile.Passphrase(prompt));
    }

    /// <summary>Signs headers and receipts.</summary>
    public IPrivateKey Sign => Load(profile.Keys.Sign);

    /// <summary>Keys that envelopes were sealed to: the current one first.</summary>
    public IEnumerable<IPrivateKey> Encrypt => profile.Keys.Encrypt.Select(Load);

    /// <summary>Keys of the archive: the current one first. Empty: nothing is archived.</summary>
    public IEnumerable<IPrivateKey> Archive => profile.Keys.Archive.Select(Load);

    /// <summary>The person's key of a role; null when this profile has none.</summary>
    public IPrivateKey? Person(string role) => profile.Keys.Persons.TryGetValue(role, out var file) ? Load(file) : null;

    /// <summary>Client certificate for the connection, with what is needed to complete its chain.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Passphrase"/>.</exception>
    public SslStreamCertificateContext Tls(IEnumerable<ReadOnlyMemory<byte>> intermediates)
    {
        try { tls ??= X509CertificateLoader.LoadPkcs12FromFile(profile.Keys.Tls, passphrase.Value); }
        catch (System.Security.Cryptography.CryptographicException) { throw new RefusedException(Refusal.Passphrase, profile.Keys.Tls); }
        return SslStreamCertificateContext.Create(tls, [.. intermediates.Select(i => X509CertificateLoader.LoadCertificate(i.Span))], offline: true);
    }

    FileKey Load(string file)
    {
        lock (loaded)
        {
            if (!loaded.TryGetValue(file, out var key)) loaded[file] = key = FileKey.Load(file, passphrase.Value);
            return key;
        }
    }

    public void Dispose()
    {
        foreach (var key in loaded.Values) key.Dispose();
        tls?.Dispose();
    }
}
