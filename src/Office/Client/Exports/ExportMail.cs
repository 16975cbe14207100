using System.Globalization;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Interop;
using Exchange.Crypto.Policy;
using MimeKit;
using MimeKit.Cryptography;

namespace Exchange.Office.Client.Exports;

/// <param name="From">Address of the sender; null: the office's code at a domain that does not exist (RFC 2606).</param>
public sealed record MailExport(string File, IReadOnlyList<MailRecipient> To, string? From);

public sealed record MailResult(string File, string Role, string Sender, Guid Envelope, string? Number, string Level, IReadOnlyList<string> Documents, IReadOnlyList<MailRecipient> To);

/// <summary>
/// A dispatch, opened, as a mail for whoever reads S/MIME: the sheet as text and the documents attached, signed by this office, then encrypted to the certificates given. Outside stand neutral words only.
/// It leaves the system: who reads it, and when, no receipt will say.
/// </summary>
sealed class ExportMail(OfficeContext office)
{
    public const string Subject = "Encrypted mail / Thư mã hóa";

    /// <exception cref="RefusedException">ExportMail: it may not leave so. Unreachable: the label in force cannot be known. Or whatever does not hold. Nothing is left.</exception>
    /// <exception cref="IOException">The file is there already, or there is no room.</exception>
    public async Task<MailResult> RunAsync(ExportSource source, MailExport request, IProgress<long>? progress, CancellationToken cancel)
    {
        var target = Path.GetFullPath(request.File);
        if (Path.Exists(target)) throw new IOException($"{target} is there already");
        using var copy = await ClearCopy.OpenAsync(office, source, target, progress, cancel).ConfigureAwait(false);
        var opened = copy.Opened;
        // 1. The label that counts is the one in force, under the policy in force. Who cannot ask the gateway cannot know it.
        var level = await DemandAsync(opened, cancel).ConfigureAwait(false);
        // 2. MimeKit writes forms, BouncyCastle signs and seals, each as the bytes pass by.
        using var writer = DurableFile.Create(target, replace: false);
        var options = FormatOptions.Default.Clone();
        options.NewLineFormat = NewLineFormat.Dos;
        using var content = Content(copy);
        using var signed = Signed(content, options, cancel);
        using var message = Message(request, new PushedContent(output => MailEnvelope.Write(output, request.To, s => signed.WriteTo(options, s, cancel))));
        await Task.Run(() => message.WriteTo(options, writer.Stream, cancel), cancel).ConfigureAwait(false);
        ExportRecord.Keep(office, "smime", opened, level.Code, [.. request.To.Select(r => r.Certificate.Key)]);
        await writer.CommitAsync(cancel).ConfigureAwait(false);
        return new MailResult(target, opened.Role, opened.Sender, opened.Envelope, opened.Number, level.Code, [.. copy.Documents.Select(d => d.Document.Name)], request.To);
    }

    async Task<PolicyLevel> DemandAsync(AsideResult opened, CancellationToken cancel)
    {
        if (office.Received.FindRecall(opened.Sender, opened.Envelope) is { Kind: "recall" }) throw new RefusedException(Refusal.ExportMail, "its sender has taken it back");
        MailRule.Demand(office.View.Policy, opened.Label);
        LabelView view;
        try { view = await new ChangeLabel(office).ShowAsync(opened.Envelope.ToString(), cancel).ConfigureAwait(false); }
        catch (RefusedException e) when (e.Refusal == Refusal.NotFound) { throw new RefusedException(Refusal.ExportMail, "which label is in force is told only to its sender and to whom it was sent"); }
        if (view.Sender != opened.Sender) throw new RefusedException(Refusal.LabelMismatch, "another dispatch has this name");
        return MailRule.Demand(office.View.Policy, view.InForce);
    }

    Multipart Content(ClearCopy copy)
    {
        var mixed = new Multipart("mixed") { new TextPart("plain") { Text = Text(copy), ContentTransferEncoding = ContentEncoding.QuotedPrintable } };
        // A text that says it is one might get other line ends on the way in; as bytes it stays what was signed.
        foreach (var (document, bytes) in copy.Documents)
            mixed.Add(new MimePart(ContentType.TryParse(document.MediaType, out var type) && type.MediaType is not ("multipart" or "message" or "text") ? type : new ContentType("application", "octet-stream"))
            {
                Content = new MimeContent(bytes), ContentTransferEncoding = ContentEncoding.Base64, ContentDisposition = new ContentDisposition(ContentDisposition.Attachment), FileName = document.Name,
            });
        return mixed;
    }

