using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Inspection;
using Exchange.Office.Client;

namespace Exchange.Office;

/// <summary>inspect: the parts of a file and every fault of its form. The reading is <see cref="Inspected"/>; this only prints.</summary>
static class InspectCommand
{
    const int MostShown = 64 << 10, MostKeys = 20;
    static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Inspect(Shell shell)
    {
        var file = new Argument<string>("FILE") { Description = "An envelope, a sealed parcel, a statement (.p7s: card, directory, policy, receipt …), a manifest or archive.p7m, a time-stamp (.tst), a checkpoint, a certificate, a revocation list or an OCSP response" };
        var command = new Command("inspect", "What a file is made of, without a key, and every fault of its form; nobody is trusted or asked. Exit 0 no fault, 1 faults. Xem cấu trúc tệp và mọi lỗi.") { file };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            var path = parsed.GetValue(file)!;
            if (!File.Exists(path)) throw new RefusedException(Refusal.NotFound, $"no file {path}");
            await using var stream = File.OpenRead(path);
            var seen = await say.ProgressAsync("hashing", "tính mã băm", stream.Length, p => Inspected.ReadAsync(stream, p, cancel)).ConfigureAwait(false);
            say.Json(Describe(path, seen));
            if (!say.IsJson) Show(path, seen, say);
            return seen.Sound ? ExchangeProgram.Good : ExchangeProgram.Bad;
        });
    }

    static void Show(string path, Inspected seen, Output say)
    {
        say.Say($"{path}: {seen.Kind}, {Output.Size(seen.Length)}", $"{path}: {Kind(seen.Kind)}, {Output.Size(seen.Length)}");
        foreach (var part in seen.Parts)
        {
            var place = part.Offset is { } offset ? $"  @{offset}" : "";
            say.Say($"\n{part.Name}{place}  {part.Length} B", $"\n{InspectWords.Part(part.Name)}{place}  {part.Length} B");
            foreach (var facts in part.Facts.GroupBy(f => f.Name))
            {
                foreach (var (name, value) in facts.Take(MostKeys)) say.Say($"  {name}: {Output.Visible(value)}", $"  {InspectWords.Fact(name)}: {Output.Visible(value)}");
                if (facts.Count() > MostKeys) say.Say($"  {facts.Key}: {facts.Count() - MostKeys} more; --json names them", $"  {InspectWords.Fact(facts.Key)}: còn {facts.Count() - MostKeys}; xem bằng --json");
            }
            if (part.Json is { } json) Content(json, say);
            if (part.UnreadableBecauseOf is { } cause) say.Say($"  CANNOT BE READ because of {cause}", $"  KHÔNG ĐỌC ĐƯỢC do lỗi ở {InspectWords.Part(cause)}");
            foreach (var fault in part.Faults)
                say.Say($"  FAULT {fault.Refusal.Code}  {fault.Refusal.En}{Detail(fault)}", $"  LỖI {fault.Refusal.Code}  {fault.Refusal.Vi}{Detail(fault)}");
            if (part.MoreFaults > 0) say.Say($"  and {part.MoreFaults} faults more", $"  và {part.MoreFaults} lỗi khác");
        }
        Conclude(path, seen, say);
    }

    static void Conclude(string path, Inspected seen, Output say)
    {
        var faults = seen.Parts.Sum(p => p.Faults.Count + p.MoreFaults);
        if (seen.Sound) say.Say("\nno fault of form", "\nkhông có lỗi về hình thức");
        else say.Say($"\nfaults: {faults}; {seen.Parts.Count(p => !p.Sound)} of {seen.Parts.Count} parts do not hold or cannot be read", $"\n{faults} lỗi; {seen.Parts.Count(p => !p.Sound)}/{seen.Parts.Count} phần sai hoặc không đọc được");
        if (seen.Kind == InspectedKind.Unknown)
        {
            if (DocumentKind.Of(path) is not null) say.Hint("a document; to see who signed it", "đây là văn bản; để xem ai đã ký", $"exchange signatures {path}");
            return;
        }
        say.Say("NOT VERIFIED: signatures fit what they are in, unless a fault says otherwise, but who the signers are and whether they may was not checked.",
            "CHƯA KIỂM TRA: chữ ký khớp với nội dung, trừ khi có lỗi nêu trên, nhưng người ký là ai và có thẩm quyền hay không thì chưa được kiểm tra.");
        say.Hint("to check", "để kiểm tra", $"exchange verify {path}");
    }

    static void Content(ReadOnlyMemory<byte> json, Output say)
    {
        if (json.Length > MostShown)
        {
            say.Say($"  content: {Output.Size(json.Length)} of JSON; --json shows it", $"  nội dung: {Output.Size(json.Length)} JSON; xem bằng --json");
            return;
        }
        using var document = JsonDocument.Parse(json);
        // Line by line: the line ends between members are ours, everything inside a member is not.
        foreach (var line in JsonSerializer.Serialize(document.RootElement, Readable).Split('\n')) say.Say(Output.Visible(line.TrimEnd('\r')), null);
    }

    static string Kind(string kind) => InspectWords.Part(kind);
    static string Detail(Fault fault) => fault.Detail.Length == 0 ? "" : $" ({Output.Visible(fault.Detail)})";

    static object Describe(string path, Inspected seen) => new
    {
        file = path, seen.Kind, bytes = seen.Length, verified = false, seen.Sound,
        parts = seen.Parts.Select(p => new
        {
            p.Name, p.Offset, p.Length, p.Sound, p.UnreadableBecauseOf, facts = p.Facts.Select(f => new { f.Name, f.Value }), content = p.Json is { } json ? Parse(json) : default(JsonElement?),
            faults = p.Faults.Select(f => Output.Describe(f.Refusal, f.Detail)), p.MoreFaults,
        }),
    };

    static JsonElement Parse(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
