using System.Text;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Offices;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Operations;

/// <param name="Origin">The new name.</param>
/// <param name="Operation">What two administrators signed, DER.</param>
/// <param name="CheckpointKey">File of the new Ed25519 key, made when there is none; null: beside the old one.</param>
/// <param name="SecondKey">Likewise of the new ML-DSA-44 key.</param>
sealed record NewOriginRequest(string Data, string Origin, byte[] Operation, string? CheckpointKey = null, string? SecondKey = null);

/// <summary>
/// Goes on with a store that may not sign under its name any more (restored from an older copy, cloned, or without its keys): the tree stays as it is, heads are signed under a new name with new keys, and the first
/// entry under it admits what is lost (<see cref="SuccessionDetail"/>). In the same way a year is ended (<see cref="Succession.Year"/>), and then nothing may be lost. Of a stopped gateway, by two administrators. Each
/// step can be repeated: a run that broke off is finished by the same command.
/// </summary>
static class NewOrigin
{
    /// <summary>What two administrators are to sign: JSON for `exchange officer operate`. Nothing is changed.</summary>
    /// <exception cref="OptionsException">Nothing was signed yet, not such a name or code, nobody to sign it, or no year can end here yet.</exception>
    /// <exception cref="CannotStartException">A year is to end, and the gateway runs.</exception>
    public static byte[] Order(string data, string origin, string code)
    {
        var options = Configuration.Read(data);
        Demand(OperationStatement.IsCode(code), $"{code}: a code has capitals, digits and underscores");
        var file = Guard.FileIn(options.Guard);
        using var named = Guard.OpenReadOnly(file, options.Origin);
        using var live = Guard.OpenReadOnly(file, named.Ended?.Successor ?? options.Origin);
        var head = HeadOf(live, origin);
        // Two persons are not to sign in vain.
        DemandTwo(options);
        if (code == Succession.Year)
        {
            using var folder = DataFolder.Open(data);
            using var engine = SqliteEngine.Open(folder.Database);
            DemandYearsEnd(live, engine, options);
        }
        return JsonSerializer.SerializeToUtf8Bytes(new NewOriginOrder(1, OperationStatement.NewOrigin, live.Origin, [], new(origin, head.Size, head.Root), code), OrderJson.Default.NewOriginOrder);
    }

    /// <param name="step">Called with a step's name before it is taken: a test that throws there has killed the process at that place.</param>
    /// <returns>What is on record now.</returns>
    /// <exception cref="OptionsException">What is wrong with names, keys or settings.</exception>
    /// <exception cref="CannotStartException">It runs, the store does not keep its promises, or it is not the one that this began with.</exception>
    /// <exception cref="RefusedException">The operation does not hold.</exception>
    public static async Task<SuccessionDetail> Run(NewOriginRequest request, TimeProvider clock, Action<string>? step = null)
    {
        // 1. Everything is looked at, by this process alone; nothing is written but what a start would write.
        var options = Configuration.Read(request.Data);
        using var folder = DataFolder.Open(request.Data);
        using var engine = SqliteEngine.Open(folder.Database);
        using var guard = Guard.OpenAny(Guard.FileIn(options.Guard), options.Origin);
        // A folder of a name that ended long ago goes on from the ledger that is alive: that is the one which is lost.
        using var live = guard.Of(guard.Ended?.Successor ?? guard.Origin);
        var worlds = Worlds.Load(engine, TrustStore.Load(Path.Combine(request.Data, Equipment.TrustFolder)), new Pins(options.DirectoryOfficers, options.PolicyOfficers), clock.GetUtcNow());
        var plan = live.Origin == request.Origin ? Begun(live, options, request) : Prepare(live, engine, new BlobStore(folder.Blobs, clock), options, worlds.Current.Trust, request, clock.GetUtcNow());
        DemandFits(engine, plan);

        // 2. The new keys, before anything speaks of them. A crash after it leaves files that signed nothing; the next run takes them.
        step?.Invoke("keys");
        var (settings, bytes, keys) = Keys(options, plan, request);
        Equipment.Open(request.Data, settings, clock).Dispose();

        // 3. ONE commit of the guard: the old names end, the new one may begin with this very entry, which is kept there. A crash before it: nothing happened. After it: nothing starts under the old name again, here
        // or on any clone, and the next run finds the entry and goes on from here.
        step?.Invoke("guard");
        if (plan.From is { } from) live.Succeed(from, plan.Ended, plan.Row with { Keys = keys }, plan.Next);

        // 4. ONE commit of the store: the entry, at its place, and the statement that it names. A crash after it: the next run finds it there.
        step?.Invoke("entry");
        if (SizeOf(engine) == plan.Row.Place)
        {
            using var journal = new Journal(engine, worlds, clock, new JournalOptions(), failure => throw failure);
            journal.Start();
            await journal.Commit(b =>
            {
                OperationTable.Keep(b, plan.Detail.Operation, plan.Detail.Code, request.Operation);
                return b.Log(new LedgerEntry(plan.Row.Salt, plan.Row.Detail), EntryKind.Succession) is not null;
            });
        }

        // 5. The settings last, whole or not at all: with them a gateway starts, and its first checkpoint is over the entry.
        step?.Invoke("settings");
        if (options.Origin != request.Origin) DurableFile.Write(Path.Combine(request.Data, Options.FileName), bytes);
        return plan.Detail;
    }

