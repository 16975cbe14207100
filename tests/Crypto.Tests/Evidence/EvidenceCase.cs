using System.Text;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Tests.Ledger;
using Exchange.Tests.Policy;
using Microsoft.Extensions.Time.Testing;

namespace Exchange.Tests.Evidence;

/// <summary>One dispatch at Mật from G22 to H41 (opened) and H37 (could not open), as a gateway and two offices would leave it behind. Made once; tests change copies.</summary>
sealed class EvidenceCase
{
    public const string Origin = "test.exchange/ledger";
    static readonly Lazy<EvidenceCase> shared = new(() => new EvidenceCase());
    public static EvidenceCase Shared => shared.Value;

    readonly TestPki pki = TestPki.Shared;
    readonly CheckpointKey key = CheckpointKey.Create(Origin);
    readonly Digest policyRef;
    readonly List<LedgerEntry> entries = [];
    readonly List<EvidencePart> receipts = [], statuses = [];
    DateTimeOffset now = TestPki.Now.AddSeconds(30);

    /// <summary>The same of an update, by which both offices got what had been sent before.</summary>
    public static EvidenceCase OfUpdate() => new(update: true);

    EvidenceCase(bool update = false)
    {
        var content = PolicyDraft.ToStatement(Policies.Draft, pki.PolicyOfficerKeys, 1, TestPki.Start, TestPki.Start.AddYears(1));
        var policy = CompiledPolicy.Open(Statement.Sign(content, pki.PolicyOfficers, TestPki.Now).Der, pki.PolicyOfficerKeys, pki.Check, TestPki.Now);
        policyRef = policy.Ref;
        Sealed = update ? Reseal(Seal(policy)) : Seal(policy);
        Header = Statement.Read(Sealed.Parts.Header, StatementType.Header).As<Header>();
        foreach (var filler in Enumerable.Range(0, 300)) entries.Add(LedgerEntry.Create(new StopDetail { Time = filler }));

        Accepted(policy);
        foreach (var office in new[] { "H41", "H37" })
        {
            var handover = OfficeReceipt(office, ReceiptEvent.ContentHandover, "OK", null);
            Consigned(office, Digest.Of(handover));
            if (office == "H41") foreach (var (code, i) in new[] { "01", "03" }.Select((c, i) => (c, i))) Says(office, i + 1, code);
        }
        OfficeReceipt("H41", ReceiptEvent.ContentOpening, "OK", KeySchedule.Proof(Sealed.Opened, Sealed.Ctx, pki["H41"].Encrypt.Certificate.Key));
        OfficeReceipt("H37", ReceiptEvent.ContentOpeningFailure, Refusal.CannotOpen.Code, null);
        Input = new DispatchEvidenceInput
        {
            Header = new("header.p7s", Sealed.Parts.Header),
            Approvals = [.. Sealed.Parts.Approvals.Select((a, i) => new EvidencePart($"approvals/{i + 1:00}.p7s", a))],
            Manifest = new("manifest.p7m", Sealed.Parts.Manifest),
            Receipts = receipts,
            Statuses = statuses,
            Proofs = Proofs(entries.Count),
            Checkpoint = Note(entries.Count),
            Directory = new("directory.p7s", pki.Directory.Statement),
            Cards = [.. pki.Directory.Cards.Select(c => new EvidencePart($"cards/{c.Key}.p7s", c.Value))],
            Policy = new("policy.p7s", policy.Statement),
            Trust = () => pki.Trust,
            Pins = new EvidencePins(pki.DirectoryOfficerKeys, pki.PolicyOfficerKeys, pki.Gateway.Certificate.Key, Origin, key.VerifierKey.ToString()),
            Opened = new("opened", Sealed.Opened),
        };
    }

    public DispatchEvidenceInput Input { get; }
    public SealedEnvelope Sealed { get; }
    public Header Header { get; }
    public int Size => entries.Count;
    /// <summary>As exchange-gateway decision writes it, in names of an evidence file.</summary>
    public IReadOnlyList<EvidencePart> Decisions { get; private set; } = [];

