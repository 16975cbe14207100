using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Policies;

/// <summary>A decision as exchange-gateway decision wrote it: decision.json and, beside it, its salt, the ledger entry that names it, and the policy.</summary>
sealed class DecisionFiles
{
    DecisionFiles(byte[] record, string? folder, string? policy) => (Record, Folder, PolicyPath) = (record, folder, policy);

    public byte[] Record { get; }
    string? Folder { get; }
    string? PolicyPath { get; }

    /// <param name="path">The folder, or a record alone.</param>
    /// <param name="policy">null: policy.p7s in the folder.</param>
    public static DecisionFiles Open(string path, string? policy)
    {
        var folder = Directory.Exists(path) ? path : null;
        var record = PolicyFile.Bytes(folder is null ? path : Path.Combine(folder, "decision.json"));
        return new DecisionFiles(record, folder, policy ?? (folder is null ? null : Path.Combine(folder, "policy.p7s")));
    }

    /// <summary>What holds and what does not: the entry, the policy, the replay.</summary>
    public IReadOnlyList<(bool Good, string En, string Vi)> Check()
    {
        List<(bool, string, string)> lines = [];
        if (Folder is not null && File.Exists(At("entry.json")))
        {
            var named = Named();
            var salted = new LedgerEntry(PolicyFile.Bytes(At("decision.salt")), Record).Hash;
            lines.Add((named == salted, $"the ledger entry names this record ({salted})", $"mục sổ nêu đúng bản ghi này ({salted})"));
            lines.Add((true, $"leaf of that entry: {new LedgerEntry(PolicyFile.Bytes(At("entry.salt")), PolicyFile.Bytes(At("entry.json"))).Leaf}", $"lá của mục sổ: {new LedgerEntry(PolicyFile.Bytes(At("entry.salt")), PolicyFile.Bytes(At("entry.json"))).Leaf}"));
        }
        var statement = PolicyStatementOf();
        var same = Digest.TryParse(Text(Record, "policy"), out var reference) && reference == statement.Ref;
        lines.Add((same, $"the policy is the one that decided ({statement.Ref}, version {statement.As<PolicyStatement>().Version})", $"đúng chính sách đã quyết định ({statement.Ref}, phiên bản {statement.As<PolicyStatement>().Version})"));
        lines.Add((same && Decision.Replay(Record, CompiledPolicy.Compile(statement.As<PolicyStatement>())), "decided again, it is the same record, byte for byte", "quyết định lại cho đúng bản ghi này, từng byte"));
        return lines;
    }

    /// <summary>The decision made again, and the policy that made it.</summary>
    /// <exception cref="UsageException">It does not come out as it is written: what its trace says is then nobody's reason.</exception>
    public (Decision Decision, CompiledPolicy Policy) Again()
    {
        var policy = CompiledPolicy.Compile(PolicyStatementOf().As<PolicyStatement>());
        return (Decision.Again(Record, policy) ?? throw new UsageException("this record is not what that policy decides; exchange policy replay says why", "bản ghi này không phải điều chính sách đó quyết định; exchange policy replay cho biết lý do"), policy);
    }

    Statement PolicyStatementOf() => PolicyPath is null ? throw new UsageException("--policy: which policy decided?", "--policy: chính sách nào đã quyết định?")
        : Statement.Read(PolicyFile.Bytes(PolicyPath), StatementType.Policy);

    Digest? Named() => Digest.TryParse(Text(PolicyFile.Bytes(At("entry.json")), "decision"), out var digest) ? digest : null;

    string At(string name) => Path.Combine(Folder!, name);

    static string? Text(byte[] json, string member)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (JsonException) { return null; }
    }
}
