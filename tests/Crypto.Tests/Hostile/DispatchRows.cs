using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;
using Exchange.Tests.Envelope;
using static Exchange.Tests.Hostile.Read;

namespace Exchange.Tests.Hostile;

/// <summary>What is sealed inside: a gateway sees nothing wrong, and the recipient refuses it.</summary>
static class DispatchRows
{
    static Row Says(string name, Refusal code, Func<Dispatch, Dispatch> change) => new("dispatch: " + name, code, () => Inside(new Forge { Dispatch = change }));
    static Row Says(string name, Func<Dispatch, Dispatch> change) => Says(name, Refusal.DispatchForm, change);
    static Row Named(string what, string name) => new("name: " + what, Refusal.DocumentName, () => Inside(new Forge { Dispatch = d => d with { Documents = [d.Documents[0] with { Name = name }, d.Documents[1]] } }));
    static Dispatch First(Dispatch d, Func<Document, Document> change) => d with { Documents = [change(d.Documents[0]), d.Documents[1]] };

    static byte[] Stripped(byte[] der, bool certificateToo)
    {
        var data = SignedData.Decode(der, 4);
        return (data with { Signers = [data.Signers[0]], Certificates = certificateToo ? [data.Certificates[0]] : data.Certificates }).Encode();
    }

