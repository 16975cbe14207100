using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;
using Exchange.Tests.Relabelling;
using Microsoft.Data.Sqlite;

namespace Exchange.Tests.Audit;

public sealed class AuditReadTests : IAsyncLifetime
{
    TestGateway gateway = null!;

    public async ValueTask InitializeAsync() => gateway = await TestGateway.Start();
    public async ValueTask DisposeAsync() => await gateway.DisposeAsync();

    static Task<Answer> Get(HttpClient client, string path) => TestGateway.Send(client, HttpMethod.Get, path);

    async Task Publish()
    {
        gateway.Clock.Advance(TimeSpan.FromMinutes(1));
        await gateway.Host.Loops.StepAll();
    }

    async Task<List<JsonElement>> All(HttpClient auditor, string query, int limit = 500)
    {
        List<JsonElement> found = [];
        long? at = null;
        for (string? next = null; ;)
        {
            var answer = await Get(auditor, $"/audit/entries?limit={limit}{query}{(at is null ? "" : $"&at={at}")}{(next is null ? "" : $"&after={next}")}");
            Assert.True(answer.Status == 200, answer.Text);
            at = answer.Json.GetProperty("at").GetInt64();
            found.AddRange(answer.Json.GetProperty("entries").EnumerateArray());
            if ((next = answer.Json.GetProperty("next").GetString()) is null) return found;
        }
    }

    static LedgerDetail Detail(JsonElement entry) => EntryDetails.Read(Base64Url.DecodeFromChars(entry.GetProperty("detail").GetString()));

    static Guid Id(SealedEnvelope envelope) => EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id;

    List<AuditReadDetail> Looks()
    {
        using var reader = gateway.Host.Shared.Engine.Reader();
        return [.. EntryTable.Walk(reader).Where(e => e.Entry.Kind == EntryKind.AuditRead).Select(e => (AuditReadDetail)EntryDetails.Read(e.Secret!.Detail))];
    }

    [Fact]
    public async Task He_sees_what_he_is_cleared_for_with_proof_and_nothing_tells_of_the_rest()
    {
        var (plain, file) = await gateway.SealFile("H41");
        var (mat, matFile) = await gateway.SealFile("H41", "mat");
        Assert.Equal((201, 201), ((await gateway.Submit(file)).Status, (await gateway.Submit(matFile)).Status));
        await Publish();
        var (low, high) = (gateway.AsAuditor("AUDIT-MAT"), gateway.AsAuditor("AUDIT-ALL"));
        var before = await Seen(low);
        // T12: a Tuyệt mật one, refused, and a Tối mật one, held.
        var (secret, secretFile) = await gateway.SealFile("H41", "tuyet-mat");
        var (held, heldFile) = await gateway.SealFile("H41", "toi-mat");
        var denied = await gateway.Submit(secretFile);
        Assert.True(denied.Status == 403, denied.Text);
        Assert.Equal(202, (await gateway.Submit(heldFile)).Status);
        await Publish();
        Assert.Equal(before, await Seen(low));
        Assert.Empty(await All(low, $"&dispatch={Id(secret)}"));
        Assert.Empty(await All(low, $"&dispatch={Id(held)}"));
        Assert.Equal("rejection", Assert.Single(await All(high, $"&dispatch={Id(secret)}")).GetProperty("kind").GetString());
        Assert.Equal("hold", Assert.Single(await All(high, $"&dispatch={Id(held)}&verdict=hold")).GetProperty("kind").GetString());
        Assert.Equal(Id(mat), ((SubmissionDetail)Detail(Assert.Single(await All(low, "&level=mat&kind=submission")))).Envelope);
        Assert.Empty(await All(low, "&level=tuyet-mat"));

        // Every entry is in the tree of the size that was said, under the signed root.
        var at = gateway.Host.Shared.Ledger.Newest!;
        var page = (await Get(low, $"/audit/entries?at={at.Size}&proofs=true")).Json;
        foreach (var entry in page.GetProperty("entries").EnumerateArray())
        {
            var leaf = new LedgerEntry(Base64Url.DecodeFromChars(entry.GetProperty("salt").GetString()), Base64Url.DecodeFromChars(entry.GetProperty("detail").GetString())).Leaf;
            Assert.Equal(entry.GetProperty("leaf").GetString(), leaf.ToString());
            Digest[] proof = [.. entry.GetProperty("proof").EnumerateArray().Select(p => Digest.TryParse(p.GetString(), out var node) ? node : default)];
            Assert.True(MerkleTree.VerifyInclusion(leaf, entry.GetProperty("index").GetInt64(), at.Size, proof, at.Root));
        }
        _ = plain;
    }

