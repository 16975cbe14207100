using System.Text;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Xunit;

namespace Exchange.Tests.Ledger;

public class SignedNoteTests
{
    static JsonElement Published => JsonDocument.Parse(File.ReadAllBytes(Vectors.Path("notes/signed_notes.json"))).RootElement;

    [Fact]
    public void All_published_notes_agree()
    {
        var good = 0;
        foreach (var vector in Published.GetProperty("notes").EnumerateArray())
        {
            var id = vector.GetProperty("id").GetString()!;
            var keys = vector.GetProperty("verifier_keys").EnumerateArray().Select(k => VerifierKey.Parse(k.GetString()!)).ToArray();
            var expected = vector.GetProperty("expect").GetString()!;
            var note = vector.GetProperty("note_base64").GetBytesFromBase64();
            if (expected == "ok")
            {
                var opened = SignedNote.Open(note, keys);
                Assert.Equal(Names(vector, "verified"), opened.Verified.Select(v => v.Name));
                if (vector.TryGetProperty("unverified", out _)) Assert.Equal(Names(vector, "unverified"), opened.Others.Select(v => v.Name));
                good++;
                continue;
            }
            var e = Assert.Throws<RefusedException>(() => SignedNote.Open(note, keys));
            Assert.Equal(Refusal.Note, e.Refusal);
            Assert.True(expected.StartsWith("error:" + e.Detail.Split(':')[0], StringComparison.Ordinal), $"{id}: {e.Detail} is not {expected}");
        }
        Assert.Equal(5, good);
        Assert.Equal(19, Published.GetProperty("notes").GetArrayLength());
    }

    static IEnumerable<string> Names(JsonElement vector, string member) => vector.GetProperty(member).EnumerateArray().Select(n => n.GetString()!);

    [Fact]
    public void All_published_verifier_keys_agree()
    {
        var keys = Published.GetProperty("verifier_keys").EnumerateArray().ToArray();
        Assert.Equal(8, keys.Length);
        // ECDSA notes (type 02) are not supported: those two are refused.
        foreach (var key in keys)
            Assert.True(VerifierKey.TryParse(key.GetProperty("vkey").GetString()!, out _) == (key.GetProperty("valid").ValueKind == JsonValueKind.True), key.ToString());
    }

    [Fact]
    public void A_mangled_verifier_key_is_refused()
    {
        var vkey = Published.GetProperty("verifier_keys")[0].GetProperty("vkey").GetString()!;
        for (var start = 0; start < vkey.Length; start++)
            for (var length = 0; start + length <= vkey.Length; length++)
                Assert.Equal(length == vkey.Length, VerifierKey.TryParse(vkey.Substring(start, length), out _));
        for (var i = 0; i < vkey.Length; i++)
        {
            var mangled = vkey.ToCharArray();
            mangled[i]++;
            Assert.False(VerifierKey.TryParse(new string(mangled), out _), new string(mangled));
        }
    }

    [Fact]
    public void Signing_gives_the_published_bytes()
    {
        var sign = Published.GetProperty("sign");
        var seed = Convert.FromBase64String(sign.GetProperty("skey").GetString()!.Split('+', 5)[^1]).AsSpan(1);
        using var key = CheckpointKey.FromSeed("PeterNeumann", seed);
        Assert.Equal(sign.GetProperty("want_note").GetString(), key.SignNote(sign.GetProperty("text").GetString()!));
    }

    [Fact]
    public void A_note_opens_only_whole()
    {
        using var key = CheckpointKey.Create("test.exchange/ledger");
        var note = Encoding.UTF8.GetBytes(key.SignNote("một dòng\n"));
        Assert.Equal("một dòng\n", SignedNote.Open(note, [key.VerifierKey]).Text);
        for (var i = 0; i < note.Length; i++)
        {
            foreach (var bit in new[] { 1, 0x80 })
            {
                var flipped = (byte[])note.Clone();
                flipped[i] ^= (byte)bit;
                Assert.Equal(Refusal.Note, Assert.Throws<RefusedException>(() => SignedNote.Open(flipped, [key.VerifierKey])).Refusal);
            }
            Assert.Throws<RefusedException>(() => SignedNote.Open(note.AsSpan(0, i), [key.VerifierKey]));
        }
    }
}
