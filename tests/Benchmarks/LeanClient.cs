using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Exchange.Benchmarks;

/// <summary>
/// One connection, HTTP/1.1 over mutual TLS, one request under way, and nothing else: a load generator shares the cores with what it loads, so it must cost little, as Postfix's smtp-source does.
/// Knows no more of HTTP than the gateway's answers need.
/// </summary>
sealed class LeanClient : IDisposable
{
    const int MaxAnswer = 64 << 10;
    readonly SslStream stream;
    readonly string host;
    readonly byte[] answer = new byte[MaxAnswer];

    LeanClient(SslStream stream, string host) => (this.stream, this.host) = (stream, host);

    public static async Task<LeanClient> ConnectAsync(Uri gateway, X509Certificate2 certificate)
    {
        var tcp = new TcpClient { NoDelay = true };
        await tcp.ConnectAsync(gateway.Host, gateway.Port);
        var stream = new SslStream(tcp.GetStream());
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = gateway.Host, LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate, RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null,
        });
        return new(stream, gateway.Authority);
    }

    /// <exception cref="InvalidDataException">An answer that this client does not read.</exception>
    public async Task<(int Status, byte[] Body)> PostAsync(string path, byte[] body)
    {
        var head = string.Create(CultureInfo.InvariantCulture, $"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/octet-stream\r\nContent-Length: {body.Length}\r\n\r\n");
        await stream.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes(head), .. body]);
        var (read, end) = (0, -1);
        while (end < 0)
        {
            read += await ReadAsync(read);
            end = answer.AsSpan(0, read).IndexOf("\r\n\r\n"u8);
        }
        var lines = Encoding.ASCII.GetString(answer, 0, end).Split("\r\n");
        var length = lines.FirstOrDefault(l => l.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase)) is { } line
            ? int.Parse(line["Content-Length:".Length..], NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture) : throw new InvalidDataException("an answer without its length");
        for (end += 4; read < end + length;) read += await ReadAsync(read);
        return (int.Parse(lines[0].Split(' ')[1], CultureInfo.InvariantCulture), answer[end..(end + length)]);
    }

    async Task<int> ReadAsync(int at)
    {
        var read = await stream.ReadAsync(answer.AsMemory(at));
        return read > 0 ? read : throw new InvalidDataException("an answer that breaks off, or is too long");
    }

    public void Dispose() => stream.Dispose();
}
