using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Exchange.Crypto;
using Exchange.Office.Client;
using Spectre.Console;

namespace Exchange.Office;

/// <summary>
/// Rules of what is printed:
/// 1. What was asked for goes to standard output, everything else (progress, warnings, errors, hints) to standard error.
/// 2. With --json standard output is exactly one JSON document, also for an error.
/// 3. An error has a code, its sentence in both languages, and a remedy in the reader's. A hint names the next command, ready to copy.
/// 4. Colour, moving bars and line wrapping only on a terminal; elsewhere plain lines.
/// 5. Text that comes from a file that nobody has verified is printed by <see cref="Visible"/>.
/// 6. No subject, document name or key bytes unless the verb is there to show exactly that.
/// </summary>
sealed class Output(TextWriter output, TextWriter error, bool vietnamese, bool json, TimeProvider clock)
{
    static readonly JsonSerializerOptions JsonForm = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.Never, Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public bool IsVietnamese => vietnamese;
    public bool IsJson => json;
    /// <summary>Somebody sits there and can answer.</summary>
    public bool IsInteractive => !json && ReferenceEquals(output, Console.Out) && !Console.IsInputRedirected && !Console.IsOutputRedirected;

    public string Text(string en, string vi) => vietnamese ? vi : en;

    /// <summary>A line of the answer.</summary>
    /// <param name="vi">null: the same in both.</param>
    public void Say(string en, string? vi)
    {
        if (!json) output.WriteLine(Text(en, vi ?? en));
    }

    /// <summary>A line on the way; not part of the answer.</summary>
    public void Note(string en, string vi) => error.WriteLine(Text(en, vi));

    /// <summary>What to type next.</summary>
    public void Hint(string en, string vi, string command)
    {
        if (!json) error.WriteLine($"{Text(en, vi)}:\n  {command}");
    }

    /// <summary>The one JSON document of --json.</summary>
    public void Json(object value)
    {
        // Outside of strings there is nothing to escape, and inside of them this is the same text.
        if (json) output.WriteLine(VisibleText.Escaped(JsonSerializer.Serialize(value, JsonForm), c => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}"), keep: "\r\n"));
    }

    /// <summary>Text of others on one line, showing as what it is: what would control a terminal, turn text around or be invisible stands there by its number.</summary>
    public static string Visible(string text) => VisibleText.Of(text);

    public void Refused(Refusal refusal, string detail = "")
    {
        if (json)
        {
            Json(new { error = Describe(refusal, detail) });
            return;
        }
        var (first, second) = vietnamese ? (refusal.Vi, refusal.En) : (refusal.En, refusal.Vi);
        var indent = new string(' ', refusal.Code.Length + 2);
        error.WriteLine($"{refusal.Code}  {first}");
        error.WriteLine($"{indent}{second}");
        if (detail.Length > 0) error.WriteLine($"{indent}({detail})");
        error.WriteLine($"{indent}{Text("What to do", "Cách xử lý")}: {(vietnamese ? refusal.RemedyVi : refusal.RemedyEn)}");
    }

    public static object Describe(Refusal refusal, string detail = "") => new
    {
        refusal.Code, detail, messages = new { en = refusal.En, vi = refusal.Vi }, remedy = new { en = refusal.RemedyEn, vi = refusal.RemedyVi },
    };

    public void ProfileErrors(ProfileException e)
    {
        if (json) { Json(new { error = new { code = Refusal.Profile.Code, profile = e.ProfilePath, errors = e.Errors } }); return; }
        Refused(Refusal.Profile, e.ProfilePath);
        foreach (var line in e.Errors) error.WriteLine($"  - {line}");
    }

    public void UsageError(UsageException e)
    {
        if (json) Json(new { error = new { code = "usage", messages = new { en = e.En, vi = e.Vi } } });
        else error.WriteLine(Text(e.En, e.Vi));
    }

    public void Trouble(string message)
    {
        if (json) Json(new { error = new { code = "trouble", message } });
        else error.WriteLine(message);
    }

    public void Table(string[] headings, IEnumerable<string[]> rows)
    {
        if (json) return;
        var console = Console_(output, ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected);
        var table = new Table().Border(TableBorder.Simple);
        foreach (var heading in headings) table.AddColumn(new TableColumn(Markup.Escape(heading)).NoWrap());
        foreach (var row in rows) table.AddRow([.. row.Select(Markup.Escape)]);
        console.Write(table);
    }

    /// <summary>Runs something that reports bytes done: a moving bar on a terminal, a line at each quarter elsewhere; nothing for less than 8 MiB.</summary>
    public async Task<T> ProgressAsync<T>(string en, string vi, long total, Func<IProgress<long>?, Task<T>> work)
    {
        if (json || total < 8 << 20) return await work(null).ConfigureAwait(false);
        var what = Text(en, vi);
        if (!ReferenceEquals(error, Console.Error) || Console.IsErrorRedirected) return await work(new Quarters(error, what, total)).ConfigureAwait(false);
        return await Console_(error, isTerminal: true).Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new TransferSpeedColumn())
            .StartAsync(async context =>
            {
                var bar = context.AddTask(Markup.Escape(what), maxValue: total);
                var result = await work(new Direct(done => bar.Value = Math.Min(done, total))).ConfigureAwait(false);
                bar.Value = total;
                return result;
            }).ConfigureAwait(false);
    }

    /// <summary>A line at each quarter of something that runs beside other things; null for less than 8 MiB.</summary>
    public IProgress<long>? Lines(string what, long total) => json || total < 8 << 20 ? null : new Quarters(error, what, total);

    /// <summary>null when nobody sits there.</summary>
    public string? AskPassphrase() => Ask("Passphrase of the key files", "Mật khẩu tệp khóa", secret: true);

    /// <summary>null when nobody sits there.</summary>
    public string? Ask(string en, string vi, bool secret = false)
    {
        if (!IsInteractive) return null;
        var prompt = new TextPrompt<string>(Markup.Escape(Text(en, vi)) + ":").AllowEmpty();
        return Console_(error, isTerminal: true).Prompt(secret ? prompt.Secret(null) : prompt);
    }

    /// <summary>In the computer's own time zone.</summary>
    public string Time(DateTimeOffset time) => TimeZoneInfo.ConvertTime(time, clock.LocalTimeZone).ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);

    public string Time(long milliseconds) => Time(DateTimeOffset.FromUnixTimeMilliseconds(milliseconds));

    public static string Size(long bytes) => bytes switch
    {
        < 1_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.0} kB"),
        < 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.00} GB"),
    };

    static IAnsiConsole Console_(TextWriter writer, bool isTerminal)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer), Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No, Interactive = isTerminal ? InteractionSupport.Detect : InteractionSupport.No,
        });
        // Spectre wraps at 80 columns where there is no terminal; a program that reads lines wants them whole.
        if (!isTerminal) console.Profile.Width = 4000;
        return console;
    }

    /// <summary>Reports on the thread that did the work; Progress of the library would post to a pool and print out of order.</summary>
    sealed class Direct(Action<long> report) : IProgress<long>
    {
        public void Report(long value) => report(value);
    }

    sealed class Quarters(TextWriter writer, string what, long total) : IProgress<long>
    {
        int said;

        public void Report(long value)
        {
            for (var quarter = (int)Math.Min(4, value * 4 / total); said < quarter;)
                writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {what}: {++said * 25,3} %  {Size(total * said / 4)}"));
        }
    }
}
