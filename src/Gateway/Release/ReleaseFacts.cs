using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Gateway.Release;

/// <summary>What a decision is asked about, gathered from one World. The rules themselves are in Crypto/Policy.</summary>
static class ReleaseFacts
{
    /// <summary>What changes a label: persons, or time alone.</summary>
    public const string ByPerson = "person", ByTerm = "term", BySuccession = "succession";

    /// <param name="session">What the sender brings it through; null: it comes from the store.</param>
    /// <param name="later">Approvals that came by themselves while the gateway held it.</param>
    /// <param name="references">What the header refers to, as far as its sender may know it.</param>
    public static DecisionFacts OfSubmission(VerifiedEnvelope envelope, Session? session, World world, DateTimeOffset now, IReadOnlyList<ReferenceFacts> references, IEnumerable<VerifiedApproval> later)
    {
        var header = envelope.Header;
        var facts = Of(header.References.Any(r => r.Relation == "forward") ? "forward" : "submit", world, now, header, envelope.Signer,
            header.Recipients.Select((recipient, i) => Of(recipient.Office, recipient.Role, recipient.Key, envelope.RecipientKeysCurrent[i], header.Label, world, now)),
            Facts(envelope.Approvals.Concat(later)));
        return facts with
        {
            SenderClearance = Through(session, header.Sender, facts.SenderClearance, world, now), References = references,
            Sizes = new SizeFacts(envelope.ManifestLength, header.Payload?.Length ?? 0),
            Named = Named(envelope.Approvals),
        };
    }

    /// <summary>One office's copy, before it is handed out: its parties as they stand now, the approvals as they were verified at acceptance.</summary>
    /// <param name="action">"download", "release" (a channel's first attempt) or "retry".</param>
    /// <param name="policy">Ref of the policy that decided at acceptance.</param>
    /// <param name="label">In force.</param>
    /// <param name="channel">Adapter by which it would go; null: the first of the office's that may carry it.</param>
    public static DecisionFacts OfCopy(string action, Certificate? session, Header header, LabelInForce label, string office, Digest key, DecisionFacts accepted, Digest policy, World world, DateTimeOffset now, string? channel = null)
    {
        var recipient = header.Recipients.First(r => r.Office == office && r.Key == key);
        // A key that the office took out of its card may be lost or stolen: nothing sealed to it is handed out any more.
        var current = world.Directory.Find(office)?.Encryption.Any(certificate => certificate.Key == key) ?? false;
        var facts = Of(office, recipient.Role, key, current, label.Label, world, now, channel);
        return Of(action, world, now, header, null, [facts with { Clearance = Through(session, facts.Clearance, world, now) }], accepted.Approvals.Concat(label.Signed)) with
        {
            Label = label.Label, Named = accepted.Named, NeedToKnow = accepted.NeedToKnow, Earlier = new EarlierFacts(policy, null),
        };
    }

    /// <summary>The copies of an update whose dispatch bears another label by now, as they will be judged before they leave.</summary>
    /// <param name="label">In force.</param>
    public static DecisionFacts OfUpdate(VerifiedEnvelope envelope, LabelInForce label, World world, DateTimeOffset now)
    {
        var (header, approvals) = (envelope.Header, envelope.Approvals);
        var recipients = header.Recipients.Select((r, i) => Of(r.Office, r.Role, r.Key, envelope.RecipientKeysCurrent[i], label.Label, world, now));
        return Of("release", world, now, header, null, recipients, Facts(approvals).Concat(label.Signed)) with { Label = label.Label, Named = Named(approvals), Earlier = new EarlierFacts(world.Policy.Ref, null) };
    }

    static IEnumerable<ApprovalFacts> Facts(IEnumerable<VerifiedApproval> approvals) =>
        approvals.Select(a => new ApprovalFacts(a.Approval.Act, a.Person.Key, a.Roles, DateTimeOffset.FromUnixTimeMilliseconds(a.Approval.NotAfter)));

    /// <summary>Whom all of them name; null: nobody said.</summary>
    static IReadOnlyList<string>? Named(IReadOnlyList<VerifiedApproval> approvals) =>
        approvals.Count == 0 ? null : [.. approvals.Skip(1).Aggregate(approvals[0].Approval.To.AsEnumerable(), (named, a) => named.Intersect(a.Approval.To))];

