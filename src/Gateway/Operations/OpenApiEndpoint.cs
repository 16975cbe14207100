namespace Exchange.Gateway.Operations;

/// <summary>docs/openapi.json of the version that runs: whoever stands before a gateway need not guess which that is.</summary>
static class OpenApiEndpoint
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        using var stream = typeof(OpenApiEndpoint).Assembly.GetManifestResourceStream("openapi.json")!;
        var document = new byte[stream.Length];
        stream.ReadExactly(document);
        routes.MapGet("/openapi.json", () => Answers.Bytes(document, "application/json", "no-cache"));
    }
}