    /// <param name="Next">Head over the new entry.</param>
    /// <param name="From">Head of the ledger that ends; null: it has ended, by a run that broke off or by one that did not.</param>
    sealed record Plan(SuccessionRow Row, SuccessionDetail Detail, (long Size, Digest Root) Next, IReadOnlyList<EndedRow> Ended, (long Size, Digest Root)? From);

    // A run before this one came as far as the guard, or to the end.
    static Plan Begun(Guard live, Options options, NewOriginRequest request)
    {
        Demand(live.Succession is not null, $"{request.Origin} is the name of this ledger already");
        var (row, detail) = (live.Succession!, (SuccessionDetail)EntryDetails.Read(live.Succession!.Detail));
        Demand(Statement.Read(request.Operation, StatementType.Operation).Ref == detail.Operation, $"{request.Origin} was begun with another operation: give the file that was given then");
        // Until the settings are written nothing can have been signed under the name, but from another copy of this folder.
        Demand(options.Origin == request.Origin || live.Head.Size == row.Place + 1, $"{request.Origin} has gone on to {live.Head.Size} entries: its data is elsewhere, and this folder is an older copy");
        return new Plan(row, detail, live.Head.Size == row.Place + 1 ? live.Head : default, live.Follows, null);
    }

    static Plan Prepare(Guard live, SqliteEngine engine, BlobStore blobs, Options options, CertificateCheck trust, NewOriginRequest request, DateTimeOffset now)
    {
        var from = HeadOf(live, request.Origin);
        DemandTwo(options);
        var operation = OperationStatement.OpenNewOrigin(request.Operation, new Checkpoint(live.Origin, from.Size, from.Root), request.Origin, options.Administrators, trust, now);
        if (StoreCheck.Run(engine, blobs, []) is [var finding, ..] all)
            throw new CannotStartException($"The store does not keep its promises: {finding}{(all.Count > 1 ? $" and {all.Count - 1} more" : "")}. Nothing was changed. Run `exchange-gateway check`, and take another backup.");
        if (operation.As<OperationStatement>().Code == Succession.Year) DemandYearsEnd(live, engine, options);
        using var reader = engine.Reader();
        var head = HeadTable.Read(reader);
        List<EndedRow> rows = [];
        List<EndedLedger> ended = [];
        foreach (var (origin, keys) in live.Follows.Select(e => (e.Origin, e.Keys)).Prepend((live.Origin, KeysOf(live, options))))
        {
            using var of = live.Of(origin);
            var (last, common) = (of.Head, Common(of, head.Size, TileTable.ReaderOf(reader)));
            ended.Add(new(origin, last.Size, last.Root, common, common == 0 ? 0 : EntryTable.TimeOf(reader, common - 1) ?? 0));
            rows.Add(new(origin, last.Size, last.Root, common, keys, request.Origin));
        }
        var detail = new SuccessionDetail(request.Origin, [.. ended], head.Size, operation.As<OperationStatement>().Code, operation.Ref) { Time = now.ToUnixTimeMilliseconds() };
        var entry = LedgerEntry.Create(detail);
        Demand(entry.Detail.Length <= EntryDetails.MaxBytes, $"{request.Origin}: too long a name beside those of {ended.Count} ledgers that ended");
        var frontier = TreeFrontier.Read(head.Size, head.Frontier).Append(entry.Leaf);
        return new Plan(new(request.Origin, head.Size, entry.Salt, entry.Detail, ""), detail, (frontier.Size, frontier.Root()), rows, from);
    }

