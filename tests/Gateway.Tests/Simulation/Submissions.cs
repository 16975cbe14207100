using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Offices;

namespace Exchange.Tests.Simulation;

/// <summary>A dispatch that an office wants to be rid of, until it has the gateway's receipt.</summary>
sealed class Submission
{
    public required Guid Id { get; init; }
    public required string Sender { get; init; }
    public required EnvelopeParts Parts { get; init; }
    public required VerifiedEnvelope Envelope { get; init; }
    public required byte[] Payload { get; init; }
    /// <summary>Of the whole file form: what a receiver must get.</summary>
    public required Digest File { get; init; }
    public int Copies => Envelope.Header.Recipients.Length;
}

/// <summary>
/// Makes dispatches. Header and its CMS are real and signed by a key that stands in for the office's; manifest and payload are noise of a seed; who wrote and sealed it is not simulated. All classes of urgency, orders
/// with a time, short lives and long ones.
/// </summary>
sealed class Submissions(SimulatedWorld simulated, SimulatedRandom random)
{
    // Smaller than a sealed one would be: what is carried is not simulated, and a million of them are. The decision is told of a length that its level allows.
    const int ManifestLength = 600, ManifestTold = 4096, PayloadLength = 0;

    /// <param name="urgency">null: as it comes.</param>
    public Submission Make(World world, DateTimeOffset now, int? urgency = null)
    {
        var sender = simulated.Offices[random.Below(simulated.Offices.Count)];
        var manifest = Noise(ManifestLength);
        var header = Header(world, sender, now, urgency ?? random.Below(100) switch { < 5 => 3, < 7 => 4, < 15 => 2, < 35 => 1, _ => 0 });
        var signed = Statement.Sign(header, [simulated.Evidence], now, EssLabel.ToEss(header.Label), Digest.Of(manifest));
        var parts = new EnvelopeParts(signed.Der, [], manifest);
        var payload = Noise((int)Crypto.Envelope.Payload.WireLength(PayloadLength));
        var office = world.Directory.Find(sender)!;
        return new Submission
        {
            Id = header.Id, Sender = sender, Parts = parts, Payload = payload, File = Digest.Of([.. EnvelopeFile.Write(parts), .. payload]),
            Envelope = new VerifiedEnvelope(header, signed.Ref, Digest.Of(manifest), office, office.Signing[0], now, [], [.. header.Recipients.Select(_ => true)]) { ManifestLength = ManifestTold },
        };
    }

    Header Header(World world, string sender, DateTimeOffset now, int urgency)
    {
        var start = urgency == 4 ? now + random.Between(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(20)) : default(DateTimeOffset?);
        var life = random.Chance(0.02) ? random.Between(TimeSpan.FromMinutes(25), TimeSpan.FromHours(2)) : TimeSpan.FromDays(5);
        var to = new SortedSet<string>(StringComparer.Ordinal);
        for (var n = random.Chance(0.1) ? 2 + random.Below(2) : 1; to.Count < n;)
            if (simulated.Offices[random.Below(simulated.Offices.Count)] is var office && office != sender) to.Add(office);
        return new Header
        {
            V = 1, Type = Crypto.Statements.Header.TypeName, Signers = [simulated.Evidence.Certificate.Key], Id = random.NewId(now), Gateway = SimulatedWorld.Origin, Suite = "classic-1", Kind = "new", Sender = sender,
            Recipients = [.. to.Select(o => new Recipient(o, world.Directory.Find(o)!.Encryption[0].Key, "to"))], Label = world.Policy.NewLabel("thuong"), Urgency = urgency,
            Times = new(start?.ToUnixTimeMilliseconds(), (now + life).ToUnixTimeMilliseconds(), null), References = [], Dispatch = new(Some(), [Some()]), Approvals = [], Policy = world.Policy.Ref,
            Directory = world.Directory.Ref, Seen = null, Commitment = Some(), Payload = new PayloadRef(PayloadLength, Some()),
        };
    }

    byte[] Noise(int length)
    {
        var bytes = new byte[length];
        random.Fill(bytes);
        return bytes;
    }

    Digest Some() => new(Noise(Digest.Size));
}
