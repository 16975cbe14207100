using System.Text.Json;
using System.Text.Json.Serialization;
using Exchange.Office.Client;

namespace Exchange.Office;

/// <summary>NAME.job.json: what a program wants sent, with the meaning of `send`. Strict: what is not named here is refused.</summary>
/// <param name="Files">Names of files beside the job, in order; they belong to this job alone.</param>
/// <param name="To">Office codes.</param>
/// <param name="Level">Code of a level; there is no default.</param>
/// <param name="Approve">Roles that approve.</param>
/// <param name="Expires">Like 30m, 12h, 5d; default 30d.</param>
/// <param name="Later">Offices that the author writes to as well, and that get it later.</param>
sealed record IntakeJob(IReadOnlyList<string>? Files, IReadOnlyList<string>? To, IReadOnlyList<string>? Cc, string? Level, string? Basis, IReadOnlyList<string>? Approve, int? Urgency, string? Expires, SheetFile? Sheet, IReadOnlyList<string>? Later = null)
{
    const int MaxBytes = 1 << 20;

    /// <exception cref="UsageException">Not a job.</exception>
    public static IntakeJob Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > MaxBytes) throw new JsonException("too long");
            var job = JsonSerializer.Deserialize(File.ReadAllBytes(path), IntakeJson.Default.IntakeJob) ?? throw new JsonException("null");
            if (job.Files is not { Count: > 0 }) throw Wrong("files");
            if (job.To is not { Count: > 0 }) throw Wrong("to");
            if (job.Sheet is null) throw Wrong("sheet");
            foreach (var list in new[] { job.Files, job.To, job.Cc ?? [], job.Approve ?? [], job.Later ?? [] })
                if (list.Any(string.IsNullOrEmpty)) throw Wrong("null");
            // Beside the job and nowhere else: whoever may write jobs may not read the rest of this computer.
            if (job.Files.FirstOrDefault(f => f.Contains('/') || f.Contains('\0') || f.StartsWith('.') || f.Contains(".job.", StringComparison.Ordinal)) is not null) throw Wrong("files: names only");
            if (job.Files.Distinct(StringComparer.Ordinal).Count() != job.Files.Count) throw Wrong("files: a name twice");
            if (job.Urgency is < 0 or > 4) throw Wrong("urgency: 0 to 4");
            return job;
        }
        catch (JsonException e) { throw Wrong(e.Path ?? "$"); }
    }

    /// <exception cref="UsageException">A file is a link to somewhere else, or a value is not what `send` takes.</exception>
    public SendRequest ToRequest(string folder, TimeProvider clock) => Files!.Any(f => new FileInfo(Path.Combine(folder, f)).LinkTarget is not null) ? throw Wrong("files: no links") : new()
    {
        Files = [.. Files!.Select(f => Path.Combine(folder, f))], To = To!, Cc = Cc ?? [], Later = Later ?? [], Level = Level, Basis = Basis, Approve = Approve ?? [], Urgency = Urgency ?? 0,
        Expires = SendForm.Span(Expires ?? "30d"), Sheet = SendForm.ToSheet(Sheet!, SendForm.Today(clock)),
    };

    static UsageException Wrong(string what) => new($"The job file is not what it must be: {what}", $"Tệp công việc không đúng: {what}");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(IntakeJob))]
sealed partial class IntakeJson : JsonSerializerContext;
