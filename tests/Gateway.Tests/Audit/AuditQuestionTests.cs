using System.Text;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Audit;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;
using Microsoft.Data.Sqlite;

namespace Exchange.Tests.Audit;

/// <summary>Questions of auditors: what they may be, what each part of one does, and what is left of them in the ledger.</summary>
public sealed class AuditQuestionTests : IAsyncLifetime
{
    static readonly Digest Some = Digest.Of("some"u8);
    TestGateway gateway = null!;

    public async ValueTask InitializeAsync() => gateway = await TestGateway.Start();
    public async ValueTask DisposeAsync() => await gateway.DisposeAsync();

    Task<Answer> Get(string path, string auditor = "AUDIT-ALL") => TestGateway.Send(gateway.AsAuditor(auditor), HttpMethod.Get, path);

    async Task<List<JsonElement>> Entries(string query) => [.. (await Get("/audit/entries" + query)).Json.GetProperty("entries").EnumerateArray()];

    async Task<List<long>> Found(string query) => [.. (await Entries(query)).Select(e => e.GetProperty("index").GetInt64())];

    async Task Publish()
    {
        gateway.Clock.Advance(TimeSpan.FromMinutes(1));
        await gateway.Host.Loops.StepAll();
    }

    long Committed
    {
        get
        {
            using var reader = gateway.Host.Shared.Engine.Reader();
            return HeadTable.Read(reader).Size;
        }
    }

    long Published => gateway.Host.Shared.Ledger.Newest!.Size;

    Task Log(params LedgerDetail[] details)
    {
        var entries = details.Select(d => (Entry: LedgerEntry.Create(EntryDetails.Write(d)), d.EntryKind)).ToList();
        return gateway.Host.Shared.Journal.Commit(b => entries.Aggregate(b, (batch, e) => batch.Log(e.Entry, e.EntryKind)) is not null);
    }

    long Now => gateway.Clock.GetUtcNow().ToUnixTimeMilliseconds();

    ConsignmentDetail Consigned(string sender, string office, Guid envelope, Digest? key = null) => new(sender, envelope, Some, office, key ?? Some, Some) { Time = Now };

    List<AuditReadDetail> Looks()
    {
        using var reader = gateway.Host.Shared.Engine.Reader();
        return [.. EntryTable.Walk(reader).Where(e => e.Entry.Kind == EntryKind.AuditRead).Select(e => (AuditReadDetail)EntryDetails.Read(e.Secret!.Detail))];
    }

    [Fact]
    public async Task What_is_not_asked_as_the_interface_says_is_refused_and_leaves_no_look()
    {
        await Publish();
        var size = Published;
        foreach (var wrong in new[]
        {
            "entries?kind=dummy&kind=dummy", "entries?kind=", $"entries?office={new string('X', 201)}", "entries?from=-1", "entries?to=x", "entries?at=+1", "entries?limit=x", "entries?proofs=yes", "entries?verdict=maybe", "entries?certificate=x",
            "entries?dispatch=x", "entries?dispatch=0192F000-0000-7000-8000-00000000000A", "entries?dispatch=0192f00000007000800000000000000a", "refused?verdict=permit", "overdue?kind=delay",
            "details", $"details?at={size}", "details?first=0", $"details?at={size}&first=0&who=me", $"details?at={size}&first=0&count=1&who=me", $"details?at={size}&first=0&first=0", $"details?at={size}&first=x", $"details?at={size}&first=0&count=x", $"details?at={size}&first=0&count=1&count=1",
            $"details?at={size}&first=0&count=0", $"details?at={size}&first=0&count=65", $"details?at={size}&first=0&count=4294967297", $"details?at={size}&first=1", $"details?at={size}&first=72057594037927936",
            "counts?level=mat", "counts?limit=1", "counts?proofs=true", $"counts?at={size}", "counts?verdict=deny", "counts?after=x", "counts?dispatch=0192f000-0000-7000-8000-00000000000a", $"counts?certificate={Some}",
            "counts?from=172800000&to=86400000", "counts?from=0&to=34732800000",
        })
            Assert.True((await Get("/audit/" + wrong)).Code == "E_REQUEST", wrong);
        Assert.Empty(Looks());
        Assert.Equal(200, (await Get("/audit/counts?from=0&to=34646400000")).Status);
        Assert.Equal(200, (await Get($"/audit/details?at={size}&first=0&count=64")).Status);
    }

