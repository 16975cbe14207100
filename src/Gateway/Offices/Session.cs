using Exchange.Crypto.Trust;

namespace Exchange.Gateway.Offices;

/// <summary>What an office brings something through: no more goes through it than it is approved for.</summary>
abstract record Session
{
    /// <summary>A TLS connection; the clearance in its certificate bounds it.</summary>
    public sealed record SignedIn(Certificate Certificate) : Session;

    /// <summary>A channel that carries to the gateway as well, by its adapter's name; its ceiling in the office's standing bounds it, and without one only the policy's lowest level goes through.</summary>
    public sealed record ByChannel(string Adapter) : Session;
}
