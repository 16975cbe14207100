using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Envelope;

/// <summary>Checking without a key, in the order of docs/envelope.md. Names nothing that unwraps or decrypts.</summary>
static class EnvelopeCheck
{
    /// <returns>The verdict, and the manifest as read for whoever holds a key.</returns>
    public static (VerifiedEnvelope Envelope, AuthEnveloped Manifest) Run(EnvelopeParts parts, EnvelopeContext context)
    {
        // 1 Sizes before anything is parsed.
        CheckSizes(parts);

        // 2 The header by itself: strict DER, one signer, its signature, canonical JSON, allowed values.
        var statement = Statement.Read(parts.Header, StatementType.Header);
        var header = statement.As<Header>();
        HeaderRules.Check(header);

        // 3 Whose signature it is: a signing key of the sending office in the directory, valid at T.
        var signer = statement.Signers[0];
        var sender = context.Directory.Find(header.Sender) ?? throw new RefusedException(Refusal.SignerUnknown, "no such office");
        if (!sender.Signing.Contains(signer)) throw new RefusedException(Refusal.SignerUnknown, "not a signing key of the sender");
        context.Trust.Demand(signer, Purpose.OfficeSigning, context.At);

        // 4 The label that mail and other software reads is the one that we decide on.
        if (!statement.Label!.Value.Span.SequenceEqual(EssLabel.ToEss(header.Label))) throw new RefusedException(Refusal.LabelForm, "attribute differs from header");

        // 5 The manifest is the one that was signed, in the one form, for exactly the header's recipients.
        var manifestDigest = Digest.Of(parts.Manifest.Span);
        if (statement.ManifestDigest != manifestDigest) throw new RefusedException(Refusal.Manifest, "digest");
        var manifest = AuthEnveloped.Decode(parts.Manifest, HeaderRules.MaxRecipients);
        var certificates = header.Recipients.Select(r => FindKey(r, context.Directory)).ToArray();
        Manifest.Check(manifest, statement.Ref, certificates);

        // 6 Who approved.
        var approvals = CheckApprovals(parts.Approvals, header, sender, context);

        var current = certificates.Select(c => c is not null && context.Trust.Check(c, Purpose.OfficeEncryption, context.At).Good).ToArray();
        return (new VerifiedEnvelope(header, statement.Ref, manifestDigest, sender, signer, statement.SigningTimes[0], approvals, current) { ManifestLength = manifest.Ciphertext.Length }, manifest);
    }

    static void CheckSizes(EnvelopeParts parts)
    {
        if (parts.Header.Length > EnvelopeParts.MaxHeader) throw new RefusedException(Refusal.Size, "header");
        if (parts.Manifest.Length > EnvelopeParts.MaxManifest) throw new RefusedException(Refusal.Size, "manifest");
        if (parts.Approvals.Count > EnvelopeParts.MaxApprovals || parts.Approvals.Any(a => a.Length > EnvelopeParts.MaxApproval))
            throw new RefusedException(Refusal.Size, "approvals");
    }

    /// <summary>The office's current encryption certificate with this key; null when the directory shows none.</summary>
    static Certificate? FindKey(Recipient recipient, OfficeDirectory directory) =>
        directory.Find(recipient.Office)?.Encryption.FirstOrDefault(c => c.Key == recipient.Key);

    static VerifiedApproval[] CheckApprovals(IReadOnlyList<ReadOnlyMemory<byte>> approvals, Header header, OfficeEntry sender, EnvelopeContext context)
    {
        if (approvals.Count != header.Approvals.Length) throw new RefusedException(Refusal.Approval, "count");
        var verified = new VerifiedApproval[approvals.Count];
        for (var i = 0; i < verified.Length; i++)
        {
            verified[i] = CheckApproval(approvals[i], header, sender, context);
            if (verified[i].Ref != header.Approvals[i]) throw new RefusedException(Refusal.Approval, "not the one that the header names");
            Demand(verified[i].Approval.Act is ApprovalAct.Send or ApprovalAct.Release or ApprovalAct.CarriesNothing or ApprovalAct.BelowFloor, "act");
        }
        // Dual control is two persons: whoever has it sent does not release it. What he says besides of its content may be either's.
        Demand(verified.Where(v => v.Approval.Act is ApprovalAct.Send or ApprovalAct.Release).GroupBy(v => v.Person.Key).All(g => g.Count() == 1), "a person approves twice");
        Demand(verified.GroupBy(v => (v.Person.Key, v.Approval.Act)).All(g => g.Count() == 1), "a person says it twice");
        return verified;
    }

    /// <summary>An approval of this header's dispatch by a person of the sender, whatever its act.</summary>
    public static VerifiedApproval CheckApproval(ReadOnlyMemory<byte> der, Header header, OfficeEntry sender, EnvelopeContext context)
    {
        var statement = Statement.Read(der, StatementType.Approval);
        CheckApproval(statement.As<Approval>(), header, context.At);
        var signer = statement.Signers[0];
        var person = sender.Persons.FirstOrDefault(p => p.Certificate.Equals(signer)) ?? throw new RefusedException(Refusal.Approval, "not a person of the sender");
        context.Trust.Demand(signer, Purpose.PersonSigning, context.At);
        return new VerifiedApproval(statement.Ref, statement.As<Approval>(), signer, person.Roles);
    }

    /// <summary>Same dispatch, office and level, not lapsed, and every addressee approved.</summary>
    static void CheckApproval(Approval approval, Header header, DateTimeOffset at) => Fault.DemandNone(ApprovalFaults(approval, header, at));

    /// <summary>Everything that is wrong with it, in the order in which it is checked.</summary>
    /// <param name="at">null: nobody knows when it arrived.</param>
    public static IEnumerable<Fault> ApprovalFaults(Approval approval, Header header, DateTimeOffset? at)
    {
        foreach (var fault in Fault.Of(() => LabelForm.Check(approval.Label))) yield return fault;
        if (!DispatchRules.SameLabel(approval.Label, header.Label)) yield return new(Refusal.LabelMismatch, "approval");
        if (approval.Dispatch != header.Dispatch.Ref) yield return new(Refusal.Approval, "another dispatch");
        if (approval.From != header.Sender) yield return new(Refusal.Approval, "another sender");
        if (!HeaderRules.IsTime(approval.NotAfter) || approval.NotAfter < at?.ToUnixTimeMilliseconds()) yield return new(Refusal.Approval, "lapsed");
        if (!approval.To.All(HeaderRules.IsOfficeCode) || approval.To.Distinct().Count() != approval.To.Length) yield return new(Refusal.Approval, "to");
        if (!DispatchRules.Addressed(header).IsSubsetOf(approval.To)) yield return new(Refusal.Approval, "an addressee was not approved");
    }

    static void Demand(bool holds, string detail)
    {
        if (!holds) throw new RefusedException(Refusal.Approval, detail);
    }
}
