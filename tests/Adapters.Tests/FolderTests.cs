using System.Diagnostics;
using System.Security.Cryptography;
using Exchange.Adapters;
using Exchange.Adapters.Folder;

namespace Exchange.Tests;

/// <summary>A real folder on a small file system of its own, so that it can be full and read-only; where that cannot be mounted, a plain folder.</summary>
sealed class FolderPeer : Counterpart
{
    readonly DirectoryInfo root = Directory.CreateTempSubdirectory("exchange-folder-");

    public FolderPeer(string? mounted = null)
    {
        if (mounted is not null) IsMounted = Try("mount", "-t", "tmpfs", "-o", mounted, "tmpfs", root.FullName);
        Folder = root.CreateSubdirectory("H41").FullName;
        Adapter = new FolderAdapter(new FolderOptions { Root = root.FullName });
    }

    public bool IsMounted { get; }
    public string Folder { get; }
    public override IDeliveryAdapter Adapter { get; }
    public override IReadOnlyDictionary<string, string> Settings { get; } = new Dictionary<string, string> { ["folder"] = "H41" };
    public override byte[]? Held(Guid id) => File.Exists(At(id, "ready")) ? File.ReadAllBytes(At(id, "envelope")) : null;
    public override byte[]? HeldReceipt(Guid id) => File.Exists(At(id, "ready")) ? File.ReadAllBytes(At(id, "receipt.p7s")) : null;
    public override int Effects => Directory.GetFiles(Folder, "*.ready").Length;
    public override void Spoil() => Directory.Delete(Folder, recursive: true);
    public string At(Guid id, string kind) => Path.Combine(Folder, $"{id}.{kind}");
    public void ReadOnly() => Assert.True(Try("mount", "-o", "remount,ro", root.FullName));

    public override ValueTask DisposeAsync()
    {
        if (IsMounted) Try("umount", root.FullName);
        root.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    static bool Try(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception) { return false; }
    }
}

public sealed class FolderConformance : AdapterConformance
{
    private protected override Task<Counterpart> StartAsync() => Task.FromResult<Counterpart>(new FolderPeer());
}

