using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Inspection;
using Exchange.Crypto.Statements;
using Exchange.Tests.Envelope;

namespace Exchange.Tests.Hostile;

/// <summary>What a file says of itself, with every fault of its form; and, for each row of the table, that its fault is among them.</summary>
public class InspectionTests
{
    /// <summary>What can be seen without a key, a directory, a trust store or a clock.</summary>
    static readonly HashSet<Refusal> OfForm =
        [Refusal.Der, Refusal.Size, Refusal.StatementAttributes, Refusal.Signature, Refusal.Json, Refusal.Suite, Refusal.Kind, Refusal.LabelForm, Refusal.Header, Refusal.Manifest, Refusal.ManifestForm, Refusal.Algorithm, Refusal.PayloadLength, Refusal.PayloadRoot, Refusal.StatementSigners];

    /// <summary>Read here by what each part says it is, where a reader goes by its place; or bytes that are no ASN.1 at all, which nobody can tell a header from. Their faults are others.</summary>
    static readonly HashSet<string> ToldOtherwise =
    [
        "file: header twice", "file: without its approval", "file: a manifest in the place of the header", "part: header of 1 MiB and a byte", "part: manifest of 4 MiB and a byte", "part: approval of 64 KiB and a byte",
        "manifest: a byte behind it", "manifest: itself again behind it", "parcel: 2 GiB", "receipt: of 64 KiB and a byte",
    ];

    /// <summary>Only the recipient's certificate says so, and that is in the directory.</summary>
    const string NeedsDirectory = "manifest: a key of one kind in the place of the other";

    static Inspected Seen(byte[] bytes) => Inspected.ReadAsync(new MemoryStream(bytes), null, default).GetAwaiter().GetResult();
    static IEnumerable<Fault> Faults(Inspected seen) => seen.Parts.SelectMany(p => p.Faults);
    static string Text(Inspected seen) => string.Join('\n', seen.Parts.Select(p => $"{p.Name} {p.UnreadableBecauseOf} {string.Join(", ", p.Faults.Select(f => $"{f.Refusal.Code} {f.Detail}"))}"));

