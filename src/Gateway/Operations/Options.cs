using System.Globalization;
using System.Net;
using System.Reflection;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;

namespace Exchange.Gateway.Operations;

/// <summary>Default, legal range and meaning of a number in gateway.json, standing on the option itself.</summary>
[AttributeUsage(AttributeTargets.Property)]
sealed class OptionAttribute(long @default, long min, long max, string meaning) : Attribute
{
    public long Default { get; } = @default;
    public long Min { get; } = min;
    public long Max { get; } = max;
    public string Meaning { get; } = meaning;
}

/// <summary>Every limit there is, under "limits" in gateway.json; what is left out has its default.</summary>
sealed record Limits
{
    [Option(16 << 20, 64 << 10, 64 << 20, "bytes of payload taken inside POST /dispatches; larger ones come by PUT")]
    public required long InlinePayloadBytes { get; init; }
    [Option(600, 60, 3600, "seconds by which signing time and arrival may differ")]
    public required long ClockSkewSeconds { get; init; }
    [Option(24, 1, 168, "hours for which an announced payload is awaited")]
    public required long UploadHours { get; init; }
    [Option(72, 1, 720, "hours for which a dispatch is held for those who must release it")]
    public required long HoldHours { get; init; }
    [Option(30, 1, 60, "seconds that GET /mailbox may wait for the next parcel")]
    public required long LongPollSeconds { get; init; }
    [Option(200, 10, 1000, "entries on one page of a list")]
    public required long PageSize { get; init; }
    [Option(5, 1, 60, "seconds between two checkpoints while the ledger grows; where the policy hides a level, whether or not it does")]
    public required long CheckpointSeconds { get; init; }
    [Option(16, 16, 1024, "sizes of checkpoints are multiples of this where the policy hides a level")]
    public required long CheckpointMultiple { get; init; }
    [Option(60, 10, 3600, "seconds after a receipt by which a checkpoint holds its entry: the promise in it")]
    public required long PromiseSeconds { get; init; }
    [Option(2, 1, 60, "seconds between two looks at the incoming folder")]
    public required long IncomingSeconds { get; init; }
    [Option(10, 1, 600, "seconds between two looks for parcels, uploads and held dispatches past their time")]
    public required long ExpirySeconds { get; init; }
    [Option(1000, 10, 20000, "connections open at once")]
    public required long Connections { get; init; }
    [Option(10, 1, 120, "seconds for a TLS handshake, and again for the head of a request")]
    public required long HandshakeSeconds { get; init; }
    [Option(1024, 1, 1 << 20, "bytes a second, below which a body in transfer is given up after five seconds")]
    public required long BodyBytesPerSecond { get; init; }

    [Option(16, 2, 256, "deliveries under way at once; a tenth of them, but one at least, is kept for the most urgent")]
    public required long Deliveries { get; init; }
    [Option(10, 2, 64, "of them to one office that takes what it gets; the last is kept for the most urgent")]
    public required long DeliveriesPerOffice { get; init; }
    [Option(60, 10, 3600, "seconds for which a worker holds a delivery without a sign of life")]
    public required long LeaseSeconds { get; init; }
    [Option(60, 1, 1440, "minutes that one attempt at a delivery may take")]
    public required long AttemptMinutes { get; init; }

    [Option(3000, 1, 1_000_000, "submissions and dry-runs of one office in a minute")]
    public required long SubmissionsPerMinute { get; init; }
    [Option(1000, 1, 1_000_000, "refusals of one office journalled in an hour; beyond them it is answered without an entry")]
    public required long RefusalsPerHour { get; init; }
    [Option(6000, 1, 1_000_000, "looks of one auditor at the ledger in an hour, each of which is an entry")]
    public required long AuditLooksPerHour { get; init; }
    [Option(50L << 30, 1 << 20, 1L << 50, "bytes of announced payloads of one office that may be awaited at once")]
    public required long UploadQuotaBytes { get; init; }
    [Option(256L << 20, 0, 1L << 40, "bytes kept free for settling what was accepted; below them nothing is taken in")]
    public required long ReserveBytes { get; init; }