    static void DemandTwo(Options options) => Demand(options.Administrators.Count >= 2, $"administrators: {Options.FileName} names no two; two of them sign a new origin");

    static (long Size, Digest Root) HeadOf(Guard live, string origin)
    {
        Demand(Options.IsOrigin(origin), $"{origin}: must be a name like gateway.example/ledger-2, without spaces or plus signs");
        Demand(live.Head.Size > 0, $"{live.Origin} has signed nothing: nobody is bound by it. Make the gateway anew with init");
        return live.Head;
    }

    // A year ends whole, under one head, and with that head as the witnesses have seen it: by it the next one is chained. Whatever ends otherwise must not look like it.
    static void DemandYearsEnd(Guard live, SqliteEngine engine, Options options)
    {
        var (signed, note) = (live.Head, live.NewestNote);
        using var reader = engine.Reader();
        var store = HeadTable.Read(reader);
        var again = "Start it, wait until `exchange-gateway admin witnesses` names nobody, and stop it cleanly";
        Demand(store.Size >= signed.Size && Tiles.Root(signed.Size, TileTable.ReaderOf(reader)) == signed.Root, $"{Succession.Year} is for the whole store of {live.Origin}, and this one is not what it signed at {signed.Size} entries. Put that one back; only if it is lost for good, go on with another code");
        Demand(store.Size == signed.Size, $"{Succession.Year}: the newest head of {live.Origin} has {signed.Size} entries, the store {store.Size}. {again}: a clean stop signs the last head");
        Demand(note?.Size == signed.Size, $"{Succession.Year}: the newest head of {live.Origin}, {signed.Size} entries, is not signed yet. {again}: a clean stop signs the last head");
        if (WitnessesOf(options) is { } witnesses)
            Demand(witnesses.IsQuorum(note!.Note), $"{Succession.Year}: the last head of {live.Origin}, {signed.Size} entries, waits for {string.Join(", ", witnesses.Peers.Where(p => !p.Signed(note.Note)).Select(p => p.Name))}. {again}: each is asked for the last head once more");
    }

    static WitnessSet? WitnessesOf(Options options)
    {
        try { return options.Witness?.Open(options.Origin, [.. CheckpointKeys.PublicOf(options)]); }
        catch (Exception e) when (e is FormatException or RefusedException or IOException or System.Security.Cryptography.CryptographicException) { throw new OptionsException([$"witness: {e.Message}"]); }
    }

    // Heads of one ledger continue each other, so the first that fits stands for all smaller ones.
    static long Common(Guard of, long size, TileReader tiles) =>
        of.Below(size).Prepend(new SignedHead(of.Head.Size, of.Head.Root)).FirstOrDefault(h => h.Size <= size && Tiles.Root(h.Size, tiles) == h.Root)?.Size ?? 0;

    // Whoever reads what it signed needs its keys when nobody signs with them any more.
    static string KeysOf(Guard live, Options options)
    {
        var known = (live.Succession?.Keys ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries).Concat(options.Keys.CheckpointFormer.Where(k => VerifierKey.Parse(k).Name == live.Origin));
        if (live.Origin == options.Origin) known = known.Concat(CheckpointKeys.PublicOf(options).Select(k => k.ToString()));
        var keys = string.Join('\n', known.Distinct());
        Demand(keys.Length > 0, $"no key of {live.Origin} can be read: put its public half into keys.checkpointFormer of {Options.FileName}, as it stands in the pins of any office");
        return keys;
    }