    [Fact]
    public async Task A_token_goes_on_with_its_own_question_only()
    {
        await Log([.. Enumerable.Range(0, 6).Select(_ => new DummyDetail { Time = Now })]);
        await Publish();
        var first = (await Get("/audit/entries?limit=2")).Json;
        var (at, next) = (first.GetProperty("at").GetInt64(), first.GetProperty("next").GetString()!);
        foreach (var more in new[] { "&kind=dummy", "&office=G22", "&from=1", "&to=99999999999999", "&dispatch=0192f000-0000-7000-8000-00000000000a", "&verdict=deny", "&level=mat", $"&certificate={Some}" })
            Assert.True((await Get($"/audit/entries?at={at}&after={next}{more}")).Code == "E_REQUEST", more);
        // Of the size that is the newest it is not taken either without its size; nor what was never a token; nor for what is under way.
        foreach (var wrong in new[] { $"entries?after={next}", $"entries?at={at}&after=AAAA", $"entries?at={at}&after={new string('!', next.Length)}", $"entries?at={at}&after={next}AAAA" }) Assert.True((await Get("/audit/" + wrong)).Code == "E_REQUEST", wrong);
        var delays = new AuditQuery { Canonical = "" };
        var auditor = Digest.Of(DevPkiFolder.AuditorTls("AUDIT-ALL").RawData);
        Assert.Equal("E_REQUEST", (await Get($"/audit/entries?at={at}&kind=delay&after={delays.Overdue().Token(0, at, auditor)}")).Code);
        Assert.Equal(200, (await Get($"/audit/overdue?at={at}&after={delays.Overdue().Token(0, at, auditor)}")).Status);
        Assert.Equal("E_REQUEST", (await Get($"/audit/entries?at={at}&after={delays.Token(-1, at, auditor)}")).Code);
        Assert.Equal(200, (await Get($"/audit/entries?at={at}&after={delays.Token(1, at, auditor)}")).Status);
    }

    [Fact]
    public async Task Each_part_of_a_question_narrows_what_is_found_in_the_order_of_the_ledger()
    {
        var (one, other, key) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Digest.Of("key"u8));
        await Publish();
        var (begin, from) = (Committed, Now);
        await Log(Consigned("H41", "G22", one), Consigned("G22", "H41", other), Consigned("H41", "G22", other, key), Consigned("G22", "G22", one), new RejectionDetail("G22", one, Some, "E_LABEL_CLASS", null) { Time = Now }, new BreakerDetail("H41", "https", "open") { Time = Now });
        gateway.Clock.Advance(TimeSpan.FromHours(1));
        var later = Now;
        await Log(Consigned("G22", "H14", one));
        await Publish();
        List<long> At(params long[] places) => [.. places.Select(p => begin + p)];
        // As sender and as whose copy it is, each once.
        Assert.Equal(At(0, 1, 2, 3, 4, 6), await Found("?office=G22"));
        Assert.Equal(At(0, 1, 2, 5), await Found("?office=H41"));
        Assert.Equal(At(0, 1, 2, 3, 6), await Found("?office=G22&kind=consignment"));
        Assert.Equal(At(4), await Found("?office=G22&verdict=deny"));
        Assert.Equal(At(0, 3, 4, 6), await Found($"?dispatch={one}"));
        Assert.Equal(At(0), await Found($"?dispatch={one}&office=H41"));
        Assert.Equal(At(0, 3, 6), await Found($"?dispatch={one}&kind=consignment"));
        Assert.Equal(At(4), await Found($"?dispatch={one}&verdict=deny"));
        Assert.Equal(At(2), await Found($"?certificate={key}"));
        Assert.Empty(await Found($"?dispatch={one}&certificate={key}"));
        Assert.Equal(At(2), await Found($"?dispatch={other}&certificate={key}"));
        Assert.Equal(At(4), (await Get("/audit/refused?office=G22")).Json.GetProperty("entries").EnumerateArray().Select(e => e.GetProperty("index").GetInt64()));
        Assert.Equal(At(6), await Found($"?office=G22&from={later}"));
        Assert.Equal(At(0, 1, 2, 3, 4), await Found($"?office=G22&from={from}&to={later}"));
        Assert.All(await Entries("?office=G22&proofs=false"), e => Assert.Equal(JsonValueKind.Null, e.GetProperty("proof").ValueKind));