    [Option(35 << 20, 64 << 10, 1 << 30, "bytes of a whole mail, both ways; an envelope in it has three quarters of that")]
    public required long MailBytes { get; init; }
    [Option(240, 1, 10080, "minutes for which the report on a mail is awaited before it is sent again")]
    public required long MailReportMinutes { get; init; }
    [Option(15, 1, 1440, "the same after a try of which nobody knows how it ended")]
    public required long MailResendMinutes { get; init; }
    [Option(30, 5, 600, "seconds between two looks at what channels bring in, where nothing tells of it sooner")]
    public required long IntakeSeconds { get; init; }

    [Option(60, 1, 365, "days before the end of a certificate from which an alarm says so")]
    public required long CertificateAlarmDays { get; init; }
    [Option(2L << 30, 0, 1L << 40, "bytes free on the data folder's disk, below which an alarm says so")]
    public required long DiskAlarmBytes { get; init; }

    public static readonly Limits Defaults = Read(default, []);

    public static IEnumerable<(string Name, OptionAttribute Option)> All =>
        typeof(Limits).GetProperties().Select(p => (Property: p, Option: p.GetCustomAttribute<OptionAttribute>()))
            .Where(p => p.Option is not null).Select(p => (JsonNamingPolicy.CamelCase.ConvertName(p.Property.Name), p.Option!));

    internal static Limits Read(JsonElement json, List<string> errors)
    {
        var values = All.ToDictionary(o => o.Name, o => o.Option.Default);
        if (json.ValueKind == JsonValueKind.Object)
            foreach (var member in json.EnumerateObject())
            {
                var option = All.FirstOrDefault(o => o.Name == member.Name).Option;
                if (option is null) errors.Add($"limits.{member.Name}: no such limit; there are: {string.Join(", ", values.Keys)}");
                else if (member.Value.ValueKind != JsonValueKind.Number || !member.Value.TryGetInt64(out var number) || number < option.Min || number > option.Max)
                    errors.Add(string.Create(CultureInfo.InvariantCulture, $"limits.{member.Name}: must be an integer from {option.Min} to {option.Max} ({option.Meaning})"));
                else values[member.Name] = number;
            }
        else if (json.ValueKind != JsonValueKind.Undefined) errors.Add("limits: must be an object");
        return new()
        {
            InlinePayloadBytes = values["inlinePayloadBytes"], ClockSkewSeconds = values["clockSkewSeconds"],
            UploadHours = values["uploadHours"], HoldHours = values["holdHours"], LongPollSeconds = values["longPollSeconds"], PageSize = values["pageSize"],
            CheckpointSeconds = values["checkpointSeconds"], CheckpointMultiple = values["checkpointMultiple"], PromiseSeconds = values["promiseSeconds"], IncomingSeconds = values["incomingSeconds"],
            ExpirySeconds = values["expirySeconds"], Connections = values["connections"], HandshakeSeconds = values["handshakeSeconds"],
            BodyBytesPerSecond = values["bodyBytesPerSecond"],
            Deliveries = values["deliveries"], DeliveriesPerOffice = values["deliveriesPerOffice"], LeaseSeconds = values["leaseSeconds"], AttemptMinutes = values["attemptMinutes"],
            ReserveBytes = values["reserveBytes"], SubmissionsPerMinute = values["submissionsPerMinute"], RefusalsPerHour = values["refusalsPerHour"],
            AuditLooksPerHour = values["auditLooksPerHour"], UploadQuotaBytes = values["uploadQuotaBytes"], CertificateAlarmDays = values["certificateAlarmDays"], DiskAlarmBytes = values["diskAlarmBytes"], MailBytes = values["mailBytes"], MailReportMinutes = values["mailReportMinutes"], MailResendMinutes = values["mailResendMinutes"],
            IntakeSeconds = values["intakeSeconds"],
        };
    }
}

