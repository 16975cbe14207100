using Exchange.Crypto;
using Exchange.Gateway.Operations;

namespace Exchange.Gateway.Revocation;

/// <summary>Passes on what a CA's responder said last about a certificate; offices keep it with their evidence. Read from disk, never fetched here.</summary>
static class ResponseEndpoint
{
    public const string MediaType = "application/ocsp-response";

    public static void Map(IEndpointRouteBuilder routes, RevocationCache cache) => routes.MapGet("/trust/ocsp/{key}", (string key) =>
        Digest.TryParse(key, out var certificate) && cache.ResponseOf(certificate) is { } response ? Answers.Bytes(response, MediaType, "no-cache") : throw new RefusedException(Refusal.NotFound));
}