    SealedEnvelope Seal(CompiledPolicy policy)
    {
        var level = policy.Level("mat")!;
        var document = "nội dung"u8.ToArray();
        return Crypto.Envelope.Envelope.SealAsync(new SealRequest
        {
            Id = Guid.CreateVersion7(TestPki.Now), Gateway = Origin, Sender = "G22",
            Recipients = [.. new[] { "H41", "H37" }.Select(c => new SealRecipient(c, pki[c].Encrypt.Certificate, "to"))], To = ["H41", "H37"],
            Label = policy.NewLabel("mat", basis: "1.2"), Urgency = 1, Times = new(null, TestPki.Now.AddDays(1).ToUnixTimeMilliseconds(), null),
            Policy = policy.Ref, Directory = pki.Directory.Ref, Seen = new Seen(Origin, 5, Digest.Of([5])),
            Sheet = new() { Number = null, Notation = null, Subject = "Mẫu", DocumentType = "Công văn", Place = null, Date = "2026-11-24", Signatory = null },
            Documents = [new("a.txt", "text/plain", document.Length, null, () => new MemoryStream(document))],
            Authors = [pki["G22"].Signatory, pki["G22"].Sign], Approvers = [pki["G22"].Signatory], Office = pki["G22"].Sign,
            Keeper = pki["G22"].Encrypt.Certificate, ManifestBucket = level.ManifestBucket, PayloadBucket = level.PayloadBucket,
        }, new MemoryStream(), new FakeTimeProvider(TestPki.Now), CancellationToken.None).GetAwaiter().GetResult();
    }

    SealedEnvelope Reseal(SealedEnvelope original)
    {
        var header = EnvelopeFile.PeekUnverified(original.Parts.Header);
        return Crypto.Envelope.Envelope.Reseal(new ResealRequest
        {
            Original = original.Parts, Kept = original.Kept, Keepers = [pki["G22"].Encrypt], Id = Guid.CreateVersion7(TestPki.Now), Revision = 1,
            Recipients = [.. header.Recipients.Select(r => new SealRecipient(r.Office, pki[r.Office].Encrypt.Certificate, r.Role))], Urgency = 1, Times = header.Times, Policy = header.Policy,
            Directory = header.Directory, Seen = header.Seen, Office = pki["G22"].Sign, ManifestBucket = 4096,
        }, new FakeTimeProvider(TestPki.Now));
    }

    // The entry of the acceptance names a decision that can be made again.
    void Accepted(CompiledPolicy policy)
    {
        var (d, all) = (Digest.Of("x"u8), new Clearance { Policy = policy.Content.Policy, Classes = [10, 20], Categories = [], ValidFrom = TestPki.Start.ToUnixTimeMilliseconds(), ValidTo = TestPki.NextUpdate.ToUnixTimeMilliseconds() });
        var decision = Decision.Decide(new DecisionFacts
        {
            Action = "submit", Label = Header.Label, LabelVerified = true, Sender = Header.Sender, SenderClearance = all, SenderHeldUntil = null,
            Recipients = [.. Header.Recipients.Where(r => r.Role == "to").Select(r => new RecipientFacts(r.Office, r.Role, true, true, null, all, all) { Key = r.Key, Channel = "mailbox", Groups = [] })],
            Approvals = [new(ApprovalAct.Send, pki["G22"].Signatory.Certificate.Key, ["signatory"], TestPki.Now.AddDays(1))], Directory = pki.Directory.Ref, Standing = d, SenderPolicy = policy.Ref,
            ClockSure = true, DirectoryAsOf = now, Revocation = new(true, now.ToUnixTimeMilliseconds()), StoreCeiling = all, Sizes = new(policy.Level("mat")!.ManifestBucket, policy.Level("mat")!.PayloadBucket), References = [], Named = ["H37", "H41"], Earlier = new(policy.Ref, null),
        }, policy, now);
        var salted = LedgerEntry.Create(decision.Record);
        GatewayReceipt(ReceiptEvent.SubmissionAcceptance, "OK", null, new SubmissionDetail(Header.Sender, Header.Id, Sealed.Ctx, Sealed.ManifestDigest,
            Header.Label.Policy, Header.Label.Class, Header.Urgency, policyRef, pki.Directory.Ref, d, salted.Hash) { Time = now.ToUnixTimeMilliseconds() });
        (string, byte[])[] files = [("decision.json", decision.Record), ("decision.salt", salted.Salt), ("entry.json", entries[^1].Detail), ("entry.salt", entries[^1].Salt), ("policy.p7s", policy.Statement.ToArray())];
        Decisions = [.. files.Select(f => new EvidencePart($"{EvidenceFiles.Decisions}300-submission/{f.Item1}", f.Item2))];
    }

