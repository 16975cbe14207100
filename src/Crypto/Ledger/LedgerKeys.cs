using System.Text;

namespace Exchange.Crypto.Ledger;

/// <summary>One key with which a ledger signs its own checkpoints: Ed25519 (a line of type 01) or ML-DSA-44 (type 06, named after the origin, time 0). Deterministic: the same head gives the same line.</summary>
public sealed class LedgerKey : IDisposable
{
    readonly CheckpointKey? classic;
    readonly CosignerKey? postQuantum;

    public LedgerKey(CheckpointKey key) => classic = key;

    LedgerKey(CosignerKey key) => postQuantum = key;

    public VerifierKey VerifierKey => classic?.VerifierKey ?? postQuantum!.VerifierKey;

    /// <summary>A fresh key for the ledger of this name.</summary>
    public static LedgerKey Create(string origin, NoteKeyType type) => type switch
    {
        NoteKeyType.Ed25519 => new(CheckpointKey.Create(origin)),
        NoteKeyType.MlDsa44Cosignature => new(CosignerKey.Create(origin, type)),
        _ => throw new ArgumentException("A ledger does not sign with a key of this type.", nameof(type)),
    };

    /// <summary>The line that this key adds to the checkpoint's note, newline included.</summary>
    public string SignLine(Checkpoint checkpoint) => classic?.SignLine(checkpoint) ?? postQuantum!.SignLine(checkpoint, time: 0);

    /// <summary>Writes the key, encrypted, to a new file that only its owner may read; durable on return.</summary>
    /// <exception cref="IOException">The file exists: a key is never overwritten.</exception>
    public void Save(string path, ReadOnlySpan<char> passphrase)
    {
        if (classic is not null) classic.Save(path, passphrase);
        else postQuantum!.Save(path, passphrase);
    }

    /// <summary>The key of a file; its algorithm says the type.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Passphrase"/>: wrong passphrase, or not such a file.</exception>
    public static LedgerKey Load(string path, ReadOnlySpan<char> passphrase, string origin) => KeyFile.Load(path, passphrase, "checkpoint key", plain =>
        plain.Length == Ed25519KeyInfo.Size ? new LedgerKey(CheckpointKey.Read(origin, plain)) : new LedgerKey(CosignerKey.Read(origin, plain)));

    public void Dispose()
    {
        classic?.Dispose();
        postQuantum?.Dispose();
    }
}

/// <summary>
/// All keys with which a ledger signs at one time: the first is Ed25519, for every reader that there is; beside it ML-DSA-44, and while one takes over from another
/// both of them. docs/ledger.md says how keys change.
/// </summary>
public sealed class LedgerKeys : IDisposable
{
    /// <summary>Leaves room in a note for the lines of witnesses.</summary>
    public const int Most = 8;
    readonly LedgerKey[] keys;

    /// <param name="keys">The first Ed25519, all of one origin, none twice. Owned from here on.</param>
    public LedgerKeys(params IReadOnlyList<LedgerKey> keys)
    {
        this.keys = [.. keys];
        if (keys.Count is 0 or > Most || keys[0].VerifierKey.Type != NoteKeyType.Ed25519) throw new ArgumentException("The first key of a ledger is Ed25519.", nameof(keys));
        if (keys.Any(k => k.VerifierKey.Name != Origin) || VerifierKeys.Distinct().Count() != keys.Count) throw new ArgumentException("Keys of one ledger, each once.", nameof(keys));
    }

    public string Origin => keys[0].VerifierKey.Name;

    /// <summary>The public halves, in the order of the lines.</summary>
    public IReadOnlyList<VerifierKey> VerifierKeys => [.. keys.Select(k => k.VerifierKey)];

    /// <summary>False: a forger has one algorithm to break.</summary>
    public bool SignTwice => keys.Any(k => k.VerifierKey.Type == NoteKeyType.MlDsa44Cosignature);

    /// <summary>The checkpoint's note, a line of each key. Deterministic: the same head and keys give the same bytes.</summary>
    public string Sign(Checkpoint checkpoint) => $"{checkpoint.Text}\n{string.Concat(keys.Select(k => k.SignLine(checkpoint)))}";

    /// <summary>Whether keys may sign the head after this note: one of them signed it, and no algorithm that it has is missing. What everyone who reads the heads in order demands.</summary>
    /// <returns>null: they may. Else why not.</returns>
    /// <exception cref="RefusedException"><see cref="Refusal.Note"/>: not a note, or a line by one of the keys that does not verify.</exception>
    public static string? WhyNotAfter(string note, IReadOnlyCollection<VerifierKey> next)
    {
        var bytes = Encoding.UTF8.GetBytes(note);
        var lines = SignedNote.Read(bytes).Lines;
        if (!next.Any(k => lines.Any(l => l.IsBy(k)))) return "none of the keys signed the newest kept checkpoint: keys change with an overlap";
        SignedNote.Open(bytes, next);
        // A retired key's algorithm shows in the length of its line.
        var origin = next.First().Name;
        return lines.Any(l => l.Name == origin && l.Signature.Length == sizeof(long) + Cosignature.MlDsa44SignatureSize) && next.All(k => k.Type != NoteKeyType.MlDsa44Cosignature)
            ? "the newest kept checkpoint is signed with ML-DSA-44 as well, and none of the keys is of that kind" : null;
    }

    public void Dispose()
    {
        foreach (var key in keys) key.Dispose();
    }
}
