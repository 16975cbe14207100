using System.Security.Cryptography;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;
using Microsoft.Extensions.Time.Testing;
using Sut = Exchange.Crypto.Envelope.Envelope;

namespace Exchange.Tests.Envelope;

public class EnvelopeTests
{
    const int Mi = 1 << 20;
    static readonly TestPki Pki = TestPki.Shared;
    static readonly FakeTimeProvider Clock = new(TestPki.Now);

    static SealRequest Request(params byte[][] documents) => new()
    {
        Id = Guid.CreateVersion7(TestPki.Now), Gateway = "gateway.test/ledger", Sender = "G22",
        Recipients = [new("H41", Pki["H41"].Encrypt.Certificate, "to"), new("H14", Pki["H14"].Encrypt.Certificate, "to"), new("H37", Pki["H37"].Encrypt.Certificate, "cc")],
        To = ["H41", "H14", "H37"], Label = Forge.Thuong, Urgency = 1, Times = new Times(null, TestPki.Now.AddDays(7).ToUnixTimeMilliseconds(), null),
        Policy = Digest.Of("policy"u8), Directory = Pki.Directory.Ref, Seen = null,
        Sheet = new Sheet { Number = "1", Notation = "VPCP", Subject = "Về việc thử", DocumentType = "Công văn", Place = null, Date = "2026-11-24", Signatory = null },
        Documents = [.. documents.Select((d, i) => new DocumentSource($"tài liệu {i}.bin", "application/octet-stream", d.Length, null, () => new MemoryStream(d)))],
        Authors = [Pki["G22"].Signatory], Approvers = [], Office = Pki["G22"].Sign, ManifestBucket = 4096, PayloadBucket = 4096,
    };

