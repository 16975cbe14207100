using System.Text;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Microsoft.Win32.SafeHandles;

namespace Exchange.Witnessing;

/// <summary>
/// Everything a witness has, in one folder, all of it 0700 and 0600: witness.json (name and passphrase file), ed25519.key and mldsa44.key, logs (whom it watches), heads/, lock. The passphrase lies elsewhere.
/// </summary>
sealed class WitnessFolder : IDisposable
{
    const string SettingsFile = "witness.json", LogsFile = "logs", HeadsFolder = "heads", LogWord = "log ", Credential = "%d/", Variable = "CREDENTIALS_DIRECTORY";
    const int MaxLogsBytes = 1 << 20;
    static readonly (string File, NoteKeyType Type)[] KeyFiles = [("ed25519.key", NoteKeyType.Ed25519Cosignature), ("mldsa44.key", NoteKeyType.MlDsa44Cosignature)];
    readonly SafeFileHandle? handle;

    WitnessFolder(string root, SafeFileHandle? handle) => (Root, this.handle) = (root, handle);

    public string Root { get; }
    public required string Name { get; init; }
    public required string PassphraseFile { get; init; }
    public string Heads => Path.Combine(Root, HeadsFolder);

    /// <summary>Makes the folder, with two fresh keys. witness.json comes last: a folder without it is none, and is made anew after it was removed.</summary>
    /// <param name="name">Of the witness in its cosignatures: a URL without scheme, that nobody else uses.</param>
    /// <exception cref="WitnessException">There is something already, or the name or the passphrase is not good.</exception>
    public static void Create(string root, string name, string passphraseFile)
    {
        root = Path.GetFullPath(root);
        if (!SignedNote.IsName(name) || Encoding.UTF8.GetByteCount(name) > 200) throw new WitnessException($"{name}: a name has no white space and no plus sign, and at most 200 bytes", $"{name}: tên không có khoảng trắng, dấu cộng, tối đa 200 byte");
        if (Directory.Exists(root) && Directory.EnumerateFileSystemEntries(root).Any()) throw new WitnessException($"{root} is not empty. Name a new folder.", $"{root} không rỗng. Hãy chọn thư mục mới.");
        var passphrase = ReadPassphrase(passphraseFile);
        DurableFile.CreateFolder(root);
        File.SetUnixFileMode(root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        DurableFile.CreateFolder(Path.Combine(root, HeadsFolder));
        foreach (var (file, type) in KeyFiles)
        {
            using var key = CosignerKey.Create(name, type);
            key.Save(Path.Combine(root, file), passphrase);
        }
        DurableFile.Write(Path.Combine(root, LogsFile), "# Ledgers that are watched, a line each: log KEY\n"u8);
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            writer.WriteNumber("v", 1);
            writer.WriteString("name", name);
            writer.WriteString("passphraseFile", passphraseFile.StartsWith(Credential, StringComparison.Ordinal) ? passphraseFile : Path.GetFullPath(passphraseFile));
            writer.WriteEndObject();
        }
        DurableFile.Write(Path.Combine(root, SettingsFile), [.. json.ToArray(), (byte)'\n']);
    }

