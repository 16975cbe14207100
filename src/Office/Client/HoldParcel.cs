using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Client;

/// <summary>What became of a parcel that the gateway brought.</summary>
public abstract record HoldVerdict
{
    /// <summary>All bytes are durable here, the outside holds.</summary>
    /// <param name="Receipt">Our ContentHandover (DER); the same bytes for every repeat.</param>
    /// <param name="Repeat">It had been held before.</param>
    public sealed record Held(ReadOnlyMemory<byte> Receipt, bool Repeat, string Sender, long Length) : HoldVerdict;
    /// <summary>Contradicts what is here under this name.</summary>
    public sealed record Conflict(Refusal Refusal, string Detail) : HoldVerdict;
    /// <summary>Does not hold, or is not for this office: bringing it again is pointless.</summary>
    public sealed record Refused(Refusal Refusal, string Detail) : HoldVerdict;
    /// <summary>Cannot be judged or kept now.</summary>
    public sealed record Later(Refusal Refusal, string Detail) : HoldVerdict;
}

/// <summary>From a parcel that the gateway brings to our signed handover. Several parcels at once; again is harmless at every step.</summary>
sealed class HoldParcel(OfficeContext office) : IDisposable
{
    // About us or the moment, not about the parcel.
    static readonly HashSet<Refusal> Passing = [Refusal.Unreachable, Refusal.Busy, Refusal.Full, Refusal.RevocationUnknown, Refusal.Passphrase, Refusal.Profile];

    readonly VerifyParcel verify = new(office);
    readonly SignReceipt sign = new(office);
    // Directory, keys and records are not for many threads; bytes come in beside each other.
    readonly SemaphoreSlim one = new(1);

    /// <param name="length">Bytes of the one-file form, as announced.</param>
    /// <param name="submission">The gateway's acceptance, DER.</param>
    /// <exception cref="IOException">The body broke off, or the disk failed: nothing is claimed, and the same parcel may come again.</exception>
    public async Task<HoldVerdict> RunAsync(Guid parcel, long length, byte[] submission, Stream body, IProgress<long>? progress, CancellationToken cancel)
    {
        try
        {
            // 1. The parts say which envelope it is; a repeat is known by them, and its payload need not come again.
            var parts = await EnvelopeFile.ReadPartsAsync(body, cancel).ConfigureAwait(false);
            var header = EnvelopeFile.PeekUnverified(parts.Header);
            if (length != EnvelopeFile.Length(parts, header.Payload)) return Known(parcel, parts, header, length) as HoldVerdict.Conflict ?? (HoldVerdict)new HoldVerdict.Refused(Refusal.PayloadLength, "Content-Length");
            if (Known(parcel, parts, header, length) is { } before) return before;
            // 2. The outside, before anything is kept. 3. If we have it from the mailbox already, that is all.
            var held = await VerifyAsync(parcel, parts, submission, cancel).ConfigureAwait(false);
            if (await GuardedAsync(() => Handed(held, length, onlyIfReceived: true), cancel).ConfigureAwait(false) is { } received) return received;
            // 4. The bytes, checked against the header as they come. Crash or broken connection: a part file that the next try overwrites.
            var bytes = new ParcelFiles(office.Files, parcel);
            using var alone = bytes.TryLock();
            if (alone is null) return new HoldVerdict.Later(Refusal.Busy, "this parcel is at work already");
            await TakeAsync(bytes, held, body, progress, cancel).ConfigureAwait(false);
            // 5. Our handover, signed once. Crash before: the next try finds the bytes and takes them again. After: it is answered with these bytes.
            try { return (await GuardedAsync(() => Handed(held, length, onlyIfReceived: false), CancellationToken.None).ConfigureAwait(false))!; }
            catch (RefusedException e) when (e.Refusal == Refusal.Replay)
            {
                // Another envelope of this name came in beside it and was first.
                bytes.Remove();
                throw;
            }
        }
        catch (RefusedException e) when (e.Refusal == Refusal.Replay || e.Refusal == Refusal.SameId) { return new HoldVerdict.Conflict(e.Refusal, e.Detail); }
        catch (RefusedException e) when (Passing.Contains(e.Refusal)) { return new HoldVerdict.Later(e.Refusal, e.Detail); }
        catch (RefusedException e) { return new HoldVerdict.Refused(e.Refusal, e.Detail); }
        catch (IOException e) when (DurableFile.IsFull(e)) { return new HoldVerdict.Later(Refusal.Full, "disk"); }
    }

