using System.CommandLine;
using System.Net;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway;

/// <summary>The `exchange-gateway` command. Exit codes: 0 good, 1 refused or bad, 64 usage. What it says goes to standard error, what it gives to standard output.</summary>
static class Program
{
    public static string Version { get; } = typeof(Program).Assembly.GetName().Version!.ToString(3);
    const int Bad = 1, Usage = 64;

    static readonly Option<DirectoryInfo> Data = new("--data") { Description = "Data folder of the gateway.", Required = true };
    static readonly Option<string?> Listen = new("--listen") { Description = "Address and port for offices, mutual TLS. Port 0: the system chooses. Default: 127.0.0.1:0, or what gateway.json says." };

    public static async Task<int> Main(string[] args)
    {
        var root = new RootCommand("Gateway of the exchange: takes sealed dispatches in, decides without reading them, journals, hands over, proves.")
        {
            InitCommand(), ServeCommand(), CheckConfigCommand(), ActivateCommand(), ExportCommand(), DecisionCommand(), PingCommand(), CheckCommand(), EraseCommands.Compact(Data), CheckpointKeyCommands.Keys(Data), NewOriginCommand.Create(Data), AdminCommands.Admin(Data), BackupCommands.Backup(Data), BackupCommands.Restore(Data),
        };
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors) await Console.Error.WriteLineAsync(error.Message);
            await Console.Error.WriteLineAsync("Try --help.");
            return Usage;
        }
        try { return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false }); }
        catch (OptionsException e) { return await Fail(e.Errors); }
        catch (CannotRestoreException e) { return await Fail([e.Message]); }
        catch (CannotStartException e) { return await Fail([e.Message]); }
        catch (RefusedException e) { return await Fail([$"{e.Message}: {e.Refusal.En} {e.Refusal.RemedyEn}"]); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return await Fail([e.Message]); }
    }

    static Command InitCommand()
    {
        var dev = new Option<DirectoryInfo?>("--dev") { Description = "Folder made by `exchange dev pki`: stands for all options below." };
        var origin = new Option<string?>("--origin") { Description = "Ledger origin, for example gateway.example/ledger. Afterwards it changes only by new-origin." };
        var environment = new Option<string>("--environment") { Description = "Development or Production.", DefaultValueFactory = _ => Options.Production };
        var trust = new Option<string?>("--trust") { Description = "Folder with roots/, intermediates/ and crls/; copied." };
        var tls = new Option<string?>("--tls") { Description = "PKCS#12 file: TLS server key." };
        var evidence = new Option<string?>("--evidence") { Description = "PKCS#12 file: key that signs receipts." };
        var checkpoint = new Option<string?>("--checkpoint-key") { Description = "Encrypted PKCS#8 PEM file: Ed25519 key that signs checkpoints." };
        var mldsa = new Option<string?>("--mldsa-key") { Description = "ML-DSA-44 key that signs checkpoints as well, in a file of the same kind; made when there is no such file." };
        var passphrase = new Option<string?>("--passphrase-file") { Description = "File whose first line opens the key files; %d/NAME: a credential of the service manager." };
        var directoryOfficer = new Option<string[]>("--directory-officer") { Description = "Key of a directory officer (SHA-256 of the certificate, base64url); give two." };
        var policyOfficer = new Option<string[]>("--policy-officer") { Description = "Key of a policy officer; give two." };
        var directory = new Option<string?>("--directory") { Description = "Directory statement, DER." };
        var cards = new Option<string?>("--cards") { Description = "Folder with the cards it names, DER; none for a directory without offices." };
        var standing = new Option<string?>("--standing") { Description = "Standing statement, DER." };
        var policy = new Option<string?>("--policy") { Description = "Policy statement, DER." };
        var operations = new Option<string?>("--operations") { Description = "Loopback address and port of the plain HTTP listener for health and metrics. Default: none." };
        var guard = new Option<string?>("--guard") { Description = "Folder of the second store against which checkpoints are compared. Default: beside the data folder, NAME.guard." };
        var ceiling = new Option<string?>("--ceiling") { Description = "Code of the highest level whose sealed dispatches this machine may hold. Default: the policy's lowest only." };
        var command = new Command("init", "Makes a data folder: settings, trust anchors, store, and the first directory, standing and policy.")
        {
            Data, Listen, dev, origin, environment, trust, tls, evidence, checkpoint, mldsa, passphrase, directoryOfficer, policyOfficer, directory, cards, standing, policy, operations, guard, ceiling,
        };
        command.SetAction(async (parsed, _) =>
        {
            var data = parsed.GetRequiredValue(Data).FullName;
            List<string> errors = [];
            var listen = EndPoint(parsed.GetValue(Listen), "--listen", errors) ?? new IPEndPoint(IPAddress.Loopback, 0);
            var health = EndPoint(parsed.GetValue(operations), "--operations", errors);
            var guardFolder = parsed.GetValue(guard) is { } given ? Path.GetFullPath(given) : null;
            if (parsed.GetValue(dev) is { } certificates)
            {
                if (errors.Count > 0) throw new OptionsException(errors);
                await Initialise.Run(Initialise.FromDevelopment(data, certificates.FullName, listen, health, guardFolder), TimeProvider.System);
            }
            else
            {
                string Given(Option<string?> option)
                {
                    if (parsed.GetValue(option) is { Length: > 0 } value) return value;
                    errors.Add($"{option.Name}: missing");
                    return "";
                }
                string GivenPath(Option<string?> option) => Given(option) is { Length: > 0 } path ? Path.GetFullPath(path) : "";
                // A credential has its place only while the unit runs.
                static string Passphrase(string given) => given.Length == 0 || KeyFiles.IsPassphraseFile(given) ? given : Path.GetFullPath(given);
                IReadOnlyList<Digest> Keys(Option<string[]> option) =>
                    [.. (parsed.GetValue(option) ?? []).SelectMany(text => { if (Digest.TryParse(text, out var key)) return new[] { key }; errors.Add($"{option.Name}: {text} is not a key"); return []; })];
                var options = new Options
                {
                    Origin = Given(origin), Environment = parsed.GetValue(environment)!, Listen = listen, Operations = health, Ceiling = parsed.GetValue(ceiling), Guard = guardFolder ?? Initialise.DefaultGuard(data),
                    Keys = new(GivenPath(tls), GivenPath(evidence), GivenPath(checkpoint), Passphrase(Given(passphrase))) { CheckpointBeside = [GivenPath(mldsa)] },
                    DirectoryOfficers = Keys(directoryOfficer), PolicyOfficers = Keys(policyOfficer), Limits = Limits.Defaults,
                };
                var request = new InitRequest(data, options, GivenPath(trust), Initialise.Documents(GivenPath(directory), parsed.GetValue(cards) is { } folder ? Path.GetFullPath(folder) : null, GivenPath(standing), GivenPath(policy)));
                if (errors.Count > 0) throw new OptionsException(errors);
                await Initialise.Run(request, TimeProvider.System);
            }
            await Console.Error.WriteLineAsync($"{data} is ready. Start it with: exchange-gateway serve --data {data}");
            return 0;
        });
        return command;
    }

    static Command ServeCommand()
    {
        var command = new Command("serve", "Runs until SIGTERM or Ctrl-C. Prints where it listens and writes it to DIR/address.") { Data, Listen };
        command.SetAction(async (parsed, _) =>
        {
            List<string> errors = [];
            var listen = EndPoint(parsed.GetValue(Listen), "--listen", errors);
            if (errors.Count > 0) throw new OptionsException(errors);
            using var process = new ServingProcess();
            await using var host = await GatewayHost.Start(parsed.GetRequiredValue(Data).FullName, new HostSettings { Listen = listen, Logs = process.Logs });
            await Console.Out.WriteLineAsync($"listening on {host.Address.AbsoluteUri.TrimEnd('/')}");
            if (host.OperationsAddress is { } operations) await Console.Out.WriteLineAsync($"health on {operations.AbsoluteUri.TrimEnd('/')}");
            await process.Asked;
            return 0;
        });
        return command;
    }

    static Command CheckConfigCommand()
    {
        var explain = new Option<bool>("--explain") { Description = "Print every limit with default, range and meaning instead." };
        var command = new Command("check-config", "Names everything that is wrong with gateway.json, the trust folder and the key files.") { Data, explain };
        command.SetAction(async (parsed, _) =>
        {
            if (parsed.GetValue(explain))
            {
                foreach (var (name, option) in Limits.All) await Console.Out.WriteLineAsync($"limits.{name} = {option.Default} ({option.Min} to {option.Max}): {option.Meaning}");
                foreach (var (name, option) in QueueOptions.All) await Console.Out.WriteLineAsync($"queue.{name} = {option.Default} ({option.Min} to {option.Max}): {option.Meaning}");
                foreach (var (name, option) in TimeStampOptions.All) await Console.Out.WriteLineAsync($"timeStamp.{name} = {option.Default} ({option.Min} to {option.Max}): {option.Meaning}");
                foreach (var (name, option) in RevocationOptions.All) await Console.Out.WriteLineAsync($"revocation.{name} = {option.Default} ({option.Min} to {option.Max}): {option.Meaning}");
                return 0;
            }
            var errors = Configuration.Check(parsed.GetRequiredValue(Data).FullName, TimeProvider.System);
            if (errors.Count > 0) return await Fail(errors);
            await Console.Out.WriteLineAsync("good");
            if (!CheckpointKeys.List(parsed.GetRequiredValue(Data).FullName).Any(k => k.Key.Type == NoteKeyType.MlDsa44Cosignature)) await Console.Error.WriteLineAsync($"note: {OperationsLog.SignedOnce}");
            return 0;
        });
        return command;
    }

    static Command ActivateCommand()
    {
        var files = new Argument<FileInfo[]>("file") { Description = "Signed statements or CRLs.", Arity = ArgumentArity.OneOrMore };
        var command = new Command("activate", "Hands signed statements or CRLs to the running gateway and waits until they are in force, or says why not.") { Data, files };
        command.SetAction(async (parsed, cancel) =>
        {
            var wrong = await HandOver.Run(parsed.GetRequiredValue(Data).FullName, parsed.GetRequiredValue(files), Console.Error, TimeProvider.System, cancel);
            return wrong.Count == 0 ? 0 : await Fail(wrong);
        });
        return command;
    }

    static Command ExportCommand()
    {
        var target = new Option<DirectoryInfo>("--out") { Description = "Folder to write to.", Required = true };
        var officers = new Option<bool>("--officers") { Description = "Also statements/, what is in force: for the machines of directory and policy officers, not for offices." };
        var command = new Command("export", "Writes what others need to know of this gateway: pins.json and trust/, with the newest CRLs. Nothing secret; runs beside the gateway.") { Data, target, officers };
        command.SetAction(parsed => Beside(parsed, (options, equipment, world, _) =>
        {
            Export.Run(options, equipment, world, parsed.GetRequiredValue(target).FullName, parsed.GetValue(officers));
            return Task.FromResult(0);
        }));
        return command;
    }

    static Command DecisionCommand()
    {
        var id = new Argument<string>("id") { Description = "Envelope id, dispatch id, or the digest of a decision as it stands in an entry." };
        var target = new Option<DirectoryInfo>("--out") { Description = "Folder to write to; one folder in it for each decision.", Required = true };
        var command = new Command("decision", "Writes the decisions about a dispatch, with their ledger entries and policies, for `exchange policy explain` and `replay`. For policy officers and auditors; runs beside the gateway.") { id, Data, target };
        command.SetAction(async (parsed, _) =>
        {
            using var engine = SqliteEngine.OpenReadOnly(DataFolder.DatabaseIn(parsed.GetRequiredValue(Data).FullName));
            var written = ExportDecision.Run(engine, parsed.GetRequiredValue(id), parsed.GetRequiredValue(target).FullName);
            foreach (var folder in written) await Console.Out.WriteLineAsync(folder);
            return written.Count > 0 ? 0 : await Fail([$"{parsed.GetRequiredValue(id)}: no decision names it"]);
        });
        return command;
    }

    static Command PingCommand()
    {
        var office = new Argument<string>("office") { Description = "Code of the office, for example H41." };
        var command = new Command("ping", "Can this office be reached by its channel? Says of each thing on the way what is good, or what is wrong and what to do. Exit 0 reachable, 1 not. Runs beside the gateway; carries nothing.") { office, Data };
        command.SetAction((parsed, cancel) => Beside(parsed, async (options, equipment, world, engine) =>
        {
            var adapters = Composition.Adapters(options, new Worlds(world), equipment, engine, TimeProvider.System);
            var (good, lines) = await new Delivery.PingOffice(world, engine, adapters, TimeProvider.System).Run(parsed.GetRequiredValue(office), cancel);
            foreach (var adapter in adapters.OfType<IDisposable>()) adapter.Dispose();
            foreach (var line in lines) await Console.Out.WriteLineAsync(line);
            await Console.Out.WriteLineAsync(good ? $"{parsed.GetRequiredValue(office)} can be reached" : $"{parsed.GetRequiredValue(office)} cannot be reached");
            return good ? 0 : Bad;
        }));
        return command;
    }

    /// <summary>Reads what is in force, without the lock: the gateway may be running.</summary>
    static async Task<int> Beside(ParseResult parsed, Func<Options, Equipment, World, IEngine, Task<int>> action)
    {
        var data = parsed.GetRequiredValue(Data).FullName;
        var options = Configuration.Read(data);
        using var equipment = Equipment.Open(data, options, TimeProvider.System);
        using var engine = SqliteEngine.OpenReadOnly(DataFolder.DatabaseIn(data));
        var world = Worlds.Load(engine, equipment.Anchors, new Pins(options.DirectoryOfficers, options.PolicyOfficers), TimeProvider.System.GetUtcNow()).Current;
        return world.Complete ? await action(options, equipment, world, engine) : await Fail([$"{data}: nothing has been activated yet"]);
    }

    static Command CheckCommand()
    {
        var command = new Command("check", "Checks that the store keeps every promise made, while the gateway is stopped. Names what is missing.") { Data };
        command.SetAction(async (parsed, _) =>
        {
            using var folder = DataFolder.Open(parsed.GetRequiredValue(Data).FullName);
            using var engine = SqliteEngine.Open(folder.Database);
            var options = Configuration.Read(folder.Root);
            using var guard = Guard.Open(Guard.FileIn(options.Guard), options.Origin);
            var findings = StoreCheck.Run(engine, new BlobStore(folder.Blobs, TimeProvider.System), guard.Heads());
            if (findings.Count > 0) return await Fail([.. findings.Select(f => f.ToString())]);
            await Console.Out.WriteLineAsync("good");
            return 0;
        });
        return command;
    }

    static IPEndPoint? EndPoint(string? text, string name, List<string> errors)
    {
        if (text is null) return null;
        if (OptionsReader.TryEndPoint(text, out var found)) return found;
        errors.Add($"{name}: must be ADDRESS:PORT, for example 127.0.0.1:0");
        return null;
    }

    static async Task<int> Fail(IReadOnlyList<string> errors)
    {
        foreach (var error in errors) await Console.Error.WriteLineAsync($"error: {error}");
        return Bad;
    }
}
