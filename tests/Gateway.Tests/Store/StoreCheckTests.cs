using System.Security.Cryptography;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;
using Microsoft.Data.Sqlite;

namespace Exchange.Tests;

/// <summary>Anything deleted or changed behind the journal is named, by table and id.</summary>
public sealed class StoreCheckTests : IDisposable
{
    readonly TestStore store = new();
    readonly TestDispatch dispatch;

    public StoreCheckTests()
    {
        dispatch = store.NewDispatch("G22", "H41", "H14");
        store.Commit(dispatch.Accept);
        store.Commit(dispatch.HandOver(store, dispatch.Parcels[0]));
        Assert.Empty(store.Check());
    }

    string[] After(string sql)
    {
        store.Tamper(sql);
        return [.. store.Check().Select(f => f.ToString())];
    }

    static string Blob(Guid id) => $"x'{id:N}'";

    [Fact]
    public void A_deleted_dispatch_is_named()
    {
        var found = After($"DELETE FROM dispatch WHERE id = {Blob(dispatch.Row.Id)}");
        Assert.Contains("entry 0: the dispatch it is about is missing", found);
        Assert.Contains($"parcel {dispatch.Parcels[0].Id}: its dispatch is missing", found);
        Assert.Contains($"receipt {dispatch.Receipt.Id}: its dispatch is missing", found);
    }

    [Fact]
    public void A_payload_erased_without_an_entry_and_an_entry_without_the_erasure_are_named()
    {
        var entry = LedgerEntry.Create(new PayloadErasedDetail(dispatch.Row.Sender, dispatch.Row.Envelope, dispatch.Row.Ctx) { Time = dispatch.Row.ReceivedAt });
        Assert.Equal([$"dispatch {dispatch.Row.Id}: its payload is erased, but the entry that says so is missing", $"dispatch {dispatch.Row.Id}: its payload is erased, but its bytes are there"],
            After("UPDATE dispatch SET payload_erased_at = 1"));
        store.Commit(b => b.Log(entry, EntryKind.PayloadErased, dispatch.Row.Id) is not null);
        Assert.Empty(After("UPDATE dispatch SET payload = NULL"));
        Assert.Contains("entry 2: it says erased, but the dispatch does not", After("UPDATE dispatch SET payload_erased_at = NULL"));
    }

    [Fact]
    public void A_deleted_parcel_is_named() =>
        Assert.Equal([$"dispatch {dispatch.Row.Id}: 1 of its parcels missing"], After($"DELETE FROM parcel WHERE id = {Blob(dispatch.Parcels[1].Id)}"));

    [Fact]
    public void A_deleted_parcel_that_was_delivered_is_named()
    {
        var found = After($"DELETE FROM parcel WHERE id = {Blob(dispatch.Parcels[0].Id)}");
        Assert.Contains($"dispatch {dispatch.Row.Id}: 1 of its parcels missing", found);
        Assert.Contains("entry 1: the parcel it is about is missing", found);
    }

    [Fact]
    public void A_deleted_submission_receipt_is_named()
    {
        var found = After($"DELETE FROM receipt WHERE id = {Blob(dispatch.Receipt.Id)}");
        Assert.Contains($"dispatch {dispatch.Row.Id}: its submission receipt is missing", found);
        Assert.Contains("entry 0: its receipt SubmissionAcceptance is missing", found);
    }

    [Theory]
    [InlineData("ContentHandover")]
    [InlineData("ContentConsignment")]
    public void A_deleted_receipt_of_a_copy_is_named(string @event) =>
        Assert.Contains($"entry 1: its receipt {@event} is missing", After($"DELETE FROM receipt WHERE event = '{@event}'"));

    [Fact]
    public void A_deleted_entry_is_named()
    {
        var found = After("DELETE FROM entry_secret WHERE seq = 0; DELETE FROM entry WHERE seq = 0");
        Assert.Contains("entry 0: missing", found);
        Assert.Contains($"receipt {dispatch.Receipt.Id}: its entry is missing", found);
        Assert.Contains($"dispatch {dispatch.Row.Id}: its submission entry is missing", found);
    }

