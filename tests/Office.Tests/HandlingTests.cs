using Exchange.Crypto;
using Exchange.Crypto.Statements;
using Exchange.Office.Client;

namespace Exchange.Tests;

/// <summary>What a receiving office says it does with a copy, from its own state folder to the sender's.</summary>
public sealed class HandlingTests(DevPkiFixture pki)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    static async Task<Guid> OpenedAsync(Bench bench)
    {
        var id = (await bench.SendAsync()).Entry.Id;
        using var client = new OfficeClient(bench.Start("H41"));
        await client.RefreshAsync(Cancel);
        Assert.Null((await client.OpenAsync(id, bench.At("received"), null, Cancel)).Failure);
        return id;
    }

    static async Task<HandleVerdict> SayAsync(Bench bench, Guid id, string code, string? reason = null, Action<string>? step = null)
    {
        using var client = new OfficeClient(bench.Start("H41", step));
        return await client.HandleAsync(client.FindReceived("G22", id)!, code, reason, null, Cancel);
    }

    static string[] Said(Bench bench) => [.. bench.Gateway.Statuses.Select(s => Statement.Read(s, StatementType.Status).As<HandlingStatus>()).Select(s => $"{s.Sequence}:{s.Code}")];

    [Fact]
    public async Task Arrival_is_told_by_itself_once_and_the_clerk_goes_on_from_there()
    {
        using var bench = new Bench(pki.Folder);
        var id = await OpenedAsync(bench);
        using (var client = new OfficeClient(bench.Start("H41"))) await client.OpenAsync(id, bench.At("received"), null, Cancel);
        Assert.Equal(["1:01"], Said(bench));
        Assert.Null((await SayAsync(bench, id, "03")).Waits);
        Assert.Equal(Refusal.Status, (await Assert.ThrowsAsync<RefusedException>(() => SayAsync(bench, id, "02"))).Refusal);
        await SayAsync(bench, id, "02", "misaddressed");
        Assert.Equal(["1:01", "2:03", "3:02"], Said(bench));
    }

    [Fact]
    public async Task What_could_not_be_told_is_told_later_in_its_order()
    {
        using var bench = new Bench(pki.Folder);
        var id = await OpenedAsync(bench);
        bench.Gateway.StatusRefusals.Enqueue(Refusal.Busy);
        Assert.Equal(Refusal.Busy, (await SayAsync(bench, id, "03")).Waits);
        bench.Gateway.StatusRefusals.Enqueue(Refusal.Busy);
        Assert.Equal(3, (await SayAsync(bench, id, "04")).Status.Sequence);
        using var client = new OfficeClient(bench.Start("H41"));
        Assert.Equal(0, await client.AcknowledgeAsync(Cancel));
        Assert.Equal(["1:01", "2:03", "3:04"], Said(bench));
        Assert.All(client.Handling(client.FindReceived("G22", id)!), s => Assert.True(s.Told));
    }

    [Fact]
    public async Task A_program_killed_at_any_step_says_each_thing_under_one_number_in_one_form()
    {
        var steps = new List<string>();
        using (var bench = new Bench(pki.Folder)) await SayAsync(bench, await OpenedAsync(bench), "03", step: steps.Add);
        var first = steps.FindIndex(s => s.StartsWith("write ", StringComparison.Ordinal));
        Assert.True(first >= 0 && steps.Count - first >= 4, string.Join(", ", steps));
        using var one = new Bench(pki.Folder);
        var id = await OpenedAsync(one);
        for (var killed = first; killed < steps.Count; killed++)
        {
            var (count, before) = (0, Said(one).Distinct().Count());
            await Assert.ThrowsAsync<KilledException>(() => SayAsync(one, id, "03", step: _ => { if (count++ == killed) throw new KilledException(); }));
            using var client = new OfficeClient(one.Start("H41"));
            Assert.Equal(0, await client.AcknowledgeAsync(Cancel));
            // Before the statement was durable nothing was said.
            Assert.True(Said(one).Distinct().Count() == before + (killed == first ? 0 : 1), steps[killed]);
        }
        // Doubled, and the same bytes each time.
        Assert.All(one.Gateway.Statuses.GroupBy(s => Statement.Read(s, StatementType.Status).As<HandlingStatus>().Sequence), g => Assert.Single(g.Select(Convert.ToHexString).Distinct()));
    }

    [Fact]
    public async Task A_number_that_another_machine_of_the_office_has_used_is_stepped_over()
    {
        using var bench = new Bench(pki.Folder);
        var id = await OpenedAsync(bench);
        // The state of before it said 03, as a machine restored from a backup has it.
        await SayAsync(bench, id, "03");
        foreach (var file in Directory.GetFiles(Path.Combine(bench.At("H41")), "0002.*", SearchOption.AllDirectories)) File.Delete(file);
        bench.Gateway.StatusRefusals.Enqueue(Refusal.StatusSequence);
        Assert.Null((await SayAsync(bench, id, "06")).Waits);
        Assert.Equal(["1:01", "2:03", "3:06"], Said(bench));
    }

    [Fact]
    public async Task The_sender_keeps_what_holds_names_what_does_not_and_reads_on_where_it_stopped()
    {
        using var bench = new Bench(pki.Folder);
        var id = await OpenedAsync(bench);
        await SayAsync(bench, id, "03");
        using var client = new OfficeClient(bench.Start("G22"));
        await client.RefreshAsync(Cancel);
        List<string> findings = [];
        Assert.Equal(["1:01", "2:03"], (await client.NewHandlingAsync(0, findings, Cancel)).Select(s => $"{s.Sequence}:{s.Code}"));
        var copy = Assert.Single((await client.TrackAsync(client.Find(id)!, audit: false, Cancel)).Copies);
        Assert.Equal("03", copy.Handling[^1].Code);

        // A gateway that shows another statement under a number that was read, or one by another office, is found out.
        using (var h41 = bench.Start("H41"))
        using (var h14 = bench.Start("H14"))
        {
            var genuine = Statement.Read(bench.Gateway.Statuses[^1], StatementType.Status).As<HandlingStatus>();
            bench.Gateway.Statuses[^1] = Statement.Sign(genuine with { Code = "06" }, [h41.Keys.Sign], bench.Clock.GetUtcNow()).Der.ToArray();
            bench.Gateway.Statuses.Add(Statement.Sign(genuine with { Sequence = 3, Signers = [h14.Keys.Sign.Certificate.Key] }, [h14.Keys.Sign], bench.Clock.GetUtcNow()).Der.ToArray());
        }
        var view = await client.TrackAsync(client.Find(id)!, audit: false, Cancel);
        Assert.Equal(["E_STATUS_SEQUENCE", "E_SIGNER_UNKNOWN"], view.Findings.Select(f => f.Split(':')[0]));
        Assert.Equal("03", Assert.Single(view.Copies).Handling[^1].Code);
        Assert.Empty(findings);
    }
}
