using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.TimeStamps;
using Exchange.Office;
using Exchange.Office.Client;

namespace Exchange.Tests;

/// <summary>Time-stamps by level: taken before anything is sealed, fetched later where the level lets it wait, shown and demanded where it is opened.</summary>
public sealed class TimeStampTests(DevPkiFixture pki) : IDisposable
{
    readonly Bench bench = new(pki.Folder);
    FakeAuthorities authorities = null!;

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    void Name() => bench.Authorities = authorities = new FakeAuthorities(pki, bench.Clock);

    // Tối mật asks for time-stamps, and in the policy that ships lets them wait.
    static SendRequest TopSecret(SendRequest request) => request with { Level = "toi-mat", Basis = "1.2", Approve = ["signatory"] };

    Task<(OutboxEntry Entry, DeliveryVerdict Verdict)> SendAsync(Action<string>? step = null) => bench.SendAsync(step, TopSecret);

    /// <summary>The next version of the policy, in which Tối mật and above do not let them wait.</summary>
    byte[] Refusing(long version = 2)
    {
        var old = Statement.Read(File.ReadAllBytes(pki.At("statements/policy.p7s")), StatementType.Policy).As<PolicyStatement>();
        PolicyLevel Level(PolicyLevel l) => l.Handling.Timestamp ? l with { Handling = l.Handling with { TimestampAway = null } } : l;
        using var first = pki.Key("officers/policy-1.p12");
        using var second = pki.Key("officers/policy-2.p12");
        return Statement.Sign(old with { Version = version, Levels = [.. old.Levels.Select(Level)] }, [first, second], DevPkiFixture.Now).Der.ToArray();
    }

    async Task<OpenResult> OpenAsync(Guid id)
    {
        using var client = new OfficeClient(bench.Start("H41"));
        await client.RefreshAsync(Cancel);
        return await client.OpenAsync(id, bench.At("received"), null, Cancel);
    }

    static void DemandTokens(OutboxEntry entry, Exchange.Crypto.Trust.CertificateCheck trust)
    {
        var named = Statement.Read(entry.Parts().Header, StatementType.Header).As<Header>().Dispatch.Signatures;
        Assert.Equal(named, entry.TimeStamps().Select(t => TimeStampCheck.Run(t, named, trust).Imprint));
    }

    [Fact]
    public async Task At_a_level_that_asks_for_it_both_signatures_are_time_stamped_before_anything_is_sealed()
    {
        Name();
        var steps = new List<string>();
        var (entry, verdict) = await SendAsync(steps.Add);
        Assert.IsType<DeliveryVerdict.Accepted>(verdict);
        Assert.Equal((OutboxRecord.Given, false), (entry.Record.TimeStamp, entry.AwaitsTimeStamp));
        DemandTokens(entry, pki.Check);
        Assert.Equal(["first.test", "first.test"], authorities.Asked);
        // What H41 opens bears them, and its own archive shows it again.
        var opened = await OpenAsync(entry.Id);
        Assert.Equal(((DateTimeOffset?)DevPkiFixture.Now, false), (opened.StampedAt, opened.StampPending));
        Assert.Equal(DevPkiFixture.Now, (await OpenAsync(entry.Id)).StampedAt);
        var dispatch = Path.Combine(bench.At("H41", "state", "received", "G22"), entry.Id.ToString(), "dispatch.p7s");
        using (var client = new OfficeClient(bench.Start("H41")))
        {
            _ = client.Directory;
            // Thirteen months later no revocation list of here says anything of today; of that day they do.
            bench.Clock.Advance(TimeSpan.FromDays(400));
            var findings = await FileCheck.RunAsync(dispatch, client, bench.Clock, Cancel);
            Assert.Equal(2, findings.Count(f => f.Check == "time-stamp" && f.Code == "OK"));
            Assert.All(findings, f => Assert.Equal(Exchange.Crypto.Evidence.FindingKind.Good, f.Kind));
        }
    }

    [Fact]
    public async Task At_a_level_that_does_not_ask_nobody_is_asked()
    {
        Name();
        var (entry, _) = await bench.SendAsync();
        Assert.Null(entry.Record.TimeStamp);
        Assert.Empty(authorities.Asked);
        Assert.Equal((null, false), (await OpenAsync(entry.Id)) is var o ? (o.StampedAt, o.StampPending) : default);
    }

