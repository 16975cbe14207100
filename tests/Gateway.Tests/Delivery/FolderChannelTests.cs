using System.Text.Json.Nodes;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Tests.Http;

namespace Exchange.Tests.Delivery;

/// <summary>The real folder channel behind the real worker.</summary>
public sealed class FolderChannelTests
{
    [Fact]
    public async Task A_copy_is_put_into_the_offices_folder_with_its_acceptance_and_marker()
    {
        var root = Directory.CreateTempSubdirectory("exchange-folders-").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(root, "h41"));
            await using var gateway = await TestGateway.Start();
            // As an administrator does it: gateway.json, restart; then the officers' standing.
            var config = Path.Combine(gateway.Data, "gateway.json");
            var json = JsonNode.Parse(File.ReadAllBytes(config))!.AsObject();
            json["folders"] = root;
            File.WriteAllText(config, json.ToJsonString());
            await gateway.Restart();
            await gateway.Activate(DevPkiFolder.Standing(2, o => o.Code == "H41" ? o with { Channel = o.Channel with { Adapter = "folder", Settings = new(StringComparer.Ordinal) { ["folder"] = "h41" } } } : o));

            var (envelope, file) = await gateway.SealFile("H41", size: 300_000);
            var accepted = await gateway.Submit(file);
            Assert.Equal(201, accepted.Status);
            Assert.Equal(1, await gateway.Deliver());

            var marker = Assert.Single(Directory.GetFiles(Path.Combine(root, "h41"), "*.ready"));
            var id = Path.GetFileNameWithoutExtension(marker);
            // Neither file nor acceptance can be read there; both are inside.
            var put = await File.ReadAllBytesAsync(Path.Combine(root, "h41", id + ".envelope"), TestContext.Current.CancellationToken);
            Assert.Equal(2, Directory.GetFiles(Path.Combine(root, "h41")).Length);
            Assert.True(file.AsSpan().IndexOf("\"recipients\""u8) > 0 && put.AsSpan().IndexOf("\"recipients\""u8) < 0);
            using var inside = new MemoryStream();
            var unsealed = await SealedParcelOpener.OpenAsync(new MemoryStream(put), [DevPkiFolder.Key("offices", "H41", "encrypt.p12")], inside, TestContext.Current.CancellationToken);
            Assert.Equal(id, unsealed.Parcel.ToString());
            Assert.Equal(accepted.Body, unsealed.Receipt);
            Assert.Equal(file, inside.ToArray());
            // Delivered, it is kept here no longer.
            Assert.Empty(Directory.GetFiles(Path.Combine(gateway.Data, "sealed"), "*", SearchOption.AllDirectories));
            var copy = (await TestGateway.Send(gateway.As("G22"), HttpMethod.Get, $"/dispatches/{accepted.Receipt.Envelope}")).Json.GetProperty("copies")[0];
            Assert.Equal(("delivered", "folder"), (copy.GetProperty("state").GetString(), copy.GetProperty("channel").GetString()));
            // The office opened it from the folder and says so.
            Assert.Equal(201, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Post, $"/mailbox/{id}/receipts", OfficeReceipts.Sign(envelope, ReceiptEvent.ContentHandover))).Status);
            Assert.Equal(201, (await TestGateway.Send(gateway.As("H41"), HttpMethod.Post, $"/mailbox/{id}/receipts", OfficeReceipts.Sign(envelope, ReceiptEvent.ContentOpening))).Status);
        }
        finally { Directory.Delete(root, recursive: true); }
    }
}
