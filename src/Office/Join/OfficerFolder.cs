using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Office.Join;

/// <summary>
/// What an officer knows: pins.json (directoryOfficers, policyOfficers), trust/, and in statements/ what is in force: directory.p7s, standing.p7s, policy.p7s, cards/, and the policies before in policies/. It is his own record, filled
/// by <see cref="Keep"/> after a check; what a gateway says of itself does not get in.
/// </summary>
sealed class OfficerFolder
{
    readonly string root;

    OfficerFolder(string root, IReadOnlyList<Digest> directoryOfficers, IReadOnlyList<Digest> policyOfficers, CertificateCheck trust)
    {
        (this.root, DirectoryOfficers, PolicyOfficers, Trust) = (root, directoryOfficers, policyOfficers, trust);
        Directory = Read(StatementType.Directory)?.As<DirectoryStatement>();
        Standing = Read(StatementType.Standing)?.As<StandingStatement>();
        Policy = Read(StatementType.Policy)?.As<PolicyStatement>();
        foreach (var file in System.IO.Directory.Exists(At("cards")) ? System.IO.Directory.GetFiles(At("cards"), "*.p7s") : [])
            if (Statement.Read(File.ReadAllBytes(file), StatementType.Card) is var card) Cards[card.Ref] = card;
    }

    public IReadOnlyList<Digest> DirectoryOfficers { get; }
    public IReadOnlyList<Digest> PolicyOfficers { get; }
    public CertificateCheck Trust { get; }
    /// <summary>In force; null: none yet.</summary>
    public DirectoryStatement? Directory { get; }
    public StandingStatement? Standing { get; }
    public PolicyStatement? Policy { get; }
    /// <summary>By ref, older ones too.</summary>
    public Dictionary<Digest, Statement> Cards { get; } = [];
    public Digest? DirectoryRef => Read(StatementType.Directory)?.Ref;

    /// <exception cref="UsageException">Not such a folder.</exception>
    public static OfficerFolder Open(string folder)
    {
        try
        {
            using var pins = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "pins.json")));
            IReadOnlyList<Digest> Keys(string name) => [.. pins.RootElement.GetProperty(name).EnumerateArray().Select(k => Digest.TryParse(k.GetString(), out var key) ? key : throw new FormatException(name))];
            return new OfficerFolder(folder, Keys("directoryOfficers"), Keys("policyOfficers"), new CertificateCheck(TrustStore.Load(Path.Combine(folder, "trust"))));
        }
        catch (Exception e) when (e is IOException or JsonException or FormatException or KeyNotFoundException or InvalidOperationException)
        {
            throw new UsageException($"{folder}: not the folder of an officer: it needs trust/ and pins.json with directoryOfficers and policyOfficers ({e.Message})",
                $"{folder}: không phải thư mục của cán bộ: cần trust/ và pins.json có directoryOfficers và policyOfficers ({e.Message})");
        }
    }

    public Statement? CardOf(string code) => Directory?.Offices.FirstOrDefault(o => o.Code == code) is { } office ? Cards.GetValueOrDefault(office.Card) : null;

    /// <summary>Judges complete statements as a gateway will, and takes them as what is in force.</summary>
    /// <exception cref="RefusedException">What the gateway would refuse; nothing was kept.</exception>
    public void Keep(IReadOnlyList<Statement> statements, IReadOnlyList<Statement> cards, DateTimeOffset now)
    {
        foreach (var statement in statements)
            switch (statement.Type)
            {
                case StatementType.Directory:
                    OfficeDirectory.Open(statement.Der, cards.Concat(Cards.Values).Select(c => c.Der), [.. DirectoryOfficers], Trust, now, Seen(now));
                    break;
                case StatementType.Standing: Crypto.Trust.Standing.Open(statement.Der, [.. DirectoryOfficers], Trust, now, Standing?.Version ?? 0); break;
                case StatementType.Policy: CompiledPolicy.Open(statement.Der, [.. PolicyOfficers], Trust, now, Policy?.Version ?? 0); break;
            }
        DurableFile.CreateFolder(At("cards"));
        foreach (var card in cards) DurableFile.Write(At("cards", $"{card.As<Card>().Office}-{card.As<Card>().Version}.p7s"), card.Der.Span);
        if (Read(StatementType.Policy) is { } before && statements.Any(s => s.Type == StatementType.Policy && s.Ref != before.Ref))
        {
            DurableFile.CreateFolder(At("policies"));
            DurableFile.Write(At("policies", $"{before.As<PolicyStatement>().Version}.p7s"), before.Der.Span);
        }
        foreach (var statement in statements) DurableFile.Write(At(FileOf(statement.Type)), statement.Der.Span);
    }

    /// <summary>The newest policy known here that is older than this version: what it will follow. null: none.</summary>
    public PolicyStatement? PolicyBefore(long version)
    {
        var kept = System.IO.Directory.Exists(At("policies")) ? System.IO.Directory.GetFiles(At("policies"), "*.p7s") : [];
        return kept.Select(f => Statement.Read(File.ReadAllBytes(f), StatementType.Policy).As<PolicyStatement>()).Append(Policy).Where(p => p is not null && p.Version < version).MaxBy(p => p!.Version);
    }

    public static string FileOf(StatementType type) => type switch { StatementType.Directory => "directory.p7s", StatementType.Standing => "standing.p7s", _ => "policy.p7s" };

    // Officers change: a directory signed by one who has left cannot be judged again, and was when it was kept.
    OfficeDirectory? Seen(DateTimeOffset now)
    {
        if (Read(StatementType.Directory) is not { } inForce) return null;
        try { return OfficeDirectory.Open(inForce.Der, Cards.Values.Select(c => c.Der), [.. DirectoryOfficers], Trust, now); }
        catch (RefusedException) { return null; }
    }

    Statement? Read(StatementType type) => File.Exists(At(FileOf(type))) ? Statement.Read(File.ReadAllBytes(At(FileOf(type))), type) : null;

    string At(params ReadOnlySpan<string> parts) => Path.Combine([root, "statements", .. parts]);
}
