using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;

namespace Exchange.Tests.Erasing;

/// <summary>What two administrators sign, and what a dispatch leaves in bytes.</summary>
static class Erasure
{
    public static readonly FileKey[] Administrators = [DevPkiFolder.Key("officers", "directory-1.p12"), DevPkiFolder.Key("officers", "directory-2.p12")];
    public const string Basis = "ORDER_17_2026";

    public static Task<TestGateway> Start(string? folder = null, params IReadOnlyList<Adapters.IDeliveryAdapter> adapters) =>
        TestGateway.Start(folder: folder, options: o => o with { Administrators = [.. Administrators.Select(a => a.Certificate.Key)] }, adapters: adapters);

    public static Header HeaderOf(SealedEnvelope envelope) => EnvelopeFile.PeekUnverified(envelope.Parts.Header);

    public static byte[] Order(TestGateway gateway, Func<OperationStatement, OperationStatement>? change, params SealedEnvelope[] envelopes)
    {
        var content = new OperationStatement
        {
            V = 1, Type = OperationStatement.TypeName, Signers = [.. Administrators.Select(a => a.Certificate.Key)], Gateway = gateway.Host.Shared.Options.Origin, Act = OperationStatement.Erase, Parcels = [],
            Dispatches = [.. envelopes.Select(HeaderOf).Select(h => new OperatedDispatch(h.Sender, h.Id))], Code = Basis, Issued = gateway.Clock.GetUtcNow().ToUnixTimeMilliseconds(),
        };
        return Statement.Sign(change?.Invoke(content) ?? content, Administrators, gateway.Clock.GetUtcNow()).Der.ToArray();
    }

    /// <summary>Puts it into the incoming folder as the command does; what the gateway says of it, or why it does not.</summary>
    public static async Task<string> Give(this TestGateway gateway, byte[] order)
    {
        var name = $"{Guid.CreateVersion7():N}{IncomingFolder.SignedOrder}";
        await File.WriteAllBytesAsync(Path.Combine(gateway.Data, "incoming", name), order);
        await gateway.Host.Loops.StepAll();
        var (done, refused) = (Path.Combine(gateway.Data, "incoming", IncomingFolder.Done, name + ".result"), Path.Combine(gateway.Data, "incoming", IncomingFolder.Refused, name + ".reason"));
        return (await File.ReadAllTextAsync(File.Exists(done) ? done : refused)).Trim();
    }

    /// <summary>A piece of a dispatch that is like nothing else: one of its parts at least lies somewhere in whole.</summary>
    public sealed record Canary(string Name, IReadOnlyList<byte[]> Parts)
    {
        public bool In(byte[] bytes) => Parts.Any(p => bytes.AsSpan().IndexOf(p) >= 0);
    }

    public const string Spelled = "spelled salt";

    /// <summary>Of all that is known of it: payload, sealed manifest, signatures of whatever was signed about it, every salt and detail, salts as receipts and changes of labels spell them, and salts of its decisions.</summary>
    public static List<Canary> Canaries(TestGateway gateway, SealedEnvelope envelope, byte[] file)
    {
        var header = HeaderOf(envelope);
        using var reader = gateway.Host.Shared.Engine.Reader();
        var found = ErasureTable.Find(reader, header.Sender, header.Id)!;
        List<Canary> canaries = [];
        var payload = file[^Math.Min(file.Length, 900)..];
        canaries.Add(new($"payload {header.Id}", [payload[..40], payload[^60..^20]]));
        foreach (var (seq, detail) in ErasureTable.Told(reader, found.Id, header.Sender, header.Id, int.MaxValue).Select(t => (t.Seq, t.Detail)))
        {
            var salt = EntryTable.Secret(reader, seq)!.Salt;
            canaries.Add(new($"salt {seq}", [salt]));
            canaries.Add(new($"detail {seq}", [detail]));
            // As our receipts spell it; not every entry has one.
            canaries.Add(new($"{Spelled} {seq}", [System.Text.Encoding.ASCII.GetBytes(new Digest(salt).ToString())]));
        }
        void Signed(string name, byte[] der) => canaries.Add(new($"{name} {canaries.Count}", [der[^64..^32], der[^32..]]));
        // A page of the store may begin within 32 bytes: then the other half lies in whole.
        foreach (var of in new[] { "dispatch", "held" })
            foreach (var row in reader.Query<Bytes>($"SELECT header AS der, manifest AS more FROM {of} WHERE id = @Id", new { found.Id }))
            {
                Signed($"{of}.header", row.Der!);
                Signed($"{of}.manifest", row.More!);
            }
        foreach (var (name, sql) in new[]
        {
            ("receipt", "SELECT der FROM receipt WHERE dispatch = @Id OR held = @Id"), ("status", "SELECT s.der FROM status s JOIN parcel p ON p.id = s.parcel WHERE p.dispatch = @Id"),
            ("held_approval", "SELECT der FROM held_approval WHERE held = @Id"), ("label_word", "SELECT w.der FROM label_word w JOIN label_change c ON c.id = w.change WHERE c.dispatch = @Id"),
        })
            foreach (var row in reader.Query<Bytes>(sql, new { found.Id })) Signed(name, row.Der!);
        foreach (var row in reader.Query<Bytes>("SELECT salt AS der FROM decision WHERE digest IN (SELECT decision FROM dispatch WHERE id = @Id UNION SELECT decision FROM held WHERE id = @Id UNION SELECT decision FROM label_change WHERE dispatch = @Id)", new { found.Id }))
            canaries.Add(new($"decision {canaries.Count}", [row.Der!]));
        foreach (var row in reader.Query<Bytes>("SELECT change AS der FROM label_change WHERE dispatch = @Id", new { found.Id })) canaries.Add(new($"label_change {canaries.Count}", [row.Der!]));
        return canaries;
    }