        async Task<long> Count(string query) => (await Get("/audit/counts" + query)).Json.GetProperty("counts").EnumerateArray().Sum(c => c.GetProperty("count").GetInt64());
        Assert.Equal((5, 4, 4), (await Count("?office=G22&kind=consignment"), await Count("?office=H41"), await Count("?office=H41&kind=consignment") + await Count("?office=H41&kind=breaker")));
        // Days, both ends of which are asked.
        gateway.Clock.Advance(TimeSpan.FromDays(1));
        await Log(Consigned("G22", "H41", Guid.CreateVersion7()));
        await Publish();
        Assert.Equal((6, 5, 1), (await Count("?office=G22&kind=consignment"), await Count($"?office=G22&kind=consignment&to={later}"), await Count($"?office=G22&kind=consignment&from={later + 86_400_000}")));
    }

    [Fact]
    public async Task No_answer_leaves_before_its_look_is_committed()
    {
        await using var slow = await TestGateway.Start(journal: new JournalOptions { MaxWaiting = 16 });
        await slow.Host.Loops.StepAll();
        var (size, auditor) = (slow.Host.Shared.Ledger.Newest!.Size, slow.AsAuditor("AUDIT-ALL"));
        Assert.Equal(200, (await TestGateway.Send(auditor, HttpMethod.Get, "/audit/entries")).Status);
        // The writer stands still, and no more may wait for it.
        using var stands = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        List<Task> waiting = [slow.Host.Shared.Journal.Commit(_ => { stands.Set(); go.Wait(); return true; })];
        stands.Wait();
        try
        {
            do waiting.Add(slow.Host.Shared.Journal.Commit(_ => true));
            while (!waiting[^1].IsFaulted);
            foreach (var path in new[] { "entries", "refused", "overdue", "counts", $"details?at={size}&first=0" }) Assert.Equal((503, "E_BUSY"), (await TestGateway.Send(auditor, HttpMethod.Get, "/audit/" + path)) is var answer ? (answer.Status, answer.Code) : default);
        }
        finally { go.Set(); }
        await Task.WhenAll(waiting[..^1]);
    }

    [Fact]
    public async Task Each_kind_of_look_counts_and_says_what_it_asked_and_was_given()
    {
        await using var narrow = await TestGateway.Start(l => l with { AuditLooksPerHour = 1 });
        await narrow.Host.Loops.StepAll();
        foreach (var path in new[] { "entries", "counts", $"details?at={narrow.Host.Shared.Ledger.Newest!.Size}&first=0" })
        {
            Assert.Equal(200, (await TestGateway.Send(narrow.AsAuditor("AUDIT-ALL"), HttpMethod.Get, "/audit/" + path)).Status);
            Assert.Equal("E_TOO_MANY", (await TestGateway.Send(narrow.AsAuditor("AUDIT-ALL"), HttpMethod.Get, "/audit/" + path)).Code);
            narrow.Clock.Advance(TimeSpan.FromHours(1));
        }

        await Log([.. Enumerable.Range(0, 600).Select(_ => new DummyDetail { Time = Now })]);
        await Publish();
        var size = Published;
        var open = Encoding.UTF8.GetString((await Get($"/audit/details?first=2&at={size}", "AUDIT-MAT")).Body).Split('\n', StringSplitOptions.RemoveEmptyEntries).Count(l => l != "withheld");
        await Get("/audit/counts", "AUDIT-MAT");
        Assert.Equal([(Digest.Of(Encoding.UTF8.GetBytes($"/audit/details\nat={size}\ncount=1\nfirst=2")), size, open), (Digest.Of("/audit/counts"u8), size, (await Get("/audit/counts", "AUDIT-MAT")).Json.GetProperty("counts").GetArrayLength())],
            Looks().Take(2).Select(l => (l.Query, l.Size, (int)l.Given)));
        Assert.True(size - 512 > open);

        // Proofs from several tiles, a page of which needs more than one.
        var head = gateway.Host.Shared.Ledger.Newest!;
        foreach (var entry in await Entries($"?at={size}&proofs=true"))
            Assert.True(MerkleTree.VerifyInclusion(Read(entry.GetProperty("leaf")), entry.GetProperty("index").GetInt64(), size, [.. entry.GetProperty("proof").EnumerateArray().Select(Read)], head.Root));

        static Digest Read(JsonElement text) => Digest.TryParse(text.GetString(), out var digest) ? digest : default;
    }

    [Fact]
    public async Task In_a_bundle_of_an_older_tree_an_erasure_that_it_does_not_hold_is_withheld()
    {
        await Log(new DummyDetail { Time = Now });
        await Publish();
        var (older, dummy) = (Published, (await Found("?kind=dummy")).Single());
        var told = new ToldEntry { Seq = dummy, Leaf = Some, Detail = [] };
        var says = LedgerEntry.Create(new ErasedDetail(dummy, "RETENTION", Some) { Time = Now });
        Assert.True(await gateway.Host.Shared.Journal.Commit(b => ErasureTable.Erase(b, told) && b.Log(says, EntryKind.Erased) is not null));
        await Publish();
        async Task<string> Line(long at) => Encoding.UTF8.GetString((await Get($"/audit/details?at={at}&first=0")).Body).Split('\n')[dummy];
        Assert.Equal("withheld", await Line(older));
        Assert.StartsWith("erased ", await Line(Published), StringComparison.Ordinal);

        // An index that is made anew, from a store that has forgotten what it was about, shows it to nobody else either.
        using var again = new FillIndex(gateway.Host.Shared.Engine, Path.Combine(gateway.Data, "audit", "again.db"));
        Assert.True(again.Fill(1000));
        Assert.Equal(AuditIndex.Top, Assert.Single(again.Index.All(dummy, dummy + 1)).Audience);
    }

    [Fact]
    public async Task An_index_that_lacks_an_entry_shifts_none_and_one_that_is_behind_answers_nothing()
    {
        await Publish();
        Assert.Equal(200, (await Get($"/audit/details?at={Published}&first=0")).Status);
        using (var index = new SqliteConnection($"Data Source={Path.Combine(gateway.Data, "audit", "index.db")};Pooling=False"))
        {
            index.Open();
            using var command = index.CreateCommand();
            command.CommandText = "DELETE FROM about WHERE seq = 0";
            Assert.Equal(1, command.ExecuteNonQuery());
        }
        Assert.Equal((503, "E_BUSY"), (await Get($"/audit/details?at={Published}&first=0")) is var answer ? (answer.Status, answer.Code) : default);

        // More than one question fills in; and of so many that do not fit, none goes on for ever.
        for (var i = 0; i < 21; i++) await Log([.. Enumerable.Range(0, 1000).Select(_ => new BreakerDetail("H41", "https", "open") { Time = Now })]);
        Assert.Equal("E_BUSY", (await Get("/audit/entries")).Code);
        await Publish();
        var page = (await Get($"/audit/entries?office=H41&kind=submission&at={Published}")).Json;
        Assert.Equal(0, page.GetProperty("entries").GetArrayLength());
        var pages = 1;
        for (; page.GetProperty("next").GetString() is { } next; pages++) page = (await Get($"/audit/entries?office=H41&kind=submission&at={Published}&after={next}")).Json;
        Assert.Equal(3, pages);
    }

    [Fact]
    public async Task What_was_refused_asked_or_held_is_protected_by_the_label_that_was_decided_on()
    {
        async Task<string[]> Kinds(Guid dispatch, string auditor) => [.. (await Get($"/audit/entries?dispatch={dispatch}", auditor)).Json.GetProperty("entries").EnumerateArray().Select(e => e.GetProperty("kind").GetString()!)];
        static Header Header(SealedEnvelope envelope) => EnvelopeFile.PeekUnverified(envelope.Parts.Header);

        var label = JsonSerializer.Serialize(gateway.Host.Shared.Worlds.Current.Policy.NewLabel("mat", "test-basis"), JsonSerializerOptions.Web);
        Assert.Equal(200, (await TestGateway.Send(gateway.As("G22"), HttpMethod.Post, "/dispatches/dry-run", Encoding.UTF8.GetBytes($$"""{"label":{{label}},"recipients":[{"office":"H41","role":"to"}],"approvals":["signatory"]}"""))).Status);
        // H14 is not cleared for it: refused, and never more than that.
        var (refused, refusedFile) = await gateway.SealFile("H14", "mat");
        Assert.Equal(403, (await gateway.Submit(refusedFile)).Status);
        // Under the name of one that anybody may see, something that he may not.
        var (plain, plainFile) = await gateway.SealFile("H41");
        Assert.Equal(201, (await gateway.Submit(plainFile)).Status);
        var (_, secret) = await gateway.SealFile("H41", "tuyet-mat", r => r with { Id = Header(plain).Id });
        Assert.NotEqual(201, (await gateway.Submit(secret)).Status);
        var (held, heldFile) = await gateway.SealFile("H41", "toi-mat");
        Assert.Equal(202, (await gateway.Submit(heldFile)).Status);
        var (id, ctx) = (Header(held).Id, held.Ctx);
        await Log(new RejectionDetail("G22", id, ctx, "E_RECALLED", null) { Time = Now }, new RejectionDetail("G22", id, Some, "E_SAME_ID", null) { Time = Now });
        await Publish();

        Assert.NotEqual(0, (await Get("/audit/entries?kind=start", "AUDIT-MAT")).Json.GetProperty("entries").GetArrayLength());
        Assert.Single((await Get("/audit/entries?kind=dry-run", "AUDIT-MAT")).Json.GetProperty("entries").EnumerateArray());
        Assert.Equal(["rejection"], await Kinds(Header(refused).Id, "AUDIT-MAT"));
        Assert.DoesNotContain("rejection", await Kinds(Header(plain).Id, "AUDIT-MAT"));
        Assert.Contains("rejection", await Kinds(Header(plain).Id, "AUDIT-ALL"));
        Assert.Equal(["hold", "rejection", "rejection"], await Kinds(id, "AUDIT-ALL"));
        Assert.Empty(await Kinds(id, "AUDIT-MAT"));

        // Cleared for the level and not for everything: what is said of another envelope of this name is not for him.
        await gateway.Appoint(a => [.. a.Select(one => one.Code == "AUDIT-MAT" ? one with { Clearance = one.Clearance with { Classes = [10, 20, 30] } } : one)]);
        Assert.Equal(["hold", "rejection"], await Kinds(id, "AUDIT-MAT"));
    }
}
