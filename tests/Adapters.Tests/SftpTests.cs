using System.Diagnostics;
using System.Security.Cryptography;
using Exchange.Adapters;
using Exchange.Adapters.Sftp;

namespace Exchange.Tests;

public sealed class SftpConformance(SftpServer server) : AdapterConformance, IClassFixture<SftpServer>
{
    // Impatient, for the partner that never answers.
    private protected override Task<Counterpart> StartAsync() => Task.FromResult<Counterpart>(new SftpPeer(server, o => o with { AnswerSeconds = 3 }));
}

public sealed class SftpTests(SftpServer server) : IClassFixture<SftpServer>
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    static async Task<string> SaidAsync(SftpPeer there, Parcel parcel) => $"{await there.Adapter.DeliverAsync(parcel, Conformance.Open(new byte[parcel.Length]), Cancel)}";

    [Fact]
    public async Task Only_a_pinned_host_key_is_talked_to_and_two_may_be_pinned_while_it_changes()
    {
        await using var there = new SftpPeer(server);
        var parcel = there.NewParcel(1000);
        var other = "SHA256:" + Convert.ToBase64String(new byte[32])[..43];
        var settings = new Dictionary<string, string>(there.Settings) { ["hostKey"] = other };
        var mismatch = $"settings: hostKey: the server shows {server.HostKey}";
        Assert.Equal($"TryLater {{ Reason = {mismatch} }}", await SaidAsync(there, parcel with { Settings = settings }));
        Assert.Equal($"asked: {mismatch}", Assert.IsType<DeliveryOutcome.Unknown>(await there.Adapter.AskAsync(parcel with { Settings = settings }, Cancel)).Reason);
        Assert.Equal(mismatch, await there.Adapter.ProbeAsync(parcel with { Settings = settings }, Cancel));
        Assert.Empty(there.Files);
        settings["hostKey"] = $"{other} {server.HostKey}";
        Assert.IsType<DeliveryOutcome.Delivered>(await there.Adapter.DeliverAsync(parcel with { Settings = settings }, Conformance.Open(new byte[1000]), Cancel));
    }

    [Fact]
    public async Task Whoever_is_not_let_in_hears_it_and_a_P384_key_is_let_in()
    {
        await using var stranger = new SftpPeer(server, o => o with { Key = SftpPeer.Key(server.Stranger) });
        Assert.Equal("TryLater { Reason = sftp: not let in: user, or the gateway's key there }", await SaidAsync(stranger, stranger.NewParcel(10)));
        await using var there = new SftpPeer(server, o => o with { Key = SftpPeer.Key(server.P384) });
        Assert.Equal("TryLater { Reason = sftp: not let in: user, or the gateway's key there }", await SaidAsync(there, there.NewParcel(10) with { Settings = new Dictionary<string, string>(there.Settings) { ["user"] = "nobody-of-this-name" } }));
        Assert.StartsWith("Delivered", await SaidAsync(there, there.NewParcel(10)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_in_the_clear_of_another_kind_or_under_another_passphrase_is_refused()
    {
        string Make(string name, string passphrase, params string[] kind)
        {
            Assert.True(SftpServer.Try("ssh-keygen", ["-q", .. kind, "-a", "1", "-N", passphrase, "-f", server.At(name)]));
            return server.At(name);
        }
        string Refused(string path) => Assert.Throws<CryptographicException>(() => SftpKey.Load(path, SftpServer.Passphrase)).Message;
        Assert.Contains("not encrypted", Refused(Make("clear", "", "-t", "ed25519")), StringComparison.Ordinal);
        Assert.Contains("another passphrase", Refused(Make("other", "something else", "-t", "ed25519")), StringComparison.Ordinal);
        Assert.Contains("must be Ed25519", Refused(Make("p256", SftpServer.Passphrase, "-t", "ecdsa", "-b", "256")), StringComparison.Ordinal);
        Assert.Contains("another passphrase", Refused(server.Ed25519 + ".pub"), StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(() => SftpKey.Load(server.At("nowhere"), SftpServer.Passphrase));
    }

    [Fact]
    public async Task A_cut_upload_goes_on_near_where_it_was_cut()
    {
        await using var there = new SftpPeer(server);
        const int Length = 36 << 20;
        var (parcel, bytes) = (there.NewParcel(Length), Conformance.Bytes(Length));
        there.Wire.CutAfterSent = 30 << 20;
        Assert.StartsWith("connection: ", Assert.IsType<DeliveryOutcome.TryLater>(await there.Adapter.DeliverAsync(parcel, Conformance.Open(bytes), Cancel)).Reason, StringComparison.Ordinal);
        Assert.Null(there.Held(parcel.Id));
        var (before, left) = (there.Wire.Sent, new FileInfo(there.Hidden(parcel.Id, "envelope")).Length);
        // Writes overtake each other: the last one may lie beyond one that never came.
        Assert.InRange(left, 24 << 20, 32 << 20);
        Assert.IsType<DeliveryOutcome.Delivered>(await there.Restart().DeliverAsync(parcel, Conformance.Open(bytes), Cancel));
        Assert.Equal(bytes, there.Held(parcel.Id));
        Assert.InRange(there.Wire.Sent - before, 0, Length - left + SftpUpload.Unsure + (1 << 20));
        Assert.Equal([.. new[] { "envelope", "ready", "receipt.p7s" }.Select(k => $"{parcel.Id}.{k}")], there.Files);
    }

    [Theory]
    [InlineData("longer"), InlineData("other bytes before the end"), InlineData("other bytes, short")]
    public async Task What_was_left_is_never_trusted_when_it_is_longer_or_differs(string what)
    {
        await using var there = new SftpPeer(server);
        // Only a file longer than what is never trusted is gone on with at all.
        var length = what == "other bytes before the end" ? 19 << 20 : 1 << 20;
        var (parcel, bytes) = (there.NewParcel(length), Conformance.Bytes(length));
        var left = what switch
        {
            "longer" => [.. bytes, 0],
            "other bytes, short" => new byte[1000],
            _ => bytes[..^1000],
        };
        // Just before the place from where it would go on: what lies behind is sent again in any case.
        if (what == "other bytes before the end") left[(left.Length - SftpUpload.Unsure) / SftpUpload.Piece * SftpUpload.Piece - 1] ^= 1;
        await File.WriteAllBytesAsync(there.Hidden(parcel.Id, "envelope"), left, Cancel);
        server.Give(there.Hidden(parcel.Id, "envelope"));
        Assert.IsType<DeliveryOutcome.Delivered>(await there.Adapter.DeliverAsync(parcel, Conformance.Open(bytes), Cancel));
        Assert.Equal(bytes, there.Held(parcel.Id));
        Assert.True(there.Wire.Sent > length);
    }

    [Fact]
    public async Task An_envelope_that_lacks_only_its_marker_is_not_sent_as_a_whole_again_and_with_it_nothing_is_touched()
    {
        await using var there = new SftpPeer(server);
        const int Length = 20 << 20;
        var (parcel, bytes) = (there.NewParcel(Length), Conformance.Bytes(Length));
        await File.WriteAllBytesAsync(there.At(parcel.Id, "envelope"), bytes, Cancel);
        await File.WriteAllBytesAsync(there.At(parcel.Id, "receipt.p7s"), new byte[7], Cancel);
        await File.WriteAllBytesAsync(there.Hidden(parcel.Id, "ready"), new byte[7], Cancel);
        foreach (var file in Directory.GetFiles(there.Folder)) server.Give(file);
        Assert.IsType<DeliveryOutcome.Delivered>(await there.Adapter.DeliverAsync(parcel, Conformance.Open(bytes), Cancel));
        Assert.Equal(bytes, there.Held(parcel.Id));
        Assert.Equal(parcel.Receipt.ToArray(), there.HeldReceipt(parcel.Id));
        Assert.True(there.Wire.Sent < Length, $"{there.Wire.Sent}");
        // The office has begun to take it away.
        File.Delete(there.At(parcel.Id, "envelope"));
        Assert.IsType<DeliveryOutcome.Delivered>(await there.Adapter.DeliverAsync(parcel, Conformance.Open(bytes), Cancel));
        Assert.False(File.Exists(there.At(parcel.Id, "envelope")));
    }

    [Fact]
    public async Task A_probe_and_an_attempt_name_what_is_in_the_way()
    {
        await using var gone = new SftpPeer(server);
        gone.Spoil();
        Assert.Equal("sftp: the folder is not there", await gone.Adapter.ProbeAsync(gone.NewParcel(0), Cancel));
        Assert.Equal("TryLater { Reason = sftp: the folder is not there }", await SaidAsync(gone, gone.NewParcel(10)));
        Assert.Equal("asked: the folder is not there", Assert.IsType<DeliveryOutcome.Unknown>(await gone.Adapter.AskAsync(gone.NewParcel(10), Cancel)).Reason);

        await using var closed = new SftpPeer(server);
        File.SetUnixFileMode(closed.Folder, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.Equal("sftp: permission denied", await closed.Adapter.ProbeAsync(closed.NewParcel(0), Cancel));
        Assert.Equal("TryLater { Reason = sftp: permission denied }", await SaidAsync(closed, closed.NewParcel(10)));

        var parcel = closed.NewParcel(10) with { Settings = new Dictionary<string, string>(closed.Settings) { ["port"] = "1" } };
        Assert.Equal("TryLater { Reason = connection: ConnectionRefused }", await SaidAsync(closed, parcel));
    }

    [Fact]
    public async Task A_full_disk_and_a_read_only_one_are_told_apart()
    {
        var folder = server.NewFolder();
        Assert.SkipUnless(SftpServer.Try("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder), "no tmpfs could be mounted here (needs root)");
        try
        {
            server.Give(folder);
            await using var there = new SftpPeer(server, folder: folder);
            var large = there.NewParcel(3 << 20);
            Assert.Equal("TryLater { Reason = sftp: no space left }", await SaidAsync(there, large));
            Assert.Null(await there.Adapter.AskAsync(large, Cancel));
            Assert.StartsWith("sftp: only ", await there.Adapter.ProbeAsync(there.NewParcel(0), Cancel), StringComparison.Ordinal);
            Assert.True(SftpServer.Try("mount", "-o", "remount,ro", folder));
            Assert.Equal("TryLater { Reason = sftp: read-only file system }", await SaidAsync(there, there.NewParcel(10)));
        }
        finally { SftpServer.Try("umount", folder); }
    }

    [Fact]
    public async Task An_offices_connections_are_few_used_again_and_dropped_when_dead()
    {
        await using var there = new SftpPeer(server, o => o with { Connections = 2 });
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => SaidAsync(there, there.NewParcel(1000))));
        Assert.All(outcomes, o => Assert.StartsWith("Delivered", o, StringComparison.Ordinal));
        Assert.Equal(2, there.Wire.Lines);
        await there.Wire.CutAsync();
        Assert.StartsWith("Delivered", await SaidAsync(there, there.NewParcel(1000)), StringComparison.Ordinal);
        Assert.Equal(3, there.Wire.Lines);
        // Another office behind the same address does not get it.
        Assert.StartsWith("Delivered", await SaidAsync(there, there.NewParcel(1000) with { Office = "H14" }), StringComparison.Ordinal);
        Assert.Equal(4, there.Wire.Lines);
    }

    [Fact]
    public async Task Cancelled_while_the_server_swallows_everything_it_ends_at_once()
    {
        await using var there = new SftpPeer(server);
        there.Answer(Manner.Never);
        using var stop = new CancellationTokenSource();
        var work = there.Adapter.DeliverAsync(there.NewParcel(8 << 20), Conformance.Open(new byte[8 << 20]), stop.Token);
        while (there.Wire.Sent < there.Wire.SpoilAfter) await Task.Delay(10, Cancel);
        var time = Stopwatch.StartNew();
        await stop.CancelAsync();
        Assert.Equal("TryLater { Reason = cancelled }", $"{await work}");
        Assert.True(time.Elapsed < TimeSpan.FromSeconds(1), $"{time.Elapsed}");
    }

    [Fact]
    public void Options_out_of_range_are_all_named()
    {
        var wrong = new SftpOptions { Key = SftpPeer.Key(server.Ed25519), Connections = 0, AnswerSeconds = 601 };
        Assert.Equal("Connections: 1 to 16; AnswerSeconds: 1 to 600", Assert.Throws<ArgumentException>(() => new SftpAdapter(wrong, TimeProvider.System)).Message);
    }
}
