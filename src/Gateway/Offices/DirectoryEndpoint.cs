using Exchange.Crypto;

namespace Exchange.Gateway.Offices;

/// <param name="Crls">DER, base64url.</param>
sealed record CrlsAnswer(IReadOnlyList<string> Crls);

/// <summary>Passes on what officers and authorities signed; offices verify it under their own pins. The gateway signs none of it.</summary>
static class DirectoryEndpoint
{
    public static void Map(IEndpointRouteBuilder routes, Worlds worlds)
    {
        routes.MapGet("/directory", () => Answers.Cms(worlds.Current.Directory.Statement));
        routes.MapGet("/directory/cards/{reference}", (string reference) =>
            Digest.TryParse(reference, out var card) && worlds.Current.Directory.Cards.TryGetValue(card, out var der) ? Answers.Cms(der) : throw new RefusedException(Refusal.NotFound));
        routes.MapGet("/policy", () => Answers.Cms(worlds.Current.Policy.Statement));
        routes.MapGet("/trust/crls", () => Answers.Json(new CrlsAnswer([.. worlds.Current.Trust.Store.Crls.Select(crl => Answers.Base64(crl.Span))]), AnswerJson.Shared.CrlsAnswer));
    }
}
