using System.Globalization;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;

namespace Exchange.Tests.Crash;

/// <summary>
/// Payloads that come in pieces while the disk is recorded. Told: an offset that HEAD gave, which must never be taken back, whenever it was asked. What the senders
/// still hold lies in a folder that is not recorded: after power loss each upload goes on from there and ends with the right root.
/// </summary>
sealed class CrashUploads(CrashWorkload workload, string payloads)
{
    const int Segment = Payload.SegmentLength + Payload.TagLength;
    const int Size = 2 * Payload.SegmentLength + 50_000;
    const int Rounds = 3;
    /// <summary>Bytes between two syncs here: each segment by itself.</summary>
    public const long Group = Payload.SegmentLength;
    SealedEnvelope? running;

    public static readonly CrashStep[] Steps =
    [
        new("pieces", _ => throw new InvalidOperationException(), Recovered.Accepted),
        new("anew", _ => throw new InvalidOperationException(), Recovered.Accepted),
        new("beside", _ => throw new InvalidOperationException(), Recovered.Accepted),
    ];

    public async Task RunAsync()
    {
        // Asked at the worst moment: the leaves are written, and not on the disk yet.
        workload.Gateway.Step = step => { if (step == "fsync leaves" && running is { } envelope) TellAsync(envelope).GetAwaiter().GetResult(); };
        for (var round = 0; round < Rounds; round++)
        {
            await Task.WhenAll(workload.DoAsync(Steps[0] with { Do = _ => PiecesAsync() }), workload.DoAsync(Steps[2] with { Do = w => CrashSteps.Accept(w, 1000) }));
            await workload.DoAsync(Steps[1] with { Do = _ => AnewAsync() });
        }
    }

    async Task<string[]> PiecesAsync()
    {
        var (envelope, file, payload) = await AnnounceAsync();
        running = envelope;
        var answer = await PatchAsync(envelope, payload[..(Segment + 1000)], 0);
        // A sender does not give up at the first failure: he asks and goes on from there.
        for (var failures = 0; answer.Status == 204 || (answer.Status >= 500 && failures++ < 3);)
        {
            var at = await TellAsync(envelope);
            answer = await PatchAsync(envelope, at == Segment ? payload[at..(2 * Segment + 7)] : payload[at..], at);
        }
        running = null;
        return CrashSteps.Took(workload, envelope, file, answer);
    }

    // A PUT takes back what was there: nothing is told before it.
    async Task<string[]> AnewAsync()
    {
        var (envelope, file, payload) = await AnnounceAsync();
        await PatchAsync(envelope, payload[..(2 * Segment)], 0);
        return CrashSteps.Took(workload, envelope, file, await TestGateway.Send(workload.Sender, HttpMethod.Put, PathOf(envelope), payload));
    }

    async Task<(SealedEnvelope Envelope, byte[] File, byte[] Payload)> AnnounceAsync()
    {
        var (envelope, file) = await workload.Gateway.SealFile("H41", size: Size);
        var parts = EnvelopeFile.Write(envelope.Parts);
        await File.WriteAllBytesAsync(Path.Combine(payloads, $"{CrashSteps.IdOf(envelope)}"), file[parts.Length..]);
        CrashSteps.Demand(202, await TestGateway.Send(workload.Sender, HttpMethod.Post, "/dispatches", parts));
        workload.Say($"ACK announced {CrashSteps.IdOf(envelope)} {payloads}");
        return (envelope, file, file[parts.Length..]);
    }

    async Task<int> TellAsync(SealedEnvelope envelope)
    {
        var answer = await TestGateway.Send(workload.Sender, HttpMethod.Head, PathOf(envelope));
        CrashSteps.Demand(204, answer);
        workload.Say($"ACK told {CrashSteps.IdOf(envelope)} {payloads} {answer.Offset}");
        return (int)answer.Offset!.Value;
    }

    Task<Answer> PatchAsync(SealedEnvelope envelope, byte[] piece, int at) =>
        TestGateway.Send(workload.Sender, HttpMethod.Patch, PathOf(envelope), piece, r => r.Headers.Add("Upload-Offset", at.ToString(CultureInfo.InvariantCulture)));

    static string PathOf(SealedEnvelope envelope) => $"/dispatches/{CrashSteps.IdOf(envelope)}/payload";

    /// <summary>Envelope, folder of the senders, offset: bytes up to there are not asked for again, and they are those that were sent. Changes nothing.</summary>
    public static string? Durable(Recovered r, string[] said)
    {
        var (envelope, told) = (Guid.Parse(said[0]), int.Parse(said[2], CultureInfo.InvariantCulture));
        if (DispatchTable.Read(r.Reader, "G22", envelope) is not null) return null;
        if (UploadTable.Find(r.Reader, "G22", envelope) is not { } row) return "neither awaited nor accepted";
        var (length, sent) = (EnvelopeFile.PeekUnverified(row.Header).Payload!.Length, File.ReadAllBytes(Path.Combine(said[1], said[0])));
        if (r.Uploads.Durable(row.Id, length) is var now && now < told) return $"{told} bytes were here for good, now {now}";
        if (told == 0) return null;
        using var kept = r.Blobs.Length(row.Id) is null ? File.OpenRead(r.Uploads.Part(row.Id)) : r.Blobs.Open(row.Id);
        var there = new byte[told];
        return kept.ReadAtLeast(there, told, throwOnEndOfStream: false) == told && there.AsSpan().SequenceEqual(sent.AsSpan(0, told)) ? null : "other bytes than were sent";
    }

    /// <summary>Envelope, folder of the senders: it is accepted, or awaited still, goes on where it says and ends with the right bytes. Comes after the others.</summary>
    public static string? Awaited(Recovered r, string[] said)
    {
        var envelope = Guid.Parse(said[0]);
        if (DispatchTable.Read(r.Reader, "G22", envelope) is not null) return null;
        if (UploadTable.Find(r.Reader, "G22", envelope) is not { } row) return "neither awaited nor accepted";
        var (payload, sent) = (EnvelopeFile.PeekUnverified(row.Header).Payload!, File.ReadAllBytes(Path.Combine(said[1], said[0])));
        using var upload = r.Uploads.Open(row.Id, payload.Length);
        if (!upload.IsWhole) _ = upload.TakeIn(new MemoryStream(sent[(int)upload.Offset..]), () => { }, CancellationToken.None).GetAwaiter().GetResult();
        if (!upload.IsWhole || upload.Root() != payload.Root) return "it ends with another root";
        upload.Place();
        using var blob = r.Blobs.Open(row.Id);
        using var there = new MemoryStream();
        blob.CopyTo(there);
        return there.ToArray().AsSpan().SequenceEqual(sent) ? null : "other bytes under the right root";
    }
}
