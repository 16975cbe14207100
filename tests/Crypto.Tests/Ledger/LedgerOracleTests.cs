using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;
using System.Text;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;
using Xunit;

namespace Exchange.Tests.Ledger;

/// <summary>golang.org/x/mod/sumdb, note and tlog, over our notes, entry bundles, tiles and proofs: oracle/main.go.</summary>
public sealed class LedgerOracleTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Another_implementation_opens_our_notes_rebuilds_our_tree_and_checks_our_proofs_and_refuses_what_we_refuse()
    {
        const int size = LargeExport.Size;
        var oracle = Build();
        var export = LargeExport.Fresh();
        var vkey = LargeExport.VerifierKey.ToString();
        var place = Path.Combine(folder, "export");
        export.Save(place);
        ReadOnlyMemory<byte> Tile(int level, long index, int width) => export[new TilePath(level, index, Tiles.WidthAt(level, index, size)).ToString()].AsMemory(0, width * 32);
        Directory.CreateDirectory(Path.Combine(place, "proofs"));
        foreach (var index in new[] { 0, 255, 256, 65_535, 65_536, size - 1 })
            File.WriteAllText(Path.Combine(place, "proofs", $"{index}.tlog-proof"), new TlogProof(null, index, Tiles.InclusionProof(index, size, Tile), Encoding.UTF8.GetString(export["checkpoint"])).Write());
        File.WriteAllText(Path.Combine(place, "proofs", "consistency"), $"1000\n{size}\n" + string.Concat(Tiles.ConsistencyProof(1000, size, Tile).Select(n => Convert.ToBase64String(n.ToArray()) + "\n")));

        Assert.Equal((0, $"good: {size} entries, 9 checkpoints, 6 proofs\n"), Run(oracle, place, vkey));
        Assert.Equal(0, LedgerCheck.Check(new LedgerFolder(place), LargeExport.Pins).ExitCode);

        foreach (var (path, at) in new[] { ("checkpoint", 40), ("checkpoints/x001/000", 60), ("tile/entries/007", 100), ("tile/0/007", 100), ("tile/1/000", 8000), ("tile/2/000.p/1", 0), ("proofs/256.tlog-proof", 60), ("proofs/consistency", 40) })
        {
            var file = Path.Combine(place, path);
            var bytes = File.ReadAllBytes(file);
            bytes[at] ^= 1;
            File.WriteAllBytes(file, bytes);
            Assert.Equal(1, Run(oracle, place, vkey).Code);
            if (!path.StartsWith("proofs", StringComparison.Ordinal)) Assert.Equal(1, LedgerCheck.Check(new LedgerFolder(place), LargeExport.Pins).ExitCode);
            bytes[at] ^= 1;
            File.WriteAllBytes(file, bytes);
        }
        using var other = CheckpointKey.Create(LargeExport.Origin);
        Assert.Equal(1, Run(oracle, place, other.VerifierKey.ToString()).Code);
    }

    // Debian's golang-golang-x-mod-dev puts the sources where GOPATH mode finds them: no module, no network.
    string Build()
    {
        var source = Path.Combine(folder, "main.go");
        using (var text = Assembly.GetExecutingAssembly().GetManifestResourceStream("oracle.go")!)
        using (var file = File.Create(source)) text.CopyTo(file);
        var program = Path.Combine(folder, "oracle");
        var (code, said) = Run("go", "build", "-o", program, source);
        Assert.True(code == 0, said);
        return program;
    }

    (int Code, string Said) Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in new[] { ("GO111MODULE", "off"), ("GOPATH", "/usr/share/gocode"), ("GOFLAGS", ""), ("GOPROXY", "off"), ("GOCACHE", Path.Combine(folder, "cache")), ("CGO_ENABLED", "0") }) start.Environment[name] = value;
        Process process;
        try { process = Process.Start(start)!; }
        catch (Win32Exception) { Assert.Skip("go is not installed"); throw; }
        using (process)
        {
            var error = process.StandardError.ReadToEndAsync();
            var said = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, said + error.Result);
        }
    }
}
