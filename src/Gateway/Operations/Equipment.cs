using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Adapters.Mail;
using Exchange.Adapters.Sftp;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Trust;

namespace Exchange.Gateway.Operations;

/// <summary>Trust anchors and keys that a configuration names, opened. Everything that does not open or does not fit is named at once.</summary>
sealed class Equipment : IDisposable
{
    public const string TrustFolder = "trust";
    /// <summary>What comes by channels and is looked at; nothing in it has a name for longer than it takes to make it.</summary>
    const string Brought = "intake";

    Equipment(TrustStore anchors, X509Certificate2 tls, FileKey evidence, LedgerKeys checkpoint, SftpKey? sftp) =>
        (Anchors, Tls, Evidence, Checkpoint, Sftp) = (anchors, tls, evidence, checkpoint, sftp);

    public TrustStore Anchors { get; }
    public X509Certificate2 Tls { get; }
    public FileKey Evidence { get; }
    public LedgerKeys Checkpoint { get; }
    public SftpKey? Sftp { get; }
    public MailOptions? Mail { get; private init; }
    /// <summary>null: nobody is asked.</summary>
    public WitnessSet? Witnesses { get; private init; }
    public required string IntakeFolder { get; init; }

    /// <exception cref="OptionsException">Names everything that is wrong.</exception>
    public static Equipment Open(string data, Options options, TimeProvider clock)
    {
        List<string> errors = [];
        var intake = Path.Combine(Path.GetFullPath(data), Brought);
        var passphrase = Try(errors, "keys.passphraseFile", () => File.ReadLines(options.Keys.PassphrasePath).FirstOrDefault() ?? "") ?? "";
        var anchors = Try(errors, TrustFolder, () => TrustStore.Load(Path.Combine(data, TrustFolder)));
        var tls = Try(errors, "keys.tls", () => X509CertificateLoader.LoadPkcs12FromFile(options.Keys.Tls, passphrase));
        var evidence = Try(errors, "keys.evidence", () => FileKey.Load(options.Keys.Evidence, passphrase));
        var checkpoint = LedgerKeysOf(errors, options, passphrase);
        var sftp = options.Sftp is { } files ? Try(errors, "sftp.key", () => SftpKey.Load(files.Key, passphrase)) : null;
        if (options.Sftp is { } own && Path.GetFullPath(own.Key).StartsWith(Path.GetFullPath(data) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            errors.Add("sftp.key: must not be inside the data folder; a backup would carry it");
        var mail = options.Mail is { } letters ? Try(errors, "mail", () => letters.Open(intake, options.Limits)) : null;
        var witnesses = checkpoint is not null && options.Witness is { } asked ? Try(errors, "witness", () => asked.Open(options.Origin, checkpoint.VerifierKeys)) : null;
        if (Path.GetFullPath(options.Guard).StartsWith(Path.GetFullPath(data) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            errors.Add("guard: must not be inside the data folder; a restored backup would bring its guard along");

        if (anchors is { IsDevelopment: true } && options.Environment != Options.Development)
            errors.Add($"{TrustFolder}: a development root is refused in environment {options.Environment}");
        foreach (var (responder, i) in options.Revocation.Responders.Select((r, i) => (r, i)))
            if (anchors is not null && anchors.Roots.Concat(anchors.Intermediates).All(a => a.Key != responder.Issuer)) errors.Add($"revocation.responders[{i}].issuer: no CA of the trust folder has this key");
        if (anchors is not null)
        {
            var check = new CertificateCheck(anchors);
            if (tls is not null) Fits(errors, "keys.tls", check, () => new Certificate(tls.RawData), Purpose.TlsServer, clock);
            if (evidence is not null) Fits(errors, "keys.evidence", check, () => evidence.Certificate, Purpose.GatewayEvidence, clock);
        }

        if (errors.Count == 0) return new Equipment(anchors!, tls!, evidence!, checkpoint!, sftp) { Mail = mail, Witnesses = witnesses, IntakeFolder = intake };
        sftp?.Dispose();
        tls?.Dispose();
        evidence?.Dispose();
        checkpoint?.Dispose();
        throw new OptionsException(errors);
    }

    static LedgerKeys? LedgerKeysOf(List<string> errors, Options options, string passphrase)
    {
        var names = options.Keys.CheckpointBeside.Select((_, i) => $"keys.checkpointBeside[{i}]").Prepend("keys.checkpoint");
        var keys = options.Keys.Checkpoints.Zip(names).Select(f => Try(errors, f.Second, () => LedgerKey.Load(f.First, passphrase, options.Origin))).ToArray();
        LedgerKeys? all = null;
        if (keys.All(k => k is not null))
        {
            if (keys[0]!.VerifierKey.Type != NoteKeyType.Ed25519) errors.Add("keys.checkpoint: must be an Ed25519 key; one of another kind stands in keys.checkpointBeside");
            else if (keys.Select(k => k!.VerifierKey).Distinct().Count() != keys.Length) errors.Add("keys.checkpointBeside: a key stands there twice");
            else if (keys.Length > LedgerKeys.Most) errors.Add($"keys.checkpointBeside: at most {LedgerKeys.Most - 1} keys");
            else all = new LedgerKeys(keys!);
        }
        if (all is null) foreach (var key in keys) key?.Dispose();
        return all;
    }

    // Whether our own certificates are revoked is for the others to ask: newer lists may stand in the store than in the trust folder.
    static void Fits(List<string> errors, string name, CertificateCheck check, Func<Certificate> certificate, Purpose purpose, TimeProvider clock)
    {
        var refusal = Try(errors, name, () => check.Check(certificate(), purpose, clock.GetUtcNow()));
        if (refusal?.Refusal is { } wrong && wrong != Refusal.RevocationUnknown) errors.Add($"{name}: {wrong.Code}: {refusal.Detail}");
    }

    static T? Try<T>(List<string> errors, string name, Func<T> open) where T : class
    {
        try { return open(); }
        catch (Exception e) when (e is RefusedException or IOException or UnauthorizedAccessException or CryptographicException or FormatException or ArgumentException)
        {
            errors.Add($"{name}: {e.Message}");
            return null;
        }
    }

    public void Dispose()
    {
        Sftp?.Dispose();
        Tls.Dispose();
        Evidence.Dispose();
        Checkpoint.Dispose();
    }
}
