namespace Exchange.Crypto.Trust;

/// <summary>What a certificate is about to be used for. Each fixes the key usage, the extended key usage and the key type that must be there.</summary>
public enum Purpose
{
    /// <summary>Header, card, receipt of an office: P-384, digitalSignature + nonRepudiation, emailProtection.</summary>
    OfficeSigning,
    /// <summary>Dispatch and approval: as above, issued to a person.</summary>
    PersonSigning,
    /// <summary>Receipts of a gateway: P-384, digitalSignature + nonRepudiation, emailProtection.</summary>
    GatewayEvidence,
    /// <summary>Directory, standing, policy: as OfficeSigning; pinned besides.</summary>
    Officer,
    /// <summary>Recipient of envelopes: P-384 keyAgreement or RSA ≥ 3072 keyEncipherment, emailProtection.</summary>
    OfficeEncryption,
    /// <summary>TLS client: digitalSignature, clientAuth.</summary>
    TlsClient,
    /// <summary>TLS server: digitalSignature, serverAuth.</summary>
    TlsServer,
}

/// <param name="Refusal">null: good.</param>
/// <param name="Detail">For the log: which certificate of the path, which check.</param>
/// <param name="ValidUntil">Until when the verdict stands: the earliest notAfter and nextUpdate of the path.</param>
public sealed record CertificateVerdict(Refusal? Refusal, string Detail, DateTimeOffset ValidUntil)
{
    public bool Good => Refusal is null;
}

/// <summary>Immutable: pinned roots, issuing CAs and their CRLs.</summary>
public sealed class TrustStore
{
    /// <param name="roots">DER.</param>
    /// <param name="intermediates">DER.</param>
    /// <param name="crls">DER; each must verify under one of the CAs; for one issuer the highest CRL number wins.</param>
    /// <exception cref="RefusedException">A CRL or certificate cannot be read or does not verify.</exception>
    public static TrustStore Create(IEnumerable<ReadOnlyMemory<byte>> roots, IEnumerable<ReadOnlyMemory<byte>> intermediates, IEnumerable<ReadOnlyMemory<byte>> crls) =>
        throw new NotImplementedException();

    /// <summary>Reads a folder: roots/*.pem|der|crt, intermediates/…, crls/*.crl|pem|der.</summary>
    public static TrustStore Load(string folder) => throw new NotImplementedException();

    public IReadOnlyList<Certificate> Roots => throw new NotImplementedException();
    public IReadOnlyList<Certificate> Intermediates => throw new NotImplementedException();
    /// <summary>DER of the CRLs in use.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Crls => throw new NotImplementedException();
    /// <summary>The same anchors with these CRLs taken into account where they are newer.</summary>
    public TrustStore WithCrls(IEnumerable<ReadOnlyMemory<byte>> crls) => throw new NotImplementedException();
    /// <summary>SHA-256 over the sorted keys of anchors and CRLs: names this store in a World.</summary>
    public Digest Id => throw new NotImplementedException();
}

/// <summary>Path and CRL check by purpose at a given time (RFC 5280 section 6, BouncyCastle PKIX). Fails closed; thread-safe; verdicts are cached until they may change.</summary>
public sealed class CertificateCheck(TrustStore store)
{
    public TrustStore Store { get; } = store;
    public CertificateVerdict Check(Certificate certificate, Purpose purpose, DateTimeOffset at) => throw new NotImplementedException();

    /// <summary>As <see cref="Check"/>, as an exception.</summary>
    public void Demand(Certificate certificate, Purpose purpose, DateTimeOffset at)
    {
        var verdict = Check(certificate, purpose, at);
        if (verdict.Refusal is { } refusal) throw new RefusedException(refusal, verdict.Detail);
    }
}
