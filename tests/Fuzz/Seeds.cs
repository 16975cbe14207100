using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Office.Join;
using Exchange.Tests;
using Exchange.Tests.Envelope;
using Exchange.Tests.Evidence;
using Exchange.Tests.Ledger;
using Exchange.Tests.Policy;

namespace Exchange.Fuzz;

/// <summary>Good inputs of every target, from which a fuzzer starts: corpus/TARGET/good-*, and the PKI under which the signed ones hold: context/.</summary>
static class Seeds
{
    static readonly TestPki Pki = TestPki.Shared;

    public static void Write(string folder)
    {
        var context = Directory.CreateDirectory(Path.Combine(folder, "context")).FullName;
        foreach (var (name, bytes) in Context()) File.WriteAllBytes(Path.Combine(context, name), bytes);
        foreach (var group in All().GroupBy(s => s.Target))
        {
            var target = Directory.CreateDirectory(Path.Combine(folder, "corpus", group.Key)).FullName;
            foreach (var old in Directory.GetFiles(target, "good-*")) File.Delete(old);
            foreach (var (seed, i) in group.Select((s, i) => (s, i))) File.WriteAllBytes(Path.Combine(target, $"good-{i + 1:00}"), seed.Bytes);
        }
    }

    static IEnumerable<(string Name, byte[] Bytes)> Context()
    {
        yield return ("root.der", Pki.Root.Certificate.RawData);
        yield return ("issuing.der", Pki.Issuing.Certificate.RawData);
        yield return ("root.crl", Pki.Root.Crl(1, TestPki.Start, TestPki.NextUpdate));
        yield return ("issuing.crl", Pki.Issuing.Crl(1, TestPki.Start, TestPki.NextUpdate));
        yield return ("directory.p7s", Pki.Directory.Statement.ToArray());
        foreach (var (card, i) in Pki.Directory.Cards.Values.Select((c, i) => (c, i))) yield return ($"card-{i + 1}.p7s", card.ToArray());
    }

    static IEnumerable<(string Target, byte[] Bytes)> All() => [.. Statements(), .. Labels(), .. Envelopes(), .. Trust(), .. Ledger(), .. Mails()];

    static IEnumerable<(string, byte[])> Statements()
    {
        var office = Pki["H41"];
        var evidence = EvidenceCase.Shared;
        var (parts, _) = new Forge { Approvers = [Pki["G22"].Signatory] }.Make();
        var example = WorkedExample.Make();
        var change = Change(evidence);
        var label = Sign(new LabelStatement { V = 1, Type = LabelStatement.TypeName, Signers = [office.Signatory.Certificate.Key], Office = "H41", NotAfter = 1, Change = change }, office.Signatory);
        var standing = Statement.Sign(NewStanding(), Pki.DirectoryOfficers, TestPki.Now);
        var policy = Statement.Sign(PolicyDraft.ToStatement(Policies.Draft, Pki.PolicyOfficerKeys, 1, TestPki.Start, TestPki.Start.AddYears(1)), Pki.PolicyOfficers, TestPki.Now);
        var operation = Statement.Sign(new OperationStatement
        {
            V = 1, Type = OperationStatement.TypeName, Signers = Pki.PolicyOfficerKeys, Gateway = "a/b", Act = OperationStatement.Discard, Parcels = [WorkedExample.Id], Code = "X", Issued = 1,
        }, Pki.PolicyOfficers, TestPki.Now);
        var activation = Statement.Sign(new ActivationApproval
        {
            V = 1, Type = ActivationApproval.TypeName, Signers = Pki.PolicyOfficerKeys, Policy = Digest.Of([1]), Previous = Digest.Of([2]), Standing = null, Diff = Digest.Of([3]), NotAfter = 1,
        }, Pki.PolicyOfficers, TestPki.Now);
        var card = Read(Pki.Directory.Cards.Values.First(), StatementType.Card);
        var directory = Read(Pki.Directory.Statement, StatementType.Directory);
        var receipts = evidence.Input.Receipts.Select(r => Read(r.Bytes, StatementType.Receipt)).ToList();
        var status = Read(evidence.Input.Statuses[0].Bytes, StatementType.Status);
        Statement[] all =
        [
            example.Made.MadeDispatch!, Read(parts.Approvals[0], StatementType.Approval), Read(parts.Header, StatementType.Header), Read(evidence.Input.Header!.Bytes, StatementType.Header),
            receipts[0], receipts[^1], status, card, policy, directory, standing, label, operation, activation,
        ];
        foreach (var one in all)
        {
            if (one.Type is not (StatementType.Policy or StatementType.Directory)) yield return ("statement", one.Der.ToArray());
            yield return (one.Type == StatementType.Label ? "label-change" : one.Type.ToString().ToLowerInvariant(), one.Json.ToArray());
        }
        yield return ("statement", PartlySigned.Begin(NewStanding(), Pki.DirectoryOfficers[0], TestPki.Now).Der.ToArray());
        foreach (var receipt in receipts.Skip(1).Take(3)) yield return ("receipt", receipt.Json.ToArray());
        yield return ("strict-json", change.Write());
        yield return ("strict-json", (change with { Act = LabelAct.Extension, Label = null, Until = 5, Reason = null }).Write());
    }

