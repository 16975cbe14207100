using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CsCheck;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;

namespace Exchange.Tests.Envelope;

public class SealedParcelTests
{
    const int Mi = 1 << 20, Unit = 1 << 16;
    static readonly TestPki Pki = TestPki.Shared;
    static readonly Guid Id = Guid.Parse("0193a7b0-0000-7000-8000-00000000c0de");
    static readonly FileKey Ec = Pki["H41"].Encrypt, Rsa = Pki["H37"].Encrypt, Other = Pki["G22"].Encrypt;

    static async Task<byte[]> Seal(byte[] envelope, byte[] receipt, FileKey? to = null, Guid? id = null)
    {
        var output = new MemoryStream();
        await SealedParcel.SealAsync(id ?? Id, receipt, envelope.Length, () => new MemoryStream(envelope), (to ?? Ec).Certificate, output, default);
        return output.ToArray();
    }

    static async Task<(UnsealedParcel Parcel, byte[] Envelope)> Open(byte[] sealed_, params FileKey[] keys)
    {
        var envelope = new MemoryStream();
        var parcel = await SealedParcelOpener.OpenAsync(new MemoryStream(sealed_), keys.Length > 0 ? keys : [Ec], envelope, default);
        return (parcel, envelope.ToArray());
    }

    static async Task Refused(Refusal expected, byte[] bytes, params FileKey[] keys) => Assert.Equal(expected, (await Assert.ThrowsAsync<RefusedException>(() => Open(bytes, keys))).Refusal);

