using System.Net;
using System.Text;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Office.Client;
using Exchange.Office.Dev;
using Microsoft.Extensions.Time.Testing;

namespace Exchange.Tests;

enum Fault { None, LostBefore, LostAfter, Busy }

/// <summary>A gateway behind HttpClient: keeps every byte it was sent, signs real receipts, and lies or breaks when a test says so.</summary>
sealed class FakeGateway(string pki, FakeTimeProvider clock) : HttpMessageHandler
{
    readonly string passphrase = File.ReadLines(Path.Combine(pki, "passphrase")).First();
    string origin = File.ReadAllText(Path.Combine(pki, "gateway", "origin")).Trim();
    readonly List<Digest> leaves = [];
    FileKey? evidence;
    LedgerKeys? keys;
    LedgerEntry? begun;
    long begunAt;

    public FileKey Evidence => evidence ??= FileKey.Load(Path.Combine(pki, "gateway", "evidence.p12"), passphrase);
    public Queue<Fault> Faults { get; } = new();
    /// <summary>Bodies of POST /dispatches, in order, also of those that were answered with an error.</summary>
    public List<byte[]> Submitted { get; } = [];
    /// <summary>Revocation lists newer than those of the PKI.</summary>
    public List<byte[]> Crls { get; } = [];
    /// <summary>OCSP responses by certificate.</summary>
    public Dictionary<string, byte[]> Responses { get; } = [];
    public Dictionary<Guid, (byte[] File, byte[] Receipt, Digest Ctx)> Accepted { get; } = [];
    public List<byte[]> Acknowledged { get; } = [];
    /// <summary>Handling statuses, in the order in which they came, also doubled ones.</summary>
    public List<byte[]> Statuses { get; } = [];
    /// <summary>Codes with which the next statuses are refused; null: taken.</summary>
    public Queue<Refusal?> StatusRefusals { get; } = new();
    /// <summary>Codes with which the next acknowledgements are refused.</summary>
    public Queue<Refusal> AcknowledgeRefusals { get; } = new();
    /// <summary>First byte of each range that was asked for, and how many bytes went out.</summary>
    public List<(long From, long Sent)> Ranges { get; } = [];
    /// <summary>Nothing reaches it.</summary>
    public bool Away { get; set; }
    /// <summary>The label that persons put in place of the author's; null: nobody did.</summary>
    public Func<Label, Label>? Relabel { get; set; }
    /// <summary>Changes the receipt before it is signed.</summary>
    public Func<Receipt, Receipt> Forge { get; set; } = r => r;
    /// <summary>Changes the checkpoint's note after it was signed.</summary>
    public Func<string, string> ForgeNote { get; set; } = n => n;
    public IPrivateKey? Signer { get; set; }
    /// <summary>In place of the PKI's.</summary>
    public byte[]? Policy { get; set; }
    public byte[]? Directory { get; set; }
    /// <summary>Besides the PKI's.</summary>
    public List<byte[]> Cards { get; } = [];
    /// <summary>In place of a proof that one head continues another.</summary>
    public (Refusal Code, int Status)? Unproven { get; set; }
    /// <summary>Receipts of offices that the sender is shown besides.</summary>
    public List<byte[]> OfficeReceipts { get; } = [];

    public void Grow(string text) => leaves.Add(MerkleTree.LeafHash(Encoding.UTF8.GetBytes(text)));
    public void Rewrite() => leaves[0] = MerkleTree.LeafHash("another"u8);
    /// <summary>Shows no more than the first entries.</summary>
    public void Cut(int size) => leaves.RemoveRange(size, leaves.Count - size);

