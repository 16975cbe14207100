using System.Globalization;
using System.Text;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Office.Client;

/// <param name="Complete">Every ledger entry that a receipt promises is proven to be in the exported checkpoint.</param>
public sealed record ExportResult(string Folder, int Receipts, int Proofs, bool Complete);

/// <summary>Everything that proves one sent dispatch, in a folder that is verified without the gateway, without keys, and without our software if need be.</summary>
sealed class ExportDispatch(OfficeContext office)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public async Task<ExportResult> RunAsync(OutboxEntry entry, string folder, CancellationToken cancel)
    {
        var target = Path.GetFullPath(folder);
        if (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any()) throw new IOException($"{target} is not empty");
        Directory.CreateDirectory(target);
        var parts = entry.Parts();
        var header = Statement.Read(parts.Header, StatementType.Header).As<Header>();
        Write(target, "header.p7s", parts.Header);
        for (var i = 0; i < parts.Approvals.Count; i++) Write(target, string.Create(CultureInfo.InvariantCulture, $"approvals/{i + 1:00}.p7s"), parts.Approvals[i]);
        Write(target, "manifest.p7m", parts.Manifest);
        var receipts = entry.Receipts();
        var leaves = new List<Digest>();
        for (var i = 0; i < receipts.Count; i++)
        {
            var receipt = Statement.Read(receipts[i], StatementType.Receipt).As<Receipt>();
            Write(target, string.Create(CultureInfo.InvariantCulture, $"receipts/{i + 1:00}-{receipt.Event}{(receipt.Office is null ? "" : "-" + receipt.Office)}.p7s"), receipts[i]);
            if (receipt.Entry is { } promised) leaves.Add(promised.Leaf);
        }
        foreach (var token in entry.Files("timestamps", "*.tst")) Write(target, Path.Combine("timestamps", Path.GetFileName(token)), await File.ReadAllBytesAsync(token, cancel).ConfigureAwait(false));
        foreach (var status in entry.Files("statuses")) Write(target, Path.Combine("statuses", Path.GetFileName(status)), await File.ReadAllBytesAsync(status, cancel).ConfigureAwait(false));
        foreach (var about in RecallDispatch.Earlier(office, entry.Id)) Write(target, $"recalls/{about.Id}.p7s", about.Parts().Header);
        var proofs = await ProofsAsync(leaves, target, cancel).ConfigureAwait(false);
        // R opens nothing. With it, whoever holds the folder can check the proofs of opening as the sender does.
        Write(target, "opened", entry.Opened());
        WriteTrust(target);
        foreach (var (key, response) in await new StapleResponses(office).RunAsync(Signers(parts, receipts, entry), cancel).ConfigureAwait(false)) Write(target, $"trust/{StapleResponses.Folder}/{key}{StapleResponses.Ending}", response);
        Write(target, "README.txt", Encoding.UTF8.GetBytes(Readme(entry, header, parts.Approvals.Count > 0, entry.Files("statuses").Any())));
        return new ExportResult(target, receipts.Count, proofs, proofs == leaves.Count);
    }

    // All proofs lead to one checkpoint. A fresh entry is in the next one within seconds: wait for it, but not for ever.
    async Task<int> ProofsAsync(List<Digest> leaves, string target, CancellationToken cancel)
    {
        var until = office.Now + Patience;
        for (; ; )
        {
            var head = await office.Checkpoints.RefreshAsync(office.Api, cancel).ConfigureAwait(false);
            var proofs = new Dictionary<Digest, InclusionProof>();
            foreach (var leaf in head is null ? [] : leaves)
                if (await new TrackDispatch(office).ProofAsync(leaf, head!, cancel).ConfigureAwait(false) is { } proof) proofs[leaf] = proof;
            if (proofs.Count < leaves.Count && office.Now < until)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), office.Clock, cancel).ConfigureAwait(false);
                continue;
            }
            foreach (var (leaf, proof) in proofs) Write(target, $"proofs/{leaf}.json", JsonSerializer.SerializeToUtf8Bytes(proof, ClientJson.Default.InclusionProof));
            if (office.Checkpoints.Note is { } note) Write(target, "checkpoint.txt", Encoding.UTF8.GetBytes(note));
            return proofs.Count;
        }
    }

    void WriteTrust(string target)
    {
        var store = office.View.Trust.Store;
        Write(target, "directory.p7s", office.View.Directory.Statement);
        foreach (var (card, der) in office.View.Directory.Cards) Write(target, $"cards/{card}.p7s", der);
        Write(target, "policy.p7s", office.View.Policy.Statement);
        Certificates(target, "trust/roots", store.Roots);
        Certificates(target, "trust/intermediates", store.Intermediates);
        for (var i = 0; i < store.Crls.Count; i++) Write(target, string.Create(CultureInfo.InvariantCulture, $"trust/crls/{i + 1:00}.crl"), store.Crls[i]);
        Write(target, "trust/chain.pem", Encoding.ASCII.GetBytes(string.Concat(store.Roots.Concat(store.Intermediates).Select(Pem))));
        var pins = office.Profile.Pins;
        Write(target, "pins.json", PinsFile.Write(pins));
    }

    /// <summary>Everybody whose signature is in the folder.</summary>
    IEnumerable<Certificate> Signers(EnvelopeParts parts, IReadOnlyList<ReadOnlyMemory<byte>> receipts, OutboxEntry entry)
    {
        IEnumerable<(ReadOnlyMemory<byte> Der, StatementType Type)> signed =
        [
            (parts.Header, StatementType.Header), .. parts.Approvals.Select(a => (a, StatementType.Approval)), .. receipts.Select(r => (r, StatementType.Receipt)),
            .. entry.Files("statuses").Select(f => ((ReadOnlyMemory<byte>)File.ReadAllBytes(f), StatementType.Status)), (office.View.Directory.Statement, StatementType.Directory), (office.View.Policy.Statement, StatementType.Policy),
        ];
        return signed.SelectMany(s => Statement.Read(s.Der, s.Type).Signers);
    }

    static void Certificates(string target, string folder, IReadOnlyList<Certificate> certificates)
    {
        for (var i = 0; i < certificates.Count; i++) Write(target, string.Create(CultureInfo.InvariantCulture, $"{folder}/{i + 1:00}.pem"), Encoding.ASCII.GetBytes(Pem(certificates[i])));
    }

    static string Pem(Certificate certificate) =>
        $"-----BEGIN CERTIFICATE-----\n{Convert.ToBase64String(certificate.Der.Span, Base64FormattingOptions.InsertLineBreaks).ReplaceLineEndings("\n")}\n-----END CERTIFICATE-----\n";

    static void Write(string target, string name, ReadOnlyMemory<byte> bytes)
    {
        var path = Path.Combine(target, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes.Span);
    }

    // The digest is the one by which the header names the signature.
    static string TimeStampLines(OutboxEntry entry, Header header) => string.Concat(entry.TimeStamps().Select((_, i) => string.Create(CultureInfo.InvariantCulture,
        $"  openssl ts -verify -digest {Convert.ToHexStringLower(header.Dispatch.Signatures[i].ToArray())} -token_in -in timestamps/{i + 1:00}.tst -CAfile trust/chain.pem\n")));

    static string Readme(OutboxEntry entry, Header header, bool approvals, bool statuses) => $"""
        Evidence of dispatch {entry.Id}

        With our software:
          exchange verify --dispatch .

        Without it (OpenSSL 3). Each prints the signed JSON when the signature and the chain hold:
          openssl cms -verify -inform DER -in header.p7s -CAfile trust/chain.pem -purpose any
        {(approvals ? "  openssl cms -verify -inform DER -in approvals/01.p7s -CAfile trust/chain.pem -purpose any\n" : "")}  for r in receipts/*.p7s{(statuses ? " statuses/*.p7s" : "")}; do openssl cms -verify -inform DER -in "$r" -CAfile trust/chain.pem -purpose any; echo; done
        {TimeStampLines(entry, header)}
        A recipient, with its own encryption key, sees what the author signed (the first 64 bytes bind it to this header):
          openssl pkcs12 -in encrypt.p12 -clcerts -nodes -out encrypt.pem
          openssl cms -decrypt -inform DER -in manifest.p7m -recip encrypt.pem -inkey encrypt.pem | tail -c +65 \
            | openssl cms -verify -inform DER -CAfile trust/chain.pem -purpose any

        The file opened lets anyone check the offices' proofs that they opened the dispatch. It opens nothing itself.
        pins.json came with the folder. Compare it with the pins you were given by the officers before you rely on it.

        """;
}

/// <summary>The pins that the evidence is checked against, in the form of pins.json.</summary>
sealed record PinsFile(IReadOnlyList<Digest> DirectoryOfficers, IReadOnlyList<Digest> PolicyOfficers, Digest GatewayEvidence, string Origin, string CheckpointKey)
{
    public static byte[] Write(Pins pins) =>
        JsonSerializer.SerializeToUtf8Bytes(new PinsFile(pins.DirectoryOfficers, pins.PolicyOfficers, pins.GatewayEvidence, pins.Origin, pins.CheckpointKey), ClientJson.Default.PinsFile);
}
