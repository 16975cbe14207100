using Exchange.Crypto.Statements;
using Exchange.Gateway.Store;

namespace Exchange.Tests;

/// <summary>Reads on behalf of an office answer for that office only.</summary>
public sealed class TableTests : IDisposable
{
    readonly TestStore store = new();

    [Fact]
    public void An_office_sees_its_own_dispatches_in_the_order_of_arrival_page_by_page()
    {
        var mine = Enumerable.Range(0, 5).Select(_ => store.NewDispatch()).ToList();
        var other = store.NewDispatch("H41", "G22");
        foreach (var dispatch in mine.Append(other)) store.Commit(dispatch.Accept);
        using var reader = store.Engine.Reader();

        var page = DispatchTable.List(reader, "G22", null, 3);
        Assert.Equal(mine.Take(3).Select(d => d.Row.Id), page.Select(d => d.Id));
        Assert.Equal(mine.Skip(3).Select(d => d.Row.Id), DispatchTable.List(reader, "G22", page[^1].Envelope, 3).Select(d => d.Id));
        Assert.Null(DispatchTable.Find(reader, "H41", mine[0].Row.Envelope));
        Assert.Null(DispatchTable.Read(reader, "H41", mine[0].Row.Envelope));
        Assert.Empty(ParcelTable.OfDispatch(reader, "H41", mine[0].Row.Id));
        Assert.Empty(ReceiptTable.OfDispatch(reader, "H41", mine[0].Row.Id));
        Assert.Single(ReceiptTable.OfDispatch(reader, "G22", mine[0].Row.Id));
    }

    [Fact]
    public void A_mailbox_shows_the_copies_of_its_office_and_what_is_still_to_fetch()
    {
        var dispatches = Enumerable.Range(0, 4).Select(_ => store.NewDispatch("G22", "H41", "H14")).ToList();
        foreach (var dispatch in dispatches) store.Commit(dispatch.Accept);
        Assert.True(store.Commit(dispatches[1].HandOver(store, dispatches[1].Parcels[0])));
        using var reader = store.Engine.Reader();

        var box = ParcelTable.Mailbox(reader, "H41", null, 10);
        Assert.Equal(new[] { 0, 2, 3 }.Select(n => dispatches[n].Parcels[0].Id), box.Select(i => i.Parcel));
        Assert.Equal(dispatches[0].Row.Size, box[0].Size);
        Assert.Equal(("G22", dispatches[0].Row.Envelope), (box[0].Sender, box[0].Envelope));
        Assert.Equal([dispatches[2].Parcels[0].Id], ParcelTable.Mailbox(reader, "H41", box[0].Parcel, 1).Select(i => i.Parcel));
        Assert.Equal(ParcelState.Delivered, ParcelTable.Mailbox(reader, "H41", null, 10, all: true)[1].State);

        var parcel = dispatches[0].Parcels[0].Id;
        Assert.NotNull(ParcelTable.Find(reader, "H41", parcel));
        Assert.Null(ParcelTable.Find(reader, "H14", parcel));
        Assert.NotNull(DispatchTable.ReadOfParcel(reader, "H41", parcel));
        Assert.Null(DispatchTable.ReadOfParcel(reader, "H14", parcel));
        Assert.Null(ReceiptTable.AcceptanceOfParcel(reader, "H14", parcel));
        Assert.Equal(dispatches[0].Receipt.Id, ReceiptTable.AcceptanceOfParcel(reader, "H41", parcel)!.Id);
    }

    [Fact]
    public void A_copy_is_handed_over_once_and_its_receipts_are_its_offices_and_the_senders()
    {
        var dispatch = store.NewDispatch("G22", "H41");
        // Neighbours in one batch: what one adds, the next one sees.
        var answers = new[] { store.Journal.Commit(dispatch.Accept), store.Journal.Commit(dispatch.HandOver(store, dispatch.Parcels[0])), store.Journal.Commit(dispatch.HandOver(store, dispatch.Parcels[0])) };
        store.Journal.Step();
        Assert.Equal([true, true, false], answers.Select(a => a.Result));

        using var reader = store.Engine.Reader();
        var receipts = ReceiptTable.OfParcel(reader, "H41", dispatch.Parcels[0].Id);
        Assert.Equal([ReceiptEvent.ContentHandover, ReceiptEvent.ContentConsignment], receipts.Select(r => r.Event));
        Assert.Empty(ReceiptTable.OfParcel(reader, "G22", dispatch.Parcels[0].Id));
        Assert.Equal(3, ReceiptTable.OfDispatch(reader, "G22", dispatch.Row.Id).Count);
        Assert.NotNull(ReceiptTable.Same(reader, "H41", dispatch.Parcels[0].Id, receipts[0].Sha256));
        Assert.Null(ReceiptTable.Same(reader, "G22", dispatch.Parcels[0].Id, receipts[0].Sha256));
        Assert.Empty(store.Check());
    }

    public void Dispose() => store.Dispose();
}