    static async Task<(SealedEnvelope Sealed, byte[] Wire)> Seal(SealRequest request)
    {
        using var wire = new MemoryStream();
        var made = await Sut.SealAsync(request, wire, Clock, default);
        return (made, wire.ToArray());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Mi - 1)]
    [InlineData(Mi)]
    [InlineData(Mi + 1)]
    [InlineData(5 * Mi + 77)]
    public async Task What_was_sealed_is_opened_by_each_recipient(int size)
    {
        var document = RandomNumberGenerator.GetBytes(size);
        var (made, wire) = await Seal(Request(document, [7]) with { PayloadBucket = 1 });
        var verified = Sut.Verify(made.Parts, Forge.Context);
        await Payload.VerifyAsync(new MemoryStream(wire), verified.Header.Payload!, null, null, default);
        foreach (var office in new[] { "H41", "H14", "H37" })
        {
            var opened = await Forge.Open(made.Parts, wire, office);
            Assert.Equal(["tài liệu 0.bin", "tài liệu 1.bin"], opened.Files.Select(f => f.Name));
            Assert.Equal([document, [7]], opened.Files.Select(f => f.Bytes));
            Assert.Equal(made.Ctx, opened.Envelope.Envelope.Ctx);
            Assert.Equal(KeySchedule.Proof(made.Opened, made.Ctx, Pki[office].Encrypt.Certificate.Key), opened.Envelope.Proof);
        }
    }

    [Fact]
    public async Task Verify_tells_who_sent_what_to_whom_and_who_approved()
    {
        var (made, _) = await Seal(Request([1]) with { Approvers = [Pki["G22"].Signatory], Authors = [Pki["G22"].Signatory, Pki["G22"].Sign] });
        var verified = Sut.Verify(made.Parts, Forge.Context);
        Assert.Equal(made.Ctx, verified.Ctx);
        Assert.Equal(made.ManifestDigest, verified.ManifestDigest);
        Assert.Equal("G22", verified.Sender.Code);
        Assert.Equal(Pki["G22"].Sign.Certificate, verified.Signer);
        Assert.Equal(TestPki.Now, verified.SigningTime);
        Assert.Equal(["H14", "H37", "H41"], verified.Header.Recipients.Select(r => r.Office));
        Assert.Equal([true, true, true], verified.RecipientKeysCurrent);
        var approval = Assert.Single(verified.Approvals);
        Assert.Equal(["signatory"], approval.Roles);
        Assert.Equal(made.DispatchRef, approval.Approval.Dispatch);
        Assert.Equal(2, verified.Header.Dispatch.Signatures.Length);
    }

    [Fact]
    public async Task The_sender_reopens_with_a_key_of_role_self()
    {
        var request = Request([9]);
        var (made, wire) = await Seal(request with { Recipients = [.. request.Recipients, new("G22", Pki["G22"].Encrypt.Certificate, "self")] });
        Assert.Equal([9], Assert.Single((await Forge.Open(made.Parts, wire, "G22")).Files).Bytes);
    }

    [Fact]
    public async Task Lengths_of_manifest_and_payload_show_only_buckets()
    {
        var (small, wire) = await Seal(Request([1]) with { ManifestBucket = 16384, PayloadBucket = 65536 });
        var (large, wire2) = await Seal(Request(new byte[60000], new byte[5]) with { ManifestBucket = 16384, PayloadBucket = 65536 });
        Assert.Equal(wire.Length, wire2.Length);
        Assert.Equal(AuthEnveloped.Decode(small.Parts.Manifest, 10).Ciphertext.Length, AuthEnveloped.Decode(large.Parts.Manifest, 10).Ciphertext.Length);
    }

    [Fact]
    public async Task Nothing_repeats_between_two_seals_of_the_same()
    {
        var request = Request([1, 2, 3]);
        var (a, wireA) = await Seal(request);
        var (b, wireB) = await Seal(request);
        Assert.NotEqual(a.Opened, b.Opened);
        Assert.NotEqual(a.DispatchRef, b.DispatchRef);
        Assert.NotEqual(wireA, wireB);
        AuthEnveloped m = AuthEnveloped.Decode(a.Parts.Manifest, 10), n = AuthEnveloped.Decode(b.Parts.Manifest, 10);
        Assert.NotEqual(m.Nonce.ToArray(), n.Nonce.ToArray());
        Assert.NotEqual(m.Recipients.OfType<KeyAgreement>().Single().Point.ToArray(), n.Recipients.OfType<KeyAgreement>().Single().Point.ToArray());
    }

    [Fact]
    public async Task OpenSSL_reads_the_header_and_opens_the_dispatch_inside_the_manifest()
    {
        using var openssl = new OpenSsl();
        var (made, _) = await Seal(Request([1]));
        openssl.Write("header.p7s", made.Parts.Header.Span);
        openssl.Write("manifest.p7m", made.Parts.Manifest.Span);
        openssl.Write("ca.pem", Pki.Root.Certificate.ExportCertificatePem() + "\n" + Pki.Issuing.Certificate.ExportCertificatePem());
        openssl.Write("h41.pem", Pki["H41"].Encrypt.ForTls.ExportCertificatePem());
        openssl.Write("h41.key", Pki["H41"].Encrypt.ForTls.GetECDiffieHellmanPrivateKey()!.ExportPkcs8PrivateKeyPem());
        var time = TestPki.Now.ToUnixTimeSeconds();
        openssl.Run($"cms -verify -inform DER -in header.p7s -CAfile ca.pem -purpose any -attime {time} -out header.json");
        Assert.Equal(made.Ctx, Digest.Of(openssl.Read("header.json")));
        openssl.Run("cms -decrypt -inform DER -in manifest.p7m -recip h41.pem -inkey h41.key -out frame");
        openssl.Write("dispatch.p7s", openssl.Read("frame").AsSpan(64));
        openssl.Run($"cms -verify -inform DER -in dispatch.p7s -CAfile ca.pem -purpose any -attime {time} -out dispatch.json");
        Assert.Equal(made.DispatchRef, Digest.Of(openssl.Read("dispatch.json")));
    }

    [Fact]
    public async Task File_form_gives_back_parts_and_payload()
    {
        var (made, wire) = await Seal(Request(RandomNumberGenerator.GetBytes(5000)) with { Approvers = [Pki["G22"].Signatory, Pki["G22"].Clerk] });
        byte[] file = [.. EnvelopeFile.Write(made.Parts), .. wire];
        Assert.Equal(file.Length, EnvelopeFile.Length(made.Parts, made.Payload));
        using var stream = new MemoryStream(file);
        var parts = await EnvelopeFile.ReadPartsAsync(stream, default);
        Assert.Equal(made.Ctx, Sut.Verify(parts, Forge.Context).Ctx);
        Assert.Equal(made.Ctx, Digest.Of(StrictJson.Write(EnvelopeFile.PeekUnverified(parts.Header), StatementJson.Default.Header)));
        await Payload.VerifyAsync(stream, made.Payload!, null, null, default);
        foreach (var (offset, length) in new[] { (0, file.Length), (10, 20), (file.Length - wire.Length - 5, 50), (file.Length - wire.Length, 17), (file.Length - 1, 1), (file.Length, 0) })
        {
            using var range = new MemoryStream();
            await EnvelopeFile.CopyRangeAsync(made.Parts, new MemoryStream(wire), offset, length, range, default);
            Assert.Equal(file[offset..(offset + length)], range.ToArray());
        }
    }

    [Fact]
    public async Task A_cut_file_form_is_refused_wherever_it_is_cut()
    {
        var (parts, wire) = new Forge { Approvers = [Pki["G22"].Signatory] }.Make();
        byte[] file = EnvelopeFile.Write(parts);
        for (var cut = 0; cut < file.Length; cut += cut < 64 ? 1 : 211)
            Assert.Equal(Refusal.Der, (await Assert.ThrowsAsync<RefusedException>(() => EnvelopeFile.ReadPartsAsync(new MemoryStream(file[..cut]), default))).Refusal);
    }

    [Theory]
    [InlineData("3080", "E_DER")]
    [InlineData("3100", "E_DER")]
    [InlineData("308105", "E_DER")]
    [InlineData("30820005", "E_DER")]
    [InlineData("3085000000ffff", "E_DER")]
    [InlineData("30840fffffff", "E_SIZE")]
    [InlineData("3084ffffffff", "E_SIZE")]
    [InlineData("3083100000", "E_SIZE")]
    [InlineData("", "E_DER")]
    public async Task A_part_of_hostile_length_is_refused_before_it_is_read(string hex, string code)
    {
        var refused = await Assert.ThrowsAsync<RefusedException>(() => EnvelopeFile.ReadPartsAsync(new MemoryStream(Convert.FromHexString(hex)), default));
        Assert.Equal(code, refused.Refusal.Code);
    }

    [Fact]
    public async Task A_thousand_recipients_of_both_kinds_open_the_same()
    {
        var (recipients, keys) = ManyRecipients.Take(1000);
        var request = Request([1, 2, 3]);
        var (made, wire) = await Seal(request with { Recipients = recipients, To = [.. recipients.Select(r => r.Office).Distinct()] });
        Assert.InRange(made.Parts.Header.Length, 1, EnvelopeParts.MaxHeader);
        Assert.InRange(made.Parts.Manifest.Length, 1, EnvelopeParts.MaxManifest);
        var verified = Sut.Verify(made.Parts, Forge.Context);
        Assert.Equal(1000, verified.RecipientKeysCurrent.Count);
        // None of them stands in the directory of the test: unknown keys are reported, and the policy decides.
        Assert.DoesNotContain(true, verified.RecipientKeysCurrent);
        foreach (var i in new[] { 0, 1, 499, 998, 999 })
            Assert.Equal([1, 2, 3], Assert.Single((await Forge.Open(made.Parts, wire, recipients[i].Office, key: keys[i])).Files).Bytes);
    }

    [Fact]
    public async Task One_recipient_too_many_is_refused()
    {
        var (recipients, _) = ManyRecipients.Take(1001);
        var request = Request([1]);
        var refused = await Assert.ThrowsAsync<RefusedException>(() => Seal(request with { Recipients = recipients, To = ["H41"] }));
        Assert.Equal(Refusal.Header, refused.Refusal);
    }

    [Fact]
    public async Task Opening_again_keeps_what_is_there_and_never_replaces_another_file()
    {
        var (made, wire) = await Seal(Request([1, 2], [3]));
        var folder = Directory.CreateTempSubdirectory("exchange-open-");
        try
        {
            OpenRequest Open() => new()
            {
                Parts = made.Parts, Payload = new MemoryStream(wire), Context = Forge.Context, Office = "H41", Key = Pki["H41"].Encrypt, Folder = folder.FullName, OfficeSignsDispatch = false,
            };
            var first = await Sut.OpenAsync(Open(), default);
            if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(first.Files[0]));
            Assert.Equal(first.Files, (await Sut.OpenAsync(Open(), default)).Files);
            File.WriteAllBytes(first.Files[1], [4]);
            await Assert.ThrowsAsync<IOException>(() => Sut.OpenAsync(Open(), default));
            Assert.Equal([4], File.ReadAllBytes(first.Files[1]));
            // The first one, which a crash between two renames would leave alone, is filled up by opening again.
            File.Delete(first.Files[1]);
            await Sut.OpenAsync(Open(), default);
            Assert.Equal(["tài liệu 0.bin", "tài liệu 1.bin"], folder.EnumerateFiles().Select(f => f.Name).Order(StringComparer.Ordinal));
        }
        finally { folder.Delete(recursive: true); }
    }

    [Fact]
    public async Task Documents_appear_only_after_the_last_byte_was_checked()
    {
        var (made, wire) = await Seal(Request(new byte[3 * Mi]) with { PayloadBucket = 1 });
        var folder = Directory.CreateTempSubdirectory("exchange-open-");
        try
        {
            var seen = new List<string>();
            var watch = new Progress(_ => seen.AddRange(folder.EnumerateFiles().Select(f => f.Name)));
            await Sut.OpenAsync(new OpenRequest
            {
                Parts = made.Parts, Payload = new MemoryStream(wire), Context = Forge.Context, Office = "H41", Key = Pki["H41"].Encrypt, Folder = folder.FullName,
                OfficeSignsDispatch = false, Progress = watch,
            }, default);
            Assert.NotEmpty(seen);
            Assert.All(seen, name => Assert.StartsWith(".tmp-", name, StringComparison.Ordinal));
            Assert.Equal("tài liệu 0.bin", Assert.Single(folder.EnumerateFiles()).Name);
        }
        finally { folder.Delete(recursive: true); }
    }

    sealed class Progress(Action<long> report) : IProgress<long>
    {
        public void Report(long value) => report(value);
    }

    [Fact]
    public void What_a_crash_left_in_a_folder_is_swept()
    {
        var folder = Directory.CreateTempSubdirectory("exchange-open-");
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, ".tmp-0123"), "x");
            File.WriteAllText(Path.Combine(folder.FullName, "kept.pdf"), "x");
            Assert.Equal(1, Sut.SweepTemp(folder.FullName));
            Assert.Equal("kept.pdf", Assert.Single(folder.EnumerateFiles()).Name);
        }
        finally { folder.Delete(recursive: true); }
    }

    [Fact]
    public async Task Seal_refuses_what_a_recipient_would_refuse_before_it_reads_a_byte()
    {
        var never = new DocumentSource("a.pdf", "application/pdf", 1, null, () => throw new InvalidOperationException("was read"));
        var good = Request() with { Documents = [never] };
        await Check(Refusal.DocumentName, good with { Documents = [never with { Name = "../a" }] });
        await Check(Refusal.DocumentName, good with { Documents = [never, never with { Name = "A.PDF" }] });
        // Only a recall has none, and it has none at all.
        await Check(Refusal.Header, good with { Documents = [] });
        await Check(Refusal.Header, good with { Kind = "recall", References = [new("recall", good.Id, Digest.Of("x"u8), 1)] });
        await Check(Refusal.DispatchForm, good with { Documents = [never with { Length = -1 }] });
        await Check(Refusal.DispatchForm, good with { Documents = [never with { MediaType = "pdf" }] });
        await Check(Refusal.DispatchForm, good with { Sheet = good.Sheet with { Date = "24/11/2026" } });
        await Check(Refusal.DispatchForm, good with { To = ["H41", "H14", "H37", "H41"] });
        await Check(Refusal.Addressees, good with { To = ["H41"] });
        await Check(Refusal.Header, good with { Urgency = 5 });
        await Check(Refusal.Header, good with { Id = new Guid("0192f7d2-0000-4000-8000-000000000000") });
        await Check(Refusal.Header, good with { Recipients = [.. good.Recipients, good.Recipients[0]] });
        await Check(Refusal.LabelForm, good with { Label = Forge.NewLabel(257, "X") });
        await Check(Refusal.Header, good with { Recipients = [.. good.Recipients, new("G22", good.Recipients[0].Certificate, "recovery")] });
        await Check(Refusal.Header, good with { Recipients = [.. good.Recipients, new("H41", Pki["G22"].Encrypt.Certificate, "self")] });
        await Check(Refusal.Size, good with { Documents = [never with { Length = 1L << 40 }, never with { Name = "b", Length = 1 }] });
        await Assert.ThrowsAsync<ArgumentException>(() => Seal(good with { ManifestBucket = 5000 }));

        static async Task Check(Refusal refusal, SealRequest request) => Assert.Equal(refusal, (await Assert.ThrowsAsync<RefusedException>(() => Seal(request))).Refusal);
    }

    [Fact]
    public async Task A_cancelled_seal_and_a_cancelled_opening_leave_nothing()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Sut.SealAsync(Request([1]), Stream.Null, Clock, cancelled.Token));
        var (made, wire) = await Seal(Request([1]));
        var folder = Directory.CreateTempSubdirectory("exchange-open-");
        try
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Sut.OpenAsync(new OpenRequest
            {
                Parts = made.Parts, Payload = new MemoryStream(wire), Context = Forge.Context, Office = "H41", Key = Pki["H41"].Encrypt, Folder = folder.FullName, OfficeSignsDispatch = false,
            }, cancelled.Token));
            Assert.Empty(folder.EnumerateFiles());
        }
        finally { folder.Delete(recursive: true); }
    }
}
