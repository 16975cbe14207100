using Exchange.Adapters;
using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
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
    public static IReadOnlyList<StandingChannel> Of(StandingOffice office) => office.Channels;

    /// <summary>Adapters of <see cref="Of"/>. An office that is in no standing any more has its mailbox, which nothing reaches without a decision.</summary>
    public static IReadOnlyList<string> NamesOf(Standing standing, string office) => standing.Find(office) is { } found ? [.. Of(found).Select(c => c.Adapter)] : [Mailbox];

    /// <summary>Those of an office's channels that may carry this label at all, in order: the level names the adapter, and the ceiling holds the label (R09). Empty: none; a decision says no.</summary>
    public static IReadOnlyList<StandingChannel> For(StandingOffice office, Label label, CompiledPolicy policy) => [.. office.Channels.Where(channel => policy.Content.Levels.FirstOrDefault(l => l.Class == label.Class) is { } level
        && level.Handling.Channels.Contains(channel.Adapter)
        && (channel.Ceiling is { } ceiling ? Lattice.Can(policy, ceiling, label) : policy.Rank(label.Class) == 0 && label.Categories.All(c => c.Type == "informative")))];

    /// <summary>null: not configured here.</summary>
    public IDeliveryAdapter? Find(string adapter) => adapters.FirstOrDefault(a => a.Name == adapter);

    /// <exception cref="RefusedException">A channel that this program does not serve.</exception>
    public static void Demand(Standing standing)
    {
        foreach (var office in standing.Offices)
            if (office.Channels.FirstOrDefault(c => c.Adapter != Mailbox && !Carried.Contains(c.Adapter)) is { } other)
                throw new RefusedException(Refusal.Request, $"channel of {office.Code}: {other.Adapter} is not served here");
    }
}
