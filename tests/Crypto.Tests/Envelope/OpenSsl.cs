using System.Diagnostics;

namespace Exchange.Tests.Envelope;

/// <summary>The openssl command in a folder of its own. It proves interoperability; what it accepts is no measure of what we may accept.</summary>
sealed class OpenSsl : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("exchange-openssl-");

    public OpenSsl()
    {
        try { Run("version"); }
        catch (System.ComponentModel.Win32Exception) { Assert.Skip("no openssl command on this machine"); }
    }

    public void Write(string name, ReadOnlySpan<byte> bytes) => File.WriteAllBytes(Path.Combine(folder.FullName, name), bytes);
    public void Write(string name, string text) => File.WriteAllText(Path.Combine(folder.FullName, name), text);
    public byte[] Read(string name) => File.ReadAllBytes(Path.Combine(folder.FullName, name));

    /// <summary>Must succeed; standard output.</summary>
    public string Run(string arguments)
    {
        var (code, output, error) = Try(arguments);
        Assert.True(code == 0, $"openssl {arguments}: {error}");
        return output;
    }

    public (int Code, string Output, string Error) Try(string arguments)
    {
        var start = new ProcessStartInfo("openssl", arguments) { WorkingDirectory = folder.FullName, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }

    public void Dispose() => folder.Delete(recursive: true);
}
