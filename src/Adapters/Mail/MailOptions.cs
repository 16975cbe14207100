using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Exchange.Adapters.Mail;

/// <summary>When TLS begins. There is no third way: a server that offers none is not spoken to.</summary>
public enum MailTls { StartTls, Implicit }

/// <summary>One server and who we are there.</summary>
/// <param name="Client">Certificate shown in the handshake, with its key; null: none.</param>
/// <param name="User">null: the certificate alone says who we are (SASL EXTERNAL where the server offers it), or the server takes mail without.</param>
public sealed record MailServer(string Host, int Port, MailTls Tls, string? User, string? Password, X509Certificate2? Client)
{
    // Records print their members.
    public override string ToString() => $"{Host}:{Port}";
}

/// <summary>What is known about a parcel besides what the adapter sees: from the gateway's store.</summary>
/// <param name="Sent">When it was last sent, as far as anybody knows; null: never.</param>
/// <param name="HandedOn">A relay took it over then; false: nobody knows how that try ended.</param>
/// <param name="Report">The newest report since then; null: none.</param>
public sealed record MailTrace(DateTimeOffset? Sent, bool HandedOn, CarrierReport? Report, DateTimeOffset? ReportedAt)
{
    public static readonly MailTrace None = new(null, false, null, null);
}

/// <summary>The gateway's own mail: one relay, one mailbox. A channel's settings are {"address": "NAME@DOMAIN"}: the office's mailbox.</summary>
public sealed record MailOptions
{
    public required MailServer Smtp { get; init; }

    /// <summary>Where reports, receipts and envelopes come in; null: nothing comes in, and nothing is ever confirmed.</summary>
    public MailServer? Imap { get; init; }

    /// <summary>The gateway's own address: From, and the domain of its Message-IDs.</summary>
    public required string From { get; init; }

    /// <summary>Where relays report to: an address whose mail comes to the mailbox of <see cref="Imap"/>. Default: <see cref="From"/>.</summary>
    public string? Return { get; init; }

    /// <summary>Authorities of the two servers' certificates; nothing that the system trusts counts. Empty: the pins decide alone.</summary>
    public required IReadOnlyList<X509Certificate2> Authorities { get; init; }

    /// <summary>SHA-256 of the certificates that the servers may show; empty: any of the authorities' for the host's name.</summary>
    public IReadOnlyList<byte[]> Pins { get; init; } = [];

    /// <summary>Folder of this process for attachments under examination; what lies there has no name and goes with the process.</summary>
    public required string Temporary { get; init; }

    /// <summary>Folder in the mailbox, made when it is missing.</summary>
    public string Quarantine { get; init; } = "Quarantine";

    /// <summary>Of a whole mail, both ways. Default 35 MiB: an envelope of 25 MiB. From 64 KiB to 1 GiB.</summary>
    public long MaxBytes { get; init; } = 35 << 20;

    /// <summary>How long a report of a mail that a relay took is awaited before it is sent again. Default 4 hours, from 1 minute to 7 days.</summary>
    public TimeSpan ReportWithin { get; init; } = TimeSpan.FromHours(4);

    /// <summary>The same for a try of which nobody knows how it ended, and after a report that the carrier gave up for a passing reason. Default 15 minutes, from 1 minute to 1 day.</summary>
    public TimeSpan ResendAfter { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>For connection, TLS and greeting. Default 15, from 1 to 120.</summary>
    public int ConnectSeconds { get; init; } = 15;

    /// <summary>Without a byte going or coming. Default 120, from 1 to 600.</summary>
    public int AnswerSeconds { get; init; } = 120;

    /// <summary>What the gateway knows of a parcel.</summary>
    public required Func<Guid, MailTrace> Trace { get; init; }

    internal string Domain => From[(From.IndexOf('@') + 1)..];

    /// <exception cref="ArgumentException">A value is out of its range.</exception>
    internal void Demand()
    {
        void In<T>(T value, T least, T most, string name) where T : IComparable<T>
        {
            if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0) throw new ArgumentException($"{name}: {least} to {most}");
        }
        if (!MailAddress.IsGood(From) || (Return is not null && !MailAddress.IsGood(Return))) throw new ArgumentException("From, Return: an address, NAME@DOMAIN");
        if (Authorities.Count == 0 && Pins.Count == 0) throw new ArgumentException("Authorities, Pins: at least one");
        if (Pins.Any(p => p.Length != SHA256.HashSizeInBytes)) throw new ArgumentException("Pins: SHA-256 of a certificate");
        if (!Path.IsPathFullyQualified(Temporary)) throw new ArgumentException("Temporary: an absolute path");
        In(MaxBytes, 64L << 10, 1L << 30, nameof(MaxBytes));
        In(ReportWithin, TimeSpan.FromMinutes(1), TimeSpan.FromDays(7), nameof(ReportWithin));
        In(ResendAfter, TimeSpan.FromMinutes(1), TimeSpan.FromDays(1), nameof(ResendAfter));
        In(ConnectSeconds, 1, 120, nameof(ConnectSeconds));
        In(AnswerSeconds, 1, 600, nameof(AnswerSeconds));
    }
}

/// <summary>Addresses as we write them: no comments, no quoting, no route, ASCII.</summary>
public static class MailAddress
{
    const int MaxLocal = 64, MaxWhole = 254;

    public static bool IsGood(string? text)
    {
        var at = text?.IndexOf('@') ?? -1;
        if (text is null || text.Length > MaxWhole || at is <= 0 or > MaxLocal) return false;
        return Dotted(text.AsSpan(0, at), "!#$%&'*+-/=?^_`{|}~") && Dotted(text.AsSpan(at + 1), "-");
    }

    // Neither empty labels nor anything that a command line or a header would read as something else.
    static bool Dotted(ReadOnlySpan<char> text, string besides)
    {
        if (text.IsEmpty || text[0] == '.' || text[^1] == '.') return false;
        for (var i = 0; i < text.Length; i++)
            if (!(char.IsAsciiLetterOrDigit(text[i]) || besides.Contains(text[i]) || (text[i] == '.' && text[i - 1] != '.'))) return false;
        return true;
    }
}