public sealed class FolderTests
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_probe_names_what_is_in_the_way_and_leaves_nothing()
    {
        await using var there = new FolderPeer("size=64m");
        if (!there.IsMounted) Assert.Skip("no file system can be mounted here");
        Assert.StartsWith("folder: only ", await there.Adapter.ProbeAsync(there.NewParcel(0), Cancel), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(there.Folder));
        there.ReadOnly();
        Assert.Equal("folder: Read-only file system", await there.Adapter.ProbeAsync(there.NewParcel(0), Cancel));
        await using var gone = new FolderPeer();
        gone.Spoil();
        Assert.Equal("folder: it is not there", await gone.Adapter.ProbeAsync(gone.NewParcel(0), Cancel));
    }

    [Fact]
    public async Task A_torn_earlier_try_is_replaced_before_the_marker_and_never_after_it()
    {
        await using var there = new FolderPeer();
        var (parcel, bytes) = (there.NewParcel(5000), Conformance.Bytes(5000));
        await File.WriteAllBytesAsync(there.At(parcel.Id, "envelope"), bytes[..100], Cancel);
        await File.WriteAllBytesAsync(there.At(parcel.Id, "receipt.p7s"), bytes[..7], Cancel);
        await File.WriteAllBytesAsync(Path.Combine(there.Folder, ".tmp-0123456789abcdef"), bytes, Cancel);
        Assert.IsType<DeliveryOutcome.Delivered>(await there.Adapter.DeliverAsync(parcel, Conformance.Open(bytes), Cancel));
        Assert.Equal(bytes, there.Held(parcel.Id));
        Assert.Equal([.. new[] { "envelope", "ready", "receipt.p7s" }.Select(k => there.At(parcel.Id, k))], Directory.GetFiles(there.Folder).Order());
        // The office has begun to take it away: the marker says that it was delivered, and nothing is put back.
        File.Delete(there.At(parcel.Id, "envelope"));
        Assert.IsType<DeliveryOutcome.Delivered>(await there.Adapter.DeliverAsync(parcel, Conformance.Open(bytes), Cancel));
        Assert.False(File.Exists(there.At(parcel.Id, "envelope")));
    }

    [Fact]
    public async Task The_marker_holds_the_digests_and_the_files_are_for_owner_and_group()
    {
        await using var there = new FolderPeer();
        var (parcel, bytes) = (there.NewParcel(5000), Conformance.Bytes(5000));
        await there.Adapter.DeliverAsync(parcel, Conformance.Open(bytes), Cancel);
        Assert.Equal($"{Convert.ToHexStringLower(SHA256.HashData(bytes))}  {parcel.Id}.envelope\n{Convert.ToHexStringLower(SHA256.HashData(parcel.Receipt.Span))}  {parcel.Id}.receipt.p7s\n",
            await File.ReadAllTextAsync(there.At(parcel.Id, "ready"), Cancel));
        Assert.All(Directory.GetFiles(there.Folder), f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(f)));
    }

    [Fact]
    public async Task A_full_disk_leaves_no_marker_and_nothing_half_written()
    {
        await using var there = new FolderPeer("size=1m");
        Assert.SkipUnless(there.IsMounted, "no tmpfs could be mounted here (needs root)");
        var (small, large) = (there.NewParcel(100_000), there.NewParcel(3 << 20));
        Assert.Equal("folder: No space left on device", Assert.IsType<DeliveryOutcome.TryLater>(await there.Adapter.DeliverAsync(large, Conformance.Open(Conformance.Bytes(3 << 20)), Cancel)).Reason);
        Assert.Empty(Directory.GetFiles(there.Folder));
        Assert.Null(await there.Adapter.AskAsync(large, Cancel));
        Assert.IsType<DeliveryOutcome.Delivered>(await there.Adapter.DeliverAsync(small, Conformance.Open(Conformance.Bytes(100_000)), Cancel));
    }

    [Fact]
    public async Task A_read_only_folder_is_tried_later_and_what_it_holds_is_still_known()
    {
        await using var there = new FolderPeer("size=4m");
        Assert.SkipUnless(there.IsMounted, "no tmpfs could be mounted here (needs root)");
        var (before, after) = (there.NewParcel(1000), there.NewParcel(1000));
        await there.Adapter.DeliverAsync(before, Conformance.Open(Conformance.Bytes(1000)), Cancel);
        there.ReadOnly();
        Assert.Equal("folder: Read-only file system", Assert.IsType<DeliveryOutcome.TryLater>(await there.Adapter.DeliverAsync(after, Conformance.Open(Conformance.Bytes(1000)), Cancel)).Reason);
        Assert.IsType<DeliveryOutcome.Delivered>(await there.Adapter.AskAsync(before, Cancel));
        Assert.Null(await there.Adapter.AskAsync(after, Cancel));
    }

    [Fact]
    public async Task A_folder_that_is_not_mounted_is_never_said_to_hold_nothing()
    {
        await using var there = new FolderPeer();
        var parcel = there.NewParcel(10);
        there.Spoil();
        Assert.IsType<DeliveryOutcome.Unknown>(await there.Adapter.AskAsync(parcel, Cancel));
        Assert.Equal("folder: it is not there", Assert.IsType<DeliveryOutcome.TryLater>(await there.Adapter.DeliverAsync(parcel, Conformance.Open(new byte[10]), Cancel)).Reason);
        Assert.False(Directory.Exists(there.Folder));
        // And once it is back, it goes on.
        Directory.CreateDirectory(there.Folder);
        Assert.IsType<DeliveryOutcome.Delivered>(await there.Adapter.DeliverAsync(parcel, Conformance.Open(new byte[10]), Cancel));
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new FolderAdapter(new FolderOptions { Root = "relative" }));
        Assert.Throws<ArgumentException>(() => new FolderAdapter(new FolderOptions { Root = "/", Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead }));
    }
}
