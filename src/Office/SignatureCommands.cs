using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Office.Client;

namespace Exchange.Office;

/// <summary>signatures: who signed a PDF or XML document. The same is said of each document after a dispatch was opened.</summary>
static partial class SignatureCommands
{
    public static Command Signatures(Shell shell)
    {
        var files = new Argument<string[]>("FILE") { Description = "PDF or XML documents, as they were received", Arity = ArgumentArity.OneOrMore };
        var command = new Command("signatures", "Who signed a document, and whether that holds. Exit 0 all hold and are trusted, 1 one does not hold, 2 cannot be told. Xem chữ ký số trong văn bản.") { files };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            var named = parsed.GetValue(files)!;
            if (Array.Find(named, f => !File.Exists(f)) is { } missing) throw new RefusedException(Refusal.NotFound, $"no file {missing}");
            // Without a profile there is nobody to trust; what was signed can be said all the same.
            var path = shell.ProfilePath(parsed);
            using var client = File.Exists(path) || Directory.Exists(path) ? shell.Client(parsed, say) : null;
            var now = shell.Clock.GetUtcNow();
            var found = client is not null ? await client.SignaturesAsync(named, now, cancel).ConfigureAwait(false) : await new DocumentSignatures(null, shell.Clock).OfAsync(named, now, cancel).ConfigureAwait(false);
            say.Json(found.Select(Describe));
            foreach (var file in named.Where(n => !found.Any(f => f.File == n))) say.Say($"{file}: no signature that is read here", $"{file}: không có chữ ký số đọc được ở đây");
            foreach (var document in found)
            {
                say.Say(document.File, null);
                Tell([document], say, "");
            }
            var all = found.SelectMany(d => d.Signatures).ToList();
            return all.Exists(s => s.Outcome == SignatureOutcome.DoesNotHold) ? ExchangeProgram.Bad
                : all.Count > 0 && found.Count == named.Length && all.TrueForAll(s => s is { Outcome: SignatureOutcome.Holds, Trusted: true }) && found.All(d => d.Trouble is null) ? ExchangeProgram.Good : ExchangeProgram.Incomplete;
        });
    }

    /// <summary>The process that reads one document; nobody but <see cref="DocumentSignatures"/> starts it.</summary>
    public static Command Reader(Shell shell)
    {
        var file = new Argument<string>("FILE");
        var command = new Command("read-signatures", "Reads one document's signatures in this process") { file };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            // A parser that dies leaves no copy of the document behind, nor does it compute for ever when whoever asked has died.
            SetLimit(LimitCore, new(0, 0));
            SetLimit(LimitCpu, new(30, 30));
            shell.Output.WriteLine(JsonSerializer.Serialize(SignatureReader.Read(parsed.GetValue(file)!), SignatureJson.Default.SignedDocument));
            return ExchangeProgram.Good;
        });
        return command;
    }

    /// <summary>Each signature on a line of its own.</summary>
    public static void Tell(IReadOnlyList<SignedDocument> documents, Output say, string indent = "    ")
    {
        foreach (var document in documents)
        {
            var name = indent.Length == 0 ? "" : Output.Visible(Path.GetFileName(document.File)) + ": ";
            if (document.Trouble is { } why) say.Say($"{indent}{name}signatures: cannot be told: {SignatureWords.En(why)}", $"{indent}{name}chữ ký số: chưa xác định được: {SignatureWords.Vi(why)}");
            foreach (var signature in document.Signatures) say.Say($"{indent}{name}{SignatureWords.Line(signature, vietnamese: false, say)}", $"{indent}{name}{SignatureWords.Line(signature, vietnamese: true, say)}");
        }
    }

    public static object Describe(SignedDocument document) => new
    {
        document.File, document.Kind, cannotBeTold = document.Trouble,
        signatures = document.Signatures.Select(s => new { s.Outcome, s.Why, s.Covers, s.Signer, s.Claimed, s.Trusted, distrust = s.Distrust is { } refusal ? Output.Describe(refusal) : null, s.Certificate }),
    };

    const int LimitCpu = 0, LimitCore = 4;

    readonly record struct Limit(ulong Soft, ulong Hard);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetLimit(int resource, in Limit limit);
}
