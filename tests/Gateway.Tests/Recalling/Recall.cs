using System.Text.Json;
using Exchange.Adapters;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Recalling;
using Exchange.Gateway.Release;
using Exchange.Gateway.Store;
using Exchange.Tests.Delivery;
using Exchange.Tests.Http;

namespace Exchange.Tests.Recalling;

/// <summary>A gateway that reaches H41 by a scripted channel and H14 by its mailbox, and what G22 sends and takes back.</summary>
public sealed class RecallBench : IAsyncLifetime
{
    internal ScriptedAdapter H41 { get; } = new();
    internal TestGateway Gateway { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Gateway = await TestGateway.Start(adapters: H41);
        await Gateway.Reach("H41", "https");
    }

    public async ValueTask DisposeAsync()
    {
        // Whatever a test did, what was promised is there.
        Assert.Empty(StoreCheck.Run(Gateway.Host.Shared.Engine, Gateway.Host.Shared.Blobs, []));
        await Gateway.DisposeAsync();
    }

    internal static Guid Id(SealedEnvelope envelope) => EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id;

    internal async Task<SealedEnvelope> Send(string to, string level = "thuong", int status = 201)
    {
        var (envelope, file) = await Gateway.SealFile(to, level);
        var answer = await Gateway.Submit(file);
        Assert.True(answer.Status == status, answer.Text);
        return envelope;
    }

    /// <summary>A recall of an envelope, sealed and not sent.</summary>
    internal Task<(SealedEnvelope Envelope, byte[] File)> Seal(SealedEnvelope original, string to, int revision = 1, string kind = "recall", Func<SealRequest, SealRequest>? change = null, string from = "G22") =>
        Gateway.SealFile(to, from: from, change: r =>
        {
            r = r with
            {
                Kind = kind, Documents = kind == "recall" ? [] : r.Documents, Revises = kind == "replace" ? EnvelopeFile.PeekUnverified(original.Parts.Header).Dispatch.Ref : null,
                References = [new Reference(kind, Id(original), original.Ctx, revision)],
            };
            return change?.Invoke(r) ?? r;
        });

    internal async Task<SealedEnvelope> Recall(SealedEnvelope original, string to, int revision = 1, string kind = "recall")
    {
        var (envelope, file) = await Seal(original, to, revision, kind);
        var answer = await Gateway.Submit(file);
        Assert.True(answer.Status == 201, answer.Text + string.Join('\n', Gateway.Logs.Lines.Where(l => l.Contains("Exception", StringComparison.Ordinal)).TakeLast(2)));
        return envelope;
    }

    /// <summary>"state code" of one office's copy, as the sender is told.</summary>
    internal async Task<string> Copy(SealedEnvelope envelope, string office)
    {
        var copy = (await TestGateway.Send(Gateway.As("G22"), HttpMethod.Get, $"/dispatches/{Id(envelope)}")).Json.GetProperty("copies").EnumerateArray().Single(c => c.GetProperty("office").GetString() == office);
        return $"{copy.GetProperty("state").GetString()} {copy.GetProperty("code").GetString()}".TrimEnd();
    }

    internal async Task<string[]> Receipts(SealedEnvelope envelope, string office) => [.. (await TestGateway.Send(Gateway.As("G22"), HttpMethod.Get, $"/dispatches/{Id(envelope)}/receipts")).Json.GetProperty("receipts")
        .EnumerateArray().Where(r => r.GetProperty("office").GetString() == office).Select(r => $"{r.GetProperty("event").GetString()} {r.GetProperty("code").GetString()}")];

    internal async Task<Guid> Parcel(SealedEnvelope envelope, string office) => (await TestGateway.Send(Gateway.As(office), HttpMethod.Get, "/mailbox?all=true")).Json.GetProperty("parcels").EnumerateArray()
        .Single(p => p.GetProperty("envelope").GetGuid() == Id(envelope)).GetProperty("parcel").GetGuid();

    internal async Task<Answer> Fetch(SealedEnvelope envelope, string office) => await TestGateway.Send(Gateway.As(office), HttpMethod.Get, $"/mailbox/{await Parcel(envelope, office)}");

    internal async Task<Answer> Say(SealedEnvelope envelope, string office, string what) =>
        await TestGateway.Send(Gateway.As(office), HttpMethod.Post, $"/mailbox/{await Parcel(envelope, office)}/receipts", OfficeReceipts.Sign(envelope, what, office));

    /// <summary>Agreed or declined, as the office's clerk would.</summary>
    internal async Task<Answer> Answer(SealedEnvelope original, SealedEnvelope recall, string office, string code, long sequence = 1, Func<AnsweredEnvelope, AnsweredEnvelope>? change = null)
    {
        var answers = new AnsweredEnvelope(Id(recall), recall.Ctx, 1);
        return await TestGateway.Send(Gateway.As(office), HttpMethod.Post, $"/mailbox/{await Parcel(original, office)}/statuses",
            Handling.Status.Sign(original, sequence, code, office, code == "16" ? "acted-on" : null, s => s with { Answers = change?.Invoke(answers) ?? answers }));
    }

    internal Task<int> Stop() => new StopRecalled(Gateway.Host.Shared, new EndParcel(Gateway.Host.Shared)).Step(Gateway.Clock.GetUtcNow());
}
