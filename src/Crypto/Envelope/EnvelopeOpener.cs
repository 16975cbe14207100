using Exchange.Crypto.Keys;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.TimeStamps;

namespace Exchange.Crypto.Envelope;

/// <summary>Opening, in the order of docs/envelope.md.</summary>
static class EnvelopeOpener
{
    public static async Task<OpenedEnvelope> OpenAsync(OpenRequest request, CancellationToken cancel)
    {
        // 1 All that holds without a key; no private key is touched before. The gateway is not trusted to have looked.
        var (envelope, manifest) = EnvelopeCheck.Run(request.Parts, request.Context);
        var header = envelope.Header;
        var key = request.Key.Certificate.Key;
        if (request.Kept is null && !header.Recipients.Any(r => r.Office == request.Office && r.Key == key)) throw new RefusedException(Refusal.NotForThisKey);

        // 2 Unwrap … commitment: one error.
        using var frame = request.Kept is { } own ? OpenKept(own, envelope.Ctx, header.Commitment, request.Key) : ManifestOpener.Open(manifest, envelope.Ctx, header.Commitment, request.Key);

        // 3 The inside agrees with the outside. What fails from here on is the sender's doing, is named, and is reported to him.
        var statement = Statement.Read(frame.Dispatch, StatementType.Dispatch);
        var dispatch = statement.As<Dispatch>();
        var stamps = CheckDispatch(statement, dispatch, envelope, request);

        // 4 Tags, root, documents: into temp files.
        using var folder = new OpeningFolder(request.Folder, dispatch.Documents);
        if (header.Payload is { } payload) await PayloadOpener.OpenAsync(request.Payload, payload.Length, payload.Root, frame.Secret, folder, request.Progress, cancel);
        else await Payload.DemandEndAsync(request.Payload, cancel);

        // 5 Everything held: now they get their names. A crash between two renames leaves whole documents only; opening again finishes.
        var kept = request.Keeper is { } keeper ? ManifestSealer.Seal(envelope.Ctx, frame.Secret.Span, frame.Dispatch.Span, [keeper], Manifest.FrameUnit) : null;
        var files = folder.Release();
        return new OpenedEnvelope(envelope, dispatch, frame.Dispatch, files, Proof(frame, envelope.Ctx, key), stamps) { Kept = kept };
    }

    /// <summary>The frame as it was kept under one key of one's own: as a manifest for one recipient (docs/envelope.md sections 14 and 18).</summary>
    /// <exception cref="RefusedException">NotForThisKey, CannotOpen, or what is refused in the form.</exception>
    public static OpenedFrame OpenKept(ReadOnlyMemory<byte> der, Digest ctx, Digest commitment, IPrivateKey key)
    {
        if (!EnvelopeKeys.IsFor(der, key.Certificate)) throw new RefusedException(Refusal.NotForThisKey);
        var kept = AuthEnveloped.Decode(der, maxKeys: 1);
        Manifest.Check(kept, ctx, [key.Certificate]);
        return ManifestOpener.Open(kept, ctx, commitment, key);
    }

    static IReadOnlyList<VerifiedTimeStamp> CheckDispatch(Statement statement, Dispatch dispatch, VerifiedEnvelope envelope, OpenRequest request)
    {
        var header = envelope.Header;
        if (statement.Ref != header.Dispatch.Ref) throw new RefusedException(Refusal.DispatchMismatch, "ref");
        if (!statement.SignatureDigests.SequenceEqual(header.Dispatch.Signatures)) throw new RefusedException(Refusal.DispatchMismatch, "signatures");
        var stamps = CheckTimeStamps(statement, request);
        DispatchAuthors.Check(statement, envelope.Sender, request.Context, stamps, request.AuthorRoles, request.OfficeSignsDispatch);
        DispatchRules.CheckSigned(statement, dispatch, header);
        return stamps;
    }

    /// <summary>On each signature or on none; none only where the level lets that be. They were sealed in before the gateway had the envelope, so they cannot be later.</summary>
    static IReadOnlyList<VerifiedTimeStamp> CheckTimeStamps(Statement statement, OpenRequest request)
    {
        var stamps = TimeStampCheck.OfDispatch(statement, request.Context.Trust);
        if (stamps.Count == 0 && request.TimeStamp == TimeStampNeed.Demanded) throw new RefusedException(Refusal.TimeStampMissing);
        if (stamps.Any(s => s.Time > request.Context.At + TimeStampCheck.Skew)) throw new RefusedException(Refusal.TimeStamp, "later than the submission");
        return stamps;
    }

    static Digest Proof(OpenedFrame frame, Digest ctx, Digest key)
    {
        var opened = KeySchedule.Opened(frame.Secret.Span);
        try { return KeySchedule.Proof(opened, ctx, key); }
        finally { System.Security.Cryptography.CryptographicOperations.ZeroMemory(opened); }
    }
}