    [Fact]
    public void The_last_entry_cannot_be_cut_off() =>
        Assert.Contains("entry 1: missing", After("DELETE FROM entry_secret WHERE seq = 1; DELETE FROM entry WHERE seq = 1"));

    [Fact]
    public void A_deleted_decision_is_named() => Assert.Contains($"dispatch {dispatch.Row.Id}: its decision is missing", After("DELETE FROM decision"));

    [Theory]
    [InlineData("UPDATE entry SET hash = zeroblob(32) WHERE seq = 1", "entry 1: its leaf is not the hash of the entry")]
    [InlineData("UPDATE entry SET hash = zeroblob(32) WHERE seq = 1", "head 2: not the root of these entries")]
    [InlineData("UPDATE entry_secret SET detail = x'7b7d' WHERE seq = 0", "entry_secret 0: salt and detail do not hash to the entry")]
    [InlineData("UPDATE entry SET kind = 9 WHERE seq = 0", "entry 0: its detail is of another kind")]
    [InlineData("UPDATE head SET root = zeroblob(32)", "head 2: not the root of these entries")]
    [InlineData("UPDATE head SET size = 1, frontier = (SELECT leaf FROM entry WHERE seq = 0)", "entry 1: beyond the head of the ledger")]
    [InlineData("UPDATE parcel SET state = 1", "entry 1: it says delivered, but the parcel is not")]
    public void A_changed_row_is_named(string sql, string finding) => Assert.Contains(finding, After(sql));

    [Fact]
    public void Changed_bytes_of_dispatch_receipt_and_decision_are_named()
    {
        var found = After("UPDATE dispatch SET manifest = x'00'; UPDATE receipt SET der = x'00'; UPDATE decision SET record = x'00'");
        Assert.Contains($"dispatch {dispatch.Row.Id}: its manifest is not that of its digest", found);
        Assert.Contains($"receipt {dispatch.Receipt.Id}: its bytes are not those of its digest", found);
        Assert.Contains($"decision {dispatch.Decision.Digest}: salt and record do not hash to its digest", found);
    }

    [Fact]
    public void A_header_put_in_the_place_of_another_is_named()
    {
        var other = store.NewDispatch("G22", "H41");
        store.Commit(other.Accept);
        var found = After($"UPDATE dispatch SET header = (SELECT header FROM dispatch WHERE id = {Blob(other.Row.Id)}) WHERE id = {Blob(dispatch.Row.Id)}");
        Assert.Contains($"dispatch {dispatch.Row.Id}: its header is not that of its digest", found);
    }

    [Fact]
    public void An_update_of_what_is_not_here_is_named() => Assert.Contains($"recall {dispatch.Row.Id}: what it updates is missing",
        After($"INSERT INTO recall VALUES ({Blob(dispatch.Row.Id)}, 'G22', {Blob(dispatch.Row.Id)}, zeroblob(32), 'update', 1)"));

    [Theory, InlineData("DELETE FROM entry_secret WHERE seq = 0"), InlineData("UPDATE entry_secret SET salt = zeroblob(32), detail = zeroblob(length(detail)) WHERE seq = 0")]
    public void A_detail_that_nobody_admits_to_have_erased_and_an_admission_that_is_not_true_are_named(string sql)
    {
        Assert.Equal(["entry 0: salt and detail are gone, and no entry says that they were erased"], After(sql));
        var operation = Statement.Sign(new OperationStatement
        {
            V = 1, Type = OperationStatement.TypeName, Signers = TestPki.Shared.DirectoryOfficerKeys, Gateway = TestStore.Origin, Act = OperationStatement.Erase, Parcels = [],
            Dispatches = [new(dispatch.Row.Sender, dispatch.Row.Envelope)], Code = "BASIS", Issued = 1,
        }, TestPki.Shared.DirectoryOfficers, TestStore.Start);
        LedgerEntry Says(long entry) => LedgerEntry.Create(new ErasedDetail(entry, "BASIS", operation.Ref) { Time = 1 });
        var (true1, true2, wrong) = (Says(0), Says(0), Says(1));
        store.Commit(b => b.Log(true1, EntryKind.Erased) is not null);
        Assert.Equal(["entry 2: the statement of whoever wanted it is missing"], store.Check().Select(f => f.ToString()));
        store.Tamper($"INSERT INTO operation VALUES (x'{Convert.ToHexString(operation.Ref.ToArray())}', 'BASIS', 1, x'{Convert.ToHexString(operation.Der.Span)}')");
        Assert.Empty(store.Check());
        store.Commit(b => b.Log(true2, EntryKind.Erased).Log(wrong, EntryKind.Erased) is not null);
        Assert.Equal(["entry 3: it says erased of entry 0, and another has said so before", "entry 4: it says erased of entry 1, and salt and detail of that are there"], store.Check().Select(f => f.ToString()).Order());
    }

