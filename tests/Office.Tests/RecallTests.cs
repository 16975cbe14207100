using Exchange.Crypto;
using Exchange.Crypto.Statements;
using Exchange.Office.Client;

namespace Exchange.Tests;

/// <summary>Taking a dispatch back, from the sender's outbox to the receiver's clerk.</summary>
public sealed partial class RecallTests(DevPkiFixture pki)
{
    const string Reason = "gửi nhầm nơi nhận";
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    static async Task<(Guid Original, Guid Recall)> RecalledAsync(Bench bench, int times = 1)
    {
        var original = (await bench.SendAsync()).Entry;
        Guid recall = default;
        for (var i = 0; i < times; i++)
        {
            using var client = new OfficeClient(bench.Start("G22"));
            await client.RefreshAsync(Cancel);
            var entry = Assert.Single(await client.RecallAsync(client.Find(original.Id)!, new RecallRequest { Reason = Reason }, Cancel));
            Assert.IsType<DeliveryVerdict.Accepted>(await client.DeliverAsync(entry, null, Cancel));
            recall = entry.Id;
        }
        return (original.Id, recall);
    }

    static async Task<OpenResult> OpenAsync(Bench bench, Guid id, bool recalled = false, Action<string>? step = null)
    {
        using var client = new OfficeClient(bench.Start("H41", step));
        await client.RefreshAsync(Cancel);
        return await client.OpenAsync(id, bench.At("received"), null, Cancel, recalled);
    }

    static string[] Events(Bench bench, Guid id) => [.. bench.Gateway.Acknowledged.Select(a => Statement.Read(a, StatementType.Receipt).As<Receipt>()).Where(r => r.Envelope == id).Select(r => $"{r.Event} {r.Code}").Distinct()];

    [Fact]
    public async Task A_recall_is_a_sealed_reason_bound_to_what_it_recalls_and_the_same_one_when_asked_again()
    {
        using var bench = new Bench(pki.Folder);
        var (original, recall) = await RecalledAsync(bench, times: 2);
        using var client = new OfficeClient(bench.Start("G22"));
        Assert.Equal(2, client.Outbox().Count);
        var entry = client.Find(recall)!;
        var header = Statement.Read(entry.Parts().Header, StatementType.Header).As<Header>();
        Assert.Equal(("recall", null, new Reference("recall", original, client.Find(original)!.Record.Ctx, 1)), (header.Kind, header.Payload, Assert.Single(header.References)));
        Assert.DoesNotContain(Reason, System.Text.Encoding.UTF8.GetString(bench.Gateway.Submitted[^1]), StringComparison.Ordinal);
        Assert.Equal(Refusal.RecallTarget, (await Assert.ThrowsAsync<RefusedException>(() => client.RecallAsync(entry, new RecallRequest { Reason = Reason }, Cancel))).Refusal);
        Assert.Equal(Refusal.RecallTarget, (await Assert.ThrowsAsync<RefusedException>(() => client.RecallAsync(client.Find(original)!, new RecallRequest { Reason = Reason, To = ["H14"] }, Cancel))).Refusal);
    }

    [Fact]
    public async Task Whoever_has_it_reads_why_and_answers_about_it()
    {
        using var bench = new Bench(pki.Folder);
        var (original, recall) = await RecalledAsync(bench);
        Assert.Null((await OpenAsync(bench, original)).Failure);
        var opened = await OpenAsync(bench, recall);
        Assert.Equal((original, Reason, null), (opened.Notice!.Target, opened.Notice.Reason, opened.Folder));
        Assert.Equal(opened.Notice, (await OpenAsync(bench, recall)).Notice);

        using var client = new OfficeClient(bench.Start("H41"));
        var record = client.FindReceived("G22", original)!;
        Assert.Equal(original, client.Subject(client.FindReceived("G22", recall)!).Id);
        var notice = client.Notice(record)!;
        Assert.Null((await client.HandleAsync(record, "16", "acted-on", new(notice.Id, notice.Ctx, notice.Revision), Cancel)).Waits);
        var said = Statement.Read(bench.Gateway.Statuses[^1], StatementType.Status).As<HandlingStatus>();
        Assert.Equal((original, "16", recall, 1), (said.Envelope, said.Code, said.Answers!.Id, said.Answers.Revision));
    }

