using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Trust;
using Exchange.Office.Client;

namespace Exchange.Office;

/// <summary>audit: what an auditor checks of a ledger with files and pinned keys alone. No profile, no network: those are in <see cref="AuditOnlineCommands"/>.</summary>
static class AuditCommands
{
    const int MaxProofFile = 1 << 20;

    public static Command Audit(Shell shell) => new("audit", "Checks a gateway's ledger. Exit 0 good, 1 bad, 2 incomplete. Kiểm toán sổ của trục.")
    {
        Fsck(shell), Consistency(shell), Proof(shell), StoryCommand.Create(shell),
        AuditOnlineCommands.Search(shell), AuditOnlineCommands.Export(shell), AuditOnlineCommands.Watch(shell),
    };

    static Option<string> PinsOption() => new("--pins")
    {
        Description = "pins.json as the officers gave it: name and keys of the ledger, and whose cosignatures count. Tệp khóa ghim do cán bộ cung cấp", HelpName = "FILE", Required = true,
    };

    internal static Option<string?> PolicyOption() => new("--policy")
    {
        Description = "A tlog-policy instead of the one in the pins: witnesses and quorum. Quy tắc chứng kiến khác với trong khóa ghim", HelpName = "FILE",
    };

    internal static Option<string?> ShardOption() => new("--shard")
    {
        Description = "Name of a ledger: only what it logged, as a year on a stick of its own; what the ledgers before and after it logged is not missed. Chỉ những gì sổ mang tên này đã ghi, ví dụ một năm", HelpName = "NAME",
    };

    static Command Fsck(Shell shell)
    {
        var folder = new Argument<string>("DIR") { Description = "An exported ledger: checkpoint, checkpoints/, tile/, details/. Thư mục sổ đã xuất" };
        var (pins, policy) = (PinsOption(), PolicyOption());
        var known = new Option<string[]>("--known") { Description = "Checkpoints that you kept yourself; each must be a beginning of this ledger. Điểm kiểm tra bạn đã tự giữ", HelpName = "FILE", AllowMultipleArgumentsPerToken = true };
        var trust = new Option<string?>("--trust") { Description = "Folder with roots/, intermediates/, crls/: whose time-stamps count. Without it tokens are held against their heads only. Thư mục chứng thư tin cậy cho dấu thời gian", HelpName = "DIR" };
        var shard = ShardOption();
        var command = new Command("fsck", "Derives every byte of an exported ledger anew and names what is wrong, and where. Tính lại toàn bộ sổ đã xuất.") { folder, pins, policy, known, trust, shard };
        return shell.Does(command, async (parsed, say, cancel) =>
        {
            var from = parsed.GetValue(folder)!;
            if (!Directory.Exists(from)) throw new UsageException($"fsck: there is no folder {from}", $"fsck: không có thư mục {from}");
            var used = PinsOf(parsed.GetValue(pins)!, parsed.GetValue(policy)) with { Shard = parsed.GetValue(shard), Known = [.. (parsed.GetValue(known) ?? []).Select(Note)], TimeStamps = parsed.GetValue(trust) is { } anchors ? new CertificateCheck(TrustStore.Load(anchors)) : null };
            // Beside the console, so that Ctrl-C is heard.
            var findings = await Task.Run(() => LedgerCheck.Check(new LedgerFolder(from), used, new Millions(say), Math.Max(2, Environment.ProcessorCount), cancel), cancel).ConfigureAwait(false);
            return Answer(findings, used, say);
        });
    }

    static Command Consistency(Shell shell)
    {
        var (a, b) = (Checkpoint("A"), Checkpoint("B"));
        var (pins, policy) = (PinsOption(), PolicyOption());
        var folder = new Option<string?>("--dir") { Description = "An exported ledger that reaches to the newer of the two: the proof is made from its tiles. Thư mục sổ đã xuất", HelpName = "DIR" };
        var proof = new Option<string?>("--proof") { Description = "The proof: nodes in base64, a line each, or the gateway's answer. Tệp bằng chứng", HelpName = "FILE" };
        var command = new Command("consistency", "Are two checkpoints two states of one ledger? Hai điểm kiểm tra có cùng một sổ không?") { a, b, pins, policy, folder, proof };
        return shell.Does(command, (parsed, say, _) =>
        {
            var used = PinsOf(parsed.GetValue(pins)!, parsed.GetValue(policy));
            var (given, from) = (parsed.GetValue(proof), parsed.GetValue(folder));
            if (given is not null && from is not null) throw new UsageException("consistency: --dir or --proof, not both", "consistency: chọn --dir hoặc --proof, không dùng cả hai");
            var findings = ConsistencyCheck.Check(Note(parsed.GetValue(a)!), Note(parsed.GetValue(b)!), used,
                (old, late) => given is not null ? Nodes(given) : from is not null ? ConsistencyCheck.FromTiles(new LedgerFolder(from), old, late) : null);
            return Task.FromResult(Answer(findings, used, say));
        });

        static Argument<string> Checkpoint(string name) => new(name) { Description = "A checkpoint's file, older or newer. Tệp điểm kiểm tra" };
    }

