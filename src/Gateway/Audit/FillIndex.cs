using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Audit;

/// <summary>Takes what was committed into the audit index, now and then and before each question: a label that was raised protects from the next question on.</summary>
sealed class FillIndex(IEngine engine, string file) : IDisposable
{
    const int Batch = 1000;
    readonly Lock alone = new();
    AuditIndex? opened;

    /// <summary>Opened, or made, when it is first needed: a gateway without room for it serves offices all the same.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Full"/>, <see cref="Refusal.Busy"/>.</exception>
    public AuditIndex Index
    {
        get
        {
            lock (alone)
            {
                if (opened is not null) return opened;
                using var reader = engine.Reader();
                return opened = AuditIndex.Open(file, seq => EntryTable.LeafAt(reader, seq));
            }
        }
    }

    public Task Step(DateTimeOffset now) => Task.FromResult(Fill(64 * Batch));

    /// <summary>Indexes up to so many entries. True: all that were committed are in it.</summary>
    public bool Fill(int most)
    {
        lock (alone)
        {
            var index = Index;
            using var reader = engine.Reader();
            for (var done = 0; done < most; done += Batch)
            {
                var size = index.Size;
                var entries = EntryTable.Range(reader, size, Batch);
                if (entries.Count == 0) return true;
                index.Add(Of(index, reader, entries));
            }
            return index.Size >= HeadTable.Read(reader).Size;
        }
    }

    /// <summary>After an erasure: all that was committed is taken in, and nothing of before is left in the index's own log. True where there is no index. False: not yet; ask again.</summary>
    public bool Forget()
    {
        lock (alone)
        {
            if (opened is null && !File.Exists(file)) return true;
            return Fill(64 * Batch) && Index.TryEmptyLog();
        }
    }

    static IndexStep Of(AuditIndex index, Source source, IReadOnlyList<(EntryRow Entry, EntrySecret? Secret)> entries)
    {
        List<AboutRow> rows = [];
        List<(string, Guid, long)> moved = [];
        List<(long, long)> erased = [];
        // One dispatch has many entries, and one label.
        Dictionary<(string, Guid), long> known = [];
        foreach (var (entry, secret) in entries)
        {
            if (secret is null)
            {
                rows.Add(new() { Seq = entry.Seq, Audience = AuditIndex.Top, Kind = entry.Kind, Verdict = null, Sender = null, Office = null, Envelope = null, Key = null, Time = entry.Time });
                continue;
            }
            var detail = EntryDetails.Read(secret.Detail);
            var about = EntryAbout.Of(detail);
            rows.Add(new()
            {
                Seq = entry.Seq, Audience = AudienceOf(index, source, detail, about, known), Kind = entry.Kind, Verdict = (long?)about.Verdict, Sender = about.Sender,
                Office = about.Office, Envelope = about.Envelope, Key = about.Key is { } key ? ShortKey(key) : null, Time = entry.Time,
            });
            if (detail is LabelDetail { Verdict: "permit" } label) Move(index, source, label, moved, known);
            if (detail is ErasedDetail gone) erased.Add((gone.Entry, entry.Seq));
        }
        var last = entries[^1].Entry;
        return new(last.Seq + 1, last.Leaf, rows, moved, erased);
    }

    static long AudienceOf(AuditIndex index, Source source, LedgerDetail detail, EntryAbout about, Dictionary<(string, Guid), long> known)
    {
        if (EntryAbout.IsForEverybody(detail.EntryKind)) return AuditIndex.Everybody;
        (string, Guid)? dispatch = about is { Sender: { } sender, Envelope: { } envelope } && detail is not RejectionDetail ? (sender, envelope) : null;
        if (dispatch is { } one && known.TryGetValue(one, out var audience)) return audience;
        audience = EntryAbout.LabelOf(source, detail) is { } label ? index.Audience(AuditLabel.Write(label)) : AuditIndex.Top;
        if (dispatch is { } found) known[found] = audience;
        return audience;
    }

    // Updates of a dispatch bear its label; what was written about any of them before is protected by it as well.
    static void Move(AuditIndex index, Source source, LabelDetail label, List<(string, Guid, long)> moved, Dictionary<(string, Guid), long> known)
    {
        foreach (var (sender, envelope) in RecallTable.UpdatesOf(source, label.Sender, label.Envelope).Prepend((label.Sender, label.Envelope)))
        {
            var audience = EntryAbout.LabelOf(source, label with { Sender = sender, Envelope = envelope }) is { } now ? index.Audience(AuditLabel.Write(now)) : AuditIndex.Top;
            moved.Add((sender, envelope, audience));
            known[(sender, envelope)] = audience;
        }
    }

    public void Dispose() => opened?.Dispose();

    /// <summary>A key as the index files it.</summary>
    public static long ShortKey(Digest key) => System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(key.ToArray());
}
