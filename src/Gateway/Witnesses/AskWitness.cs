using System.Globalization;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Witnesses;

/// <summary>
/// Keeps one witness up to date: sends it the newest published checkpoint while its cosignature is missing, with the proof from what it has, and adds what it signed to the kept note once it is verified.
/// Nothing waits for it. What it was asked and did not answer, or what a crash lost, is asked again: a witness that cosigned a head cosigns it again.
/// </summary>
sealed class AskWitness(WitnessPeer peer, WitnessClient client, Checkpoints checkpoints, LedgerReader ledger, PendingWitnesses pending, Meters meters, ILogger log, CancellationToken stopping)
{
    const int Rounds = 3;
    static readonly TimeSpan First = TimeSpan.FromSeconds(5), Longest = TimeSpan.FromMinutes(5);
    DateTimeOffset next = DateTimeOffset.MinValue;
    TimeSpan pause = First;
    PublishedCheckpoint? done;

    public string Name => peer.Name;

    public async Task Step(DateTimeOffset now)
    {
        pending.Look(now);
        // Set back by an hour or more, the clock must not silence it.
        if (next - now > Longest) next = now;
        if (now < next || ledger.Newest is not { } newest || ReferenceEquals(newest, done)) return;
        if (peer.Signed(newest.Note)) { done = newest; return; }
        string outcome;
        string? why;
        try { (outcome, why) = await Ask(newest, now); }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested) { return; }
        catch (StoreFull) { (outcome, why) = (Failed, "the guard has no room for its line"); }
        meters.Witnessed.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
        if (outcome == Cosigned)
        {
            (next, pause) = (DateTimeOffset.MinValue, First);
            pending.Answered(peer, null, isContradiction: false);
            return;
        }
        next = now + pause;
        pause = pause * 2 < Longest ? pause * 2 : Longest;
        pending.Answered(peer, why, outcome == Contradicted);
        log.WitnessDidNotCosign(outcome == Contradicted ? LogLevel.Error : LogLevel.Warning, peer.Name, newest.Size, why!, next);
    }

    const string Cosigned = "cosigned", Refused = "refused", Contradicted = "contradicted", Failed = "failed";

    async Task<(string Outcome, string? Why)> Ask(PublishedCheckpoint newest, DateTimeOffset now)
    {
        var checkpoint = Checkpoint.Parse(SignedNote.Read(Encoding.UTF8.GetBytes(newest.Note)).Text);
        var old = checkpoints.WitnessHas(Place);
        for (var round = 0; round < Rounds; round++)
        {
            // Another ledger of our name has gone further, or ours was put back behind what was shown: neither may happen.
            if (old > newest.Size) return (Contradicted, string.Create(CultureInfo.InvariantCulture, $"it has a head of size {old}, larger than any of ours"));
            var proof = old == 0 || old == newest.Size ? [] : ledger.Consistency(old, newest.Size) ?? [];
            var verdict = await client.Ask(peer.Url, new WitnessRequest(old, proof, OwnNote(newest.Note, checkpoint)), stopping);
            if (verdict is WitnessVerdict.Failed failed) return (Failed, failed.Why);
            var answer = (WitnessVerdict.Answer)verdict;
            WitnessReply reply;
            try { reply = WitnessReply.Read(answer.Status, answer.Type, answer.Body, checkpoint, peer.Keys); }
            catch (RefusedException e) { return (Refused, $"its answer does not hold: {e.Detail}"); }
            if (reply.Lines.Count > 0)
            {
                pending.Kept(checkpoints.Add(newest, reply.Lines), now);
                checkpoints.WitnessHas(Place, newest.Size);
                return reply.Lines.Count == peer.Keys.Count ? (Cosigned, null) : (Refused, "it signed with some of its keys only");
            }
            if (reply.Size is { } has)
            {
                if (has == old) return (Refused, string.Create(CultureInfo.InvariantCulture, $"it says that it has size {has}, from which it was asked"));
                old = has;
                if (has <= newest.Size) checkpoints.WitnessHas(Place, has);
                continue;
            }
            return answer.Status is WitnessAnswer.Unprocessable or WitnessAnswer.Conflict
                ? (Contradicted, string.Create(CultureInfo.InvariantCulture, $"HTTP {answer.Status}: this ledger does not continue what it has at size {old}"))
                : (Refused, string.Create(CultureInfo.InvariantCulture, $"HTTP {answer.Status}"));
        }
        return (Refused, "it changes its mind about what it has");
    }

    // Under another address it may be another witness.
    string Place => peer.Url.AbsoluteUri;

    // Lines of the others are no affair of this one.
    static string OwnNote(string note, Checkpoint checkpoint) =>
        $"{checkpoint.Text}\n{string.Concat(SignedNote.Read(Encoding.UTF8.GetBytes(note)).Lines.Where(l => l.Name == checkpoint.Origin).Select(l => l.Line + "\n"))}";
}

static partial class WitnessLog
{
    [LoggerMessage(EventId = 9055, Message = "The witness {Name} did not cosign the checkpoint of size {Size}: {Why}. Asked again at {Next:O}")]
    public static partial void WitnessDidNotCosign(this ILogger log, LogLevel level, string name, long size, string why, DateTimeOffset next);
}
