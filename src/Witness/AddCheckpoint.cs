using System.Text;
using Exchange.Crypto.Ledger;

namespace Exchange.Witnessing;

/// <summary>C2SP tlog-witness add-checkpoint: the decision is <see cref="Witness.Decide"/>, the head is durable before the answer leaves, and one request is worked on at a time.</summary>
/// <param name="logs">Keys of the ledgers that are watched, by origin.</param>
/// <param name="step">Told before a step is taken: a test that throws there has killed the process at that place.</param>
sealed class AddCheckpoint(IReadOnlyDictionary<string, IReadOnlyList<VerifierKey>> logs, HeadStore heads, IReadOnlyList<CosignerKey> keys, TimeProvider clock, Action<string>? step = null)
{
    readonly Lock gate = new();

    /// <param name="body">At most <see cref="WitnessRequest.MaxBytes"/>.</param>
    /// <exception cref="IOException">The head could not be kept; nothing was cosigned.</exception>
    public (WitnessAnswer Answer, Checkpoint? Checkpoint) Answer(ReadOnlySpan<byte> body)
    {
        lock (gate)
        {
            var decision = Witness.Decide(body, origin => logs.GetValueOrDefault(origin) ?? [], origin => heads.Of(origin)?.Head ?? WitnessHead.Nothing);
            if (decision.Answer is { } refused) return (refused, decision.Checkpoint);
            var checkpoint = decision.Checkpoint!;
            // A clock that was set back would make a larger head look older than a smaller one.
            var time = Math.Max(clock.GetUtcNow().ToUnixTimeSeconds(), heads.Of(checkpoint.Origin)?.Time ?? 1);
            step?.Invoke("keep");
            // A crash before this line: nothing happened. After it: the same request is answered by 409 with the new size, and asked again from there it is cosigned.
            heads.Keep(new KeptHead(checkpoint, time, OwnNote(body, logs[checkpoint.Origin])));
            step?.Invoke("answer");
            return (Witness.Cosign(decision, keys, time), checkpoint);
        }
    }

    // Lines of strangers could fill the disk and say nothing.
    static string OwnNote(ReadOnlySpan<byte> body, IReadOnlyList<VerifierKey> known)
    {
        if (!WitnessRequest.TryParse(body, out var request)) throw new InvalidOperationException("It was read before.");
        var note = SignedNote.Open(Encoding.UTF8.GetBytes(request.Note), known);
        return $"{note.Text}\n{string.Concat(note.Verified.Select(l => l.Line + "\n"))}";
    }
}
