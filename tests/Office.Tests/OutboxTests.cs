using Exchange.Crypto;
using Exchange.Crypto.Statements;
using Exchange.Office.Client;

namespace Exchange.Tests;

public sealed class OutboxTests(DevPkiFixture pki)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_program_killed_at_any_step_of_sending_has_sent_nothing_or_sends_the_same_bytes_again()
    {
        var steps = new List<string>();
        using (var bench = new Bench(pki.Folder)) await bench.SendAsync(steps.Add);
        Assert.Contains("send parts", steps);
        Assert.Contains("drop payload", steps);
        for (var killed = steps.IndexOf("flush payload"); killed < steps.Count; killed++)
        {
            using var bench = new Bench(pki.Folder);
            var count = 0;
            await Assert.ThrowsAsync<KilledException>(() => bench.SendAsync(_ => { if (count++ == killed) throw new KilledException(); }));
            using var client = new OfficeClient(bench.Start("G22"));
            foreach (var entry in client.Outbox()) Assert.IsType<DeliveryVerdict.Accepted>(await client.DeliverAsync(entry, null, Cancel));
            // Not yet named: nothing left, nothing stays. Named: one entry, one dispatch at the gateway, the same bytes each time.
            Assert.Equal(client.Outbox().Count, bench.Gateway.Accepted.Count);
            Assert.True(client.Outbox().Count == 1 || killed <= steps.IndexOf("name outbox"), steps[killed]);
            Assert.All(bench.Gateway.Submitted, b => Assert.Equal(bench.Gateway.Submitted[0], b));
            Assert.All(client.Outbox(), e => { Assert.Equal(OutboxState.Accepted, e.State); Assert.False(File.Exists(e.PayloadFile)); Assert.Single(e.Receipts()); });
            await client.SealAsync(bench.Request(), null, Cancel);
            Assert.DoesNotContain(Directory.GetDirectories(bench.At("G22", "state", "outbox")), d => Path.GetFileName(d).StartsWith('.'));
        }
    }

    [Theory]
    [InlineData(nameof(Fault.LostBefore))]
    [InlineData(nameof(Fault.LostAfter))]
    [InlineData(nameof(Fault.Busy))]
    public async Task What_got_no_answer_waits_and_goes_again_with_the_same_bytes(string fault)
    {
        using var bench = new Bench(pki.Folder);
        bench.Gateway.Faults.Enqueue(Enum.Parse<Fault>(fault));
        var (entry, verdict) = await bench.SendAsync();
        Assert.IsType<DeliveryVerdict.Waiting>(verdict);
        using var client = new OfficeClient(bench.Start("G22"));
        Assert.True(File.Exists(client.Find(entry.Id)!.PayloadFile));
        Assert.IsType<DeliveryVerdict.Accepted>(await client.DeliverAsync(client.Find(entry.Id)!, null, Cancel));
        Assert.Equal(2, bench.Gateway.Submitted.Count);
        Assert.Equal(bench.Gateway.Submitted[0], bench.Gateway.Submitted[1]);
        Assert.Single(bench.Gateway.Accepted);
    }

    [Fact]
    public async Task A_header_that_waited_is_signed_again_over_the_same_json_and_nothing_else_changes()
    {
        using var bench = new Bench(pki.Folder);
        bench.Gateway.Faults.Enqueue(Fault.LostBefore);
        var (entry, _) = await bench.SendAsync();
        var before = entry.Parts();
        var payload = File.ReadAllBytes(entry.PayloadFile);
        bench.Clock.Advance(TimeSpan.FromMinutes(11));
        using var client = new OfficeClient(bench.Start("G22"));
        Assert.IsType<DeliveryVerdict.Accepted>(await client.DeliverAsync(client.Find(entry.Id)!, null, Cancel));
        var after = client.Find(entry.Id)!.Parts();
        var header = Statement.Read(after.Header, StatementType.Header);
        Assert.Equal(Statement.Read(before.Header, StatementType.Header).Ref, header.Ref);
        Assert.Equal(bench.Clock.GetUtcNow(), header.SigningTimes[0]);
        Assert.Equal(before.Manifest.ToArray(), after.Manifest.ToArray());
        Assert.Equal(payload, bench.Gateway.Submitted[1][^payload.Length..]);
    }

    [Theory]
    [InlineData("another code", "E_RECEIPT")]
    [InlineData("another event", "E_RECEIPT")]
    [InlineData("another ctx", "E_RECEIPT")]
    [InlineData("another manifest", "E_RECEIPT")]
    [InlineData("another envelope", "E_RECEIPT")]
    [InlineData("another issuer", "E_RECEIPT")]
    [InlineData("leaf of something else", "E_RECEIPT")]
    [InlineData("another salt", "E_RECEIPT")]
    [InlineData("no entry", "E_RECEIPT")]
    [InlineData("another signer", "E_SIGNER_UNKNOWN")]
    public async Task A_receipt_that_does_not_hold_gives_nothing_up(string lie, string code)
    {
        using var bench = new Bench(pki.Folder);
        var other = Digest.Of("other"u8);
        bench.Gateway.Forge = r => lie switch
        {
            "another code" => r with { Code = "E_BUSY" },
            "another event" => r with { Event = ReceiptEvent.ContentConsignment },
            "another ctx" => r with { Ctx = other },
            "another manifest" => r with { ManifestDigest = other },
            "another envelope" => r with { Envelope = Guid.CreateVersion7(DevPkiFixture.Now) },
            "another issuer" => r with { Issuer = "elsewhere/ledger" },
            "leaf of something else" => r with { Entry = r.Entry! with { Leaf = other } },
            "another salt" => r with { Entry = r.Entry! with { Salt = other } },
            "no entry" => r with { Entry = null },
            _ => r,
        };
        if (lie == "another signer") bench.Gateway.Signer = bench.Start("H14").Keys.Sign;
        var refused = await Assert.ThrowsAsync<RefusedException>(() => bench.SendAsync());
        Assert.Equal(code, refused.Refusal.Code);
        using var client = new OfficeClient(bench.Start("G22"));
        var entry = Assert.Single(client.Outbox());
        Assert.Equal(OutboxState.Sending, entry.State);
        Assert.True(File.Exists(entry.PayloadFile));
        Assert.Empty(entry.Receipts());
    }
}
