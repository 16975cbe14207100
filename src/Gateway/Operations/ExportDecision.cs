using System.Text;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Operations;

/// <summary>
/// Decisions as files for whoever explains or replays them, one folder each: the record, its salt, the ledger entry that commits to it, and the policy that decided. Read-only, beside a
/// running gateway. A record says who wrote to whom at which level and why it was decided so: it is for policy officers and auditors.
/// </summary>
static class ExportDecision
{
    /// <param name="id">Envelope or dispatch id, or the digest of a decision, as it stands in entries and receipts.</param>
    /// <returns>Folders written, one for each decision about it, in the order of the ledger.</returns>
    public static IReadOnlyList<string> Run(IEngine engine, string id, string target)
    {
        using var reader = engine.Reader();
        // A dispatch's own id is not in the ledger; its envelope's is.
        var text = Guid.TryParse(id, out var guid) ? (DispatchTable.EnvelopeOf(reader, guid) ?? guid).ToString("D") : id;
        List<string> written = [];
        foreach (var entry in EntryTable.Naming(reader, Encoding.UTF8.GetBytes($"\"{text}\"")))
        {
            using var detail = JsonDocument.Parse(entry.Detail);
            if (!detail.RootElement.TryGetProperty("decision", out var named) || !Digest.TryParse(named.GetString(), out var digest)) continue;
            if (DecisionTable.Find(reader, digest) is not { } decision) continue;
            var folder = Path.Combine(target, FormattableString.Invariant($"{entry.Seq}-{detail.RootElement.GetProperty("kind").GetString()}"));
            DurableFile.CreateFolder(folder);
            DurableFile.Write(Path.Combine(folder, "decision.json"), decision.Record);
            DurableFile.Write(Path.Combine(folder, "decision.salt"), decision.Salt);
            DurableFile.Write(Path.Combine(folder, "entry.json"), entry.Detail);
            DurableFile.Write(Path.Combine(folder, "entry.salt"), entry.Salt);
            using var record = JsonDocument.Parse(decision.Record);
            if (Digest.TryParse(record.RootElement.GetProperty("policy").GetString(), out var policy) && DocumentTable.Find(reader, DocumentKind.Policy, policy) is { } document)
                DurableFile.Write(Path.Combine(folder, "policy.p7s"), document.Der);
            written.Add(folder);
        }
        return written;
    }
}