    [Fact]
    public void A_row_that_was_emptied_without_an_erasure_and_one_that_an_erasure_left_are_named()
    {
        Assert.Contains($"receipt {dispatch.Receipt.Id}: its bytes are not those of its digest", After("UPDATE receipt SET der = zeroblob(length(der))"));
        var found = After($"UPDATE decision SET salt = zeroblob(32); INSERT INTO operation VALUES (zeroblob(32), 'X', 1, x'00'); INSERT INTO erasure VALUES ({Blob(dispatch.Row.Id)}, zeroblob(32), 1, 1)");
        Assert.Contains($"erasure {dispatch.Row.Id}: its bytes are there", found);
        Assert.Contains("entry 0: it tells of a dispatch that was erased", found);
        Assert.Contains($"dispatch {dispatch.Row.Id}: its decision is missing", After("DELETE FROM erasure"));
    }

    [Fact]
    public async Task A_missing_or_short_blob_is_named()
    {
        var large = store.NewDispatch("H41", "H14");
        large.Row = large.Row with { PayloadBytes = 20_000, Payload = null };
        await store.Blobs.PutAsync(large.Row.Id, s => s.WriteAsync(RandomNumberGenerator.GetBytes(20_000)).AsTask(), default);
        store.Commit(large.Accept);
        Assert.Empty(store.Check());

        store.Blobs.Remove(large.Row.Id);
        Assert.Equal([$"blob {large.Row.Id}: missing"], store.Check().Select(f => f.ToString()));
        await store.Blobs.PutAsync(large.Row.Id, s => s.WriteAsync(new byte[19_999]).AsTask(), default);
        Assert.Equal([$"blob {large.Row.Id}: has 19999 bytes in place of 20000"], store.Check().Select(f => f.ToString()));
    }

    [Fact]
    public void A_missing_changed_or_surplus_tile_is_named()
    {
        var entries = Enumerable.Range(0, 600).Select(n => TestStore.Entry(n)).ToList();
        store.Commit(b => { foreach (var entry in entries) b.Log(entry, EntryKind.Start); return true; });
        Assert.Empty(store.Check());

        Assert.Equal(["tile 0/1: missing"], After("CREATE TABLE kept AS SELECT * FROM tile; DELETE FROM tile WHERE idx = 1"));
        Assert.Equal(["tile 0/0: not the tile of these entries", "tile 0/1: missing"], After("UPDATE tile SET data = zeroblob(8192)"));
        Assert.Equal(["tile 0/7: beyond the head of the ledger"],
            After("DELETE FROM tile; INSERT INTO tile SELECT * FROM kept; INSERT INTO tile SELECT level, 7, root, data FROM kept WHERE idx = 1"));
    }

    [Fact]
    public void Each_checkpoint_ever_signed_is_compared_with_the_entries()
    {
        Assert.True(store.Checkpoints.Step(TestStore.Start));
        var entry = TestStore.Entry();
        store.Commit(b => b.Log(entry, EntryKind.Start));
        var other = store.Guard.Heads().First() with { Root = entry.Leaf };
        Assert.Equal(["checkpoint 2: signed over another tree than this store has"], StoreCheck.Run(store.Engine, store.Blobs, [other]).Select(f => f.ToString()));
        Assert.Equal(["checkpoint 9: signed over more entries than this store has"], StoreCheck.Run(store.Engine, store.Blobs, [other with { Size = 9 }]).Select(f => f.ToString()));
    }

    public void Dispose() => store.Dispose();
}
