using System.Globalization;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Client;

/// <summary>Where a sealed dispatch stands. Each state is durable before the step it announces.</summary>
public enum OutboxState
{
    /// <summary>Sealed and durable; not a byte has left. A crash leaves it here: it is sent at the next occasion.</summary>
    Sealed,
    /// <summary>Bytes may have left. A crash leaves it here: the same bytes are sent again and the gateway gives the first receipt.</summary>
    Sending,
    /// <summary>The gateway's receipt is here and verified. The payload's bytes are gone unless they were sealed to this office too, everything else is kept.</summary>
    Accepted,
    /// <summary>The gateway has it and holds it, as its verified receipt says; not on its way. Persons must release it. The payload is kept here until it is.</summary>
    Held,
    /// <summary>The gateway refused for good, for the reason in <see cref="OutboxRecord.Code"/>.</summary>
    Refused,
}

/// <summary>state.json of one entry. Codes and numbers only; the subject stays inside the sealed part.</summary>
/// <param name="Created">Unix milliseconds.</param>
/// <param name="Code">Refusal of the last attempt; null: none.</param>
/// <param name="Author">Key of the person who signed it, who does not release it; null: sealed by an older version.</param>
public sealed record OutboxRecord(int V, Guid Id, string State, long Created, string Level, string? Number, IReadOnlyList<string> To, IReadOnlyList<string> Cc,
    Digest Ctx, Digest ManifestDigest, Digest DispatchRef, PayloadRef? Payload, int Attempts, string? Code, long? AcceptedAt, Digest? Author = null)
{
    /// <summary>What it recalls, updates or replaces; null: nothing.</summary>
    public AboutDispatch? About { get; init; }
    /// <summary>Whether the author's signatures are time-stamped: <see cref="Given"/>, or <see cref="Pending"/>, to be fetched; null: the level did not ask for it.</summary>
    public string? TimeStamp { get; init; }

    public const string Given = "given", Pending = "pending";
}

/// <summary>An earlier dispatch of this office.</summary>
/// <param name="Kind">"recall", "update" or "replace": of the header and of its reference.</param>
/// <param name="Id">Header id of the earlier one.</param>
/// <param name="Ref">Its CTX.</param>
/// <param name="Revision">Rises with each that is about it.</param>
public sealed record AboutDispatch(string Kind, Guid Id, Digest Ref, int Revision);

/// <summary>One sealed dispatch on disk.</summary>
public sealed class OutboxEntry(string folder, OutboxRecord record)
{
    public string Folder { get; } = folder;
    public OutboxRecord Record { get; internal set; } = record;
    public Guid Id => Record.Id;
    public OutboxState State => Enum.Parse<OutboxState>(Record.State);

    public EnvelopeParts Parts() => new(File.ReadAllBytes(Path.Combine(Folder, "header.p7s")),
        [.. Files("approvals").Select(f => (ReadOnlyMemory<byte>)File.ReadAllBytes(f))], File.ReadAllBytes(Path.Combine(Folder, "manifest.p7m")));

    /// <summary>R: lets the sender check that an office opened the dispatch. It opens nothing.</summary>
    public byte[] Opened() => File.ReadAllBytes(Path.Combine(Folder, "opened"));

    /// <summary>What lets the same content go to further offices, for this office's encryption key alone; null: sealed by an older version, or nothing that could go further.</summary>
    public byte[]? Kept() => Path.Combine(Folder, "kept.p7m") is var file && File.Exists(file) ? File.ReadAllBytes(file) : null;

    /// <summary>The gateway's acceptance; null: not accepted yet.</summary>
    public ReadOnlyMemory<byte>? Acceptance() => Receipts().Select(r => (ReadOnlyMemory<byte>?)r).FirstOrDefault(r => Statement.Read(r!.Value, StatementType.Receipt).As<Receipt>() is { Event: ReceiptEvent.SubmissionAcceptance });

    /// <summary>Who can open it besides its addressees.</summary>
    public IReadOnlyList<Recipient> Besides() => EnvelopeFile.PeekUnverified(File.ReadAllBytes(Path.Combine(Folder, "header.p7s"))).Besides;

    public string PayloadFile => Path.Combine(Folder, "payload");
    /// <summary>Bytes to be sent behind the manifest; an update sends none, its payload is at the gateway.</summary>
    public long WireLength => Record is { Payload: { } payload, About: not { Kind: "update" } } ? Payload.WireLength(payload.Length) : 0;