    /// <summary>A question, not a dispatch: nothing is signed, so the label is not verified and every key counts as the current one.</summary>
    public static DecisionFacts OfDryRun(string sender, Certificate session, Label? label, IEnumerable<(string Office, string Role)> recipients, IEnumerable<string> approvals, World world, DateTimeOffset now)
    {
        RecipientFacts[] named = [.. recipients.Select(r => Of(r.Office, r.Role, null, keyCurrent: true, label, world, now))];
        return new()
        {
            Action = "dry-run", Label = label, LabelVerified = false, Sender = sender, SenderClearance = Through(session, ClearanceOf(sender, world.Directory.Find(sender)?.Signing, Purpose.OfficeSigning, world, now), world, now),
            Recipients = named,
            Approvals = [.. approvals.Select((role, i) => new ApprovalFacts("send", Digest.Of([(byte)i]), [role], now.AddMinutes(1)))],
            SenderHeldUntil = world.Directory.Find(sender)?.HeldUntil,
            Directory = world.Directory.Ref, Standing = world.Standing.Ref, SenderPolicy = world.Policy.Ref, Revocation = RevocationOf(sender, null, named, world, now),
            // Whoever approves will name whom the question names.
            Named = [.. named.Select(r => r.Office)],
        };
    }

    /// <summary>A change of the label of a dispatch that is here. The parties of the dispatch are not asked about: who may have it is decided at each copy.</summary>
    public static DecisionFacts OfRelabel(Header header, Label label, RelabelFacts change, World world, DateTimeOffset now) =>
        Of("relabel", world, now, header, null, [], []) with { Label = label, Relabel = change, Directory = world.Directory.Ref, SenderPolicy = world.Policy.Ref };

    /// <summary>A person who signed a change of a label; cleared is his office.</summary>
    public static RelabelPerson PersonOf(VerifiedLabelChange change, World world, DateTimeOffset now) =>
        new(change.Person.Key, change.Statement.Office, [.. change.Roles], AsRecipient(change.Statement.Office, world, now));

    /// <summary>Whether an office may see this label at all.</summary>
    public static bool IsCleared(string office, Label label, World world, DateTimeOffset now) =>
        AsRecipient(office, world, now) is { } clearance && Lattice.InForce(clearance, now) && Lattice.Can(world.Policy, clearance, label);

    static Clearance? AsRecipient(string office, World world, DateTimeOffset now) => ClearanceOf(office, world.Directory.Find(office)?.Encryption, Purpose.OfficeEncryption, world, now);

    static DecisionFacts Of(string action, World world, DateTimeOffset now, Header header, Certificate? signer, IEnumerable<RecipientFacts> recipients, IEnumerable<ApprovalFacts> approvals) =>
        Of(action, world, now, header, signer, [.. recipients], approvals);

    static DecisionFacts Of(string action, World world, DateTimeOffset now, Header header, Certificate? signer, RecipientFacts[] recipients, IEnumerable<ApprovalFacts> approvals) => new()
    {
        Action = action, Label = header.Label, LabelVerified = true, Sender = header.Sender, SenderClearance = ClearanceOf(header.Sender, signer is null ? world.Directory.Find(header.Sender)?.Signing : [signer], Purpose.OfficeSigning, world, now),
        Recipients = recipients, Approvals = [.. approvals], Revocation = recipients.Length == 0 ? null : RevocationOf(header.Sender, signer, recipients, world, now),
        SenderHeldUntil = world.Directory.Find(header.Sender)?.HeldUntil,
        Directory = header.Directory, Standing = world.Standing.Ref, SenderPolicy = header.Policy,
        NotBefore = header.Times.NotBefore is { } start ? DateTimeOffset.FromUnixTimeMilliseconds(start) : null,
    };

    static RecipientFacts Of(string office, string role, Digest? key, bool keyCurrent, Label? label, World world, DateTimeOffset now, string? adapter = null)
    {
        OfficeEntry? entry = world.Directory.Find(office);
        StandingOffice? standing = world.Standing.Find(office);
        var channel = standing is null ? null : ChannelOf(standing, label, adapter, world);
        return new(office, role, entry is not null && standing is not null, keyCurrent, entry?.HeldUntil, ClearanceOf(office, entry?.Encryption.Where(c => key is null || c.Key == key), Purpose.OfficeEncryption, world, now), channel?.Ceiling)
        {
            Key = key, Channel = channel?.Adapter, Groups = standing?.NeedToKnow,
        };
    }

