using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Offices;

/// <summary>Keys that may sign what a world is made of: two directory officers, two policy officers.</summary>
internal sealed record Pins(IReadOnlyCollection<Digest> DirectoryOfficers, IReadOnlyCollection<Digest> PolicyOfficers);

/// <summary>
/// One immutable snapshot of policy, directory, standing and CRLs. A use case prepares against it; its change answers Stale when another is in force by then.
/// </summary>
internal sealed class World
{
    readonly CompiledPolicy? policy;
    readonly OfficeDirectory? directory;
    readonly Standing? standing;

    internal World(long id, CompiledPolicy? policy, OfficeDirectory? directory, Standing? standing, CertificateCheck trust)
    {
        Id = id;
        this.policy = policy;
        this.directory = directory;
        this.standing = standing;
        Trust = trust;
    }

    /// <summary>Rises by one with each activation; stands in the head row.</summary>
    public long Id { get; }
    public CompiledPolicy Policy => policy ?? throw Missing("policy");
    public OfficeDirectory Directory => directory ?? throw Missing("directory");
    public Standing Standing => standing ?? throw Missing("standing");
    public CertificateCheck Trust { get; }

    internal CompiledPolicy? PolicyOrNone => policy;
    internal OfficeDirectory? DirectoryOrNone => directory;
    internal Standing? StandingOrNone => standing;

    /// <summary>False only in a new data folder, before its first documents are activated.</summary>
    public bool Complete => policy is not null && directory is not null && standing is not null;

    /// <summary>Nothing activated yet.</summary>
    public static World Empty(TrustStore anchors, StapledResponses? responses = null) => new(0, null, null, null, new CertificateCheck(anchors, responses));

    static InvalidOperationException Missing(string what) => new($"No {what} has been activated.");
}

/// <summary>The world in force. Changed by the journal only, after the commit that activated it.</summary>
internal sealed class Worlds
{
    volatile World current;

    public Worlds(World initial) => current = initial;

    public World Current => current;

    internal void Publish(World next) => current = next;

    /// <summary>The world that the store says is in force, every document verified again under the pins.</summary>
    /// <param name="anchors">Roots, intermediates and CRLs of the trust folder; CRLs activated since are added.</param>
    /// <param name="responses">OCSP responses that count beside the lists, now and as more come.</param>
    /// <exception cref="CannotStartException">A document is missing or does not verify.</exception>
    public static Worlds Load(IEngine engine, TrustStore anchors, Pins pins, DateTimeOffset at, StapledResponses? responses = null)
    {
        using var reader = engine.Reader();
        var id = HeadTable.Read(reader).World;
        if (id == 0) return new Worlds(World.Empty(anchors, responses));
        try { return new Worlds(WorldActivation.Reload(id, reader, anchors, pins, at, responses)); }
        catch (RefusedException e)
        {
            throw new CannotStartException($"An activated document does not verify any more ({e.Message}). Compare the pins in gateway.json and the trust folder with what the officers gave you; then check the store with: exchange-gateway check.", e);
        }
    }
}
