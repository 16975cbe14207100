using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Recalling;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;
using Exchange.Tests.Relabelling;

namespace Exchange.Tests.Recalling;

/// <summary>The same dispatch to further offices, whose payload is here already.</summary>
public sealed class UpdateTests(SharedGateway shared) : IClassFixture<SharedGateway>, IDisposable
{
    readonly TestGateway gateway = shared.Gateway;

    // Whatever a test did, what was promised is there.
    public void Dispose() => Assert.Empty(StoreCheck.Run(gateway.Host.Shared.Engine, gateway.Host.Shared.Blobs, []));

    [Theory, InlineData(1000), InlineData(100_000)]
    public async Task An_office_that_is_added_gets_the_same_ciphertext_and_nobody_sends_it_again(int size)
    {
        var (original, file) = await gateway.SendKept("H14", "H37,H41", size: size);
        var update = await gateway.Update(original, "H37");
        Assert.Equal(Updating.Whole(update, original, file), (await gateway.Fetch(update, "H37")).Body);
        Assert.Null(await gateway.Parcel(original, "H37"));
        Assert.Null(await gateway.Parcel(update, "H14"));
        Assert.Equal(201, (await TestGateway.Send(gateway.As("H37"), HttpMethod.Post, $"/mailbox/{await gateway.Parcel(update, "H37")}/receipts", OfficeReceipts.Sign(update, ReceiptEvent.ContentHandover, "H37"))).Status);
        var again = await gateway.Hand(update);
        Assert.Equal((200, ReceiptEvent.SubmissionAcceptance), (again.Status, again.Receipt.Event));
        // The next one; nobody gets it twice, by whichever envelope he has it.
        Assert.Equal((409, "E_REVISION"), await gateway.Hand(gateway.Reseal(original, "H41")) is var low ? (low.Status, low.Code) : default);
        foreach (var served in new[] { "H14", "H37", "H37,H41" })
            Assert.Equal((409, "E_HAS_COPY"), await gateway.Hand(gateway.Reseal(original, served, 2)) is var twice ? (twice.Status, twice.Code) : default);
        var second = await gateway.Update(original, "H41", 2);
        Assert.Equal(Updating.Whole(second, original, file), (await gateway.Fetch(second, "H41")).Body);
        // Taking one of them back leaves the other.
        var (_, recall) = await gateway.SealFile("H41", change: r => r with { Kind = "recall", Documents = [], References = [new Reference("recall", second.IdOf(), second.Ctx, 1)] });
        Assert.Equal(201, (await gateway.Submit(recall)).Status);
        Assert.Equal((410, 200), ((await gateway.Fetch(second, "H41")).Status, (await gateway.Fetch(original, "H14")).Status));
    }

    [Fact]
    public async Task Only_what_is_here_accepted_in_force_and_the_same_can_be_updated()
    {
        async Task<string> Refused(SealedEnvelope update) => (await gateway.Hand(update)) is { Status: 422 } answer ? $"{answer.Code} {answer.RejectionReceipt.Event}" : "accepted";
        async Task<SealedEnvelope> Forged(SealedEnvelope target, int revision = 1) =>
            (await gateway.SealFile("H37", change: r => r with { Kind = "update", References = [new Reference("update", target.IdOf(), target.Ctx, revision)] })).Envelope;
        const string no = "E_RECALL_TARGET SubmissionRejection";

        var (absent, _) = await gateway.SealKept("H14", "H37");
        Assert.Equal(no, await Refused(gateway.Reseal(absent, "H37")));
        var (held, file) = await gateway.SealKept("H41", "H37", "toi-mat");
        Assert.Equal(202, (await gateway.Submit(file)).Status);
        Assert.Equal(no, await Refused(gateway.Reseal(held, "H37")));

        var (original, _) = await gateway.SendKept("H14", "H37,H41");
        Assert.Equal(no, await Refused(await Forged(original)));      // other content under its name
        var update = await gateway.Update(original, "H37");
        Assert.Equal(no, await Refused(await Forged(update)));
        var (recall, recalling) = await gateway.SealFile("H14", change: r => r with { Kind = "recall", Documents = [], References = [new Reference("recall", original.IdOf(), original.Ctx, 2)] });
        Assert.Equal(201, (await gateway.Submit(recalling)).Status);
        Assert.Equal(no, await Refused(await Forged(recall)));
        // Nor under a header that repeats all of it: one label for a dispatch means that every update is of the first envelope.
        using (var reader = gateway.Host.Shared.Engine.Reader())
            foreach (var target in new[] { update, recall })
            {
                var header = EnvelopeFile.PeekUnverified(target.Parts.Header) with { Id = Guid.CreateVersion7(), Kind = "update", References = [new Reference("update", target.IdOf(), target.Ctx, 1)] };
                Assert.Equal(Refusal.RecallTarget, Assert.Throws<RefusedException>(() => RecallTarget.Read(reader, header, gateway.Host.Shared.Worlds.Current.Directory)).Refusal);
            }

        // Recalled from one office it may go to another; once something else has taken its place it may not.
        await gateway.Update(original, "H41", 3);
        var (_, replacing) = await gateway.SealFile("H14", change: r => r with { Kind = "replace", Revises = original.DispatchRef, References = [new Reference("replace", original.IdOf(), original.Ctx, 4)] });
        Assert.Equal(201, (await gateway.Submit(replacing)).Status);
        Assert.Equal(no, await Refused(gateway.Reseal(original, "H37", 5)));
    }