    static Command Proof(Shell shell)
    {
        var file = new Argument<string>("FILE") { Description = "A .tlog-proof. Tệp bằng chứng" };
        var (pins, policy) = (PinsOption(), PolicyOption());
        var leaf = new Option<string?>("--leaf") { Description = "Leaf that a receipt promised (base64url), when the file does not hold the entry itself. Lá mà biên nhận đã hứa", HelpName = "LEAF" };
        var command = new Command("proof", "Is an entry in the ledger, and what does it say? Mục này có trong sổ không, và nói gì?") { file, pins, policy, leaf };
        return shell.Does(command, (parsed, say, _) =>
        {
            var used = PinsOf(parsed.GetValue(pins)!, parsed.GetValue(policy));
            Digest? promised = parsed.GetValue(leaf) is not { } text ? null : Digest.TryParse(text, out var read) ? read : throw new UsageException("proof: --leaf is 43 characters of base64url", "proof: --leaf gồm 43 ký tự base64url");
            var path = parsed.GetValue(file)!;
            var (findings, entry) = ProofCheck.Check(new EvidencePart(Path.GetFileName(path), ReadFile(path)), promised, used);
            // Shown only once it is known to be what was logged.
            var detail = entry is null || findings.Verdict == FindingKind.Bad ? null : Encoding.UTF8.GetString(entry.Detail);
            if (detail is not null) say.Say(detail, null);
            return Task.FromResult(Answer(findings, used, say, detail is null ? null : JsonDocument.Parse(detail).RootElement));
        });
    }

    internal static int Answer(Findings findings, LedgerPins pins, Output say, JsonElement? entry = null)
    {
        say.Json(entry is null ? (object)new { verdict = findings.Verdict, pins.Origin, findings = findings.All } : new { verdict = findings.Verdict, pins.Origin, entry, findings = findings.All });
        VerifyCommands.Show(findings.All, say);
        VerifyCommands.Verdict(findings.ExitCode, findings.All.Count, say);
        return findings.ExitCode;
    }

    internal static LedgerPins PinsOf(string file, string? policyFile)
    {
        var pins = EvidenceFolder.PinsFileOf(file);
        var policy = policyFile is not null ? WitnessPolicy.Parse(ReadFile(policyFile)) : pins.WitnessPolicy is { } text ? WitnessPolicy.Parse(Encoding.UTF8.GetBytes(text)) : null;
        // Further keys of another name are of ledgers that ended, which this one follows.
        VerifierKey[] keys = [VerifierKey.Parse(pins.CheckpointKey), .. (pins.CheckpointKeys ?? []).Select(VerifierKey.Parse), .. policy?.KeysOf(pins.Origin) ?? []];
        if (keys[0].Name != pins.Origin) throw new UsageException($"{file}: a key is of another ledger than {pins.Origin}", $"{file}: có khóa không thuộc sổ {pins.Origin}");
        return new LedgerPins(pins.Origin, [.. keys.Distinct()]) { Witnesses = policy };
    }

    static EvidencePart Note(string file) => new(file, ReadFile(file));

    static byte[] ReadFile(string file)
    {
        if (!File.Exists(file)) throw new UsageException($"there is no file {file}", $"không có tệp {file}");
        return new FileInfo(file).Length <= SignedNote.MaxBytes + MaxProofFile ? File.ReadAllBytes(file) : throw new RefusedException(Refusal.Size, file);
    }

    static IReadOnlyList<Digest> Nodes(string file)
    {
        var text = Encoding.UTF8.GetString(ReadFile(file));
        try
        {
            if (text.StartsWith('{')) return JsonSerializer.Deserialize(text, ClientJson.Default.ConsistencyProof)!.Proof;
            return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => new Digest(Convert.FromBase64String(l)))];
        }
        catch (Exception e) when (e is JsonException or FormatException or ArgumentException) { throw new RefusedException(Refusal.Proof, "not a proof"); }
    }

    internal sealed class Millions(Output say) : IProgress<long>
    {
        long said;

        public void Report(long value)
        {
            if (value / 1_000_000 <= said) return;
            said = value / 1_000_000;
            say.Note(string.Create(CultureInfo.InvariantCulture, $"  {said} million entries"), string.Create(CultureInfo.InvariantCulture, $"  {said} triệu mục"));
        }
    }
}
