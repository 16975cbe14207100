using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;

namespace Exchange.Tests.Relabelling;

/// <summary>One accepted dispatch of G22 and what persons say about its label, over HTTP.</summary>
sealed class Relabel
{
    readonly TestGateway gateway;

    /// <param name="file">Of a dispatch that was accepted.</param>
    public Relabel(TestGateway gateway, SealedEnvelope envelope, byte[] file) =>
        (this.gateway, Envelope, File, Header) = (gateway, envelope, file, EnvelopeFile.PeekUnverified(envelope.Parts.Header));

    public SealedEnvelope Envelope { get; }
    public byte[] File { get; }
    public Header Header { get; }
    public Guid Id => Header.Id;
    CompiledPolicy Policy => gateway.Host.Shared.Worlds.Current.Policy;

    public static async Task<Relabel> Accepted(TestGateway gateway, string level = "mat", string to = "H37,H41", Func<SealRequest, SealRequest>? change = null)
    {
        var (envelope, file) = await gateway.SealFile(to, level, change);
        var answer = await gateway.Submit(file);
        Assert.True(answer.Status == 201, answer.Text);
        return new Relabel(gateway, envelope, file);
    }

    /// <summary>A label of this level, with all that the one in force bears besides.</summary>
    public Label Label(string level, long? term = null) => Policy.NewLabel(level, Header.Label.Basis ?? "test-basis", Header.Label.Categories, Header.Label.Caveats) with { Term = term };

    public async Task<JsonElement> Shown(string office = "G22") => (await TestGateway.Send(gateway.As(office), HttpMethod.Get, await Path(office))).Json;

    public async Task<Digest> Previous() => (await Shown()).GetProperty("previous").GetString() is { } text && Digest.TryParse(text, out var digest) ? digest : throw new InvalidOperationException();

    /// <summary>Class number of the label in force, whoever may see it.</summary>
    public int InForce()
    {
        using var reader = gateway.Host.Shared.Engine.Reader();
        var dispatch = DispatchTable.Read(reader, "G22", Id)!;
        return Gateway.Release.LabelInForce.Of(reader, dispatch.Id, Header).Label.Class;
    }

    public async Task<LabelChange> Change(string act, string? level = null, long? at = null, long? until = null, string? reason = "reassessed", long? term = null) => new()
    {
        Salt = RandomNumberGenerator.GetBytes(32), Sender = "G22", Id = Id, Ctx = Envelope.Ctx, Previous = await Previous(), Act = act,
        Label = level is null ? null : Label(level, term), At = at, Until = until, Reason = reason,
    };

    public byte[] Sign(LabelChange change, string person = "signatory", string office = "G22", Func<LabelStatement, LabelStatement>? spoil = null)
    {
        var key = DevPkiFolder.Person(office, person);
        var content = new LabelStatement
        {
            V = 1, Type = LabelStatement.TypeName, Signers = [key.Certificate.Key], Office = office, NotAfter = gateway.Clock.GetUtcNow().AddDays(3).ToUnixTimeMilliseconds(), Change = change,
        };
        return Statement.Sign(spoil?.Invoke(content) ?? content, [key], gateway.Clock.GetUtcNow()).Der.ToArray();
    }

    /// <summary>Signs and sends.</summary>
    public async Task<Answer> Say(LabelChange change, string person = "signatory", string office = "G22") => await Send(Sign(change, person, office), office);

    public async Task<Answer> Send(byte[] der, string office = "G22") => await TestGateway.Send(gateway.As(office), HttpMethod.Post, await Path(office), der);

    async Task<string> Path(string office) => office == "G22" ? $"/dispatches/{Id}/labels" : $"/mailbox/{await Parcel(office)}/labels";

    public async Task<Guid> Parcel(string office) => (await TestGateway.Send(gateway.As(office), HttpMethod.Get, "/mailbox?all=true")).Json.GetProperty("parcels").EnumerateArray()
        .First(p => p.GetProperty("envelope").GetGuid() == Id).GetProperty("parcel").GetGuid();

    public async Task<(int Status, string? Code)> Download(string office)
    {
        var answer = await TestGateway.Send(gateway.As(office), HttpMethod.Get, $"/mailbox/{await Parcel(office)}");
        return (answer.Status, answer.Code);
    }

    public async Task<string[]> Receipts() => [.. (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{Id}/receipts")).Json.GetProperty("receipts").EnumerateArray()
        .Select(r => Statement.Read(Base64Url.DecodeFromChars(r.GetProperty("receipt").GetString()), StatementType.Receipt).As<Receipt>()).Where(r => r.Event == ReceiptEvent.LabelChange).Select(r => r.Code)];

    /// <summary>A dispatch at the lowest level that answers this one.</summary>
    public async Task<byte[]> Reply() => (await gateway.SealFile("H41", change: r => r with { References = [new Reference("reply", Id, Envelope.Ctx, 0)] })).File;

    public IReadOnlyList<Finding> Findings() => StoreCheck.Run(gateway.Host.Shared.Engine, gateway.Host.Shared.Blobs, []);

    /// <summary>The decision about the newest change, and what its record says.</summary>
    public (byte[] Record, RelabelFacts Facts) Newest()
    {
        using var reader = gateway.Host.Shared.Engine.Reader();
        var row = LabelTable.Of(reader, DispatchTable.Read(reader, "G22", Id)!.Id)[^1];
        var record = DecisionTable.Find(reader, row.Decision)!.Record;
        return (record, Decision.FactsOf(record)!.Relabel!);
    }
}