    void Consigned(string office, Digest handover) => GatewayReceipt(ReceiptEvent.ContentConsignment, "OK", office,
        new ConsignmentDetail(Header.Sender, Header.Id, Sealed.Ctx, office, pki[office].Encrypt.Certificate.Key, handover) { Time = now.ToUnixTimeMilliseconds() });

    void Says(string office, long sequence, string code)
    {
        var part = Sign($"statuses/{office}-{sequence:0000}.p7s", new HandlingStatus
        {
            V = 1, Type = HandlingStatus.TypeName, Signers = [], Sender = Header.Sender, Envelope = Header.Id, Ctx = Sealed.Ctx, ManifestDigest = Sealed.ManifestDigest, Office = office,
            Key = pki[office].Encrypt.Certificate.Key, Sequence = sequence, Code = code, Reason = null, Answers = null, Time = now.ToUnixTimeMilliseconds(),
        }, pki[office].Sign);
        statuses.Add(part);
        GatewayReceipt(ReceiptEvent.HandlingStatus, "OK", office, new StatusDetail(Header.Sender, Header.Id, Sealed.Ctx, office, pki[office].Encrypt.Certificate.Key, sequence, code,
            Statement.Read(part.Bytes, StatementType.Status).Ref) { Time = now.ToUnixTimeMilliseconds() });
    }

    public static EvidencePart Sign(string name, HandlingStatus status, IPrivateKey signer) =>
        new(name, Statement.Sign(status with { Signers = [signer.Certificate.Key] }, [signer], TestPki.Now).Der);

    /// <summary>The same input with one status changed by whoever signed it.</summary>
    public DispatchEvidenceInput WithStatus(string endsWith, Func<HandlingStatus, HandlingStatus> change, IPrivateKey? signer = null)
    {
        var part = Input.Statuses.Single(r => r.Name.EndsWith(endsWith, StringComparison.Ordinal));
        var status = Statement.Read(part.Bytes, StatementType.Status).As<HandlingStatus>();
        var changed = Sign(part.Name, change(status), signer ?? pki[status.Office].Sign);
        return Input with { Statuses = [.. Input.Statuses.Select(r => r == part ? changed : r)] };
    }

    void GatewayReceipt(string name, string code, string? office, LedgerDetail detail)
    {
        var entry = LedgerEntry.Create(EntryDetails.Write(detail));
        entries.Add(entry);
        var promise = new ReceiptEntry(entry.Leaf, new Digest(entry.Salt), Encoding.UTF8.GetString(entry.Detail), now.AddMilliseconds(500).ToUnixTimeMilliseconds());
        Add(Receipt(name, code, office) with { Issuer = Origin, Policy = policyRef, Entry = promise, Signatures = office is null ? Header.Dispatch.Signatures : null }, pki.Gateway);
    }

    byte[] OfficeReceipt(string office, string name, string code, Digest? proof) => Add(Receipt(name, code, office) with { Proof = proof }, pki[office].Sign);

