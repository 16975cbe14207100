using Exchange.Office;
using Exchange.Office.Client;

namespace Exchange.Tests;

/// <summary>The command line as text: testdata/*.txt, blocks of a command and what must (or, with !, must not) come out.</summary>
public sealed class CommandTests(DevPkiFixture pki)
{
    [Theory]
    [InlineData("usage.txt")]
    public async Task The_command_says_what_the_script_says(string script)
    {
        using var bench = new Bench(pki.Folder);
        using (var client = new OfficeClient(bench.Start("G22"))) Assert.Null(await client.RefreshAsync(TestContext.Current.CancellationToken));
        // From here on the gateway is where nobody listens.
        File.WriteAllText(bench.At("G22", "profile.json"), File.ReadAllText(bench.At("G22", "profile.json")).Replace("https://localhost", "https://127.0.0.1:1", StringComparison.Ordinal));
        File.WriteAllText(bench.At("sheet.json"), """{"number":"7816","notation":"VPCP","subject":"S-U-B-J-E-C-T"}""");
        _ = bench.Request();
        var words = new Dictionary<string, string> { ["DOC"] = bench.At("document.bin"), ["SHEET"] = bench.At("sheet.json"), ["CARD"] = Path.Combine(pki.Folder, "statements", "cards", "H41.p7s") };

        var ran = (Code: 0, Out: "", Error: "");
        var command = "";
        foreach (var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "testdata", script)).Where(l => l.Length > 0 && !l.StartsWith('#')))
        {
            var (verb, rest) = (line.Split(' ')[0], line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
            if (verb == "exchange")
            {
                command = line;
                ran = await RunAsync([.. rest.Split(' ').Select(w => words.GetValueOrDefault(w, w)), "--profile", bench.At("G22"), .. rest.Contains("--lang", StringComparison.Ordinal) ? Array.Empty<string>() : ["--lang", "en"]]);
                continue;
            }
            var holds = verb switch
            {
                "exit" => ran.Code.ToString(System.Globalization.CultureInfo.InvariantCulture) == rest,
                "stdout" => ran.Out.Contains(rest, StringComparison.Ordinal),
                "!stdout" => !ran.Out.Contains(rest, StringComparison.Ordinal),
                "stderr" => ran.Error.Contains(rest, StringComparison.Ordinal),
                "!stderr" => !ran.Error.Contains(rest, StringComparison.Ordinal),
                _ => throw new FormatException(line),
            };
            Assert.True(holds, $"{command}\n{line}\nexit {ran.Code}\n{ran.Out}\n{ran.Error}");
        }
    }

    /// <summary>The time of the PKI, with timers that run.</summary>
    sealed class PkiTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DevPkiFixture.Now;
    }

    static async Task<(int Code, string Out, string Error)> RunAsync(string[] arguments)
    {
        using StringWriter output = new(), error = new();
        var code = await ExchangeProgram.RunAsync(arguments, new PkiTime(), output, error);
        return (code, output.ToString(), error.ToString());
    }
}
