using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Envelope;

/// <summary>All that <see cref="Envelope.Reseal"/> needs. It takes no document: a secret never encrypts a second payload.</summary>
public sealed record ResealRequest
{
    /// <summary>Of the envelope whose content goes further, as they were sent.</summary>
    public required EnvelopeParts Original { get; init; }
    /// <summary><see cref="SealedEnvelope.Kept"/> of it.</summary>
    public required ReadOnlyMemory<byte> Kept { get; init; }
    /// <summary>Encryption keys of the sender, also older ones; the one that it was kept under opens it.</summary>
    public required IEnumerable<IPrivateKey> Keepers { get; init; }
    public required Guid Id { get; init; }
    /// <summary>Higher than of all that is about the original.</summary>
    public required int Revision { get; init; }
    /// <summary>Offices that the author named and no others, and besides them the keys that the policy wants (recovery, self).</summary>
    public required IReadOnlyList<SealRecipient> Recipients { get; init; }
    public required int Urgency { get; init; }
    public required Times Times { get; init; }
    public required Digest Policy { get; init; }
    public required Digest Directory { get; init; }
    public required Seen? Seen { get; init; }
    /// <summary>Persons who approve it anew; approvals of the original by others go along as long as they have not lapsed.</summary>
    public IReadOnlyList<IPrivateKey> Approvers { get; init; } = [];
    /// <summary>Signer of the header.</summary>
    public required IPrivateKey Office { get; init; }
    public required int ManifestBucket { get; init; }
}

/// <summary>Resealing, section 14 of docs/envelope.md: secret, dispatch, commitment and payload stay, everything around them is new.</summary>
static class EnvelopeResealer
{
    public static SealedEnvelope Reseal(ResealRequest request, TimeProvider clock)
    {
        var (statement, now) = (Statement.Read(request.Original.Header, StatementType.Header), clock.GetUtcNow());
        var original = statement.As<Header>();
        HeaderRules.Check(original);

        // 1 What was kept: of this header, under a key of ours. One error for all of it, as for a recipient.
        using var frame = Open(request, statement.Ref, original.Commitment);
        var dispatch = Statement.Read(frame.Dispatch, StatementType.Dispatch);
        if (dispatch.Ref != original.Dispatch.Ref) throw new RefusedException(Refusal.DispatchMismatch, "ref");
        if (!dispatch.SignatureDigests.SequenceEqual(original.Dispatch.Signatures)) throw new RefusedException(Refusal.DispatchMismatch, "signatures");

        // 2 Only to whom the author wrote; whoever else holds a key is the policy's affair.
        var content = dispatch.As<Dispatch>();
        if (request.Recipients.FirstOrDefault(r => r.Role is HeaderRules.To or HeaderRules.Cc && !content.To.Contains(r.Office)) is { } stranger) throw new RefusedException(Refusal.Addressees, stranger.Office);

        // 3 What others decided about it: as they signed it, where that still counts.
        var approvals = Approvals(request, original, content, now);

        // 4 A header of its own over the same content; its ref is CTX.
        var recipients = request.Recipients.OrderBy(r => new Recipient(r.Office, r.Certificate.Key, r.Role), Comparer<Recipient>.Create(HeaderRules.Order)).ToList();
        var header = original with
        {
            Signers = [request.Office.Certificate.Key],
            Id = request.Id,
            Kind = HeaderRules.KindUpdate,
            Recipients = [.. recipients.Select(r => new Recipient(r.Office, r.Certificate.Key, r.Role))],
            Urgency = request.Urgency,
            Times = request.Times,
            References = [.. HeaderRules.Answered(original), new Reference(HeaderRules.KindUpdate, original.Id, statement.Ref, request.Revision)],
            Approvals = [.. approvals.Select(a => a.Ref)],
            Policy = request.Policy,
            Directory = request.Directory,
            Seen = request.Seen,
        };
        HeaderRules.Check(header);
        DispatchRules.CheckAgainst(content, header);
        var ctx = Digest.Of(StatementKind.Of<Header>().Write(header));

        // 5 The same secret, sealed anew: a key and a nonce of its own.
        var manifest = ManifestSealer.Seal(ctx, frame.Secret.Span, frame.Dispatch.Span, [.. recipients.Select(r => r.Certificate)], request.ManifestBucket);

        // 6 The office's word for all of it.
        var manifestDigest = Digest.Of(manifest);
        var signed = Statement.Sign(header, [request.Office], now, EssLabel.ToEss(header.Label), manifestDigest);
        return new SealedEnvelope(new EnvelopeParts(signed.Der, [.. approvals.Select(a => a.Der)], manifest), ctx, manifestDigest, header.Payload, dispatch.Ref, KeySchedule.Opened(frame.Secret.Span));
    }

    static OpenedFrame Open(ResealRequest request, Digest ctx, Digest commitment)
    {
        var key = request.Keepers.FirstOrDefault(k => EnvelopeKeys.IsFor(request.Kept, k.Certificate)) ?? throw new RefusedException(Refusal.NotForThisKey);
        return EnvelopeOpener.OpenKept(request.Kept, ctx, commitment, key);
    }

    static List<Statement> Approvals(ResealRequest request, Header original, Dispatch dispatch, DateTimeOffset now)
    {
        var fresh = request.Approvers.Select(p => p.Certificate.Key).ToHashSet();
        bool Counts(Statement approval) => approval.As<Approval>() is var a && original.Approvals.Contains(approval.Ref) && a.NotAfter >= now.ToUnixTimeMilliseconds()
            && !(fresh.Contains(approval.Signers[0].Key) && a.Act is ApprovalAct.Send or ApprovalAct.Release);
        return
        [
            .. request.Original.Approvals.Select(a => Statement.Read(a, StatementType.Approval)).Where(Counts),
            .. request.Approvers.Select(person => Statement.Sign(new Approval
            {
                V = 1, Type = Approval.TypeName, Signers = [person.Certificate.Key], Act = ApprovalAct.Send, Dispatch = original.Dispatch.Ref, Label = original.Label, From = original.Sender, To = dispatch.To,
                NotAfter = request.Times.Expires,
            }, [person], now)),
        ];
    }
}
