using System.Globalization;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;

namespace Exchange.Tests.Submission;

public sealed class UploadPayloadTests : IAsyncLifetime
{
    const int Segment = Payload.SegmentLength + Payload.TagLength;
    TestGateway gateway = null!;

    public async ValueTask InitializeAsync() => gateway = await TestGateway.Start();
    public async ValueTask DisposeAsync() => await gateway.DisposeAsync();

    /// <summary>Sealed, its parts submitted, its payload awaited.</summary>
    async Task<(SealedEnvelope Envelope, byte[] Payload, string Path)> Announced(int size = 2_500_000)
    {
        using var payload = new MemoryStream();
        var envelope = await gateway.Seal("H41", payload: payload, size: size);
        var announced = await gateway.Submit(EnvelopeFile.Write(envelope.Parts));
        Assert.True(announced.Status == 202, announced.Text);
        return (envelope, payload.ToArray(), $"/dispatches/{Id(envelope)}/payload");
    }

    Task<Answer> Ask(string path, string office = "G22") => TestGateway.Send(gateway.As(office), HttpMethod.Head, path);
    Task<Answer> Put(string path, byte[] payload) => TestGateway.Send(gateway.As("G22"), HttpMethod.Put, path, payload);
    Task<Answer> Patch(string path, byte[] piece, long at, string office = "G22") =>
        TestGateway.Send(gateway.As(office), HttpMethod.Patch, path, piece, r => r.Headers.Add("Upload-Offset", at.ToString(CultureInfo.InvariantCulture)));

    string[] Left(string folder) => Directory.GetFiles(Path.Combine(gateway.Data, folder), "*", SearchOption.AllDirectories);

    [Fact]
    public async Task A_payload_comes_in_pieces_and_each_answer_says_where_it_goes_on()
    {
        var (_, payload, path) = await Announced();
        Assert.Equal((204, 0L), ((await Ask(path)).Status, (await Ask(path)).Offset));

        var first = await Patch(path, payload[..(Segment + 1000)], 0);
        Assert.Equal((204, (long?)Segment), (first.Status, first.Offset));
        Assert.Equal(Segment, (await Ask(path)).Offset);
        await gateway.Restart();
        Assert.Equal(Segment, (await Ask(path)).Offset);

        var wrong = await Patch(path, payload[(Segment + 1)..], Segment + 1);
        Assert.Equal((409, "E_UPLOAD_OFFSET", (long?)Segment), (wrong.Status, wrong.Code, wrong.Offset));
        Assert.Equal("E_PAYLOAD_LENGTH", (await Patch(path, [.. payload[Segment..], 0], Segment)).Code);
        Assert.Equal("E_NOTHING_TO_UPLOAD", (await Patch(path, payload[Segment..], Segment, "H14")).Code);
        Assert.Equal(409, (await Ask(path, "H14")).Status);

        var accepted = await Patch(path, payload[Segment..], Segment);
        Assert.Equal(201, accepted.Status);
        Assert.Equal(ReceiptEvent.SubmissionAcceptance, accepted.Receipt.Event);
        Assert.Equal(409, (await Ask(path)).Status);
        Assert.Equal((200, accepted.Receipt.Id), ((await Put(path, payload)).Status, (await Put(path, payload)).Receipt.Id));
        Assert.Empty(Left("uploads"));
        await DownloadsWhole(payload);
    }

    [Fact]
    public async Task A_put_begins_anew()
    {
        var (_, payload, path) = await Announced();
        var other = payload.ToArray();
        other[5] ^= 1;
        await Patch(path, other[..Segment], 0);
        Assert.Equal(201, (await Put(path, payload)).Status);
        await DownloadsWhole(payload);
    }

    [Fact]
    public async Task Bytes_changed_on_the_way_are_refused_dropped_and_awaited_again()
    {
        var (_, payload, path) = await Announced();
        var other = payload.ToArray();
        other[5] ^= 1;
        await Patch(path, other[..Segment], 0);
        var refused = await Patch(path, other[Segment..], Segment);
        Assert.Equal((422, "E_PAYLOAD_ROOT", ReceiptEvent.SubmissionRejection), (refused.Status, refused.Code, refused.RejectionReceipt.Event));
        Assert.Equal(0, (await Ask(path)).Offset);
        Assert.Empty(Left("uploads").Concat(Left("blobs")));
        Assert.Equal(201, (await Put(path, payload)).Status);
    }

