using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Office.Dev;
using Exchange.Tests.Envelope;
using Exchange.Tests.Ledger;
using Exchange.Tests.Policy;
using static Exchange.Tests.Hostile.Read;

namespace Exchange.Tests.Hostile;

/// <summary>Notes and checkpoints, signed by the ledger itself where that is what it takes; bundles; directories; revocation lists; policies.</summary>
static class LedgerRows
{
    const string Origin = "test.exchange/ledger", Base64 = "S/USLzRFVMU73i67jNK349FgCtYxw4Wl18ziPHeFRZo=";
    public static readonly CheckpointKey Key = CheckpointKey.FromSeed(Origin, WorkedExample.Drawn("checkpoint"));
    static readonly string Good = Key.Sign(new Checkpoint(Origin, 7, MerkleTree.EmptyRoot));

    /// <summary>Text that the ledger signed.</summary>
    static Row Head(string name, string text) => new("checkpoint: " + name, Refusal.Note, () => Noted(Key.SignNote(text)));
    static Row Whole(string name, Func<string, string> change) => new("note: " + name, Refusal.Note, () => Noted(change(Good)));
    static Row Bytes(string name, Func<byte[], byte[]> change) => new("note: " + name, Refusal.Note, () => Noted(change(Encoding.UTF8.GetBytes(Good))));

    static Row List(string name, Refusal code, Func<byte[]> list) => new("revocation list: " + name, code, () =>
    {
        var bytes = list();
        return _ => Pki.Trust.WithCrls([bytes]);
    });

    static Row Directory(string name, Refusal code, Func<DirectoryStatement, DirectoryStatement> change, IReadOnlyList<Digest>? officers = null, Func<Card, Card>? card = null) => new("directory: " + name, code, () =>
    {
        var cards = Pki.Offices.Values.Select(o => Pki.SignCard(card?.Invoke(TestPki.NewCard(o)) ?? TestPki.NewCard(o))).ToList();
        var statement = Pki.SignDirectory(change(Pki.NewDirectory(2, Pki.Directory.Ref, cards)));
        return _ => OfficeDirectory.Open(statement.Der, cards.Select(c => c.Der), [.. officers ?? Pki.DirectoryOfficerKeys], Pki.Check, TestPki.Now, Pki.Directory);
    });

    static Row Draft(string name, Func<string, string> change) => new("policy: " + name, Refusal.PolicyInvalid, () =>
    {
        var json = Encoding.UTF8.GetString(Policies.Draft);
        var other = change(json);
        Assert.NotEqual(json, other);
        return _ => PolicyDraft.ToStatement(Encoding.UTF8.GetBytes(other), Policies.Officers, 1, Policies.Start, Policies.End);
    });

