using Exchange.Crypto.Keys;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Statements;

/// <summary>
/// A directory, standing, policy or activation on its way from one officer to the next: the statement's own form with fewer SignerInfos than its JSON names. All signers are named before the
/// first one signs, so each signs the same bytes. Nobody who relies on statements reads this: <see cref="Statement.Read"/> refuses it until it is complete.
/// </summary>
public sealed class PartlySigned
{
    readonly IStatementContent content;
    readonly SignedData data;

    PartlySigned(StatementType type, byte[] der, SignedData data, IStatementContent content)
    {
        (Type, Der, this.data, this.content) = (type, der, data, content);
        Missing = [.. content.Signers.Except(data.Signers.Select(s => s.Attributes.Certificate))];
    }

    public StatementType Type { get; }
    public ReadOnlyMemory<byte> Der { get; }
    /// <summary>ref of the statement that this becomes.</summary>
    public Digest Ref => Digest.Of(data.Content.Span);
    /// <summary>Everyone named.</summary>
    public IReadOnlyList<Digest> Signers => content.Signers;
    /// <summary>Those who have not signed; empty: complete.</summary>
    public IReadOnlyList<Digest> Missing { get; }

    public T As<T>() where T : class, IStatementContent =>
        content as T ?? throw new InvalidOperationException($"This is a {content.GetType().Name}, not a {typeof(T).Name}.");

    /// <summary>The first signature.</summary>
    /// <exception cref="RefusedException">The content is not what a statement of its type may say (<see cref="Refusal.Json"/>, <see cref="Refusal.PolicyInvalid"/> …), or the key is not named in it.</exception>
    public static PartlySigned Begin<T>(T content, IPrivateKey first, DateTimeOffset signingTime) where T : class, IStatementContent
    {
        var (type, json) = (StatementKind.Of<T>().Type, StatementKind.Of<T>().Write(content));
        return Read(new SignedData(Oids.ContentType(type), json, [first.Certificate.Der], [Statement.Signature(type, json, first, signingTime)]).Encode(), type);
    }

    /// <summary>Reads it, complete or not, and verifies the signatures that are there.</summary>
    /// <exception cref="RefusedException">As <see cref="Statement.Read"/>, but for signers that are missing.</exception>
    public static PartlySigned Read(ReadOnlyMemory<byte> der, StatementType type)
    {
        var kind = StatementKind.Of(type);
        if (kind.HasLabel || der.Length > kind.MaxLength) throw new RefusedException(Refusal.Size, kind.Name);
        var data = SignedData.Decode(der, kind.MaxSigners);
        if (data.ContentType != Oids.ContentType(type)) throw new RefusedException(Refusal.StatementType, $"{data.ContentType} in place of a {kind.Name}");
        var content = kind.Read(data.Content.Span);
        if (content.V != 1 || content.Type != kind.Name) throw new RefusedException(Refusal.StatementType, $"v or type of a {kind.Name}");
        CheckForm(content);
        Statement.CheckAttributes(data, kind);
        var named = content.Signers;
        if (named.Length < kind.MinSigners || named.Length > kind.MaxSigners || named.Distinct().Count() != named.Length) throw new RefusedException(Refusal.StatementSigners, "count");
        var carried = data.Certificates.Select(c => new Certificate(c.Span)).ToDictionary(c => c.Key);
        var signed = data.Signers.Select(s => s.Attributes.Certificate).ToList();
        if (signed.Distinct().Count() != signed.Count || carried.Count != signed.Count || !signed.All(k => carried.ContainsKey(k) && named.Contains(k)))
            throw new RefusedException(Refusal.StatementSigners, "not the signers named");
        foreach (var info in data.Signers) Statement.CheckSignature(info, carried[info.Attributes.Certificate]);
        return new PartlySigned(type, der.ToArray(), data, content);
    }

    /// <summary>One more signature over the same bytes.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.StatementSigners"/>: not a signer that is missing.</exception>
    public PartlySigned Add(IPrivateKey key, DateTimeOffset signingTime)
    {
        if (!Missing.Contains(key.Certificate.Key)) throw new RefusedException(Refusal.StatementSigners, "this key is not asked to sign");
        return Read(new SignedData(data.ContentType, data.Content,
            [.. data.Certificates, key.Certificate.Der], [.. data.Signers, Statement.Signature(Type, data.Content.Span, key, signingTime)]).Encode(), Type);
    }

    static void CheckForm(IStatementContent content)
    {
        switch (content)
        {
            case DirectoryStatement directory: DirectoryForm.Check(directory); break;
            case StandingStatement standing: DirectoryForm.Check(standing); break;
            case PolicyStatement policy: CompiledPolicy.Compile(policy); break;
            case ActivationApproval or OperationStatement: break;
            default: throw new RefusedException(Refusal.StatementType, "not signed by officers");
        }
    }
}
