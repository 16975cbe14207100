using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Office.Client;

namespace Exchange.Office;

/// <summary>The registration sheet as a file: what is left out is null.</summary>
sealed record SheetFile(string? Number, string? Notation, string? Subject, string? DocumentType, string? Place, string? Date, SheetSignatory? Signatory);

sealed record SheetSignatory(string? Authority, string? Position, string? Name);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(SheetFile))]
sealed partial class SheetJson : JsonSerializerContext;

/// <summary>The options of `send`, and what they say together.</summary>
sealed class SendForm
{
    readonly Argument<string[]> files = new("FILE") { Description = "Documents, in order", Arity = ArgumentArity.OneOrMore };
    readonly Option<string> to = new("--to") { Description = "Office codes, separated by commas", Required = true, HelpName = "H41,H14" };
    readonly Option<string?> cc = new("--cc") { Description = "Office codes of copies", HelpName = "H37" };
    readonly Option<string?> later = new("--later") { Description = "Offices that are to get it later: its author writes to them as well, and exchange update sends it to them without him", HelpName = "H09" };
    readonly Option<string?> basis = new("--basis") { Description = "Entry of the official list that justifies the level", HelpName = "CODE" };
    readonly Option<string?> sheet = new("--sheet") { Description = "Registration sheet as JSON (number, notation, subject, documentType, place, date, signatory); - reads standard input", HelpName = "FILE" };
    readonly Option<string?> subject = new("--subject") { Description = "Lowest level only: a command line can be read by others on this computer", HelpName = "TEXT" };
    readonly Option<string?> number = new("--number") { HelpName = "7816" };
    readonly Option<string?> notation = new("--notation") { HelpName = "VPCP-TTĐT" };
    readonly Option<string?> type = new("--type") { Description = "Default: Công văn", HelpName = "TEXT" };
    readonly Option<string?> place = new("--place") { HelpName = "TEXT" };
    readonly Option<string?> date = new("--date") { Description = "Default: today", HelpName = "yyyy-MM-dd" };
    readonly Option<string?> signatoryName = new("--signatory-name") { HelpName = "TEXT" };
    readonly Option<string?> signatoryPosition = new("--signatory-position") { HelpName = "TEXT" };
    readonly Option<int> urgency = new("--urgency") { Description = "0 thường, 1 khẩn, 2 thượng khẩn, 3 hỏa tốc, 4 hỏa tốc hẹn giờ", HelpName = "0..4" };
    readonly Option<string?> expires = new("--expires") { Description = "Accepted until then at the latest: 30m, 12h, 5d; default 30d", HelpName = "5d" };
    readonly Option<string?> respondBy = new("--respond-by") { HelpName = "yyyy-MM-dd" };
    readonly Option<string?> author = new("--as") { Description = "Role of the author: clerk or signatory; default the first that the level allows", HelpName = "ROLE" };
    readonly Option<string[]> approve = new("--approve") { Description = "Role that approves, for example signatory", HelpName = "ROLE" };

    readonly Option<string[]> category = new("--category") { Description = "Value of a category of the policy, by its code, for example co-yeu", HelpName = "CODE" };
    readonly Option<string[]> caveat = new("--caveat") { Description = "How it is to be handled, besides what its level always bears", HelpName = string.Join('|', LabelForm.Caveats) };
    readonly Option<string?> term = new("--term") { Description = "Last day of protection, where that is sooner than the law's term", HelpName = "yyyy-MM-dd" };
    readonly Option<string[]> release = new("--release") { Description = "Person of the profile who releases it beforehand, at a level under dual control; otherwise exchange approve", HelpName = "PERSON" };
    readonly Option<string[]> replyTo = new("--reply-to") { Description = "Dispatch that it answers, received or sent here; its first characters will do. A level below that one's waits for two persons", HelpName = "ID" };
    readonly Option<string?> replaces = new("--replaces") { Description = "Dispatch of this office whose place it takes: that one is stopped where it has not arrived, and asked back where it has", HelpName = "ID" };
    readonly Option<string[]> nothing = new("--carries-nothing") { Description = "Person of the profile who states that nothing of what it answers is in it; two of them", HelpName = "PERSON" };
    readonly Option<string[]> below = new("--below-floor") { Description = "Person of the profile who states that the words found mislead; two of them", HelpName = "PERSON" };