    /// <summary>Verified receipts kept beside the entry, in the order in which they came.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Receipts() => [.. Files("receipts").Select(f => (ReadOnlyMemory<byte>)File.ReadAllBytes(f))];

    /// <summary>Time-stamp tokens over the author's signatures, in the order in which the header names these; empty: none are here.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> TimeStamps() => [.. Files("timestamps", "*.tst").Select(f => (ReadOnlyMemory<byte>)File.ReadAllBytes(f))];

    /// <summary>A time-stamp is due. What was refused for good needs none any more.</summary>
    public bool AwaitsTimeStamp => Record.TimeStamp == OutboxRecord.Pending && State != OutboxState.Refused;

    internal IEnumerable<string> Files(string sub, string pattern = "*.p7s") =>
        Directory.Exists(Path.Combine(Folder, sub)) ? Directory.EnumerateFiles(Path.Combine(Folder, sub), pattern).Order(StringComparer.Ordinal) : [];
}

/// <summary>
/// Sealed dispatches, from before the first byte leaves until long after the gateway's receipt. Nothing here is ever sealed twice: a retry sends the bytes on disk.
/// One folder an entry: header.p7s, approvals/NN.p7s, manifest.p7m, payload, opened, kept.p7m, state.json, timestamps/NN.tst, receipts/, statuses/. opened and kept.p7m never leave.
/// </summary>
public sealed class Outbox(OfficeFiles files)
{
    const string Making = ".making-";
    string Folder => files.Folder("outbox");

    /// <summary>Seals into a folder without a name and gives it its name last: an entry is whole or is not there.</summary>
    public async Task<OutboxEntry> AddAsync(Guid id, string level, IReadOnlyList<string> to, IReadOnlyList<string> cc, string? number, Digest author, AboutDispatch? about, DateTimeOffset now,
        Func<Stream, Task<SealedEnvelope>> seal)
    {
        Sweep();
        var making = files.Folder("outbox", Making + id);
        using (var mine = OfficeFiles.TryLock(Path.Combine(making, "lock")) ?? throw new IOException($"{making} is in use"))
        {
            SealedEnvelope sealedEnvelope;
            await using (var payload = OfficeFiles.Create(Path.Combine(making, "payload")))
            {
                sealedEnvelope = await seal(payload).ConfigureAwait(false);
                files.Step("flush payload");
                payload.Flush(flushToDisk: true);
            }
            files.Folder("outbox", Making + id, "approvals");
            var place = 0;
            foreach (var approval in sealedEnvelope.Parts.Approvals)
                files.Write(Path.Combine(making, "approvals", string.Create(CultureInfo.InvariantCulture, $"{++place:00}.p7s")), approval.Span);
            files.Write(Path.Combine(making, "opened"), sealedEnvelope.Opened);
            if (sealedEnvelope.Kept is { } kept) files.Write(Path.Combine(making, "kept.p7m"), kept);
            WriteTimeStamps(making, sealedEnvelope.TimeStamps ?? []);
            files.Write(Path.Combine(making, "manifest.p7m"), sealedEnvelope.Parts.Manifest.Span);
            files.Write(Path.Combine(making, "header.p7s"), sealedEnvelope.Parts.Header.Span);
            var record = new OutboxRecord(1, id, nameof(OutboxState.Sealed), now.ToUnixTimeMilliseconds(), level, number, to, cc,
                sealedEnvelope.Ctx, sealedEnvelope.ManifestDigest, sealedEnvelope.DispatchRef, sealedEnvelope.Payload, 0, null, null, author)
            {
                About = about, TimeStamp = sealedEnvelope.TimeStamps is not { } given ? null : given.Count > 0 ? OutboxRecord.Given : OutboxRecord.Pending,
            };
            files.Write(Path.Combine(making, "state.json"), JsonSerializer.SerializeToUtf8Bytes(record, ClientJson.Default.OutboxRecord));
            // Crash before: nothing was sent, the half-made folder is swept. After: the entry is Sealed and will be sent.
            files.MoveFolder(making, files.At("outbox", id.ToString()));
            return new OutboxEntry(files.At("outbox", id.ToString()), record);
        }
    }

    public IReadOnlyList<OutboxEntry> List() =>
        [.. Directory.EnumerateDirectories(Folder).Select(Path.GetFileName).Where(n => Guid.TryParse(n, out _)).Order(StringComparer.Ordinal).Select(n => Find(Guid.Parse(n!))!)];

