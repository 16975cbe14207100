namespace Exchange.Adapters.Sftp;

/// <summary>One office's server, where it may have put something for the gateway.</summary>
/// <param name="Settings">Of its sftp channel, as a parcel's; without "inbound" nobody looks.</param>
public sealed record SftpSource(string Office, IReadOnlyDictionary<string, string> Settings);

/// <summary>Where the sftp intake looks, and what it takes upon itself.</summary>
public sealed record SftpIntakeOptions
{
    public required SftpOptions Lines { get; init; }

    /// <summary>The offices as of now; asked in each round.</summary>
    public required Func<IReadOnlyList<SftpSource>> Sources { get; init; }

    /// <summary>Absolute path of a folder of this process alone, made when missing: what is on its way stays there until it has come, so that a broken download goes on.</summary>
    public required string Temporary { get; init; }

    /// <summary>Larger than this no file is fetched.</summary>
    public const long MostBytes = 1L << 40;

    /// <summary>Of one file. Default 64 GiB, from 1 MiB to 1 TiB.</summary>
    public long MaxBytes { get; init; } = 64L << 30;

    /// <summary>Bytes that stay free beside <see cref="Temporary"/>; what would take them waits. Default 256 MiB, from 0.</summary>
    public long KeepFree { get; init; } = 256L << 20;

    /// <summary>Markers looked at in one round of one office. Default 64, from 1 to 1000.</summary>
    public int AtOnce { get; init; } = 64;

    /// <exception cref="ArgumentException">A value is out of its range.</exception>
    internal void Demand()
    {
        Lines.Demand();
        if (!Path.IsPathFullyQualified(Temporary)) throw new ArgumentException("Temporary: an absolute path");
        if (MaxBytes is < 1 << 20 or > MostBytes) throw new ArgumentException($"MaxBytes: 1048576 to {MostBytes}");
        if (KeepFree < 0) throw new ArgumentException("KeepFree: from 0");
        if (AtOnce is < 1 or > 1000) throw new ArgumentException("AtOnce: 1 to 1000");
    }
}