    /// <summary>Goes on under another name, with new keys, from as many entries as an older copy had.</summary>
    /// <param name="change">Lets the first entry say something else; null from it: nothing is admitted.</param>
    public void Succeed(string next, int had, Func<SuccessionDetail, SuccessionDetail?>? change = null)
    {
        var ended = new EndedLedger(origin, leaves.Count, MerkleTree.Root(leaves), had, 0);
        Cut(had);
        var detail = new SuccessionDetail(next, [ended], had, "RESTORED", Digest.Of([1])) { Time = clock.GetUtcNow().ToUnixTimeMilliseconds() };
        if ((change is null ? detail : change(detail)) is { } said)
        {
            (begun, begunAt) = (LedgerEntry.Create(said), had);
            leaves.Add(begun.Leaf);
        }
        else Grow("nothing is admitted");
        (origin, keys) = (next, new LedgerKeys(LedgerKey.Create(next, NoteKeyType.Ed25519), LedgerKey.Create(next, NoteKeyType.MlDsa44Cosignature)));
    }

    public LedgerKeys Keys
    {
        get
        {
            LedgerKey Key(string file) => LedgerKey.Load(Path.Combine(pki, "gateway", file), passphrase, origin);
            return keys ??= new LedgerKeys(Key("checkpoint.key"), Key("checkpoint-mldsa.key"));
        }
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (Away) throw new HttpRequestException("nobody answers");
        var path = request.RequestUri!.AbsolutePath;
        var body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        if (request.Method == HttpMethod.Post && path == "/dispatches") return await SubmitAsync(body, cancellationToken);
        if (request.Method == HttpMethod.Post && path.EndsWith("/statuses", StringComparison.Ordinal)) return Said(body);
        if (request.Method == HttpMethod.Post && path.StartsWith("/mailbox/", StringComparison.Ordinal))
        {
            if (AcknowledgeRefusals.TryDequeue(out var no)) return Problem(no, 422);
            Acknowledged.Add(body);
            return new(HttpStatusCode.Created);
        }
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return parts switch
        {
            ["trust", "ocsp", var key] => Responses.TryGetValue(key, out var response) ? Bytes(response) : Problem(Refusal.NotFound, 404),
            ["trust", "crls"] => Json($"{{\"crls\":[{string.Join(',', Crls.Select(c => $"\"{System.Buffers.Text.Base64Url.EncodeToString(c)}\""))}]}}"),
            ["directory"] => Bytes(Directory ?? File.ReadAllBytes(Path.Combine(pki, "statements", "directory.p7s"))),
            ["directory", "cards", var card] => Bytes(System.IO.Directory.GetFiles(Path.Combine(pki, "statements", "cards")).Select(File.ReadAllBytes).Concat(Cards).First(d => Statement.Read(d, StatementType.Card).Ref.ToString() == card)),
            ["policy"] => Bytes(Policy ?? File.ReadAllBytes(Path.Combine(pki, "statements", "policy.p7s"))),
            ["ledger", "checkpoint"] => leaves.Count == 0 ? Problem(Refusal.NotFound, 404) : Bytes(Encoding.UTF8.GetBytes(Note())),
            ["ledger", "succession"] => begun is null ? Problem(Refusal.NotFound, 404) : Json(JsonSerializer.Serialize(new { index = begunAt, salt = new Digest(begun.Salt).ToString(), detail = Encoding.UTF8.GetString(begun.Detail) })),
            ["ledger", "consistency"] => Unproven is var (code, status) ? Problem(code, status) : Consistency(request.RequestUri.Query),
            ["ledger", "inclusion"] => Inclusion(request.RequestUri.Query),
            ["mailbox", var parcel] => Parcel(request, Guid.Parse(parcel)),
            ["mailbox", var parcel, "receipt"] => Bytes(Accepted[Guid.Parse(parcel)].Receipt),
            ["dispatches" or "mailbox", var id, "labels"] => Json(Labels(Guid.Parse(id))),
            ["mailbox", _, "statuses"] or ["dispatches", _, "statuses"] or ["statuses"] => Json(Listed()),
            ["dispatches", var id] => Json($"{{\"id\":\"{id}\",\"state\":\"accepted\",\"urgency\":0,\"receivedAt\":1,\"copies\":[]}}"),
            ["dispatches", _, "receipts"] => Json(JsonSerializer.Serialize(new { receipts = OfficeReceipts.Select(r => new { id = Guid.Empty, @event = "", code = "", office = (string?)null, time = 0, receipt = System.Buffers.Text.Base64Url.EncodeToString(r) }) })),
            _ => Problem(Refusal.NotFound, 404),
        };
    }

    async Task<HttpResponseMessage> SubmitAsync(byte[] body, CancellationToken cancel)
    {
        Submitted.Add(body);
        var fault = Faults.TryDequeue(out var next) ? next : Fault.None;
        if (fault == Fault.LostBefore) throw new HttpRequestException("connection reset");
        if (fault == Fault.Busy) return Problem(Refusal.Busy, 503);
        var parts = await EnvelopeFile.ReadPartsAsync(new MemoryStream(body), cancel);
        var statement = Statement.Read(parts.Header, StatementType.Header);
        var header = statement.As<Header>();
        if (Accepted.TryGetValue(header.Id, out var before))
        {
            if (before.Ctx != statement.Ref) return Problem(Refusal.SameId, 409);
        }
        else Accepted[header.Id] = before = (header is { Kind: "update", Target: { } of } ? [.. body, .. Payload(Accepted[of.Id].File)] : body, Receipt(header, statement.Ref, Digest.Of(parts.Manifest.Span)), statement.Ref);
        return fault == Fault.LostAfter ? throw new HttpRequestException("connection reset") : Bytes(before.Receipt);
    }

    // What an update does not bring: the ciphertext of its original.
    static byte[] Payload(byte[] file)
    {
        using var stream = new MemoryStream(file);
        EnvelopeFile.ReadPartsAsync(stream, CancellationToken.None).GetAwaiter().GetResult();
        return file[(int)stream.Position..];
    }

    // The author's, of the first envelope, or one change of it.
    string Labels(Guid id)
    {
        var header = EnvelopeFile.PeekUnverified(EnvelopeFile.ReadPartsAsync(new MemoryStream(Accepted[id].File), CancellationToken.None).GetAwaiter().GetResult().Header);
        var (first, ctx) = header is { Kind: "update", Target: { } of } ? (of.Id, of.Ref) : (id, Accepted[id].Ctx);
        if (Relabel is null) return $$"""{"id":"{{first}}","previous":"{{ctx}}","label":{{Written(header.Label)}},"since":1,"stopped":false,"changes":[]}""";
        var change = new LabelChange { Salt = new byte[32], Sender = header.Sender, Id = first, Ctx = ctx, Previous = ctx, Act = LabelAct.Label, Label = Relabel(header.Label), At = null, Until = null, Reason = null };
        var one = $$"""{"ref":"{{change.Ref}}","act":"label","state":"accepted","code":"OK","time":1,"inForceAt":2,"change":"{{System.Buffers.Text.Base64Url.EncodeToString(change.Write())}}","words":[]}""";
        return $$"""{"id":"{{first}}","previous":"{{change.Ref}}","label":{{Written(change.Label!)}},"since":2,"stopped":false,"changes":[{{one}}]}""";
    }

    static string Written(Label label) => Encoding.UTF8.GetString(StrictJson.Write(label, StatementJson.Default.Label));

    byte[] Receipt(Header header, Digest ctx, Digest manifest)
    {
        var now = clock.GetUtcNow();
        var entry = LedgerEntry.Create(new SubmissionDetail(header.Sender, header.Id, ctx, manifest, header.Label.Policy, header.Label.Class, header.Urgency, header.Policy, header.Directory, header.Directory, ctx) { Time = now.ToUnixTimeMilliseconds() });
        leaves.Add(entry.Leaf);
        var signer = Signer ?? Evidence;
        var receipt = Forge(new Receipt
        {
            V = 1, Type = Crypto.Statements.Receipt.TypeName, Signers = [signer.Certificate.Key], Id = Guid.CreateVersion7(now), Event = ReceiptEvent.SubmissionAcceptance, Code = "OK",
            Time = now.ToUnixTimeMilliseconds(), Issuer = origin, Sender = header.Sender, Envelope = header.Id, Ctx = ctx, ManifestDigest = manifest, Office = null, Key = null,
            Signatures = header.Dispatch.Signatures, Policy = header.Policy, Seen = null, Proof = null,
            Entry = new ReceiptEntry(entry.Leaf, new Digest(entry.Salt), Encoding.UTF8.GetString(entry.Detail), now.ToUnixTimeMilliseconds() + 15_000),
        });
        return Statement.Sign(StatementType.Receipt, StrictJson.Write(receipt, StatementJson.Default.Receipt), [signer], now).Der.ToArray();
    }

    HttpResponseMessage Said(byte[] der)
    {
        if (StatusRefusals.TryDequeue(out var no) && no is not null) return Problem(no, no == Refusal.Busy ? 503 : no == Refusal.StatusSequence ? 409 : 422);
        Statuses.Add(der);
        var (statement, now) = (Statement.Read(der, StatementType.Status), clock.GetUtcNow());
        var s = statement.As<HandlingStatus>();
        var entry = LedgerEntry.Create(new StatusDetail(s.Sender, s.Envelope, s.Ctx, s.Office, s.Key, s.Sequence, s.Code, statement.Ref) { Time = now.ToUnixTimeMilliseconds() });
        leaves.Add(entry.Leaf);
        var receipt = new Receipt
        {
            V = 1, Type = Crypto.Statements.Receipt.TypeName, Signers = [Evidence.Certificate.Key], Id = Guid.CreateVersion7(now), Event = ReceiptEvent.HandlingStatus, Code = "OK",
            Time = now.ToUnixTimeMilliseconds(), Issuer = origin, Sender = s.Sender, Envelope = s.Envelope, Ctx = s.Ctx, ManifestDigest = s.ManifestDigest, Office = s.Office, Key = s.Key,
            Signatures = null, Policy = s.Ctx, Seen = null, Proof = null, Entry = new ReceiptEntry(entry.Leaf, new Digest(entry.Salt), Encoding.UTF8.GetString(entry.Detail), now.ToUnixTimeMilliseconds() + 15_000),
        };
        return Bytes(Statement.Sign(StatementType.Receipt, StrictJson.Write(receipt, StatementJson.Default.Receipt), [Evidence], now).Der.ToArray());
    }

    string Listed() => JsonSerializer.Serialize(new { statuses = Statuses.Select((s, i) => (der: s, n: i + 1, status: Statement.Read(s, StatementType.Status).As<HandlingStatus>()))
        .Select(s => new { s.n, id = s.status.Envelope, office = s.status.Office, sequence = s.status.Sequence, code = s.status.Code, statement = System.Buffers.Text.Base64Url.EncodeToString(s.der) }) });

    HttpResponseMessage Parcel(HttpRequestMessage request, Guid id)
    {
        var file = Accepted[id].File;
        var from = (int)(request.Headers.Range?.Ranges.First().From ?? 0);
        // Every answer breaks off in the middle of what is left, until little is left: the fetch has to go on by ranges.
        var length = file.Length - from > 20_000 ? (file.Length - from) / 2 : file.Length - from;
        Ranges.Add((from, length));
        var response = Bytes(file[from..(from + length)]);
        response.Content.Headers.ContentLength = length;
        if (from > 0)
        {
            response.StatusCode = HttpStatusCode.PartialContent;
            response.Content.Headers.ContentRange = new(from, from + length - 1, file.Length);
        }
        response.Content.Headers.ContentLength = file.Length - from;
        response.Headers.ETag = new($"\"{Accepted[id].Ctx}\"");
        return response;
    }

    string Note() => ForgeNote(Keys.Sign(new Checkpoint(origin, leaves.Count, MerkleTree.Root(leaves))));

    HttpResponseMessage Inclusion(string query)
    {
        var values = query.TrimStart('?').Split('&').ToDictionary(p => p.Split('=')[0], p => p.Split('=')[1]);
        var (index, size) = (leaves.FindIndex(l => l.ToString() == values["leaf"]), long.Parse(values["size"], System.Globalization.CultureInfo.InvariantCulture));
        return index < 0 || index >= size ? Problem(Refusal.NotFound, 404) : Json(JsonSerializer.Serialize(new
        {
            index, size, proof = MerkleTree.InclusionProof(index, size, (level, at) => MerkleTree.Root(leaves.GetRange((int)(at << level), 1 << level))).Select(d => d.ToString()),
        }));
    }

    HttpResponseMessage Consistency(string query)
    {
        var values = query.TrimStart('?').Split('&').ToDictionary(p => p.Split('=')[0], p => long.Parse(p.Split('=')[1], System.Globalization.CultureInfo.InvariantCulture));
        var proof = MerkleTree.ConsistencyProof(values["from"], values["to"], (level, index) => MerkleTree.Root(leaves.GetRange((int)(index << level), 1 << level)));
        return Json(JsonSerializer.Serialize(new { proof = proof.Select(d => d.ToString()) }));
    }

    static HttpResponseMessage Bytes(byte[] bytes) => new(HttpStatusCode.OK) { Content = new ByteArrayContent(bytes) };
    static HttpResponseMessage Json(string text) => Bytes(Encoding.UTF8.GetBytes(text));
    static HttpResponseMessage Problem(Refusal refusal, int status)
    {
        var response = Json($"{{\"code\":\"{refusal.Code}\"}}");
        response.StatusCode = (HttpStatusCode)status;
        return response;
    }
}