    /// <returns>null: no such entry.</returns>
    public OutboxEntry? Find(Guid id)
    {
        var folder = files.At("outbox", id.ToString());
        var state = Path.Combine(folder, "state.json");
        return File.Exists(state) ? new OutboxEntry(folder, JsonSerializer.Deserialize(File.ReadAllBytes(state), ClientJson.Default.OutboxRecord)!) : null;
    }

    /// <summary>null: another process is sending this entry.</summary>
    internal static FileStream? TryLock(OutboxEntry entry) => OfficeFiles.TryLock(Path.Combine(entry.Folder, "lock"));

    internal void Save(OutboxEntry entry, OutboxRecord record)
    {
        files.Write(Path.Combine(entry.Folder, "state.json"), JsonSerializer.SerializeToUtf8Bytes(record, ClientJson.Default.OutboxRecord));
        entry.Record = record;
    }

    // Crash before the state is written: they are asked for again, and replaced.
    internal void SaveTimeStamps(OutboxEntry entry, IReadOnlyList<ReadOnlyMemory<byte>> tokens)
    {
        WriteTimeStamps(entry.Folder, tokens);
        Save(entry, entry.Record with { TimeStamp = OutboxRecord.Given });
    }

    void WriteTimeStamps(string folder, IReadOnlyList<ReadOnlyMemory<byte>> tokens)
    {
        if (tokens.Count > 0) DurableFile.CreateFolder(Path.Combine(folder, "timestamps"));
        for (var i = 0; i < tokens.Count; i++) files.Write(Path.Combine(folder, "timestamps", string.Create(CultureInfo.InvariantCulture, $"{i + 1:00}.tst")), tokens[i].Span);
    }

    /// <summary>Another signature over the same header JSON; CTX stays.</summary>
    internal void SaveHeader(OutboxEntry entry, ReadOnlySpan<byte> header) => files.Write(Path.Combine(entry.Folder, "header.p7s"), header);

    /// <summary>Whether this very receipt is kept.</summary>
    internal static bool HasReceipt(OutboxEntry entry, ReadOnlyMemory<byte> der) => entry.Files("receipts").Any(f => File.ReadAllBytes(f).AsSpan().SequenceEqual(der.Span));

    /// <summary>Keeps a verified receipt; the same bytes are kept once.</summary>
    internal void SaveReceipt(OutboxEntry entry, Receipt receipt, ReadOnlyMemory<byte> der)
    {
        if (HasReceipt(entry, der)) return;
        var kept = entry.Files("receipts").ToList();
        files.Folder("outbox", entry.Id.ToString(), "receipts");
        var name = string.Create(CultureInfo.InvariantCulture, $"{kept.Count + 1:00}-{receipt.Event}{(receipt.Office is null ? "" : "-" + receipt.Office)}.p7s");
        files.Write(Path.Combine(entry.Folder, "receipts", name), der.Span);
    }

    /// <summary>Keeps a verified handling status under its office and number.</summary>
    /// <returns>False: another one is kept under that number.</returns>
    internal bool SaveStatus(OutboxEntry entry, HandlingStatus status, ReadOnlyMemory<byte> der)
    {
        files.Folder("outbox", entry.Id.ToString(), "statuses");
        var file = Path.Combine(entry.Folder, "statuses", string.Create(CultureInfo.InvariantCulture, $"{status.Office}-{status.Sequence:0000}.p7s"));
        if (File.Exists(file)) return Statement.Read(File.ReadAllBytes(file), StatementType.Status).Ref == Statement.Read(der, StatementType.Status).Ref;
        files.Write(file, der.Span);
        return true;
    }

    /// <summary>The gateway has it. What was sealed to this office too stays, so that it can be opened again.</summary>
    internal void DropPayload(OutboxEntry entry)
    {
        if (entry.Besides().Any(r => r.Role == "self")) return;
        files.Step("drop payload");
        DurableFile.Delete(entry.PayloadFile);
    }

    // Half-made folders of a program that died; one that still runs holds its lock.
    void Sweep()
    {
        foreach (var making in Directory.EnumerateDirectories(Folder, Making + "*"))
        {
            using var abandoned = OfficeFiles.TryLock(Path.Combine(making, "lock"));
            if (abandoned is not null) Directory.Delete(making, recursive: true);
        }
    }
}
