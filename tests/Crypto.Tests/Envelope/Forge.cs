using System.Security.Cryptography;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Tests.Envelope;

/// <summary>
/// An envelope made step by step as docs/envelope.md says, with a hook at each step: the workshop of someone who has all the keys and wants to cheat.
/// Without hooks it makes what Seal makes.
/// </summary>
sealed class Forge
{
    public static readonly TestPki Pki = TestPki.Shared;
    public static readonly Label Thuong = NewLabel(10, "KHÔNG MẬT");
    public static readonly Label Mat = NewLabel(20, "MẬT");

    public static Label NewLabel(int @class, string mark) => new()
    {
        Policy = "2.25.108316152551476243687665024293336149417.3.1", Class = @class, Mark = mark, Categories = [], Basis = null, Term = null, Caveats = [],
    };

    public byte[] Secret = RandomNumberGenerator.GetBytes(32);
    public List<(string Name, byte[] Bytes)> Files = [("công văn.docx", [1, 2, 3]), ("phụ lục.pdf", [4, 5])];
    public int PayloadBucket = 64;
    public Func<byte[], byte[]> Plaintext = p => p;
    public Func<byte[], byte[]> Wire = w => w;
    public Func<PayloadRef, PayloadRef> PayloadRef = p => p;

    public Func<Dispatch, Dispatch> Dispatch = d => d;
    public IReadOnlyList<IPrivateKey> Authors = [Pki["G22"].Signatory];
    public Func<byte[], byte[]> DispatchEss = e => e;
    public Func<byte[], byte[]> DispatchDer = d => d;
    /// <summary>What the header says the signatures are; null: what they are.</summary>
    public Func<Digest[], Digest[]> Signatures = s => s;

    public IReadOnlyList<IPrivateKey> Approvers = [];
    public Func<Approval, Approval> Approval = a => a;
    public Func<List<ReadOnlyMemory<byte>>, List<ReadOnlyMemory<byte>>> Approvals = a => a;

    public Func<Header, Header> Header = h => h;
    public Func<byte[], byte[]> HeaderJson = j => j;
    public IPrivateKey Office = Pki["G22"].Sign;
    public Func<byte[], byte[]> HeaderEss = e => e;
    public Func<byte[], byte[]> HeaderDer = d => d;
    public DateTimeOffset SigningTime = TestPki.Now;

    public IReadOnlyList<(string Office, FileKey Key, string Role)> Recipients = [("H37", Pki["H37"].Encrypt, "cc"), ("H41", Pki["H41"].Encrypt, "to")];
    /// <summary>To whom the manifest is really sealed; null: the recipients.</summary>
    public IReadOnlyList<Certificate>? SealedTo { get; set; }
    public Func<Digest, byte[]> Ukm = ctx => ctx.ToArray();
    public Func<byte[], byte[]> Frame = f => f;
    public Func<AuthEnveloped, AuthEnveloped> Manifest = m => m;
    public Func<byte[], byte[]> ManifestDer = m => m;
    public Func<Digest, Digest> ManifestDigest = d => d;

    /// <summary>Set by <see cref="Make"/>.</summary>
    public Statement? MadeDispatch;

    public static EnvelopeContext Context => new(Pki.Directory, Pki.Check, TestPki.Now);

    public (EnvelopeParts Parts, byte[] Wire) Make()
    {
        var documents = Files.Select(f => new Document(f.Name, "application/pdf", f.Bytes.Length, Digest.Of(f.Bytes), null)).ToArray();
        var (wire, payload) = MakePayload();
        var dispatch = Dispatch(new Dispatch
        {
            V = 1, Type = Crypto.Statements.Dispatch.TypeName, Signers = [.. Authors.Select(a => a.Certificate.Key)], Salt = RandomNumberGenerator.GetBytes(32),
            From = "G22", To = ["H41", "H14", "H37"], Label = Thuong, Documents = documents,
            Sheet = new Sheet { Number = "7816", Notation = "VPCP-TTĐT", Subject = "Về việc thử", DocumentType = "Công văn", Place = "Hà Nội", Date = "2026-11-24", Signatory = null },
        });
        MadeDispatch = Statement.Sign(dispatch, Authors, SigningTime, DispatchEss(EssLabel.ToEss(dispatch.Label)));

        var approvals = Approvers.Select(p => Statement.Sign(Approval(new Approval
        {
            V = 1, Type = Crypto.Statements.Approval.TypeName, Signers = [p.Certificate.Key], Act = "send", Dispatch = MadeDispatch.Ref, Label = dispatch.Label,
            From = "G22", To = dispatch.To, NotAfter = TestPki.Now.AddDays(1).ToUnixTimeMilliseconds(),
        }), [p], SigningTime)).ToList();

        var header = Header(new Header
        {
            V = 1, Type = Crypto.Statements.Header.TypeName, Signers = [Office.Certificate.Key], Id = Guid.CreateVersion7(TestPki.Now), Gateway = "gateway.test/ledger",
            Suite = "classic-1", Kind = "new", Sender = "G22", Recipients = [.. Recipients.Select(r => new Recipient(r.Office, r.Key.Certificate.Key, r.Role))],
            Label = dispatch.Label, Urgency = 1, Times = new Times(null, TestPki.Now.AddDays(7).ToUnixTimeMilliseconds(), null), References = [],
            Dispatch = new DispatchRef(MadeDispatch.Ref, Signatures([.. MadeDispatch.SignatureDigests])), Approvals = [.. approvals.Select(a => a.Ref)],
            Policy = Digest.Of("policy"u8), Directory = Pki.Directory.Ref, Seen = null,
            Commitment = KeySchedule.Commitment(KeySchedule.Opened(Secret)), Payload = payload,
        });
        var json = HeaderJson(StrictJson.Write(header, StatementJson.Default.Header));
        var manifest = MakeManifest(Digest.Of(json));
        var signed = Sign(StatementType.Header, json, Office, HeaderEss(EssLabel.ToEss(header.Label)), ManifestDigest(Digest.Of(manifest)));
        return (new EnvelopeParts(HeaderDer(signed), Approvals([.. approvals.Select(a => a.Der)]), manifest), wire);
    }