    [Fact]
    public async Task Bytes_behind_the_manifest_are_refused_and_none_are_awaited()
    {
        var (original, file) = await gateway.SendKept("H14", "H37", size: 100_000);
        var update = gateway.Reseal(original, "H37");
        Assert.Equal("E_PAYLOAD_LENGTH", (await gateway.Submit(Updating.Whole(update, original, file))).Code);
        Assert.Equal("E_PAYLOAD_LENGTH", (await gateway.Submit([.. EnvelopeFile.Write(update.Parts), 0])).Code);
        Assert.Equal(201, (await gateway.Hand(update)).Status);
        Assert.Equal(200, (await TestGateway.Send(gateway.As("G22"), HttpMethod.Put, $"/dispatches/{update.IdOf()}/payload", file[EnvelopeFile.Write(original.Parts).Length..])).Status);
    }

    [Theory, InlineData(1000), InlineData(40_000)]
    public async Task An_update_that_is_held_keeps_the_payload_and_goes_when_persons_let_it(int size)
    {
        async Task Released(SealedEnvelope envelope)
        {
            foreach (var person in new[] { "release-1", "release-2" })
                Assert.Equal(201, (await TestGateway.Send(gateway.As("G22"), HttpMethod.Post, $"/dispatches/{envelope.IdOf()}/approvals", gateway.Word(envelope, person))).Status);
        }
        var (original, file) = await gateway.SealKept("H41", "H37", "toi-mat", size);
        Assert.Equal(202, (await gateway.Submit(file)).Status);
        await Released(original);
        // H41 once more, which could not open the first: H37 is not cleared for this level.
        foreach (var (said, code) in new[] { (ReceiptEvent.ContentHandover, "OK"), (ReceiptEvent.ContentOpeningFailure, "E_CANNOT_OPEN") })
            Assert.Equal(201, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Post, $"/mailbox/{await gateway.Parcel(original, "H41")}/receipts", OfficeReceipts.Sign(original, said, "H41", code))).Status);
        var update = gateway.Reseal(original, "H41");
        var held = await gateway.Hand(update);
        Assert.Equal((202, "application/cms"), (held.Status, held.Type));
        Assert.Null(await gateway.Parcel(update, "H41"));
        Assert.Empty(StoreCheck.Run(gateway.Host.Shared.Engine, gateway.Host.Shared.Blobs, []));
        await Released(update);
        Assert.Equal(Updating.Whole(update, original, file), (await gateway.Fetch(update, "H41")).Body);
        Assert.Equal((403, "E_NOT_RELEASABLE"), await gateway.Hand(gateway.Reseal(original, "H37", 2)) is var no ? (no.Status, no.Code) : default);
    }

    [Fact]
    public async Task A_label_raised_before_an_update_keeps_out_whoever_is_not_cleared_for_it()
    {
        var (original, file) = await gateway.SendKept("H41", "H14,H37");
        var label = new Relabel(gateway, original, file);
        Assert.Equal(201, (await label.Say(await label.Change(LabelAct.Label, "mat"))).Status);
        var to = gateway.Reseal(original, "H14");
        Assert.Equal((403, "E_NOT_RELEASABLE"), await gateway.Hand(to) is var no ? (no.Status, no.Code) : default);
        Assert.Null(await gateway.Parcel(to, "H14"));
        var update = await gateway.Update(original, "H37");
        Assert.Equal(200, (await gateway.Fetch(update, "H37")).Status);
        Assert.Equal(20, (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{update.IdOf()}")).Json.GetProperty("level").GetInt32());
        // Its own person may speak of it through the copy that he has, and names the dispatch, not the envelope.
        var parcel = $"/mailbox/{await gateway.Parcel(update, "H37")}/labels";
        Assert.Equal(original.IdOf(), (await TestGateway.Send(gateway.As("H37"), HttpMethod.Get, parcel)).Json.GetProperty("id").GetGuid());
        var lowered = await label.Change(LabelAct.Label, "thuong");
        Assert.Equal("E_LABEL_CHANGE", (await TestGateway.Send(gateway.As("H37"), HttpMethod.Post, parcel, label.Sign(lowered with { Id = update.IdOf(), Ctx = update.Ctx }, office: "H37"))).Code);
        Assert.Equal(202, (await TestGateway.Send(gateway.As("H37"), HttpMethod.Post, parcel, label.Sign(lowered, office: "H37"))).Status);
    }

    [Fact]
    public async Task A_label_raised_after_an_update_binds_its_copies_too()
    {
        var (original, file) = await gateway.SendKept("H41", "H14,H37");
        var update = await gateway.Update(original, "H14,H37");
        Assert.Equal(200, (await gateway.Fetch(update, "H14")).Status);
        var label = new Relabel(gateway, original, file);
        Assert.Equal(201, (await label.Say(await label.Change(LabelAct.Label, "mat"))).Status);
        Assert.Equal((403, "E_NOT_RELEASABLE"), await gateway.Fetch(update, "H14") is var no ? (no.Status, no.Code) : default);
        Assert.Equal(200, (await gateway.Fetch(update, "H37")).Status);
        // Whether it is raised by the name of the one or of the other.
        Assert.Equal(20, (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{update.IdOf()}/labels")).Json.GetProperty("label").GetProperty("class").GetInt32());
    }
}
