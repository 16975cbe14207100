using System.Text;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.TimeStamps;

/// <summary>Time-stamp tokens (RFC 3161) over checkpoints: the tree of this size and root was there by then, so each entry in it was, and all heads before.</summary>
/// <remarks>
/// The imprint is SHA-256 over the text of the note (origin, size, root), exactly the bytes that signatures cover. Not over the whole note: lines of witnesses come later, and a token would be of a file that nobody has any more.
/// </remarks>
public static class CheckpointStamp
{
    /// <summary>What a token's file is called beside its checkpoint's.</summary>
    public const string Ending = ".tst";

    /// <summary>What a token must be about.</summary>
    public static Digest ImprintOf(Checkpoint head) => Digest.Of(Encoding.UTF8.GetBytes(head.Text));

    /// <summary>A token over this head, verified whole.</summary>
    /// <exception cref="RefusedException">As <see cref="TimeStampCheck.Run(ReadOnlyMemory{byte}, IReadOnlyCollection{Digest}, CertificateCheck)"/>.</exception>
    public static VerifiedTimeStamp Run(ReadOnlyMemory<byte> token, Checkpoint head, CertificateCheck trust) => TimeStampCheck.Run(token, [ImprintOf(head)], trust);

    /// <summary>As <see cref="Run"/>, without trusting anybody: that it is about this head, and signed by the certificate that it names.</summary>
    internal static void CheckForm(ReadOnlyMemory<byte> token, Checkpoint head) => TimeStampCheck.CheckForm(token, [ImprintOf(head)]);
}

/// <summary>When a token says that it was made, and how far that may be off. In whole milliseconds, the accuracy rounded up, so that whoever keeps it compares as whoever reads the token.</summary>
public readonly record struct StampTime(DateTimeOffset At, TimeSpan Accuracy)
{
    // Many authorities write whole seconds and no accuracy.
    static readonly TimeSpan Unsaid = TimeSpan.FromSeconds(1);

    public static StampTime Of(VerifiedTimeStamp stamp) => new(DateTimeOffset.FromUnixTimeMilliseconds(stamp.Time.ToUnixTimeMilliseconds()),
        TimeSpan.FromMilliseconds(Math.Ceiling((stamp.Accuracy ?? Unsaid).TotalMilliseconds)));

    /// <summary>It was surely not made before this.</summary>
    public DateTimeOffset Earliest => At - Accuracy;

    /// <summary>Whether it was surely made before a time.</summary>
    public bool IsBefore(DateTimeOffset earliest) => At + Accuracy < earliest;
}
