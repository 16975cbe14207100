using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Policies;

/// <summary>A policy, standing or directory as a file on an officer's machine: a draft, or a statement. A statement's signatures verify; whose they are is for officer sign and the gateway to judge.</summary>
static class PolicyFile
{
    /// <summary>The content of a draft or of a signed policy.</summary>
    public static PolicyDraft Draft(string file)
    {
        var bytes = Bytes(file);
        if (!IsStatement(bytes)) return PolicyDraft.Read(bytes);
        var policy = Signed(bytes);
        return new PolicyDraft { Policy = policy.Policy, Levels = policy.Levels, TagSets = policy.TagSets };
    }

    /// <summary>Ready to be asked; a draft as if it were signed now.</summary>
    public static CompiledPolicy Compiled(string file, DateTimeOffset now)
    {
        var bytes = Bytes(file);
        return CompiledPolicy.Compile(IsStatement(bytes) ? Signed(bytes) : PolicyLint.Provisional(PolicyDraft.Read(bytes)) with { NotBefore = now.ToUnixTimeMilliseconds(), NotAfter = now.AddYears(2).ToUnixTimeMilliseconds() });
    }

    public static StandingStatement Standing(string file) => Statement.Read(Bytes(file), StatementType.Standing).As<StandingStatement>();

    /// <summary>The cards that a directory names, from the folder cards/ beside it.</summary>
    public static IReadOnlyList<Card> Cards(string directory)
    {
        var named = Statement.Read(Bytes(directory), StatementType.Directory).As<DirectoryStatement>().Offices.Select(o => o.Card).ToHashSet();
        var folder = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(directory))!, "cards");
        if (!Directory.Exists(folder)) throw new UsageException($"--directory: the cards must lie in {folder}", $"--directory: các thẻ phải nằm trong {folder}");
        return [.. Directory.GetFiles(folder, "*.p7s").Select(f => Statement.Read(Bytes(f), StatementType.Card)).Where(c => named.Contains(c.Ref)).Select(c => c.As<Card>())];
    }

    // A policy that waits for its second signature can be looked at like one that has both.
    static PolicyStatement Signed(byte[] der) => PartlySigned.Read(der, StatementType.Policy).As<PolicyStatement>();

    static bool IsStatement(byte[] bytes) => bytes is [0x30, ..];

    public static byte[] Bytes(string file) => File.Exists(file) ? File.ReadAllBytes(file) : throw new UsageException($"{file}: no such file", $"{file}: không có tệp này");
}
