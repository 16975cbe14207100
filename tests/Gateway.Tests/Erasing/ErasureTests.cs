using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Store;
using Exchange.Tests.Handling;
using Exchange.Tests.Http;
using Exchange.Tests.Recalling;
using Exchange.Tests.Relabelling;

namespace Exchange.Tests.Erasing;

/// <summary>After an erasure nothing of the dispatch is left, nobody is told anything of it, and everything that was ever proven still is.</summary>
public sealed class ErasureTests : IAsyncLifetime
{
    TestGateway gateway = null!;

    public async ValueTask InitializeAsync() => gateway = await Erasure.Start();
    public async ValueTask DisposeAsync() => await gateway.DisposeAsync();

    static Guid Id(SealedEnvelope envelope) => Erasure.HeaderOf(envelope).Id;

    async Task<int> Say(SealedEnvelope envelope, string office, string what, byte[] der) =>
        (await TestGateway.Send(gateway.As(office), HttpMethod.Post, $"/mailbox/{await gateway.Parcel(envelope, office)}/{what}", der)).Status;

    async Task Delivered(SealedEnvelope envelope, params string[] offices)
    {
        foreach (var office in offices)
        {
            Assert.Equal(200, (await gateway.Fetch(envelope, office)).Status);
            Assert.Equal(201, await Say(envelope, office, "receipts", OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover, office)));
            Assert.Equal(201, await Say(envelope, office, "receipts", OfficeReceipts.Sign(envelope, ReceiptEvent.ContentOpening, office)));
            Assert.Equal(201, await Say(envelope, office, "statuses", Status.Sign(envelope, 1, HandlingCode.Registered, office)));
        }
    }

    /// <summary>Accepted and delivered, with all that can be said about one.</summary>
    async Task<(SealedEnvelope Envelope, byte[] File)> Sent(string to, string level, int size)
    {
        var (envelope, file) = await gateway.SealFile(to, level, size: size);
        var answer = await gateway.Submit(file);
        Assert.True(answer.Status == 201, answer.Text);
        await Delivered(envelope, to.Split(','));
        return (envelope, file);
    }

    IReadOnlyList<Gateway.Store.Finding> Findings() => StoreCheck.Run(gateway.Host.Shared.Engine, gateway.Host.Shared.Blobs, []);

    List<(EntryRow Entry, EntrySecret? Secret)> Entries()
    {
        using var reader = gateway.Host.Shared.Engine.Reader();
        return [.. EntryTable.Walk(reader)];
    }

    [Fact]
    public async Task Not_a_byte_of_payload_salt_or_detail_is_left_in_the_data_folder_or_in_an_export()
    {
        // One with a payload of its own, a label that was raised and lowered, and two offices; one whose payload stands in its row; one that was held, and refused by a person; and a neighbour that stays.
        var (large, largeFile) = await Sent("H37,H41", "mat", 100_000);
        var label = new Relabel(gateway, large, largeFile);
        Assert.Equal(201, (await label.Say(await label.Change(LabelAct.Label, "toi-mat"))).Status);
        var (small, smallFile) = await Sent("H41", "thuong", 1000);
        var (held, heldFile) = await gateway.SealFile("H41", "toi-mat");
        Assert.Equal(202, (await gateway.Submit(heldFile)).Status);
        Assert.Equal(201, (await TestGateway.Send(gateway.As("G22"), HttpMethod.Post, $"/dispatches/{Id(held)}/approvals", gateway.Word(held, "release-1", ApprovalAct.Refuse))).Status);
        var (kept, keptFile) = await Sent("H41", "thuong", 30_000);
        var before = await Erasure.Export(gateway);
        List<Erasure.Canary> gone = [.. Erasure.Canaries(gateway, large, largeFile), .. Erasure.Canaries(gateway, small, smallFile), .. Erasure.Canaries(gateway, held, heldFile).Where(c => !c.Name.StartsWith("payload", StringComparison.Ordinal))];
        var stays = Erasure.Canaries(gateway, kept, keptFile);
        var (proven, leaf) = Proof(large);
        // The scan finds each of them while it is there: in the store, its log or a blob, and salts and details in the export.
        var found = Erasure.Found(gone, Erasure.Folders(gateway));
        Assert.Equal(gone.Select(c => c.Name).Where(n => !n.StartsWith(Erasure.Spelled, StringComparison.Ordinal)).Order(StringComparer.Ordinal), found.Where(n => !n.StartsWith(Erasure.Spelled, StringComparison.Ordinal)));
        Assert.Contains(found, n => n.StartsWith(Erasure.Spelled, StringComparison.Ordinal));
        Assert.Contains(Erasure.Found(gone, [], before.All), n => n.StartsWith("detail", StringComparison.Ordinal));
        Assert.True(gone.Count > 60);

        var entries = Entries();
        Assert.Equal($"3 erased, {Erasure.Basis}; nothing of them is left in this data folder. Backups, receipts, evidence files and exports that were given out still hold them.",
            await gateway.Give(Erasure.Order(gateway, null, large, small, held)));

        Assert.Empty(Erasure.Found(gone, Erasure.Folders(gateway)));
        var after = await Erasure.Export(gateway);
        Assert.Empty(Erasure.Found(gone, Erasure.Folders(gateway), after.All));
        Assert.Equal(stays.Select(c => c.Name).Order(StringComparer.Ordinal).Where(n => !n.StartsWith(Erasure.Spelled, StringComparison.Ordinal)), Erasure.Found(stays, Erasure.Folders(gateway)).Where(n => !n.StartsWith(Erasure.Spelled, StringComparison.Ordinal)));
        Assert.Empty(Findings());

        // The tree is what it was and grew; as many entries say erased as have lost their salt and detail; a head, a proof and an export of before still hold.
        var now = Entries();
        Assert.Equal(entries.Select(e => e.Entry), now.Take(entries.Count).Select(e => e.Entry));
        var erased = now.Where(e => e.Secret is null).Select(e => e.Entry.Seq).ToList();
        Assert.Equal(erased, now.Where(e => e.Secret is not null).Select(e => EntryDetails.Read(e.Secret!.Detail)).OfType<ErasedDetail>().Select(d => d.Entry).Order());
        Assert.Equal(0, before.Check(gateway).ExitCode);
        var findings = after.Check(gateway, before.Newest);
        Assert.True(findings.ExitCode == 0, string.Join('\n', findings.All.Where(f => f.Kind != FindingKind.Good)));
        Assert.Contains(findings.All, f => f.Detail.Contains($"{erased.Count} erased and said so", StringComparison.Ordinal));
        Assert.True(MerkleTree.VerifyInclusion(leaf, proven.Index, proven.Size, proven.Proof, gateway.Host.Shared.Ledger.Notes!.Of(proven.Size) is { } note ? RootOf(note.Note) : default));

        await gateway.Restart();      // refuses to start when a promise is not kept
        Assert.Empty(Erasure.Found(gone, Erasure.Folders(gateway)));
    }

    (InclusionProof Proof, Digest Leaf) Proof(SealedEnvelope envelope)
    {
        using var reader = gateway.Host.Shared.Engine.Reader();
        var leaf = ReceiptTable.Acceptance(reader, "G22", Id(envelope))!.Leaf;
        return (gateway.Host.Shared.Ledger.Inclusion(leaf, gateway.Host.Shared.Ledger.Newest!.Size)!, leaf);
    }

    Digest RootOf(string note)
    {
        using var equipment = Gateway.Operations.Equipment.Open(gateway.Data, gateway.Host.Shared.Options, gateway.Clock);
        return Checkpoint.OpenBoth(System.Text.Encoding.UTF8.GetBytes(note), equipment.Checkpoint.VerifierKeys, gateway.Host.Shared.Options.Origin).Root;
    }

    [Fact]
    public async Task Whoever_asks_hears_that_it_was_erased_and_nothing_is_written_down_about_it_any_more()
    {
        var (envelope, file) = await Sent("H41", "thuong", 1000);
        var (id, parcel, sender, recipient) = (Id(envelope), await gateway.Parcel(envelope, "H41"), gateway.As("G22"), gateway.As("H41"));
        var label = new Relabel(gateway, envelope, file);
        var change = label.Sign(await label.Change(LabelAct.Label, "mat"));
        Assert.StartsWith("1 erased", await gateway.Give(Erasure.Order(gateway, null, envelope)), StringComparison.Ordinal);
        var entries = Entries().Count;

        foreach (var (client, method, path, body) in new (HttpClient, HttpMethod, string, byte[]?)[]
        {
            (sender, HttpMethod.Get, $"/dispatches/{id}/receipts", null), (sender, HttpMethod.Get, $"/dispatches/{id}/header", null), (sender, HttpMethod.Get, $"/dispatches/{id}/labels", null),
            (sender, HttpMethod.Get, $"/dispatches/{id}/statuses", null), (sender, HttpMethod.Post, $"/dispatches/{id}/labels", change), (sender, HttpMethod.Post, "/dispatches", file),
            (recipient, HttpMethod.Get, $"/mailbox/{parcel}", null), (recipient, HttpMethod.Get, $"/mailbox/{parcel}/receipt", null), (recipient, HttpMethod.Get, $"/mailbox/{parcel}/labels", null),
            (recipient, HttpMethod.Get, $"/mailbox/{parcel}/statuses", null), (recipient, HttpMethod.Post, $"/mailbox/{parcel}/statuses", Status.Sign(envelope, 2, HandlingCode.Done)),
            (recipient, HttpMethod.Post, $"/mailbox/{parcel}/receipts", OfficeReceipts.Sign(envelope, ReceiptEvent.ContentOpeningFailure, code: "E_CANNOT_OPEN")),
        })
        {
            var answer = await TestGateway.Send(client, method, path, body);
            Assert.True((answer.Status, answer.Code) == (410, "E_PAYLOAD_ERASED"), $"{method} {path}: {answer.Status} {answer.Code}");
        }
        foreach (var path in new[] { $"/dispatches/{id}", "/dispatches" })
        {
            var json = (await TestGateway.Send(sender, HttpMethod.Get, path)).Json;
            var told = path == "/dispatches" ? json.GetProperty("dispatches")[0] : json;
            Assert.Equal(("erased", 0), (told.GetProperty("state").GetString(), told.GetProperty("copies").GetArrayLength()));
        }
        Assert.Equal(0, (await TestGateway.Send(sender, HttpMethod.Get, "/statuses")).Json.GetProperty("statuses").GetArrayLength());
        Assert.Equal(404, (await TestGateway.Send(gateway.As("H37"), HttpMethod.Get, $"/dispatches/{id}/receipts")).Status);
        Assert.Equal(entries, Entries().Count);

        // Its name stays taken: something else under it is refused, and that refusal is on record as any other.
        var (other, otherFile) = await gateway.SealFile("H41", change: r => r with { Id = id });
        Assert.Equal("E_SAME_ID", (await gateway.Submit(otherFile)).Code);
        Assert.Equal(entries + 1, Entries().Count);
        Assert.Empty(Findings());
        _ = other;
    }

    [Fact]
    public async Task What_was_said_while_it_was_being_erased_is_not_filed_behind_it()
    {
        var (envelope, _) = await Sent("H41", "thuong", 1000);
        var shared = gateway.Host.Shared;
        using var reader = shared.Engine.Reader();
        var row = DispatchTable.Read(reader, "G22", Id(envelope))!;
        Assert.StartsWith("1 erased", await gateway.Give(Erasure.Order(gateway, null, envelope)), StringComparison.Ordinal);
        // A worker that lost its lease long ago reports now.
        var copy = ParcelTable.OfDispatch(reader, "G22", row.Id).Single();
        var entries = Entries().Count;
        var settle = new Gateway.Delivery.SettleAttempt(shared, new Gateway.Release.EndParcel(shared), new Gateway.Delivery.ReportChannel(shared, new Gateway.Queue.OfficeStates(shared.Options.Queue)));
        var ended = new Gateway.Delivery.EndedAttempt(new ClaimedJob { Parcel = copy.Id, Office = "H41", Class = 1, Fence = 1, Attempt = 1, Channel = "https", Ask = false },
            new Gateway.Release.FoundParcel(copy, row, Erasure.HeaderOf(envelope), null!, default) { Label = null!, StoppedFor = null }, gateway.Clock.GetUtcNow(), AttemptOutcome.TryLater, "");
        await settle.Again(ended, gateway.Clock.GetUtcNow(), ask: false);
        Assert.Equal(entries, Entries().Count);
        Assert.Empty(Findings());
    }

    [Fact]
    public async Task What_is_still_owed_stays_and_an_order_is_carried_out_whole_or_not_at_all()
    {
        var (ended, _) = await Sent("H41", "thuong", 1000);
        var (waiting, _) = await gateway.SealFile("H41");
        var (held, heldFile) = await gateway.SealFile("H41", "toi-mat");
        Assert.Equal(202, (await gateway.Submit(heldFile)).Status);
        var (owed, owedFile) = await gateway.SealFile("H41,H37");
        Assert.Equal(201, (await gateway.Submit(owedFile)).Status);
        await Delivered(owed, "H41");
        var entries = Entries().Count(e => e.Entry.Kind != EntryKind.Start);
        foreach (var (other, why) in new[] { (waiting, "E_NOT_FOUND"), (held, "it is held"), (owed, "a copy is still under way") })
            Assert.Contains(why, await gateway.Give(Erasure.Order(gateway, null, ended, other)), StringComparison.Ordinal);
        // Nor without two administrators of this gateway, nor by another act.
        Assert.Contains("E_OTHER_GATEWAY", await gateway.Give(Erasure.Order(gateway, o => o with { Gateway = "other/ledger" }, ended)), StringComparison.Ordinal);
        Assert.Contains("E_REQUEST", await gateway.Give(Erasure.Order(gateway, o => o with { Act = "forget" }, ended)), StringComparison.Ordinal);
        Assert.Contains("E_REQUEST", await gateway.Give(Erasure.Order(gateway, o => o with { Act = OperationStatement.Discard }, ended)), StringComparison.Ordinal);
        Assert.Equal(entries, Entries().Count(e => e.Entry.Kind != EntryKind.Start));
        Assert.Equal(200, (await gateway.Fetch(ended, "H41")).Status);

        // The last copy has ended: now it may go. Again is harmless, and says so.
        await Delivered(owed, "H37");
        var order = Erasure.Order(gateway, null, ended, owed);
        Assert.StartsWith("2 erased", await gateway.Give(order), StringComparison.Ordinal);
        entries = Entries().Count;
        Assert.StartsWith($"0 erased, {Erasure.Basis}; 2 had been before", await gateway.Give(order), StringComparison.Ordinal);
        Assert.Equal(entries, Entries().Count);
        Assert.Empty(Findings());
    }

    [Fact]
    public async Task An_update_goes_before_what_it_updates_and_neither_takes_the_others_payload_along()
    {
        var (original, file) = await gateway.SendKept("H41", "H14,H37", size: 100_000);
        await Delivered(original, "H41");
        var update = await gateway.Update(original, "H14");
        Assert.Contains("under way", await gateway.Give(Erasure.Order(gateway, null, update)), StringComparison.Ordinal);
        await Delivered(update, "H14");
        Assert.Contains(ErasureTable.Updated, await gateway.Give(Erasure.Order(gateway, null, original)), StringComparison.Ordinal);
        var (gone, stays) = (Erasure.Canaries(gateway, update, file).Where(c => !c.Name.StartsWith("payload", StringComparison.Ordinal)).ToList(), Erasure.Canaries(gateway, original, file));
        Assert.StartsWith("1 erased", await gateway.Give(Erasure.Order(gateway, null, update)), StringComparison.Ordinal);
        Assert.Empty(Erasure.Found(gone, Erasure.Folders(gateway)));
        Assert.Contains(Erasure.Found(stays, Erasure.Folders(gateway)), n => n.StartsWith("payload", StringComparison.Ordinal));
        Assert.Equal(file, (await gateway.Fetch(original, "H41")).Body);
        // Somebody else may still get it; and then both go by one order, whichever it names first.
        var second = await gateway.Update(original, "H37", 2);
        await Delivered(second, "H37");
        Assert.StartsWith("2 erased", await gateway.Give(Erasure.Order(gateway, null, original, second)), StringComparison.Ordinal);
        Assert.Empty(Erasure.Found(stays, Erasure.Folders(gateway)));
        Assert.Equal("E_RECALL_TARGET", (await gateway.Hand(gateway.Reseal(original, "H37", 3))).Code);
        Assert.Empty(Findings());
    }

    [Fact]
    public async Task A_reader_keeps_the_log_and_it_is_pending_until_he_has_done()
    {
        var (envelope, file) = await Sent("H41", "thuong", 1000);
        var canaries = Erasure.Canaries(gateway, envelope, file);
        using (var reader = gateway.Host.Shared.Engine.Reader().Snapshot())
        {
            HeadTable.Read(reader);
            Assert.Contains("pending", await gateway.Give(Erasure.Order(gateway, null, envelope)), StringComparison.Ordinal);
            Assert.NotEmpty(Erasure.Found(canaries, Erasure.Folders(gateway)));
        }
        await gateway.Host.Loops.StepAll();
        Assert.Empty(Erasure.Found(canaries, Erasure.Folders(gateway)));
    }

    [Fact]
    public async Task What_stays_pending_for_an_hour_is_alarmed_until_it_is_over()
    {
        var ((first, _), (second, _)) = (await Sent("H41", "thuong", 1000), await Sent("H41", "thuong", 1000));
        (int Begun, int Over) Told() => (gateway.Alarms.Raised.Count(a => a.Code == AlarmCode.ErasurePending), gateway.Alarms.Raised.Count(a => a is { Code: AlarmCode.Over, Detail: nameof(AlarmCode.ErasurePending) }));
        async Task Pass(int minutes)
        {
            gateway.Clock.Advance(TimeSpan.FromMinutes(minutes));
            await gateway.Host.Loops.StepAll();
        }

        await Pass(120);
        using (var reader = gateway.Host.Shared.Engine.Reader().Snapshot())
        {
            HeadTable.Read(reader);
            Assert.Contains("pending", await gateway.Give(Erasure.Order(gateway, null, first)), StringComparison.Ordinal);
            await Pass(40);
            // What joins it does not let it wait anew.
            Assert.Contains("pending", await gateway.Give(Erasure.Order(gateway, null, second)), StringComparison.Ordinal);
            Assert.Equal((0, 0), Told());
            await Pass(25);
            await Pass(25);
            Assert.Equal((1, 0), Told());
            Assert.True(gateway.Host.Shared.OldPages.For > TimeSpan.FromMinutes(89));
        }
        await Pass(1);
        Assert.Equal(((1, 1), TimeSpan.Zero), (Told(), gateway.Host.Shared.OldPages.For));
    }

    [Fact]
    public async Task What_the_policy_lets_nobody_keep_longer_goes_by_itself_and_not_before_the_level_in_force_says_so_too()
    {
        await gateway.Handle("thuong", h => h with { PayloadDays = 1, DetailDays = 2 });
        var (plain, plainFile) = await Sent("H41", "thuong", 20_000);
        var (raised, raisedFile) = await Sent("H41", "thuong", 1000);
        var label = new Relabel(gateway, raised, raisedFile);
        Assert.Equal(201, (await label.Say(await label.Change(LabelAct.Label, "mat"))).Status);
        var (waiting, waitingFile) = await gateway.SealFile("H41,H37", change: r => r with { Times = r.Times with { Expires = gateway.Clock.GetUtcNow().AddDays(20).ToUnixTimeMilliseconds() } });
        Assert.Equal(201, (await gateway.Submit(waitingFile)).Status);
        await Delivered(waiting, "H41");
        var canaries = Erasure.Canaries(gateway, plain, plainFile);
        async Task<string[]> States()
        {
            await gateway.Host.Loops.StepAll();
            List<string> states = [];
            foreach (var envelope in new[] { plain, raised, waiting }) states.Add((await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{Id(envelope)}")).Json.GetProperty("state").GetString()!);
            return [.. states];
        }
        gateway.Clock.Advance(TimeSpan.FromHours(47));
        Assert.Equal(["delivered", "delivered", "accepted"], await States());
        Assert.NotEmpty(Erasure.Found(canaries, Erasure.Folders(gateway)));
        gateway.Clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(["erased", "delivered", "accepted"], await States());
        Assert.Empty(Erasure.Found(canaries, Erasure.Folders(gateway)));
        var said = Entries().Where(e => e.Entry.Kind == EntryKind.Erased).Select(e => (ErasedDetail)EntryDetails.Read(e.Secret!.Detail)).ToList();
        Assert.All(said, s => Assert.Equal(("RETENTION", gateway.Host.Shared.Worlds.Current.Policy.Ref), (s.Basis, s.Operation)));
        Assert.NotEmpty(said);
        // The level that it bears by now says three days; the other office has still not fetched its copy.
        await gateway.Govern(p => p with { Levels = [.. p.Levels.Select(l => l.Code is "thuong" or "mat" ? l with { Handling = l.Handling with { PayloadDays = 1, DetailDays = l.Code == "mat" ? 3 : 2 } } : l)] });
        Assert.Equal(["erased", "delivered", "accepted"], await States());
        gateway.Clock.Advance(TimeSpan.FromHours(24));
        Assert.Equal(["erased", "erased", "accepted"], await States());
        Assert.Empty(Findings());
    }

    [Fact]
    public async Task A_compacted_store_gives_back_the_room_and_keeps_every_promise()
    {
        var dispatches = new List<(SealedEnvelope Envelope, byte[] File)>();
        for (var i = 0; i < 6; i++) dispatches.Add(await Sent("H41", "thuong", 8000));
        var canaries = dispatches.Take(4).SelectMany(d => Erasure.Canaries(gateway, d.Envelope, d.File)).ToList();
        Assert.StartsWith("4 erased", await gateway.Give(Erasure.Order(gateway, null, [.. dispatches.Take(4).Select(d => d.Envelope)])), StringComparison.Ordinal);
        var exported = await Erasure.Export(gateway);
        await gateway.Host.DisposeAsync();
        var (before, after) = CompactStore.Run(DataFolder.DatabaseIn(gateway.Data));
        Assert.True(after < before - 4 * 16_000, $"{before} → {after}");
        Assert.Empty(Erasure.Found(canaries, Erasure.Folders(gateway)));
        Assert.Equal(["exchange.db"], Directory.GetFiles(Path.Combine(gateway.Data, "store")).Select(Path.GetFileName));
        await gateway.Restart();
        Assert.Empty(Findings());
        Assert.Equal(dispatches[5].File, (await gateway.Fetch(dispatches[5].Envelope, "H41")).Body);
        Assert.Equal(410, (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{Id(dispatches[0].Envelope)}/receipts")).Status);
        Assert.Equal(0, (await Erasure.Export(gateway)).Check(gateway, exported.Newest).ExitCode);
    }
}
