using Exchange.Crypto;
using Exchange.Crypto.Interop;
using Exchange.Crypto.Labels;

namespace Exchange.Office.Client.Exports;

/// <param name="Role">As what this office opened it: "self", "recovery" or "archive".</param>
/// <param name="Evidence">Files under evidence/.</param>
/// <param name="Complete">Every ledger entry that a receipt promises is proven by what is inside.</param>
/// <param name="Stamped">The signature bears a time-stamp.</param>
public sealed record AsicResult(string File, string Role, string Sender, Guid Envelope, string? Number, string Level, IReadOnlyList<string> Documents, int Evidence, bool Complete, bool Stamped)
{
    /// <summary>As its author chose it: the container is as much in need of protection as the dispatch.</summary>
    public required Label Label { get; init; }
    /// <summary>Receipts that the gateway gave and that do not hold; they are not inside.</summary>
    public required IReadOnlyList<string> Findings { get; init; }
}

/// <summary>A dispatch, opened, and all that proves it, in one file that other people's tools read and check: docs/export.md.</summary>
sealed class ExportAsic(OfficeContext office)
{
    /// <param name="file">Must not be there; it is whole and durable on return.</param>
    /// <param name="online">False: the gateway was not reached; proofs are left out.</param>
    /// <exception cref="RefusedException">Whatever does not hold. Nothing is left.</exception>
    /// <exception cref="IOException">The file is there already, or there is no room.</exception>
    public async Task<AsicResult> RunAsync(ExportSource source, string file, bool online, IProgress<long>? progress, CancellationToken cancel)
    {
        var target = Path.GetFullPath(file);
        if (Path.Exists(target)) throw new IOException($"{target} is there already");
        // 1. What others signed since, of what was sent from here.
        var findings = source is ExportSource.Sent { Entry: var entry } && online ? (await new TrackDispatch(office).RunAsync(entry, audit: false, cancel).ConfigureAwait(false)).Findings : [];
        // 2. Everything is checked again; documents as open files without names.
        using var copy = await ClearCopy.OpenAsync(office, source, target, progress, cancel).ConfigureAwait(false);
        var evidence = await new CollectEvidence(office).RunAsync(copy.Evidence, online, cancel).ConfigureAwait(false);
        // 3. One pass over all of it. Until the last step the file has a temp name, and goes with its writer.
        using var writer = DurableFile.Create(target, replace: false);
        bool stamped;
        using (var container = new AsicContainer(writer.Stream, office.Now))
        {
            foreach (var (document, content) in copy.Documents)
                if (await container.AddAsync("documents/" + document.Name, document.MediaType, content, cancel).ConfigureAwait(false) != document.Sha256) throw new RefusedException(Refusal.DocumentDigest);
            foreach (var part in evidence.Parts)
                await container.AddAsync("evidence/" + part.Name, null, new MemoryStream(part.Bytes.ToArray(), writable: false), cancel).ConfigureAwait(false);
            // 4. This office says: that is what I have. What the author and the gateway signed is inside, and says more.
            var manifest = container.Manifest();
            (var signature, stamped) = await StampAsync(CadesSignature.Sign(office.Keys.Sign, office.View.Trust.Store, office.Now, s => s.Write(manifest)), cancel).ConfigureAwait(false);
            container.Sign(manifest, signature);
        }
        ExportRecord.Keep(office, "asic", copy.Opened, copy.Opened.Level, []);
        await writer.CommitAsync(cancel).ConfigureAwait(false);
        var opened = copy.Opened;
        return new AsicResult(target, opened.Role, opened.Sender, opened.Envelope, opened.Number, opened.Level, [.. copy.Documents.Select(d => d.Document.Name)], evidence.Parts.Count, evidence.Complete, stamped) { Label = opened.Label, Findings = findings };
    }

    // CAdES-B-T where the profile names authorities and one of them answers; without, the signature is as good for as long as its certificate.
    async Task<(byte[] Signature, bool Stamped)> StampAsync(byte[] signature, CancellationToken cancel)
    {
        if (office.Profile.TimeStamps is null) return (signature, false);
        try { return (CadesSignature.WithTimeStamp(signature, (await new FetchTimeStamps(office).RunAsync([CadesSignature.Imprint(signature)], cancel).ConfigureAwait(false))[0]), true); }
        catch (RefusedException e) when (e.Refusal == Refusal.TimeStampAway) { return (signature, false); }
    }
}
