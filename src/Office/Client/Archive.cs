using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Office.Client;

/// <param name="Size">Bytes of the sealed file.</param>
/// <param name="Number">Of its sheet, as long as this office remembers having opened it; null: not, or it has none.</param>
public sealed record ArchivedDispatch(string Sender, Guid Envelope, long Size, DateTimeOffset ArchivedAt, string? Number);

/// <param name="Refusal">What does not hold; null: all of it does.</param>
public sealed record ArchiveFinding(ArchivedDispatch Item, Refusal? Refusal, string Detail);

/// <summary>
/// What this office opened, as it came, and beside it the secret and the dispatch sealed to a key of the archive alone, which stands in no card: it opens when the key that it came to is lost, rolled over or
/// destroyed. One folder each, archive/{sender}/{id}: envelope (the one-file form), receipt.p7s (the gateway's), archive.p7m. Nothing is encrypted a second time, so all signatures hold as they did;
/// docs/envelope.md section 18.
/// </summary>
sealed class Archive(OfficeContext office)
{
    const string Making = ".making-";
    readonly VerifyParcel verify = new(office);

    /// <summary>Under which new things are kept; null: this office has no archive.</summary>
    public Certificate? Key => office.Keys.Archive.FirstOrDefault()?.Certificate;

    /// <summary>On return it is in the archive for good. Again is harmless: the first one stays.</summary>
    /// <param name="bytes">Whole and durable.</param>
    public void Keep(HeldParcel held, ParcelFiles bytes, ReadOnlySpan<byte> kept)
    {
        var (sender, id) = (held.Envelope.Header.Sender, held.Envelope.Header.Id);
        var (making, place) = (office.Files.At("archive", sender, Making + id), Place(sender, id));
        if (Directory.Exists(place)) return;
        // What a crash left, under no name.
        if (Directory.Exists(making)) Directory.Delete(making, recursive: true);
        office.Files.Folder("archive", sender, Making + id);
        office.Files.Step("archive envelope");
        DurableFile.AddName(bytes.Envelope, Path.Combine(making, "envelope"));
        office.Files.Write(Path.Combine(making, "receipt.p7s"), held.SubmissionDer.Span);
        office.Files.Write(Path.Combine(making, "archive.p7m"), kept);
        // Crash before: it is not archived, nothing was acknowledged, and the next opening does it again. After: it is.
        office.Files.MoveFolder(making, place);
    }

    /// <summary>By sender and id; no key is needed to know what there is.</summary>
    public IReadOnlyList<ArchivedDispatch> List() => !Directory.Exists(office.Files.At("archive")) ? [] :
        [.. from sender in Directory.EnumerateDirectories(office.Files.At("archive")).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)
            from name in Directory.EnumerateDirectories(office.Files.At("archive", sender)).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)
            where Guid.TryParseExact(name, "D", out _)
            let file = new FileInfo(Path.Combine(Place(sender, Guid.Parse(name)), "envelope"))
            select new ArchivedDispatch(sender, Guid.Parse(name), file.Exists ? file.Length : 0, Directory.GetLastWriteTimeUtc(Place(sender, Guid.Parse(name))), office.Received.Find(sender, Guid.Parse(name))?.Number)];

    /// <summary>Documents of one archived dispatch, by a key of the archive. All is checked as when it came.</summary>
    /// <exception cref="RefusedException">NotForThisKey: none of the archive's keys here; or whatever does not hold. Nothing is left.</exception>
    public async Task<AsideResult> OpenAsync(ArchivedDispatch item, string outFolder, IProgress<long>? progress, CancellationToken cancel)
    {
        await using var file = File.OpenRead(Path.Combine(Place(item.Sender, item.Envelope), "envelope"));
        var (parts, receipt, kept) = await ReadAsync(item, file, cancel).ConfigureAwait(false);
        verify.Outside(parts, receipt);
        return await new OpenAside(office).PlaceAsync(new AsideCopy("archive", parts, receipt, KeyOf(kept), kept), file, outFolder, progress, cancel).ConfigureAwait(false);
    }

    /// <summary>Signatures, the gateway's receipt, every byte of the sealed payload, and that a key of the archive opens it. No document is written.</summary>
    public async Task<ArchiveFinding> VerifyAsync(ArchivedDispatch item, CancellationToken cancel)
    {
        try
        {
            await using var file = File.OpenRead(Path.Combine(Place(item.Sender, item.Envelope), "envelope"));
            var (parts, receipt, kept) = await ReadAsync(item, file, cancel).ConfigureAwait(false);
            var (envelope, _) = verify.Outside(parts, receipt);
            if (envelope.Header.Payload is { } payload) await Payload.VerifyAsync(file, payload, null, null, cancel).ConfigureAwait(false);
            Envelope.VerifyKept(envelope, kept, KeyOf(kept));
            return new ArchiveFinding(item, null, "");
        }
        catch (RefusedException e) { return new ArchiveFinding(item, e.Refusal, e.Detail); }
        catch (IOException e) { return new ArchiveFinding(item, Refusal.NotFound, e.Message); }
    }

    async Task<(EnvelopeParts Parts, byte[] Receipt, byte[] Kept)> ReadAsync(ArchivedDispatch item, FileStream file, CancellationToken cancel)
    {
        var parts = await EnvelopeFile.ReadPartsAsync(file, cancel).ConfigureAwait(false);
        var header = EnvelopeFile.PeekUnverified(parts.Header);
        if ((header.Sender, header.Id) != (item.Sender, item.Envelope)) throw new RefusedException(Refusal.Replay, "another envelope is here under this name");
        return (parts, await File.ReadAllBytesAsync(Path.Combine(Place(item.Sender, item.Envelope), "receipt.p7s"), cancel).ConfigureAwait(false),
            await File.ReadAllBytesAsync(Path.Combine(Place(item.Sender, item.Envelope), "archive.p7m"), cancel).ConfigureAwait(false));
    }

    IPrivateKey KeyOf(ReadOnlyMemory<byte> kept) => office.Keys.Archive.FirstOrDefault(k => EnvelopeKeys.IsFor(kept, k.Certificate)) ?? throw new RefusedException(Refusal.NotForThisKey, "none of the archive's keys");

    string Place(string sender, Guid id) => office.Files.At("archive", sender, id.ToString());
}
