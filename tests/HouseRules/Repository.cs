using System.Diagnostics;
using Xunit;

namespace Exchange.Tests;

/// <summary>The working tree that these tests were built from.</summary>
static class Repository
{
    static readonly string Folder = Find();

    public static string Path(string relative) => System.IO.Path.Combine(Folder, relative);

    /// <summary>Tracked files that match a pattern ("*.cs"), with forward slashes; all of them for none. Skips the test outside a clone.</summary>
    public static IReadOnlyList<string> Files(params string[] patterns)
    {
        var start = new ProcessStartInfo("git") { WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["ls-files", "-z", "--", .. patterns]) start.ArgumentList.Add(argument);
        Process? git = null;
        try { git = Process.Start(start)!; }
        catch (System.ComponentModel.Win32Exception) { Assert.Skip("git is not installed"); }
        using var running = git!;
        var output = running.StandardOutput.ReadToEnd();
        running.WaitForExit();
        if (running.ExitCode != 0) Assert.Skip("not a clone: git lists no files here");
        return [.. output.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(f => File.Exists(Path(f)))];
    }

    static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Exchange.sln"))) return folder.FullName;
        throw new InvalidOperationException("No Exchange.sln above the test program.");
    }
}
