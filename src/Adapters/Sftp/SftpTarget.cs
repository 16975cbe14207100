using System.Globalization;

namespace Exchange.Adapters.Sftp;

/// <summary>Where a channel's settings lead.</summary>
/// <param name="HostKeys">SHA-256 of the host keys that the server may show: base64 without padding, as `ssh-keygen -l` prints it behind "SHA256:". Several, apart by spaces, while the server changes its key.</param>
/// <param name="Folder">Absolute, or from where the account's sessions begin; without a slash at its end.</param>
/// <param name="Inbound">Where the office puts what is for the gateway; null: nowhere.</param>
sealed record SftpTarget(string Host, int Port, string User, string HostKeys, string Folder, string? Inbound)
{
    const int MostHostKeys = 4, DefaultPort = 22;
    const string Prefix = "SHA256:";

    public string At(string name) => $"{Folder}/{name}";

    /// <summary>Whom a connection is to, whatever it is for.</summary>
    public SftpTarget Server => this with { Folder = "", Inbound = null };

    /// <returns>null, and what must be corrected.</returns>
    public static SftpTarget? Read(IReadOnlyDictionary<string, string> settings, out string wrong)
    {
        var errors = new List<string>();
        string Get(string name, Func<string, bool> good, string must, string? absent = null)
        {
            var value = settings.TryGetValue(name, out var given) ? given : absent;
            if (value is not null && good(value)) return value;
            errors.Add($"{name} must be {must}");
            return "";
        }
        var host = Get("host", h => Uri.CheckHostName(h) is UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6, "a host name or an address");
        var port = Get("port", p => TryPort(p, out _), "a number from 1 to 65535", absent: DefaultPort.ToString(CultureInfo.InvariantCulture));
        var user = Get("user", u => u.Length is > 0 and <= 64 && u[0] != '-' && u.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '@'), "a name of 1 to 64 letters, digits, '.', '-', '_' or '@'");
        var hostKey = Get("hostKey", k => k.Split(' ') is { Length: <= MostHostKeys } keys && keys.All(IsFingerprint), $"1 to {MostHostKeys} fingerprints like SHA256:…, as ssh-keygen -l prints them, apart by spaces");
        var folder = Get("folder", IsFolder, "a path of at most 200 characters; its parts of letters, digits, '.', '-' or '_', none beginning with '.'");
        var inbound = settings.ContainsKey("inbound") ? Get("inbound", path => IsFolder(path) && path != folder, "a path as for folder, and another one") : null;
        wrong = $"settings: {string.Join("; ", errors)}";
        if (errors.Count > 0) return null;
        _ = TryPort(port, out var number);
        return new SftpTarget(host, number, user, hostKey, folder, inbound);
    }

    /// <param name="fingerprint">Without its "SHA256:".</param>
    public bool Knows(string fingerprint) => HostKeys.Split(' ').Contains(Prefix + fingerprint, StringComparer.Ordinal);

    static bool TryPort(string text, out int port) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and <= 65535;

    static bool IsFingerprint(string text) => text.StartsWith(Prefix, StringComparison.Ordinal) && text.Length == Prefix.Length + 43 && text.AsSpan(Prefix.Length).IndexOfAnyExcept(Base64) < 0;

    static bool IsFolder(string path) => path.Length is > 0 and <= 200 && (path[0] == '/' ? path[1..] : path).Split('/').All(part =>
        part.Length > 0 && part[0] != '.' && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'));

    static readonly System.Buffers.SearchValues<char> Base64 = System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
}