    // multipart/signed (RFC 8551 3.5.3). The content is written twice, once to be digested, and each time as it comes: a signature must be there before what stands around it.
    MultipartSigned Signed(Multipart content, FormatOptions options, CancellationToken cancel)
    {
        var signature = CadesSignature.Sign(office.Keys.Sign, office.View.Trust.Store, office.Now, s => content.WriteTo(options, s, cancel));
        var signed = new MultipartSigned();
        signed.ContentType.Parameters["protocol"] = "application/pkcs7-signature";
        signed.ContentType.Parameters["micalg"] = CadesSignature.MicAlg(office.Keys.Sign);
        signed.Add(content);
        signed.Add(new ApplicationPkcs7Signature(new MemoryStream(signature, writable: false)));
        return signed;
    }

    // Nothing of the dispatch, of this machine or of its name.
    MimeMessage Message(MailExport request, PushedContent sealedContent)
    {
        var code = office.Profile.Office;
        var body = new MimePart("application", "pkcs7-mime")
        {
            Content = sealedContent, ContentTransferEncoding = ContentEncoding.Base64, ContentDisposition = new ContentDisposition(ContentDisposition.Attachment) { FileName = "smime.p7m" },
        };
        body.ContentType.Parameters["smime-type"] = "enveloped-data";
        body.ContentType.Name = "smime.p7m";
        var message = new MimeMessage { Date = office.Now, Subject = Subject, MessageId = $"{Guid.CreateVersion7(office.Now):N}@exchange.invalid", Body = body };
        message.From.Add(request.From is { } from ? MailboxAddress.Parse(from) : new MailboxAddress(code, $"{code.ToLowerInvariant()}@exchange.invalid"));
        foreach (var address in request.To.SelectMany(r => r.Addresses).Distinct(StringComparer.OrdinalIgnoreCase))
            if (MailboxAddress.TryParse(address, out var to)) message.To.Add(to);
        if (message.To.Count == 0) message.To.Add(new GroupAddress("undisclosed-recipients"));
        return message;
    }

    string Text(ClearCopy copy)
    {
        var dispatch = copy.Opened.Inside.Dispatch;
        var (sheet, header) = (dispatch.Sheet, copy.Opened.Inside.Envelope.Header);
        var directory = office.View.DirectoryOf(header.Directory);
        var text = new StringBuilder();
        void Line(string name, string? value) { if (value is not null) text.Append(CultureInfo.InvariantCulture, $"{name}: {value}\n"); }
        string Named(string code) => directory.Find(code) is { } entry ? $"{code}, {entry.Name.Vi} ({entry.Name.En})" : code;
        Line("Số, ký hiệu / Number", copy.Opened.Number);
        Line("Ngày / Date", sheet.Date);
        Line("Tên loại / Type", sheet.DocumentType);
        Line("Trích yếu / Subject", sheet.Subject);
        Line("Nơi gửi / From", Named(dispatch.From));
        foreach (var to in dispatch.To) Line("Nơi nhận / To", Named(to));
        Line("Người ký / Signed by", sheet.Signatory is { } s ? string.Join(' ', new[] { s.Authority, s.Position, s.Name }.OfType<string>()) : null);
        text.Append('\n');
        foreach (var (document, _) in copy.Documents) Line(document.Name, $"SHA-256 {Convert.ToHexStringLower(document.Sha256.ToArray())}");
        text.Append(CultureInfo.InvariantCulture, $"\nThư này do {office.Profile.Office} trích xuất từ hệ thống trao đổi văn bản; chữ ký của thư là của cơ quan này, không phải của tác giả văn bản.\n")
            .Append(CultureInfo.InvariantCulture, $"Taken out of the document exchange by {office.Profile.Office}; the signature of this mail is that office's, not the author's.\nDispatch {header.Id}\n");
        return text.ToString();
    }

    /// <summary>A part whose bytes are made when it is written, so that nothing of it stands in memory or on disk before.</summary>
    sealed class PushedContent(Action<Stream> write) : IMimeContent
    {
        public ContentEncoding Encoding => ContentEncoding.Default;
        public NewLineFormat? NewLineFormat => null;
        public Stream Stream => throw new NotSupportedException();
        public Stream Open() => throw new NotSupportedException();
        public void DecodeTo(Stream stream, CancellationToken cancellationToken = default) => write(stream);
        public Task DecodeToAsync(Stream stream, CancellationToken cancellationToken = default) => Task.Run(() => write(stream), cancellationToken);
        public void WriteTo(Stream stream, CancellationToken cancellationToken = default) => write(stream);
        public Task WriteToAsync(Stream stream, CancellationToken cancellationToken = default) => DecodeToAsync(stream, cancellationToken);
        public void Dispose() { }
    }
}
