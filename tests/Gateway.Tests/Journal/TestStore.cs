using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Offices;
using Exchange.Gateway.Store;
using Microsoft.Extensions.Time.Testing;

namespace Exchange.Tests;

/// <summary>A store and its journal in a folder of their own. The journal is stepped by hand, and every batch runs twice, the first time rolled back.</summary>
sealed class TestStore : IDisposable
{
    public static readonly DateTimeOffset Start = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);
    public const string Origin = "gateway.test/ledger";
    static readonly Lazy<TrustStore> lazyAnchors = new(Anchor);
    static readonly CheckpointKey key = CheckpointKey.Create(Origin);
    readonly string outside;
    int counter;

    public TestStore(Func<IEngine, IEngine>? wrap = null, JournalOptions? options = null)
    {
        outside = Directory.CreateTempSubdirectory("exchange-journal-").FullName;
        Folder = DataFolder.Create(Path.Combine(outside, "data"));
        Guard = Guard.Create(GuardFile, Origin);
        Open(wrap, options);
    }

    public FakeTimeProvider Clock { get; } = new(Start);
    public DataFolder Folder { get; private set; }
    public Guard Guard { get; private set; }
    public SqliteEngine Engine { get; private set; } = null!;
    public Worlds Worlds { get; private set; } = null!;
    public Journal Journal { get; private set; } = null!;
    public Checkpoints Checkpoints { get; private set; } = null!;
    public BlobStore Blobs { get; private set; } = null!;
    public List<Exception> Stops { get; } = [];
    public string GuardFile => Path.Combine(outside, "guard", "guard.db");
    public static TrustStore Anchors => lazyAnchors.Value;
    public static VerifierKey VerifierKey => key.VerifierKey;

    void Open(Func<IEngine, IEngine>? wrap, JournalOptions? options)
    {
        Engine = SqliteEngine.Open(Folder.Database, create: true);
        Worlds = Worlds.Load(Engine, Anchors, new Pins([], []), Clock.GetUtcNow());
        Journal = new Journal(wrap?.Invoke(Engine) ?? Engine, Worlds, Clock, options ?? new JournalOptions { Rehearse = true }, Stops.Add);
        Checkpoints = Checkpoints.Open(Engine, Guard, key, TimeSpan.FromSeconds(5), Stops.Add);
        Blobs = new BlobStore(Folder.Blobs, Clock);
    }

    /// <summary>As a process that starts again on the same folder.</summary>
    public void Reopen(Func<IEngine, IEngine>? wrap = null, JournalOptions? options = null)
    {
        Close();
        Folder = DataFolder.Open(Folder.Root);
        Guard = Guard.Open(GuardFile, Origin);
        Open(wrap, options);
    }

    public void Close()
    {
        Journal.Dispose();
        Engine.Dispose();
        Guard.Dispose();
        Folder.Dispose();
    }

    /// <summary>Commits by one step of the journal.</summary>
    public T Commit<T>(Change<T> change)
    {
        var task = Journal.Commit(change);
        Journal.Step();
        return task.GetAwaiter().GetResult();
    }

    public LedgerHead Head()
    {
        using var reader = Engine.Reader();
        return HeadTable.Read(reader);
    }

    public IReadOnlyList<Finding> Check() => StoreCheck.Run(Engine, Blobs, Guard.Notes());

    /// <summary>A v7 id that rises with each call.</summary>
    public Guid NewId() => Guid.CreateVersion7(Start.AddMilliseconds(++counter));

    public static LedgerEntry Entry(long number = 0) => LedgerEntry.Create(new StartDetail("test", 1, number) { Time = Start.ToUnixTimeMilliseconds() });

    /// <summary>A dispatch from one office to others, with all the rows that accepting it writes.</summary>
    public TestDispatch NewDispatch(string sender = "G22", params string[] to) => new(this, sender, to.Length == 0 ? ["H41"] : to);

    static TrustStore Anchor()
    {
        using var ca = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var request = new CertificateRequest("CN=Root of the journal's tests", ca, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using var root = request.CreateSelfSigned(Start.AddDays(-1), Start.AddYears(10));
        return TrustStore.Create([root.RawDataMemory], [], []);
    }

    public void Dispose()
    {
        Close();
        Directory.Delete(outside, recursive: true);
    }
}

