using Exchange.Crypto.Envelope;
using Exchange.Office.Client;

namespace Exchange.Office;

/// <summary>open --sent, and open --file of an envelope: what this office can open although no copy of it is its own.</summary>
static class OpenAsideCommand
{
    /// <summary>The receipt that an envelope in a file is opened with; null: the file is a sealed parcel, which holds its own, or there is none.</summary>
    /// <param name="given">Where it is; null: beside the file, under its name.</param>
    public static byte[]? ReceiptOf(string file, string? given)
    {
        var start = new byte[32];
        using (var stream = File.OpenRead(file))
            if (SealedParcelOpener.IsSealed(start.AsSpan(0, stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)))) return null;
        if (given is not null && !File.Exists(given)) throw new UsageException($"--receipt: there is no file {given}", $"--receipt: không có tệp {given}");
        string[] beside = [file + ".receipt.p7s", file + ".receipt", Path.ChangeExtension(file, ".receipt.p7s"), Path.ChangeExtension(file, ".receipt")];
        return (given ?? beside.FirstOrDefault(File.Exists)) is { } receipt ? File.ReadAllBytes(receipt) : null;
    }

    public static async Task<int> TellAsync(OfficeClient client, AsideResult opened, Output say, CancellationToken cancel) =>
        Tell(opened, say, await client.SignaturesAsync(opened.Files, opened.Accepted, cancel).ConfigureAwait(false));

    public static int Tell(AsideResult opened, Output say, IReadOnlyList<SignedDocument> signed)
    {
        say.Json(new[] { new { opened.Role, opened.Sender, opened.Envelope, opened.Number, opened.Level, mark = opened.Label.Mark, opened.Label.Caveats, opened.Label.Term, acceptedAt = opened.Accepted, opened.Folder, opened.Files, signatures = signed.Select(SignatureCommands.Describe) } });
        var name = $"{opened.Sender}  {opened.Number ?? opened.Envelope.ToString()}  {opened.Level}  ";
        say.Say($"opened  {name}in the role {opened.Role}  sent {say.Time(opened.Accepted)}  →  {opened.Folder}", $"đã mở  {name}vai trò {RoleOf(opened.Role)}  gửi {say.Time(opened.Accepted)}  →  {opened.Folder}");
        foreach (var (en, vi) in InboxCommands.HandlingOf(opened.Label, say)) say.Say($"    {en}", $"    {vi}");
        foreach (var file in opened.Files) say.Say($"    {Path.GetFileName(file)}  {InboxCommands.SizeOf(file)}", $"    {Path.GetFileName(file)}  {InboxCommands.SizeOf(file)}");
        SignatureCommands.Tell(signed, say);
        if (opened.Role == "recovery") say.Note("no copy of it is this office's: nobody was told, so tell the office whose it is", "không có bản gửi nào cho cơ quan này: không ai được báo, hãy báo cơ quan nhận");
        return ExchangeProgram.Good;
    }

    static string RoleOf(string role) => role switch { "self" => "cơ quan gửi", "archive" => "lưu trữ", _ => "khôi phục" };
}
