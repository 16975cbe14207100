using Exchange.Crypto.Labels;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Policy;

/// <summary>A policy, verified (two pinned policy officers) and made ready for decisions. Immutable.</summary>
public sealed class CompiledPolicy
{
    /// <exception cref="RefusedException"><see cref="Refusal.Officers"/>, <see cref="Refusal.VersionOld"/>, or the policy is inconsistent.</exception>
    public static CompiledPolicy Open(ReadOnlyMemory<byte> statement, IReadOnlyCollection<Digest> officers, CertificateCheck trust, DateTimeOffset at, long seenVersion = 0) =>
        throw new NotImplementedException();

    public Digest Ref => throw new NotImplementedException();
    public PolicyStatement Content => throw new NotImplementedException();
    public ReadOnlyMemory<byte> Statement => throw new NotImplementedException();
    public PolicyLevel? Level(int @class) => throw new NotImplementedException();
    public PolicyLevel? Level(string code) => throw new NotImplementedException();
    /// <summary>Place in the order, 0 lowest; -1: not a level.</summary>
    public int Rank(int @class) => throw new NotImplementedException();
    /// <summary>A label of this policy at a level, with the policy's mark.</summary>
    public Label NewLabel(string level, string? basis = null, IEnumerable<Category>? categories = null, IEnumerable<string>? caveats = null) => throw new NotImplementedException();
}