    // What was handed over under this name: the same envelope is a repeat, any other a contradiction.
    HoldVerdict? Known(Guid parcel, EnvelopeParts parts, Header header, long length)
    {
        if (office.Received.Handover(parcel) is { } der)
        {
            var handed = Statement.Read(der, StatementType.Receipt).As<Receipt>();
            var same = Statement.Read(parts.Header, StatementType.Header).Ref == handed.Ctx && Digest.Of(parts.Manifest.Span) == handed.ManifestDigest;
            return same && length == EnvelopeFile.Length(parts, header.Payload) ? new HoldVerdict.Held(der, true, handed.Sender, length) : new HoldVerdict.Conflict(Refusal.SameId, "another envelope was handed over");
        }
        return null;
    }

    async Task<HeldParcel> VerifyAsync(Guid parcel, EnvelopeParts parts, byte[] submission, CancellationToken cancel)
    {
        try { return await GuardedAsync(() => verify.Run(parcel, parts, submission), cancel).ConfigureAwait(false); }
        catch (RefusedException)
        {
            // The gateway may know a newer directory, policy or revocation list than we do: a no is only final with the newest.
            await one.WaitAsync(cancel).ConfigureAwait(false);
            try
            {
                if (await office.RefreshAsync(cancel).ConfigureAwait(false) is { } offline) throw new RefusedException(offline, "the newest directory could not be fetched");
                return verify.Run(parcel, parts, submission);
            }
            finally { one.Release(); }
        }
    }

    async Task TakeAsync(ParcelFiles bytes, HeldParcel held, Stream body, IProgress<long>? progress, CancellationToken cancel)
    {
        if (bytes.IsWhole) await DemandSameAsync(bytes, held, cancel).ConfigureAwait(false);
        await using var part = bytes.OpenPart(resume: false);
        try
        {
            office.Files.Step("take bytes");
            await part.WriteAsync(EnvelopeFile.Write(held.Parts), cancel).ConfigureAwait(false);
            if (held.Envelope.Header.Payload is { } payload) await Payload.VerifyAsync(body, payload, part, progress, cancel).ConfigureAwait(false);
            bytes.SaveReceipt(held.SubmissionDer.Span);
            bytes.Complete(part);
        }
        catch (Exception e) when (e is RefusedException or IOException or OperationCanceledException)
        {
            bytes.Drop();
            throw;
        }
    }

    // An earlier try, or the mailbox, brought these: only ever the same envelope takes their place.
    static async Task DemandSameAsync(ParcelFiles bytes, HeldParcel held, CancellationToken cancel)
    {
        await using var there = bytes.Open();
        var parts = await EnvelopeFile.ReadPartsAsync(there, cancel).ConfigureAwait(false);
        if (Statement.Read(parts.Header, StatementType.Header).Ref != held.Envelope.Ctx || Digest.Of(parts.Manifest.Span) != held.Envelope.ManifestDigest)
            throw new RefusedException(Refusal.SameId, "another envelope is here under this name");
    }

    /// <returns>null: only what had been received before was asked for, and it had not been.</returns>
    HoldVerdict.Held? Handed(HeldParcel held, long length, bool onlyIfReceived)
    {
        var header = held.Envelope.Header;
        var known = office.Received.Demand(header.Sender, header.Id, held.Envelope.Ctx, held.Envelope.ManifestDigest);
        if (onlyIfReceived && known is not { Stage: ReceivedState.Opened or ReceivedState.Failed }) return null;
        var handover = known?.Handover ?? sign.Run(held, ReceiptEvent.ContentHandover, "OK", null);
        if (known?.Handover is null)
            office.Received.Save(known is not null ? known with { Handover = handover } : new ReceivedRecord(1, header.Sender, header.Id, held.Envelope.Ctx, held.Envelope.ManifestDigest,
                nameof(ReceivedState.Held), held.Parcel, held.Submission.Time, null, null, [], null, handover, null, false));
        office.Received.SaveHandover(held.Parcel, handover);
        return new HoldVerdict.Held(handover, known?.Handover is not null, header.Sender, length);
    }

    async Task<T> GuardedAsync<T>(Func<T> work, CancellationToken cancel)
    {
        await one.WaitAsync(cancel).ConfigureAwait(false);
        try { return work(); }
        finally { one.Release(); }
    }

    public void Dispose() => one.Dispose();
}
