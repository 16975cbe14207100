using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Exchange.Adapters.Https;

/// <summary>How the https channel connects and how long it waits. A channel's settings are {"url": "https://host:port"}.</summary>
public sealed record HttpsOptions
{
    /// <summary>Our certificate, key and chain, shown to every office.</summary>
    public required SslStreamCertificateContext Client { get; init; }

    /// <summary>Is this the certificate of the office with this code? Asked in every handshake; neither the system's roots nor the host name count.</summary>
    public required Func<string, X509Certificate2, bool> IsServerOf { get; init; }

    /// <summary>Until connection and TLS handshake stand. Default 10, from 1 to 60.</summary>
    public int ConnectSeconds { get; init; } = 10;

    /// <summary>While writing, without one byte taken: then the other side hangs. Default 30, from 1 to 600.</summary>
    public int StallSeconds { get; init; } = 30;

    /// <summary>From the last byte of the body to the head of the answer, and again to its end. Default 60, from 1 to 600.</summary>
    public int AnswerSeconds { get; init; } = 60;

    /// <summary>Bytes of an answer; a receipt has about 3 KiB. Default 65536, from 4096 to 1048576.</summary>
    public int MaxAnswerBytes { get; init; } = 64 << 10;

    /// <exception cref="ArgumentException">Every value that is out of its range.</exception>
    internal void Demand()
    {
        var wrong = new List<string>();
        void Range(string name, int value, int min, int max)
        {
            if (value < min || value > max) wrong.Add($"{name}: {min} to {max}");
        }
        Range(nameof(ConnectSeconds), ConnectSeconds, 1, 60);
        Range(nameof(StallSeconds), StallSeconds, 1, 600);
        Range(nameof(AnswerSeconds), AnswerSeconds, 1, 600);
        Range(nameof(MaxAnswerBytes), MaxAnswerBytes, 4 << 10, 1 << 20);
        if (wrong.Count > 0) throw new ArgumentException(string.Join("; ", wrong));
    }
}