/// <summary>Thrown where a test kills the program.</summary>
sealed class KilledException : Exception;

/// <summary>Offices on folders of their own, one gateway between them, one clock.</summary>
sealed class Bench : IDisposable
{
    static readonly Uri Address = new("https://localhost");
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("exchange-office-");
    readonly string pki;

    public Bench(string pki)
    {
        this.pki = pki;
        Gateway = new FakeGateway(pki, Clock);
    }

    public FakeTimeProvider Clock { get; } = new(DevPkiFixture.Now);
    public FakeGateway Gateway { get; }
    /// <summary>Answers for every time-stamp authority; null: no profile names one.</summary>
    public FakeAuthorities? Authorities { get; set; }
    public string At(params string[] parts) => Path.Combine([folder.FullName, .. parts]);

    /// <summary>Key files of an office that are not those of the PKI.</summary>
    public Dictionary<string, Func<KeyFiles, KeyFiles>> Keys { get; } = [];

    /// <summary>An office's next card, signed by the one before, in which a new encryption key stands in place of the old ones; in force on return.</summary>
    public async Task<FileKey> ReplaceKeyAsync(string office)
    {
        var passphrase = File.ReadLines(Path.Combine(pki, "passphrase")).First();
        FileKey Of(params string[] path) => FileKey.Load(Path.Combine([pki, .. path]), passphrase);
        using var issuing = DevAuthority.Of(System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadPkcs12FromFile(Path.Combine(pki, "ca", "issuing.p12"), passphrase));
        var now = Clock.GetUtcNow();
        var key = FileKey.Of(issuing.Issue(Exchange.Office.Join.KeyProfile.Subject("Test", office, "encrypt 2"), Exchange.Office.Join.KeyUse.Encrypt, new Validity(now.AddHours(-1), now.AddYears(1))));
        using var client = new OfficeClient(Start(office));
        await client.RefreshAsync(TestContext.Current.CancellationToken);
        var inForce = client.Directory;
        var card = Exchange.Office.Join.CardWriter.Next(Statement.Read(inForce.Cards[inForce.Find(office)!.CardRef], StatementType.Card), [("encrypt", key.Certificate)], ["encrypt"], (_, _) => true, Of("offices", office, "sign.p12"), now);
        FileKey[] officers = [Of("officers", "directory-1.p12"), Of("officers", "directory-2.p12")];
        var before = Statement.Read(inForce.Statement, StatementType.Directory);
        var next = before.As<DirectoryStatement>() with { Version = inForce.Version + 1, Previous = before.Ref, Offices = [.. before.As<DirectoryStatement>().Offices.Select(o => o.Code == office ? o with { Card = card.Ref, Vouched = null } : o)] };
        Gateway.Cards.Add(card.Der.ToArray());
        Gateway.Directory = Statement.Sign(next, officers, now).Der.ToArray();
        return key;
    }

