using System.Formats.Asn1;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Inspection;

/// <summary>
/// What a file says of itself, part by part, and every fault of its form: for whoever has to find out what is wrong with it. Needs no key, no directory and no trust, and so says nothing of who may;
/// what acts on a file reads it by <see cref="Statement.Read"/> or <see cref="Envelope.Envelope.Verify"/>, which end at the first fault. Only refusals of bytes are told, as faults: hostile input throws nothing.
/// | read at most | header 1 MiB, approval 64 KiB, manifest 4 MiB, 17 approvals; a statement by itself as its type allows; the payload is hashed as a stream |.
/// </summary>
/// <param name="Kind">One of <see cref="InspectedKind"/>.</param>
public sealed record Inspected(string Kind, long Length, IReadOnlyList<InspectedPart> Parts)
{
    const int MaxWhole = 64 << 20;

    public bool Sound => Parts.All(p => p.Sound);

    /// <param name="file">Seekable; read from its first byte.</param>
    /// <param name="progress">Bytes of the payload that were hashed.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static async Task<Inspected> ReadAsync(Stream file, IProgress<long>? progress, CancellationToken cancel)
    {
        var length = file.Length;
        file.Position = 0;
        var start = new byte[(int)Math.Min(length, 64)];
        await file.ReadExactlyAsync(start, cancel);
        file.Position = 0;
        // More than one DER value, or a first one that lies about its length: the file form of an envelope, or of a sealed parcel.
        var first = FirstValue(start);
        if (first is { } end && end != length && LooksLikeCms(start))
            return SealedParcelOpener.IsSealed(start) ? await ParcelInspection.ReadAsync(file, length, cancel) : await EnvelopeInspection.ReadAsync(file, length, progress, cancel);
        if (length > MaxWhole)
        {
            var part = new InspectedPart("file", 0, length);
            part.Lacks(Refusal.Size, "no single value is as long as that");
            return new(InspectedKind.Unknown, length, [part]);
        }
        var bytes = new byte[length];
        await file.ReadExactlyAsync(bytes, cancel);
        return Whole(bytes);
    }

    /// <summary>One value in memory, of whatever kind it is.</summary>
    public static Inspected Whole(ReadOnlyMemory<byte> bytes)
    {
        var parts = new List<InspectedPart>();
        var kind = ValueInspection.Read(bytes, parts);
        return new(kind, bytes.Length, parts);
    }

    /// <summary>How long the value says it is with which the file begins; null: it is not the beginning of a SEQUENCE.</summary>
    static long? FirstValue(ReadOnlySpan<byte> start)
    {
        if (start.Length < 2 || start[0] != 0x30 || start[1] is 0x80 or > 0x84 || start.Length < 2 + (start[1] & 0x7f) && start[1] > 0x80) return start is [0x30, >= 0x80, ..] ? long.MaxValue : null;
        if (start[1] < 0x80) return 2 + start[1];
        long length = 0;
        for (var i = 0; i < start[1] - 0x80; i++) length = (length << 8) | start[2 + i];
        return length + 2 + (start[1] - 0x80);
    }

    // A certificate that is cut short is no envelope.
    static bool LooksLikeCms(ReadOnlySpan<byte> start) => Contains(start, Oids.SignedData) || Contains(start, Oids.AuthEnvelopedData);

    static bool Contains(ReadOnlySpan<byte> start, string oid)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteObjectIdentifier(oid);
        return start.IndexOf(writer.Encode()) is >= 0 and <= 8;
    }
}

/// <summary>Kinds of file that are told apart.</summary>
public static class InspectedKind
{
    public const string Envelope = "envelope", Parcel = "sealed parcel", Statement = "statement", Manifest = "manifest", TimeStamp = "time-stamp token", Note = "signed note",
        Certificates = "certificate", Crl = "revocation list", Ocsp = "OCSP response", Unknown = "unknown";
}
