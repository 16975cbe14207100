using Exchange.Crypto.Evidence;
using Exchange.Crypto.Ledger;
using Xunit;

namespace Exchange.Tests.Ledger;

/// <summary>An export as it lies on a stick: what a link in it leads to is not of it.</summary>
public sealed class LedgerFolderTests : IDisposable
{
    const string Tile = "tile/0/000.p/5";
    readonly string folder = Directory.CreateTempSubdirectory().FullName;
    readonly CheckpointKey key = CheckpointKey.Create("test.exchange/ledger");

    public LedgerFolderTests() => TestExport.Make(key.Origin, 5, key.Sign, []).Save(folder);

    public void Dispose()
    {
        key.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    string At(string name) => Path.Combine(folder, name);

    Findings Check() => LedgerCheck.Check(new LedgerFolder(folder), new LedgerPins(key.Origin, [key.VerifierKey]));

    [Fact]
    public void A_whole_export_is_read() => Assert.Equal(0, Check().ExitCode);

    [Fact]
    public void A_linked_file_is_missing()
    {
        File.Move(At(Tile), At("away"));
        File.CreateSymbolicLink(At(Tile), At("away"));
        Assert.Contains(Check().All, f => f is { Kind: FindingKind.Incomplete, Part: Tile });
    }

    [Fact]
    public void So_is_what_lies_in_a_linked_folder()
    {
        Directory.Move(At("tile"), At("away"));
        Directory.CreateSymbolicLink(At("tile"), At("away"));
        Assert.Null(new LedgerFolder(folder).Read(Tile, 100));
        Assert.Empty(new LedgerFolder(folder).List("tile/0"));
        Assert.Equal(2, Check().ExitCode);
    }
}