    // The place where the entry belongs, or the entry at its place, and nothing else.
    static void DemandFits(SqliteEngine engine, Plan plan)
    {
        using var reader = engine.Reader();
        var (head, leaf) = (HeadTable.Read(reader), new LedgerEntry(plan.Row.Salt, plan.Row.Detail).Leaf);
        var fits = head.Size == plan.Row.Place ? plan.Next.Size == 0 || TreeFrontier.Read(head.Size, head.Frontier).Append(leaf).Root() == plan.Next.Root : EntryTable.LeafAt(reader, plan.Row.Place) == leaf;
        if (!fits) throw new CannotStartException($"This is not the store with which {plan.Row.Origin} was begun ({plan.Row.Place} entries; this one has {head.Size}). Put that one back, or go on from this one with another new origin.");
    }

    static long SizeOf(SqliteEngine engine)
    {
        using var reader = engine.Reader();
        return HeadTable.Read(reader).Size;
    }

    static (Options Settings, byte[] Bytes, string Public) Keys(Options options, Plan plan, NewOriginRequest request)
    {
        if (options.Origin == request.Origin) return (options, [], "");
        var passphrase = CheckpointKeys.Passphrase(options);
        var former = plan.Ended.SelectMany(e => e.Keys.Split('\n')).ToList();
        var name = Convert.ToHexStringLower(Digest.Of(Encoding.UTF8.GetBytes(request.Origin)).ToArray()[..4]);
        (string File, NoteKeyType Type)[] files = [(Place(request.CheckpointKey, $"checkpoint-{name}.key"), NoteKeyType.Ed25519), (Place(request.SecondKey, $"checkpoint-mldsa-{name}.key"), NoteKeyType.MlDsa44Cosignature)];
        var made = new List<VerifierKey>();
        foreach (var (file, type) in files)
        {
            Demand(!file.StartsWith(Path.GetFullPath(request.Data) + Path.DirectorySeparatorChar, StringComparison.Ordinal), $"{file}: must not be inside the data folder; a backup would carry it");
            if (!File.Exists(file)) CheckpointKeys.Make(file, request.Origin, type, passphrase);
            using var key = LedgerKey.Load(file, passphrase, request.Origin);
            Demand(key.VerifierKey.Type == type, $"{file}: a key of another kind");
            // Whoever has the old key would sign for the new name as well.
            Demand(former.Select(VerifierKey.Parse).All(k => !k.PublicKey.Span.SequenceEqual(key.VerifierKey.PublicKey.Span)), $"{file}: this key signed for a ledger that ended: name a file that is not there, and a new key is made");
            made.Add(key.VerifierKey);
        }
        var (settings, bytes) = CheckpointKeys.Changed(request.Data, json =>
        {
            json["origin"] = request.Origin;
            var keys = json["keys"]!.AsObject();
            keys["checkpoint"] = files[0].File;
            keys["checkpointBeside"] = CheckpointKeys.Texts([files[1].File]);
            keys["checkpointFormer"] = CheckpointKeys.Texts([.. options.Keys.CheckpointFormer.Concat(former).Distinct()]);
        });
        return (settings, bytes, string.Join('\n', made));

        string Place(string? given, string beside) => Path.GetFullPath(given ?? Path.Combine(Path.GetDirectoryName(options.Keys.Checkpoint)!, beside));
    }

    static void Demand(bool holds, string what)
    {
        if (!holds) throw new OptionsException([what]);
    }
}

/// <summary>As an order to discard is written, for the same command to sign.</summary>
sealed record NewOriginOrder(int V, string Act, string Gateway, Guid[] Parcels, OperationSuccession Succession, string Code);

[System.Text.Json.Serialization.JsonSourceGenerationOptions(PropertyNamingPolicy = System.Text.Json.Serialization.JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[System.Text.Json.Serialization.JsonSerializable(typeof(NewOriginOrder))]
sealed partial class OrderJson : System.Text.Json.Serialization.JsonSerializerContext;
