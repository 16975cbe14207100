using System.Security.Cryptography;
using Exchange.Adapters;
using Exchange.Adapters.Sftp;

namespace Exchange.Tests;

public sealed class SftpIntakeTests(SftpServer server) : IClassFixture<SftpServer>, IDisposable
{
    readonly DirectoryInfo here = Directory.CreateTempSubdirectory("exchange-intake-");
    readonly List<(string Kind, string Name, byte[] Bytes)> brought = [];
    readonly List<IDisposable> made = [];

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        foreach (var one in made) one.Dispose();
        here.Delete(recursive: true);
    }

    /// <summary>An office's two folders on the server, over a wire of its own.</summary>
    sealed class Office(SftpServer server, Wire wire)
    {
        public string Out { get; } = server.NewFolder();
        public string In { get; } = server.NewFolder();
        public Wire Wire => wire;
        public Dictionary<string, string> Settings => new(server.Settings(Out, wire.Port)) { ["inbound"] = In };
        public string Inbound(string name) => Path.Combine(In, name);
        public IEnumerable<string> Left => Directory.GetFiles(In, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(In, f)).Order(StringComparer.Ordinal);

        public byte[] Put(string name, int length, string suffix = "envelope", bool marker = true, string? digest = null)
        {
            var bytes = RandomNumberGenerator.GetBytes(length);
            File.WriteAllBytes(Inbound($"{name}.{suffix}"), bytes);
            if (marker) File.WriteAllText(Inbound($"{name}.ready"), $"{digest ?? Convert.ToHexStringLower(SHA256.HashData(bytes))}  {name}.{suffix}\n");
            return bytes;
        }
    }

    Office NewOffice()
    {
        var wire = new Wire(server.Port);
        made.Add(wire);
        return new Office(server, wire);
    }

    SftpIntake Intake(params (string Code, Office Office)[] offices) => Intake(null, offices);

    SftpIntake Intake(Func<SftpIntakeOptions, SftpIntakeOptions>? change, params (string Code, Office Office)[] offices)
    {
        var options = new SftpIntakeOptions { Lines = new SftpOptions { Key = SftpPeer.Key(server.Ed25519) }, Temporary = Path.Combine(here.FullName, "parts"), Sources = () => [.. offices.Select(o => new SftpSource(o.Code, o.Office.Settings))] };
        var intake = new SftpIntake(change?.Invoke(options) ?? options, TimeProvider.System);
        made.Add(intake);
        return intake;
    }

    // What the files become for the account once they are put there by somebody else.
    async Task<IntakeRound> RoundAsync(SftpIntake intake, Func<Brought, IntakeAnswer>? answer = null)
    {
        foreach (var folder in Directory.GetDirectories(server.At()).Where(d => Path.GetFileName(d).Length == 32)) server.Give(folder);
        return await intake.StepAsync(async (one, cancel) =>
        {
            using var copy = new MemoryStream();
            await one.Content.CopyToAsync(copy, cancel);
            brought.Add((one.Kind.ToString(), one.Name, copy.ToArray()));
            return answer?.Invoke(one) ?? new IntakeAnswer(IntakeVerdict.Taken);
        }, Cancel);
    }

    [Fact]
    public async Task What_has_its_marker_is_brought_once_answered_and_removed()
    {
        var office = NewOffice();
        var first = office.Put("01a2-first", 500_000);
        var receipt = office.Put("01a2-receipt", 3000, "receipt.p7s");
        office.Put("01a2-not-yet", 1000, marker: false);
        var intake = Intake(("H41", office));
        Assert.Null(await intake.ProbeAsync(Cancel));
        var reply = new IntakeReply("H41", office.Settings, "01a2-answer", "our word"u8.ToArray());
        Assert.Equal(new IntakeRound(2, 0, 0, null), await RoundAsync(intake, one => new IntakeAnswer(IntakeVerdict.Taken, one.Kind == BroughtKind.Envelope ? reply : null)));
        Assert.Equal([("Envelope", "01a2-first"), ("Receipt", "01a2-receipt")], brought.Select(b => (b.Kind, b.Name)));
        Assert.Equal(first, brought[0].Bytes);
        Assert.Equal(receipt, brought[1].Bytes);
        Assert.Equal(["01a2-not-yet.envelope"], office.Left);
        Assert.Equal("our word", await File.ReadAllTextAsync(Path.Combine(office.Out, "01a2-answer.answer.p7s"), Cancel));
        // What is signed afterwards goes the same way; the same once more changes nothing.
        for (var i = 0; i < 2; i++) Assert.Null(await intake.ReplyAsync(reply with { Name = "01a2-later" }, Cancel));
        Assert.Equal("our word", await File.ReadAllTextAsync(Path.Combine(office.Out, "01a2-later.answer.p7s"), Cancel));
        Assert.Equal(SftpReason.NotThere, await intake.ReplyAsync(reply with { Settings = new Dictionary<string, string>(office.Settings) { ["folder"] = "/nowhere" } }, Cancel));
        Assert.Equal(new IntakeRound(0, 0, 0, null), await RoundAsync(intake));
        Assert.Empty(Directory.GetFiles(Path.Combine(here.FullName, "parts")));
    }

    [Fact]
    public async Task What_is_not_taken_now_stays_and_what_never_will_be_is_put_aside_and_nobody_waits_for_it()
    {
        var office = NewOffice();
        office.Put("a-other-bytes", 1000, digest: new string('0', 64));
        office.Put("b-refused", 1000);
        office.Put("c-later", 1000);
        office.Put("d-throws", 1000);
        office.Put("e-good", 1000);
        var intake = Intake(("H41", office));
        IntakeAnswer Answer(Brought one) => one.Name[0] switch
        {
            'b' => new(IntakeVerdict.Quarantine), 'c' => new(IntakeVerdict.Later), 'd' => throw new InvalidOperationException("SECRET"), _ => new(IntakeVerdict.Taken),
        };
        Assert.Equal(new IntakeRound(1, 2, 2, "H41: InvalidOperationException"), await RoundAsync(intake, Answer));
        Assert.Equal(new IntakeRound(0, 0, 2, "H41: InvalidOperationException"), await RoundAsync(intake, Answer));
        // The third time is the last.
        Assert.Equal(new IntakeRound(0, 1, 1, "H41: InvalidOperationException"), await RoundAsync(intake, Answer));
        Assert.Equal(["c-later.envelope", "c-later.ready"], office.Left.Where(f => !f.Contains('/', StringComparison.Ordinal)));
        Assert.Equal(["a-other-bytes", "b-refused", "d-throws"], office.Left.Where(f => f.EndsWith(".ready", StringComparison.Ordinal) && f.StartsWith("quarantine/", StringComparison.Ordinal)).Select(f => Path.GetFileNameWithoutExtension(f)));
        Assert.Equal(3, office.Left.Count(f => f.StartsWith("quarantine/", StringComparison.Ordinal) && f.EndsWith(".envelope", StringComparison.Ordinal)));
        Assert.Equal(new IntakeRound(1, 0, 0, null), await RoundAsync(intake));
    }

    [Fact]
    public async Task Half_a_letting_go_is_finished_and_not_brought_again()
    {
        var office = NewOffice();
        office.Put("taken", 1000);
        office.Put("aside", 1000);
        File.Move(office.Inbound("taken.ready"), office.Inbound(".taken.taken"));
        File.Move(office.Inbound("aside.ready"), office.Inbound(".aside.aside-20260102-1"));
        Assert.Equal(new IntakeRound(0, 0, 0, null), await RoundAsync(Intake(("H41", office))));
        Assert.Empty(brought);
        Assert.Equal(["quarantine/aside-20260102-1/aside.envelope", "quarantine/aside-20260102-1/aside.ready"], office.Left);
    }

    [Fact]
    public async Task A_marker_that_names_something_else_is_put_aside()
    {
        var office = NewOffice();
        string[] names = ["../../etc/passwd", "other.envelope", "odd-2.exe", "", "*"];
        foreach (var (n, name) in names.Index())
        {
            office.Put($"odd-{n}", 1000, marker: false);
            var line = $"{new string('a', 64)}  {name}\n";
            File.WriteAllText(office.Inbound($"odd-{n}.ready"), name switch { "" => "", "*" => string.Concat(Enumerable.Repeat(line, 1000)), _ => line });
        }
        Assert.Equal(new IntakeRound(0, 5, 0, null), await RoundAsync(Intake(("H41", office))));
        Assert.Empty(brought);
        Assert.Equal(10, office.Left.Count(f => f.StartsWith("quarantine/odd-", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Links_odd_names_and_files_too_large_are_not_read_and_a_missing_file_is_waited_for()
    {
        var office = NewOffice();
        File.WriteAllText(office.Inbound("secret"), "not for the gateway");
        File.CreateSymbolicLink(office.Inbound("link.envelope"), office.Inbound("secret"));
        File.WriteAllText(office.Inbound("link.ready"), $"{Convert.ToHexStringLower(SHA256.HashData("not for the gateway"u8))}  link.envelope\n");
        office.Put("odd name", 10);
        office.Put("large", (1 << 20) + 1);
        office.Put("good", 10);
        var intake = Intake(o => o with { MaxBytes = 1 << 20 }, ("H41", office));
        Assert.Equal(new IntakeRound(1, 1, 1, null), await RoundAsync(intake));
        await RoundAsync(intake);
        Assert.Equal(new IntakeRound(0, 1, 0, null), await RoundAsync(intake));
        Assert.Equal("good", Assert.Single(brought).Name);
        Assert.Equal(["link.envelope", "odd name.envelope", "secret"], office.Left.Where(f => !f.Contains('/', StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_cut_download_goes_on_where_it_was_cut_and_what_has_changed_since_is_noticed()
    {
        var office = NewOffice();
        var bytes = office.Put("large", 8 << 20);
        office.Wire.CutAfterCame = 6 << 20;
        var round = await RoundAsync(Intake(("H41", office)));
        Assert.StartsWith("H41: connection", round.Problem, StringComparison.Ordinal);
        Assert.Empty(brought);
        var before = office.Wire.Came;
        Assert.Equal(1, (await RoundAsync(Intake(("H41", office)))).Taken);
        Assert.Equal(bytes, Assert.Single(brought).Bytes);
        Assert.True(office.Wire.Came - before < 5 << 20, $"{office.Wire.Came - before}");
        // The part of an earlier round, and another file behind the same digest.
        var other = office.Put("other", 2000);
        var part = Path.Combine(here.FullName, "parts", Convert.ToHexStringLower(SHA256.HashData([.. SHA256.HashData(other), .. "H41"u8])) + ".part");
        await File.WriteAllBytesAsync(part, new byte[1500], Cancel);
        var intake = Intake(("H41", office));
        Assert.Equal(1, (await RoundAsync(intake)).Left);
        Assert.Equal(1, (await RoundAsync(intake)).Taken);
        Assert.Equal(other, brought[^1].Bytes);
    }

    [Fact]
    public Task A_connection_cut_at_three_places_brings_everything_and_removes_it_once() => CutAsync(3);

    [Fact, Trait("tier", "long")]
    public Task A_connection_cut_at_two_hundred_places_brings_everything_and_removes_it_once() => CutAsync(200);

    async Task CutAsync(int places)
    {
        long came = 0;
        for (var place = 0; place <= places; place++)
        {
            var office = NewOffice();
            byte[][] put = [office.Put("a", 300_000), office.Put("b", 1000), office.Put("c", 1000, digest: new string('0', 64))];
            IntakeAnswer Answer(Brought one) => new(IntakeVerdict.Taken, new IntakeReply("H41", office.Settings, one.Name, "our word"u8.ToArray()));
            if (place > 0) office.Wire.CutAfterCame = came * place / places;
            brought.Clear();
            var (taken, aside) = (0, 0);
            for (var round = 0; round < 3; round++)
            {
                var one = await RoundAsync(Intake(("H41", office)), Answer);
                (taken, aside) = (taken + one.Taken, aside + one.Quarantined);
            }
            if (place == 0) came = office.Wire.Came;
            Assert.True(taken <= 2 && aside <= 1);
            Assert.Equal([.. put[..2].Select(Convert.ToHexString)], brought.OrderBy(b => b.Name, StringComparer.Ordinal).Select(b => Convert.ToHexString(b.Bytes)).Distinct());
            Assert.True(office.Left.Count() == 2 && office.Left.All(f => f.StartsWith("quarantine/c-", StringComparison.Ordinal)), string.Join(' ', office.Left));
            Assert.Equal(["a.answer.p7s", "b.answer.p7s"], Directory.GetFiles(office.Out).Select(f => Path.GetFileName(f)).Where(f => f![0] != '.').Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task A_silent_server_and_wrong_settings_keep_no_other_office_waiting_and_an_answer_finds_its_own()
    {
        var (dead, wrong, good, third) = (NewOffice(), NewOffice(), NewOffice(), NewOffice());
        var silent = dead.Settings;
        dead.Wire.Dispose();
        good.Put("good", 1000);
        var sources = new SftpSource[] { new("H01", silent), new("H02", new Dictionary<string, string>(wrong.Settings) { ["inbound"] = "../up" }), new("H41", good.Settings), new("H14", server.Settings(third.Out)) };
        var intake = Intake(o => o with { Sources = () => sources });
        var round = await RoundAsync(intake, _ => new IntakeAnswer(IntakeVerdict.Taken, new IntakeReply("H14", third.Settings, "for-another", "our word"u8.ToArray())));
        Assert.Equal(1, round.Taken);
        Assert.Contains("and 1 more", round.Problem, StringComparison.Ordinal);
        Assert.Equal("for-another.answer.p7s", Path.GetFileName(Assert.Single(Directory.GetFiles(third.Out))));
        // The dead one is not asked again at once.
        Assert.Equal("H02: settings: inbound must be a path as for folder, and another one", (await RoundAsync(intake)).Problem);
    }
}
