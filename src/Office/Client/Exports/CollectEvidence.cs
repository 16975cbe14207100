using System.Globalization;
using System.Text;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Office.Client.Stories;

namespace Exchange.Office.Client.Exports;

/// <param name="Parts">By names as `exchange verify --dispatch` finds them.</param>
/// <param name="Complete">Every ledger entry that a receipt promises is proven to be in the checkpoint that is among the parts.</param>
sealed record CollectedEvidence(IReadOnlyList<EvidencePart> Parts, int Receipts, int Proofs, bool Complete);

/// <summary>Everything that proves one dispatch, as one list of files for whatever they are put into; verified without the gateway, without keys, and without our software if need be.</summary>
sealed class CollectEvidence(OfficeContext office)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    readonly List<EvidencePart> parts = [];

    /// <param name="online">False: the gateway was not reached, so proofs are left out and what CAs say is what is kept here.</param>
    public async Task<CollectedEvidence> RunAsync(EvidenceSource source, bool online, CancellationToken cancel)
    {
        Add("header.p7s", source.Parts.Header);
        for (var i = 0; i < source.Parts.Approvals.Count; i++) Add(string.Create(CultureInfo.InvariantCulture, $"approvals/{i + 1:00}.p7s"), source.Parts.Approvals[i]);
        Add("manifest.p7m", source.Parts.Manifest);
        if (source.Dispatch is { } dispatch) Add("dispatch.p7s", dispatch);
        var leaves = new List<Digest>();
        for (var i = 0; i < source.Receipts.Count; i++)
        {
            var receipt = Statement.Read(source.Receipts[i], StatementType.Receipt).As<Receipt>();
            Add(string.Create(CultureInfo.InvariantCulture, $"receipts/{i + 1:00}-{receipt.Event}{(receipt.Office is null ? "" : "-" + receipt.Office)}.p7s"), source.Receipts[i]);
            if (receipt.Entry is { } promised) leaves.Add(promised.Leaf);
        }
        parts.AddRange([.. source.TimeStamps, .. source.Statuses, .. source.Recalls]);
        var proofs = online ? await ProofsAsync(leaves, cancel).ConfigureAwait(false) : 0;
        // R opens nothing. With it, whoever holds the evidence can check the proofs of opening as the sender does.
        if (source.Opened is { } opened) Add("opened", opened);
        AddTrust(source.Directory);
        foreach (var (key, response) in await new StapleResponses(office).RunAsync(Signers(source), online, cancel).ConfigureAwait(false)) Add($"trust/{StapleResponses.Folder}/{key}{StapleResponses.Ending}", response);
        if (EvidenceReadme.Of(parts, listed: false) is { } readme) parts.Add(readme);
        return new CollectedEvidence(parts, source.Receipts.Count, proofs, proofs == leaves.Count);
    }

    // All proofs lead to one checkpoint. A fresh entry is in the next one within seconds: wait for it, but not for ever.
    async Task<int> ProofsAsync(List<Digest> leaves, CancellationToken cancel)
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
            foreach (var (leaf, proof) in proofs) Add($"proofs/{leaf}.json", JsonSerializer.SerializeToUtf8Bytes(proof, ClientJson.Default.InclusionProof));
            if (office.Checkpoints.Note is { } note) Add("checkpoint.txt", Encoding.UTF8.GetBytes(note));
            return proofs.Count;
        }
    }

    void AddTrust(OfficeDirectory directory)
    {
        var store = office.View.Trust.Store;
        Add("directory.p7s", directory.Statement);
        foreach (var (card, der) in directory.Cards) Add($"cards/{card}.p7s", der);
        Add("policy.p7s", office.View.Policy.Statement);
        AddCertificates("trust/roots", store.Roots);
        AddCertificates("trust/intermediates", store.Intermediates);
        for (var i = 0; i < store.Crls.Count; i++) Add(string.Create(CultureInfo.InvariantCulture, $"trust/crls/{i + 1:00}.crl"), store.Crls[i]);
        Add(EvidenceFiles.Chain, EvidenceReadme.ChainOf(parts));
        Add("pins.json", PinsFile.Write(office.Profile.Pins));
    }

    /// <summary>Everybody whose signature is in it.</summary>
    IEnumerable<Certificate> Signers(EvidenceSource source)
    {
        IEnumerable<(ReadOnlyMemory<byte> Der, StatementType Type)> signed =
        [
            (source.Parts.Header, StatementType.Header), .. source.Parts.Approvals.Select(a => (a, StatementType.Approval)), .. source.Receipts.Select(r => (r, StatementType.Receipt)),
            .. source.Statuses.Select(s => (s.Bytes, StatementType.Status)), (source.Directory.Statement, StatementType.Directory), (office.View.Policy.Statement, StatementType.Policy),
        ];
        if (source.Dispatch is { } dispatch) signed = signed.Append((dispatch, StatementType.Dispatch));
        return signed.SelectMany(s => Statement.Read(s.Der, s.Type).Signers);
    }

    void AddCertificates(string folder, IReadOnlyList<Certificate> certificates)
    {
        for (var i = 0; i < certificates.Count; i++) Add(string.Create(CultureInfo.InvariantCulture, $"{folder}/{i + 1:00}.pem"), Encoding.ASCII.GetBytes(Pem(certificates[i])));
    }

    static string Pem(Certificate certificate) =>
        $"-----BEGIN CERTIFICATE-----\n{Convert.ToBase64String(certificate.Der.Span, Base64FormattingOptions.InsertLineBreaks).ReplaceLineEndings("\n")}\n-----END CERTIFICATE-----\n";

    void Add(string name, ReadOnlyMemory<byte> bytes) => parts.Add(new EvidencePart(name, bytes));
}
