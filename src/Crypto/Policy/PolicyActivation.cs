using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Policy;

/// <summary>
/// Two policy officers saw what changes and want it in force: refs of the new policy, of the one it follows and of the standing, and the digest of the diff between them. Who puts the
/// policy in force makes the diff again; when anything else is in force by then, the digests differ and the approval is of something that nobody asked for any more.
/// </summary>
public sealed record ActivationApproval : IStatementContent
{
    public const string TypeName = "activation";
    public required int V { get; init; }
    public required string Type { get; init; }
    /// <summary>Keys of two policy officers.</summary>
    public required Digest[] Signers { get; init; }
    /// <summary>Ref of the policy that is to come into force.</summary>
    public required Digest Policy { get; init; }
    /// <summary>Ref of the policy in force.</summary>
    public required Digest Previous { get; init; }
    /// <summary>Ref of the standing in force; null: none.</summary>
    public required Digest? Standing { get; init; }
    /// <summary><see cref="PolicyDiff.Ref"/>.</summary>
    public required Digest Diff { get; init; }
    /// <summary>Unix milliseconds; later it approves nothing.</summary>
    public required long NotAfter { get; init; }

    public static ActivationApproval Of(PolicyDiff diff, IReadOnlyList<Digest> signers, DateTimeOffset notAfter) => new()
    {
        V = 1, Type = TypeName, Signers = [.. signers], Policy = diff.New, Previous = diff.Old, Standing = diff.Standing, Diff = diff.Ref, NotAfter = notAfter.ToUnixTimeMilliseconds(),
    };

    /// <summary>Whether it approves this diff.</summary>
    public bool Names(PolicyDiff diff) => Policy == diff.New && Previous == diff.Old && Standing == diff.Standing && Diff == diff.Ref;

    /// <summary>Judges an approval as the gateway does before a policy follows another.</summary>
    /// <param name="approval">Activation statement, DER.</param>
    /// <exception cref="RefusedException"><see cref="Refusal.ActivationUnapproved"/>: of something else, or lapsed; <see cref="Refusal.Officers"/>, or what the statement or a certificate is refused for.</exception>
    public static Statement Open(ReadOnlyMemory<byte> approval, PolicyDiff diff, IReadOnlyCollection<Digest> officers, CertificateCheck trust, DateTimeOffset at)
    {
        var read = Statement.Read(approval, StatementType.Activation);
        Officers.Demand(read, officers, trust, at, again: false);
        var content = read.As<ActivationApproval>();
        if (content.NotAfter < at.ToUnixTimeMilliseconds()) throw new RefusedException(Refusal.ActivationUnapproved, "lapsed");
        if (content.Policy != diff.New) throw new RefusedException(Refusal.ActivationUnapproved, "another policy");
        if (content.Previous != diff.Old) throw new RefusedException(Refusal.ActivationUnapproved, "another policy is in force than it names");
        if (content.Standing != diff.Standing) throw new RefusedException(Refusal.ActivationUnapproved, "another standing is in force than it names");
        return content.Diff == diff.Ref ? read : throw new RefusedException(Refusal.ActivationUnapproved, "other changes than it names");
    }
}