    /// <param name="alone">Takes the lock: one process serves a folder.</param>
    /// <exception cref="WitnessException">Not such a folder, or somebody has it.</exception>
    public static WitnessFolder Open(string root, bool alone)
    {
        root = Path.GetFullPath(root);
        var file = Path.Combine(root, SettingsFile);
        if (!File.Exists(file)) throw new WitnessException($"{root} is not a witness's folder. Make one with: exchange-witness init {root} --name NAME --passphrase-file FILE", $"{root} không phải thư mục nhân chứng. Tạo bằng: exchange-witness init {root} --name TÊN --passphrase-file TỆP");
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file), new JsonDocumentOptions { AllowDuplicateProperties = false });
            var members = json.RootElement.EnumerateObject().ToDictionary(m => m.Name, m => m.Value);
            if (members.Count != 3 || members["v"].GetInt32() != 1) throw new FormatException("v, name, passphraseFile and nothing else");
            return new WitnessFolder(root, alone ? Lock(root) : null) { Name = members["name"].GetString()!, PassphraseFile = members["passphraseFile"].GetString()! };
        }
        catch (Exception e) when (e is JsonException or FormatException or KeyNotFoundException or InvalidOperationException)
        {
            throw new WitnessException($"{file}: {e.Message}", $"{file} không đúng dạng: {e.Message}");
        }
    }

    /// <summary>Both keys, the caller's to dispose.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Passphrase"/>.</exception>
    public IReadOnlyList<CosignerKey> Keys()
    {
        var passphrase = ReadPassphrase(PassphraseFile);
        return [.. KeyFiles.Select(k => CosignerKey.Load(Path.Combine(Root, k.File), passphrase, Name))];
    }

    /// <summary>Keys of the ledgers that are watched, by origin.</summary>
    /// <exception cref="WitnessException">A line cannot be read.</exception>
    public IReadOnlyDictionary<string, IReadOnlyList<VerifierKey>> Logs() => ReadLogs().GroupBy(k => k.Name).ToDictionary(g => g.Key, g => (IReadOnlyList<VerifierKey>)[.. g.Distinct()]);

    /// <summary>Keys of one ledger, beside those that it has; in force from the next start on. Again is harmless.</summary>
    /// <exception cref="WitnessException">One is not such a key.</exception>
    public void AddLog(IReadOnlyList<string> keys)
    {
        var known = ReadLogs().ToHashSet();
        var text = new StringBuilder(File.ReadAllText(Path.Combine(Root, LogsFile)));
        foreach (var given in keys) if (known.Add(LogKey(given, "KEY"))) text.Append(LogWord).Append(given).Append('\n');
        DurableFile.Write(Path.Combine(Root, LogsFile), Encoding.UTF8.GetBytes(text.ToString()));
    }

    List<VerifierKey> ReadLogs()
    {
        var file = Path.Combine(Root, LogsFile);
        if (new FileInfo(file).Length > MaxLogsBytes) throw new WitnessException($"{file} is too long", $"{file} quá dài");
        var lines = File.ReadAllLines(file).Select((text, i) => (Text: text, Number: i + 1)).Where(l => l.Text.Length > 0 && l.Text[0] != '#');
        return [.. lines.Select(l => LogKey(l.Text.StartsWith(LogWord, StringComparison.Ordinal) ? l.Text[LogWord.Length..] : "", FormattableString.Invariant($"{file}, line {l.Number}")))];
    }

    static VerifierKey LogKey(string text, string where) => VerifierKey.TryParse(text, out var key) && key.Type is NoteKeyType.Ed25519 or NoteKeyType.MlDsa44Cosignature ? key
        : throw new WitnessException($"{where}: not a public key of a ledger (NAME+ID+BASE64, type 01 or 06)", $"{where}: không phải khóa công khai của sổ (TÊN+MÃ+BASE64, loại 01 hoặc 06)");

    internal static string ReadPassphrase(string file)
    {
        var path = !file.StartsWith(Credential, StringComparison.Ordinal) ? file : Path.Combine(Environment.GetEnvironmentVariable(Variable)
            ?? throw new WitnessException($"{file} is a credential of the service manager and {Variable} is not set", $"{file} do trình quản lý dịch vụ cấp, nhưng chưa đặt {Variable}"), file[Credential.Length..]);
        return File.ReadLines(path).FirstOrDefault() is { Length: > 0 } passphrase ? passphrase : throw new WitnessException($"{path}: the first line is the passphrase, and it is empty", $"{path}: dòng đầu là mật khẩu, đang để trống");
    }

    static SafeFileHandle Lock(string root)
    {
        try { return FolderLock.Take(root); }
        catch (IOException e)
        {
            throw new WitnessException($"Another witness runs on {root} ({e.Message}). Two that do not know of each other can cosign a fork: stop the other first.", $"Một nhân chứng khác đang chạy trên {root} ({e.Message}). Hãy dừng nó trước.");
        }
    }

    public void Dispose() => handle?.Dispose();
}
