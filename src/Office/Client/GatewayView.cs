using System.Globalization;
using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Office.Client;

/// <summary>
/// Directory, policy and revocation lists as this office last verified them: signed by the pinned officers, only relayed by the gateway, never older than
/// one seen before. They are kept on disk, so that an office can seal and verify without the gateway.
/// </summary>
sealed class GatewayView(Profile profile, OfficeFiles files, TimeProvider clock)
{
    CertificateCheck? trust;
    OfficeDirectory? directory;
    CompiledPolicy? policy;

    public CertificateCheck Trust => trust ??= new CertificateCheck(TrustStore.Load(profile.Trust).WithCrls(Stored("crls", "*.crl")));

    /// <exception cref="RefusedException">Nothing was fetched yet (<see cref="Refusal.Unreachable"/>), or what is stored does not hold.</exception>
    public OfficeDirectory Directory => directory ??= OpenDirectory(Read("directory.p7s"), null);

    public CompiledPolicy Policy => policy ??= CompiledPolicy.Open(Read("policy.p7s"), Officers(profile.Pins.PolicyOfficers), Trust, clock.GetUtcNow());

    public bool IsStored => File.Exists(files.At("directory", "directory.p7s")) && File.Exists(files.At("policy.p7s"));

    /// <summary>Revocation lists first, since the rest is checked against them; then directory and policy. Each is stored only after it was verified.</summary>
    public async Task RefreshAsync(GatewayApi api, CancellationToken cancel)
    {
        var crls = await api.CrlsAsync(cancel).ConfigureAwait(false);
        var newer = Trust.Store.WithCrls(crls);
        if (newer.Id != Trust.Store.Id)
        {
            files.Folder("crls");
            foreach (var crl in newer.Crls) files.Write(files.At("crls", Digest.Of(crl.Span) + ".crl"), crl.Span);
            (trust, directory, policy) = (new CertificateCheck(newer), null, null);
        }
        await RefreshDirectoryAsync(api, cancel).ConfigureAwait(false);
        var offered = await api.PolicyAsync(cancel).ConfigureAwait(false);
        var seen = File.Exists(files.At("policy.p7s")) ? Policy : null;
        if (seen is not null && offered.AsSpan().SequenceEqual(seen.Statement.Span)) return;
        var opened = CompiledPolicy.Open(offered, Officers(profile.Pins.PolicyOfficers), Trust, clock.GetUtcNow(), seen?.Content.Version ?? 0);
        files.Write(files.At("policy.p7s"), offered);
        policy = opened;
    }

    async Task RefreshDirectoryAsync(GatewayApi api, CancellationToken cancel)
    {
        files.Folder("directory", "cards");
        var offered = await api.DirectoryAsync(cancel).ConfigureAwait(false);
        var seen = File.Exists(files.At("directory", "directory.p7s")) ? Directory : null;
        if (seen is not null && offered.AsSpan().SequenceEqual(seen.Statement.Span)) return;
        // Not verified yet: only says which cards to fetch. Every card is checked against its ref below.
        var named = Statement.Read(offered, StatementType.Directory).As<DirectoryStatement>().Offices.Select(o => o.Card).ToList();
        var cards = new Dictionary<Digest, ReadOnlyMemory<byte>>();
        foreach (var card in named)
            cards[card] = File.Exists(CardFile(card)) ? await File.ReadAllBytesAsync(CardFile(card), cancel).ConfigureAwait(false) : await api.CardAsync(card, cancel).ConfigureAwait(false);
        var opened = OfficeDirectory.Open(offered, cards.Values, Officers(profile.Pins.DirectoryOfficers), Trust, clock.GetUtcNow(), seen);
        foreach (var (card, der) in cards)
            if (!File.Exists(CardFile(card))) files.Write(CardFile(card), der.Span);
        if (seen is not null)
            files.Write(files.At("directory", string.Create(CultureInfo.InvariantCulture, $"version-{seen.Version}.p7s")), seen.Statement.Span);
        // The pointer last: a crash before leaves the version before, whole.
        files.Write(files.At("directory", "directory.p7s"), offered);
        directory = opened;
    }

    /// <summary>The directory that a header names: the current one, or one kept from before; the current one when it is not known here.</summary>
    public OfficeDirectory DirectoryOf(Digest named) => Directory.Ref != named && Kept(named) is { } der ? OpenDirectory(der, null) : Directory;

    /// <summary>Whether this directory is the current one or one kept from before; else a refresh may bring it.</summary>
    public bool Knows(Digest directory) => Directory.Ref == directory || Kept(directory) is not null;

    byte[]? Kept(Digest named) => System.IO.Directory.EnumerateFiles(files.At("directory"), "version-*.p7s").Select(File.ReadAllBytes)
        .FirstOrDefault(der => Statement.Read(der, StatementType.Directory).Ref == named);

    OfficeDirectory OpenDirectory(ReadOnlyMemory<byte> der, OfficeDirectory? seen) =>
        OfficeDirectory.Open(der, Statement.Read(der, StatementType.Directory).As<DirectoryStatement>().Offices
            .Select(o => CardFile(o.Card)).Where(File.Exists).Select(f => (ReadOnlyMemory<byte>)File.ReadAllBytes(f)),
            Officers(profile.Pins.DirectoryOfficers), Trust, clock.GetUtcNow(), seen);

    string CardFile(Digest card) => files.At("directory", "cards", card + ".p7s");

    byte[] Read(string name)
    {
        var path = name == "directory.p7s" ? files.At("directory", name) : files.At(name);
        return File.Exists(path) ? File.ReadAllBytes(path) : throw new RefusedException(Refusal.Unreachable, $"{name} was never fetched: run directory update");
    }

    IEnumerable<ReadOnlyMemory<byte>> Stored(string folder, string pattern) => System.IO.Directory.Exists(files.At(folder))
        ? System.IO.Directory.EnumerateFiles(files.At(folder), pattern).Select(f => (ReadOnlyMemory<byte>)File.ReadAllBytes(f)) : [];

    static IReadOnlyCollection<Digest> Officers(IReadOnlyList<Digest> keys) => [.. keys];
}
