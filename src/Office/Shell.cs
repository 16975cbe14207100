using System.CommandLine;
using Exchange.Crypto;
using Exchange.Office.Client;

namespace Exchange.Office;

/// <summary>The command line itself is wrong: exit 64.</summary>
sealed class UsageException(string en, string vi) : Exception(en)
{
    public string En { get; } = en;
    public string Vi { get; } = vi;
}

/// <summary>What every verb shares: the three options, and one place where failures become words and exit codes.</summary>
sealed class Shell(TimeProvider clock, TextWriter output, TextWriter error)
{
    const int MostTold = 3;
    readonly Option<string?> profile = new("--profile") { Description = "profile.json or its folder; default $EXCHANGE_PROFILE, else ./profile.json", Recursive = true, HelpName = "FILE" };
    readonly Option<string?> language = new("--lang") { Description = "vi or en; default from LC_ALL, LC_MESSAGES, LANG", Recursive = true, HelpName = "LANG" };
    readonly Option<bool> json = new("--json") { Description = "One JSON document instead of text", Recursive = true };

    public TimeProvider Clock { get; } = clock;
    public TextWriter Output { get; } = output;
    public TextWriter Error { get; } = error;
    public IEnumerable<Option> Options => [profile, language.AcceptOnlyFromAmong("vi", "en"), json];

    /// <summary>Gives a command its action.</summary>
    public Command Does(Command command, Func<ParseResult, Output, CancellationToken, Task<int>> action)
    {
        command.SetAction((parsed, cancel) => GuardAsync(parsed, action, cancel));
        return command;
    }

    /// <summary>A client of the profile in use. Keys are loaded when first needed, so offline verbs ask for no passphrase.</summary>
    public OfficeClient Client(ParseResult parsed, Output output)
    {
        var client = OfficeClient.Open(Profile(parsed), output.AskPassphrase, Clock);
        // Whatever the clerk is about to do, he hears of it.
        var all = client.Contradictions();
        // An office that lies could lie by the hundred.
        if (all.Count > MostTold) output.Note($"{Refusal.Fork.Code}: {all.Count} statements of other offices about the ledger do not go together with what the gateway shows here; the first {MostTold}:", $"{Refusal.Fork.Code}: {all.Count} bản ký của cơ quan khác về sổ không khớp với sổ trục cho thấy ở đây; {MostTold} bản đầu:");
        foreach (var found in all.Take(MostTold))
            output.Note($"{Refusal.Fork.Code}: {found.Office} has signed that it saw a ledger of {found.Size} entries that does not go together with what the gateway shows here. Take {found.File} and {Path.GetFileName(found.File)}.shown to an auditor; this is told until they are moved away",
                $"{Refusal.Fork.Code}: {found.Office} đã ký rằng đã thấy sổ gồm {found.Size} mục, không khớp với sổ trục cho thấy ở đây. Chuyển {found.File} và {Path.GetFileName(found.File)}.shown cho kiểm toán; thông báo còn lặp lại đến khi các tệp được chuyển đi");
        foreach (var gone in client.Successions()) Tell(gone, output);
        client.OnLedgerEnded(gone => Tell(gone, output));
        return client;
    }

    static void Tell(LedgerSuccession gone, Output output)
    {
        var again = gone.ToSendAgain;
        var (some, file) = (string.Join(", ", again.Take(MostTold)), Path.ChangeExtension(gone.File, ".lost"));
        var more = again.Count > MostTold ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $" (+{again.Count - MostTold})") : "";
        var isAdmitted = gone.First < gone.End;
        output.Note($"The ledger {gone.Ended} ended, {gone.Origin} follows it{(isAdmitted ? $" and admits that what was promised in entries {gone.First} to {gone.End - 1} is lost as far as it is not in the new one" : "")}. "
                + (gone.Lost is null ? "Whether receipts of this office are among it is looked for when the gateway can be reached."
                : again.Count > 0 ? $"The gateway does not know these dispatches any more: send them again: {some}{more}. All that is lost of this office stands in {file}"
                : gone.Lost.Count > 0 ? $"All dispatches of this office are there; {gone.Lost.Count} later receipts are not: {file}" : "No receipt of this office is among it.")
                + $" This is told until {Path.GetFileName(file)} is moved away",
            $"Sổ {gone.Ended} đã kết thúc, sổ {gone.Origin} tiếp nối{(isAdmitted ? $" và thừa nhận: những gì đã hứa trong các mục {gone.First} đến {gone.End - 1} coi như mất nếu không có trong sổ mới" : "")}. "
                + (gone.Lost is null ? "Khi liên lạc được với trục sẽ kiểm tra biên nhận của cơ quan này có nằm trong đó không."
                : again.Count > 0 ? $"Trục không còn các văn bản sau, hãy gửi lại: {some}{more}. Toàn bộ phần mất của cơ quan này nằm trong {file}"
                : gone.Lost.Count > 0 ? $"Mọi văn bản của cơ quan này vẫn còn; thiếu {gone.Lost.Count} biên nhận về sau: {file}" : "Không có biên nhận nào của cơ quan này nằm trong đó.")
                + $" Thông báo còn lặp lại đến khi {Path.GetFileName(file)} được chuyển đi");
    }

    public Profile Profile(ParseResult parsed) => Exchange.Office.Client.Profile.Load(ProfilePath(parsed));

    /// <summary>The path in use, whether or not there is a profile.</summary>
    public string ProfilePath(ParseResult parsed) => parsed.GetValue(profile) ?? Environment.GetEnvironmentVariable("EXCHANGE_PROFILE") ?? "profile.json";

    async Task<int> GuardAsync(ParseResult parsed, Func<ParseResult, Output, CancellationToken, Task<int>> action, CancellationToken cancel)
    {
        var say = new Output(Output, Error, Vietnamese(parsed.GetValue(language)), parsed.GetValue(json), Clock);
        try { return await action(parsed, say, cancel).ConfigureAwait(false); }
        catch (RefusedException e) { say.Refused(e.Refusal, e.Detail); return IsOpenQuestion(e.Refusal) ? ExchangeProgram.Incomplete : ExchangeProgram.Bad; }
        catch (ProfileException e) { say.ProfileErrors(e); return ExchangeProgram.Usage; }
        catch (UsageException e) { say.UsageError(e); return ExchangeProgram.Usage; }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested) { say.Say("stopped", "đã dừng"); return ExchangeProgram.Incomplete; }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { say.Trouble(e.Message); return ExchangeProgram.Bad; }
    }

    // Not a no: nobody could be asked.
    static bool IsOpenQuestion(Refusal refusal) => refusal == Refusal.Unreachable || refusal == Refusal.Busy || refusal == Refusal.Full || refusal == Refusal.RevocationUnknown || refusal == Refusal.TimeStampAway;

    static readonly string[] LanguageVariables = ["LC_ALL", "LC_MESSAGES", "LANG"];

    static bool Vietnamese(string? asked)
    {
        var language = asked ?? LanguageVariables.Select(Environment.GetEnvironmentVariable).FirstOrDefault(v => !string.IsNullOrEmpty(v)) ?? "en";
        return language.StartsWith("vi", StringComparison.OrdinalIgnoreCase);
    }
}
