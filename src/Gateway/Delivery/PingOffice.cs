using System.Globalization;
using Exchange.Adapters;
using Exchange.Crypto;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Delivery;

/// <summary>
/// Can this office be reached? Looks at everything between a sealed copy and the office, in the order in which a copy meets it, and says of each what is good, or what is wrong and what to do.
/// Reads only, and carries nothing: it runs beside the gateway.
/// </summary>
sealed class PingOffice(World world, IEngine engine, IReadOnlyList<IDeliveryAdapter> adapters, TimeProvider clock)
{
    const int SoonDays = 30, MostWaiting = 1000;
    const string Asked = "asked: ";
    readonly List<string> lines = [];
    bool wrong;

    /// <returns>Whether nothing is wrong, and a line for each thing looked at.</returns>
    public async Task<(bool Good, IReadOnlyList<string> Lines)> Run(string code, CancellationToken cancel)
    {
        if (Known(code) is not { } office) return (false, lines);
        Keys(office);
        if (world.Standing.Find(code) is { } standing)
        {
            Clearance(office, standing);
            foreach (var channel in standing.Channels) await Channel(office, channel, cancel);
        }
        else Wrong("standing", $"none in version {world.Standing.Version}: it may hold nothing, and there is no way to it", $"the directory officers: exchange officer propose --office {code} --levels … ");
        return (!wrong, lines);
    }

    OfficeEntry? Known(string code)
    {
        var directory = world.Directory;
        if (directory.Find(code) is not { } office)
        {
            var near = directory.Offices.FirstOrDefault(o => o.Code.Equals(code, StringComparison.OrdinalIgnoreCase));
            Wrong("directory", $"no office {code} in version {directory.Version}, which has {directory.Offices.Count}",
                near is not null ? $"did you mean {near.Code}?" : "check the code; if it has just joined, hand over what the two officers signed: exchange-gateway activate --data DIR proposal/*.p7s");
            return null;
        }
        Good("directory", $"version {directory.Version}: {office.Name.Vi} / {office.Name.En}");
        Good("card", office.HeldUntil is { } until && until > clock.GetUtcNow() ? $"version {office.CardVersion}, new: held back from Mật up until {Time(until)}" : $"version {office.CardVersion}");
        return office;
    }

    void Keys(OfficeEntry office)
    {
        var card = Statement.Read(world.Directory.Cards[office.CardRef], StatementType.Card).As<Card>();
        Use("sign", office.Signing, Purpose.OfficeSigning, "nothing that it sends is accepted");
        Use("encrypt", office.Encryption, Purpose.OfficeEncryption, "nothing can be sealed to it");
        Use("tls", office.Tls, Purpose.TlsClient, "it cannot sign in");

        void Use(string use, IReadOnlyList<Certificate> usable, Purpose purpose, string means)
        {
            foreach (var der in card.Keys.Where(k => k.Use == use).Select(k => k.Certificate).Where(der => usable.All(u => u.Key != Digest.Of(der))))
                lines.Add($"note   {use}: a key of the card is not usable: {Why(der, purpose)}");
            var last = usable.Count == 0 ? default : usable.Max(k => k.NotAfter);
            if (usable.Count == 0) Wrong(use, $"no usable key: {means}", "the office asks its CA for new ones: exchange keys request, keys take; then the directory officers");
            else if (last - clock.GetUtcNow() < TimeSpan.FromDays(SoonDays)) lines.Add($"note   {use}: the last key ends {Time(last)}: the office should ask for the next one now");
            else Good(use, $"until {Time(last)}");
        }
    }

    string Why(byte[] der, Purpose purpose)
    {
        try { return world.Trust.Check(new Certificate(der), purpose, clock.GetUtcNow()) is { Refusal: { } refusal } verdict ? $"{refusal.Code} ({verdict.Explained})" : "not in force yet"; }
        catch (RefusedException e) { return e.Message; }
    }

    void Clearance(OfficeEntry office, StandingOffice standing)
    {
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        if (now < standing.Clearance.ValidFrom || now >= standing.Clearance.ValidTo) Wrong("standing", "the clearance is not valid today: nothing may be released to it", $"the directory officers: exchange officer propose --office {office.Code} --levels …");
        else Good("standing", $"version {world.Standing.Version}, channel {string.Join(", else ", standing.Channels.Select(c => c.Adapter + string.Concat(c.Settings.Select(s => $" {s.Key}={s.Value}"))))}");
    }

    async Task Channel(OfficeEntry office, StandingChannel channel, CancellationToken cancel)
    {
        var (adapter, settings) = (channel.Adapter, channel.Settings);
        if (!Channels.Carries(adapter)) { Mailbox(office.Code); return; }
        if (new Channels(adapters).Find(adapter) is not { } carrier)
        {
            Wrong(adapter, "this channel is not configured here", adapter switch
            {
                "folder" => "name the root of the folders as \"folders\" in gateway.json, then restart the gateway",
                "mail" => "name the gateway's address, relay and mailbox as \"mail\" in gateway.json, then restart the gateway",
                "sftp" => "name the gateway's key as \"sftp\": {\"key\": …} in gateway.json, then restart the gateway",
                _ => "see exchange-gateway check-config",
            });
            return;
        }
        var nobody = new Parcel(Guid.CreateVersion7(clock.GetUtcNow()), office.Code, 0, default, settings);
        if (await carrier.ProbeAsync(nobody, cancel) is { } reason) Wrong(adapter, Said(Said(reason, Asked), adapter + ": "), Remedy(adapter, reason));
        else Good(adapter, adapter switch
        {
            "https" => "connected, each side knew the other's certificate, and it answered",
            "mail" => "the relay let us in and would take a mail to it; our own mailbox opens",
            "sftp" => "its server showed a pinned key and let us in; the folder is there, writable, with room",
            _ => "there, writable, with room",
        });
    }