    [Fact]
    public async Task What_was_recalled_before_it_came_is_not_opened_without_the_clerks_word()
    {
        using var bench = new Bench(pki.Folder);
        var (original, recall) = await RecalledAsync(bench);
        Assert.Null((await OpenAsync(bench, recall)).Failure);
        foreach (var _ in new[] { 1, 2 })
        {
            Assert.Equal(Refusal.Recalled, (await OpenAsync(bench, original)).Failure);
            Assert.Empty(Directory.GetFiles(bench.At("received"), "document.bin", SearchOption.AllDirectories));
        }
        Assert.Equal(["ContentHandover OK", "ContentOpeningFailure E_RECALLED"], Events(bench, original));
        Assert.Null((await OpenAsync(bench, original, recalled: true)).Failure);
        Assert.Single(Directory.GetFiles(bench.At("received"), "document.bin", SearchOption.AllDirectories));
        Assert.Equal(["ContentHandover OK", "ContentOpeningFailure E_RECALLED", "ContentOpening OK"], Events(bench, original));
    }

    [Fact]
    public async Task A_replacement_revises_the_authors_dispatch_and_what_it_replaces_is_not_opened_any_more()
    {
        using var bench = new Bench(pki.Folder);
        var original = (await bench.SendAsync()).Entry;
        var replacement = (await bench.SendAsync(change: r => r with { Replaces = original.Id.ToString() })).Entry;
        Assert.Equal(new AboutDispatch("replace", original.Id, original.Record.Ctx, 1), replacement.Record.About);
        var opened = await OpenAsync(bench, replacement.Id);
        Assert.Equal((original.Id, "replace", 1), (opened.Notice!.Target, opened.Notice.Kind, opened.Files.Count));
        using (var office = bench.Start("H41"))
            Assert.Equal(original.Record.DispatchRef, Statement.Read(File.ReadAllBytes(Path.Combine(office.Received.Evidence("G22", replacement.Id), "dispatch.p7s")), StatementType.Dispatch).As<Dispatch>().Revises);
        Assert.Equal(Refusal.Recalled, (await OpenAsync(bench, original.Id)).Failure);
    }

    [Fact]
    public Task A_program_killed_at_a_sixth_of_the_steps_of_taking_a_recall_in_never_acknowledges_what_it_does_not_keep() => Killed(every: 6);

    [Fact, Trait("tier", "long")]
    public Task A_program_killed_at_any_step_of_taking_a_recall_in_never_acknowledges_what_it_does_not_keep() => Killed(every: 1);

    // Every run begins at another one.
    async Task Killed(int every)
    {
        using var bench = new Bench(pki.Folder);
        var steps = new List<string>();
        await OpenAsync(bench, (await RecalledAsync(bench)).Recall, step: steps.Add);
        var first = steps.FindIndex(s => s is "write header.p7s");
        Assert.Contains(steps, s => s.EndsWith(".recall", StringComparison.Ordinal));
        for (var killed = first + Random.Shared.Next(every); killed < steps.Count; killed += every)
        {
            TestContext.Current.TestOutputHelper?.WriteLine(steps[killed]);
            using var one = new Bench(pki.Folder);
            var (original, recall) = await RecalledAsync(one);
            var count = 0;
            await Assert.ThrowsAsync<KilledException>(() => OpenAsync(one, recall, step: _ => { if (count++ == killed) throw new KilledException(); }));
            if (Events(one, recall).Length > 0) Assert.Equal(Refusal.Recalled, (await OpenAsync(one, original)).Failure);
            Assert.Equal(original, (await OpenAsync(one, recall)).Notice!.Target);
        }
    }
}
