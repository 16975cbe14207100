using System.Text;
using System.Text.Json;
using Exchange.Adapters;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Admin;
using Exchange.Gateway.Store;
using Exchange.Tests.Delivery;
using Exchange.Tests.Http;

namespace Exchange.Tests.Admin;

public sealed class AdminTests : IAsyncLifetime
{
    readonly ScriptedAdapter h41 = new() { Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Refused("E_NOT_FOR_US")) };
    static readonly FileKey[] Administrators = [DevPkiFolder.Key("officers", "directory-1.p12"), DevPkiFolder.Key("officers", "directory-2.p12")];
    TestGateway gateway = null!;

    public async ValueTask InitializeAsync()
    {
        gateway = await TestGateway.Start(options: o => o with { Administrators = [.. Administrators.Select(a => a.Certificate.Key)] }, adapters: h41);
        await gateway.Reach("H41", "https");
    }

    public async ValueTask DisposeAsync()
    {
        var shared = gateway.Host.Shared;
        Assert.Empty(StoreCheck.Run(shared.Engine, shared.Blobs, []));
        await gateway.DisposeAsync();
    }

    [Fact]
    public async Task A_dead_copy_is_sent_again_by_an_order_in_the_incoming_folder_behind_everything_else_and_asked_about_first()
    {
        var id = await Dead();
        Assert.Equal(("dead", 1L, "E_CHANNEL_REFUSED"), (await State(id), Now().Dead, Now().DeadByReason.Single().Reason));

        await File.WriteAllBytesAsync(Path.Combine(gateway.Data, "incoming", "1.order.json"), new QueueOrder(1, QueueOrder.Redrive, "H41", null, null, null, 10).Write());
        h41.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Delivered(null));
        await gateway.Host.Loops.StepAll();
        await gateway.Host.Worker.Idle();
        Assert.StartsWith("1 redriven", await File.ReadAllTextAsync(Path.Combine(gateway.Data, "incoming", "done", "1.order.json.result")), StringComparison.Ordinal);
        Assert.Equal(("delivered", 1, 2), (await State(id), h41.Asked, h41.Received.Count));
        Assert.Single(Entries(EntryKind.Redrive));
        Assert.Equal(0, Now().Dead);
    }

    [Fact, Trait("tier", "long")]
    public async Task An_order_is_spread_and_never_takes_more_than_it_says()
    {
        for (var i = 0; i < 4; i++) await Dead();
        Assert.StartsWith("3 redriven", await Order(new(1, QueueOrder.Redrive, null, "E_CHANNEL_REFUSED", null, null, 3)), StringComparison.Ordinal);
        Assert.StartsWith("0 redriven", await Order(new(1, QueueOrder.Redrive, "G22", null, null, null, 3)), StringComparison.Ordinal);
        using var reader = gateway.Host.Shared.Engine.Reader();
        var due = reader.Query<long>("SELECT due FROM job WHERE class = 4 AND fence = 1 ORDER BY due");
        Assert.Equal([0, 20_000, 40_000], due.Select(d => d - due[0]));
        Assert.Equal(1, Now().Dead);
    }

    [Fact]
    public async Task A_copy_past_its_time_stays_dead_and_is_discarded_with_a_code()
    {
        var id = await Dead();
        gateway.Clock.Advance(TimeSpan.FromDays(6));
        Assert.Contains("1 past their time", await Order(new(1, QueueOrder.Redrive, null, null, null, null, 10)), StringComparison.Ordinal);
        Assert.Equal(Refusal.Request, (await Assert.ThrowsAsync<RefusedException>(() => Order(new(1, QueueOrder.Discard, null, null, null, null, 10)))).Refusal);
        Assert.Equal("1 discarded, DUPLICATE", await Order(new(1, QueueOrder.Discard, null, null, null, "DUPLICATE", 10)));
        Assert.Equal(("dead", 0L), (await State(id), Now().Dead));
        Assert.Equal("DUPLICATE", ((DiscardDetail)Entries(EntryKind.Discard).Single()).Code);
        Assert.Equal("0 discarded, DUPLICATE", await Order(new(1, QueueOrder.Discard, null, null, null, "DUPLICATE", 10)));
    }

    [Fact]
    public async Task Above_the_lowest_level_two_administrators_sign_a_discard()
    {
        await Dead("mat");
        Assert.Equal(Refusal.Officers, (await Assert.ThrowsAsync<RefusedException>(() => Order(new(1, QueueOrder.Discard, null, null, null, "WRONG_OFFICE", 10)))).Refusal);
        var parcel = Copies().Single();
        var statement = new OperationStatement
        {
            V = 1, Type = OperationStatement.TypeName, Signers = [.. Administrators.Select(a => a.Certificate.Key)], Gateway = gateway.Host.Shared.Options.Origin, Act = OperationStatement.Discard,
            Parcels = [parcel], Code = "WRONG_OFFICE", Issued = gateway.Clock.GetUtcNow().ToUnixTimeMilliseconds(),
        };
        var carry = new CarryOutOrder(gateway.Host.Shared);
        byte[] Signed(OperationStatement content, params FileKey[] keys) => Statement.Sign(content, keys, gateway.Clock.GetUtcNow()).Der.ToArray();
        FileKey[] strangers = [DevPkiFolder.Key("officers", "policy-1.p12"), DevPkiFolder.Key("officers", "policy-2.p12")];
        Assert.Equal(Refusal.Officers, (await Assert.ThrowsAsync<RefusedException>(() => carry.Run(Signed(statement with { Signers = [.. strangers.Select(s => s.Certificate.Key)] }, strangers), true))).Refusal);
        Assert.Equal(Refusal.OtherGateway, (await Assert.ThrowsAsync<RefusedException>(() => carry.Run(Signed(statement with { Gateway = "other/ledger" }, Administrators), true))).Refusal);
        Assert.Equal(Refusal.Request, (await Assert.ThrowsAsync<RefusedException>(() => carry.Run(Signed(statement with { Issued = 1 }, Administrators), true))).Refusal);
        Assert.Equal("1 discarded, WRONG_OFFICE", await carry.Run(Signed(statement, Administrators), true));
        Assert.NotNull(((DiscardDetail)Entries(EntryKind.Discard).Single()).Operation);
    }

    [Fact]
    public async Task One_screen_says_what_is_stuck_and_why_and_the_operations_listener_the_same()
    {
        h41.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.TryLater("connection: ConnectionRefused"));
        for (var i = 0; i < 5; i++) await Accepted(urgency: 3);
        for (var i = 0; i < 20 && Now().BreakersOpen == 0; i++)
        {
            await gateway.Deliver();
            gateway.Clock.Advance(TimeSpan.FromSeconds(2));
        }
        var lines = QueueScreen.Lines(Now(), all: false).ToList();
        Assert.Equal("5 waiting, 0 under way, 1 channels closed by failures, 0 dead", lines[0]);
        Assert.Matches(@"^H41 +https +open, \d+ s +2 +5/0/0/0/0 .*no channel works: connection: ConnectionRefused$", lines[2]);
        Assert.True(lines.All(l => l.Length <= 200) && lines.Count <= 24);

        using var client = new HttpClient { BaseAddress = gateway.Host.OperationsAddress };
        var json = JsonDocument.Parse(await client.GetStringAsync(new Uri("/queue", UriKind.Relative))).RootElement;
        Assert.Equal((5, "H41"), (json.GetProperty("waiting").GetInt32(), json.GetProperty("offices")[0].GetProperty("office").GetString()));
        Assert.False((await client.PostAsync(new Uri("/queue", UriKind.Relative), null)).IsSuccessStatusCode);
        Assert.Equal(404, (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, "/queue")).Status);
    }

    async Task<Guid> Dead(string level = "thuong")
    {
        var id = await Accepted(level: level);
        await gateway.Deliver();
        return id;
    }

    async Task<Guid> Accepted(int urgency = 1, string level = "thuong")
    {
        var (_, file) = await gateway.SealFile("H41", level, r => r with { Urgency = urgency });
        var answer = await gateway.Submit(file);
        Assert.True(answer.Status == 201, Encoding.UTF8.GetString(answer.Body));
        return answer.Receipt.Envelope;
    }

    Task<string> Order(QueueOrder order) => new CarryOutOrder(gateway.Host.Shared).Run(order.Write(), isSigned: false);

    QueueNow Now()
    {
        using var reader = gateway.Host.Shared.Engine.Reader();
        return QueueNow.Read(reader, gateway.Clock.GetUtcNow());
    }

    IReadOnlyList<Guid> Copies()
    {
        using var reader = gateway.Host.Shared.Engine.Reader();
        return [.. DeadTable.Matching(reader, null, null, null, 10).Select(d => d.Parcel)];
    }

    async Task<string> State(Guid id) => (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{id}")).Json.GetProperty("copies")[0].GetProperty("state").GetString()!;

    List<LedgerDetail> Entries(EntryKind kind)
    {
        using var reader = gateway.Host.Shared.Engine.Reader();
        return [.. EntryTable.Walk(reader).Where(e => e.Entry.Kind == kind).Select(e => EntryDetails.Read(e.Secret!.Detail))];
    }
}