    public static readonly Row[] All =
    [
        Whole("nothing", _ => ""),
        Whole("without a signature", n => n[..(n.IndexOf("\n\n", StringComparison.Ordinal) + 2)]),
        Whole("without its last line end", n => n[..^1]),
        Whole("with another size than was signed", n => n.Replace("\n7\n", "\n8\n", StringComparison.Ordinal)),
        Whole("with a signature cut", n => n[..^10] + "\n"),
        Whole("with a signature of another kind of dash", n => n.Replace("— ", "- ", StringComparison.Ordinal)),
        Whole("with line ends of Windows", n => n.Replace("\n", "\r\n", StringComparison.Ordinal)),
        Whole("with 101 signatures", n => n + string.Concat(Enumerable.Range(0, 100).Select(i => SignedNote.SignatureLine("w" + i, 1, new byte[64])))),
        Whole("with a signature by a key of another name alone", n => n.Replace("— " + Origin, "— other.exchange/ledger", StringComparison.Ordinal)),
        Whole("of a megabyte and a byte", n => n + new string('x', SignedNote.MaxBytes)),
        Bytes("with a NUL", n => [.. n[..4], 0, .. n[4..]]),
        Bytes("with an over-long slash", n => [.. n[..4], 0xc0, 0xaf, .. n[4..]]),
        Bytes("in Latin-1", n => [.. n[..4], 0xe9, .. n[4..]]),
        new("note: by another key of the same name", Refusal.Note, () => Noted(CheckpointKey.Create(Origin).Sign(new Checkpoint(Origin, 7, MerkleTree.EmptyRoot)))),
        Head("of another ledger", $"other.exchange/ledger\n7\n{Base64}\n"),
        Head("with a line more", $"{Origin}\n7\n{Base64}\nextension\n"),
        Head("with a line less", $"{Origin}\n7\n"),
        Head("of size 07", $"{Origin}\n07\n{Base64}\n"), Head("of size +7", $"{Origin}\n+7\n{Base64}\n"), Head("of size -7", $"{Origin}\n-7\n{Base64}\n"),
        Head("of size 2^63", $"{Origin}\n9223372036854775808\n{Base64}\n"), Head("of a size in Arabic digits", $"{Origin}\n٧\n{Base64}\n"), Head("of no size", $"{Origin}\n\n{Base64}\n"),
        Head("with stray bits in its root", $"{Origin}\n7\n{Base64[..^2]}p=\n"), Head("with a root of three bytes", $"{Origin}\n7\nAAAA\n"), Head("with a root without padding", $"{Origin}\n7\n{Base64[..^1]}\n"),
        new("bundle: an entry less", Refusal.Proof, () => _ => EntryBundle.Read(EntryBundle.Write(TestTree.Entries[..2]), 3)),
        new("bundle: an entry more", Refusal.Proof, () => _ => EntryBundle.Read(EntryBundle.Write(TestTree.Entries[..4]), 3)),
        new("bundle: an entry of 33 bytes", Refusal.Proof, () => _ => EntryBundle.Read([0, 33, .. new byte[32]], 1)),
        new("tile: too short", Refusal.Proof, () => _ => Tiles.Root(300, (_, _, _) => new byte[31])),

        Directory("another one of the version seen", Refusal.VersionOld, d => d with { Version = 1, Previous = null, Issued = d.Issued + 1 }),
        Directory("that does not follow the one seen", Refusal.VersionOld, d => d with { Previous = Digest.Of([1]) }),
        Directory("by officers that are not pinned", Refusal.Officers, d => d, Pki.PolicyOfficerKeys),
        Directory("that names a card that is not there", Refusal.Card, d => d with { Offices = [d.Offices[0] with { Card = Digest.Of([1]) }, .. d.Offices[1..]] }),
        Directory("that gives one office the card of another", Refusal.Card, d => d with { Offices = [d.Offices[0] with { Card = d.Offices[1].Card }, .. d.Offices[1..]] }),
        Directory("with one key in two cards", Refusal.Card, d => d, card: c => c.Office == "H41" ? c with { Version = 2, Previous = Pki.Directory.Find("H41")!.CardRef, Keys = [.. c.Keys, new CardKey("encrypt", TestPki.Der(Pki["H14"].Encrypt))] } : c),

        List("nothing", Refusal.Der, () => []),
        List("2 GiB", Refusal.Der, () => [0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]),
        List("500000 SEQUENCEs in each other", Refusal.Der, () => Deep(2 << 20)),
        List("with a byte behind it", Refusal.Der, () => [.. Pki.Issuing.Crl(9, TestPki.Start, TestPki.NextUpdate), 0]),
        List("with a bit flipped", Refusal.Signature, () => Pki.Issuing.Crl(9, TestPki.Start, TestPki.NextUpdate) is var l ? [.. l[..^1], (byte)(l[^1] ^ 1)] : []),
        List("of a foreign CA", Refusal.CertificateUntrusted, () => DevAuthority.Root("Foreign", TestPki.AuthorityValidity).Crl(9, TestPki.Start, TestPki.NextUpdate)),
        List("of a foreign CA of the same name", Refusal.Signature, () => DevAuthority.Root("Test root", TestPki.AuthorityValidity).Crl(9, TestPki.Start, TestPki.NextUpdate)),

        Draft("nothing", _ => ""), Draft("null", _ => "null"), Draft("100000 lists in each other", j => new string('[', 100_000)),
        Draft("a member twice", j => j.Insert(j.IndexOf('{', StringComparison.Ordinal) + 1, "\"policy\":\"2.25.1\",")),
        Draft("a class of 257", j => j.Replace("\"class\": 40", "\"class\": 257", StringComparison.Ordinal)),
        Draft("a class of 2^31", j => j.Replace("\"class\": 40", "\"class\": 2147483648", StringComparison.Ordinal)),
        Draft("one class twice", j => j.Replace("\"class\": 40", "\"class\": 30", StringComparison.Ordinal)),
    ];
}
