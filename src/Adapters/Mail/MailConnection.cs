using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MailKit;
using MailKit.Net.Imap;
using MailKit.Security;

namespace Exchange.Adapters.Mail;

/// <summary>How either server is reached: TLS before anything that matters is said, judged by our own authorities and pins, then whoever we are.</summary>
sealed class MailConnection(MailOptions options, TimeProvider clock)
{
    /// <summary>Connected, in TLS, signed in.</summary>
    public async Task OpenAsync(MailService service, MailServer server, CancellationToken cancel)
    {
        service.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
        // Of a private authority nobody asks the world about; its own lists are not published to mail clients.
        service.CheckCertificateRevocation = false;
        service.ServerCertificateValidationCallback = (_, certificate, _, errors) => IsOurs(certificate, errors);
        if (server.Client is { } client) service.ClientCertificates = [client];
        // StartTls fails where it is not offered: there is no "when available" here.
        await service.ConnectAsync(server.Host, server.Port, server.Tls == MailTls.Implicit ? SecureSocketOptions.SslOnConnect : SecureSocketOptions.StartTls, cancel).ConfigureAwait(false);
        if (!service.IsSecure) throw new NotSupportedException("no TLS");
        if (server.User is { } user) await service.AuthenticateAsync(System.Text.Encoding.UTF8, new System.Net.NetworkCredential(user, server.Password), cancel).ConfigureAwait(false);
        else if (server.Client is not null && service.AuthenticationMechanisms.Contains("EXTERNAL")) await service.AuthenticateAsync(new External(), cancel).ConfigureAwait(false);
    }

    /// <returns>null: its inbox opens. Else what is in the way.</returns>
    public async Task<string?> ProbeMailboxAsync(MailServer server, CancellationToken cancel)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(options.ConnectSeconds), clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancel);
        using var client = new ImapClient();
        try
        {
            await OpenAsync(client, server, both.Token).ConfigureAwait(false);
            await client.Inbox!.OpenAsync(FolderAccess.ReadOnly, both.Token).ConfigureAwait(false);
            return null;
        }
        catch (Exception e) when (IsTheirs(e)) { return "imap: " + Reason(e); }
    }

    internal bool IsOurs(X509Certificate? shown, SslPolicyErrors errors)
    {
        if (shown is null || (errors & SslPolicyErrors.RemoteCertificateNotAvailable) != 0) return false;
        using var certificate = X509CertificateLoader.LoadCertificate(shown.GetRawCertData());
        if (options.Pins.Count > 0 && !options.Pins.Any(pin => pin.AsSpan().SequenceEqual(SHA256.HashData(certificate.RawData)))) return false;
        if (options.Authorities.Count == 0) return true;
        if ((errors & SslPolicyErrors.RemoteCertificateNameMismatch) != 0) return false;
        using var chain = new X509Chain
        {
            ChainPolicy =
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true,
                VerificationTime = clock.GetUtcNow().UtcDateTime, VerificationTimeIgnored = false, ApplicationPolicy = { new Oid("1.3.6.1.5.5.7.3.1") },
            },
        };
        foreach (var authority in options.Authorities)
            if (authority.SubjectName.RawData.AsSpan().SequenceEqual(authority.IssuerName.RawData)) chain.ChainPolicy.CustomTrustStore.Add(authority);
            else chain.ChainPolicy.ExtraStore.Add(authority);
        try { return chain.Build(certificate); }
        finally
        {
            foreach (var element in chain.ChainElements) element.Certificate.Dispose();
        }
    }

    /// <summary>Words of ours alone: what servers say may quote addresses and subjects.</summary>
    public static string Reason(Exception e) => e switch
    {
        SslHandshakeException => "TLS: its certificate is not one of the configured authority or pin, or it does not speak TLS 1.2",
        NotSupportedException => "TLS: the server does not offer STARTTLS",
        MailKit.Security.AuthenticationException or System.Security.Authentication.AuthenticationException => "the server does not accept the user",
        SocketException socket => $"{socket.SocketErrorCode}",
        IOException { InnerException: SocketException inner } => $"{inner.SocketErrorCode}",
        MailKit.Net.Smtp.SmtpCommandException smtp => $"SMTP {(int)smtp.StatusCode}",
        MailKit.Net.Imap.ImapCommandException imap => $"IMAP {imap.Response}",
        OperationCanceledException => "no answer in time, or cancelled",
        ProtocolException => "the server does not keep to the protocol, or broke off",
        IOException => "the connection broke",
        _ => e.GetType().Name,
    };

    /// <summary>What the other side can cause; everything else is a mistake of ours.</summary>
    public static bool IsTheirs(Exception e) => e is IOException or SocketException or OperationCanceledException or SslHandshakeException or NotSupportedException or CommandException or ProtocolException
        or MailKit.Security.AuthenticationException or System.Security.Authentication.AuthenticationException or ServiceNotConnectedException or ServiceNotAuthenticatedException or FolderNotFoundException or FolderNotOpenException;

    /// <summary>RFC 4422, appendix A: the certificate of the handshake says it all, and the answer to the challenge is empty.</summary>
    sealed class External() : SaslMechanism("", "")
    {
        public override string MechanismName => "EXTERNAL";

        protected override byte[] Challenge(byte[]? token, int startIndex, int length, CancellationToken cancellationToken)
        {
            IsAuthenticated = true;
            return [];
        }
    }
}
