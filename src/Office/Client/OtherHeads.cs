using System.Globalization;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Client;

/// <summary>An office has signed that it saw a head of the ledger that does not go together with what the gateway shows here.</summary>
/// <param name="Office">That signed it. It may lie: whose word it is, and which of the two is wrong, is for an auditor to find out. "?": the file was damaged here.</param>
/// <param name="Size">Entries of the head that it saw.</param>
/// <param name="File">Its statement; beside it, under the same name with ".shown", what the gateway showed here.</param>
public sealed record LedgerContradiction(string Office, long Size, string File);

/// <summary>
/// What other offices say that they have seen of the ledger (`seen` in headers and receipts), against what is shown to this one: a gateway that shows two of them two ledgers is found by whoever
/// reads the other's word first. A word waits here until the gateway was asked for a proof. A contradiction is kept and told until a person takes it away; it stops nothing, since offices can lie.
/// </summary>
sealed class OtherHeads(OfficeFiles files, Pins pins, Checkpoints ours)
{
    const string Waits = "seen", Kept = "fork", Ending = ".p7s", Shown = ".shown";
    const int AtOnce = 100;

    /// <summary>Keeps a word for the next look; durable on return. The statement has been verified.</summary>
    public void Note(Seen? seen, ReadOnlyMemory<byte> statement)
    {
        // Of another gateway's ledger nobody here can ask for a proof, and the empty one is the beginning of all.
        if (seen is null || !pins.IsOurs(seen.Origin) || seen.Size == 0) return;
        if (ours.Newest is { } newest && newest.Origin == seen.Origin && newest.Size == seen.Size && newest.Root == seen.Root) return;
        var name = string.Create(CultureInfo.InvariantCulture, $"seen-{seen.Size}-{seen.Root}{Ending}");
        if (File.Exists(files.At(Kept, name))) return;
        files.Folder(Waits);
        files.Write(files.At(Waits, name), statement.Span);
    }

    /// <summary>Words that wait. To be taken before the gateway's head is fetched: what was seen by then must be in it.</summary>
    public IReadOnlyList<string> Waiting() => Directory.Exists(files.At(Waits)) ? [.. Directory.EnumerateFiles(files.At(Waits), "*" + Ending).Order(StringComparer.Ordinal).Take(AtOnce)] : [];

    /// <summary>Asks for a proof for each. What the gateway cannot be asked about now goes on waiting.</summary>
    public async Task CompareAsync(GatewayApi api, IReadOnlyList<string> waiting, CancellationToken cancel)
    {
        foreach (var file in waiting)
        {
            if (ours.Newest is not { } newest) return;
            try
            {
                var word = Read(file);
                // Its office has gone on to the ledger that follows, and this one has not yet.
                if (word.Seen is { } ahead && ahead.Origin != newest.Origin && ahead.Origin == pins.Origin) continue;
                if (word.Seen is { } seen && await GoTogetherAsync(api, seen, newest, cancel).ConfigureAwait(false)) File.Delete(file);
                else Keep(file);
            }
            // Another process of the office has asked about it meanwhile.
            catch (FileNotFoundException) { }
        }
    }

    async Task<bool> GoTogetherAsync(GatewayApi api, Seen seen, Checkpoint newest, CancellationToken cancel)
    {
        // Of a ledger that ended: the one that follows continues it, or admits that it does not.
        if (seen.Origin != newest.Origin)
            return (await FollowSuccession.RunAsync(api, new Checkpoint(seen.Origin, seen.Size, seen.Root), newest, ours.Note!, cancel).ConfigureAwait(false)).Verdict != SuccessionVerdict.Fork;
        if (seen.Size == newest.Size) return seen.Root == newest.Root;
        // Somebody was shown more than this office is.
        if (seen.Size > newest.Size) return false;
        try
        {
            var proof = await api.ConsistencyAsync(seen.Size, newest.Size, cancel).ConfigureAwait(false);
            return MerkleTree.VerifyConsistency(seen.Size, seen.Root, newest.Size, newest.Root, proof);
        }
        // It has both heads, and has to have the proof.
        catch (RefusedException e) when (e.Refusal == Refusal.NotFound || e.Refusal == Refusal.Request) { return false; }
    }

    // What was shown first: a statement without it would prove nothing.
    void Keep(string file)
    {
        files.Folder(Kept);
        var kept = files.At(Kept, Path.GetFileName(file));
        files.Write(kept + Shown, Encoding.UTF8.GetBytes(ours.Note!));
        files.MoveFile(file, kept);
    }

    /// <summary>All that are kept.</summary>
    public IReadOnlyList<LedgerContradiction> Contradictions() => !Directory.Exists(files.At(Kept)) ? [] :
        [.. Directory.EnumerateFiles(files.At(Kept), "seen-*" + Ending).Order(StringComparer.Ordinal).Select(f => Read(f) is var (office, seen) ? new LedgerContradiction(office, seen?.Size ?? 0, f) : null!)];

    // It held when it was written. What a disk has made of it since must not keep the office from its work: it is kept and told.
    static (string Office, Seen? Seen) Read(string file)
    {
        Statement statement;
        try { statement = Statement.ReadAny(File.ReadAllBytes(file)); }
        catch (RefusedException) { return ("?", null); }
        return statement.Type == StatementType.Header ? (statement.As<Header>().Sender, statement.As<Header>().Seen) : (statement.As<Receipt>().Issuer, statement.As<Receipt>().Seen);
    }
}
