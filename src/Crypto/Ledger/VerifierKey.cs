using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace Exchange.Crypto.Ledger;

/// <summary>
/// C2SP signed-note "Signature types": what the byte before a public key says. Those that we know; keys of any other type are refused, lines by them are passed over.
/// | type | key | signature in the line | signs |
/// | 01 | 32 | 64 | the text |
/// | 04 | 32 | 8 + 64 | cosignature/v1: time and text |
/// | 06 | 1312 | 8 + 2420 | subtree/v1: name, time, origin, range and root |
/// </summary>
public enum NoteKeyType : byte
{
    /// <summary>Ed25519 over the text: a ledger's key.</summary>
    Ed25519 = 1,
    /// <summary>Timestamped Ed25519 cosignature: a witness's key.</summary>
    Ed25519Cosignature = 4,
    /// <summary>Timestamped ML-DSA-44 cosignature: a witness's key, or a ledger's second one.</summary>
    MlDsa44Cosignature = 6,
}

/// <summary>A key that verifies notes, written "name+id+base64(type ‖ key)"; id = first 4 bytes of SHA-256(name ‖ 0A ‖ type ‖ key).</summary>
public sealed class VerifierKey : IEquatable<VerifierKey>
{
    readonly byte[] key;
    readonly MLDsaPublicKeyParameters? mlDsa;

    /// <summary>An Ed25519 key of a ledger.</summary>
    public VerifierKey(string name, ReadOnlySpan<byte> publicKey) : this(name, NoteKeyType.Ed25519, publicKey) { }

    public VerifierKey(string name, NoteKeyType type, ReadOnlySpan<byte> publicKey)
    {
        if (!SignedNote.IsName(name)) throw new ArgumentException("A key's name is not empty and has no white space and no plus sign.", nameof(name));
        if (publicKey.Length != LengthOf(type)) throw new ArgumentException("The key has another length than its type asks for.", nameof(publicKey));
        (Name, Type) = (name, type);
        key = publicKey.ToArray();
        if (type == NoteKeyType.MlDsa44Cosignature)
        {
            if (Encoding.UTF8.GetByteCount(name) > Cosignature.MaxNameBytes) throw new ArgumentException("The name is longer than a cosignature can hold.", nameof(name));
            mlDsa = MLDsaPublicKeyParameters.FromEncoding(MLDsaParameters.ml_dsa_44, key);
        }
        Span<byte> id = stackalloc byte[Digest.Size];
        Digest.Of([.. Encoding.UTF8.GetBytes(name), (byte)'\n', (byte)type, .. key]).CopyTo(id);
        Id = BinaryPrimitives.ReadUInt32BigEndian(id);
    }

    public string Name { get; }
    public NoteKeyType Type { get; }
    public uint Id { get; }
    public ReadOnlyMemory<byte> PublicKey => key;

    /// <summary>Its signatures say when they were made (zero: they do not) and are over a checkpoint only.</summary>
    public bool IsCosigner => Type != NoteKeyType.Ed25519;

    /// <summary>Reads what <see cref="ToString"/> writes and nothing else.</summary>
    public static bool TryParse(string text, out VerifierKey key)
    {
        key = null!;
        var parts = text.Split('+', 3);
        if (parts.Length != 3 || !SignedNote.IsName(parts[0]) || !SignedNote.TryBase64(parts[2], out var blob)) return false;
        var type = (NoteKeyType)blob[0];
        if (LengthOf(type) == 0 || blob.Length != 1 + LengthOf(type)) return false;
        if (type == NoteKeyType.MlDsa44Cosignature && Encoding.UTF8.GetByteCount(parts[0]) > Cosignature.MaxNameBytes) return false;
        var parsed = new VerifierKey(parts[0], type, blob.AsSpan(1));
        if (parsed.ToString() != text) return false;
        key = parsed;
        return true;
    }

    /// <exception cref="RefusedException"><see cref="Refusal.Note"/>.</exception>
    public static VerifierKey Parse(string text) => TryParse(text, out var key) ? key : throw new RefusedException(Refusal.Note, "not a verifier key");

    /// <param name="text">Text of the note, UTF-8.</param>
    /// <param name="signature">As it stands in the line behind the key id.</param>
    public bool Verify(ReadOnlySpan<byte> text, ReadOnlySpan<byte> signature)
    {
        if (Type == NoteKeyType.Ed25519) return Ed25519Holds(text, signature);
        if (!Cosignature.TryReadTime(signature, out var time)) return false;
        var signed = signature[sizeof(long)..];
        if (Type == NoteKeyType.Ed25519Cosignature) return Ed25519Holds(Cosignature.Ed25519Message(time, text), signed);
        return Cosignature.MlDsa44Message(Name, time, text) is { } message && MlDsaHolds(message, signed);
    }

    /// <summary>When the signature says that it was made, seconds since 1970; null when it does not say.</summary>
    public long? TimeOf(NoteSignature signature) =>
        IsCosigner && Cosignature.TryReadTime(signature.Signature.Span, out var time) && time > 0 ? time : null;

    bool Ed25519Holds(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) =>
        signature.Length == Ed25519.SignatureSize && Ed25519.Verify(signature.ToArray(), 0, key, 0, message.ToArray(), 0, message.Length);

    bool MlDsaHolds(byte[] message, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != Cosignature.MlDsa44SignatureSize) return false;
        var verifier = new MLDsaSigner(MLDsaParameters.ml_dsa_44, deterministic: true);
        verifier.Init(forSigning: false, mlDsa!);
        verifier.BlockUpdate(message, 0, message.Length);
        return verifier.VerifySignature(signature.ToArray());
    }

    static int LengthOf(NoteKeyType type) => type switch
    {
        NoteKeyType.Ed25519 or NoteKeyType.Ed25519Cosignature => Ed25519.PublicKeySize,
        NoteKeyType.MlDsa44Cosignature => Cosignature.MlDsa44KeySize,
        _ => 0,
    };

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name}+{Id:x8}+{Convert.ToBase64String([(byte)Type, .. key])}");
    public bool Equals(VerifierKey? other) => other is not null && Name == other.Name && Type == other.Type && key.AsSpan().SequenceEqual(other.key);
    public override bool Equals(object? obj) => Equals(obj as VerifierKey);
    public override int GetHashCode() => HashCode.Combine(Name, Id);
}
