using System.Runtime.CompilerServices;
using System.Security.Claims;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Microsoft.AspNetCore.Authentication.Certificate;

namespace Exchange.Gateway.Offices;

/// <summary>Certificate → office or auditor, on each request and not on each connection: HTTP/2 connections live for days, clearances and CRLs do not.</summary>
sealed class SignIn(Worlds worlds, TimeProvider clock, SignInFailures failures)
{
    const string OfficeClaim = "office", AuditorClaim = "auditor";
    static readonly object SessionItem = new(), AuditorItem = new();
    // Kestrel hands out one object per connection; parsing it again for each request would cost more than the (cached) check.
    readonly ConditionalWeakTable<X509Certificate2, Certificate> parsed = [];

    public CertificateAuthenticationEvents Events => new() { OnCertificateValidated = Validate, OnChallenge = Challenge };

    Task Validate(CertificateValidatedContext context)
    {
        var world = worlds.Current;
        try
        {
            var certificate = parsed.GetValue(context.ClientCertificate, presented => new Certificate(presented.RawData));
            world.Trust.Demand(certificate, Purpose.TlsClient, clock.GetUtcNow());
            var caller = Caller.Of(certificate.Key, world, clock.GetUtcNow()) ?? throw new RefusedException(Refusal.NotSignedIn, "not a TLS key of the directory, nor an auditor's");
            context.Principal = new ClaimsPrincipal(new ClaimsIdentity([new Claim(caller.Auditor is null ? OfficeClaim : AuditorClaim, caller.Code)], context.Scheme.Name));
            if (caller.Auditor is not null) context.HttpContext.Items[AuditorItem] = caller.Auditor;
            context.HttpContext.Items[SessionItem] = certificate;
            context.Success();
        }
        catch (RefusedException e)
        {
            failures.Add(e.Refusal.Code, e.Detail, context.HttpContext.Connection.RemoteIpAddress ?? System.Net.IPAddress.None);
            context.Fail(e.Refusal.Code);
        }
        return Task.CompletedTask;
    }

    static Task Challenge(CertificateChallengeContext context)
    {
        context.HandleResponse();
        return Refusals.Write(context.HttpContext, Refusal.NotSignedIn);
    }

    /// <summary>After authorization: a route that says nothing of <see cref="OpenTo"/> is for offices alone.</summary>
    public static Task Admit(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint() is not { } endpoint) return next(context);
        var open = endpoint.Metadata.GetMetadata<OpenTo>() ?? OpenTo.Offices;
        return (context.Items.ContainsKey(AuditorItem) ? open.ToAuditors : open.ToOffices) ? next(context) : throw new RefusedException(Refusal.NotSignedIn, "another role's route");
    }

    /// <summary>The auditor that this request comes from. Routes that are <see cref="OpenTo.Auditors"/> only.</summary>
    public static StandingAuditor Auditor(HttpContext context) =>
        context.Items[AuditorItem] as StandingAuditor ?? throw new InvalidOperationException("This route was reached without an auditor.");

    /// <summary>Code of the office that this request comes from. Routes are reached by signed-in offices only.</summary>
    public static string Office(HttpContext context) =>
        context.User.FindFirstValue(OfficeClaim) ?? throw new InvalidOperationException("This route was reached without signing in.");

    /// <summary>The certificate that it is signed in with: what goes through this session is bounded by the clearance in it.</summary>
    public static Certificate Session(HttpContext context) =>
        context.Items[SessionItem] as Certificate ?? throw new InvalidOperationException("This route was reached without signing in.");
}