    /// <summary>Called for each row that is one file: whatever it is, inspecting it throws nothing, and its fault is told if it is one of form.</summary>
    internal static void Told(Row row, byte[] bytes)
    {
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var seen = Seen(bytes);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - allocated < 256 << 20, row.Name);
        if (!OfForm.Contains(row.Code) || Read.IsSealedInside || row.Name == NeedsDirectory) return;
        Assert.False(seen.Sound, row.Name);
        if (!ToldOtherwise.Contains(row.Name)) Assert.True(Faults(seen).Any(f => f.Refusal == row.Code), $"{row.Code.Code} expected\n{seen.Kind}\n{Text(seen)}");
    }

    static byte[] File(Forge forge)
    {
        var (parts, wire) = forge.Make();
        return [.. EnvelopeFile.Write(parts), .. wire];
    }

    [Fact]
    public void A_good_envelope_has_no_fault_and_shows_its_parts_without_a_key()
    {
        var seen = Seen(File(new Forge { Approvers = [Read.G22.Signatory] }));
        Assert.True(seen.Sound, Text(seen));
        Assert.Equal(InspectedKind.Envelope, seen.Kind);
        Assert.Equal(["header", "approval 1", "manifest", "payload"], seen.Parts.Where(p => p.Offset is not null).Select(p => p.Name));
        string Of(string part, string fact) => seen.Parts.First(p => p.Name == part).Facts.First(f => f.Name == fact).Value;
        Assert.Equal("P-384", Of("header: certificate 1", "key kind"));
        Assert.Equal(Read.G22.Sign.Certificate.Subject, Of("header: certificate 1", "subject"));
        Assert.Equal("AES-256-GCM", Of("manifest", "cipher"));
        Assert.Equal("1", Of("payload", "segments"));
        Assert.Contains("\"sender\":\"G22\"", Encoding.UTF8.GetString(seen.Parts[0].Json!.Value.Span), StringComparison.Ordinal);
        Assert.Equal(seen.Length, seen.Parts.Where(p => p.Offset is not null).Sum(p => p.Length));
    }

    [Fact]
    public void Faults_of_different_parts_and_several_of_one_are_all_told()
    {
        // Two values of the header, the tag of the manifest, a bit of the payload.
        var file = File(new Forge { Header = h => h with { Urgency = 9, Suite = "other" }, Manifest = m => m with { Tag = new byte[12] }, Approvers = [Read.G22.Signatory] });
        file[^1] ^= 1;
        var codes = Faults(Seen(file)).Select(f => f.Refusal).ToHashSet();
        Assert.Superset(new HashSet<Refusal> { Refusal.Suite, Refusal.Header, Refusal.Algorithm, Refusal.PayloadRoot }, codes);
    }

    [Fact]
    public void What_a_fault_makes_unreadable_is_said_to_be_so_because_of_it_and_the_rest_is_read()
    {
        // A header whose JSON is none: its approval and its manifest show, and only what has to be compared with it does not.
        var (parts, wire) = new Forge { Approvers = [Read.G22.Signatory] }.Make();
        var header = parts.Header.ToArray();
        var at = header.AsSpan().IndexOf("\"suite\""u8);
        header[at] = (byte)'x';
        var seen = Seen([.. header, .. parts.Approvals[0].Span, .. parts.Manifest.Span, .. wire]);
        Assert.Equal(["header", "approval 1", "manifest", "payload"], seen.Parts.Where(p => p.Offset is not null).Select(p => p.Name));
        Assert.Contains(seen.Parts[0].Faults, f => f.Refusal == Refusal.Json);
        Assert.Contains(seen.Parts, p => p.Name == "header: signer 1" && p.Faults.Any(f => f.Refusal == Refusal.Signature));
        Assert.True(seen.Parts.First(p => p.Name == "approval 1").Sound);
        Assert.Equal("header", seen.Parts.First(p => p.Name == "payload").UnreadableBecauseOf);
        // An approval that says it is longer than the file: nobody knows where the rest begins.
        seen = Seen([.. parts.Header.Span, 0x30, 0x83, 0x00, 0xff, 0xff, .. parts.Manifest.Span, .. wire]);
        Assert.Equal("approval 1", seen.Parts[^1].UnreadableBecauseOf);
    }

    [Fact]
    public void Each_kind_of_file_is_known_and_anything_else_is_said_to_look_like_something()
    {
        var (parts, wire) = new Forge().Make();
        Assert.Equal(InspectedKind.Statement, Seen(parts.Header.ToArray()).Kind);
        Assert.Equal(InspectedKind.Manifest, Seen(parts.Manifest.ToArray()).Kind);
        Assert.Equal(InspectedKind.Certificates, Seen(Read.G22.Sign.Certificate.Der.ToArray()).Kind);
        Assert.Equal(InspectedKind.Crl, Seen(Read.Pki.Trust.Crls[0].ToArray()).Kind);
        var note = Seen(Encoding.UTF8.GetBytes(LedgerRows.Key.Sign(new(LedgerRows.Key.Origin, 7, Digest.Of([1])))));
        Assert.Equal((InspectedKind.Note, true), (note.Kind, note.Sound));
        foreach (var (bytes, looks) in new (byte[], string)[] { ("%PDF-1.7"u8.ToArray(), "PDF"), ("<a/>"u8.ToArray(), "XML"), ([], "nothing"), ("Kính gửi"u8.ToArray(), "text"), ([0x30, 0x03, 0x02, 0x01, 0x05], "DER of another kind, or cut short") })
        {
            var seen = Seen(bytes);
            Assert.Equal((InspectedKind.Unknown, false), (seen.Kind, seen.Sound));
            Assert.Equal(looks, seen.Parts[0].Facts[0].Value);
        }
        Assert.Single(wire.Take(1));
    }

    [Fact]
    public void Every_beginning_of_a_good_file_and_every_value_of_each_of_its_first_bytes_is_read_without_an_exception()
    {
        var file = File(new Forge { Approvers = [Read.G22.Signatory] });
        for (var length = 0; length < file.Length; length += Math.Max(1, file.Length / 60)) Assert.False(Seen(file[..length]).Sound);
        var start = file[..6000];
        for (var at = 0; at < 120; at++)
        {
            var changed = start.ToArray();
            changed[at] ^= 0x55;
            Assert.False(Seen(changed).Sound);
        }
    }
}