    static byte[] Random(int length) => RandomNumberGenerator.GetBytes(length);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(0, 1)]
    [InlineData(Unit - 4 - 700, 700)]
    [InlineData(Unit - 4 - 699, 700)]
    [InlineData(Mi - 4 - 1000, 1000)]
    [InlineData(Mi - 4 - 999, 1000)]
    [InlineData(3 * Mi + 17, 4000)]
    [InlineData(100, Unit)]
    public async Task What_was_sealed_comes_back_at_every_edge(int length, int receiptLength)
    {
        var (envelope, receipt) = (Random(length), Random(receiptLength));
        var bytes = await Seal(envelope, receipt);
        var (parcel, opened) = await Open(bytes);
        Assert.Equal(Id, parcel.Parcel);
        Assert.Equal(receipt, parcel.Receipt);
        Assert.Equal(length, parcel.Length);
        Assert.Equal(envelope, opened);
    }

    [Fact]
    public Task Any_lengths_come_back() => Gen.Select(Gen.Int[0, 200_000], Gen.Int[0, 5000]).SampleAsync(async (length, receiptLength) =>
    {
        var (envelope, receipt) = (Random(length), Random(receiptLength));
        var (parcel, opened) = await Open(await Seal(envelope, receipt));
        Assert.True(opened.AsSpan().SequenceEqual(envelope) && parcel.Receipt.AsSpan().SequenceEqual(receipt));
    }, iter: 25);

    [Fact]
    public async Task The_key_that_it_was_sealed_to_opens_it_whichever_kind_and_no_other()
    {
        var envelope = Random(1000);
        Assert.Equal(envelope, (await Open(await Seal(envelope, [1], Rsa), Other, Rsa)).Envelope);
        await Refused(Refusal.NotForThisKey, await Seal(envelope, [1]), Other, Rsa);
    }

    [Fact]
    public async Task Its_size_tells_no_more_than_the_next_unit_and_twice_sealed_differs()
    {
        var one = await Seal(Random(10), Random(500));
        var two = await Seal(Random(60_000), Random(900));
        Assert.Equal(one.Length, two.Length);
        var again = await Seal(new byte[10], new byte[500]);
        var same = await Seal(new byte[10], new byte[500]);
        Assert.NotEqual(again, same);
    }

    [Fact]
    public async Task A_flipped_bit_anywhere_opens_nothing()
    {
        var bytes = await Seal(Random(2 * Mi), Random(800));
        var places = Enumerable.Range(0, 400).Concat(Enumerable.Range(0, 200).Select(i => 400 + (int)((long)i * (bytes.Length - 400) / 200))).Append(bytes.Length - 1);
        foreach (var at in places)
        {
            bytes[at] ^= 0x10;
            await Assert.ThrowsAsync<RefusedException>(() => Open(bytes));
            bytes[at] ^= 0x10;
        }
        await Open(bytes);
    }

    [Fact]
    public async Task Cut_or_lengthened_it_opens_nothing()
    {
        var bytes = await Seal(Random(2 * Mi), Random(800));
        var wrap = bytes.Length - (int)Payload.WireLength(Payload.PaddedLength(2 * Mi + 804, Unit));
        foreach (var length in new[] { 0, 1, wrap - 1, wrap, wrap + Mi + 16, wrap + 2 * (Mi + 16), bytes.Length - 1 }) await Assert.ThrowsAsync<RefusedException>(() => Open(bytes[..length]));
        await Refused(Refusal.PayloadLength, [.. bytes, 0]);
    }

    [Fact]
    public async Task Segments_of_another_parcel_do_not_fit_and_neither_do_those_of_the_same_in_another_order()
    {
        var (one, two) = (await Seal(Random(2 * Mi), [1]), await Seal(Random(2 * Mi), [1]));
        var wrap = one.Length - (int)Payload.WireLength(Payload.PaddedLength(2 * Mi + 5, Unit));
        await Refused(Refusal.CannotOpen, [.. one[..wrap], .. two[wrap..]]);
        var segment = Mi + Payload.TagLength;
        await Refused(Refusal.CannotOpen, [.. one[..wrap], .. one[(wrap + segment)..(wrap + 2 * segment)], .. one[wrap..(wrap + segment)], .. one[(wrap + 2 * segment)..]]);
    }

    [Fact]
    public async Task An_envelope_and_its_manifest_are_no_sealed_parcel()
    {
        var bytes = await Seal([1], [2]);
        Assert.True(SealedParcelOpener.IsSealed(bytes.AsSpan(0, 32)));
        var secret = Random(32);
        var manifest = ManifestSealer.Seal(Digest.Of("another"u8), secret, [0x30, 0x00], [Ec.Certificate], Manifest.FrameUnit);
        await Refused(Refusal.Manifest, [.. manifest, .. new byte[16]]);
        foreach (var other in (byte[][])[[], [0x30], [0x31, .. bytes[1..]], Random(32), Pki.Directory.Statement.ToArray()]) Assert.False(SealedParcelOpener.IsSealed(other.AsSpan(0, Math.Min(32, other.Length))));
    }

    [Fact]
    public async Task An_envelope_of_another_length_than_said_is_not_sealed()
    {
        await Assert.ThrowsAsync<InvalidDataException>(() => SealedParcel.SealAsync(Id, new byte[] { 1 }, 10, () => new MemoryStream(new byte[9]), Ec.Certificate, Stream.Null, default));
        await Assert.ThrowsAsync<InvalidDataException>(() => SealedParcel.SealAsync(Id, new byte[] { 1 }, 10, () => new MemoryStream(new byte[11]), Ec.Certificate, Stream.Null, default));
    }

    [Fact]
    public async Task Openssl_opens_the_frame()
    {
        using var openssl = new OpenSsl();
        var bytes = await Seal(Random(10), [1, 2, 3]);
        var wrap = bytes.Length - (int)Payload.WireLength(Unit);
        openssl.Write("wrap.p7m", bytes.AsSpan(0, wrap));
        openssl.Write("ec.pem", Ec.ForTls.ExportCertificatePem());
        openssl.Write("ec.key", Ec.ForTls.GetECDiffieHellmanPrivateKey()!.ExportPkcs8PrivateKeyPem());
        openssl.Run("cms -decrypt -inform DER -in wrap.p7m -recip ec.pem -inkey ec.key -out frame");
        var frame = openssl.Read("frame");
        Assert.Equal(SHA256.HashData("exchange/v1/parcel"u8), frame[..32]);
        Assert.Equal(Id.ToByteArray(bigEndian: true), frame[(64 + 7)..(64 + 23)]);
    }
}
