using System.Text;
using System.Text.RegularExpressions;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;
using Exchange.Tests.Envelope;
using Exchange.Tests.Evidence;
using static Exchange.Tests.Hostile.Read;

namespace Exchange.Tests.Hostile;

/// <summary>Receipts that say something else than what happened, signed by whoever signs such ones or by somebody else; read by whoever checks evidence.</summary>
static class ReceiptRows
{
    const string Handover = "ContentHandover-H41.p7s", Opening = "ContentOpening-H41.p7s", Failure = "ContentOpeningFailure-H37.p7s", Consignment = "ContentConsignment-H41.p7s";
    static EvidenceCase Case => EvidenceCase.Shared;

    static Row Says(string name, string receipt, Func<Receipt, Receipt> change) => new("receipt: " + name, Refusal.Receipt, () => Receipted(receipt, change));
    static Row By(string name, Refusal code, string receipt, Func<IPrivateKey> signer) => new("receipt: signed by " + name, code, () => Receipted(receipt, r => r, signer()));
    static Row Entry(string name, Func<ReceiptEntry, ReceiptEntry?> change) => Says(name, Consignment, r => r with { Entry = change(r.Entry!) });

    static ReadOnlyMemory<byte> Der(string endsWith) => Case.Input.Receipts.Single(r => r.Name.EndsWith(endsWith, StringComparison.Ordinal)).Bytes;
    static Row Raw(string name, Refusal code, Func<byte[], byte[]> change) => new("receipt: " + name, code, () => Signed(StatementType.Receipt, change(Der(Handover).ToArray())));

    /// <summary>The office's own signature over other JSON.</summary>
    static Row Json(string name, string from, string to) => Raw(name, Refusal.Json, der =>
    {
        var json = Encoding.UTF8.GetString(SignedData.Decode(der, 1).Content.Span);
        var other = Regex.Replace(json, from, to);
        Assert.NotEqual(json, other);
        return new Forge().Sign(StatementType.Receipt, Encoding.UTF8.GetBytes(other), Pki["H41"].Sign);
    });

    public static readonly Row[] All =
    [
        Says("about another sender", Handover, r => r with { Sender = "H14" }),
        Says("about another envelope", Handover, r => r with { Envelope = WorkedExample.Id }),
        Says("about another header", Handover, r => r with { Ctx = Digest.Of([1]) }),
        Says("about another manifest", Handover, r => r with { ManifestDigest = Digest.Of([1]) }),
        Says("about no manifest", Handover, r => r with { ManifestDigest = null }),
        Says("about a copy that there is not", Handover, r => r with { Office = "H14" }),
        Says("about another key of the office", Handover, r => r with { Key = Digest.Of([1]) }),
        Says("about no copy", Handover, r => r with { Office = null, Key = null }),
        Says("issued in another office's name", Handover, r => r with { Issuer = "H37" }),
        Says("with the author's signatures, by an office", Handover, r => r with { Signatures = [Digest.Of([1])] }),
        Says("with a policy, by an office", Handover, r => r with { Policy = Digest.Of([1]) }),
        Says("with an entry, by an office", Handover, r => r with { Entry = new ReceiptEntry(Digest.Of([1]), Digest.Of([2]), "{}", 1) }),
        Says("with a proof, of a handover", Handover, r => r with { Proof = Digest.Of([1]) }),
        Says("with a failure's code, of a handover", Handover, r => r with { Code = Refusal.CannotOpen.Code }),
        Says("without a proof, of an opening", Opening, r => r with { Proof = null }),
        Says("with a proof that nobody could make", Opening, r => r with { Proof = Digest.Of([1]) }),
        Says("with a code that there is not", Failure, r => r with { Code = "E_NOPE" }),
        Says("of a failure that is OK", Failure, r => r with { Code = "OK" }),
        Says("of an event that there is not", Handover, r => r with { Event = "Delivered" }),
        Says("at a time before all time", Handover, r => r with { Time = -StrictJson.MaxInteger }),
        Says("at a time after all time", Handover, r => r with { Time = StrictJson.MaxInteger }),
        By("another office", Refusal.SignerUnknown, Handover, () => Pki["H37"].Sign),
        By("a person of the office", Refusal.SignerUnknown, Handover, () => Pki["H41"].Clerk),
        By("the office's old key", Refusal.SignerUnknown, Handover, () => Pki.Key("UBND", "H41", "sign")),
        By("an office in the gateway's place", Refusal.Receipt, Consignment, () => Pki["H41"].Sign),
        By("another gateway", Refusal.Receipt, Consignment, () => Pki.Key("Gateway", "GW", "evidence", Office.Join.KeyUse.Evidence)),
        Says("of another gateway's ledger", Consignment, r => r with { Issuer = "other.exchange/ledger" }),
        Entry("without its entry", _ => null),
        Entry("with another leaf", e => e with { Leaf = Digest.Of([1]) }),
        Entry("with another salt", e => e with { Salt = Digest.Of([1]) }),
        Entry("with an entry that is no JSON", e => e with { Detail = "[" }),
        Entry("with an entry of 40 KB", e => e with { Detail = new string('[', 40_000) }),
        new("header: sealed for another gateway", Refusal.OtherGateway, () => Proved(Case.Input with { Pins = Case.Input.Pins with { Origin = "other.exchange/ledger" } }, "header.p7s")),
        new("evidence: a checkpoint of another ledger", Refusal.Note, () => Proved(Case.Input with { Checkpoint = Case.Note(Case.Size, Crypto.Ledger.CheckpointKey.Create(EvidenceCase.Origin)) }, "checkpoint.txt")),
        new("evidence: a directory by officers that are not pinned", Refusal.Officers, () => Proved(Case.Input with { Pins = Case.Input.Pins with { DirectoryOfficers = Pki.PolicyOfficerKeys } }, "directory.p7s")),

        Raw("of nothing", Refusal.Der, _ => []),
        Raw("of 2 GiB", Refusal.Der, _ => [0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]),
        Raw("of 64 KiB and a byte", Refusal.Size, _ => new byte[(1 << 16) + 1]),
        Raw("of 16000 SEQUENCEs in each other", Refusal.Der, _ => Deep(1 << 16)),
        Raw("cut", Refusal.Der, d => d[..^1]),
        Raw("with a byte behind it", Refusal.Der, d => [.. d, 0]),
        Raw("with a bit of its signature flipped", Refusal.Signature, d => [.. d[..^1], (byte)(d[^1] ^ 1)]),
        Raw("that is a status", Refusal.StatementType, _ => Case.Input.Statuses[0].Bytes.ToArray()),
        Raw("signed with SHA-256 for SHA-384", Refusal.Algorithm, d => Tlv.Replace(d, Tlv.Oid(Oids.Sha384), Tlv.Oid(Oids.Sha256))),
        Json("at the time 2^53", "\"time\":[0-9]+", "\"time\":9007199254740992"),
        Json("with a member twice", "\"v\":1", "\"v\":1,\"v\":1"),
        Json("with an over-long number", "\"v\":1", "\"v\":01"),
        Json("with a fraction", "\"v\":1", "\"v\":1.0"),
        Json("without an event", "\"event\":\"ContentHandover\",", ""),
    ];
}