    readonly Option<bool> keep = new("--keep") { Description = "Also sealed to this office's own key: exchange open --sent opens it again. Where the policy asks for it, it is so anyway" };

    public Option<string?> Level { get; } = new("--level") { Description = "Level of confidentiality; there is no default", HelpName = "thuong|mat|…" };
    public Option<bool> DryRun { get; } = new("--dry-run") { Description = "Would this be permitted? Nothing is sealed or sent" };

    public void AddTo(Command command)
    {
        command.Arguments.Add(files);
        caveat.AcceptOnlyFromAmong([.. LabelForm.Caveats]);
        foreach (var option in new Option[] { to, cc, later, Level, basis, category, caveat, term, sheet, subject, number, notation, type, place, date, signatoryName, signatoryPosition, urgency, expires, respondBy, author, approve, release, replyTo, replaces, nothing, below, keep, DryRun })
            command.Options.Add(option);
    }

    public SendRequest Read(ParseResult parsed, CompiledPolicy policy, Output say, TimeProvider clock)
    {
        var level = parsed.GetValue(Level)!;
        if (parsed.GetValue(subject) is not null && policy.Rank(policy.Level(level)!.Class) > 0)
            throw new UsageException("--subject: at this level the subject may not stand on a command line, where others on this computer can read it. Use --sheet FILE, or leave it out and be asked.",
                "--subject: ở độ mật này không được ghi trích yếu trên dòng lệnh, vì người khác dùng máy có thể đọc. Dùng --sheet TỆP, hoặc bỏ trống để được hỏi.");
        var priority = parsed.GetValue(urgency);
        if (priority is < 0 or > 4) throw new UsageException("--urgency: 0 to 4", "--urgency: từ 0 đến 4");
        return new SendRequest
        {
            Files = parsed.GetValue(files)!,
            To = Codes(parsed.GetValue(to)),
            Cc = Codes(parsed.GetValue(cc)),
            Later = Codes(parsed.GetValue(later)),
            Level = level,
            Keep = parsed.GetValue(keep),
            Basis = parsed.GetValue(basis),
            Categories = parsed.GetValue(category) ?? [],
            Caveats = parsed.GetValue(caveat) ?? [],
            Term = parsed.GetValue(term) is { } ends ? Midnight(ends, "--term").AddDays(1) : null,
            Sheet = parsed.GetValue(DryRun) ? NoSheet : SheetOf(parsed, say, clock),
            Urgency = priority,
            Expires = Span(parsed.GetValue(expires) ?? "30d"),
            RespondBy = parsed.GetValue(respondBy) is { } day ? Day(day, "--respond-by") : null,
            As = parsed.GetValue(author),
            Approve = parsed.GetValue(approve) ?? [],
            Release = parsed.GetValue(release) ?? [],
            ReplyTo = parsed.GetValue(replyTo) ?? [], Replaces = parsed.GetValue(replaces),
            CarriesNothing = parsed.GetValue(nothing) ?? [],
            BelowFloor = parsed.GetValue(below) ?? [],
        };
    }

    static readonly Sheet NoSheet = new() { Number = null, Notation = null, Subject = "", DocumentType = "", Place = null, Date = "", Signatory = null };