    /// <summary>Whom offices trust, in place of what the PKI's profile says.</summary>
    public Func<Pins, Pins> Pins { get; set; } = p => p;

    /// <summary>The office's program, started anew on what its folder holds.</summary>
    public OfficeContext Start(string office, Action<string>? step = null)
    {
        var profile = Profile.Load(DevProfile.Write(pki, office, Address, At(office), Authorities is null ? [] : FakeAuthorities.Addresses));
        profile = profile with { Pins = Pins(profile.Pins) };
        if (Keys.TryGetValue(office, out var change)) profile = profile with { Keys = change(profile.Keys) };
        return new OfficeContext(profile, new OfficeKeys(profile, null), new OfficeFiles(profile.State, step), Clock, new ClientOptions([]),
            () => new HttpClient(Gateway, disposeHandler: false) { BaseAddress = profile.Gateway }, () => new HttpClient(Authorities!, disposeHandler: false));
    }

    /// <summary>Puts the policy in force with one level handled in another way.</summary>
    public void Handle(string level, Func<PolicyHandling, PolicyHandling> change)
    {
        var first = Statement.Read(File.ReadAllBytes(Path.Combine(pki, "statements", "policy.p7s")), StatementType.Policy).As<PolicyStatement>();
        var passphrase = File.ReadLines(Path.Combine(pki, "passphrase")).First();
        FileKey[] officers = [.. new[] { "policy-1.p12", "policy-2.p12" }.Select(f => FileKey.Load(Path.Combine(pki, "officers", f), passphrase))];
        Gateway.Policy = Statement.Sign(first with { Version = 2, Levels = [.. first.Levels.Select(l => l.Code == level ? l with { Handling = change(l.Handling) } : l)] }, officers, Clock.GetUtcNow()).Der.ToArray();
    }

