using System.Net;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Operations;

/// <summary>What `init` is given: paths as typed.</summary>
sealed record InitRequest(string Data, Options Options, string Trust, IReadOnlyList<string> Documents);

/// <summary>Makes a data folder: settings, anchors, store, and the first four documents put in force through the journal.</summary>
static class Initialise
{
    /// <exception cref="OptionsException">Names everything that is wrong; nothing was made, or the folder is incomplete and init says so again.</exception>
    public static async Task Run(InitRequest request, TimeProvider clock)
    {
        // 1. Everything that can be wrong is found before the folder is touched, as far as it can be.
        var options = Options.Read(request.Options.Write());
        var missing = request.Documents.Append(request.Trust).Where(p => !File.Exists(p) && !Directory.Exists(p)).Select(p => $"{p}: no such file").ToList();
        if (missing.Count > 0) throw new OptionsException(missing);

        // 2. The folder, its anchors, its store. A crash from here on leaves a folder without gateway.json: not usable, and init refuses it as not empty.
        using var folder = DataFolder.Create(request.Data);
        CopyTrust(request.Trust, Path.Combine(request.Data, Equipment.TrustFolder));
        DurableFile.CreateFolder(Path.Combine(folder.Incoming, IncomingFolder.Done));
        DurableFile.CreateFolder(Path.Combine(folder.Incoming, IncomingFolder.Refused));
        MakeSecondKey(options);
        using var equipment = Equipment.Open(request.Data, options, clock);
        using var engine = SqliteEngine.Open(folder.Database, create: true);

        // 3. The documents, verified under the pins, in one activation.
        var worlds = new Worlds(World.Empty(equipment.Anchors));
        using (var journal = new Journal(engine, worlds, clock, new JournalOptions(), failure => throw failure))
        {
            journal.Start();
            var documents = request.Documents.Select(file => (ReadOnlyMemory<byte>)File.ReadAllBytes(file)).ToList();
            PreparedWorld prepared;
            try { prepared = WorldActivation.Prepare(worlds.Current, documents, new Pins(options.DirectoryOfficers, options.PolicyOfficers), clock.GetUtcNow()); }
            catch (RefusedException e) { throw new OptionsException([$"{e.Message}: {e.Refusal.En}"]); }
            await journal.Commit(b => b.Activate(prepared), documents.Sum(d => d.Length));
            if (!worlds.Current.Complete) throw new OptionsException(["policy, directory and standing must all be given"]);
            if (options.Ceiling is { } ceiling && worlds.Current.Policy.Level(ceiling) is null) throw new OptionsException([$"ceiling: the policy has no level {ceiling}"]);
        }

        Guard.Create(Guard.FileIn(options.Guard), options.Origin).Dispose();

        // 4. The settings last: with them the folder is one that a gateway starts on.
        DurableFile.Write(Path.Combine(request.Data, Options.FileName), options.Write());
    }

    // Named and not there: the one key that init itself makes. A crash after it leaves a key that signed nothing and that the next init takes.
    static void MakeSecondKey(Options options)
    {
        if (options.Keys.CheckpointBeside is not [var file] || File.Exists(file)) return;
        try { CheckpointKeys.Make(file, options.Origin, NoteKeyType.MlDsa44Cosignature, File.ReadLines(options.Keys.PassphrasePath).FirstOrDefault() ?? ""); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { throw new OptionsException([$"keys.checkpointBeside[0]: {e.Message}"]); }
    }

    static void CopyTrust(string from, string to)
    {
        foreach (var kind in new[] { "roots", "intermediates", "crls" })
        {
            var target = Path.Combine(to, kind);
            DurableFile.CreateFolder(target);
            if (!Directory.Exists(Path.Combine(from, kind))) continue;
            foreach (var file in Directory.EnumerateFiles(Path.Combine(from, kind)))
                DurableFile.Write(Path.Combine(target, Path.GetFileName(file)), File.ReadAllBytes(file));
        }
    }

    /// <summary>The request that a folder made by `exchange dev pki` stands for.</summary>
    public static InitRequest FromDevelopment(string data, string certificates, IPEndPoint listen, IPEndPoint? operations, string? guard)
    {
        var root = Path.GetFullPath(certificates);
        string At(params string[] parts) => Path.Combine([root, .. parts]);
        var pins = System.Text.Json.JsonDocument.Parse(File.ReadAllBytes(At("pins.json"))).RootElement;
        IReadOnlyList<Digest> Keys(string name) => [.. pins.GetProperty(name).EnumerateArray().Select(k => Digest.TryParse(k.GetString(), out var key) ? key : throw new OptionsException([$"pins.json: {name}"]))];
        var options = new Options
        {
            Origin = File.ReadAllText(At("gateway", "origin")).Trim(), Environment = Options.Development, Ceiling = "tuyet-mat", Listen = listen, Operations = operations, Guard = guard ?? DefaultGuard(data),
            Keys = new(At("gateway", "tls.p12"), At("gateway", "evidence.p12"), At("gateway", "checkpoint.key"), At("passphrase")) { CheckpointBeside = [At("gateway", "checkpoint-mldsa.key")] },
            DirectoryOfficers = Keys("directoryOfficers"), PolicyOfficers = Keys("policyOfficers"), Limits = Limits.Defaults,
        };
        return new(data, options, At("trust"), Documents(At("statements", "directory.p7s"), At("statements", "cards"), At("statements", "standing.p7s"), At("statements", "policy.p7s")));
    }

    public static IReadOnlyList<string> Documents(string directory, string? cards, string standing, string policy) =>
        [directory, .. cards is null ? [] : Directory.Exists(cards) ? Directory.GetFiles(cards).Order(StringComparer.Ordinal).ToArray() : [cards], standing, policy];

    /// <summary>Beside the data folder, never inside it.</summary>
    public static string DefaultGuard(string data) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(data)) + ".guard";
}