    Sheet SheetOf(ParseResult parsed, Output say, TimeProvider clock)
    {
        var file = parsed.GetValue(sheet) is { } path ? FromFile(path) : new SheetFile(null, null, null, null, null, null, null);
        var text = parsed.GetValue(subject) ?? file.Subject ?? say.Ask("Subject", "Trích yếu");
        if (string.IsNullOrWhiteSpace(text))
            throw new UsageException("The dispatch has no subject: give --sheet FILE.", "Văn bản chưa có trích yếu: dùng --sheet TỆP.");
        var day = parsed.GetValue(date) ?? file.Date ?? Today(clock);
        _ = Day(day, "--date");
        return ToSheet(new SheetFile(parsed.GetValue(number) ?? file.Number, parsed.GetValue(notation) ?? file.Notation, text, parsed.GetValue(type) ?? file.DocumentType,
            parsed.GetValue(place) ?? file.Place, day, new SheetSignatory(file.Signatory?.Authority, parsed.GetValue(signatoryPosition) ?? file.Signatory?.Position,
                parsed.GetValue(signatoryName) ?? file.Signatory?.Name)), day);
    }

    /// <summary>The sheet that is signed: NFC, with the usual document type where none is named.</summary>
    /// <param name="file">With its subject.</param>
    /// <param name="day">When the file names none.</param>
    internal static Sheet ToSheet(SheetFile file, string day)
    {
        if (string.IsNullOrWhiteSpace(file.Subject)) throw new UsageException("The dispatch has no subject.", "Văn bản chưa có trích yếu.");
        var date = file.Date ?? day;
        _ = Day(date, "date");
        var (name, position) = (file.Signatory?.Name, file.Signatory?.Position);
        if (name is null != position is null)
            throw new UsageException("The signatory needs a name and a position.", "Người ký cần có họ tên và chức vụ.");
        return new Sheet
        {
            Number = Nfc(file.Number), Notation = Nfc(file.Notation), Subject = Nfc(file.Subject)!, DocumentType = Nfc(file.DocumentType ?? "Công văn")!, Place = Nfc(file.Place), Date = date,
            Signatory = name is null ? null : new Signatory(Nfc(file.Signatory?.Authority), Nfc(position)!, Nfc(name)!),
        };
    }

    /// <summary>Today, where the offices are.</summary>
    internal static string Today(TimeProvider clock) => clock.GetUtcNow().ToOffset(TimeSpan.FromHours(7)).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    static SheetFile FromFile(string path)
    {
        try
        {
            using var stream = path == "-" ? Console.OpenStandardInput() : File.OpenRead(path);
            return JsonSerializer.Deserialize(stream, SheetJson.Default.SheetFile) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw new UsageException($"--sheet {path}: not a registration sheet in JSON, at {e.Path ?? "the start"}", $"--sheet {path}: không phải phiếu đăng ký dạng JSON, tại {e.Path ?? "đầu tệp"}");
        }
        catch (FileNotFoundException) { throw new UsageException($"--sheet: there is no file {path}", $"--sheet: không có tệp {path}"); }
    }

    internal static string[] Codes(string? list) => list is null ? [] : list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    internal static TimeSpan Span(string text)
    {
        if (text.Length > 1 && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is > 0 and <= 100_000)
            switch (text[^1])
            {
                case 'm': return TimeSpan.FromMinutes(count);
                case 'h': return TimeSpan.FromHours(count);
                case 'd' when count <= 3650: return TimeSpan.FromDays(count);
            }
        throw new UsageException($"--expires: like 30m, 12h or 5d, not {text}", $"--expires: ví dụ 30m, 12h hoặc 5d, không phải {text}");
    }

    // A day ends a second before the next begins, where only its date is shown.
    static DateTimeOffset Day(string text, string option) => Midnight(text, option).AddDays(1).AddSeconds(-1);

    /// <summary>At which a day begins, where the offices are.</summary>
    internal static DateTimeOffset Midnight(string text, string option) => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) && day < DateOnly.MaxValue
        ? new DateTimeOffset(day.ToDateTime(TimeOnly.MinValue), TimeSpan.FromHours(7))
        : throw new UsageException($"{option}: a date like 2026-11-24, not {text}", $"{option}: ngày dạng 2026-11-24, không phải {text}");

    static string? Nfc(string? text) => text?.Normalize();
}
