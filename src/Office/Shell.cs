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
        return client;
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