/// <summary>Key files by absolute path: keys never move into the data folder.</summary>
/// <param name="PassphraseFile">Or "%d/NAME": NAME in the folder that the variable CREDENTIALS_DIRECTORY names, as systemd sets it for LoadCredential=.</param>
sealed record KeyFiles(string Tls, string Evidence, string Checkpoint, string PassphraseFile)
{
    /// <summary>Further key files that sign checkpoints: ML-DSA-44, and while one key takes over from another both; see <see cref="CheckpointKeys"/>.</summary>
    public IReadOnlyList<string> CheckpointBeside { get; init; } = [];
    /// <summary>Public keys of retired ones, and of ledgers that this one follows: whoever reads old checkpoints needs them.</summary>
    public IReadOnlyList<string> CheckpointFormer { get; init; } = [];

    /// <summary>All that sign checkpoints; the first is Ed25519.</summary>
    public IReadOnlyList<string> Checkpoints => [Checkpoint, .. CheckpointBeside];

    const string Credential = "%d/", Variable = "CREDENTIALS_DIRECTORY";

    public static bool IsPassphraseFile(string text) => Path.IsPathFullyQualified(text) || (text.StartsWith(Credential, StringComparison.Ordinal) && text.Length > Credential.Length && !text[Credential.Length..].Contains('/'));

    /// <exception cref="FileNotFoundException">A credential, and nobody gave any.</exception>
    public string PassphrasePath => PathOf(PassphraseFile);

    /// <exception cref="FileNotFoundException">A credential, and nobody gave any.</exception>
    public static string PathOf(string file) => !file.StartsWith(Credential, StringComparison.Ordinal) ? file
        : Path.Combine(Environment.GetEnvironmentVariable(Variable) ?? throw new FileNotFoundException($"{file} is a credential of the service manager and {Variable} is not set: start the unit, or set it to the folder of the file"), file[Credential.Length..]);
}

/// <summary>What sftp channels need.</summary>
/// <param name="Key">Private key by absolute path, encrypted with the passphrase of the others: Ed25519 or ECDSA on P-384, as ssh-keygen writes it.</param>
sealed record SftpFiles(string Key);

/// <summary>gateway.json. Strict: unknown, missing, doubled members and values out of range are all named at once, and the process does not start.</summary>
sealed record Options
{
    public const string FileName = "gateway.json";
    public const string Development = "Development", Production = "Production";

    /// <summary>Ledger origin (C2SP tlog-checkpoint): names this gateway in headers, receipts and checkpoints. It changes only by <see cref="Operations.NewOrigin"/>.</summary>
    public required string Origin { get; init; }
    /// <summary>"Development" or "Production". Outside Development a root that calls itself a development root is refused.</summary>
    public required string Environment { get; init; }
    /// <summary>Address and port of the mutual-TLS listener; port 0: the system chooses.</summary>
    public required IPEndPoint Listen { get; init; }
    /// <summary>Loopback address of the plain HTTP listener for /health/live, /health/ready and /metrics; null (default): none.</summary>
    public required IPEndPoint? Operations { get; init; }
    /// <summary>Folder of the second small store against which checkpoints are compared and swapped; not inside the data folder.</summary>
    public required string Guard { get; init; }
    /// <summary>Root below which folder channels write; null (default): there are none.</summary>
    public string? Folders { get; init; }
    /// <summary>The gateway's key for sftp channels; null (default): there are none.</summary>
    public SftpFiles? Sftp { get; init; }
    /// <summary>The gateway's own mail, for mail channels; null (default): there are none.</summary>
    public MailSettings? Mail { get; init; }
    /// <summary>Whom alarms are told besides the log.</summary>
    public AlarmOptions Alarms { get; init; } = AlarmOptions.None;
    /// <summary>Code of the highest level whose sealed dispatches this machine is approved to hold; null (default): the policy's lowest only.</summary>
    public string? Ceiling { get; init; }
    /// <summary>Base URL of an OpenTelemetry collector (OTLP over HTTP), which gets metrics and traces; null (default): nobody does. http only to this machine.</summary>
    public Uri? Telemetry { get; init; }
    public required KeyFiles Keys { get; init; }
    /// <summary>Pinned keys of the officers; two different ones sign directory and standing.</summary>
    public required IReadOnlyList<Digest> DirectoryOfficers { get; init; }
    public required IReadOnlyList<Digest> PolicyOfficers { get; init; }
    public required Limits Limits { get; init; }
    public QueueOptions Queue { get; init; } = QueueOptions.Defaults;
    /// <summary>Where newer revocation lists and OCSP responses come from; none (default): only by file.</summary>
    public RevocationOptions Revocation { get; init; } = RevocationOptions.None;
    /// <summary>Who cosigns checkpoints; null (default): nobody is asked.</summary>
    public WitnessOptions? Witness { get; init; }
    /// <summary>Who time-stamps checkpoints; null (default): nobody is asked.</summary>
    public TimeStampOptions? TimeStamp { get; init; }
    /// <summary>Pinned keys of administrators, two of whom sign what one may not do alone; none (default): such things are not done here.</summary>
    public IReadOnlyList<Digest> Administrators { get; init; } = [];