    public SendRequest Request(string to = "H41")
    {
        var document = At("document.bin");
        if (!File.Exists(document)) File.WriteAllBytes(document, System.Security.Cryptography.RandomNumberGenerator.GetBytes(50_000));
        return new SendRequest
        {
            Files = [document], To = [to], Level = "thuong",
            Sheet = new Sheet { Number = "7816", Notation = "VPCP", Subject = "S", DocumentType = "Công văn", Place = null, Date = "2026-11-24", Signatory = null },
        };
    }

    public async Task<(OutboxEntry Entry, DeliveryVerdict Verdict)> SendAsync(Action<string>? step = null, Func<SendRequest, SendRequest>? change = null)
    {
        using var client = new OfficeClient(Start("G22", step));
        return await client.SendAsync(change?.Invoke(Request()) ?? Request(), null, TestContext.Current.CancellationToken);
    }

    /// <summary>What was accepted, as a channel that others run carries it to H41.</summary>
    public async Task<byte[]> SealAsync(Guid id)
    {
        var (file, receipt, _) = Gateway.Accepted[id];
        using var output = new MemoryStream();
        using var key = new OfficeKeys(Profile.Load(DevProfile.Write(pki, "H41", Address, At("H41"))), null);
        await SealedParcel.SealAsync(id, receipt, file.Length, () => new MemoryStream(file), key.Encrypt.First().Certificate, output, TestContext.Current.CancellationToken);
        return output.ToArray();
    }

    public void Dispose() => folder.Delete(recursive: true);
}