    // Everything that can be counted or measured: entries of now and before but his own looks, counts, lists, lengths of pages.
    async Task<string> Seen(HttpClient auditor)
    {
        var seen = new StringBuilder();
        foreach (var query in new[] { "", "&office=G22", "&office=H41", "&verdict=deny", "&verdict=hold", "&verdict=permit", "&kind=rejection", "&kind=hold", "&kind=dummy", "&kind=audit-read" })
            seen.AppendLine(string.Join(" ", (await All(auditor, query, limit: 2)).Select(e => $"{e.GetProperty("index")}{e.GetProperty("detail")}")));
        foreach (var path in new[] { "/audit/refused", "/audit/overdue", "/audit/counts" })
        {
            var json = (await Get(auditor, path)).Json;
            seen.AppendLine(json.TryGetProperty("entries", out var entries) ? entries.GetRawText() + json.GetProperty("next") : json.GetRawText());
        }
        return seen.ToString();
    }

    [Fact]
    public async Task A_label_that_is_raised_takes_everything_about_the_dispatch_out_of_his_sight()
    {
        var dispatch = await Relabel.Accepted(gateway, to: "H41");
        var envelope = dispatch.Envelope;
        await Publish();
        var (low, high) = (gateway.AsAuditor("AUDIT-MAT"), gateway.AsAuditor("AUDIT-ALL"));
        Assert.NotEmpty(await All(low, $"&dispatch={Id(envelope)}"));
        Assert.Equal(201, (await dispatch.Say(await dispatch.Change(LabelAct.Label, "toi-mat"))).Status);
        Assert.Empty(await All(low, $"&dispatch={Id(envelope)}"));
        Assert.NotEmpty(await All(high, $"&dispatch={Id(envelope)}&kind=submission"));
        Assert.DoesNotContain((await Get(low, "/audit/counts")).Json.GetProperty("counts").EnumerateArray(), c => c.GetProperty("kind").GetString() == "submission");
    }

    [Fact]
    public async Task Pages_hold_still_while_the_ledger_grows_and_a_token_is_for_its_question_alone()
    {
        for (var i = 0; i < 5; i++) Assert.Equal(201, (await gateway.Submit((await gateway.SealFile("H41")).File)).Status);
        await Publish();
        var auditor = gateway.AsAuditor("AUDIT-ALL");
        var first = (await Get(auditor, "/audit/entries?limit=3")).Json;
        var (at, next) = (first.GetProperty("at").GetInt64(), first.GetProperty("next").GetString());
        var whole = (await Get(auditor, $"/audit/entries?at={at}")).Json.GetProperty("entries").EnumerateArray().Select(e => e.GetProperty("index").GetInt64()).ToList();
        Assert.Equal(Enumerable.Range(0, (int)at).Select(i => (long)i), whole);
        var read = first.GetProperty("entries").EnumerateArray().Select(e => e.GetProperty("index").GetInt64()).ToList();
        for (string? token = next; token is not null;)
        {
            LedgerEntry[] dummies = [.. Enumerable.Range(0, 200).Select(_ => LedgerEntry.Create(new DummyDetail { Time = 1 }))];
            await gateway.Host.Shared.Journal.Commit(b => dummies.Aggregate(b, (batch, dummy) => batch.Log(dummy, EntryKind.Dummy)) is not null);
            await Publish();
            var page = (await Get(auditor, $"/audit/entries?limit=3&at={at}&after={token}")).Json;
            read.AddRange(page.GetProperty("entries").EnumerateArray().Select(e => e.GetProperty("index").GetInt64()));
            token = page.GetProperty("next").GetString();
        }
        Assert.Equal(whole, read);
        foreach (var wrong in new[] { $"?limit=3&after={next}", $"?limit=3&at={at}&after={next}&office=G22", $"?at={gateway.Host.Shared.Ledger.Newest!.Size}&after={next}", $"?at={at}&after=x", $"?at={at}&after={next![..^2]}AA", "?limit=0", "?limit=501", "?kind=x", "?who=me", "?level=none" })
            Assert.True((await Get(auditor, "/audit/entries" + wrong)).Code == "E_REQUEST", wrong);
        Assert.Equal("E_REQUEST", (await Get(gateway.AsAuditor("AUDIT-MAT"), $"/audit/entries?limit=3&at={at}&after={next}")).Code);
        Assert.Equal("E_NOT_FOUND", (await Get(auditor, $"/audit/entries?at={at - 1}")).Code);
    }

