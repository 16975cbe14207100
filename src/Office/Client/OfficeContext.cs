using Exchange.Crypto;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Client;

/// <param name="Retries">Pauses between attempts within one call; what still waits after them stays in the outbox.</param>
public sealed record ClientOptions(IReadOnlyList<TimeSpan> Retries)
{
    public static readonly ClientOptions Default = new([TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3)]);
}

/// <summary>What the verbs share: one office, its keys, its folder, its gateway.</summary>
sealed class OfficeContext : IDisposable
{
    readonly Lazy<HttpClient> http, authorities;

    public OfficeContext(Profile profile, OfficeKeys keys, OfficeFiles files, TimeProvider clock, ClientOptions options, Func<HttpClient>? connect = null, Func<HttpClient>? connectAuthorities = null)
    {
        (Profile, Keys, Files, Clock, Options) = (profile, keys, files, clock, options);
        View = new GatewayView(profile, files, clock);
        http = new Lazy<HttpClient>(connect ?? (() => GatewayConnection.Open(profile, keys, () => View.Trust, clock)));
        authorities = new Lazy<HttpClient>(connectAuthorities ?? (() => TimeStampConnection.Open(() => View.Trust, clock)));
        Checkpoints = new Checkpoints(files, profile.Pins);
        OtherHeads = new OtherHeads(files, profile.Pins, Checkpoints);
        Outbox = new Outbox(files);
        Successions = new Successions(files, profile.Pins, Checkpoints, Outbox);
        Received = new Received(files);
    }

    public Profile Profile { get; }
    public OfficeKeys Keys { get; }
    public OfficeFiles Files { get; }
    public TimeProvider Clock { get; }
    public ClientOptions Options { get; }
    public GatewayView View { get; }
    public Checkpoints Checkpoints { get; }
    public OtherHeads OtherHeads { get; }
    public Successions Successions { get; }
    /// <summary>Told of what a refresh found out.</summary>
    public Action<LedgerSuccession>? LedgerEnded { get; set; }
    public Outbox Outbox { get; }
    public Received Received { get; }
    public GatewayApi Api => new(http.Value, Clock);
    public HttpClient TimeStampAuthorities => authorities.Value;
    public DateTimeOffset Now => Clock.GetUtcNow();

    /// <summary>Directory, policy, revocation lists and checkpoint, and what other offices have seen of the ledger against it. Without the gateway, what is stored serves.</summary>
    /// <returns>null: fresh; else why not.</returns>
    public async Task<Refusal?> RefreshAsync(CancellationToken cancel)
    {
        try
        {
            await View.RefreshAsync(Api, cancel).ConfigureAwait(false);
            var seen = OtherHeads.Waiting();
            await Checkpoints.RefreshAsync(Api, cancel).ConfigureAwait(false);
            await OtherHeads.CompareAsync(Api, seen, cancel).ConfigureAwait(false);
            if (await Successions.LookAsync(Api, cancel).ConfigureAwait(false))
                foreach (var gone in Successions.List()) LedgerEnded?.Invoke(gone);
            return null;
        }
        catch (RefusedException e) when ((e.Refusal == Refusal.Unreachable || e.Refusal == Refusal.Busy) && View.IsStored) { return e.Refusal; }
    }

    public static ReceiptSubject Subject(OutboxEntry entry, Header header) => new(header.Sender, header.Id, entry.Record.Ctx, entry.Record.ManifestDigest, header.Recipients);

    public void Dispose()
    {
        if (http.IsValueCreated) http.Value.Dispose();
        if (authorities.IsValueCreated) authorities.Value.Dispose();
        Keys.Dispose();
    }
}
