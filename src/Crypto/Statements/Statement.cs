using Exchange.Crypto.Keys;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Statements;

/// <summary>
/// A statement: CMS SignedData (RFC 5652) over canonical JSON, strict DER, one SignerInfo per member of "signers", all of them verified against the certificates
/// carried inside. What the certificates are worth is not decided here: ask <see cref="CertificateCheck"/> and the directory.
/// </summary>
public sealed class Statement
{
    /// <summary>Signs canonical JSON. The content's "signers" must be the keys of <paramref name="signers"/>, in the same order.</summary>
    /// <param name="label">DER of the ESS label: in header and dispatch, exactly there.</param>
    /// <param name="manifestDigest">In the header, exactly there.</param>
    public static Statement Sign(StatementType type, byte[] json, IReadOnlyList<IPrivateKey> signers, DateTimeOffset signingTime,
        byte[]? label = null, Digest? manifestDigest = null) => throw new NotImplementedException();

    /// <summary>Reads and verifies one statement of the given type; the whole input must be it.</summary>
    /// <exception cref="RefusedException">Der, Size, StatementType, StatementAttributes, StatementSigners, Algorithm, Signature, Json.</exception>
    public static Statement Read(ReadOnlyMemory<byte> der, StatementType type) => throw new NotImplementedException();

    public StatementType Type => throw new NotImplementedException();
    public ReadOnlyMemory<byte> Der => throw new NotImplementedException();
    /// <summary>Canonical JSON bytes, not yet read as a record: use the typed readers below.</summary>
    public ReadOnlyMemory<byte> Json => throw new NotImplementedException();
    /// <summary>ref(S) = SHA-256 of the JSON bytes.</summary>
    public Digest Ref => throw new NotImplementedException();
    /// <summary>Certificates in the order of "signers".</summary>
    public IReadOnlyList<Certificate> Signers => throw new NotImplementedException();
    /// <summary>Signing times in the order of "signers".</summary>
    public IReadOnlyList<DateTimeOffset> SigningTimes => throw new NotImplementedException();
    /// <summary>SHA-256 of each SignerInfo.signature, in SET order.</summary>
    public IReadOnlyList<Digest> SignatureDigests => throw new NotImplementedException();
    /// <summary>DER of the eSSSecurityLabel attribute value; equal in all SignerInfos; null where the type has none.</summary>
    public ReadOnlyMemory<byte>? Label => throw new NotImplementedException();
    public Digest? ManifestDigest => throw new NotImplementedException();

    /// <summary>The JSON as its record. v = 1, type and signers were checked by Read.</summary>
    public T As<T>() where T : class, IStatementContent => throw new NotImplementedException();
}
