using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Tests;

public sealed class JournalTests : IDisposable
{
    readonly TestStore store = new();

    [Fact]
    public void Commit_answers_with_what_the_change_returned_and_its_rows_are_there()
    {
        var dispatch = store.NewDispatch("G22", "H41", "H14");

        Assert.True(store.Commit(dispatch.Accept));

        using var reader = store.Engine.Reader();
        var found = DispatchTable.Read(reader, "G22", dispatch.Row.Envelope)!;
        Assert.Equal(dispatch.Row.Manifest, found.Manifest);
        Assert.Equal(dispatch.Row with { Header = found.Header, Manifest = found.Manifest, Payload = found.Payload, Approvals = found.Approvals }, found);
        Assert.Equal(dispatch.Parcels, ParcelTable.OfDispatch(reader, "G22", dispatch.Row.Id));
        Assert.Equal(dispatch.Receipt.Der, ReceiptTable.Acceptance(reader, "G22", dispatch.Row.Envelope)!.Der);
        var entry = EntryTable.Find(reader, dispatch.Entry.Leaf)!;
        Assert.Equal((0L, EntryKind.Submission, (Guid?)dispatch.Row.Id), (entry.Seq, entry.Kind, entry.Subject));
        Assert.Equal(dispatch.Entry.Detail, EntryTable.Secret(reader, 0)!.Detail);
        Assert.Equal(dispatch.Decision.Record, DecisionTable.Find(reader, dispatch.Decision.Digest)!.Record);
        Assert.Empty(store.Check());
    }

    public void Dispose() => store.Dispose();
}