    [Fact]
    public async Task Killed_at_any_step_of_an_upload_it_goes_on_after_a_fresh_start_and_is_accepted_once()
    {
        var (nth, seen) = (1, new List<string>());
        for (; ; nth++)
        {
            var (envelope, payload, path) = await Announced(1_200_000);
            var (count, dead) = (0, false);
            gateway.Step = name =>
            {
                if (nth == 1 && !dead) seen.Add(name);
                if (dead || ++count == nth)
                {
                    if (!dead) seen.Add("killed before " + name);
                    dead = true;
                    throw new InvalidOperationException("killed");
                }
            };
            var answer = await Put(path, payload);
            gateway.Step = null;
            if (!dead)
            {
                Assert.Equal(201, answer.Status);
                break;
            }
            Assert.Equal(500, answer.Status);
            await gateway.Restart();      // refuses to start when a promise is not kept

            var asked = await Ask(path);
            // Dead after the commit: nothing is awaited any more, and the receipt is there.
            var last = asked.Status == 409 ? await Put(path, payload) : await Patch(path, payload[(int)asked.Offset!.Value..], asked.Offset.Value);
            Assert.True(last.Status == (asked.Status == 409 ? 200 : 201), $"{seen.Last()}: {last.Status} {last.Text}");
            Assert.Equal(ReceiptEvent.SubmissionAcceptance, last.Receipt.Event);
            Assert.Empty(Left("uploads"));
            await DownloadsWhole(payload);
        }
        Assert.All(["drop leaves", "open upload", "write part", "fsync part", "write leaves", "fsync leaves", "place", "commit"], step => Assert.Contains("killed before " + step, seen));
        Assert.Equal(nth, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/mailbox?limit=200")).Json.GetProperty("parcels").GetArrayLength());
    }

    [Fact]
    public async Task A_payload_that_a_crash_left_between_rename_and_commit_only_wants_its_commit()
    {
        var (_, payload, path) = await Announced();
        gateway.Step = name => { if (name == "commit") throw new InvalidOperationException("killed"); };
        Assert.Equal(500, (await Put(path, payload)).Status);
        gateway.Step = null;
        await gateway.Restart();
        Assert.Single(Left("blobs"));
        Assert.Equal(payload.Length, (await Ask(path)).Offset);
        Assert.Equal(201, (await Patch(path, [], payload.Length)).Status);
        await DownloadsWhole(payload);
    }

    [Fact]
    public async Task A_blob_of_that_name_that_no_upload_put_there_makes_way()
    {
        var (envelope, payload, path) = await Announced(100_000);
        Guid dispatch;
        using (var reader = gateway.Host.Shared.Engine.Reader()) dispatch = UploadTable.Find(reader, "G22", Id(envelope))!.Id;
        await gateway.Host.Shared.Blobs.PutAsync(dispatch, stream => stream.WriteAsync(new byte[100]).AsTask(), CancellationToken.None);
        Assert.Equal(201, (await Put(path, payload)).Status);
        await gateway.Restart();      // the store check finds the payload whole
    }

    [Fact]
    public async Task A_clearance_revoked_between_header_and_last_byte_ends_the_upload_with_a_receipt()
    {
        var (envelope, payload, path) = await Announced();
        await Patch(path, payload[..Segment], 0);
        await gateway.TakeClearanceFrom("H41");
        var answer = await Patch(path, payload[Segment..], Segment);
        Assert.Equal((403, "E_NOT_RELEASABLE"), (answer.Status, answer.Code));
        Assert.Equal((ReceiptEvent.SubmissionRejection, "E_NOT_RELEASABLE", envelope.Ctx), (answer.RejectionReceipt.Event, answer.RejectionReceipt.Code, answer.RejectionReceipt.Ctx));
        Assert.Equal(404, (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{Id(envelope)}")).Status);
        Assert.Equal(409, (await Ask(path)).Status);
        Assert.Empty(Left("blobs").Concat(Left("uploads")));
    }

    [Fact]
    public async Task An_announced_payload_that_does_not_come_in_time_is_given_up_with_what_came_of_it()
    {
        var (_, payload, path) = await Announced();
        await Patch(path, payload[..Segment], 0);
        gateway.Clock.Advance(TimeSpan.FromHours(25));
        Assert.Equal("E_NOTHING_TO_UPLOAD", (await Patch(path, payload[Segment..], Segment)).Code);
        Assert.Equal(2, Left("uploads").Length);
        await gateway.Host.Loops.StepAll();
        Assert.Empty(Left("uploads"));
        Assert.Equal("E_NOTHING_TO_UPLOAD", (await Put(path, payload)).Code);
    }

    async Task DownloadsWhole(byte[] payload)
    {
        var parcel = (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/mailbox?limit=200")).Json.GetProperty("parcels").EnumerateArray().Last().GetProperty("parcel").GetGuid();
        var file = (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, $"/mailbox/{parcel}")).Body;
        Assert.True(file.AsSpan()[^payload.Length..].SequenceEqual(payload));
    }

    static Guid Id(SealedEnvelope envelope) => EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id;
}
