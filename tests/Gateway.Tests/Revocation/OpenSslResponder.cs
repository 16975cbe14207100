using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Exchange.Office.Dev;
using Exchange.Tests.Trust;
using Certificate = Exchange.Crypto.Trust.Certificate;

namespace Exchange.Tests.Revocation;

/// <summary>The OCSP responder of OpenSSL, over real HTTP on a port that the system gives.</summary>
sealed class OpenSslResponder : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("exchange-ocsp-");
    Process? process;

    public Uri Url { get; private set; } = null!;

    /// <param name="known">Certificates that it knows as good, or as revoked from a time.</param>
    public OpenSslResponder(DevAuthority authority, IEnumerable<(Certificate Certificate, DateTimeOffset? Revoked)> known)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var responder = OcspForge.Delegate(authority, validity: new(now.AddHours(-1), now.AddDays(30)));
        using var key = responder.GetECDsaPrivateKey()!;
        Write("ca.pem", authority.Certificate.ExportCertificatePem());
        Write("responder.pem", responder.ExportCertificatePem());
        Write("responder.key", key.ExportPkcs8PrivateKeyPem());
        Write("index.txt", string.Concat(known.Select((k, i) => $"{(k.Revoked is null ? "V" : "R")}\t{Time(k.Certificate.NotAfter)}\t{(k.Revoked is { } from ? Time(from) + ",keyCompromise" : "")}\t{Convert.ToHexString(k.Certificate.SerialNumber)}\tunknown\t/CN={i}\n")));
        Start();
    }

    public void Start()
    {
        var start = new ProcessStartInfo("openssl", "ocsp -port 0 -index index.txt -CA ca.pem -rsigner responder.pem -rkey responder.key -rmd sha384 -ndays 1") { WorkingDirectory = folder.FullName, RedirectStandardOutput = true, RedirectStandardError = true };
        process = Process.Start(start)!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        // "ACCEPT [::]:45643 PID=549", once it listens.
        var line = process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("openssl ocsp does not start");
        Url = new Uri($"http://127.0.0.1:{line.Split(' ')[1].Split(':')[^1]}/");
        _ = process.StandardOutput.ReadToEndAsync();
    }

    public void Stop()
    {
        process?.Kill();
        process?.WaitForExit();
        process?.Dispose();
        process = null;
    }

    void Write(string name, string text) => File.WriteAllText(Path.Combine(folder.FullName, name), text);
    static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyMMddHHmmss", CultureInfo.InvariantCulture) + "Z";

    public void Dispose()
    {
        Stop();
        folder.Delete(recursive: true);
    }
}
