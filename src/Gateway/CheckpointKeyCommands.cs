using System.CommandLine;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Operations;

namespace Exchange.Gateway;

/// <summary>checkpoint-key: adds and retires the keys that sign checkpoints.</summary>
static class CheckpointKeyCommands
{
    const string Classic = "ed25519", PostQuantum = "ml-dsa-44";

    public static Command Keys(Option<DirectoryInfo> data) => new("checkpoint-key", "The keys that sign checkpoints: Ed25519 and ML-DSA-44 beside it. They change with an overlap: add --data DIR [--new KIND] FILE, start, give out the new pins, retire --data DIR FILE, start.")
    {
        List(data), Add(data), Retire(data),
    };

    static Command List(Option<DirectoryInfo> data)
    {
        var command = new Command("list", "Names the key files and their public halves, as others pin them.") { data };
        command.SetAction(async (parsed, _) =>
        {
            foreach (var (file, key) in CheckpointKeys.List(parsed.GetRequiredValue(data).FullName)) await Console.Out.WriteLineAsync($"{file}\t{key}");
            return 0;
        });
        return command;
    }

    static Command Add(Option<DirectoryInfo> data)
    {
        var file = new Argument<FileInfo>("file") { Description = "Encrypted PKCS#8 PEM file, under the passphrase of the others; not in the data folder." };
        var make = new Option<string?>("--new") { Description = $"Make the key there: {PostQuantum} or {Classic}. Without it the file must be there." };
        make.AcceptOnlyFromAmong(PostQuantum, Classic);
        var command = new Command("add", "Lets one more key sign checkpoints from the next start on.") { file, data, make };
        command.SetAction(async (parsed, _) =>
        {
            NoteKeyType? type = parsed.GetValue(make) switch { PostQuantum => NoteKeyType.MlDsa44Cosignature, Classic => NoteKeyType.Ed25519, _ => null };
            await Console.Out.WriteLineAsync(CheckpointKeys.Add(parsed.GetRequiredValue(data).FullName, parsed.GetRequiredValue(file).FullName, type).ToString());
            await Console.Error.WriteLineAsync("It signs from the next start on. Then give the new pins to offices, auditors and witnesses (exchange-gateway export); retire an old key only after they have them.");
            return 0;
        });
        return command;
    }

    static Command Retire(Option<DirectoryInfo> data)
    {
        var file = new Argument<FileInfo>("file") { Description = "The key file, as gateway.json names it." };
        var command = new Command("retire", "Lets a key sign no more from the next start on. Refused until every other key has signed the newest checkpoint beside it. The file stays: destroy it when nobody needs it.") { file, data };
        command.SetAction(async (parsed, _) =>
        {
            await Console.Out.WriteLineAsync(CheckpointKeys.Retire(parsed.GetRequiredValue(data).FullName, parsed.GetRequiredValue(file).FullName).ToString());
            await Console.Error.WriteLineAsync("It signs until the gateway is started again. Its public half stays in gateway.json and in the pins: older checkpoints are read with it.");
            return 0;
        });
        return command;
    }
}
