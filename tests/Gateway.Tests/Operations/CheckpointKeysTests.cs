using System.Text.Json;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Operations;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;

namespace Exchange.Tests.Operations;

/// <summary>The command that changes checkpoint keys, on a real data folder with its gateway starting in between.</summary>
public sealed class CheckpointKeysTests
{
    readonly string keys = Directory.CreateTempSubdirectory("exchange-keys-").FullName;

    string At(string name) => Path.Combine(keys, name);

    static JsonElement Pins(TestGateway gateway)
    {
        var target = Directory.CreateTempSubdirectory("exchange-export-").FullName;
        var options = Configuration.Read(gateway.Data);
        using var equipment = Equipment.Open(gateway.Data, options, gateway.Clock);
        Export.Run(options, equipment, gateway.Host.Shared.Worlds.Current, target, officers: false);
        var pins = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(target, "pins.json"))).RootElement;
        Directory.Delete(target, recursive: true);
        return pins;
    }

    [Fact]
    public async Task A_key_is_added_signs_beside_the_old_and_only_then_takes_over()
    {
        await using var gateway = await TestGateway.Start();
        await gateway.Host.Loops.StepAll();
        var data = gateway.Data;
        var old = DevPkiFolder.At("gateway", "checkpoint.key");

        // No key without being told, and none over another file.
        Assert.Throws<OptionsException>(() => CheckpointKeys.Add(data, At("next.key"), null));
        Assert.False(File.Exists(At("next.key")));
        File.WriteAllText(At("taken.key"), "somebody's");
        Assert.Throws<OptionsException>(() => CheckpointKeys.Add(data, At("taken.key"), NoteKeyType.Ed25519));
        Assert.Equal("somebody's", File.ReadAllText(At("taken.key")));
        Assert.Throws<OptionsException>(() => CheckpointKeys.Add(data, old, null));

        var next = CheckpointKeys.Add(data, At("next.key"), NoteKeyType.Ed25519);
        Assert.Empty(Configuration.Check(data, TimeProvider.System));
        // It has signed nothing yet: the old one stays.
        Assert.Contains("has not signed", Assert.Throws<OptionsException>(() => CheckpointKeys.Retire(data, old)).Message, StringComparison.Ordinal);

        await gateway.Restart();
        await gateway.Host.Loops.StepAll();
        var note = System.Text.Encoding.UTF8.GetBytes(gateway.Host.Shared.Ledger.Newest!.Note);
        var pins = Pins(gateway);
        VerifierKey[] pinned = [VerifierKey.Parse(pins.GetProperty("checkpointKey").GetString()!), .. pins.GetProperty("checkpointKeys").EnumerateArray().Select(k => VerifierKey.Parse(k.GetString()!))];
        Assert.Equal(3, SignedNote.Open(note, pinned).Verified.Count);
        Assert.Contains(next, pinned);

        var retired = CheckpointKeys.Retire(data, old);
        Assert.Equal(At("next.key"), Configuration.Read(data).Keys.Checkpoint);
        Assert.Contains("kind", Assert.Throws<OptionsException>(() => CheckpointKeys.Retire(data, DevPkiFolder.At("gateway", "checkpoint-mldsa.key"))).Message, StringComparison.Ordinal);
        Assert.Throws<OptionsException>(() => CheckpointKeys.Add(data, old, null));

        await gateway.Restart();
        await gateway.Host.Loops.StepAll();
        pins = Pins(gateway);
        Assert.Equal(next.ToString(), pins.GetProperty("checkpointKey").GetString());
        // Who reads older checkpoints needs the former one.
        Assert.Contains(pins.GetProperty("checkpointKeys").EnumerateArray(), k => k.GetString() == retired.ToString());
        note = System.Text.Encoding.UTF8.GetBytes(gateway.Host.Shared.Ledger.Newest!.Note);
        Assert.Equal(2, SignedNote.Open(note, pinned).Verified.Count);
        Directory.Delete(keys, recursive: true);
    }

    [Fact]
    public async Task A_folder_without_the_second_key_starts_and_says_how_to_add_it()
    {
        await using var gateway = await TestGateway.Start(options: o => o with { Keys = o.Keys with { CheckpointBeside = [] } });
        Assert.Contains(gateway.Logs.Lines, l => l.Contains("checkpoint-key add", StringComparison.Ordinal));
        Assert.False(Pins(gateway).TryGetProperty("checkpointKeys", out var none), none.ToString());
        Directory.Delete(keys, recursive: true);
    }

    [Fact]
    public async Task Init_makes_the_second_key_where_it_is_told_to_and_takes_one_that_is_there()
    {
        var file = At("second.key");
        await using (var gateway = await TestGateway.Start(options: o => o with { Keys = o.Keys with { CheckpointBeside = [file] } }))
            Assert.Equal(NoteKeyType.MlDsa44Cosignature, CheckpointKeys.List(gateway.Data)[1].Key.Type);
        var bytes = File.ReadAllBytes(file);
        await using (var again = await TestGateway.Start(options: o => o with { Keys = o.Keys with { CheckpointBeside = [file] } }))
            Assert.Equal(bytes, File.ReadAllBytes(file));
        Directory.Delete(keys, recursive: true);
    }

    [Fact]
    public async Task Keys_that_do_not_fit_are_named()
    {
        await using var gateway = await TestGateway.Start();
        var options = Configuration.Read(gateway.Data);
        IReadOnlyList<string> Errors(Func<KeyFiles, KeyFiles> change) => Assert.Throws<OptionsException>(() => Equipment.Open(gateway.Data, options with { Keys = change(options.Keys) }, gateway.Clock)).Errors;
        Assert.StartsWith("keys.checkpoint: must be an Ed25519", Assert.Single(Errors(k => k with { Checkpoint = k.CheckpointBeside[0], CheckpointBeside = [k.Checkpoint] })), StringComparison.Ordinal);
        Assert.StartsWith("keys.checkpointBeside: a key stands there twice", Assert.Single(Errors(k => k with { CheckpointBeside = [k.Checkpoint] })), StringComparison.Ordinal);
        Assert.StartsWith("keys.checkpointBeside[0]:", Assert.Single(Errors(k => k with { CheckpointBeside = [At("nowhere.key")] })), StringComparison.Ordinal);
        Directory.Delete(keys, recursive: true);
    }
}