    public static readonly Row[] All =
    [
        Named("up a folder", "../etc"), Named("the folder above", ".."), Named("the folder itself", "."), Named("a folder and a file", "a/b"), Named("an absolute path", "/etc/passwd"), Named("a path of Windows", "a\\b"),
        Named("a drive", "C:x"), Named("a stream of a file", "a.txt:b"), Named("a share", "\\\\h\\s"), Named("hidden", ".hidden"), Named("of a temp file of ours", ".tmp-0011"), Named("empty", ""), Named("a dot at the end", "a."),
        Named("a space at the end", "a "), Named("a space in front", " a"), Named("a NUL", "a\0b"), Named("a NUL at the end", "a.pdf\0.exe"), Named("a line end", "a\nb"), Named("an escape of a terminal", "a\u001b[2Jb"), Named("a delete", "a\u007fb"),
        Named("from right to left", "gpj\u202Eexe.pdf"), Named("an isolate of text direction", "a\u2066b"), Named("of no width", "a\u200Bb"), Named("a byte order mark", "\uFEFFa"), Named("a tag character", "a\U000E0041b"), Named("for private use", "a\uE000b"),
        Named("half of a surrogate pair, replaced", "a\uFFFDb"), Named("a line separator", "a\u2028b"), Named("a device", "NUL"), Named("a device with an ending", "com1.txt"), Named("a device in superscript", "COM¹"), Named("a wildcard", "a?b"), Named("a quotation mark", "a\"b"),
        Named("of 201 characters", new string('a', 201)), Named("of 256 bytes", new string('ư', 128)),
        new("name: two that would be one file", Refusal.DocumentName, () => Inside(new Forge { Dispatch = d => d with { Documents = [d.Documents[0] with { Name = "Ấn.pdf" }, d.Documents[1] with { Name = "ấn.PDF" }] } })),
        new("name: twice the same", Refusal.DocumentName, () => Inside(new Forge { Dispatch = d => First(d, x => x with { Name = d.Documents[1].Name }) })),

        Says("a salt a byte short", d => d with { Salt = new byte[31] }),
        Says("nobody addressed", d => d with { To = [] }),
        Says("one office twice", d => d with { To = ["H41", "H37", "H41"] }),
        Says("1001 offices", d => d with { To = ["H41", "H37", .. Enumerable.Range(0, 999).Select(i => $"A{i}")] }),
        Says("an office code that is a path", d => d with { To = ["H41", "H37", "../X"] }),
        Says("no documents", d => d with { Documents = [] }),
        Says("the 30th of February", d => d with { Sheet = d.Sheet with { Date = "2026-02-30" } }),
        Says("a date in another form", d => d with { Sheet = d.Sheet with { Date = "24/11/2026" } }),
        Says("no subject", d => d with { Sheet = d.Sheet with { Subject = "" } }),
        Says("a subject that speaks to the terminal", d => d with { Sheet = d.Sheet with { Subject = "a\u001b]0;b\u0007" } }),
        Says("a subject with a NUL", d => d with { Sheet = d.Sheet with { Subject = "a\0b" } }),
        Says("a subject from right to left", d => d with { Sheet = d.Sheet with { Subject = "a\u202Eb" } }),
        Says("a number with a line end", d => d with { Sheet = d.Sheet with { Number = "1\n2" } }),
        Says("a negative length", d => First(d, x => x with { Length = -1 })),
        Says("a length beyond 2^40", d => First(d, x => x with { Length = (1L << 40) + 1 })),
        Says("no pages", d => First(d, x => x with { Pages = 0 })),
        Says("a media type with a line end", d => First(d, x => x with { MediaType = "a/b\r\nX: y" })),
        Says("a media type with parameters", d => First(d, x => x with { MediaType = "text/html; charset=x" })),
        Says("a revision of something, but not as a replacement", d => d with { Revises = Digest.Of([1]) }),
        Says("of another office", Refusal.SenderMismatch, d => d with { From = "H14" }),
        Says("addressed to others only", Refusal.Addressees, d => d with { To = ["H14"] }),
        Says("not addressed to who gets a copy", Refusal.Addressees, d => d with { To = ["H41"] }),
        Says("another digest of a document", Refusal.DocumentDigest, d => First(d, x => x with { Sha256 = Digest.Of([9]) })),
        Says("a byte moved from one document to the other", Refusal.DocumentDigest, d => d with { Documents = [d.Documents[0] with { Length = 4 }, d.Documents[1] with { Length = 1 }] }),
        Says("more bytes than there are", Refusal.PayloadLength, d => d with { Documents = [d.Documents[0], d.Documents[1] with { Length = 100 }] }),
        Says("2^40 bytes, twice", Refusal.PayloadLength, d => d with { Documents = [.. d.Documents.Select(x => x with { Length = 1L << 40 })] }),
        Says("a document less than there is", Refusal.PayloadPadding, d => d with { Documents = [d.Documents[0]] }),
        Says("20001 documents", d => d with { Documents = [.. Enumerable.Range(0, 20_001).Select(i => d.Documents[0] with { Name = $"{i}", Length = 0, Sha256 = Digest.Of([]) })] }),

        new("label: low outside, high inside", Refusal.LabelMismatch, () => Inside(new Forge { Header = h => h with { Label = Forge.Thuong }, Dispatch = d => d with { Label = Forge.Mat } })),
        new("label: another one in the dispatch's attribute", Refusal.LabelForm, () => Inside(new Forge { DispatchEss = _ => EssLabel.ToEss(Forge.Mat) })),
        new("dispatch: by another office than the header", Refusal.DispatchSigners, () => Inside(new Forge { Office = Pki["H14"].Sign, Header = h => h with { Sender = "H14" } })),
        new("dispatch: another ref in the header", Refusal.DispatchMismatch, () => Inside(new Forge { Header = h => h with { Dispatch = h.Dispatch with { Ref = Digest.Of([1]) } } })),
        new("dispatch: another signature in the header", Refusal.DispatchMismatch, () => Inside(new Forge { Signatures = _ => [Digest.Of([1])] })),
        new("dispatch: a signature too many in the header", Refusal.DispatchMismatch, () => Inside(new Forge { Signatures = s => [s[0], Digest.Of([1])] })),
        new("dispatch: second signer stripped with his certificate", Refusal.StatementSigners, () => Inside(new Forge { Authors = [G22.Signatory, G22.Sign], DispatchDer = d => Stripped(d, certificateToo: true) })),
        new("dispatch: second signer stripped", Refusal.StatementSigners, () => Inside(new Forge { Authors = [G22.Signatory, G22.Sign], DispatchDer = d => Stripped(d, certificateToo: false) })),
        new("dispatch: not signed by the office where the level asks", Refusal.DispatchSigners, () => Inside(new Forge(), officeSigns: true)),
        new("dispatch: signed by the office alone", Refusal.DispatchSigners, () => Inside(new Forge { Authors = [G22.Sign] })),
        new("dispatch: by a person who may not author", Refusal.DispatchSigners, () => Inside(new Forge { Authors = [G22.Clerk] }, roles: ["signatory"])),
        new("dispatch: by two persons", Refusal.DispatchSigners, () => Inside(new Forge { Authors = [G22.Signatory, G22.Clerk] })),
        new("dispatch: by a person of another office", Refusal.DispatchSigners, () => Inside(new Forge { Authors = [Pki["H14"].Signatory] })),
        new("dispatch: a receipt in its place", Refusal.StatementType, () => Inside(new Forge { DispatchDer = _ => Evidence.EvidenceCase.Shared.Input.Receipts[0].Bytes.ToArray() })),
        new("dispatch: 700 SEQUENCEs in each other", Refusal.Der, () => Inside(new Forge { DispatchDer = _ => Deep(2048) })),
        new("dispatch: a million SEQUENCEs in each other", Refusal.Der, () => Inside(new Forge { DispatchDer = _ => Deep(3 << 20) })),
    ];
}