    static LabelChange Change(EvidenceCase about) => new()
    {
        Salt = new byte[32], Sender = "G22", Id = about.Header.Id, Ctx = about.Sealed.Ctx, Previous = about.Sealed.Ctx, Act = LabelAct.Label,
        Label = Policies.Vietnam.NewLabel("mat", "1"), At = null, Until = null, Reason = "reassessed",
    };

    static StandingStatement NewStanding() => new()
    {
        V = 1, Type = StandingStatement.TypeName, Signers = Pki.DirectoryOfficerKeys, Version = 1, Issued = TestPki.Now.ToUnixTimeMilliseconds(), Note = "development only",
        Offices =
        [
            new("G22", Cases.All, new StandingChannel("mailbox", null, []), ["a", "b"]),
            new("H41", Cases.ToMat, new StandingChannel("https", Cases.Ordinary, new() { ["url"] = "https://h41.example/" }), [], [new StandingChannel("mail", null, new() { ["address"] = "a@h41.example" })]),
        ],
    };

    static IEnumerable<(string, byte[])> Labels()
    {
        Label[] labels =
        [
            Forge.Thuong, Policies.Vietnam.NewLabel("mat", "1.2"),
            Policies.Vietnam.NewLabel("mat", "1") with { Categories = [Policies.Informative(1), Policies.Permissive(1, 2), Policies.Restrictive(1)], Caveats = ["named-only", "no-forward"], Term = 253402300799999 },
            Forge.NewLabel(256, "X") with { Categories = [Policies.Permissive()] },
        ];
        foreach (var label in labels)
        {
            yield return ("label-json", StrictJson.Write(label, StatementJson.Default.Label));
            yield return ("label-ess", EssLabel.ToEss(label));
        }
        foreach (var clearance in new[] { Cases.All, Cases.Ordinary, Policies.Clearance([1]), Policies.Clearance([0, 256], Policies.Permissive()) })
        {
            yield return ("clearance", ClearanceAttribute.AsDirectoryAttributes(clearance));
            yield return ("clearance", ClearanceAttribute.AsConstraints(clearance));
        }
        yield return ("policy-draft", Policies.Draft);
        yield return ("policy-mapping", Policies.Resource("vietnam-to-nato-like.json"));
        yield return ("decision", Decision.Decide(Cases.Mat(), Policies.Vietnam, Cases.Now).Record);
        yield return ("decision", Decision.Decide(Cases.Thuong(Cases.To("H41") with { Clearance = null }), Policies.Vietnam, Cases.Now).Record);
    }