/// <summary>Rows of one dispatch, made ready outside the writer as the use case does.</summary>
sealed class TestDispatch
{
    public TestDispatch(TestStore store, string sender, string[] to)
    {
        var now = store.Clock.GetUtcNow().ToUnixTimeMilliseconds();
        Decision = DecisionRow.Of([.. "{\"verdict\":\"permit\"}"u8]);
        Row = new DispatchRow
        {
            Id = store.NewId(), Sender = sender, Envelope = store.NewId(), Ctx = Random(), ManifestDigest = Random(), Class = 10, Urgency = 0, ReceivedAt = now,
            Expires = now + 86_400_000, Decision = Decision.Digest, PayloadBytes = 48, Header = RandomNumberGenerator.GetBytes(800), Approvals = [],
            Manifest = RandomNumberGenerator.GetBytes(5000), Payload = RandomNumberGenerator.GetBytes(48),
        };
        Parcels = [.. to.Select(office => new ParcelRow
        {
            Id = store.NewId(), Dispatch = Row.Id, Office = office, Key = Random(), Role = "to", State = ParcelState.Available, Channel = "mailbox",
            LastRefusal = null, CreatedAt = now, UpdatedAt = now,
        })];
        Entry = LedgerEntry.Create(new SubmissionDetail(sender, Row.Envelope, Row.Ctx, Row.ManifestDigest, "1.2.3", 10, 0, Random(), Random(), Random(), Decision.Digest) { Time = now });
        Receipt = NewReceipt(store, ReceiptEvent.SubmissionAcceptance, Entry.Leaf, null, null, TestStore.Origin);
    }

    public DispatchRow Row { get; set; }
    public ParcelRow[] Parcels { get; }
    public DecisionRow Decision { get; }
    public LedgerEntry Entry { get; }
    public ReceiptRow Receipt { get; }

    /// <summary>The change of accepting it. False: this sender has it already.</summary>
    public bool Accept(Batch b)
    {
        if (!DispatchTable.TryAdd(b, Row)) return false;
        b.Log(Entry, EntryKind.Submission, Row.Id).Add(Parcels).Add(Decision).Add(Receipt);
        return true;
    }

    public ReceiptRow NewReceipt(TestStore store, string @event, Digest leaf, Guid? parcel, string? office, string issuer)
    {
        var der = RandomNumberGenerator.GetBytes(900);
        return new ReceiptRow
        {
            Id = store.NewId(), Dispatch = Row.Id, Parcel = parcel, Sender = Row.Sender, Envelope = Row.Envelope, Office = office, Event = @event, Code = "OK",
            Issuer = issuer, Time = Row.ReceivedAt, Leaf = leaf, Sha256 = Digest.Of(der), Der = der,
        };
    }

    /// <summary>The change of an office acknowledging its copy.</summary>
    public Change<bool> HandOver(TestStore store, ParcelRow parcel)
    {
        var entry = LedgerEntry.Create(new ConsignmentDetail(Row.Sender, Row.Envelope, Row.Ctx, parcel.Office, parcel.Key, Random()) { Time = Row.ReceivedAt });
        var handover = NewReceipt(store, ReceiptEvent.ContentHandover, entry.Leaf, parcel.Id, parcel.Office, parcel.Office);
        var consignment = NewReceipt(store, ReceiptEvent.ContentConsignment, entry.Leaf, parcel.Id, parcel.Office, TestStore.Origin);
        return b =>
        {
            if (!ParcelTable.Move(b, parcel.Id, ParcelState.Available, ParcelState.Delivered)) return false;
            b.Log(entry, EntryKind.Consignment, parcel.Id).Add(handover).Add(consignment);
            return true;
        };
    }

    static Digest Random() => new(RandomNumberGenerator.GetBytes(Digest.Size));
}
