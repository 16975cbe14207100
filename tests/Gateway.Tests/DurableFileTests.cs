using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using Xunit;

namespace Exchange.Tests;

/// <summary>What DurableFile promises, seen from the kernel's side: order of calls by strace, errors by strace's injection.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class DurableFileTests : IDisposable
{
    const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    readonly string folder = Directory.CreateTempSubdirectory("durable").FullName;
    string Target => Path.Combine(folder, "target");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Write_syncs_the_file_then_renames_then_syncs_the_folder()
    {
        var calls = Watch("write", Target).Calls;
        AssertOrder(calls, "write .tmp", "fsync .tmp", "rename .tmp target", "fsync folder");
        Assert.Equal("content", File.ReadAllText(Target));
        Assert.Equal(Owner, File.GetUnixFileMode(Target));
    }

    [Fact]
    public void Write_without_replacing_syncs_the_file_then_links_then_syncs_the_folder()
    {
        var calls = Watch("new", Target).Calls;
        AssertOrder(calls, "write .tmp", "fsync .tmp", "link .tmp target", "unlink .tmp", "fsync folder");
        Assert.Equal("content", File.ReadAllText(Target));
    }

    [Fact]
    public void A_file_in_its_place_can_be_read_before_its_writer_has_let_go_of_it()
    {
        using var writer = DurableFile.Create(Target, replace: true);
        writer.Stream.Write("content"u8);
        writer.Commit();
        Assert.Equal("content", File.ReadAllText(Target));
    }

    [Fact]
    public void Delete_unlinks_then_syncs_the_folder()
    {
        File.WriteAllText(Target, "old");
        AssertOrder(Watch("delete", Target).Calls, "unlink target", "fsync folder");
        Assert.False(File.Exists(Target));
    }

    [Fact]
    public void CreateFolder_syncs_the_parent_of_each_folder_it_makes()
    {
        var calls = Watch("folder", Path.Combine(folder, "target", "inner")).Calls;
        AssertOrder(calls, "mkdir target", "fsync folder", "mkdir target", "fsync target");
        Assert.True(Directory.Exists(Path.Combine(folder, "target", "inner")));
    }

    [Fact]
    public void A_failed_fsync_of_the_file_puts_nothing_in_its_place()
    {
        File.WriteAllText(Target, "old");
        var (exit, output, calls) = Watch("write", Target, "--inject=fsync:error=EIO:when=1");
        Assert.Equal((3, "5"), (exit, output));
        Assert.DoesNotContain(calls, c => c.StartsWith("rename", StringComparison.Ordinal));
        Assert.Equal("old", File.ReadAllText(Target));
        Assert.Equal([Target], Directory.GetFiles(folder));
        // Once failed, never synced again: the kernel may have dropped the pages and say yes.
        Assert.Single(calls, c => c.StartsWith("fsync", StringComparison.Ordinal));
    }

    [Fact]
    public void The_folders_of_a_blob_are_synced_also_when_a_run_that_died_had_made_them()
    {
        Directory.CreateDirectory(Path.Combine(folder, "ab", "cd"));
        // "target" is any of them: the folder of all blobs first, then each on the way down.
        AssertOrder(Watch("blob", folder).Calls, "fsync folder", "fsync target", "write .tmp", "fsync .tmp", "link .tmp target", "fsync target");
        Assert.Single(Directory.GetFiles(Path.Combine(folder, "ab", "cd")));
    }

    [Fact]
    public void A_failed_fsync_of_the_folder_is_reported()
    {
        var (exit, output, _) = Watch("write", Target, "--inject=fsync:error=EIO:when=2");
        Assert.Equal((3, "5"), (exit, output));
    }

    [Fact]
    public void An_interrupted_fsync_is_called_again()
    {
        var (exit, _, calls) = Watch("write", Target, "--inject=fsync:error=EINTR:when=1");
        Assert.Equal(0, exit);
        AssertOrder(calls, "fsync .tmp", "fsync .tmp", "rename .tmp target", "fsync folder");
    }

    [Fact]
    public void A_full_disk_is_told_apart_and_leaves_nothing()
    {
        var (exit, output, _) = Watch("write", Target, "--inject=pwrite64:error=ENOSPC");
        Assert.Equal((3, "28"), (exit, output));
        Assert.True(DurableFile.IsFull(new IOException("", 28)));
        Assert.Empty(Directory.GetFiles(folder));
    }

    [Fact]
    public void A_failed_rename_leaves_the_old_file_and_no_temp_file()
    {
        File.WriteAllText(Target, "old");
        var (exit, output, _) = Watch("write", Target, "--inject=rename,renameat,renameat2:error=EACCES");
        Assert.Equal((3, "13"), (exit, output));
        Assert.Equal("old", File.ReadAllText(Target));
        Assert.Equal([Target], Directory.GetFiles(folder));
    }

    [Fact]
    public async Task Write_replaces_and_without_replacing_refuses()
    {
        await DurableFile.WriteAsync(Target, "one"u8.ToArray());
        await DurableFile.WriteAsync(Target, "two"u8.ToArray());
        var e = Assert.Throws<IOException>(() => DurableFile.Write(Target, "three"u8, replace: false));
        Assert.True(DurableFile.IsExists(e));
        Assert.Equal("two", await File.ReadAllTextAsync(Target));
        Assert.Equal([Target], Directory.GetFiles(folder));
    }

    [Fact]
    public async Task A_stream_appears_only_on_commit_and_leaves_no_trace_without()
    {
        using (var given = DurableFile.Create(Target)) given.Stream.Write("lost"u8);
        Assert.Empty(Directory.GetFiles(folder));

        using var writer = DurableFile.Create(Target);
        writer.Stream.Write("kept"u8);
        var temp = Assert.Single(Directory.GetFiles(folder));
        Assert.Equal(Owner, File.GetUnixFileMode(temp));
        Assert.StartsWith(DurableFile.TempPrefix, Path.GetFileName(temp), StringComparison.Ordinal);
        await writer.CommitAsync();
        Assert.Equal([Target], Directory.GetFiles(folder));
        Assert.Throws<InvalidOperationException>(writer.Commit);
        writer.Dispose();
        Assert.Equal("kept", await File.ReadAllTextAsync(Target));
    }

    [Fact]
    public void Messages_do_not_name_the_file()
    {
        var e = Assert.Throws<IOException>(() => DurableFile.Delete(Path.Combine(folder, "secret subject", "name")));
        Assert.DoesNotContain("secret", e.Message, StringComparison.Ordinal);
        Directory.CreateDirectory(Path.Combine(folder, "secret subject"));
        e = Assert.Throws<IOException>(() => DurableFile.Write(Path.Combine(folder, "secret subject"), "x"u8));
        Assert.DoesNotContain("secret", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Delete_of_an_absent_file_is_fine_and_sweep_removes_only_temp_files()
    {
        DurableFile.Delete(Target);
        File.WriteAllText(Target, "kept");
        File.WriteAllText(Path.Combine(folder, DurableFile.TempPrefix + "0011"), "left by a crash");
        Assert.Equal(1, DurableFile.Sweep(folder));
        Assert.Equal([Target], Directory.GetFiles(folder));
    }

    static void AssertOrder(IReadOnlyList<string> calls, params string[] wanted)
    {
        var next = 0;
        foreach (var call in calls) if (next < wanted.Length && call == wanted[next]) next++;
        Assert.True(next == wanted.Length, $"no '{(next < wanted.Length ? wanted[next] : "")}' where it belongs in: {string.Join(" · ", calls)}");
    }

    /// <summary>Runs one action under strace. Calls on our folder in order, each as "name file [file]" with file one of .tmp, target, folder.</summary>
    (int Exit, string Output, IReadOnlyList<string> Calls) Watch(string action, string path, string? inject = null)
    {
        var log = Path.Combine(Directory.CreateTempSubdirectory("strace").FullName, "log");
        try
        {
            var start = new ProcessStartInfo("strace") { RedirectStandardOutput = true, RedirectStandardError = true };
            string[] arguments = ["-f", "-qq", "-y", "-s", "16", "-o", log, "--seccomp-bpf",
                "-e", "trace=write,pwrite64,pwritev,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat",
                .. inject is null ? (string[])[] : [inject],
                Environment.ProcessPath!];
            foreach (var a in arguments) start.ArgumentList.Add(a);
            if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") start.ArgumentList.Add(typeof(DurableFileTests).Assembly.Location);
            start.Environment[DurableProbe.Variable] = $"{action}|{path}";
            start.Environment["DOTNET_TieredPGO"] = "0";
            using var process = Begin(start);
            var output = process.StandardOutput.ReadToEnd().Trim();
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (error.Contains("PTRACE", StringComparison.Ordinal) || error.Contains("ptrace", StringComparison.Ordinal)) Assert.Skip("strace may not trace here: " + error.Trim());
            Assert.True(File.Exists(log), error);
            return (process.ExitCode, output, [.. File.ReadLines(log).Select(Call).OfType<string>()]);
        }
        finally { Directory.Delete(Path.GetDirectoryName(log)!, recursive: true); }
    }

    static Process Begin(ProcessStartInfo start)
    {
        try { return Process.Start(start)!; }
        catch (System.ComponentModel.Win32Exception) { Assert.Skip("strace is not installed"); throw; }
    }

    string? Call(string line)
    {
        if (Regex.Match(line, @"^\d+\s+(\w+)\(") is not { Success: true } name || !line.Contains(folder, StringComparison.Ordinal)) return null;
        var files = Regex.Matches(line, "[\"<](" + Regex.Escape(folder) + "[^\">]*)[\">]").Select(m => m.Groups[1].Value).Where(f => f.StartsWith(folder, StringComparison.Ordinal))
            .Select(f => f == folder ? "folder" : Path.GetFileName(f).StartsWith(".tmp-", StringComparison.Ordinal) ? ".tmp" : "target");
        var call = name.Groups[1].Value switch
        {
            "pwrite64" or "pwritev" => "write",
            "renameat" or "renameat2" => "rename",
            "linkat" => "link",
            "unlinkat" => "unlink",
            "mkdirat" => "mkdir",
            var other => other,
        };
        return $"{call} {string.Join(' ', files)}";
    }
}
