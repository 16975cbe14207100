using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Office;
using Exchange.Office.Client;

namespace Exchange.Tests;

/// <summary>Jobs that other programs put into a folder: each sent once, whatever dies in between.</summary>
public sealed class IntakeTests(DevPkiFixture pki)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;
    const string Job = """{"files":["letter.bin"],"to":["H41"],"level":"thuong","sheet":{"number":"12","notation":"UB","subject":"S"}}""";

    static string Folder(Bench bench)
    {
        Directory.CreateDirectory(bench.At("in"));
        return bench.At("in");
    }

    static void Put(Bench bench, string name = "a", string job = Job, bool withFile = true)
    {
        if (withFile) File.WriteAllBytes(Path.Combine(Folder(bench), "letter.bin"), System.Security.Cryptography.RandomNumberGenerator.GetBytes(20_000));
        File.WriteAllText(Path.Combine(Folder(bench), name + ".job.json"), job);
    }

    /// <summary>One pass of a program started anew.</summary>
    static async Task<List<IntakeVerdict>> PassAsync(Bench bench, Action<string>? step = null)
    {
        using var client = new OfficeClient(bench.Start("G22", step));
        await client.RefreshAsync(Cancel);
        var intake = new Intake(client, new OfficeFiles(Folder(bench), step), bench.Clock);
        using var alone = intake.TryLock();
        intake.Sweep();
        var verdicts = new List<IntakeVerdict>();
        foreach (var name in intake.Jobs()) verdicts.Add(await intake.RunAsync(name, Cancel));
        return verdicts;
    }

    static string[] Left(Bench bench) => [.. Directory.GetFileSystemEntries(Folder(bench)).Select(f => Path.GetFileName(f)).Where(f => f != ".intake.lock").Order(StringComparer.Ordinal)];
    static string[] In(Bench bench, params string[] place) => [.. Directory.GetFiles(Path.Combine([Folder(bench), .. place])).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    [Fact]
    public async Task A_job_is_sent_and_put_away_with_its_files_and_the_next_of_its_name_beside_it()
    {
        using var bench = new Bench(pki.Folder);
        Put(bench);
        var sent = Assert.IsType<IntakeVerdict.Sent>(Assert.Single(await PassAsync(bench)));
        Assert.Equal(["sent"], Left(bench));
        Assert.Equal(["a.job.id", "a.job.json", "letter.bin"], In(bench, "sent", "a"));
        Assert.Equal(sent.Entry.Id.ToString(), await File.ReadAllTextAsync(bench.At("in", "sent", "a", "a.job.id"), Cancel));
        Put(bench);
        var again = Assert.IsType<IntakeVerdict.Sent>(Assert.Single(await PassAsync(bench)));
        Assert.Equal(["a.job.id", "a.job.json", "letter.bin"], In(bench, "sent", $"a-{again.Entry.Id}"));
        Assert.Equal(2, bench.Gateway.Accepted.Count);
    }

    [Fact]
    public async Task A_job_whose_files_are_not_there_yet_is_left_alone_and_a_temporary_name_is_no_job()
    {
        using var bench = new Bench(pki.Folder);
        Put(bench, withFile: false);
        File.WriteAllText(Path.Combine(Folder(bench), "b.job.json.tmp"), "{");
        Assert.Null(Assert.IsType<IntakeVerdict.Waiting>(Assert.Single(await PassAsync(bench))).Reason);
        Assert.Equal(["a.job.json", "b.job.json.tmp"], Left(bench));
        Put(bench);
        Assert.IsType<IntakeVerdict.Sent>(Assert.Single(await PassAsync(bench)));
    }

    [Theory]
    [InlineData("{", "E_REQUEST")]
    [InlineData("""{"files":["letter.bin"],"to":["H41"],"level":"thuong","sheet":{"subject":"S"},"colour":1}""", "E_REQUEST")]
    [InlineData("""{"files":["letter.bin"],"files":["letter.bin"],"to":["H41"],"level":"thuong","sheet":{"subject":"S"}}""", "E_REQUEST")]
    [InlineData("""{"files":["../profile.json"],"to":["H41"],"level":"thuong","sheet":{"subject":"S"}}""", "E_REQUEST")]
    [InlineData("""{"files":["a.job.json"],"to":["H41"],"level":"thuong","sheet":{"subject":"S"}}""", "E_REQUEST")]
    [InlineData("""{"files":["link.bin"],"to":["H41"],"level":"thuong","sheet":{"subject":"S"}}""", "E_REQUEST")]
    [InlineData("""{"files":["letter.bin"],"to":["H41"],"level":"thuong","sheet":{"subject":" "}}""", "E_REQUEST")]
    [InlineData("""{"files":["letter.bin"],"to":["H41"],"level":"thuong","expires":"soon","sheet":{"subject":"S"}}""", "E_REQUEST")]
    [InlineData("""{"files":["letter.bin"],"to":["H41"],"sheet":{"subject":"S"}}""", "E_LABEL_MISSING")]
    [InlineData("""{"files":["letter.bin"],"to":["H99"],"level":"thuong","sheet":{"subject":"S"}}""", "E_NOT_FOUND")]
    [InlineData("""{"files":["letter.bin"],"to":["H41"],"later":["H99"],"level":"thuong","sheet":{"subject":"S"}}""", "E_NOT_FOUND")]
    [InlineData("""{"files":["letter.bin"],"to":["H41"],"level":"mat","basis":"K1","sheet":{"subject":"S"}}""", "E_APPROVAL_MISSING")]
    public async Task A_job_that_cannot_be_sent_goes_to_failed_with_code_text_and_remedy_and_nothing_leaves(string job, string code)
    {
        using var bench = new Bench(pki.Folder);
        Put(bench, job: job);
        File.CreateSymbolicLink(Path.Combine(Folder(bench), "link.bin"), "/etc/hostname");
        Assert.Equal(code, Assert.IsType<IntakeVerdict.Failed>(Assert.Single(await PassAsync(bench))).Reason.Code);
        Assert.Contains("a.job.json", In(bench, "failed", "a"));
        using var reason = JsonDocument.Parse(await File.ReadAllBytesAsync(bench.At("in", "failed", "a", "reason.json"), Cancel));
        Assert.Equal(code, reason.RootElement.GetProperty("code").GetString());
        Assert.All(new[] { reason.RootElement.GetProperty("en"), reason.RootElement.GetProperty("vi"), reason.RootElement.GetProperty("remedy").GetProperty("vi") }, t => Assert.NotEmpty(t.GetString()!));
        Assert.DoesNotContain("a.job.json", Left(bench));
        Assert.Empty(bench.Gateway.Submitted);
    }

    [Fact]
    public async Task A_gateway_that_is_away_makes_the_job_wait_and_the_same_bytes_go_when_it_is_back()
    {
        using var bench = new Bench(pki.Folder);
        Put(bench);
        bench.Gateway.Faults.Enqueue(Fault.LostAfter);
        Assert.Same(Refusal.Unreachable, Assert.IsType<IntakeVerdict.Waiting>(Assert.Single(await PassAsync(bench))).Reason);
        Assert.Equal(["a.job.id", "a.job.json", "letter.bin"], Left(bench));
        Assert.IsType<IntakeVerdict.Sent>(Assert.Single(await PassAsync(bench)));
        Assert.Single(bench.Gateway.Accepted);
        Assert.Equal(bench.Gateway.Submitted[0], bench.Gateway.Submitted[1]);
    }

    [Fact]
    public async Task A_program_killed_at_any_step_has_sent_it_once_in_the_end()
    {
        var steps = new List<string>();
        using (var bench = new Bench(pki.Folder))
        {
            Put(bench);
            await PassAsync(bench, steps.Add);
        }
        var first = steps.IndexOf("write a.job.id");
        Assert.True(first >= 0 && steps[^1] == "drop id", string.Join(", ", steps));
        for (var killed = first; killed < steps.Count; killed++)
        {
            using var bench = new Bench(pki.Folder);
            Put(bench);
            var count = 0;
            await Assert.ThrowsAsync<KilledException>(() => PassAsync(bench, _ => { if (count++ == killed) throw new KilledException(); }));
            await PassAsync(bench);
            Assert.True(Left(bench) is ["sent"], $"{steps[killed]}: {string.Join(", ", Left(bench))}");
            Assert.Equal(["a.job.id", "a.job.json", "letter.bin"], In(bench, "sent", "a"));
            Assert.Single(Directory.GetDirectories(bench.At("in", "sent")));
            Assert.Single(bench.Gateway.Accepted);
            Assert.Single(bench.Gateway.Submitted.Select(b => Digest.Of(EnvelopeFile.ReadPartsAsync(new MemoryStream(b), Cancel).GetAwaiter().GetResult().Manifest.Span)).Distinct());
        }
    }

    [Fact]
    public async Task A_program_killed_while_a_job_fails_lets_the_verdict_stand()
    {
        const string Bad = """{"files":["letter.bin"],"to":["H99"],"level":"thuong","sheet":{"subject":"S"}}""";
        var steps = new List<string>();
        using (var bench = new Bench(pki.Folder))
        {
            Put(bench, job: Bad);
            await PassAsync(bench, steps.Add);
        }
        for (var killed = steps.IndexOf("write reason.json"); killed < steps.Count; killed++)
        {
            using var bench = new Bench(pki.Folder);
            Put(bench, job: Bad);
            var count = 0;
            await Assert.ThrowsAsync<KilledException>(() => PassAsync(bench, _ => { if (count++ == killed) throw new KilledException(); }));
            await PassAsync(bench);
            Assert.Equal(["failed"], Left(bench));
            Assert.Equal(["a.job.id", "a.job.json", "letter.bin", "reason.json"], In(bench, "failed", "a"));
        }
    }

    [Fact]
    public async Task A_new_job_under_the_name_of_one_whose_last_step_was_killed_is_sent_too()
    {
        using var bench = new Bench(pki.Folder);
        Put(bench);
        await Assert.ThrowsAsync<KilledException>(() => PassAsync(bench, step => { if (step == "drop id") throw new KilledException(); }));
        // Put there again before the program is back: the same words, another dispatch.
        Put(bench);
        Assert.IsType<IntakeVerdict.Sent>(Assert.Single(await PassAsync(bench)));
        Assert.Equal(2, bench.Gateway.Accepted.Count);
        Assert.Equal(["sent"], Left(bench));
    }

    [Fact]
    public void Only_one_program_works_on_a_folder()
    {
        using var bench = new Bench(pki.Folder);
        using var client = new OfficeClient(bench.Start("G22"));
        var intake = new Intake(client, new OfficeFiles(Folder(bench)), bench.Clock);
        using var first = intake.TryLock();
        Assert.NotNull(first);
        Assert.Null(intake.TryLock());
    }
}
