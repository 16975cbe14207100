using System.Globalization;
using System.Text;

namespace Exchange.Crypto.Ledger;

/// <summary>
/// C2SP tlog-proof ("NAME.tlog-proof"): that an entry stands in a ledger at an index, with the nodes that lead to a checkpoint and that checkpoint's whole note. Proves
/// offline, to whoever has the ledger's key, and how many witnesses saw the same.
/// </summary>
/// <param name="Extra">Opaque and not authenticated; null: no such line. Ours hold salt ‖ detail, so that the file proves what it says and needs nothing beside it.</param>
/// <param name="Proof">From the leaf up.</param>
/// <param name="Note">The checkpoint's note, verbatim.</param>
public sealed record TlogProof(ReadOnlyMemory<byte>? Extra, long Index, IReadOnlyList<Digest> Proof, string Note)
{
    public const int MaxProof = 63;
    const string FirstLine = "c2sp.org/tlog-proof@v1", ExtraWord = "extra ", IndexWord = "index ";
    static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Checkpoint of the note, unverified.</summary>
    public Checkpoint Claims => Checkpoint.Parse(SignedNote.Read(Encoding.UTF8.GetBytes(Note)).Text);

    /// <summary>Proof of an entry that may be shown.</summary>
    public static TlogProof Of(LedgerEntry entry, long index, IReadOnlyList<Digest> proof, string note) => new(entry.Salt.Concat(entry.Detail).ToArray(), index, proof, note);

    /// <summary>Salt and detail that the file holds; null: it holds none, and the leaf must come from elsewhere.</summary>
    public LedgerEntry? Entry => Extra is { Length: > LedgerEntry.SaltSize } extra ? new LedgerEntry(extra[..LedgerEntry.SaltSize].ToArray(), extra[LedgerEntry.SaltSize..].ToArray()) : null;

    public string Write()
    {
        var text = new StringBuilder(FirstLine).Append('\n');
        if (Extra is { } extra) text.Append(ExtraWord).Append(Convert.ToBase64String(extra.Span)).Append('\n');
        text.Append(IndexWord).Append(Index.ToString(CultureInfo.InvariantCulture)).Append('\n');
        foreach (var node in Proof) text.Append(Convert.ToBase64String(node.ToArray())).Append('\n');
        return text.Append('\n').Append(Note).ToString();
    }

    /// <summary>Reads what <see cref="Write"/> writes and nothing else.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Proof"/>.</exception>
    public static TlogProof Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > SignedNote.MaxBytes + (1 << 20)) throw Malformed("too long");
        string text;
        try { text = StrictUtf8.GetString(bytes); }
        catch (DecoderFallbackException) { throw Malformed("not UTF-8"); }
        var end = text.IndexOf("\n\n", StringComparison.Ordinal);
        if (end < 0) throw Malformed("no checkpoint");
        var lines = text[..end].Split('\n');
        if (lines[0] != FirstLine) throw Malformed("first line");
        var at = 1;
        byte[]? extra = null;
        if (lines.Length > at && lines[at].StartsWith(ExtraWord, StringComparison.Ordinal) && !SignedNote.TryBase64(lines[at++][ExtraWord.Length..], out extra)) throw Malformed("extra");
        if (lines.Length == at || !lines[at].StartsWith(IndexWord, StringComparison.Ordinal)) throw Malformed("no index");
        if (!long.TryParse(lines[at++][IndexWord.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var index)) throw Malformed("index");
        if (lines.Length - at > MaxProof) throw Malformed("too many nodes");
        var proof = new TlogProof(extra is null ? default(ReadOnlyMemory<byte>?) : extra, index, [.. lines[at..].Select(Node)], text[(end + 2)..]);
        return proof.Write() == text ? proof : throw Malformed("not the one spelling");
    }

    /// <summary>The entry is there, in a checkpoint that a ledger of the policy signed. Cosigners are counted, not judged: <see cref="WitnessPolicy.IsQuorum"/>.</summary>
    /// <param name="leaf">SHA-256(00 ‖ entry).</param>
    /// <exception cref="RefusedException"><see cref="Refusal.Note"/>; <see cref="Refusal.Proof"/>: the nodes do not lead from the leaf to the root.</exception>
    public (Checkpoint Checkpoint, IReadOnlyList<VerifierKey> Cosigned) Verify(Digest leaf, WitnessPolicy policy)
    {
        var opened = policy.OpenWithout(Encoding.UTF8.GetBytes(Note));
        return MerkleTree.VerifyInclusion(leaf, Index, opened.Checkpoint.Size, Proof, opened.Checkpoint.Root) ? opened : throw new RefusedException(Refusal.Proof);
    }

    static Digest Node(string line) =>
        SignedNote.TryBase64(line, out var bytes) && bytes.Length == Digest.Size ? new Digest(bytes) : throw Malformed("node");

    static RefusedException Malformed(string what) => new(Refusal.Proof, $"malformed proof: {what}");
}