    static IEnumerable<(string, byte[])> Envelopes()
    {
        var (parts, wire, made) = WorkedExample.Make();
        var (approved, more) = new Forge { Approvers = [Pki["G22"].Signatory], Files = [("a.pdf", [1, 2, 3])], PayloadBucket = 16 }.Make();
        yield return ("envelope", [.. EnvelopeFile.Write(parts), .. wire]);
        yield return ("envelope", [.. EnvelopeFile.Write(approved), .. more]);
        yield return ("manifest", parts.Manifest.ToArray());
        yield return ("manifest", approved.Manifest.ToArray());
        var dispatch = made.MadeDispatch!.Der.Span;
        byte[] head = [.. Statement.Read(parts.Header, StatementType.Header).Ref.ToArray(), .. made.Secret];
        yield return ("frame", Padded([.. head, .. dispatch], Manifest.FrameUnit));
        yield return ("frame", [.. head, 0x30, 0x03, 0x02, 0x01, 0x05]);
        using var key = WorkedExample.Recipient();
        var receipt = EvidenceCase.Shared.Input.Receipts[0].Bytes;
        byte[] inside = [.. EnvelopeFile.Write(parts), .. wire];
        using var parcel = new MemoryStream();
        SealedParcel.SealAsync(WorkedExample.Id, receipt, inside.Length, () => new MemoryStream(inside), key.Certificate, parcel, default).GetAwaiter().GetResult();
        yield return ("parcel", parcel.ToArray());
        byte[] content = [0, 0, 0, 2, 7, 7, 9, 9, 9];
        byte[] parcelHead = [0x30, 0x18, 2, 1, 1, 4, 16, .. WorkedExample.Id.ToByteArray(bigEndian: true), 2, 1, (byte)content.Length];
        yield return ("parcel-content", [(byte)parcelHead.Length, .. parcelHead, .. content]);
    }

    static IEnumerable<(string, byte[])> Trust()
    {
        foreach (var certificate in new[] { Pki.Issuing.Certificate.RawData, Pki["H41"].Sign.Certificate.Der.ToArray(), Pki["H37"].Encrypt.Certificate.Der.ToArray(), Pki["H41"].Tls.Certificate.Der.ToArray() })
            yield return ("certificate", certificate);
        yield return ("crl", Pki.Issuing.Crl(1, TestPki.Start, TestPki.NextUpdate));
        yield return ("crl", Pki.Issuing.Crl(2, TestPki.Start, TestPki.NextUpdate, (Pki["H14"].Tls.ForTls, TestPki.Now)));
    }