    /// <summary>Whether this names a ledger that ended and that this one follows: what was taken in under it goes on.</summary>
    public bool Follows(string origin) => origin != Origin && Keys.CheckpointFormer.Any(k => VerifierKey.Parse(k).Name == origin);

    /// <exception cref="OptionsException">Names everything that is wrong.</exception>
    public static Options Read(byte[] json)
    {
        JsonDocument document;
        try { document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false }); }
        catch (JsonException e) { throw new OptionsException([$"{FileName}: not JSON: {e.Message}"]); }
        using (document)
        {
            var read = new OptionsReader(document.RootElement, "");
            var keys = read.Object("keys");
            var mail = read.MaybeObject("mail");
            var alarms = AlarmOptions.Read(read);
            if (alarms.Mail.Count > 0 && mail is null) read.Errors.Add("alarms.mail: goes through the gateway's own mail, which \"mail\" must name");
            var sftp = read.Member("sftp").ValueKind == JsonValueKind.Undefined ? null : read.Object("sftp");
            var options = new Options
            {
                Origin = read.Text("origin", IsOrigin, "must be a name like gateway.example/ledger, without spaces or plus signs"),
                Environment = read.Text("environment", t => t is Development or Production, "must be Development or Production"),
                Listen = read.EndPoint("listen", loopback: false) ?? new IPEndPoint(IPAddress.Loopback, 0),
                Operations = read.EndPoint("operations", loopback: true),
                Guard = read.Text("guard", Path.IsPathFullyQualified, "must be an absolute path"),
                Folders = read.Member("folders").ValueKind == JsonValueKind.Undefined ? null : read.Text("folders", path => Path.IsPathFullyQualified(path) && Directory.Exists(path), "must be the absolute path of an existing folder"),
                Mail = mail is null ? null : MailSettings.Read(mail),
                Sftp = sftp is null ? null : new(sftp.AbsoluteFile("key")),
                Alarms = alarms,
                Ceiling = read.Member("ceiling").ValueKind == JsonValueKind.Undefined ? null : read.Text("ceiling", code => code.Length is > 0 and <= 32, "must be the code of a level of the policy"),
                Telemetry = read.Collector("telemetry"),
                Keys = new(keys.AbsoluteFile("tls"), keys.AbsoluteFile("evidence"), keys.AbsoluteFile("checkpoint"), keys.Text("passphraseFile", KeyFiles.IsPassphraseFile, "must be an absolute path, or %d/NAME for a credential of the service manager"))
                {
                    CheckpointBeside = keys.Texts("checkpointBeside", Path.IsPathFullyQualified, "must be absolute paths, each once"),
                    CheckpointFormer = keys.Texts("checkpointFormer", text => VerifierKey.TryParse(text, out _), "must be public keys of checkpoints, each once"),
                },
                DirectoryOfficers = read.Keys("directoryOfficers"),
                PolicyOfficers = read.Keys("policyOfficers"),
                Limits = Limits.Read(read.Member("limits"), read.Errors),
                Administrators = read.MaybeKeys("administrators"),
                Queue = QueueOptions.Read(read.Member("queue"), read.Errors),
                Revocation = RevocationOptions.Read(read),
                Witness = WitnessOptions.Read(read),
                TimeStamp = TimeStampOptions.Read(read),
            };
            read.Finish();
            keys.Finish();
            sftp?.Finish();
            List<string> errors = [.. read.Errors, .. keys.Errors, .. sftp?.Errors ?? [], .. mail?.Errors ?? []];
            return errors.Count == 0 ? options : throw new OptionsException(errors);
        }
    }

    public byte[] Write()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("origin", Origin);
            json.WriteString("environment", Environment);
            json.WriteString("listen", Listen.ToString());
            if (Operations is not null) json.WriteString("operations", Operations.ToString());
            json.WriteString("guard", Guard);
            if (Folders is not null) json.WriteString("folders", Folders);
            Mail?.Write(json);
            Alarms.Write(json);
            if (Sftp is not null)
            {
                json.WriteStartObject("sftp");
                json.WriteString("key", Sftp.Key);
                json.WriteEndObject();
            }
            if (Ceiling is not null) json.WriteString("ceiling", Ceiling);
            if (Telemetry is not null) json.WriteString("telemetry", Telemetry.AbsoluteUri);
            json.WriteStartObject("keys");
            json.WriteString("tls", Keys.Tls);
            json.WriteString("evidence", Keys.Evidence);
            json.WriteString("checkpoint", Keys.Checkpoint);
            WriteTexts(json, "checkpointBeside", Keys.CheckpointBeside);
            WriteTexts(json, "checkpointFormer", Keys.CheckpointFormer);
            json.WriteString("passphraseFile", Keys.PassphraseFile);
            json.WriteEndObject();
            WriteKeys(json, "directoryOfficers", DirectoryOfficers);
            WriteKeys(json, "policyOfficers", PolicyOfficers);
            if (Administrators.Count > 0) WriteKeys(json, "administrators", Administrators);
            json.WriteStartObject("limits");
            foreach (var (name, option) in Limits.All)
            {
                var property = typeof(Limits).GetProperties().Single(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name) == name);
                if ((long)property.GetValue(Limits)! is var value && value != option.Default) json.WriteNumber(name, value);
            }
            json.WriteEndObject();
            if (Queue != QueueOptions.Defaults)
            {
                json.WriteStartObject("queue");
                Queue.Write(json);
                json.WriteEndObject();
            }
            Revocation.Write(json);
            WitnessOptions.Write(json, Witness);
            TimeStampOptions.Write(json, TimeStamp);
            json.WriteEndObject();
        }
        return [.. stream.ToArray(), (byte)'\n'];
    }

    // tlog-checkpoint: the origin is the first line of the note and a part of the key line, which "+" would split.
    public static bool IsOrigin(string text) => text.Length is > 0 and <= 200 && text.All(c => c is > ' ' and < (char)127 and not '+');

    static void WriteTexts(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        if (texts.Count == 0) return;
        json.WriteStartArray(name);
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    static void WriteKeys(Utf8JsonWriter json, string name, IReadOnlyList<Digest> keys)
    {
        json.WriteStartArray(name);
        foreach (var key in keys) json.WriteStringValue(key.ToString());
        json.WriteEndArray();
    }
}

/// <summary>A configuration that cannot be used, with everything that is wrong with it.</summary>
sealed class OptionsException(IReadOnlyList<string> errors) : Exception(string.Join(System.Environment.NewLine, errors))
{
    public IReadOnlyList<string> Errors { get; } = errors;
}