    sealed record Bytes
    {
        public byte[]? Der { get; init; }
        public byte[]? More { get; init; }
    }

    /// <summary>Names of those that lie in some file of these folders, or in these further bytes.</summary>
    public static List<string> Found(IReadOnlyList<Canary> canaries, IEnumerable<string> folders, params IEnumerable<byte[]> further)
    {
        HashSet<string> found = [];
        // The lock has no bytes, and lets nobody else open it.
        foreach (var bytes in folders.SelectMany(f => Directory.EnumerateFiles(f, "*", SearchOption.AllDirectories)).Where(f => Path.GetFileName(f) != "lock").Select(Read).Concat(further))
            found.UnionWith(canaries.Where(c => c.In(bytes)).Select(c => c.Name));
        return [.. found.Order(StringComparer.Ordinal)];
    }

    // Also of a running gateway.
    static byte[] Read(string file)
    {
        using var open = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[open.Length];
        return bytes[..open.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
    }

    public static string[] Folders(TestGateway gateway) => [gateway.Data, gateway.Data + ".guard"];

    /// <summary>Everything that an auditor who is cleared for all exports, of the newest head.</summary>
    public static async Task<Exported> Export(TestGateway gateway)
    {
        gateway.Clock.Advance(TimeSpan.FromMinutes(1));
        await gateway.Host.Loops.StepAll();
        var auditor = gateway.AsAuditor("AUDIT-ALL");
        async Task<byte[]> Get(string path)
        {
            var answer = await TestGateway.Send(auditor, HttpMethod.Get, path);
            Assert.True(answer.Status == 200, answer.Text);
            return answer.Body;
        }
        var note = await Get("/ledger/checkpoint");
        var size = gateway.Host.Shared.Ledger.Newest!.Size;
        var files = new Dictionary<string, byte[]> { [LedgerCheck.Newest] = note };
        for (var level = 0; level < Tiles.Levels; level++)
            for (long index = 0; Tiles.WidthAt(level, index, size) is > 0 and var width; index++)
            {
                var tile = new TilePath(level, index, width);
                files[tile.ToString()] = await Get($"/ledger/{tile}");
                if (level > 0) continue;
                var bundle = new TilePath(TilePath.Entries, index, width);
                files[bundle.ToString()] = await Get($"/ledger/{bundle}");
                files[DetailBundle.PathOf(bundle)] = await Get($"/audit/details?at={size}&first={index}&count=1");
            }
        return new Exported(files);
    }
}

sealed class Exported(Dictionary<string, byte[]> files) : ILedgerFiles
{
    public IEnumerable<byte[]> All => files.Values;
    public byte[] Newest => files[LedgerCheck.Newest];

    public byte[]? Read(string path, int limit) => files.GetValueOrDefault(path);

    public IEnumerable<string> List(string folder) => folder.Length == 0 ? ["checkpoint", "tile/", "details/"]
        : files.Keys.Where(k => k.StartsWith(folder + "/", StringComparison.Ordinal)).Select(k => k[(folder.Length + 1)..]).Select(k => k.Contains('/', StringComparison.Ordinal) ? k[..(k.IndexOf('/', StringComparison.Ordinal) + 1)] : k).Distinct();

    /// <param name="known">Heads that he kept himself.</param>
    public Findings Check(TestGateway gateway, params byte[][] known)
    {
        using var equipment = Equipment.Open(gateway.Data, gateway.Host.Shared.Options, gateway.Clock);
        return LedgerCheck.Check(this, new LedgerPins(gateway.Host.Shared.Options.Origin, equipment.Checkpoint.VerifierKeys) { Known = [.. known.Select((k, i) => new EvidencePart($"known-{i}", k))] }, threads: 1);
    }
}