    /// <summary>A receipt of an office about its copy, to be changed and signed by <see cref="Sign"/>.</summary>
    public Receipt Receipt(string name, string code, string? office) => new()
    {
        V = 1, Type = Crypto.Statements.Receipt.TypeName, Signers = [], Id = Guid.CreateVersion7(now), Event = name, Code = code, Time = now.ToUnixTimeMilliseconds(),
        Issuer = office ?? Origin, Sender = Header.Sender, Envelope = Header.Id, Ctx = Sealed.Ctx, ManifestDigest = Sealed.ManifestDigest,
        Office = office, Key = office is null ? null : pki[office].Encrypt.Certificate.Key, Signatures = null, Policy = null, Seen = null, Entry = null, Proof = null,
    };

    byte[] Add(Receipt receipt, IPrivateKey signer)
    {
        var part = Sign($"receipts/{receipts.Count + 1:00}-{receipt.Event}{(receipt.Office is null ? "" : "-" + receipt.Office)}.p7s", receipt, signer);
        receipts.Add(part);
        now = now.AddSeconds(1);
        return part.Bytes.ToArray();
    }

    public static EvidencePart Sign(string name, Receipt receipt, IPrivateKey signer) =>
        new(name, Statement.Sign(receipt with { Signers = [signer.Certificate.Key] }, [signer], TestPki.Now).Der);

    /// <summary>The same input with one receipt changed by whoever signed it.</summary>
    public DispatchEvidenceInput WithReceipt(string endsWith, Func<Receipt, Receipt> change, IPrivateKey? signer = null)
    {
        var part = Input.Receipts.Single(r => r.Name.EndsWith(endsWith, StringComparison.Ordinal));
        var receipt = Statement.Read(part.Bytes, StatementType.Receipt).As<Receipt>();
        signer ??= receipt.Entry is null ? pki[receipt.Office!].Sign : pki.Gateway;
        var changed = Sign(part.Name, change(receipt), signer);
        return Input with { Receipts = [.. Input.Receipts.Select(r => r == part ? changed : r)] };
    }

    /// <summary>The same input with these time-stamps, decided by a policy whose level asks for them (null: does not).</summary>
    public DispatchEvidenceInput With(IReadOnlyList<EvidencePart> timeStamps, string? away)
    {
        var content = Statement.Read(Input.Policy!.Bytes, StatementType.Policy).As<PolicyStatement>();
        PolicyLevel Asking(PolicyLevel level) => level with { Handling = level.Handling with { Timestamp = true, TimestampAway = away } };
        var policy = away is null ? Input.Policy : new("policy.p7s", Statement.Sign(content with { Levels = [.. content.Levels.Select(Asking)] }, pki.PolicyOfficers, TestPki.Now).Der);
        var decided = Statement.Read(policy.Bytes, StatementType.Policy).Ref;
        return WithReceipt("SubmissionAcceptance.p7s", r => r with { Policy = decided }) with { TimeStamps = timeStamps, Policy = policy };
    }

    /// <summary>What the author signed, taken out of its seal by H41.</summary>
    public byte[] OpenedDispatch()
    {
        using var frame = ManifestOpener.Open(AuthEnveloped.Decode(Sealed.Parts.Manifest, maxKeys: 2), Sealed.Ctx, Header.Commitment, pki["H41"].Encrypt);
        return frame.Dispatch.ToArray();
    }

    public EvidencePart Note(int size, CheckpointKey? by = null) =>
        new("checkpoint.txt", Encoding.UTF8.GetBytes((by ?? key).Sign(new Checkpoint(Origin, size, MerkleTree.Root([.. entries.Take(size).Select(e => e.Leaf)])))));

    /// <summary>Proofs of the dispatch's entries that a tree of this size has.</summary>
    public IReadOnlyList<EvidencePart> Proofs(int size)
    {
        var store = new MemoryTiles();
        store.Append([.. entries.Take(size).Select(e => e.Leaf)]);
        return [.. Enumerable.Range(300, size - 300).Select(i => new EvidencePart($"proofs/{entries[i].Leaf}.json",
            JsonSerializer.SerializeToUtf8Bytes(new InclusionProofFile(i, size, [.. Tiles.InclusionProof(i, size, store.Read)]), JsonSerializerOptions.Web)))];
    }
}
