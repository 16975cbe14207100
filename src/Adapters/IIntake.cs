namespace Exchange.Adapters;

/// <summary>What was brought. Who brought it is told by the name it came under, and decides nothing: what is inside does, on the other side of this seam.</summary>
public enum BroughtKind
{
    /// <summary>Something that calls itself an envelope: the one-file form.</summary>
    Envelope,
    /// <summary>Something that calls itself an office's receipt: DER.</summary>
    Receipt,
    /// <summary>A report of the carrier about a parcel that was handed on to it; what it says is <see cref="Brought.Report"/>.</summary>
    Report,
}

/// <summary>How far the carrier says a parcel came. The number stands in the store.</summary>
public enum ReportedAction
{
    /// <summary>In the office's own place, for good.</summary>
    Delivered = 1,
    /// <summary>It will never be.</summary>
    Failed = 2,
    /// <summary>Still on its way; another report follows.</summary>
    Delayed = 3,
    /// <summary>Given on to somebody who does not report: nothing more will be heard but from the office itself.</summary>
    Relayed = 4,
}

/// <summary>A carrier's word on a parcel. It is not signed: whoever can write to the intake and knows the parcel's id can say it.</summary>
/// <param name="Parcel">Its neutral name.</param>
/// <param name="To">Address in the channel's settings at which it was, as the report says.</param>
/// <param name="Code">What the carrier gives as the reason, cut to what a code looks like: capitals, digits, underscores.</param>
public sealed record CarrierReport(Guid Parcel, string To, ReportedAction Action, string Code);

/// <summary>One thing that came in, opaque here.</summary>
/// <param name="Name">Neutral: letters, digits, dots and dashes, at most 64. For messages to whoever brought it, never trusted.</param>
/// <param name="Content">From its first byte, seekable, of a length known: it may be read twice. Of a report: empty. The intake disposes it when the callback is done.</param>
public sealed record Brought(BroughtKind Kind, string Name, Stream Content, CarrierReport? Report = null);

/// <summary>What becomes of the original.</summary>
public enum IntakeVerdict
{
    /// <summary>Durable on this side, or was already: the original may go, after <see cref="IntakeAnswer.Reply"/> has gone out.</summary>
    Taken,
    /// <summary>It will never be taken: the original goes to quarantine, where persons look. Nothing is ever deleted for this.</summary>
    Quarantine,
    /// <summary>Not now: the original stays where it is and is brought again in the next round. Nothing was changed.</summary>
    Later,
}

/// <summary>A receipt of the gateway for whoever brought an envelope.</summary>
/// <param name="Office">Code of the office that it is for.</param>
/// <param name="Settings">Of that office's channel: where it is sent.</param>
/// <param name="Name">Neutral, the same each time the same thing is answered.</param>
/// <param name="Receipt">DER, opaque here.</param>
public sealed record IntakeReply(string Office, IReadOnlyDictionary<string, string> Settings, string Name, ReadOnlyMemory<byte> Receipt);

/// <param name="Reply">Sent before the original is let go, whatever the verdict. null: nothing is said.</param>
public sealed record IntakeAnswer(IntakeVerdict Verdict, IntakeReply? Reply = null);

/// <summary>What one round came to.</summary>
/// <param name="Taken">Originals that are gone, because the other side has them.</param>
/// <param name="Quarantined">Originals put aside: refused by the callback, or not of a form that could be shown to it.</param>
/// <param name="Left">Originals that stay for the next round.</param>
/// <param name="Problem">Why the round ended early or could not begin; codes and system errors, never content. null: it did not.</param>
public sealed record IntakeRound(int Taken, int Quarantined, int Left, string? Problem);

/// <summary>
/// The seam for what brings things in (a mailbox, an office's outgoing folder): the other direction of <see cref="IDeliveryAdapter"/>. It sees opaque bytes; this assembly
/// has no reference to Crypto. Whatever lies there is hostile until the callback has said otherwise.
/// </summary>
public interface IIntake
{
    /// <summary>Name of the channel, as in a standing ("mail", "sftp"): the callback takes an office's clearance from that channel of the office.</summary>
    string Name { get; }

    /// <summary>
    /// Brings what is there now, one after another, each once. Contract: an original is let go only after the callback has answered <see cref="IntakeVerdict.Taken"/>, and its reply is out;
    /// a crash at any point before leaves the original, and it is brought again. What cannot be shown to the callback goes to quarantine, and so does what the callback throws at for the third time.
    /// One bad original never keeps the next from its turn. Memory and time are bounded whatever lies there. Never called while a call runs. Whatever the other side does is a
    /// round's problem; only the caller's bug throws.
    /// </summary>
    /// <param name="take">Idempotent: the same thing brought twice changes nothing and is answered alike.</param>
    /// <param name="cancel">Ends promptly; what is not yet let go stays.</param>
    Task<IntakeRound> StepAsync(Func<Brought, CancellationToken, Task<IntakeAnswer>> take, CancellationToken cancel);

    /// <summary>Completes when there may be something new before the next round is due; asked before each round. An intake that cannot tell never completes it.</summary>
    Task Arriving => new TaskCompletionSource().Task;

    /// <summary>Sends a receipt that came to be after the answer. Contract: the same name is the same receipt, however often it goes; may run beside <see cref="StepAsync"/>; nothing here retries.</summary>
    /// <returns>null: it is out for good. Else what is in the way; it may be out all the same.</returns>
    Task<string?> ReplyAsync(IntakeReply reply, CancellationToken cancel);

    /// <summary>Could things be brought now? Goes all the way there and changes nothing.</summary>
    /// <returns>null: yes. Else what is in the way.</returns>
    Task<string?> ProbeAsync(CancellationToken cancel);
}
