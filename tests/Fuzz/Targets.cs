using System.Runtime.CompilerServices;
using Exchange.Crypto;

namespace Exchange.Fuzz;

/// <summary>
/// Every reader of bytes that come from outside, by name. A target takes bytes and may throw nothing but a <see cref="RefusedException"/>; what it accepts, written again, is equal.
/// Where a signature would stop every change, the target goes around it or makes it anew, so that the fuzzer reaches what lies behind.
/// </summary>
static class Targets
{
    /// <summary>Of one input, whatever it says: what a reader allocates is bounded by what it was given, and by fixed limits.</summary>
    public const long MaxAllocated = 64 << 20;

    public static readonly IReadOnlyDictionary<string, Action<byte[]>> All = new SortedDictionary<string, Action<byte[]>>(StringComparer.Ordinal)
    {
        ["statement"] = StatementTargets.Statement,
        ["dispatch"] = json => StatementTargets.Content("dispatch", json),
        ["approval"] = json => StatementTargets.Content("approval", json),
        ["header"] = json => StatementTargets.Content("header", json),
        ["receipt"] = json => StatementTargets.Content("receipt", json),
        ["status"] = json => StatementTargets.Content("status", json),
        ["card"] = json => StatementTargets.Content("card", json),
        ["policy"] = json => StatementTargets.Content("policy", json),
        ["directory"] = json => StatementTargets.Content("directory", json),
        ["standing"] = json => StatementTargets.Content("standing", json),
        ["label-change"] = json => StatementTargets.Content("label", json),
        ["operation"] = json => StatementTargets.Content("operation", json),
        ["activation"] = json => StatementTargets.Content("activation", json),
        ["strict-json"] = StatementTargets.Canonical,
        ["label-json"] = LabelTargets.Json,
        ["label-ess"] = LabelTargets.Ess,
        ["clearance"] = LabelTargets.Clearance,
        ["policy-draft"] = PolicyTargets.Draft,
        ["policy-mapping"] = PolicyTargets.Mapping,
        ["decision"] = PolicyTargets.Decision,
        ["envelope"] = EnvelopeTargets.File,
        ["manifest"] = EnvelopeTargets.Sealed,
        ["frame"] = EnvelopeTargets.Frame,
        ["parcel"] = EnvelopeTargets.Parcel,
        ["parcel-content"] = EnvelopeTargets.ParcelContent,
        ["certificate"] = TrustTargets.Certificate,
        ["crl"] = TrustTargets.Crl,
        ["note"] = LedgerTargets.Note,
        ["checkpoint"] = LedgerTargets.Checkpoint,
        ["tile"] = LedgerTargets.Tile,
        ["ledger"] = LedgerTargets.Ledger,
        ["entry-detail"] = LedgerTargets.Detail,
        ["witness-policy"] = LedgerTargets.Policy,
        ["tlog-proof"] = LedgerTargets.Proof,
        ["witness-request"] = LedgerTargets.Request,
        ["detail-bundle"] = LedgerTargets.Details,
        ["mail"] = MailTargets.Mail,
        ["mail-report"] = MailTargets.Report,
    };

    // What is made once is not the input's doing.
    static Targets()
    {
        foreach (var type in new[] { typeof(World), typeof(EnvelopeTargets), typeof(LedgerTargets), typeof(StatementTargets), typeof(Tests.Policy.Policies) }) RuntimeHelpers.RunClassConstructor(type.TypeHandle);
    }

    /// <summary>One input through one target.</summary>
    /// <returns>The refusal; null: accepted.</returns>
    /// <exception cref="FindingException">It was accepted and is not what it should be, or it cost too much.</exception>
    public static Refusal? Run(string name, byte[] input)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        Refusal? refusal = null;
        try { All[name](input); }
        catch (RefusedException e) { refusal = e.Refusal; }
        var cost = GC.GetAllocatedBytesForCurrentThread() - before;
        return cost <= MaxAllocated ? refusal : throw new FindingException($"{cost} bytes allocated for {input.Length}");
    }

    /// <summary>A step of a target that may refuse while the next one is still of interest.</summary>
    public static void Try(Action step)
    {
        try { step(); }
        catch (RefusedException) { }
    }

    public static void Equal(ReadOnlySpan<byte> read, ReadOnlySpan<byte> written)
    {
        if (!read.SequenceEqual(written)) throw new FindingException("what was accepted is written differently");
    }

    public static void Demand(bool holds, string what)
    {
        if (!holds) throw new FindingException(what);
    }
}

/// <summary>What a fuzzer is after.</summary>
sealed class FindingException(string what) : Exception(what);
