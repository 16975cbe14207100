using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Trust;
using Exchange.Office.Join;
using Org.BouncyCastle.Crypto.EC;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Math;
using Org.BouncyCastle.Security;
using static Exchange.Benchmarks.EnvelopeRates;

namespace Exchange.Benchmarks;

/// <summary>Documents of 64 KiB, one after the other, per second of processor time; and what the operations on curves cost that they consist of.</summary>
sealed class SmallRates(SealAndOpen product, int rounds)
{
    const int Length = 65536, Each = 200;

    public async Task RunAsync()
    {
        var document = RandomNumberGenerator.GetBytes(Length);
        var many = Recipients(20);
        await MeasureAsync("1 recipient", document, () => [many[0]]);
        await MeasureAsync("20 recipients", document, () => many);
        await MeasureAsync("20 never met before", document, () => [.. many.Select(r => r with { Certificate = new Certificate(r.Certificate.Der.Span) })]);
        Curves();
    }

    async Task MeasureAsync(string what, byte[] document, Func<IReadOnlyList<SealRecipient>> recipients)
    {
        var took = new List<Took>();
        var payload = new MemoryStream(2 * Length);
        async Task SealAsync(int count)
        {
            for (var i = 0; i < count; i++)
            {
                payload.SetLength(0);
                await product.SealAsync(new("document.bin", "application/octet-stream", Length, null, () => new MemoryStream(document)), recipients(), payload);
            }
        }
        await SealAsync(Each);
        for (var round = 0; round < rounds; round++) took.Add(await Took.ByAsync(() => SealAsync(Each)));
        Say($"64 KiB, {what,-20} {Spread.Of(took.Select(t => Each / t.Cpu)).As("0"),-20} sealed per cpu-s {Spread.Of(took.Select(t => Each / t.Wall)).Median,5:0} per second   {took.Min(t => t.Allocated) / Each / 1024.0:0.0} KiB allocated each");
    }

    static IReadOnlyList<SealRecipient> Recipients(int count)
    {
        var now = TimeProvider.System.GetUtcNow();
        SealRecipient One(int i)
        {
            using var key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP384);
            using var signer = ECDsa.Create(key.ExportParameters(true));
            var request = new CertificateRequest(KeyProfile.Subject("Benchmark", $"T{i:00}", "encrypt"), signer, HashAlgorithmName.SHA384);
            foreach (var extension in KeyProfile.Extensions(KeyUse.Encrypt, isRsa: false, [])) request.CertificateExtensions.Add(extension);
            using var issued = request.Create(request.SubjectName, X509SignatureGenerator.CreateForECDsa(signer), now, now.AddDays(1), [1, (byte)i]);
            return new($"T{i:00}", new Certificate(issued.RawData), "to");
        }
        return [.. Enumerable.Range(0, count).Select(One)];
    }

    /// <summary>Signing is .NET's, as long-term keys are; the rest as the product does it, on BouncyCastle's curves. The last line of P-256 is for comparison: the profile has no recipients on it.</summary>
    static void Curves()
    {
        foreach (var (name, curve, hash) in new[] { ("secp384r1", ECCurve.NamedCurves.nistP384, HashAlgorithmName.SHA384), ("secp256r1", ECCurve.NamedCurves.nistP256, HashAlgorithmName.SHA256) })
        {
            var parameters = CustomNamedCurves.GetByName(name);
            var domain = new ECDomainParameters(parameters.Curve, parameters.G, parameters.N, parameters.H);
            using var signer = ECDsa.Create(curve);
            var data = new byte[300];
            var digest = CryptographicOperations.HashData(hash, data);
            var signature = signer.SignData(data, hash);
            var half = signature.Length / 2;
            BigInteger r = new(1, signature, 0, half), s = new(1, signature, half, half);
            var q = signer.ExportParameters(false).Q;
            var known = new ECPublicKeyParameters(domain.Curve.CreatePoint(new(1, q.X), new(1, q.Y)), domain);
            var generator = new ECKeyPairGenerator();
            generator.Init(new ECKeyGenerationParameters(domain, new SecureRandom()));
            var own = (ECPrivateKeyParameters)generator.GenerateKeyPair().Private;
            double sign = PerCpuSecond(() => signer.SignData(data, hash)), verify = PerCpuSecond(() =>
                {
                    var verifier = new ECDsaSigner();
                    verifier.Init(false, known);
                    if (!verifier.VerifySignature(digest, r, s)) throw new InvalidOperationException("signature");
                }),
                keys = PerCpuSecond(() => generator.GenerateKeyPair()), agree = PerCpuSecond(() => known.Q.Multiply(own.D).Normalize());
            Say($"{name}: sign {sign:0}, verify {verify:0}, new key {keys:0}, agree {agree:0} per cpu-s, with keys met before: two of the first two, one of the others are {1000 * (2 / sign + 2 / verify + 1 / keys + 1 / agree):0.00} ms");
        }
    }

    static double PerCpuSecond(Action run)
    {
        const int count = 500;
        for (var i = 0; i < 50; i++) run();
        using var self = Process.GetCurrentProcess();
        var cpu = self.TotalProcessorTime;
        for (var i = 0; i < count; i++) run();
        self.Refresh();
        return count / (self.TotalProcessorTime - cpu).TotalSeconds;
    }
}
