using Exchange.Adapters;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Offices;
using Exchange.Gateway.Store;
using Exchange.Gateway.Submission;

namespace Exchange.Gateway.Intake;

/// <summary>An envelope that somebody brought: submitted as by its header's sender, if that office signed it and is reached by this channel. The gateway's receipt goes back there.</summary>
sealed class TakeEnvelope(SubmitDispatch submit, Shared shared)
{
    const int Remembered = 1000;
    static readonly TimeSpan For = TimeSpan.FromHours(1);
    readonly ILogger log = shared.Log<TakeEnvelope>();
    // What was refused just now and is brought again because its answer could not go out, or by whoever copies mails: the same answer, and no second entry. A fresh start knows nothing of it, and refuses once more.
    readonly Dictionary<(Digest Ctx, Digest Manifest), (DateTimeOffset At, byte[] Receipt)> refused = [];

    /// <exception cref="RefusedException">Nobody's: to be put aside. Busy, Full: not now.</exception>
    public async Task<IntakeAnswer> Take(string channel, Stream file, CancellationToken cancel)
    {
        // 1. Whose is it? Before the signature holds nothing is counted against anybody: whoever writes a mail can write any name.
        var parts = await EnvelopeFile.ReadPartsAsync(file, cancel);
        var statement = Statement.Read(parts.Header, StatementType.Header);
        var header = statement.As<Header>();
        var world = shared.Worlds.Current;
        if (statement.Signers is not [var signer] || world.Directory.Find(header.Sender) is not { } office || !office.Signing.Contains(signer)) throw new RefusedException(Refusal.SignerUnknown);

        // 2. Is that office reached so? The ceiling of this channel is all that bounds what may come this way.
        if (world.Standing.Find(header.Sender)?.Channels.FirstOrDefault(c => c.Adapter == channel) is not { } reached) throw new RefusedException(Refusal.NotSignedIn, "not a channel of its sender");
        IntakeAnswer Answer(byte[] receipt) => new(IntakeVerdict.Taken, new IntakeReply(header.Sender, reached.Settings, $"{Statement.Read(receipt, StatementType.Receipt).As<Receipt>().Id}", receipt));
        var asked = (statement.Ref, Digest.Of(parts.Manifest.Span));
        if (Before(asked) is { } earlier) return Answer(earlier);

        // 3. The story of POST /dispatches, to its end: durable before we return. A crash before its commit: brought again. After it: brought again, and answered with the first receipt.
        try
        {
            file.Position = 0;
            return Answer(await submit.SubmitBrought(header.Sender, channel, file, cancel) switch
            {
                Submitted.Accepted(_, var receipt) => receipt,
                Submitted.Before(_, var receipt) => receipt,
                Submitted.Held(_, var receipt) => receipt,
                _ => throw new InvalidOperationException("What was brought whole awaits nothing."),
            });
        }
        catch (RejectedException e) when (e.Receipt is { } receipt)
        {
            // Refused, journalled, and answered: for the mail it is the same as taken.
            Remember(asked, receipt);
            log.EnvelopeWasRefused(channel, header.Sender, e.Refusal.Code);
            return Answer(receipt);
        }
    }

    byte[]? Before((Digest, Digest) asked)
    {
        lock (refused) return refused.TryGetValue(asked, out var found) && found.At + For > shared.Clock.GetUtcNow() ? found.Receipt : null;
    }

    void Remember((Digest, Digest) asked, byte[] receipt)
    {
        lock (refused)
        {
            if (refused.Count >= Remembered) refused.Clear();
            refused[asked] = (shared.Clock.GetUtcNow(), receipt);
        }
    }
}