    [Theory]
    [InlineData("unreachable", "cannot be reached"), InlineData("breaks off", "cannot be reached"), InlineData("HTTP 500", "HTTP 500"), InlineData("a web page", "not an answer"), InlineData("a redirect", "HTTP 302")]
    [InlineData("5 MB", "E_SIZE"), InlineData("5 MB without a length", "E_SIZE"), InlineData("slow", "no answer in 10 s"), InlineData("slow body", "no answer in 10 s")]
    [InlineData("another nonce", "E_TIMESTAMP nonce"), InlineData("rejected", "E_TIMESTAMP status 2"), InlineData("another's key", "E_CERTIFICATE_PURPOSE")]
    public async Task Who_gives_none_that_holds_is_asked_once_and_then_the_next(string fault, string said)
    {
        Name();
        authorities.Fault = fault;
        using var office = bench.Start("G22");
        var imprint = Digest.Of("signature"u8);
        var token = Assert.Single(await new FetchTimeStamps(office).RunAsync([imprint], Cancel));
        Assert.Equal(imprint, TimeStampCheck.Run(token, [imprint], pki.Check).Imprint);
        Assert.Equal(["first.test", "second.test"], authorities.Asked);
        // With nobody behind it, what it did is said.
        using var alone = new OfficeContext(office.Profile with { TimeStamps = new([FakeAuthorities.Addresses[0]], null) }, office.Keys, office.Files, bench.Clock, new ClientOptions([]),
            null, () => new HttpClient(authorities, disposeHandler: false));
        var refused = await Assert.ThrowsAsync<RefusedException>(() => new FetchTimeStamps(alone).RunAsync([imprint], Cancel));
        Assert.Equal(Refusal.TimeStampAway, refused.Refusal);
        Assert.Contains(said, refused.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_policy_of_the_profile_is_asked_for_and_demanded()
    {
        Name();
        using var office = bench.Start("G22");
        using var asking = new OfficeContext(office.Profile with { TimeStamps = new(FakeAuthorities.Addresses, "1.2.3.4") }, office.Keys, office.Files, bench.Clock, new ClientOptions([]),
            null, () => new HttpClient(authorities, disposeHandler: false));
        var imprint = Digest.Of("signature"u8);
        var token = Assert.Single(await new FetchTimeStamps(asking).RunAsync([imprint], Cancel));
        Assert.Equal("1.2.3.4", TimeStampCheck.Run(token, [imprint], pki.Check).Policy);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task While_nobody_answers_it_is_sent_pending_where_the_level_allows_and_repaired_later(bool named)
    {
        if (named) Name();
        if (named) authorities.Away = true;
        var (sent, verdict) = await SendAsync();
        Assert.IsType<DeliveryVerdict.Accepted>(verdict);
        Assert.True(sent.AwaitsTimeStamp);
        Assert.Empty(sent.TimeStamps());
        var opened = await OpenAsync(sent.Id);
        Assert.Equal((null, true, null), (opened.StampedAt, opened.StampPending, opened.Failure));
        var text = new StringWriter();
        InboxCommands.Tell(opened, new Output(text, TextWriter.Null, vietnamese: false, json: false, TimeProvider.System));
        Assert.Contains("time-stamp is pending", text.ToString(), StringComparison.Ordinal);

        using (var client = new OfficeClient(bench.Start("G22"))) Assert.Equal(Refusal.TimeStampAway, await client.StampAsync(client.Find(sent.Id)!, Cancel));
        // A day later somebody is there: the token is about the same signatures, and says the later time.
        Name();
        bench.Clock.Advance(TimeSpan.FromDays(1));
        using (var client = new OfficeClient(bench.Start("G22")))
        {
            var entry = client.Find(sent.Id)!;
            Assert.Null(await client.StampAsync(entry, Cancel));
            Assert.False(client.Find(sent.Id)!.AwaitsTimeStamp);
            DemandTokens(client.Find(sent.Id)!, pki.Check);
            var asked = authorities.Asked.Count;
            Assert.Null(await client.StampAsync(client.Find(sent.Id)!, Cancel));
            Assert.Equal(asked, authorities.Asked.Count);
        }
    }

    [Theory, InlineData("write 01.tst"), InlineData("write 02.tst"), InlineData("write state.json")]
    public async Task A_program_killed_while_it_keeps_a_token_that_came_later_fetches_it_again(string at)
    {
        var (sent, _) = await SendAsync();
        Name();
        using (var dying = new OfficeClient(bench.Start("G22", s => { if (s == at) throw new KilledException(); })))
            await Assert.ThrowsAsync<KilledException>(() => dying.StampAsync(dying.Find(sent.Id)!, Cancel));
        using var client = new OfficeClient(bench.Start("G22"));
        Assert.True(client.Find(sent.Id)!.AwaitsTimeStamp);
        Assert.Null(await client.StampAsync(client.Find(sent.Id)!, Cancel));
        DemandTokens(client.Find(sent.Id)!, pki.Check);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task While_nobody_answers_nothing_leaves_where_the_level_does_not_let_it_wait(bool named)
    {
        if (named) Name();
        if (named) authorities.Away = true;
        bench.Gateway.Policy = Refusing();
        var refused = await Assert.ThrowsAsync<RefusedException>(() => SendAsync());
        Assert.Equal(Refusal.TimeStampAway, refused.Refusal);
        Assert.Empty(bench.Gateway.Submitted);
        using (var client = new OfficeClient(bench.Start("G22"))) Assert.Empty(client.Outbox());
        Name();
        Assert.IsType<DeliveryVerdict.Accepted>((await SendAsync()).Verdict);
    }

    // Not a no: other software need not send it anew.
    [Fact]
    public async Task A_job_of_other_software_waits_meanwhile()
    {
        bench.Gateway.Policy = Refusing();
        Directory.CreateDirectory(bench.At("in"));
        File.WriteAllText(bench.At("in", "letter.txt"), "x");
        File.WriteAllText(bench.At("in", "a.job.json"), """{"files":["letter.txt"],"to":["H41"],"level":"toi-mat","basis":"1.2","approve":["signatory"],"sheet":{"number":"12","notation":"UB","subject":"S"}}""");
        async Task<IntakeVerdict> PassAsync()
        {
            using var client = new OfficeClient(bench.Start("G22"));
            await client.RefreshAsync(Cancel);
            return await new Intake(client, new OfficeFiles(bench.At("in")), bench.Clock).RunAsync("a", Cancel);
        }
        Assert.Equal(Refusal.TimeStampAway, Assert.IsType<IntakeVerdict.Waiting>(await PassAsync()).Reason);
        Name();
        Assert.IsType<IntakeVerdict.Sent>(await PassAsync());
    }

    [Fact]
    public async Task What_bears_none_where_the_level_demands_one_is_not_opened_and_its_sender_hears_why()
    {
        bench.Gateway.Policy = Refusing();
        var id = Guid.CreateVersion7(bench.Clock.GetUtcNow());
        using (var office = bench.Start("G22"))
        {
            await office.RefreshAsync(Cancel);
            await office.Outbox.AddAsync(id, "toi-mat", ["H41"], [], null, default, null, bench.Clock.GetUtcNow(), payload => Envelope.SealAsync(Careless(office, id), payload, bench.Clock, Cancel));
            using var client = new OfficeClient(bench.Start("G22"));
            Assert.IsType<DeliveryVerdict.Accepted>(await client.DeliverAsync(client.Find(id)!, null, Cancel));
        }
        var opened = await OpenAsync(id);
        Assert.Equal(Refusal.TimeStampMissing, opened.Failure);
        Assert.Contains(bench.Gateway.Acknowledged, a => Statement.Read(a, StatementType.Receipt).As<Receipt>() is { Event: ReceiptEvent.ContentOpeningFailure, Code: "E_TIMESTAMP_MISSING" });
        Assert.Empty(Directory.EnumerateFileSystemEntries(bench.At("received")));
    }

    // By a program that does not care what the level asks for.
    static SealRequest Careless(OfficeContext office, Guid id) => new()
    {
        Id = id, Gateway = office.Profile.Pins.Origin, Sender = "G22", Recipients = [SealedTo.Addressee(office, "H41", "to", office.View.Policy.Level("toi-mat")!)], To = ["H41"],
        Label = office.View.Policy.NewLabel("toi-mat", "1.2", [], []), Urgency = 0, Times = new Times(null, office.Now.AddDays(1).ToUnixTimeMilliseconds(), null), Policy = office.View.Policy.Ref,
        Directory = office.View.Directory.Ref, Seen = null, Documents = [new DocumentSource("a.txt", "text/plain", 1, null, () => new MemoryStream([65]))],
        Sheet = new Sheet { Number = null, Notation = null, Subject = "S", DocumentType = "Công văn", Place = null, Date = "2026-11-24", Signatory = null },
        Authors = [office.Keys.Person("signatory")!, office.Keys.Sign], Approvers = [office.Keys.Person("signatory")!], Office = office.Keys.Sign, ManifestBucket = 16384, PayloadBucket = 65536,
    };

    // It was sealed by the policy of its day; what the next one demands it could not know.
    [Fact]
    public async Task What_was_sealed_before_the_policy_began_to_demand_one_is_opened_and_shown_as_pending()
    {
        var (sent, _) = await SendAsync();
        bench.Gateway.Policy = Refusing();
        var opened = await OpenAsync(sent.Id);
        Assert.Equal((null, true, null), (opened.StampedAt, opened.StampPending, opened.Failure));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task What_goes_to_further_offices_has_the_time_stamps_of_its_original_or_waits_as_it_does(bool given)
    {
        if (given) Name();
        var (sent, _) = await bench.SendAsync(change: r => TopSecret(r) with { Later = ["H37"] });
        using var client = new OfficeClient(bench.Start("G22"));
        var update = Assert.Single(await client.UpdateAsync(client.Find(sent.Id)!, new UpdateRequest { Add = ["H37"] }, Cancel));
        Assert.Equal(given ? OutboxRecord.Given : OutboxRecord.Pending, update.Record.TimeStamp);
        Assert.Equal(sent.TimeStamps().Select(t => Convert.ToHexString(t.Span)), update.TimeStamps().Select(t => Convert.ToHexString(t.Span)));
    }

    public void Dispose() => bench.Dispose();
}
