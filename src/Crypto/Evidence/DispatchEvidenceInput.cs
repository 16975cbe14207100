using Exchange.Crypto.Ledger;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Evidence;

/// <summary>One file of the evidence, or one part of a message: its name is what findings call it.</summary>
public sealed record EvidencePart(string Name, ReadOnlyMemory<byte> Bytes);

/// <summary>A document in clear beside the evidence.</summary>
/// <param name="Name">Its path below their folder, "/" between the parts.</param>
public sealed record EvidenceDocument(string Name, Digest Sha256);

/// <summary>What the verifier was told by people he trusts, not by the evidence.</summary>
/// <param name="GatewayEvidence">Key that signs the gateway's receipts.</param>
/// <param name="Origin">Name of the gateway's ledger.</param>
/// <param name="CheckpointKey">Its verifier key line.</param>
public sealed record EvidencePins(IReadOnlyCollection<Digest> DirectoryOfficers, IReadOnlyCollection<Digest> PolicyOfficers, Digest GatewayEvidence, string Origin, string CheckpointKey)
{
    /// <summary>Further keys of the ledger, older and coming ones; any of them may have signed the checkpoint that lies here. Those of another name are of ledgers that ended, which this one follows.</summary>
    public IReadOnlyList<string> CheckpointKeys { get; init; } = [];

    /// <summary>All keys, each once.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Note"/>: the first is not of this ledger, or one is no key.</exception>
    internal IReadOnlyList<VerifierKey> Keys => VerifierKey.Parse(CheckpointKey) is var first && first.Name == Origin
        ? [.. CheckpointKeys.Select(VerifierKey.Parse).Prepend(first).Distinct()] : throw new RefusedException(Refusal.Note, "a pinned key is of another ledger");

    /// <summary>It names the ledger, or one that it follows: a further key of that name is pinned.</summary>
    internal bool IsOurs(string origin) => origin == Origin || CheckpointKeys.Any(k => VerifierKey.TryParse(k, out var key) && key.Name == origin);
}

/// <summary>All that one dispatch left behind, as bytes. What is absent makes findings incomplete, never an exception.</summary>
public sealed record DispatchEvidenceInput
{
    /// <summary>Header statement, DER.</summary>
    public required EvidencePart? Header { get; init; }
    /// <summary>Approval statements, DER, in the order in which they travelled.</summary>
    public required IReadOnlyList<EvidencePart> Approvals { get; init; }
    /// <summary>Sealed manifest, DER. It is not opened.</summary>
    public required EvidencePart? Manifest { get; init; }
    /// <summary>Receipt statements of gateway and offices, DER, any order.</summary>
    public required IReadOnlyList<EvidencePart> Receipts { get; init; }
    /// <summary>Status statements of offices, DER, any order.</summary>
    public IReadOnlyList<EvidencePart> Statuses { get; init; } = [];
    /// <summary>Header statements of what the sender sent about this dispatch later: recalls, updates, replacements. DER, any order.</summary>
    public IReadOnlyList<EvidencePart> Recalls { get; init; } = [];
    /// <summary>Time-stamp tokens over the author's signatures, DER, any order.</summary>
    public IReadOnlyList<EvidencePart> TimeStamps { get; init; } = [];
    /// <summary>Dispatch statement, DER, when it came out of its seal.</summary>
    public EvidencePart? Dispatch { get; init; }
    /// <summary>Documents that lie beside the evidence, all of them; null: none are to be there.</summary>
    public IReadOnlyList<EvidenceDocument>? Documents { get; init; }
    /// <summary>JSON {index, size, proof} each; the file name without extension is the leaf in base64url.</summary>
    public required IReadOnlyList<EvidencePart> Proofs { get; init; }
    /// <summary>Signed note.</summary>
    public required EvidencePart? Checkpoint { get; init; }
    /// <summary>Directory statement, DER.</summary>
    public required EvidencePart? Directory { get; init; }
    /// <summary>The cards it names, DER, any order.</summary>
    public required IReadOnlyList<EvidencePart> Cards { get; init; }
    /// <summary>Policy statement, DER.</summary>
    public required EvidencePart? Policy { get; init; }
    /// <summary>Reads roots, intermediates and revocation lists; may refuse. Null: absent.</summary>
    public required Func<TrustStore>? Trust { get; init; }
    /// <summary>OCSP responses, DER, any order: what the CAs said of certificates while they were valid, for when the lists do not say it any more.</summary>
    public IReadOnlyList<EvidencePart> Responses { get; init; } = [];
    public required EvidencePins Pins { get; init; }
    /// <summary>R (32 bytes), when the sender discloses it: it proves openings and opens nothing.</summary>
    public required EvidencePart? Opened { get; init; }
}
