using Exchange.Fuzz;
using SharpFuzz;

// fuzz TARGET              the fuzzer's child, started by afl-fuzz (see ./fuzz)
// once TARGET FILE...      one line a file: what became of it
// seeds FOLDER             writes corpus and context anew, from good ones
// list                     names of the targets
// anything else            the tests
switch (args)
{
    case ["fuzz", var target]:
        Fuzzer.OutOfProcess.Run(stream =>
        {
            using var input = new MemoryStream();
            stream.CopyTo(input);
            Targets.Run(target, input.ToArray());
        });
        return 0;
    case ["once", var target, .. var files]:
        var bad = 0;
        foreach (var file in files)
        {
            try { Console.WriteLine($"{Path.GetFileName(file)} {Targets.Run(target, File.ReadAllBytes(file))?.Code ?? "accepted"}"); }
            catch (Exception e) { Console.WriteLine($"{Path.GetFileName(file)} FOUND {e}"); bad = 1; }
        }
        return bad;
    case ["seeds", var folder]:
        Seeds.Write(folder);
        return 0;
    case ["list"]:
        foreach (var name in Targets.All.Keys) Console.WriteLine(name);
        return 0;
    default:
        // As xunit would generate it.
        return args.Any(a => a is "--server" or "--internal-msbuild-node")
            ? await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, Exchange.Tests.SelfRegisteredExtensions.AddSelfRegisteredExtensions)
            : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
}
