using System.Security.Claims;
using System.Security.Cryptography.X509Certificates;
using System.Text.Encodings.Web;
using Microsoft.Extensions.Options;

// Stands in for the package Microsoft.AspNetCore.Authentication.Certificate: same namespace, scheme, option and event names. Delete this file when the package
// can be had; nothing else changes. It builds no chain of its own: the handshake judged the certificate and OnCertificateValidated judges it again.
namespace Microsoft.AspNetCore.Authentication.Certificate;

static class CertificateAuthenticationDefaults
{
    public const string AuthenticationScheme = "Certificate";
}

sealed class CertificateAuthenticationOptions : AuthenticationSchemeOptions
{
    public new CertificateAuthenticationEvents? Events { get => (CertificateAuthenticationEvents?)base.Events; set => base.Events = value; }
    /// <summary>For the package's own chain; ours has been built by then.</summary>
    public X509RevocationMode RevocationMode { get; set; } = X509RevocationMode.Online;
    /// <summary>For the package's own chain; ours has been built by then.</summary>
    public X509ChainTrustMode ChainTrustValidationMode { get; set; } = X509ChainTrustMode.System;
    /// <summary>For the package's own chain; ours has been built by then.</summary>
    public X509Certificate2Collection CustomTrustStore { get; set; } = [];
}

class CertificateAuthenticationEvents
{
    public Func<CertificateValidatedContext, Task> OnCertificateValidated { get; set; } = _ => Task.CompletedTask;
    public Func<CertificateChallengeContext, Task> OnChallenge { get; set; } = _ => Task.CompletedTask;
    public virtual Task CertificateValidated(CertificateValidatedContext context) => OnCertificateValidated(context);
    public virtual Task Challenge(CertificateChallengeContext context) => OnChallenge(context);
}

sealed class CertificateValidatedContext(HttpContext context, AuthenticationScheme scheme, CertificateAuthenticationOptions options)
    : ResultContext<CertificateAuthenticationOptions>(context, scheme, options)
{
    public X509Certificate2 ClientCertificate { get; set; } = default!;
}

sealed class CertificateChallengeContext(HttpContext context, AuthenticationScheme scheme, CertificateAuthenticationOptions options, AuthenticationProperties? properties)
    : PropertiesContext<CertificateAuthenticationOptions>(context, scheme, options, properties)
{
    public bool Handled { get; private set; }
    public void HandleResponse() => Handled = true;
}

sealed class CertificateAuthenticationHandler(IOptionsMonitor<CertificateAuthenticationOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<CertificateAuthenticationOptions>(options, logger, encoder)
{
    new CertificateAuthenticationEvents Events => (CertificateAuthenticationEvents)base.Events!;

    protected override Task<object> CreateEventsAsync() => Task.FromResult<object>(new CertificateAuthenticationEvents());

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!Context.Request.IsHttps || Context.Connection.ClientCertificate is not { } certificate) return AuthenticateResult.NoResult();
        var validated = new CertificateValidatedContext(Context, Scheme, Options)
        {
            ClientCertificate = certificate,
            Principal = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Thumbprint, certificate.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256))], Scheme.Name)),
        };
        await Events.CertificateValidated(validated);
        if (validated.Result is { } result) return result;
        validated.Success();
        return validated.Result!;
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var challenge = new CertificateChallengeContext(Context, Scheme, Options, properties);
        await Events.Challenge(challenge);
        // A certificate cannot be asked for again within a connection: 403, not 401.
        if (!challenge.Handled) Response.StatusCode = StatusCodes.Status403Forbidden;
    }
}

static class CertificateAuthenticationAppBuilderExtensions
{
    public static AuthenticationBuilder AddCertificate(this AuthenticationBuilder builder, Action<CertificateAuthenticationOptions> configure) =>
        builder.AddScheme<CertificateAuthenticationOptions, CertificateAuthenticationHandler>(CertificateAuthenticationDefaults.AuthenticationScheme, configure);
}