    static IEnumerable<(string, byte[])> Ledger()
    {
        var key = LedgerTargets.Key;
        var head = new Checkpoint(LedgerTargets.Origin, 300, MerkleTree.Root(TestTree.Leaves[..300]));
        var note = key.Sign(head);
        yield return ("note", Encoding.UTF8.GetBytes(note));
        yield return ("note", Encoding.UTF8.GetBytes(note + SignedNote.SignatureLine("witness", 7, new byte[64])));
        yield return ("checkpoint", Encoding.UTF8.GetBytes(head.Text));
        yield return ("checkpoint", Encoding.UTF8.GetBytes(key.VerifierKey.ToString()));
        yield return ("checkpoint", "tile/entries/x001/234.p/7"u8.ToArray());
        yield return ("tile", [.. Encoding.ASCII.GetBytes("tile/entries/000.p/3\n"), .. EntryBundle.Write(TestTree.Entries[..3])]);
        yield return ("tile", [.. Encoding.ASCII.GetBytes("tile/0/003.p/3\n"), .. TestTree.Leaves[..3].SelectMany(l => l.ToArray())]);
        // One entry: the root of the tree is its leaf.
        yield return ("ledger", [0, 1, .. EntryBundle.Write(TestTree.Entries[..1]), .. TestTree.Leaves[0].ToArray()]);
        yield return ("ledger", [0, 3, .. TestTree.Leaves[..3].SelectMany(l => l.ToArray()), .. EntryBundle.Write(TestTree.Entries[..3])]);
        var vkey = new VerifierKey("w", NoteKeyType.Ed25519Cosignature, new byte[32]);
        yield return ("witness-policy", Encoding.UTF8.GetBytes($"log {key.VerifierKey} https://l\nwitness A {vkey}\ngroup g any A\nquorum g\n"));
        yield return ("witness-policy", "# nobody\nquorum none\n"u8.ToArray());
        yield return ("tlog-proof", Encoding.UTF8.GetBytes(new TlogProof(new byte[40], 7, MerkleTree.InclusionProof(7, 300, TestTree.Nodes), note).Write()));
        yield return ("tlog-proof", Encoding.UTF8.GetBytes(new TlogProof(null, 0, [], note).Write()));
        yield return ("witness-request", Encoding.UTF8.GetBytes(new WitnessRequest(0, [], note).Write()));
        yield return ("witness-request", Encoding.UTF8.GetBytes(new WitnessRequest(20, MerkleTree.ConsistencyProof(20, 300, TestTree.Nodes), note).Write()));
        yield return ("detail-bundle", [3, .. DetailBundle.Write([DetailLine.Open(new LedgerEntry(new byte[32], EntryDetails.Write(new DummyDetail { Time = 1 }))), DetailLine.Erased(2), DetailLine.Withheld])]);
        foreach (var receipt in EvidenceCase.Shared.Input.Receipts.Select(r => Read(r.Bytes, StatementType.Receipt).As<Receipt>()).Where(r => r.Entry is not null))
            yield return ("entry-detail", Encoding.UTF8.GetBytes(receipt.Entry!.Detail));
        yield return ("entry-detail", EntryDetails.Write(new StartDetail("p", 1, 2) { Time = 3 }));
        yield return ("entry-detail", EntryDetails.Write(new BreakerDetail("H41", "mail", "open") { Time = 3 }));
        yield return ("entry-detail", EntryDetails.Write(new SuccessionDetail("a/c", [new("a/b", 9, Digest.Of([1]), 7, 3)], 8, "RESTORED", Digest.Of([2])) { Time = 3 }));
    }

    static IEnumerable<(string, byte[])> Mails()
    {
        var id = WorkedExample.Id;
        var status = $"Reporting-MTA: dns; mx\r\nOriginal-Envelope-Id: {id}\r\n\r\nFinal-Recipient: rfc822; a@b\r\nAction: failed\r\nStatus: 5.1.1\r\n";
        var returned = $"Message-ID: <{id}@gateway.example>\r\nSubject: x\r\n\r\n";
        yield return ("mail-report", Encoding.ASCII.GetBytes($"{status}\n...\n{returned}"));
        yield return ("mail-report", Encoding.ASCII.GetBytes($"Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; a@b\nAction: relayed (x)\n\n...\n{returned}"));
        const string head = "From: <a@b>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n";
        yield return ("mail", Encoding.ASCII.GetBytes(head + "--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Disposition: attachment; filename=\"x.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\nMTIz\r\n--b--\r\n"));
        yield return ("mail", Encoding.ASCII.GetBytes(head + "--b\r\nContent-Type: application/octet-stream; name*=utf-8''r%C3%A9.p7s\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=3Db=\r\nc\r\n--b--\r\n"));
        yield return ("mail", Encoding.ASCII.GetBytes($"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\nsorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n{status}\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{returned}\r\n--b--\r\n"));
        // Those that strangers send, as far as they are small.
        foreach (var write in HostileMails.All.Values)
        {
            using var mail = new MemoryStream(new byte[600]);
            mail.SetLength(0);
            try { write(mail); }
            catch (NotSupportedException) { continue; }
            if (mail.Length > 0) yield return ("mail", mail.ToArray());
        }
    }

    static byte[] Padded(byte[] bytes, int unit)
    {
        Array.Resize(ref bytes, (bytes.Length + unit - 1) / unit * unit);
        return bytes;
    }

    static Statement Sign<T>(T content, IPrivateKey key) where T : class, IStatementContent => Statement.Sign(content, [key], TestPki.Now);
    static Statement Read(ReadOnlyMemory<byte> der, StatementType type) => Statement.Read(der, type);
}
