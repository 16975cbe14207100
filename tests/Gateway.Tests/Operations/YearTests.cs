extern alias witness;
using System.Text;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Offices;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;
using Exchange.Tests.Witnesses;

namespace Exchange.Tests.Operations;

/// <summary>A ledger is ended on purpose, whole, with its last head, and the next year's goes on.</summary>
public sealed class YearTests : IAsyncLifetime
{
    const string Next = "gateway.dev.exchange/ledger-2027";
    static readonly FileKey[] Administrators = [DevPkiFolder.Key("officers", "directory-1.p12"), DevPkiFolder.Key("officers", "directory-2.p12")];
    readonly string outside = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "work", "year-" + Guid.CreateVersion7().ToString("N"))).FullName;
    TestWitness? running;
    TestGateway gateway = null!;
    string Old { get; set; } = "";
    string At(string name) => Path.Combine(outside, name);

    public async ValueTask InitializeAsync() => await Begin();

    async Task Begin(WitnessOptions? witnesses = null)
    {
        if (gateway is not null) await gateway.DisposeAsync();
        gateway = await TestGateway.Start(options: o => o with { Administrators = [.. Administrators.Select(a => a.Certificate.Key)], Witness = witnesses });
        Old = gateway.Host.Shared.Options.Origin;
    }

    public async ValueTask DisposeAsync()
    {
        await gateway.DisposeAsync();
        if (running is not null) await running.DisposeAsync();
        Directory.Delete(outside, recursive: true);
    }

    async Task Accepted()
    {
        var (_, file) = await gateway.SealFile("H41");
        var answer = await gateway.Submit(file);
        Assert.True(answer.Status == 201, answer.Text);
        await Grown();
    }

    async Task Grown()
    {
        gateway.Clock.Advance(TimeSpan.FromMinutes(1));
        await gateway.Host.Loops.StepAll();
    }

    Guard Guarded(string origin) => Guard.OpenReadOnly(Guard.FileIn(gateway.Data + ".guard"), origin);

    PublishedCheckpoint Last(string origin)
    {
        using var guard = Guarded(origin);
        Assert.Equal(guard.Head.Size, guard.NewestNote!.Size);
        return guard.NewestNote;
    }

    byte[] Signed(string code, string origin = Next)
    {
        using var guard = Guarded(Configuration.Read(gateway.Data).Origin);
        return Statement.Sign(new OperationStatement
        {
            V = 1, Type = OperationStatement.TypeName, Signers = [.. Administrators.Select(a => a.Certificate.Key)], Gateway = guard.Origin, Act = OperationStatement.NewOrigin, Parcels = [],
            Succession = new(origin, guard.Head.Size, guard.Head.Root), Code = code, Issued = gateway.Clock.GetUtcNow().ToUnixTimeMilliseconds(),
        }, Administrators, gateway.Clock.GetUtcNow()).Der.ToArray();
    }

    Task<SuccessionDetail> End(string code = Succession.Year, string origin = Next) =>
        NewOrigin.Run(new(gateway.Data, origin, Signed(code, origin), At(origin[^4..] + ".key"), At(origin[^4..] + "-mldsa.key")), gateway.Clock);

    string Order() => JsonDocument.Parse(NewOrigin.Order(gateway.Data, Next, Succession.Year)).RootElement.GetProperty("code").GetString()!;

    /// <summary>What was asked for before two persons sign is asked again when it is done, and changes nothing.</summary>
    async Task Refused(string why)
    {
        var settings = File.ReadAllBytes(Path.Combine(gateway.Data, "gateway.json"));
        Assert.Contains(why, Assert.Throws<OptionsException>(Order).Message, StringComparison.Ordinal);
        Assert.Contains(why, (await Assert.ThrowsAsync<OptionsException>(() => End())).Message, StringComparison.Ordinal);
        Assert.Equal(settings, File.ReadAllBytes(Path.Combine(gateway.Data, "gateway.json")));
        using var guard = Guarded(Old);
        Assert.Null(guard.Ended);
    }

    [Fact]
    public async Task A_year_ends_with_its_last_head_and_the_next_one_goes_on_with_all_of_it()
    {
        await Accepted();
        Assert.Contains("Another gateway runs", Assert.Throws<CannotStartException>(Order).Message, StringComparison.Ordinal);
        await gateway.Host.DisposeAsync();
        var last = Last(Old);
        Assert.Equal(Succession.Year, Order());
        var done = await End();
        Assert.Equal((Next, Succession.Year, last.Size), (done.Origin, done.Code, done.Had));
        Assert.Equal((Old, last.Size, last.Root, last.Size), Assert.Single(done.Follows.Select(f => (f.Origin, f.Size, f.Root, f.Common))));
        await gateway.Restart();
        await Accepted();
        await gateway.Host.DisposeAsync();

        // And the one after: the first is the second's affair and this one's.
        const string third = "gateway.dev.exchange/ledger-2028";
        var second = Last(Next);
        done = await End(origin: third);
        Assert.Equal([(Next, second.Size, second.Size), (Old, last.Size, last.Size)], done.Follows.Select(f => (f.Origin, f.Size, f.Common)));
        Assert.True(Succession.IsYearsEnd(done, Old));
        await gateway.Restart();
        await Grown();
        Assert.Equal(third, gateway.Host.Shared.Options.Origin);
        // Details of the tree of a head of any of them may be asked for, and of no other size.
        async Task<int> Details(long at) => (await TestGateway.Send(gateway.AsAuditor("AUDIT-ALL"), HttpMethod.Get, $"/audit/details?at={at}&first=0&count=1")).Status;
        Assert.Equal((200, 200, 404), (await Details(last.Size), await Details(second.Size), await Details(1)));
    }

    [Fact]
    public async Task A_store_that_is_not_the_newest_ends_no_year()
    {
        await Accepted();
        await gateway.Host.DisposeAsync();
        Copy(gateway.Data, At("copy"));
        await gateway.Restart();
        await Accepted();
        await gateway.Host.DisposeAsync();
        Directory.Move(gateway.Data, At("newer"));
        Copy(At("copy"), gateway.Data);
        await Refused("go on with another code");
        Assert.True((await End("RESTORED")).Follows[0].HasGap);
        await gateway.Restart();
    }

    [Fact]
    public async Task Entries_that_no_head_has_yet_are_put_under_one_first()
    {
        await Accepted();
        await gateway.Host.DisposeAsync();
        // As after a kill.
        using (var folder = DataFolder.Open(gateway.Data))
        using (var engine = SqliteEngine.Open(folder.Database))
        using (var journal = new Journal(engine, World(engine), gateway.Clock, new JournalOptions(), failure => throw failure))
        {
            journal.Start();
            await journal.Commit(b => b.Log(LedgerEntry.Create(new DummyDetail { Time = 1 }), EntryKind.Dummy) is not null);
        }
        await Refused("a clean stop signs the last head");
        await gateway.Restart();
        await gateway.Host.DisposeAsync();
        Assert.False((await End()).Follows[0].HasGap);
        await gateway.Restart();
    }

    Worlds World(SqliteEngine engine)
    {
        var options = Configuration.Read(gateway.Data);
        return Worlds.Load(engine, TrustStore.Load(Path.Combine(gateway.Data, "trust")), new Pins(options.DirectoryOfficers, options.PolicyOfficers), gateway.Clock.GetUtcNow());
    }

    [Fact]
    public async Task The_last_head_is_one_that_the_witnesses_have_cosigned_and_they_go_on_with_the_next_year()
    {
        var own = CheckpointKeys.List(gateway.Data).Select(k => k.Key).ToList();
        var w = running = await TestWitness.Start(own);
        File.WriteAllText(At("policy"), string.Concat(w.Keys.Select((k, i) => $"witness w{i} {k} {w.Address}\n")) + "group g all w0 w1\nquorum g\n");
        var witnesses = new WitnessOptions(At("policy"), new Dictionary<string, Uri>(), null);
        await Begin(witnesses);
        await Accepted();
        await w.Stop();
        await gateway.Host.DisposeAsync();
        await Refused("waits for w0+w1");
        await w.Run();
        await gateway.Restart();
        await gateway.Host.DisposeAsync();
        // Nobody stepped anything: the stop itself asked.
        var last = Last(Old);
        Assert.Equal(2, SignedNote.Open(Encoding.UTF8.GetBytes(last.Note), w.Keys).Verified.Count);
        Assert.Equal(last.Size, (await End()).Had);

        await w.Stop();
        using (var folder = witness::Exchange.Witnessing.WitnessFolder.Open(w.Folder, alone: false)) folder.AddLog([.. CheckpointKeys.List(gateway.Data).Select(k => k.Key).Where(k => k.Name == Next).Select(k => k.ToString())]);
        await w.Run();
        await gateway.Restart();
        await gateway.Host.DisposeAsync();
        Assert.Equal(2, SignedNote.Open(Encoding.UTF8.GetBytes(Last(Next).Note), w.Keys).Verified.Count);
    }

    static void Copy(string from, string to)
    {
        foreach (var folder in Directory.GetDirectories(from, "*", SearchOption.AllDirectories).Prepend(from)) Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories)) File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
    }

    [Fact]
    public async Task Nobody_is_asked_to_sign_where_no_two_may()
    {
        await Accepted();
        await gateway.Host.DisposeAsync();
        var file = Path.Combine(gateway.Data, Options.FileName);
        var settings = System.Text.Json.Nodes.JsonNode.Parse(await File.ReadAllTextAsync(file))!.AsObject();
        settings.Remove("administrators");
        await File.WriteAllTextAsync(file, settings.ToJsonString());
        foreach (var code in new[] { Succession.Year, "RESTORED" })
            Assert.Contains("administrators", Assert.Throws<OptionsException>(() => NewOrigin.Order(gateway.Data, Next, code)).Message, StringComparison.Ordinal);
    }
}
