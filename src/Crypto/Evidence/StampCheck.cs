using System.Globalization;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.TimeStamps;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Evidence;

/// <param name="Part">Its file.</param>
/// <param name="Time">null: it is about this head, and whether its authority may be believed cannot be told.</param>
/// <param name="Why">Then: what is missing.</param>
sealed record HeadStamp(string Part, StampTime? Time, string Why = "");

/// <summary>Time-stamps of an export's checkpoints: each token against its head and the auditor's anchors (any thread), and that times do not go back from smaller to larger heads (one thread, in order of size).</summary>
sealed class StampCheck(CertificateCheck? trust)
{
    const string Check = "time-stamp";
    (DateTimeOffset Earliest, string Part)? before;
    (StampTime Time, string Part)? last;
    long held, unjudged;
    string why = "";

    /// <returns>The head with its time-stamp, if there is a file that holds; what does not hold is a finding.</returns>
    public HeadNote Beside(ILedgerFiles files, HeadNote head, Action<Finding> report)
    {
        var part = head.Part + CheckpointStamp.Ending;
        if (files.Read(part, TimeStampCheck.MaxLength) is not { } token) return head;
        try { return head with { Stamp = Judge(part, token, head.Checkpoint) }; }
        catch (RefusedException e)
        {
            report(new Finding(FindingKind.Bad, part, Check, e.Refusal.Code, e.Detail));
            return head;
        }
    }

    HeadStamp Judge(string part, byte[] token, Checkpoint head)
    {
        // What it is about and that it is whole needs nobody's trust: a false one is bad for everybody.
        CheckpointStamp.CheckForm(token, head);
        if (trust is null) return new(part, null, "needs anchors: --trust");
        try { return new(part, StampTime.Of(CheckpointStamp.Run(token, head, trust))); }
        // Nobody says that it was revoked, and nobody here that it was not.
        catch (RefusedException e) when (e.Refusal == Refusal.RevocationUnknown) { return new(part, null, e.Detail); }
    }

    public void Next(HeadStamp stamp, Action<Finding> report)
    {
        if (stamp.Time is not { } time)
        {
            unjudged++;
            why = stamp.Why;
            return;
        }
        held++;
        if (before is { } early && time.IsBefore(early.Earliest)) report(new Finding(FindingKind.Bad, stamp.Part, Check, Refusal.TimeStamp.Code, $"is earlier than {early.Part} of a smaller head"));
        if (before is null || time.Earliest > before.Value.Earliest) before = (time.Earliest, stamp.Part);
        last = (time, stamp.Part);
    }

    /// <summary>What was counted over all of them.</summary>
    public void End(Findings findings)
    {
        if (last is { } newest) findings.Good(LedgerCheck.Kept, Check, string.Create(CultureInfo.InvariantCulture, $"{held} tokens; {newest.Part} there by {newest.Time.At.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}"));
        if (unjudged > 0) findings.Incomplete(LedgerCheck.Kept, Check, FindingCode.Missing, string.Create(CultureInfo.InvariantCulture, $"{unjudged} tokens are about their heads, and who made them cannot be judged: {why}"));
    }
}
