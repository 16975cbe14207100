using Mono.Cecil;
using Xunit;

namespace Exchange.Tests;

/// <summary>Who may call whom inside the gateway: routes call use cases, use cases call tables and the journal, nobody calls back up.</summary>
public sealed class SliceTests
{
    const string Root = "Exchange.Gateway";

    /// <summary>Slice → slices it may name. "" is the root, which wires everything and is named by nobody but through <see cref="Exceptions"/>.</summary>
    static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Store"] = ["Journaling"],
        ["Journaling"] = ["Store", "Offices"],
        ["Offices"] = ["Journaling", "Store", "Operations"],
        ["Operations"] = ["Journaling", "Store", "Offices"],
        ["Revocation"] = ["Journaling", "Store", "Offices", "Operations"],
        ["Witnesses"] = ["Journaling", "Operations"],
        ["Stamping"] = ["Journaling", "Operations"],
        ["Receipts"] = ["Journaling", "Store", "Offices", "Operations"],
        ["Queue"] = ["Journaling", "Store", "Operations"],
        ["Release"] = ["Journaling", "Store", "Offices", "Operations", "Receipts"],
        ["Recalling"] = ["Journaling", "Store", "Offices", "Operations", "Receipts", "Release"],
        ["Submission"] = ["Journaling", "Store", "Offices", "Operations", "Receipts", "Queue", "Release", "Recalling"],
        ["Holding"] = ["Journaling", "Store", "Offices", "Operations", "Receipts", "Submission"],
        ["Relabelling"] = ["Journaling", "Store", "Offices", "Operations", "Receipts", "Submission", "Release"],
        ["Mailbox"] = ["Journaling", "Store", "Offices", "Operations", "Receipts", "Release"],
        ["Handling"] = ["Journaling", "Store", "Offices", "Operations", "Receipts", "Submission"],
        ["Intake"] = ["Journaling", "Store", "Offices", "Operations", "Receipts", "Submission", "Mailbox"],
        ["Delivery"] = ["Journaling", "Store", "Offices", "Operations", "Receipts", "Queue", "Release"],
        ["Erasing"] = ["Journaling", "Store", "Offices", "Operations", "Audit"],
        ["Admin"] = ["Journaling", "Store", "Offices", "Operations", "Queue", "Erasing"],
        ["Audit"] = ["Journaling", "Store", "Offices", "Operations"],
    };

    /// <summary>Single types that may name single others, each with its reason.</summary>
    static readonly HashSet<(string From, string To)> Exceptions =
    [
        // Refusals of a submission carry their receipt to the one place that writes problem details.
        ("RefusalMiddleware", "RejectedException"),
        // A span is begun where the work is.
        ("Checkpoints", "Spans"),
        // One spelling of a copy's state for sender and recipient.
        ("ReceiptEndpoint", "MailboxEndpoint"),
    ];

    static readonly Dictionary<string, string> Slices = Il.Types(Il.Gateway).ToDictionary(t => t.FullName.Replace('/', '.'), Slice);

    static IEnumerable<Use> Upward(IEnumerable<Use> uses, Func<TypeDefinition, string> slice) => uses
        .Where(u => Rules.Under(u.Type, Root) && Slices.TryGetValue(u.Type, out var to) && slice(u.From) is var from && from.Length > 0 && to != from
            && !Allowed.GetValueOrDefault(from, []).Contains(to)
            // What the root shares with use cases, and the generated list of everything that is written as JSON.
            && !(to.Length == 0 && u.Type == Root + ".Shared") && u.From.Name != "AnswerJson"
            && !Exceptions.Contains((u.From.Name, u.Type[(u.Type.LastIndexOf('.') + 1)..])));

    [Fact]
    public void Slices_call_only_what_the_table_allows() => Rules.Empty(Upward(Il.Uses(Il.Gateway), Slice));

    [Fact]
    public void Every_slice_is_in_the_table() => Rules.Empty(Slices.Values.Distinct().Where(s => s.Length > 0 && !Allowed.ContainsKey(s)));

    [Fact]
    public void SQL_is_written_in_Store_and_Journaling_only() => Rules.Empty(
        Il.Types(Il.Gateway).Where(t => Slice(t) is not ("Store" or "Journaling")).Uses().Naming("Dapper", "Microsoft.Data.Sqlite", "DbUp"));

    [Fact]
    public void Routes_do_not_write_they_call_a_use_case() => Rules.Empty(
        Il.Types(Il.Gateway).Where(t => t.Name.EndsWith("Endpoint", StringComparison.Ordinal)).Uses()
            .Where(u => (u.Type == Root + ".Journaling.Journal" && u.Member == "Commit") || u.Type == Root + ".Journaling.Batch"));

    [Fact]
    public void A_dispatch_enters_the_store_and_content_leaves_it_only_beside_a_decision()
    {
        // DESIGN.md 6.5: whoever adds a dispatch, or opens a stored payload, also asks for the decision.
        var doors = Il.Uses(Il.Gateway).Where(u => (u.Type, u.Member) is (Root + ".Store.DispatchTable", "TryAdd") or (Root + ".Store.BlobStore", "Open")).ToList();
        Assert.Contains(doors, d => d.From.Name == "AcceptDispatch");
        Assert.Contains(doors, d => d.From.Name == "ReleaseParcel");
        Rules.Empty(doors.Where(d => Slice(d.From) != "Store" && !Il.Uses(d.From).Any(u => (u.Type == "Exchange.Crypto.Policy.Decision" && u.Member == "get_Verdict"))));
    }

    [Fact]
    public void At_most_three_changes_are_quiet()
    {
        var kinds = Il.Types(Il.Gateway).Single(t => t.Name == "QuietKind").Fields.Where(f => f.IsStatic).Select(f => f.Name).ToList();
        Assert.InRange(kinds.Count, 0, 3);
    }

    [Fact]
    public void A_call_back_up_is_found()
    {
        var uses = Il.Uses(Il.Types(Il.Gateway).Single(t => t.Name == "SubmissionEndpoint")).ToList();
        Assert.Empty(Upward(uses, Slice));
        // The same code in the folder of the tables would be calling up.
        Assert.NotEmpty(Upward(uses, _ => "Store"));
        Assert.NotEmpty(Upward(uses, _ => "A new slice without a row"));
    }

    static string Slice(TypeDefinition type)
    {
        var name = Il.NamespaceOf(type);
        // A stand-in for a package is no slice of ours; top-level and linked files belong to the root.
        if (!Rules.Under(name, Root)) return "";
        return name.Length == Root.Length ? "" : name[(Root.Length + 1)..];
    }
}
