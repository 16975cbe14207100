using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Audit;

/// <summary>What an entry is about, from its detail: by this it is searched for, and its label protects it.</summary>
/// <param name="Verdict">null: nothing was decided.</param>
sealed record EntryAbout(string? Sender, Guid? Envelope, string? Office, Digest? Key, Verdict? Verdict)
{
    static readonly EntryAbout Nothing = new(null, null, null, null, null);

    public static EntryAbout Of(LedgerDetail detail) => detail switch
    {
        SubmissionDetail d => new(d.Sender, d.Envelope, null, null, Crypto.Policy.Verdict.Permit),
        RejectionDetail d => new(d.Sender, d.Envelope, null, null, Crypto.Policy.Verdict.Deny),
        HoldDetail d => new(d.Sender, d.Envelope, null, null, Crypto.Policy.Verdict.Hold),
        HoldApprovalDetail d => new(d.Sender, d.Envelope, null, null, null),
        LabelDetail d => new(d.Sender, d.Envelope, null, null, d.Verdict switch { "permit" => Crypto.Policy.Verdict.Permit, "hold" => Crypto.Policy.Verdict.Hold, _ => Crypto.Policy.Verdict.Deny }),
        DryRunDetail d => new(d.Sender, null, null, null, d.Code == "OK" ? Crypto.Policy.Verdict.Permit : Crypto.Policy.Verdict.Deny),
        ConsignmentDetail d => new(d.Sender, d.Envelope, d.Office, d.Key, null),
        ConsignmentFailureDetail d => new(d.Sender, d.Envelope, d.Office, d.Key, d.Decision is null ? null : Crypto.Policy.Verdict.Deny),
        AttemptDetail d => new(d.Sender, d.Envelope, d.Office, d.Key, null),
        DeliveryDetail d => new(d.Sender, d.Envelope, d.Office, d.Key, null),
        HandoverDetail d => new(d.Sender, d.Envelope, d.Office, d.Key, null),
        OpeningDetail d => new(d.Sender, d.Envelope, d.Office, d.Key, null),
        OpeningFailureDetail d => new(d.Sender, d.Envelope, d.Office, d.Key, null),
        ReportDetail d => new(d.Sender, d.Envelope, d.Office, d.Key, null),
        StatusDetail d => new(d.Sender, d.Envelope, d.Office, d.Key, null),
        DelayDetail d => new(d.Sender, d.Envelope, d.Office, d.Key, null),
        RedriveDetail d => new(d.Sender, d.Envelope, d.Office, d.Key, null),
        DiscardDetail d => new(d.Sender, d.Envelope, d.Office, d.Key, null),
        FlashAlarmDetail d => new(d.Sender, d.Envelope, d.Office, d.Key, null),
        PayloadErasedDetail d => new(d.Sender, d.Envelope, null, null, null),
        ReplyDetail d => new(d.Sender, d.Envelope, null, null, null),
        BreakerDetail d => Nothing with { Office = d.Office },
        AuditReadDetail d => Nothing with { Key = d.Auditor },
        _ => Nothing,
    };

    /// <summary>Whether it names no dispatch, and tells nothing about one.</summary>
    public static bool IsForEverybody(EntryKind kind) => kind is EntryKind.SignInFailures or EntryKind.Activation or EntryKind.Start or EntryKind.Stop or EntryKind.Breaker or EntryKind.Succession;

    /// <summary>The label that protects the entry now: what was refused has the label of its own decision, a dispatch the one in force. null: none is known.</summary>
    public static Label? LabelOf(Source source, LedgerDetail detail) => detail switch
    {
        RejectionDetail d => OfDecision(source, d.Decision) ?? (d.Envelope is { } envelope && d.Ctx is { } ctx ? OfHeld(source, d.Sender, envelope, ctx) : null),
        DryRunDetail d => OfDecision(source, d.Decision),
        _ when Of(detail) is { Sender: { } sender, Envelope: { } envelope } => InForce(source, sender, envelope) ?? OfHeld(source, sender, envelope, null),
        _ => null,
    };

    static Label? InForce(Source source, string sender, Guid envelope)
    {
        if (DispatchTable.HeaderOf(source, sender, envelope) is not { } dispatch) return null;
        return LabelTable.InForce(source, dispatch.Id) is { } change ? LabelChange.Read(change.Change).Label : EnvelopeFile.PeekUnverified(dispatch.Header).Label;
    }

    // Whatever stands in the table was verified when it came.
    static Label? OfHeld(Source source, string sender, Guid envelope, Digest? ctx) =>
        HeldTable.Find(source, sender, envelope) is { ErasedAt: null } held && (ctx is null || held.Ctx == ctx) ? EnvelopeFile.PeekUnverified(held.Header).Label : null;

    static Label? OfDecision(Source source, Digest? decision) => decision is { } digest && DecisionTable.Find(source, digest) is { } row ? Decision.FactsOf(row.Record)?.Label : null;
}
