using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Exchange.Adapters.Mail;
using Exchange.Crypto;

namespace Exchange.Gateway.Operations;

/// <summary>One server of "mail" in gateway.json.</summary>
/// <param name="PassphraseFile">With the user's passphrase in its first line, or that of the certificate's file; as for the keys. null: neither.</param>
/// <param name="Certificate">PKCS#12 by absolute path, shown to the server; null: none.</param>
sealed record MailServerSettings(string Host, int Port, MailTls Tls, string? User, string? PassphraseFile, string? Certificate)
{
    const string StartTls = "starttls", Implicit = "implicit";

    public static MailServerSettings Read(OptionsReader read) => new(
        read.Text("host", h => Uri.CheckHostName(h) != UriHostNameType.Unknown, "must be a host name or address"),
        read.Number("port", 1, 65535),
        // There is no way without TLS, and none that takes it when it is offered.
        read.Text("tls", t => t is StartTls or Implicit, "must be starttls or implicit") == Implicit ? MailTls.Implicit : MailTls.StartTls,
        read.Maybe("user", u => u.Length is > 0 and <= 256, "must be a name"),
        read.Maybe("passphraseFile", KeyFiles.IsPassphraseFile, "must be an absolute path, or %d/NAME for a credential of the service manager"),
        read.Maybe("certificate", Path.IsPathFullyQualified, "must be an absolute path"));

    public void Write(Utf8JsonWriter json, string name)
    {
        json.WriteStartObject(name);
        json.WriteString("host", Host);
        json.WriteNumber("port", Port);
        json.WriteString("tls", Tls == MailTls.Implicit ? Implicit : StartTls);
        if (User is not null) json.WriteString("user", User);
        if (PassphraseFile is not null) json.WriteString("passphraseFile", PassphraseFile);
        if (Certificate is not null) json.WriteString("certificate", Certificate);
        json.WriteEndObject();
    }

    public MailServer Open()
    {
        var passphrase = PassphraseFile is null ? null : File.ReadLines(KeyFiles.PathOf(PassphraseFile)).FirstOrDefault() ?? "";
        return new MailServer(Host, Port, Tls, User, passphrase, Certificate is null ? null : X509CertificateLoader.LoadPkcs12FromFile(Certificate, passphrase));
    }
}

/// <summary>"mail" in gateway.json: the gateway's own address, its relay, its mailbox, and by what their servers are known.</summary>
/// <param name="Imap">null: nothing comes in by mail, and only offices' receipts confirm.</param>
/// <param name="Ca">PEM by absolute path, one or more authorities; null: the pins alone.</param>
/// <param name="Pins">SHA-256 of certificates that the servers may show, base64url.</param>
sealed record MailSettings(string Address, string? ReturnAddress, MailServerSettings Smtp, MailServerSettings? Imap, string? Ca, IReadOnlyList<Digest> Pins, string? Quarantine)
{
    const string IsAddress = "must be an address like exchange@gateway.example, in ASCII";

    public static MailSettings Read(OptionsReader read)
    {
        var (smtp, imap) = (read.Object("smtp"), read.MaybeObject("imap"));
        var settings = new MailSettings(read.Text("address", MailAddress.IsGood, IsAddress), read.Maybe("returnAddress", MailAddress.IsGood, IsAddress), MailServerSettings.Read(smtp), imap is null ? null : MailServerSettings.Read(imap),
            read.Maybe("ca", Path.IsPathFullyQualified, "must be an absolute path"), read.MaybeKeys("pins"), read.Maybe("quarantine", q => q.Length is > 0 and <= 64, "must be the name of a folder of the mailbox"));
        if (settings.Ca is null && settings.Pins.Count == 0) read.Errors.Add("mail: needs ca or pins: by one of them the servers are known");
        foreach (var part in new[] { read, smtp, imap }) part?.Finish();
        read.Errors.AddRange(smtp.Errors);
        read.Errors.AddRange(imap?.Errors ?? []);
        return settings;
    }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject("mail");
        json.WriteString("address", Address);
        if (ReturnAddress is not null) json.WriteString("returnAddress", ReturnAddress);
        Smtp.Write(json, "smtp");
        Imap?.Write(json, "imap");
        if (Ca is not null) json.WriteString("ca", Ca);
        if (Pins.Count > 0)
        {
            json.WriteStartArray("pins");
            foreach (var pin in Pins) json.WriteStringValue(pin.ToString());
            json.WriteEndArray();
        }
        if (Quarantine is not null) json.WriteString("quarantine", Quarantine);
        json.WriteEndObject();
    }

    /// <summary>With passphrases and certificates read; what the gateway knows of parcels is added where there is a store.</summary>
    /// <param name="temporary">Folder for what is looked at.</param>
    public MailOptions Open(string temporary, Limits limits)
    {
        var authorities = new X509Certificate2Collection();
        if (Ca is not null) authorities.ImportFromPemFile(Ca);
        if (Ca is not null && authorities.Count == 0) throw new FormatException("no certificate in it");
        var options = new MailOptions
        {
            Smtp = Smtp.Open(), Imap = Imap?.Open(), From = Address, Return = ReturnAddress, Authorities = [.. authorities], Pins = [.. Pins.Select(p => p.ToArray())], Temporary = temporary,
            MaxBytes = limits.MailBytes, ReportWithin = TimeSpan.FromMinutes(limits.MailReportMinutes), ResendAfter = TimeSpan.FromMinutes(limits.MailResendMinutes), Trace = _ => MailTrace.None,
        };
        return Quarantine is null ? options : options with { Quarantine = Quarantine };
    }
}
