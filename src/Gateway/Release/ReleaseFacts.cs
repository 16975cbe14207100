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
    /// <param name="later">Approvals that came by themselves while the gateway held it.</param>
    public static DecisionFacts OfSubmission(VerifiedEnvelope envelope, World world, IEnumerable<VerifiedApproval> later) => Of("submit", world, envelope.Header, labelVerified: true,
        envelope.Header.Recipients.Select((recipient, i) => Of(recipient.Office, recipient.Role, envelope.RecipientKeysCurrent[i], world)),
        envelope.Approvals.Concat(later).Select(a => new ApprovalFacts(a.Approval.Act, a.Person.Key, a.Roles, DateTimeOffset.FromUnixTimeMilliseconds(a.Approval.NotAfter))));

    /// <summary>One office's copy, before it is handed out: its parties as they stand now, the approvals as they were verified at acceptance.</summary>
    /// <param name="action">"download", "release" (a channel's first attempt) or "retry".</param>
    public static DecisionFacts OfCopy(string action, Header header, string office, Digest key, DecisionFacts accepted, World world)
    {
        var recipient = header.Recipients.First(r => r.Office == office && r.Key == key);
        // A key that the office took out of its card may be lost or stolen: nothing sealed to it is handed out any more.
        var current = world.Directory.Find(office)?.Encryption.Any(certificate => certificate.Key == key) ?? false;
        return Of(action, world, header, labelVerified: true, [Of(office, recipient.Role, current, world)], accepted.Approvals);
    }

    /// <summary>A question, not a dispatch: nothing is signed, so the label is not verified and every key counts as the current one.</summary>
    public static DecisionFacts OfDryRun(string sender, Label? label, IEnumerable<(string Office, string Role)> recipients, IEnumerable<string> approvals, World world, DateTimeOffset now) => new()
    {
        Action = "dry-run", Label = label, LabelVerified = false, Sender = sender, SenderClearance = world.Standing.Find(sender)?.Clearance,
        Recipients = [.. recipients.Select(r => Of(r.Office, r.Role, keyCurrent: true, world))],
        Approvals = [.. approvals.Select((role, i) => new ApprovalFacts("send", Digest.Of([(byte)i]), [role], now.AddMinutes(1)))],
        SenderHeldUntil = world.Directory.Find(sender)?.HeldUntil,
        Directory = world.Directory.Ref, Standing = world.Standing.Ref, SenderPolicy = world.Policy.Ref,
    };

    static DecisionFacts Of(string action, World world, Header header, bool labelVerified, IEnumerable<RecipientFacts> recipients, IEnumerable<ApprovalFacts> approvals) => new()
    {
        Action = action, Label = header.Label, LabelVerified = labelVerified, Sender = header.Sender, SenderClearance = world.Standing.Find(header.Sender)?.Clearance,
        Recipients = [.. recipients], Approvals = [.. approvals],
        SenderHeldUntil = world.Directory.Find(header.Sender)?.HeldUntil,
        Directory = header.Directory, Standing = world.Standing.Ref, SenderPolicy = header.Policy,
    };

    static RecipientFacts Of(string office, string role, bool keyCurrent, World world)
    {
        OfficeEntry? entry = world.Directory.Find(office);
        StandingOffice? standing = world.Standing.Find(office);
        return new(office, role, entry is not null && standing is not null, keyCurrent, entry?.HeldUntil, standing?.Clearance, standing?.Channel.Ceiling);
    }
}
