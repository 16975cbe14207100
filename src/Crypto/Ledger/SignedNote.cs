using System.Buffers.Binary;
using System.Text;

namespace Exchange.Crypto.Ledger;

/// <summary>
/// C2SP signed-note: UTF-8 text that ends in a newline, an empty line, and signature lines "— name base64(key id ‖ signature)". The form, its limits and the order
/// of checks are those of golang.org/x/mod/sumdb/note, so that its verdicts and ours agree.
/// </summary>
/// <param name="Text">What was signed, final newline included.</param>
/// <param name="Verified">By known keys, one each; never empty.</param>
/// <param name="Others">Of keys not known here: witnesses, keys to come. Say nothing.</param>
public sealed record SignedNote(string Text, IReadOnlyList<NoteSignature> Verified, IReadOnlyList<NoteSignature> Others)
{
    public const int MaxBytes = 1_000_000;
    public const int MaxSignatures = 100;
    const string Dash = "— ";
    static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a note; a signature by one of the keys must be there, and each that is there must verify.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Note"/>; the detail says which rule.</exception>
    public static SignedNote Open(ReadOnlySpan<byte> note, IReadOnlyCollection<VerifierKey> known)
    {
        var (text, lines) = Split(note);
        var verified = new List<NoteSignature>();
        var others = new List<NoteSignature>();
        foreach (var line in lines)
        {
            var signature = ParseLine(line);
            var keys = known.Where(signature.IsBy).Take(2).ToArray();
            if (keys.Length > 1) throw new RefusedException(Refusal.Note, "ambiguous key");
            if (keys.Length == 0)
            {
                if (!others.Any(o => o.Line == signature.Line)) others.Add(signature);
            }
            else if (!verified.Any(v => v.Name == signature.Name && v.KeyId == signature.KeyId))
            {
                if (!keys[0].Verify(Encoding.UTF8.GetBytes(text), signature.Signature.Span)) throw new RefusedException(Refusal.Note, "invalid signature");
                verified.Add(signature);
            }
        }
        return verified.Count > 0 ? new SignedNote(text, verified, others) : throw new RefusedException(Refusal.Note, "no verifiable signatures");
    }

    /// <summary>Text and signature lines, none of them verified: for who must say which line is wrong. Most callers want <see cref="Open"/>.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Note"/>: not the form of a note.</exception>
    public static (string Text, IReadOnlyList<NoteSignature> Lines) Read(ReadOnlySpan<byte> note)
    {
        var (text, lines) = Split(note);
        return (text, [.. lines.Select(ParseLine)]);
    }

    /// <summary>Signature lines alone, as a witness answers them.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Note"/>.</exception>
    public static IReadOnlyList<NoteSignature> ReadLines(ReadOnlySpan<byte> lines)
    {
        // A note of one empty line of text: the same limits and the same form.
        byte[] note = [(byte)'\n', (byte)'\n', .. lines];
        return Read(note) is ("\n", var read) ? read : throw Malformed("signature lines");
    }

    /// <summary>The line that a signature adds to a note, newline included.</summary>
    public static string SignatureLine(string name, uint keyId, ReadOnlySpan<byte> signature)
    {
        var blob = new byte[sizeof(uint) + signature.Length];
        BinaryPrimitives.WriteUInt32BigEndian(blob, keyId);
        signature.CopyTo(blob.AsSpan(sizeof(uint)));
        return $"{Dash}{name} {Convert.ToBase64String(blob)}\n";
    }

    /// <summary>Names of keys: not empty, no white space, no plus sign.</summary>
    public static bool IsName(string name) => name.Length > 0 && !name.Any(c => char.IsWhiteSpace(c) || c == '+');

    internal static (string Text, string[] Lines) Split(ReadOnlySpan<byte> note)
    {
        if (note.Length > MaxBytes) throw Malformed("too long");
        string all;
        try { all = StrictUtf8.GetString(note); }
        catch (DecoderFallbackException) { throw Malformed("not UTF-8"); }
        if (all.Any(c => c < ' ' && c != '\n')) throw Malformed("control character");
        var split = all.LastIndexOf("\n\n", StringComparison.Ordinal);
        if (split < 0) throw Malformed("no empty line");
        var signatures = all[(split + 2)..];
        if (signatures.Length == 0 || signatures[^1] != '\n') throw Malformed("no signature, or no final newline");
        var lines = signatures[..^1].Split('\n');
        return lines.Length <= MaxSignatures ? (all[..(split + 1)], lines) : throw Malformed("too many signatures");
    }

    internal static NoteSignature ParseLine(string line)
    {
        if (!line.StartsWith(Dash, StringComparison.Ordinal)) throw Malformed("not a signature line");
        var parts = line[Dash.Length..].Split(' ');
        if (parts.Length != 2 || !IsName(parts[0]) || !TryBase64(parts[1], out var blob) || blob.Length < 5) throw Malformed("signature line");
        return new NoteSignature(parts[0], BinaryPrimitives.ReadUInt32BigEndian(blob), blob.AsMemory(sizeof(uint)), line);
    }

    // RFC 4648 section 4, one spelling only: no white space, padding as written.
    internal static bool TryBase64(string text, out byte[] bytes)
    {
        bytes = new byte[text.Length];
        if (text.Length == 0 || !Convert.TryFromBase64String(text, bytes, out var written)) return false;
        Array.Resize(ref bytes, written);
        return Convert.ToBase64String(bytes) == text;
    }

    static RefusedException Malformed(string what) => new(Refusal.Note, $"malformed note: {what}");
}

/// <param name="Line">The whole line as it stood, without newline.</param>
public sealed record NoteSignature(string Name, uint KeyId, ReadOnlyMemory<byte> Signature, string Line)
{
    /// <summary>Says that it is by this key; whether it is, the key's Verify says.</summary>
    public bool IsBy(VerifierKey key) => key.Name == Name && key.Id == KeyId;
}
