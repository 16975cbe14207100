using Exchange.Adapters;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Tests.Http;

namespace Exchange.Tests.Intake;

/// <summary>What is signed about a submission after its answer, for a sender who has nothing but the channel that brought it.</summary>
public sealed partial class IntakeTests
{
    [Fact]
    public async Task What_is_signed_later_goes_back_by_the_channel_that_brought_the_envelope_each_once_and_in_order()
    {
        var envelope = await Brought();
        await HandOverAndOpen(envelope);
        await gateway.Host.Loops.StepAll();
        await gateway.Host.Loops.StepAll();
        Assert.Equal([ReceiptEvent.ContentHandover, ReceiptEvent.ContentConsignment, ReceiptEvent.ContentOpening], Replied(envelope).Select(r => r.Event));
        using (var reader = gateway.Host.Shared.Engine.Reader())
            Assert.Equal(3, reader.One<long>("SELECT count(*) FROM entry e JOIN receipt r ON r.id = e.subject WHERE e.kind = @kind AND r.envelope = @id", new { kind = EntryKind.Reply, id = EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id }));
        Assert.All(mail.Replies.Where(r => Read(r).Ctx == envelope.Ctx), r => Assert.Equal(("G22", "G22@gw.test", $"{Read(r).Id}"), (r.Office, r.Settings["address"], r.Name)));
        // What came by its sender's own connection is fetched there.
        var (own, file) = await gateway.SealFile("H41");
        await gateway.Submit(file);
        await HandOverAndOpen(own);
        await gateway.Host.Loops.StepAll();
        Assert.Empty(Replied(own));
    }

    [Fact]
    public async Task Half_of_its_time_and_its_end_are_told_by_that_channel_as_well()
    {
        carrier.Answer = (_, _, _) => Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.HandedOn(TimeSpan.FromHours(4)));
        var envelope = await Brought(r => r with { Times = r.Times with { Expires = gateway.Clock.GetUtcNow().AddMinutes(20).ToUnixTimeMilliseconds() } });
        gateway.Clock.Advance(TimeSpan.FromMinutes(11));
        await gateway.Host.Loops.StepAll();
        await gateway.Host.Worker.Idle();
        Assert.Equal([ReceiptEvent.ContentConsignmentDelay], Replied(envelope).Select(r => r.Event));
        gateway.Clock.Advance(TimeSpan.FromMinutes(11));
        await gateway.Host.Loops.StepAll();
        Assert.Equal([ReceiptEvent.ContentConsignmentDelay, ReceiptEvent.ContentConsignmentFailure], Replied(envelope).Select(r => r.Event));
    }

    [Fact]
    public async Task What_was_held_is_accepted_by_that_channel()
    {
        // No level asks for less than the one below it.
        await gateway.Govern(p => p with { Levels = [.. p.Levels.Select(l => l.Handling.Release.Persons > 0 ? l : l with { Handling = l.Handling with { Release = new(1, ["release-officer", "signatory"]) } })] });
        var (envelope, file) = await gateway.SealFile("H41");
        Assert.Equal(ReceiptEvent.SubmissionHold, Read((await mail.Bring(BroughtKind.Envelope, file)).Reply!).Event);
        var id = EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id;
        Assert.Equal(201, (await TestGateway.Send(gateway.As("G22"), HttpMethod.Post, $"/dispatches/{id}/approvals", gateway.Word(envelope, "release-1"))).Status);
        await gateway.Govern(p => p);
        await HandOverAndOpen(envelope);
        await gateway.Host.Loops.StepAll();
        Assert.Equal([ReceiptEvent.HoldApproval, ReceiptEvent.SubmissionAcceptance, ReceiptEvent.ContentHandover, ReceiptEvent.ContentConsignment, ReceiptEvent.ContentOpening], Replied(envelope).Select(r => r.Event));
    }

    [Fact]
    public async Task What_does_not_go_out_waits_outlives_the_gateway_and_keeps_no_other_office_from_its_turn()
    {
        await gateway.Host.Loops.StepAll();
        var tries = 0;
        mail.Unreachable = reply => reply.Office == "G22" && ++tries > 0 ? "SMTP_550" : null;
        var mine = await Brought();
        await HandOverAndOpen(mine);
        var other = await Brought(from: "H41", to: "H14");
        var copy = (await TestGateway.Send(gateway.As("H14"), HttpMethod.Get, "/mailbox")).Json.GetProperty("parcels").EnumerateArray().Last().GetProperty("parcel").GetGuid();
        await TestGateway.Send(gateway.As("H14"), HttpMethod.Post, $"/mailbox/{copy}/receipts", OfficeReceipts.Sign(other, ReceiptEvent.ContentHandover, "H14"));
        await gateway.Host.Loops.StepAll();
        await gateway.Host.Loops.StepAll();
        Assert.Equal((1, 2), (tries, Replied(other).Count));
        Assert.Single(gateway.Logs.Lines, l => l.Contains("Receipts for G22 do not go out by mail, and wait: SMTP_550", StringComparison.Ordinal));
        gateway.Clock.Advance(TimeSpan.FromSeconds(31));
        await gateway.Host.Loops.StepAll();
        Assert.Equal(2, tries);
        Assert.Empty(Replied(mine));
        // Not reached by this channel any more: it is not sent elsewhere.
        await mailed.Reach(ofG22: "mailbox");
        await gateway.Restart();
        mail.Unreachable = _ => null;
        await gateway.Host.Loops.StepAll();
        Assert.Empty(Replied(mine));
        await mailed.Reach();
        await gateway.Host.Loops.StepAll();
        Assert.Equal(3, Replied(mine).Count);
    }

    async Task<SealedEnvelope> Brought(Func<SealRequest, SealRequest>? change = null, string from = "G22", string to = "H41")
    {
        var (envelope, file) = await gateway.SealFile(to, change: change, from: from);
        Assert.Equal(ReceiptEvent.SubmissionAcceptance, Read((await mail.Bring(BroughtKind.Envelope, file)).Reply!).Event);
        return envelope;
    }

    async Task HandOverAndOpen(SealedEnvelope envelope)
    {
        foreach (var step in new[] { ReceiptEvent.ContentHandover, ReceiptEvent.ContentOpening }) Assert.Equal(IntakeVerdict.Taken, (await mail.Bring(BroughtKind.Receipt, OfficeReceipts.Sign(envelope, step))).Verdict);
    }

    List<Receipt> Replied(SealedEnvelope envelope) => [.. mail.Replies.Select(Read).Where(r => r.Ctx == envelope.Ctx)];

    static Receipt Read(IntakeReply reply) => Statement.Read(reply.Receipt, StatementType.Receipt).As<Receipt>();
}
