using System.Globalization;
using System.Text;

namespace Exchange.Crypto.Ledger;

/// <summary>Body of C2SP tlog-witness add-checkpoint: "old SIZE", the nodes of a consistency proof in base64, an empty line, the checkpoint's note.</summary>
/// <param name="Old">Size of the newest checkpoint that the witness is believed to have; zero: none.</param>
public sealed record WitnessRequest(long Old, IReadOnlyList<Digest> Proof, string Note)
{
    public const int MaxProof = 63;
    /// <summary>Longest body that is read.</summary>
    public const int MaxBytes = SignedNote.MaxBytes + (MaxProof * 45) + 32;
    const string OldWord = "old ";
    static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public string Write()
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{OldWord}{Old}\n");
        foreach (var node in Proof) text.Append(Convert.ToBase64String(node.ToArray())).Append('\n');
        return text.Append('\n').Append(Note).ToString();
    }

    /// <summary>Reads what <see cref="Write"/> writes and nothing else.</summary>
    public static bool TryParse(ReadOnlySpan<byte> body, out WitnessRequest request)
    {
        request = null!;
        if (body.Length > MaxBytes) return false;
        string text;
        try { text = StrictUtf8.GetString(body); }
        catch (DecoderFallbackException) { return false; }
        var end = text.IndexOf("\n\n", StringComparison.Ordinal);
        if (end < 0) return false;
        var lines = text[..end].Split('\n');
        if (!lines[0].StartsWith(OldWord, StringComparison.Ordinal) || lines.Length - 1 > MaxProof) return false;
        if (!long.TryParse(lines[0][OldWord.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var old)) return false;
        var proof = new List<Digest>();
        foreach (var line in lines[1..])
        {
            if (!SignedNote.TryBase64(line, out var node) || node.Length != Digest.Size) return false;
            proof.Add(new Digest(node));
        }
        var read = new WitnessRequest(old, proof, text[(end + 2)..]);
        if (read.Write() != text) return false;
        request = read;
        return true;
    }
}

/// <summary>What came back, to the ledger that asked.</summary>
/// <param name="Lines">Cosignatures by the keys that were expected, each verified over the checkpoint; none: it did not cosign.</param>
/// <param name="Size">Size of the witness's own newest checkpoint, when that is why it refused: make the proof from there and ask again.</param>
public sealed record WitnessReply(IReadOnlyList<NoteSignature> Lines, long? Size)
{
    /// <param name="keys">Keys of this witness. Lines by others are passed over.</param>
    /// <exception cref="RefusedException"><see cref="Refusal.Note"/>: a 200 without a good cosignature, or with a bad one by a known key.</exception>
    public static WitnessReply Read(int status, string? contentType, ReadOnlySpan<byte> body, Checkpoint asked, IReadOnlyCollection<VerifierKey> keys)
    {
        if (status == WitnessAnswer.Conflict && contentType == WitnessAnswer.SizeType) return new WitnessReply([], SizeOf(body));
        if (status != WitnessAnswer.Ok) return new WitnessReply([], null);
        // As the specification proposes: behind the checkpoint's text the answer is a note.
        byte[] note = [.. Encoding.UTF8.GetBytes(asked.Text + "\n"), .. body];
        var opened = SignedNote.Open(note, keys);
        // A cosignature without a time says nothing about what the witness has seen.
        return opened.Text == asked.Text && opened.Verified.All(l => keys.First(l.IsBy).TimeOf(l) is not null)
            ? new WitnessReply(opened.Verified, null) : throw new RefusedException(Refusal.Note, "a cosignature without time, or of another text");
    }

    static long? SizeOf(ReadOnlySpan<byte> body)
    {
        var text = body.Length <= 20 ? Encoding.ASCII.GetString(body) : "";
        return long.TryParse(text.TrimEnd('\n'), NumberStyles.None, CultureInfo.InvariantCulture, out var size) && string.Create(CultureInfo.InvariantCulture, $"{size}\n") == text ? size : null;
    }
}