    [Fact]
    public async Task Every_look_is_an_entry_with_the_digest_of_its_question_before_it_is_answered()
    {
        await Publish();
        var (auditor, size) = (gateway.AsAuditor("AUDIT-MAT"), gateway.Host.Shared.Ledger.Newest!.Size);
        var answer = await Get(auditor, $"/audit/entries?office=G22&at={size}&limit=7");
        var look = Assert.Single(Looks());
        Assert.Equal((Digest.Of(DevPkiFolder.AuditorTls("AUDIT-MAT").RawData), Digest.Of(Encoding.UTF8.GetBytes($"/audit/entries\nat={size}\nlimit=7\noffice=G22")), size, (long)answer.Json.GetProperty("entries").GetArrayLength()),
            (look.Auditor, look.Query, look.Size, look.Given));
        await Get(auditor, "/audit/counts");
        await Get(auditor, $"/audit/details?at={size}&first=0");
        Assert.Equal(3, Looks().Count);
        await Get(auditor, "/audit/entries?kind=x");
        Assert.Equal(3, Looks().Count);
    }

    [Fact]
    public async Task Counts_and_erasures_are_those_of_the_newest_published_head()
    {
        await Publish();
        var auditor = gateway.AsAuditor("AUDIT-ALL");
        async Task<long> Count(string kind) => (await Get(auditor, $"/audit/counts?kind={kind}")).Json.GetProperty("counts").EnumerateArray().Sum(c => c.GetProperty("count").GetInt64());
        async Task Log(LedgerDetail detail, EntryKind kind)
        {
            var entry = LedgerEntry.Create(EntryDetails.Write(detail));
            Assert.True(await gateway.Host.Shared.Journal.Commit(b => b.Log(entry, kind) is not null));
        }
        await Log(new DummyDetail { Time = 1 }, EntryKind.Dummy);
        Assert.Equal(0, await Count("dummy"));
        await Publish();
        Assert.Equal(1, await Count("dummy"));
        var index = Assert.Single(await All(auditor, "&kind=dummy")).GetProperty("index").GetInt64();
        await Log(new ErasedDetail(index, "RETENTION", Digest.Of([1])) { Time = 1 }, EntryKind.Erased);
        Assert.Equal((JsonValueKind.Null, 0), (Assert.Single(await All(auditor, "&kind=dummy")).GetProperty("erased").ValueKind, await Count("erased")));
        await Publish();
        Assert.True(Assert.Single(await All(auditor, "&kind=dummy")).GetProperty("erased").GetInt64() > index);
        Assert.Equal(1, await Count("erased"));
    }

    [Fact]
    public async Task Looking_cannot_flood_the_ledger()
    {
        await using var narrow = await TestGateway.Start(l => l with { AuditLooksPerHour = 2 });
        await narrow.Host.Loops.StepAll();
        var auditor = narrow.AsAuditor("AUDIT-MAT");
        Assert.Equal([200, 200], new[] { await Get(auditor, "/audit/counts"), await Get(auditor, "/audit/counts") }.Select(a => a.Status));
        var refused = await Get(auditor, "/audit/counts");
        Assert.Equal((429, "E_TOO_MANY"), (refused.Status, refused.Code));
        Assert.True(refused.RetryAfter > TimeSpan.Zero);
        Assert.Equal(200, (await Get(narrow.AsAuditor("AUDIT-ALL"), "/audit/counts")).Status);
    }

    [Fact]
    public async Task An_index_that_is_gone_broken_or_of_another_store_is_made_anew()
    {
        Assert.Equal(201, (await gateway.Submit((await gateway.SealFile("H41")).File)).Status);
        await Publish();
        var before = await All(gateway.AsAuditor("AUDIT-ALL"), "&kind=submission");
        var file = Path.Combine(gateway.Data, "audit", "index.db");
        void Change(string sql)
        {
            using var index = new SqliteConnection($"Data Source={file};Pooling=False");
            index.Open();
            using var command = index.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }
        // With nothing in it: what is shown afterwards came from the store.
        foreach (var harm in new Action[] { () => File.Delete(file), () => File.WriteAllText(file, "not a database"), () => Change("UPDATE built SET last = zeroblob(32); DELETE FROM about"), () => Change("UPDATE built SET version = version + 1; DELETE FROM about"), () => { } })
        {
            await gateway.Host.DisposeAsync();
            harm();
            await gateway.Restart();
            Assert.Equal(before.Select(e => e.GetRawText()), (await All(gateway.AsAuditor("AUDIT-ALL"), "&kind=submission")).Select(e => e.GetRawText()));
        }
    }
}
