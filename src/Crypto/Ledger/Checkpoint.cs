using System.Globalization;
using System.Text;

namespace Exchange.Crypto.Ledger;

/// <summary>
/// C2SP tlog-checkpoint: the head of a ledger, three lines (origin, size, root in base64) in a signed note by a key whose name is the origin. We write no extension
/// lines and therefore read none. Signatures by other keys (witnesses) may stand beside ours.
/// </summary>
/// <param name="Origin">Name of the ledger, "gateway.example/ledger".</param>
/// <param name="Size">Number of entries.</param>
/// <param name="Root">Root of their tree.</param>
public sealed record Checkpoint(string Origin, long Size, Digest Root)
{
    /// <summary>Detail of a head under a name that is not pinned: forged, or the ledger goes on under another name.</summary>
    public const string OtherLedger = "of another ledger than the pinned one; if that goes on under a new name, take the new pins from its administrator";

    /// <summary>The text that is signed.</summary>
    public string Text => string.Create(CultureInfo.InvariantCulture, $"{Origin}\n{Size}\n{Convert.ToBase64String(Root.ToArray())}\n");

    /// <summary>Verifies a note by the ledger's pinned key and reads the checkpoint in it.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Note"/>.</exception>
    public static Checkpoint Open(ReadOnlySpan<byte> note, VerifierKey key) => Parse(SignedNote.Open(note, [key]).Text, key.Name);

    /// <summary>As the other; the key as its line of text.</summary>
    public static Checkpoint Open(string note, string verifierKey) => Open(Encoding.UTF8.GetBytes(note), VerifierKey.Parse(verifierKey));

    /// <summary>As the other, by any of the ledger's keys: all have its name.</summary>
    public static Checkpoint Open(ReadOnlySpan<byte> note, IReadOnlyCollection<VerifierKey> keys, string origin) =>
        Parse(SignedNote.Open(note, [.. keys.Where(k => k.Name == origin)]).Text, origin);

    /// <summary>As the other, of whichever ledger it is that some of these keys are named after: for who keeps heads of ledgers that followed each other.</summary>
    public static Checkpoint OpenAny(ReadOnlySpan<byte> note, IReadOnlyCollection<VerifierKey> keys) => Open(note, keys, Parse(SignedNote.Read(note).Text).Origin);

    /// <summary>As the other, and of each kind of which a key is given, one signed: a head that one broken algorithm could forge is refused. For who takes a head as the newest.</summary>
    public static Checkpoint OpenBoth(ReadOnlySpan<byte> note, IReadOnlyCollection<VerifierKey> keys, string origin)
    {
        // What it calls itself is not said again here: nobody signed that for us.
        if (Parse(SignedNote.Read(note).Text).Origin != origin) throw new RefusedException(Refusal.Note, OtherLedger);
        VerifierKey[] own = [.. keys.Where(k => k.Name == origin)];
        var opened = SignedNote.Open(note, own);
        foreach (var kind in own.GroupBy(k => k.Type))
            if (!kind.Any(k => opened.Verified.Any(l => l.IsBy(k)))) throw new RefusedException(Refusal.Note, $"a key of type {(int)kind.Key:x2} is pinned, and none of that type signed");
        return Parse(opened.Text, origin);
    }

    internal static Checkpoint Parse(string text, string origin)
    {
        var checkpoint = Parse(text);
        return checkpoint.Origin == origin ? checkpoint : throw new RefusedException(Refusal.Note, "origin is not the name of the key");
    }

    /// <summary>A checkpoint of whatever ledger. Only the form is checked.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Note"/>.</exception>
    public static Checkpoint Parse(string text)
    {
        var lines = text.Split('\n');
        if (lines.Length != 4 || lines[3].Length != 0) throw new RefusedException(Refusal.Note, "a checkpoint has three lines");
        // Only canonical forms: "007" or a root with stray bits would be a second spelling of one head.
        if (lines[0].Length == 0) throw new RefusedException(Refusal.Note, "origin");
        if (!long.TryParse(lines[1], NumberStyles.None, CultureInfo.InvariantCulture, out var size)) throw new RefusedException(Refusal.Note, "size");
        if (!SignedNote.TryBase64(lines[2], out var root) || root.Length != Digest.Size) throw new RefusedException(Refusal.Note, "root");
        var checkpoint = new Checkpoint(lines[0], size, new Digest(root));
        return checkpoint.Text == text ? checkpoint : throw new RefusedException(Refusal.Note, "not the one spelling of a checkpoint");
    }
}