    (byte[] Wire, PayloadRef Payload) MakePayload()
    {
        var plain = Files.SelectMany(f => f.Bytes).ToArray();
        Array.Resize(ref plain, (int)Payload.PaddedLength(plain.Length, PayloadBucket));
        plain = Plaintext(plain);
        using var output = new MemoryStream();
        var (payload, _) = PayloadSealer.SealAsync([new DocumentSource("all", "a/b", plain.Length, null, () => new MemoryStream(plain))], 1, Secret, output, null, default).GetAwaiter().GetResult();
        return (Wire(output.ToArray()), PayloadRef(payload));
    }

    byte[] MakeManifest(Digest ctx)
    {
        var dispatch = DispatchDer(MadeDispatch!.Der.ToArray());
        var frame = new byte[Payload.PaddedLength(64 + dispatch.Length, 4096)];
        ctx.CopyTo(frame);
        Secret.CopyTo(frame, 32);
        dispatch.CopyTo(frame, 64);
        var cek = RandomNumberGenerator.GetBytes(32);
        var recipients = SealedTo ?? [.. Recipients.Select(r => r.Key.Certificate)];
        var manifest = ManifestSealer.Encrypt(Frame(frame), cek, RandomNumberGenerator.GetBytes(12), ManifestSealer.Wrap(cek, recipients, Ukm(ctx)));
        return ManifestDer(Manifest(manifest).Encode());
    }

    /// <summary>Signs without looking at what it signs.</summary>
    public byte[] Sign(StatementType type, byte[] json, IPrivateKey signer, byte[]? ess = null, Digest? manifestDigest = null)
    {
        var attributes = new SignedAttributes(Oids.ContentType(type), SHA384.HashData(json), SigningTime, signer.Certificate.Key,
            ess is null ? default(ReadOnlyMemory<byte>?) : ess, manifestDigest);
        var info = new SignerInfo(signer.Certificate.IssuerDer, signer.Certificate.SerialNumber, attributes, signer.Sign(attributes.ToBeSigned()), null);
        return new SignedData(Oids.ContentType(type), json, [signer.Certificate.Der], [info]).Encode();
    }

    /// <summary>Puts a good signature over whatever signed attributes are left; as it is, where none can be found.</summary>
    public static byte[] SignAttributes(byte[] der, IPrivateKey key)
    {
        try
        {
            var root = Tlv.Parse(der);
            var info = root.Children![1].Children![0].Children![^1].Children![0];
            var attributes = info.Children!.First(c => c.Encoded[0] == 0xA0);
            var old = info.Children!.Last(c => c.Encoded[0] == 4);
            byte[] tbs = [0x31, .. attributes.Encoded[1..]];
            var signature = key.Sign(tbs);
            System.Formats.Asn1.AsnDecoder.ReadEncodedValue(der, System.Formats.Asn1.AsnEncodingRules.DER, out _, out _, out var length);
            return [.. root.Rebuild(t => ReferenceEquals(t, old) ? [4, (byte)signature.Length, .. signature] : null), .. der[length..]];
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or NullReferenceException or System.Formats.Asn1.AsnContentException) { return der; }
    }

    public VerifiedEnvelope Verify() => Crypto.Envelope.Envelope.Verify(Make().Parts, Context);

    /// <summary>Opens as an office, into a folder that is gone afterwards; whatever happens, no temp file stays.</summary>
    public async Task<Opened> OpenAs(string office, bool officeSigns = false, IReadOnlyList<string>? roles = null, IPrivateKey? key = null)
    {
        var (parts, wire) = Make();
        return await Open(parts, wire, office, officeSigns, roles, key);
    }

    public static async Task<Opened> Open(EnvelopeParts parts, byte[] wire, string office, bool officeSigns = false, IReadOnlyList<string>? roles = null, IPrivateKey? key = null)
    {
        var folder = Directory.CreateTempSubdirectory("exchange-open-");
        try
        {
            var opened = await Crypto.Envelope.Envelope.OpenAsync(new OpenRequest
            {
                Parts = parts, Payload = new MemoryStream(wire), Context = Context, Office = office, Key = key ?? Pki[office].Encrypt, Folder = folder.FullName,
                OfficeSignsDispatch = officeSigns, AuthorRoles = roles,
            }, default);
            return new Opened(opened, [.. opened.Files.Select(f => (Path.GetFileName(f), File.ReadAllBytes(f)))]);
        }
        catch
        {
            Assert.Empty(folder.EnumerateFileSystemInfos());
            throw;
        }
        finally { folder.Delete(recursive: true); }
    }
}

sealed record Opened(OpenedEnvelope Envelope, List<(string Name, byte[] Bytes)> Files);
