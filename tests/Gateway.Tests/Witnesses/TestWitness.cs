extern alias witness;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using witness::Exchange.Witnessing;

namespace Exchange.Tests.Witnesses;

/// <summary>A real witness in a folder of its own: real Kestrel on a loopback port, real files.</summary>
sealed class TestWitness : IAsyncDisposable
{
    public const string Name = "witness.test/1";
    readonly string outside = Directory.CreateTempSubdirectory("exchange-witness-").FullName;
    readonly HttpClient http;

    TestWitness(FakeTimeProvider clock, X509Certificate2? tls)
    {
        (Clock, Tls) = (clock, tls);
        http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
    }

    public FakeTimeProvider Clock { get; }
    public X509Certificate2? Tls { get; }
    public string Folder => Path.Combine(outside, "witness");
    public string Heads => Path.Combine(Folder, "heads");
    public WitnessHost? Host { get; private set; }
    public Uri Address { get; private set; } = null!;
    public IReadOnlyList<VerifierKey> Keys { get; private set; } = [];
    /// <summary>Throws where the process is to die.</summary>
    public Action<string>? Step { get; set; }

    public static async Task<TestWitness> Start(IReadOnlyList<VerifierKey> logs, FakeTimeProvider? clock = null, X509Certificate2? tls = null, int perMinute = 100_000)
    {
        var made = new TestWitness(clock ?? new FakeTimeProvider(TestStore.Start), tls);
        var passphrase = Path.Combine(made.outside, "passphrase");
        File.WriteAllText(passphrase, "mật khẩu\n");
        WitnessFolder.Create(made.Folder, Name, passphrase);
        using (var folder = WitnessFolder.Open(made.Folder, alone: false))
        {
            folder.AddLog([.. logs.Select(k => k.ToString())]);
            var keys = folder.Keys();
            made.Keys = [.. keys.Select(k => k.VerifierKey)];
            foreach (var key in keys) key.Dispose();
        }
        await made.Run(perMinute);
        return made;
    }

    public ServeSettings Settings(int port = 0, int perMinute = 100_000) => new(new IPEndPoint(IPAddress.Loopback, port), Tls, false, NullLoggerFactory.Instance) { Clock = Clock, Step = name => Step?.Invoke(name), RequestsPerMinute = perMinute };

    /// <summary>On the port of the run before, if there was one.</summary>
    public async Task Run(int perMinute = 100_000)
    {
        Host = await WitnessHost.Start(WitnessFolder.Open(Folder, alone: true), Settings(Address?.Port ?? 0, perMinute));
        Address = Host.Address;
    }

    public async Task Stop()
    {
        if (Host is not null) await Host.DisposeAsync();
        Host = null;
    }

    public async Task Restart()
    {
        await Stop();
        await Run();
    }

    public async Task<(int Status, string? Type, byte[] Body)> Post(byte[] body, string path = "/add-checkpoint")
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
        using var answer = await http.PostAsync(new Uri(Address, path), content);
        return ((int)answer.StatusCode, answer.Content.Headers.ContentType?.ToString(), await answer.Content.ReadAsByteArrayAsync());
    }

    public async Task<int> Get(string path)
    {
        using var answer = await http.GetAsync(new Uri(Address, path));
        return (int)answer.StatusCode;
    }

    public Task<(int Status, string? Type, byte[] Body)> Ask(TestLedger ledger, int old, int size, string? note = null) =>
        Post(Encoding.UTF8.GetBytes(new WitnessRequest(old, ledger.Proof(old, size), note ?? ledger.Note(size)).Write()));

    public async ValueTask DisposeAsync()
    {
        await Stop();
        http.Dispose();
        Directory.Delete(outside, recursive: true);
    }
}

/// <summary>A ledger of nothing but leaves.</summary>
sealed class TestLedger(string origin, int seed = 0) : IDisposable
{
    readonly LedgerKeys keys = new(LedgerKey.Create(origin, NoteKeyType.Ed25519), LedgerKey.Create(origin, NoteKeyType.MlDsa44Cosignature));
    readonly List<Digest> leaves = [.. Enumerable.Range(0, 40).Select(i => MerkleTree.LeafHash([(byte)seed, (byte)i]))];

    public IReadOnlyList<VerifierKey> Keys => keys.VerifierKeys;
    public Checkpoint Head(int size) => new(origin, size, MerkleTree.Root([.. leaves.Take(size)]));
    public string Note(int size) => keys.Sign(Head(size));
    /// <summary>Other leaves, signed by this ledger's keys.</summary>
    public string Forked(TestLedger other, int size) => keys.Sign(other.Head(size) with { Origin = origin });
    public IReadOnlyList<Digest> Proof(int old, int size) => old == 0 || old >= size ? [] :
        MerkleTree.ConsistencyProof(old, size, (level, index) => MerkleTree.Root(leaves.GetRange((int)(index << level), 1 << level)));
    public void Dispose() => keys.Dispose();
}
