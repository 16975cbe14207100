using Exchange.Crypto;
using Exchange.Crypto.Envelope;

namespace Exchange.Tests.Envelope;

public class KeyScheduleTests
{
    static readonly byte[] Secret = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    [Fact]
    public void Payload_key_and_commitment_are_those_of_the_published_vector()
    {
        var key = new byte[32];
        KeySchedule.PayloadKey(Secret, key);
        Assert.Equal("19f1a32f7c746b87a262d8b2d9c640805af0d4ef3a773f6eb7709bd41cf65efe", Convert.ToHexStringLower(key));
        var commitment = KeySchedule.Commitment(KeySchedule.Opened(Secret));
        Assert.Equal("2025d33bd0675089374b65da3df1c7e0a6d53c93431a9b1f6c130e493b52424a", Convert.ToHexStringLower(commitment.ToArray()));
    }

    [Theory]
    [InlineData(0, false, "000000000000000000000000")]
    [InlineData(0, true, "000000000000000000000001")]
    [InlineData(258, false, "000000000000000000010200")]
    [InlineData((1L << 20) - 1, true, "00000000000000000fffff01")]
    public void Nonce_is_the_index_and_whether_it_is_the_last(long index, bool last, string hex)
    {
        var nonce = new byte[12];
        KeySchedule.SegmentNonce(index, last, nonce);
        Assert.Equal(hex, Convert.ToHexStringLower(nonce));
    }

    [Fact]
    public void Proof_binds_envelope_and_recipient()
    {
        var opened = KeySchedule.Opened(Secret);
        Digest a = Digest.Of([1]), b = Digest.Of([2]);
        var proof = KeySchedule.Proof(opened, a, b);
        Assert.NotEqual(proof, KeySchedule.Proof(opened, b, a));
        Assert.NotEqual(proof, KeySchedule.Proof(opened, a, a));
        Assert.Equal(proof, KeySchedule.Proof(KeySchedule.Opened(Secret), a, b));
    }
}
