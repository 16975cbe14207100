using Exchange.Adapters;
using Exchange.Crypto;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Gateway.Offices;

/// <summary>How offices can be reached here: the mailbox, which they fetch from, and the adapters, which carry.</summary>
sealed class Channels(IReadOnlyList<IDeliveryAdapter> adapters)
{
    public const string Mailbox = "mailbox";

    // What this program can carry; a standing that names anything else is refused, so that no copy waits for a channel that nobody serves.
    static readonly string[] Carried = ["https", "folder", "sftp", "mail"];

    /// <summary>Whether copies on this channel are carried by a job.</summary>
    public static bool Carries(string adapter) => adapter != Mailbox;

    /// <summary>How the office is to be reached, in this order; never empty.</summary>
    public static IReadOnlyList<StandingChannel> Of(StandingOffice office) => [office.Channel];

    /// <summary>Adapters of <see cref="Of"/>. An office that is in no standing any more has its mailbox, which nothing reaches without a decision.</summary>
    public static IReadOnlyList<string> NamesOf(Standing standing, string office) => standing.Find(office) is { } found ? [.. Of(found).Select(c => c.Adapter)] : [Mailbox];

    /// <summary>null: not configured here.</summary>
    public IDeliveryAdapter? Find(string adapter) => adapters.FirstOrDefault(a => a.Name == adapter);

    /// <exception cref="RefusedException">A channel that this program does not serve.</exception>
    public static void Demand(Standing standing)
    {
        foreach (var office in standing.Offices)
            if (office.Channel.Adapter != Mailbox && !Carried.Contains(office.Channel.Adapter))
                throw new RefusedException(Refusal.Request, $"channel of {office.Code}: {office.Channel.Adapter} is not served here");
    }
}
