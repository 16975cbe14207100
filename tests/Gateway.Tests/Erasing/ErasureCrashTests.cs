using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Erasing;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;
using Exchange.Tests.Recalling;

namespace Exchange.Tests.Erasing;

/// <summary>The process dies before each step of an erasure; what it leaves is what a copy of its folders at that moment holds. A fresh start and the same order, which still lies there, end in one clean state.</summary>
public sealed class ErasureCrashTests
{
    [Fact, Trait("tier", "long")]
    public async Task An_erasure_that_died_at_any_step_goes_on_and_ends_clean()
    {
        var gateway = await Erasure.Start();
        List<string> copies = [];
        List<Erasure.Canary> canaries;
        List<string> steps = [];
        try
        {
            SealedEnvelope[] envelopes = new SealedEnvelope[2];
            canaries = [];
            for (var i = 0; i < envelopes.Length; i++)
            {
                var (envelope, file) = await gateway.SealFile("H41", size: 50_000);
                Assert.Equal(201, (await gateway.Submit(file)).Status);
                foreach (var said in new[] { ReceiptEvent.ContentHandover, ReceiptEvent.ContentOpening })
                    Assert.Equal(201, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Post, $"/mailbox/{await gateway.Parcel(envelope, "H41")}/receipts", OfficeReceipts.Sign(envelope, said))).Status);
                envelopes[i] = envelope;
                canaries.AddRange(Erasure.Canaries(gateway, envelope, file));
            }
            await gateway.Host.Loops.StepAll();
            var order = Erasure.Order(gateway, null, envelopes);
            var statement = Statement.Read(order, StatementType.Operation);
            // One run; before each step its folders are copied, as the kernel would keep them had it died there.
            var finish = new FinishErasures(gateway.Host.Shared)
            {
                AtOnce = 1,
                At = step =>
                {
                    steps.Add(step);
                    copies.Add(Copy(gateway.Data, $"{gateway.Data}-{steps.Count}", order));
                },
            };
            Assert.StartsWith("2 erased", await new EraseDispatches(finish, gateway.Host.Shared).Run(statement), StringComparison.Ordinal);
            Assert.Empty(Erasure.Found(canaries, Erasure.Folders(gateway)));
            Assert.True(steps.Distinct().Count() == 4 && steps.Count >= 8, string.Join(' ', steps));
        }
        finally { await gateway.DisposeAsync(); }

        foreach (var (copy, step) in copies.Zip(steps))
        {
            var again = await Erasure.Start(copy);
            try
            {
                await again.Host.Loops.StepAll();
                Assert.True(Erasure.Found(canaries, Erasure.Folders(again)) is [], $"before {step}: something is left");
                Assert.Empty(StoreCheck.Run(again.Host.Shared.Engine, again.Host.Shared.Blobs, []));
                Assert.Contains("nothing of them is left", await File.ReadAllTextAsync(Path.Combine(again.Data, "incoming", "done", "1.order.p7s.result")), StringComparison.Ordinal);
                using var reader = again.Host.Shared.Engine.Reader();
                Assert.All(ErasureTable.Newest(reader, 10), e => Assert.NotNull(e.EndedAt));
                Assert.Equal(2, ErasureTable.Newest(reader, 10).Count);
            }
            finally { await again.DisposeAsync(); }
        }
    }

    // Folders as they are, the order in the incoming folder, and settings that name the copies.
    static string Copy(string data, string to, byte[] order)
    {
        foreach (var end in new[] { "", ".guard" })
            foreach (var file in Directory.EnumerateFiles(data + end, "*", SearchOption.AllDirectories).Where(f => !f.EndsWith("-shm", StringComparison.Ordinal) && Path.GetFileName(f) is not ("lock" or "address")))
            {
                var target = to + end + file[(data + end).Length..];
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                using var from = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                using var copy = File.Create(target);
                from.CopyTo(copy);
            }
        foreach (var folder in Directory.EnumerateDirectories(data)) Directory.CreateDirectory(to + folder[data.Length..]);
        var settings = Path.Combine(to, "gateway.json");
        File.WriteAllText(settings, File.ReadAllText(settings).Replace(data, to, StringComparison.Ordinal));
        File.WriteAllBytes(Path.Combine(to, "incoming", "1.order.p7s"), order);
        return to;
    }
}