    void Mailbox(string code)
    {
        using var reader = engine.Reader();
        var waiting = ParcelTable.Mailbox(reader, code, null, MostWaiting);
        var count = waiting.Count == MostWaiting ? $"{MostWaiting} or more" : waiting.Count.ToString(CultureInfo.InvariantCulture);
        Good("mailbox", waiting.Count == 0 ? "nothing waits" : $"{count} waiting, the oldest since {Time(waiting[0].ReceivedAt)}");
        lines.Add(ReceiptTable.LastOf(reader, code) is { } last ? $"note   mailbox: its last receipt came {Time(last)}" : "note   mailbox: no receipt of it yet; whether it has ever signed in is not known here. It can try: exchange directory update");
    }

    // What the line says already.
    static string Said(string reason, string before) => reason.StartsWith(before, StringComparison.Ordinal) ? reason[before.Length..] : reason;

    static string Remedy(string adapter, string reason) => reason switch
    {
        _ when reason.Contains("hostKey: the server shows", StringComparison.Ordinal) => "ask the office, by another way, whether it has a new key. If so the directory officers put it into hostKey beside the old one; if not, somebody is in between",
        _ when reason.StartsWith("settings", StringComparison.Ordinal) => "the directory officers correct the channel: exchange officer propose --office … --channel … --setting …",
        _ when adapter == "folder" && reason.Contains("free", StringComparison.Ordinal) => "make room on that file system; see whether the office takes its parcels away",
        _ when adapter == "folder" && reason.Contains("not there", StringComparison.Ordinal) => "make the folder below \"folders\" of gateway.json, or mount it",
        _ when adapter == "folder" => "let the gateway's user write there; see ls -ld, df and the mount options",
        _ when adapter == "mail" && reason.Contains("TLS", StringComparison.Ordinal) => "compare \"ca\" or \"pins\" of \"mail\" in gateway.json with what the server shows (openssl s_client -starttls smtp -connect …); nothing is sent without TLS",
        _ when adapter == "mail" && reason.Contains("the user", StringComparison.Ordinal) => "correct user and passphraseFile of \"mail\" in gateway.json, then restart the gateway",
        _ when adapter == "mail" && reason.Contains("SMTP 5", StringComparison.Ordinal) => "the relay takes nothing for that address: the officers correct it, or the relay's administrator lets the gateway's account send there",
        _ when adapter == "mail" => "the gateway's relay or mailbox (\"mail\" in gateway.json) does not answer: look at it and at firewalls in between; copies wait meanwhile",
        _ when reason.Contains("ConnectionRefused", StringComparison.Ordinal) => $"nothing listens at that address: the office starts {(adapter == "sftp" ? "its SFTP server" : "exchange receive")}, or the officers correct the address",
        _ when reason.Contains("HostNotFound", StringComparison.Ordinal) || reason.Contains("NameResolution", StringComparison.Ordinal) => "the name is not known here: correct DNS, or the address in the standing",
        _ when reason.Contains("not let in", StringComparison.Ordinal) => "the office puts the public part of \"sftp\" in gateway.json (ssh-keygen -y) into the account's authorized_keys, or the officers correct the user",
        _ when adapter == "sftp" && reason.Contains("free", StringComparison.Ordinal) => "the office makes room there, or takes its parcels away",
        _ when adapter == "sftp" && reason.StartsWith("sftp: ", StringComparison.Ordinal) && !reason.Contains("in time", StringComparison.Ordinal) => "the office lets the gateway's account write into that folder, and looks at its disk and quota",
        _ when adapter == "sftp" && !reason.Contains("in time", StringComparison.Ordinal) => "the connection broke off: look at firewalls in between and at the log of the office's server",
        _ when reason.Contains("not the one of this office", StringComparison.Ordinal) => "another key answers there than the directory's: an old certificate still in use, a proxy in between, or another machine",
        _ when reason.Contains("HTTP", StringComparison.Ordinal) => "it was reached, and answers badly: look at the log of the office's endpoint",
        _ when reason.Contains("in time", StringComparison.Ordinal) => "no answer: look at firewalls in between, and whether the office's machine is up",
        _ => "the endpoint broke the connection off: it lets in only this gateway's TLS certificate; is our CA with a fresh CRL in its trust folder, and the host in its profile a name of our certificate?",
    };

    void Good(string what, string text) => lines.Add($"good   {what}: {text}");

    void Wrong(string what, string text, string remedy)
    {
        wrong = true;
        lines.Add($"WRONG  {what}: {text}");
        lines.Add($"       {remedy}");
    }

    static string Time(long milliseconds) => Time(DateTimeOffset.FromUnixTimeMilliseconds(milliseconds));
    static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
}