    /// <summary>What the CAs say of sender and recipients: whether they speak of now at all, and since when. Who is revoked or expired is left to clearance and keys.</summary>
    static RevocationFacts RevocationOf(string sender, Certificate? signer, IReadOnlyList<RecipientFacts> recipients, World world, DateTimeOffset now)
    {
        var (known, asOf) = (true, default(long?));
        Ask(signer ?? (world.Directory.Find(sender)?.Signing is [var first, ..] ? first : null), Purpose.OfficeSigning, sender);
        foreach (var recipient in recipients) Ask(world.Directory.Find(recipient.Office)?.Encryption.FirstOrDefault(c => recipient.Key is null || c.Key == recipient.Key), Purpose.OfficeEncryption, recipient.Office);
        return new RevocationFacts(known, asOf);

        void Ask(Certificate? certificate, Purpose purpose, string office)
        {
            // A key that is not in the directory was taken out of its card, or fell out because nobody spoke of it when the directory was judged: while a list has ended, nobody can tell.
            if (certificate is null) { known &= world.Directory.Find(office) is null || !(world.Trust.Store.CrlsUntil <= now); return; }
            var verdict = world.Trust.Check(certificate, purpose, now);
            known &= verdict.Refusal != Refusal.RevocationUnknown;
            if (verdict.Good && !(verdict.RevocationAsOf.ToUnixTimeMilliseconds() >= asOf)) asOf = verdict.RevocationAsOf.ToUnixTimeMilliseconds();
        }
    }

    static StandingChannel ChannelOf(StandingOffice standing, Label? label, string? adapter, World world) =>
        standing.Channels.FirstOrDefault(c => c.Adapter == adapter) ?? (label is not null && Channels.For(standing, label, world.Policy) is [var allowed, ..] ? allowed : standing.Channel);

    /// <summary>What of a clearance goes through a session: no more than the certificate that it was opened with allows.</summary>
    static Clearance? Through(Certificate? session, Clearance? clearance, World world, DateTimeOffset now) =>
        session is null ? clearance : Lattice.Intersect(CeilingOf(session, Purpose.TlsClient, world, now), clearance);

    static Clearance? Through(Session? session, string office, Clearance? clearance, World world, DateTimeOffset now) => session switch
    {
        Session.SignedIn signedIn => Through(signedIn.Certificate, clearance, world, now),
        Session.ByChannel by => Lattice.Intersect(CeilingOf(by, office, world.Policy.Content, world), clearance),
        _ => clearance,
    };

    // As for what goes out (R09): levels that such a channel may carry at all; without a ceiling, the policy's lowest level and no category.
    static Clearance? CeilingOf(Session.ByChannel by, string office, PolicyStatement policy, World world)
    {
        if (world.Standing.Find(office)?.Channels.FirstOrDefault(c => c.Adapter == by.Adapter) is not { } channel) return null;
        var ceiling = channel.Ceiling ?? new Clearance { Policy = policy.Policy, Classes = [policy.Levels[0].Class], Categories = [], ValidFrom = policy.NotBefore, ValidTo = policy.NotAfter };
        return ceiling with { Classes = [.. ceiling.Classes.Where(c => policy.Levels.Any(l => l.Class == c && l.Handling.Channels.Contains(by.Adapter)))] };
    }

    /// <summary>The ceiling in the certificate, cut by every CA above it, and what the office is granted now: whatever is missing is nothing.</summary>
    static Clearance? ClearanceOf(string office, IEnumerable<Certificate>? keys, Purpose purpose, World world, DateTimeOffset now) =>
        Lattice.Intersect(keys?.FirstOrDefault() is { } key ? CeilingOf(key, purpose, world, now) : null, world.Standing.Find(office)?.Clearance);

    static Clearance? CeilingOf(Certificate key, Purpose purpose, World world, DateTimeOffset now)
    {
        if (world.Trust.Check(key, purpose, now) is not { Good: true } verdict) return null;
        try { return ClearanceAttribute.Effective(verdict.Path, world.Policy.Content.Policy); }
        catch (RefusedException) { return null; }
    }
}
