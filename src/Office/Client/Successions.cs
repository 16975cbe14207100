using System.Text;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Client;

/// <summary>A receipt of the gateway whose entry is not in the ledger that follows.</summary>
/// <param name="Envelope">Of the dispatch in the outbox that it is about.</param>
/// <param name="Time">Unix milliseconds.</param>
public sealed record LostReceipt(Guid Envelope, string Event, string? Office, long Time);

/// <summary>The ledger that this office followed ended, and the one that follows admits that something is lost.</summary>
/// <param name="Ended">Its name.</param>
/// <param name="Origin">Of the ledger that follows.</param>
/// <param name="First">Entries from this one on were promised …</param>
/// <param name="End">… up to this one (exclusive), and are lost as far as they are not in the new ledger.</param>
/// <param name="Lost">Receipts of this office among them; null: it could not be found out yet.</param>
/// <param name="File">The entry that admits it, with its proof; beside it ".head", what this office had seen last, and ".lost".</param>
public sealed record LedgerSuccession(string Ended, string Origin, long First, long End, IReadOnlyList<LostReceipt>? Lost, string File)
{
    /// <summary>Dispatches that the gateway had accepted and does not know any more.</summary>
    public IReadOnlyList<Guid> ToSendAgain => [.. (Lost ?? []).Where(l => l.Event is ReceiptEvent.SubmissionAcceptance or ReceiptEvent.SubmissionHold).Select(l => l.Envelope).Distinct()];
}

/// <summary>
/// What is kept of ledgers that ended, in succession/: NAME.head (what was seen last under the old name), NAME.tlog-proof (the entry with which the new one begins), NAME.look while the receipts of this office
/// have still to be held against the new ledger, then NAME.lost, a line of JSON for each that is missing there. All of it stays; it is told until a person moves NAME.lost away.
/// </summary>
sealed class Successions(OfficeFiles files, Pins pins, Checkpoints ours, Outbox outbox)
{
    const string Folder = "succession", Head = ".head", Proof = ".tlog-proof", Look = ".look", Lost = ".lost";
    // Receipts are signed before their entries get a time.
    const long Before = 3_600_000;

    /// <summary>Durable on return, before the new head is taken: a crash in between has it written again.</summary>
    public static void Keep(OfficeFiles files, string head, TlogProof proof)
    {
        files.Folder(Folder);
        var name = proof.Entry!.Leaf.ToString();
        files.Write(files.At(Folder, name + Head), Encoding.UTF8.GetBytes(head));
        files.Write(files.At(Folder, name + Proof), Encoding.UTF8.GetBytes(proof.Write()));
        files.Write(files.At(Folder, name + Look), []);
    }

    /// <summary>Holds the receipts of this office against the new ledger, as long as that is owed. What the gateway cannot be asked about now is asked again.</summary>
    /// <returns>True: something is known now that was not before.</returns>
    public async Task<bool> LookAsync(GatewayApi api, CancellationToken cancel)
    {
        var looked = false;
        foreach (var file in Files(Look))
        {
            var (admission, ended) = Read(file[..^Look.Length]);
            // The head was not taken: it is looked for when it is.
            if (ended is null || ours.Newest is not { } newest || newest.Origin != admission.Origin) continue;
            var lost = new StringBuilder();
            foreach (var entry in outbox.List())
                foreach (var receipt in entry.Receipts().Select(r => Statement.Read(r, StatementType.Receipt).As<Receipt>()))
                    if (receipt.Entry is { } promised && receipt.Issuer == ended.Origin && receipt.Time >= ended.Since - Before && !await IsThereAsync(api, promised.Leaf, newest, cancel).ConfigureAwait(false))
                        lost.Append(JsonSerializer.Serialize(new LostReceipt(entry.Id, receipt.Event, receipt.Office, receipt.Time), ClientJson.Default.LostReceipt)).Append('\n');
            // A crash before it: all is looked for again.
            files.Write(file[..^Look.Length] + Lost, Encoding.UTF8.GetBytes(lost.ToString()));
            DurableFile.Delete(file);
            looked = true;
        }
        return looked;
    }

    static async Task<bool> IsThereAsync(GatewayApi api, Digest leaf, Checkpoint head, CancellationToken cancel)
    {
        try
        {
            var proof = await api.InclusionAsync(leaf, head.Size, cancel).ConfigureAwait(false);
            return MerkleTree.VerifyInclusion(leaf, proof.Index, head.Size, proof.Proof, head.Root);
        }
        catch (RefusedException e) when (e.Refusal == Refusal.NotFound || e.Refusal == Refusal.Request) { return false; }
    }

    /// <summary>Those by which something was lost, or may have been.</summary>
    public IReadOnlyList<LedgerSuccession> List()
    {
        List<LedgerSuccession> all = [];
        foreach (var file in Files(Proof))
        {
            var name = file[..^Proof.Length];
            var isOwed = File.Exists(name + Look);
            if (!isOwed && !File.Exists(name + Lost)) continue;
            var (admission, ended) = Read(name);
            if (ended is null) continue;
            IReadOnlyList<LostReceipt>? lost = isOwed ? null : [.. File.ReadLines(name + Lost).Select(l => JsonSerializer.Deserialize(l, ClientJson.Default.LostReceipt)!)];
            if (ended.HasGap || lost is not { Count: 0 }) all.Add(new(ended.Origin, admission.Origin, ended.Common, ended.Size, lost, file));
        }
        return all;
    }

    // Both were verified when they were kept.
    (SuccessionDetail Admission, EndedLedger? Ended) Read(string name)
    {
        var admission = (SuccessionDetail)EntryDetails.Read(TlogProof.Parse(File.ReadAllBytes(name + Proof)).Entry!.Detail);
        var head = Checkpoint.OpenAny(File.ReadAllBytes(name + Head), pins.KeysOfLedger);
        return (admission, admission.Follows.FirstOrDefault(e => e.Origin == head.Origin));
    }

    string[] Files(string ending) => Directory.Exists(files.At(Folder)) ? [.. Directory.EnumerateFiles(files.At(Folder), "*" + ending).Order(StringComparer.Ordinal)] : [];
}
