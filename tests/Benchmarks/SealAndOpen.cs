using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Trust;

namespace Exchange.Benchmarks;

/// <summary>The product's two verbs on one document, G22 to H41, as its client calls them; the payload goes to a file and is read from it.</summary>
sealed class SealAndOpen
{
    readonly string work, file;
    readonly FileKey office, clerk, recipient;
    readonly OfficeDirectory directory;
    readonly CertificateCheck trust;
    readonly CompiledPolicy policy;
    SealedEnvelope? last;

    public SealAndOpen(string pki, string work, string file)
    {
        (this.work, this.file) = (work, file);
        var passphrase = File.ReadAllText(Path.Combine(pki, "passphrase")).TrimEnd('\n');
        FileKey Key(string path) => FileKey.Load(Path.Combine(pki, "offices", path), passphrase);
        (office, clerk, recipient) = (Key("G22/sign.p12"), Key("G22/persons/clerk.p12"), Key("H41/encrypt.p12"));
        using var pins = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(pki, "pins.json")));
        Digest[] Pinned(string name) => [.. pins.RootElement.GetProperty(name).EnumerateArray().Select(k => Digest.TryParse(k.GetString(), out var key) ? key : throw new InvalidDataException(name))];
        var now = TimeProvider.System.GetUtcNow();
        var statements = Path.Combine(pki, "statements");
        trust = new CertificateCheck(TrustStore.Load(Path.Combine(pki, "trust")));
        directory = OfficeDirectory.Open(File.ReadAllBytes(Path.Combine(statements, "directory.p7s")),
            Directory.EnumerateFiles(Path.Combine(statements, "cards")).Select(f => (ReadOnlyMemory<byte>)File.ReadAllBytes(f)), Pinned("directoryOfficers"), trust, now);
        policy = CompiledPolicy.Open(File.ReadAllBytes(Path.Combine(statements, "policy.p7s")), Pinned("policyOfficers"), trust, now);
    }

    string Payload => Path.Combine(work, "payload");

    public async Task SealAsync()
    {
        var now = TimeProvider.System.GetUtcNow();
        var level = policy.Level("thuong")!;
        await using var payload = File.Create(Payload);
        last = await Envelope.SealAsync(new SealRequest
        {
            Id = Guid.CreateVersion7(now), Gateway = "benchmark/ledger", Sender = "G22", Recipients = [new SealRecipient("H41", recipient.Certificate, "to")], To = ["H41"],
            Label = policy.NewLabel(level.Code), Urgency = 0, Times = new(null, now.AddDays(1).ToUnixTimeMilliseconds(), null), Policy = policy.Ref, Directory = directory.Ref, Seen = null,
            Sheet = new() { Number = null, Notation = null, Subject = "Benchmark", DocumentType = "Công văn", Place = null, Date = "2026-11-24", Signatory = null },
            Documents = [new("document.bin", "application/octet-stream", new FileInfo(file).Length, null, () => File.OpenRead(file))],
            Authors = [clerk], Approvers = [], Office = office, ManifestBucket = level.ManifestBucket, PayloadBucket = level.PayloadBucket,
        }, payload, TimeProvider.System, CancellationToken.None);
    }

    public async Task OpenAsync()
    {
        var folder = Directory.CreateDirectory(Path.Combine(work, "opened")).FullName;
        await using (var payload = File.OpenRead(Payload))
            await Envelope.OpenAsync(new OpenRequest
            {
                Parts = last!.Parts, Payload = payload, Context = new(directory, trust, TimeProvider.System.GetUtcNow()), Office = "H41", Key = recipient,
                Folder = folder, OfficeSignsDispatch = false,
            }, CancellationToken.None);
        Directory.Delete(folder, recursive: true);
    }
}
