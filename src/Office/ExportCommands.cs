using System.CommandLine;
using Exchange.Crypto;
using Exchange.Crypto.Interop;
using Exchange.Office.Client;
using Exchange.Office.Client.Exports;

namespace Exchange.Office;

/// <summary>export: a dispatch that this office can open, in a form that other people's tools read. docs/export.md.</summary>
static class ExportCommands
{
    sealed record Asked(string? Id, string? File, string? Receipt, string? Asic, string? Smime, string[] To, bool Out, string? From);

    public static Command Export(Shell shell)
    {
        var id = new Argument<string?>("ID") { Description = "Of a dispatch that is archived here, or was sent from here with --keep; its first characters will do", Arity = ArgumentArity.ZeroOrOne };
        var file = new Option<string?>("--file") { Description = "In place of ID: an envelope that this office can open, as its sender or for recovery", HelpName = "FILE" };
        var receipt = new Option<string?>("--receipt") { Description = "With --file: the gateway's receipt that came with it. Default: FILE.receipt.p7s or FILE.receipt beside it", HelpName = "FILE" };
        var asic = new Option<string?>("--asic") { Description = "Documents and everything that proves them, signed by this office, in one ASiC-E container. It is not encrypted", HelpName = "FILE" };
        var smime = new Option<string?>("--smime") { Description = "A mail that is signed by this office and encrypted to --to-cert; needs --out-of-system", HelpName = "FILE" };
        var to = new Option<string[]>("--to-cert") { Description = "With --smime: certificate of a reader, PEM or DER; may be repeated", HelpName = "FILE", Arity = ArgumentArity.OneOrMore };
        var leaves = new Option<bool>("--out-of-system") { Description = "With --smime: yes, it is to leave the system; no receipt will say who reads it" };
        var from = new Option<string?>("--from") { Description = "With --smime: address of the sender", HelpName = "ADDRESS" };
        var command = new Command("export", "Puts a dispatch into a form that other people's tools read: an ASiC-E container, or an encrypted mail. Trích xuất văn bản.") { id, file, receipt, asic, smime, to, leaves, from };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            var asked = new Asked(parsed.GetValue(id), parsed.GetValue(file), parsed.GetValue(receipt), parsed.GetValue(asic), parsed.GetValue(smime), parsed.GetValue(to) ?? [], parsed.GetValue(leaves), parsed.GetValue(from));
            Demand(asked);
            var readers = asked.To.Select(f => MailRecipient.Read(File.ReadAllBytes(f), shell.Clock.GetUtcNow())).ToList();
            using var client = shell.Client(parsed, say);
            var online = await client.RefreshAsync(cancel).ConfigureAwait(false) is null;
            var source = SourceOf(asked, client);
            return asked.Asic is { } container ? Tell(await client.ExportAsicAsync(source, container, online, null, cancel).ConfigureAwait(false), online, say)
                : Tell(await client.ExportMailAsync(source, new MailExport(asked.Smime!, readers, asked.From), null, cancel).ConfigureAwait(false), say);
        });
    }

    static void Demand(Asked asked)
    {
        if (asked.Id is null == asked.File is null) throw new UsageException("export: name an ID, or --file FILE", "export: chọn một MÃ, hoặc --file TỆP");
        if (asked.Asic is null == asked.Smime is null) throw new UsageException("export: choose --asic FILE or --smime FILE", "export: chọn --asic TỆP hoặc --smime TỆP");
        if (asked.Receipt is not null && asked.File is null) throw new UsageException("--receipt: only with --file", "--receipt: chỉ dùng cùng --file");
        if (asked.Smime is null && (asked.To.Length > 0 || asked.Out || asked.From is not null)) throw new UsageException("--to-cert, --out-of-system and --from: only with --smime", "--to-cert, --out-of-system và --from: chỉ dùng cùng --smime");
        if (asked.Smime is not null && asked.To.Length == 0) throw new UsageException("--smime: name the reader's certificate with --to-cert FILE", "--smime: chọn chứng thư của người đọc bằng --to-cert TỆP");
        foreach (var file in asked.To.Append<string?>(asked.File).Where(f => f is not null && !File.Exists(f))) throw new UsageException($"there is no file {file}", $"không có tệp {file}");
        var target = Path.GetFullPath(asked.Asic ?? asked.Smime!);
        if (!Directory.Exists(Path.GetDirectoryName(target))) throw new UsageException($"there is no folder {Path.GetDirectoryName(target)}", $"không có thư mục {Path.GetDirectoryName(target)}");
        if (Path.Exists(target)) throw new UsageException($"{target} is there already: choose another name", $"{target} đã có: hãy chọn tên khác");
        if (asked is { Smime: not null, Out: false }) throw new RefusedException(Refusal.ExportMail, "it would leave the system, where nothing can be taken back and no receipt says who reads it: say so with --out-of-system");
    }

    static ExportSource SourceOf(Asked asked, OfficeClient client)
    {
        if (asked.Id is { } id) return client.FindExport(id) ?? throw new UsageException($"{id}: more than one dispatch begins so", $"{id}: có nhiều văn bản bắt đầu như vậy");
        return new ExportSource.Brought(asked.File!, OpenAsideCommand.ReceiptOf(asked.File!, asked.Receipt)
            ?? throw new UsageException("--file: name the gateway's receipt with --receipt FILE", "--file: chọn biên nhận của trục bằng --receipt TỆP"));
    }

    static int Tell(AsicResult done, bool online, Output say)
    {
        say.Json(new { kind = "asic", done.File, done.Role, done.Sender, done.Envelope, done.Number, done.Level, mark = done.Label.Mark, done.Label.Caveats, done.Label.Term, done.Documents, done.Evidence, done.Complete, timeStamped = done.Stamped, done.Findings });
        say.Say($"written  {done.Sender}  {done.Number ?? done.Envelope.ToString()}  {done.Level}  documents: {done.Documents.Count}, files of evidence: {done.Evidence}  →  {done.File}",
            $"đã ghi  {done.Sender}  {done.Number ?? done.Envelope.ToString()}  {done.Level}  tài liệu: {done.Documents.Count}, tệp bằng chứng: {done.Evidence}  →  {done.File}");
        foreach (var (en, vi) in InboxCommands.HandlingOf(done.Label, say)) say.Say($"    {en}", $"    {vi}");
        foreach (var finding in done.Findings) say.Say(finding, finding);
        say.Note("it is not encrypted: keep it as the dispatch itself is to be kept", "tệp không được mã hóa: hãy bảo quản như chính văn bản");
        if (!online) say.Note("the gateway was not reached: proofs from its ledger are left out", "không kết nối được tới trục: thiếu bằng chứng từ sổ của trục");
        else if (!done.Complete) say.Note("some entries are not in a checkpoint yet: export again in a few seconds", "một số mục chưa có trong điểm kiểm tra: xuất lại sau vài giây");
        say.Hint("to check it", "để kiểm tra", $"unzip {done.File} -d FOLDER && exchange verify --dispatch FOLDER/evidence    # with other people's tools: docs/export.md");
        return done.Findings.Count > 0 ? ExchangeProgram.Bad : done.Complete ? ExchangeProgram.Good : ExchangeProgram.Incomplete;
    }

    static int Tell(MailResult done, Output say)
    {
        say.Json(new { kind = "smime", done.File, done.Role, done.Sender, done.Envelope, done.Number, done.Level, done.Documents, to = done.To.Select(r => new { r.Subject, sha256 = r.Fingerprint, r.Addresses, key = r.Certificate.Key }) });
        say.Say($"written  {done.Sender}  {done.Number ?? done.Envelope.ToString()}  {done.Level}  documents: {done.Documents.Count}  →  {done.File}",
            $"đã ghi  {done.Sender}  {done.Number ?? done.Envelope.ToString()}  {done.Level}  tài liệu: {done.Documents.Count}  →  {done.File}");
        foreach (var reader in done.To)
        {
            say.Say($"    can be read with the key of  {reader.Subject}", $"    mở được bằng khóa của  {reader.Subject}");
            say.Say($"      SHA-256 {reader.Fingerprint}", null);
        }
        say.Note("nobody here vouches for these certificates: compare the SHA-256 with their owners before you send the mail", "không ai ở đây bảo đảm các chứng thư này: hãy đối chiếu SHA-256 với chủ sở hữu trước khi gửi thư");
        return ExchangeProgram.Good;
    }
}
