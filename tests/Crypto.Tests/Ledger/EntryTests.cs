using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Xunit;

namespace Exchange.Tests.Ledger;

public class EntryTests
{
    static readonly Digest D = Digest.Of([7]);
    static readonly Guid Id = Guid.Parse("0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b");
    const long At = 1_795_000_000_000;

    static readonly LedgerDetail[] All =
    [
        new SubmissionDetail("G22", Id, D, D, "2.25.1", 20, 1, D, D, D, D) { Time = At },
        new RejectionDetail("G22", null, null, "E_DER", null) { Time = At },
        new RejectionDetail("G22", Id, D, "E_NOT_RELEASABLE", D) { Time = At },
        new DryRunDetail("G22", "OK", D) { Time = At },
        new ConsignmentDetail("G22", Id, D, "H41", D, D) { Time = At },
        new ConsignmentFailureDetail("G22", Id, D, "H41", D, "E_EXPIRED", null) { Time = At },
        new AttemptDetail("G22", Id, D, "H41", D, 3, "TryLater") { Time = At },
        new DeliveryDetail("G22", Id, D, "H41", D, "folder") { Time = At },
        new HandoverDetail("G22", Id, D, "H41", D, D) { Time = At },
        new PayloadErasedDetail("G22", Id, D) { Time = At },
        new HoldDetail("G22", Id, D, D, "E_AWAITING_RELEASE", At + 1, D, D) { Time = At },
        new HoldApprovalDetail("G22", Id, D, "release", D) { Time = At },
        new LabelDetail("G22", Id, D, D, "label", "person", "hold", "E_RELABEL_PERSONS", D, D) { Time = At },
        new LabelDetail("G22", Id, D, D, "term", "term", "permit", "OK", null, D) { Time = At },
        new ReportDetail("G22", Id, D, "H41", D, "Failed", "DSN_5_1_1") { Time = At },
        new StatusDetail("G22", Id, D, "H41", D, 2, "03", D) { Time = At },
        new OpeningDetail("G22", Id, D, "H41", D, D) { Time = At },
        new OpeningFailureDetail("G22", Id, D, "H41", D, D, "E_CANNOT_OPEN") { Time = At },
        new SignInFailuresDetail("E_CERTIFICATE_REVOKED", "192.0.2.0/24", At, 17) { Time = At },
        new ActivationDetail("policy", D, 3) { Time = At },
        new StartDetail("0.1.0", 1, 42) { Time = At },
        new StopDetail { Time = At },
        new BreakerDetail("H41", "https", BreakerDetail.Open) { Time = At },
        new DelayDetail("G22", Id, D, "H41", D, "E_DELAYED", At + 1) { Time = At },
        new RedriveDetail("G22", Id, D, "H41", D, "E_POISON") { Time = At },
        new DiscardDetail("G22", Id, D, "H41", D, "E_POISON", "DUPLICATE", null) { Time = At },
        new DiscardDetail("G22", Id, D, "H41", D, "E_POISON", "WRONG_OFFICE", D) { Time = At },
        new FlashAlarmDetail("G22", Id, D, "H41", D, At - 1) { Time = At },
        new ReplyDetail("G22", Id, D, "mail") { Time = At },
        new DummyDetail { Time = At },
        new ErasedDetail(17, "RETENTION", D) { Time = At },
        new AuditReadDetail(D, D, 4711, 3) { Time = At },
        new SuccessionDetail("gateway.example/ledger-2", [new("gateway.example/ledger", 900, D, 700, At - 1)], 712, "RESTORED", D) { Time = At },
    ];

    [Fact]
    public void Every_kind_of_detail_reads_back_from_its_canonical_bytes()
    {
        Assert.Equal(Enum.GetValues<EntryKind>(), All.Select(d => d.EntryKind).Distinct().Order());
        foreach (var detail in All)
        {
            var bytes = EntryDetails.Write(detail);
            Assert.Equal(detail, EntryDetails.Read(bytes));
            var text = Encoding.UTF8.GetString(bytes);
            Assert.Contains($"\"kind\":\"{detail.EntryKind.Name()}\"", text, StringComparison.Ordinal);
            Assert.Contains("\"v\":1", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Bytes_of_a_detail_are_fixed() => Assert.Equal(
        """{"code":"E_DER","ctx":null,"decision":null,"envelope":null,"kind":"rejection","sender":"G22","time":1795000000000,"v":1}""",
        Encoding.UTF8.GetString(EntryDetails.Write(All[1])));

    [Fact]
    public void Every_changed_byte_of_a_detail_is_refused_or_reads_as_another()
    {
        foreach (var detail in All)
        {
            var bytes = EntryDetails.Write(detail);
            for (var i = 0; i < bytes.Length; i++)
            {
                var changed = (byte[])bytes.Clone();
                changed[i] ^= 1;
                try { Assert.NotEqual(detail, EntryDetails.Read(changed)); }
                catch (RefusedException e) { Assert.Equal(Refusal.Json, e.Refusal); }
            }
        }
    }

    [Theory]
    [InlineData("""{"kind":"stop","time":1,"v":2}""")]
    [InlineData("""{"kind":"start","time":1,"v":1}""")]
    [InlineData("""{"kind":"halt","time":1,"v":1}""")]
    [InlineData("""{"kind":"stop","time":1}""")]
    [InlineData("""{"kind":"stop","time":1,"v":1,"x":1}""")]
    [InlineData("""{"kind":"stop", "time":1,"v":1}""")]
    [InlineData("""{"kind":"stop","kind":"stop","time":1,"v":1}""")]
    [InlineData("""{"time":1,"kind":"stop","v":1}""")]
    [InlineData("""["kind"]""")]
    [InlineData("""{"kind":7}""")]
    [InlineData("")]
    [InlineData("{")]
    public void Details_in_another_form_are_refused(string json) =>
        Assert.Equal(Refusal.Json, Assert.Throws<RefusedException>(() => EntryDetails.Read(Encoding.UTF8.GetBytes(json))).Refusal);

    [Fact]
    public void An_entry_is_the_salted_hash_and_its_leaf_is_what_a_third_program_computes()
    {
        var entry = new LedgerEntry(Convert.FromHexString("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), """{"kind":"stop","time":1,"v":1}"""u8.ToArray());
        // printf: salt ‖ detail | sha256sum; then 00 ‖ that | sha256sum
        Assert.Equal("9b827d1f3e17d48bf0c387e8f78381057d02454d6aff3e0f96d9bc8e4030a393", Convert.ToHexStringLower(entry.Hash.ToArray()));
        Assert.Equal("3d131b86ebee40d63ed5d3caf1d644c491ce4def2897f6876eb78ffbccc5f9d5", Convert.ToHexStringLower(entry.Leaf.ToArray()));
    }

    [Fact]
    public void Salts_are_fresh()
    {
        var entries = Enumerable.Range(0, 100).Select(_ => LedgerEntry.Create(All[^1]).Hash).ToHashSet();
        Assert.Equal(100, entries.Count);
        Assert.Throws<ArgumentException>(() => new LedgerEntry([1], [2]).Hash);
    }
}
