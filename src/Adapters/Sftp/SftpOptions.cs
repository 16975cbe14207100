namespace Exchange.Adapters.Sftp;

/// <summary>
/// How the sftp channel connects and how long it waits. A channel's settings are {"host": "NAME", "port": "22", "user": "NAME", "hostKey": "SHA256:…", "folder": "PATH", "inbound": "PATH"}: see <see cref="SftpTarget"/>.
/// </summary>
public sealed record SftpOptions
{
    /// <summary>The gateway's own key, which every office's server lets in.</summary>
    public required SftpKey Key { get; init; }

    /// <summary>More than this no office's server is asked for.</summary>
    public const int MostConnections = 16;

    /// <summary>Connections to one office at once; each carries one parcel at a time. Default 4, from 1 to 16.</summary>
    public int Connections { get; init; } = 4;

    /// <summary>Until a connection stands and we are let in, and again until the server answers as an SFTP server. Default 10, from 1 to 60.</summary>
    public int ConnectSeconds { get; init; } = 10;

    /// <summary>For one answer of the server: each request, a write of 32 KiB as well as a sync. Default 60, from 1 to 600.</summary>
    public int AnswerSeconds { get; init; } = 60;

    /// <summary>For which a parcel waits for one of the office's connections to be free. Default 60, from 1 to 600.</summary>
    public int QueueSeconds { get; init; } = 60;

    /// <summary>For which a connection that nobody uses is kept. Default 60, from 0 to 600.</summary>
    public int IdleSeconds { get; init; } = 60;

    /// <exception cref="ArgumentException">Every value that is out of its range.</exception>
    internal void Demand()
    {
        var wrong = new List<string>();
        void Range(string name, int value, int min, int max)
        {
            if (value < min || value > max) wrong.Add($"{name}: {min} to {max}");
        }
        Range(nameof(Connections), Connections, 1, MostConnections);
        Range(nameof(ConnectSeconds), ConnectSeconds, 1, 60);
        Range(nameof(AnswerSeconds), AnswerSeconds, 1, 600);
        Range(nameof(QueueSeconds), QueueSeconds, 1, 600);
        Range(nameof(IdleSeconds), IdleSeconds, 0, 600);
        if (wrong.Count > 0) throw new ArgumentException(string.Join("; ", wrong));
    }
}
