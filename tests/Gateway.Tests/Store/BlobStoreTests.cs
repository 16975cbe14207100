using Exchange.Gateway.Store;

namespace Exchange.Tests;

public sealed class BlobStoreTests : IDisposable
{
    readonly TestStore store = new();

    Task Put(Guid id, int length = 20_000) => store.Blobs.PutAsync(id, s => s.WriteAsync(new byte[length]).AsTask(), default);

    string FileOf(Guid id) => Directory.GetFiles(store.Folder.Blobs, id.ToString("N"), SearchOption.AllDirectories).Single();

    void Age(Guid id, TimeSpan age) => File.SetLastWriteTimeUtc(FileOf(id), (store.Clock.GetUtcNow() - age).UtcDateTime);

    [Fact]
    public async Task A_blob_is_named_by_its_dispatch_and_read_from_any_place()
    {
        var id = Guid.Parse("01a20c91-a002-7296-9192-7781abea1011");
        await store.Blobs.PutAsync(id, s => s.WriteAsync(new byte[] { 1, 2, 3, 4 }).AsTask(), default);

        Assert.Equal(Path.Combine(store.Folder.Blobs, "10", "11", "01a20c91a002729691927781abea1011"), FileOf(id));
        Assert.Equal(4, store.Blobs.Length(id));
        await using (var stream = store.Blobs.Open(id))
        {
            stream.Position = 2;
            Assert.Equal(3, stream.ReadByte());
        }
        store.Blobs.Remove(id);
        store.Blobs.Remove(id);
        Assert.Null(store.Blobs.Length(id));
        Assert.ThrowsAny<IOException>(() => store.Blobs.Open(id));
    }

    [Fact]
    public async Task A_payload_that_does_not_hold_leaves_nothing()
    {
        var id = store.NewId();
        await Assert.ThrowsAsync<InvalidOperationException>(() => store.Blobs.PutAsync(id, async s =>
        {
            await s.WriteAsync(new byte[100]);
            throw new InvalidOperationException("not the payload");
        }, default));
        Assert.Empty(Directory.GetFiles(store.Folder.Blobs, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_blob_is_never_replaced()
    {
        var id = store.NewId();
        await Put(id, 5);
        await Assert.ThrowsAsync<IOException>(() => Put(id, 6));
        Assert.Equal(5, store.Blobs.Length(id));
    }

    [Fact]
    public async Task Orphans_older_than_a_day_are_swept_and_named_blobs_never()
    {
        var (orphan, young, awaited) = (store.NewId(), store.NewId(), store.NewDispatch());
        var kept = store.NewDispatch("H41", "H14");
        kept.Row = kept.Row with { PayloadBytes = 20_000, Payload = null };
        foreach (var id in new[] { orphan, young, kept.Row.Id, awaited.Row.Id }) await Put(id);
        store.Commit(kept.Accept);
        store.Commit(b => UploadTable.TryAdd(b, new UploadRow
        {
            Id = awaited.Row.Id, Sender = "G22", Envelope = awaited.Row.Envelope, Ctx = awaited.Row.Ctx, ManifestDigest = awaited.Row.ManifestDigest, PayloadBytes = 20_000,
            CreatedAt = 1, ExpiresAt = 2, Header = awaited.Row.Header, Approvals = [], Manifest = awaited.Row.Manifest,
        }));
        foreach (var id in new[] { orphan, kept.Row.Id, awaited.Row.Id }) Age(id, TimeSpan.FromHours(25));
        Age(young, TimeSpan.FromHours(23));

        Assert.Equal([orphan], store.Blobs.Step(store.Engine));
        Assert.Empty(store.Blobs.Step(store.Engine));
        Assert.Null(store.Blobs.Length(orphan));
        Assert.All([young, kept.Row.Id, awaited.Row.Id], id => Assert.NotNull(store.Blobs.Length(id)));
    }

    [Fact]
    public async Task A_second_name_is_as_young_as_its_making_and_each_goes_by_itself()
    {
        var (old, second) = (store.NewId(), store.NewId());
        await Put(old);
        Age(old, TimeSpan.FromHours(25));
        store.Blobs.Link(old, second);
        // Its commit is still to come, and the bytes are a day old: the sweep must not take it for what a crash left.
        Assert.Empty(store.Blobs.Step(store.Engine));
        store.Blobs.Remove(old);
        Assert.Equal((null, 20_000L), (store.Blobs.Length(old), store.Blobs.Length(second)));
        // One that came to no commit is swept in its turn.
        Age(second, TimeSpan.FromHours(25));
        Assert.Equal([second], store.Blobs.Step(store.Engine));
        Assert.ThrowsAny<IOException>(() => store.Blobs.Link(old, second));
    }

    [Fact]
    public async Task What_a_crash_left_half_written_is_swept_at_start()
    {
        var id = store.NewId();
        await Put(id);
        File.WriteAllBytes(Path.Combine(Path.GetDirectoryName(FileOf(id))!, ".tmp-0123456789abcdef"), [1]);
        Assert.Equal(1, store.Blobs.SweepTemporary());
        Assert.NotNull(store.Blobs.Length(id));
        Assert.Single(store.Blobs.All());
    }

    public void Dispose() => store.Dispose();
}
