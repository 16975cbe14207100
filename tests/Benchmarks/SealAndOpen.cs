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

    public string Payload => Path.Combine(work, "payload");
    public string Opened => Path.Combine(work, "opened", "document.bin");

    public async Task SealAsync()
    {
        File.Delete(Payload);
        await using var payload = new FileStream(Payload, FileMode.Create, FileAccess.ReadWrite, FileShare.Read, 1 << 16);
        last = await SealAsync(new("document.bin", "application/octet-stream", new FileInfo(file).Length, null, () => new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16)),
            [new("H41", recipient.Certificate, "to")], payload);
    }

    /// <summary>As the office's client asks for it.</summary>
    public Task<SealedEnvelope> SealAsync(DocumentSource document, IReadOnlyList<SealRecipient> recipients, Stream payload)
    {
        var now = TimeProvider.System.GetUtcNow();
        var level = policy.Level("thuong")!;
        return Envelope.SealAsync(new SealRequest
        {
            Id = Guid.CreateVersion7(now), Gateway = "benchmark/ledger", Sender = "G22", Recipients = recipients, To = [.. recipients.Select(r => r.Office)],
            Label = policy.NewLabel(level.Code), Urgency = 0, Times = new(null, now.AddDays(1).ToUnixTimeMilliseconds(), null), Policy = policy.Ref, Directory = directory.Ref, Seen = null,
            Sheet = new() { Number = null, Notation = null, Subject = "Benchmark", DocumentType = "Công văn", Place = null, Date = "2026-11-24", Signatory = null },
            Documents = [document], Authors = [clerk], Approvers = [], Office = office, ManifestBucket = level.ManifestBucket, PayloadBucket = level.PayloadBucket,
        }, payload, TimeProvider.System, CancellationToken.None);
    }

    /// <param name="keep">Leave the document where it was opened, until the next time.</param>
    public async Task OpenAsync(bool keep = false)
    {
        if (File.Exists(Opened)) File.Delete(Opened);
        var folder = Directory.CreateDirectory(Path.GetDirectoryName(Opened)!).FullName;
        await using (var payload = new FileStream(Payload, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16))
            await Envelope.OpenAsync(new OpenRequest
            {
                Parts = last!.Parts, Payload = payload, Context = new(directory, trust, TimeProvider.System.GetUtcNow()), Office = "H41", Key = recipient,
                Folder = folder, OfficeSignsDispatch = false,
            }, CancellationToken.None);
        if (!keep) Directory.Delete(folder, recursive: true);
    }

    /// <summary>What a gateway does with a payload that it has at hand.</summary>
    public Task CheckAsync(byte[] wire) => Crypto.Envelope.Payload.VerifyAsync(new MemoryStream(wire), last!.Payload!, null, null, CancellationToken.None);
}
