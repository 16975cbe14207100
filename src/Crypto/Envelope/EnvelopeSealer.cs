using System.Security.Cryptography;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Envelope;

/// <summary>Sealing, steps 1 to 6 of docs/envelope.md. Step 7, making all of it durable before the first byte leaves, is the outbox's.</summary>
static class EnvelopeSealer
{
    public static async Task<SealedEnvelope> SealAsync(SealRequest request, Stream output, TimeProvider clock, CancellationToken cancel)
    {
        var recipients = request.Recipients.OrderBy(r => new Recipient(r.Office, r.Certificate.Key, r.Role), Comparer<Recipient>.Create(HeaderRules.Order)).ToList();
        Check(request, recipients);
        var secret = GC.AllocateArray<byte>(KeySchedule.SecretLength, pinned: true);
        try
        {
            // 1 A secret that nobody outside ever held, for one pass over one payload.
            RandomNumberGenerator.Fill(secret);
            var (payload, digests) = request.Documents.Count > 0 ? await PayloadSealer.SealAsync(request.Documents, request.PayloadBucket, secret, output, request.Progress, cancel) : (null, Array.Empty<Digest>());

            // 2 What the author signs.
            var now = clock.GetUtcNow();
            var label = EssLabel.ToEss(request.Label);
            var dispatch = Statement.Sign(MakeDispatch(request, digests, RandomNumberGenerator.GetBytes(DispatchRules.SaltLength)), request.Authors, now, label);
            // Before anything names the signatures: they are named in the order of their SET, which tokens change.
            var tokens = request.TimeStamp is { } stamp ? await stamp([.. dispatch.TimeStamps.Select(t => t.Signature)]) : null;
            if (tokens is { Count: > 0 })
            {
                dispatch = dispatch.WithTimeStamps(tokens);
                tokens = [.. dispatch.SignatureDigests.Select(d => dispatch.TimeStamps.Single(t => t.Signature == d).Token!.Value)];
            }

            // 3 What others decided about it.
            var approvals = request.Approvers.Select(p => (Person: p, Act: ApprovalAct.Send)).Concat(request.Releasers.Select(p => (Person: p, Act: ApprovalAct.Release))).Concat(request.Statements)
                .Select(a => Statement.Sign(MakeApproval(request, dispatch.Ref, a.Person, a.Act), [a.Person], now)).ToList();

            // 4 What the gateway reads; its ref is CTX.
            var opened = KeySchedule.Opened(secret);
            var header = MakeHeader(request, recipients, payload, KeySchedule.Commitment(opened)) with
            {
                Dispatch = new DispatchRef(dispatch.Ref, [.. dispatch.SignatureDigests]),
                Approvals = [.. approvals.Select(a => a.Ref)],
            };
            HeaderRules.Check(header);
            var ctx = Digest.Of(StatementKind.Of<Header>().Write(header));

            // 5 What only recipients read.
            var manifest = ManifestSealer.Seal(ctx, secret, dispatch.Der.Span, [.. recipients.Select(r => r.Certificate)], request.ManifestBucket);
            // The same frame for the sender alone, under a key of its own: no recipient more on the wire.
            var kept = request.Keeper is { } keeper ? ManifestSealer.Seal(ctx, secret, dispatch.Der.Span, [keeper], Manifest.FrameUnit) : null;

            // 6 The office's word for all of it.
            var manifestDigest = Digest.Of(manifest);
            var signed = Statement.Sign(header, [request.Office], now, label, manifestDigest);
            var parts = new EnvelopeParts(signed.Der, [.. approvals.Select(a => a.Der)], manifest);
            return new SealedEnvelope(parts, ctx, manifestDigest, payload, dispatch.Ref, opened) { Kept = kept, TimeStamps = tokens };
        }
        finally { CryptographicOperations.ZeroMemory(secret); }
    }

    /// <summary>All that can be refused is refused before gigabytes are read: the records are made once with empty digests and held against the rules.</summary>
    static void Check(SealRequest request, IReadOnlyList<SealRecipient> recipients)
    {
        if (request.ManifestBucket < Manifest.FrameUnit || request.ManifestBucket % Manifest.FrameUnit != 0)
            throw new ArgumentException($"A multiple of {Manifest.FrameUnit}.", nameof(request));
        if (request.PayloadBucket < 1) throw new ArgumentException("At least 1.", nameof(request));
        foreach (var recipient in recipients) _ = KeyWraps.For(recipient.Certificate);
        if (request.Keeper is { } keeper) _ = KeyWraps.For(keeper);
        var dispatch = MakeDispatch(request, new Digest[request.Documents.Count], new byte[DispatchRules.SaltLength]);
        DispatchRules.Check(dispatch);
        var length = Payload.PaddedLength(request.Documents.Sum(d => d.Length), request.PayloadBucket);
        if (length > Payload.MaxLength) throw new RefusedException(Refusal.Size, "payload");
        var header = MakeHeader(request, recipients, request.Documents.Count > 0 ? new PayloadRef(length, default) : null, default);
        HeaderRules.Check(header);
        DispatchRules.CheckAgainst(dispatch, header);
        if (StatementKind.Of<Dispatch>().Write(dispatch).Length > EnvelopeParts.MaxManifest / 2) throw new RefusedException(Refusal.Size, "dispatch");
    }

    static Dispatch MakeDispatch(SealRequest request, Digest[] digests, byte[] salt) => new()
    {
        V = 1,
        Type = Dispatch.TypeName,
        Signers = Keys(request.Authors),
        Salt = salt,
        From = request.Sender,
        To = [.. request.To],
        Label = request.Label,
        Sheet = request.Sheet,
        Revises = request.Revises,
        Documents = [.. request.Documents.Select((d, i) => new Document(d.Name, d.MediaType, d.Length, digests[i], d.Pages))],
    };

    static Approval MakeApproval(SealRequest request, Digest dispatch, IPrivateKey person, string act) => new()
    {
        V = 1,
        Type = Approval.TypeName,
        Signers = [person.Certificate.Key],
        Act = act,
        Dispatch = dispatch,
        Label = request.Label,
        From = request.Sender,
        To = [.. request.To],
        NotAfter = request.Times.Expires,
    };

    static Header MakeHeader(SealRequest request, IReadOnlyList<SealRecipient> recipients, PayloadRef? payload, Digest commitment) => new()
    {
        V = 1,
        Type = Header.TypeName,
        Signers = [request.Office.Certificate.Key],
        Id = request.Id,
        Gateway = request.Gateway,
        Suite = HeaderRules.Suite,
        Kind = request.Kind,
        Sender = request.Sender,
        Recipients = [.. recipients.Select(r => new Recipient(r.Office, r.Certificate.Key, r.Role))],
        Label = request.Label,
        Urgency = request.Urgency,
        Times = request.Times,
        References = [.. request.References],
        Dispatch = new DispatchRef(default, [default]),
        Approvals = [],
        Policy = request.Policy,
        Directory = request.Directory,
        Seen = request.Seen,
        Commitment = commitment,
        Payload = payload,
    };

    static Digest[] Keys(IEnumerable<IPrivateKey> keys) => [.. keys.Select(k => k.Certificate.Key)];
}
