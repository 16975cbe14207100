using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Tests.Envelope;
using Exchange.Tests.Evidence;
using Sut = Exchange.Crypto.Envelope.Envelope;

namespace Exchange.Tests.Hostile;

/// <summary>Who reads it: each of these makes the thing now, and returns what reads it.</summary>
static class Read
{
    public static readonly TestPki Pki = TestPki.Shared;
    public static TestOffice G22 => Pki["G22"];

    [ThreadStatic] static byte[]? made;

    /// <summary>The bytes of the row that this thread made last, for whoever looks at them in another way; null: they are no one file.</summary>
    public static byte[]? Made { get => made; set => (made, sealedInside) = (value, false); }

    [ThreadStatic] static bool sealedInside;

    /// <summary>What is wrong with it stands in the sealed part: a gateway found nothing.</summary>
    public static bool IsSealedInside => sealedInside;

    /// <summary>A gateway, or whoever has no key.</summary>
    public static Action<string> Outside(Forge forge)
    {
        var (parts, wire) = forge.Make();
        var read = Outside(parts);
        made = [.. EnvelopeFile.Write(parts), .. wire];
        return read;
    }

    public static Action<string> Outside(EnvelopeParts parts)
    {
        made = EnvelopeFile.Write(parts);
        return _ => Sut.Verify(parts, Forge.Context);
    }

    /// <summary>A recipient, after a gateway found nothing.</summary>
    public static Action<string> Inside(Forge forge, string office = "H41", bool officeSigns = false, IReadOnlyList<string>? roles = null)
    {
        var (parts, wire) = forge.Make();
        (made, sealedInside) = ([.. EnvelopeFile.Write(parts), .. wire], true);
        Sut.Verify(parts, Forge.Context);
        return Opened(parts, wire, office, officeSigns, roles);
    }

    public static Action<string> Opened(EnvelopeParts parts, byte[] wire, string office = "H41", bool officeSigns = false, IReadOnlyList<string>? roles = null, IPrivateKey? key = null) =>
        folder => Sut.OpenAsync(new OpenRequest
        {
            Parts = parts, Payload = new MemoryStream(wire), Context = Forge.Context, Office = office, Key = key ?? Pki[office].Encrypt, Folder = folder,
            OfficeSignsDispatch = officeSigns, AuthorRoles = roles,
        }, default).GetAwaiter().GetResult();

    /// <summary>A file as it comes from a wire, opened by its recipient.</summary>
    public static Action<string> Filed(byte[] file)
    {
        made = file;
        return folder =>
        {
            using var stream = new MemoryStream(file);
            var parts = EnvelopeFile.ReadPartsAsync(stream, default).GetAwaiter().GetResult();
            Opened(parts, file[(int)stream.Position..])(folder);
        };
    }

    /// <summary>The good file with something else in the place of a part.</summary>
    public static Action<string> Filed(Func<EnvelopeParts, byte[], byte[]> change)
    {
        var (parts, wire) = new Forge { Approvers = [G22.Signatory] }.Make();
        return Filed(change(parts, wire));
    }

    public static Action<string> Signed(StatementType type, byte[] der)
    {
        made = der;
        return _ => Crypto.Statements.Statement.Read(der, type);
    }

    /// <summary>Whoever checks evidence offline: the first finding about this part.</summary>
    public static Action<string> Proved(DispatchEvidenceInput input, string part) => _ =>
    {
        var bad = DispatchEvidence.Check(input).All.FirstOrDefault(f => f.Kind == FindingKind.Bad && f.Part.EndsWith(part, StringComparison.Ordinal));
        if (bad is not null) throw new RefusedException(Refusal.All[bad.Code], bad.Detail);
    };

    /// <summary>A receipt of the case, changed by whoever signs such ones.</summary>
    public static Action<string> Receipted(string endsWith, Func<Receipt, Receipt> change, IPrivateKey? signer = null) =>
        Proved(EvidenceCase.Shared.WithReceipt(endsWith, change, signer), endsWith);

    public static Action<string> Noted(string note) => Noted(Encoding.UTF8.GetBytes(note));
    public static Action<string> Noted(byte[] note)
    {
        made = note;
        return _ => Checkpoint.Open(note, LedgerRows.Key.VerifierKey);
    }

    /// <summary>A copy sealed once more, opened by its recipient into a file.</summary>
    public static Action<string> Copied(byte[] bytes, IPrivateKey? key = null)
    {
        made = bytes;
        return _ =>
        {
            using var envelope = new MemoryStream();
            SealedParcelOpener.OpenAsync(new MemoryStream(bytes), [key ?? Pki["H41"].Encrypt], envelope, default).GetAwaiter().GetResult();
        };
    }

    /// <summary>SEQUENCEs in each other, as many as fit.</summary>
    public static byte[] Deep(int bytes, byte tag = 0x30)
    {
        var heads = new Stack<byte[]>();
        for (var length = 0; length + 5 < bytes;)
        {
            byte[] head = length < 0x80 ? [tag, (byte)length] : length < 0x100 ? [tag, 0x81, (byte)length]
                : length < 0x10000 ? [tag, 0x82, (byte)(length >> 8), (byte)length] : [tag, 0x83, (byte)(length >> 16), (byte)(length >> 8), (byte)length];
            heads.Push(head);
            length += head.Length;
        }
        return [.. heads.SelectMany(h => h)];
    }
}
