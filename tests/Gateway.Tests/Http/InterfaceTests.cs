using System.Text.RegularExpressions;
using Exchange.Crypto;
using Exchange.Gateway.Operations;
using Microsoft.AspNetCore.Routing;
using Microsoft.OpenApi;

namespace Exchange.Tests.Http;

/// <summary>That answers are as docs/openapi.json says is asked of every answer in every test: see TestGateway.Send.</summary>
public sealed partial class InterfaceTests(SharedGateway shared) : IClassFixture<SharedGateway>
{
    [Fact]
    public void The_document_has_the_routes_of_the_running_gateway_and_no_others()
    {
        var routes = shared.Gateway.Host.Routes.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .SelectMany(e => e.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods.Select(method => (method, CatchAll().Replace(e.RoutePattern.RawText!, "{"))));
        Assert.Equal(routes.Order(), Interface.Operations.Order());
    }

    [Fact]
    public void Each_code_in_it_is_a_refusal_with_the_status_it_stands_under() =>
        Assert.All(Interface.Codes, c => Assert.Equal(c.Status, Refusals.Status(Refusal.All[c.Code])));

    [Fact]
    public void It_is_well_formed_OpenAPI()
    {
        var read = OpenApiDocument.Parse(System.Text.Encoding.UTF8.GetString(Interface.Bytes), "json");
        Assert.Empty(read.Diagnostic!.Errors);
        Assert.Empty(read.Diagnostic.Warnings);
        Assert.Equal(OpenApiSpecVersion.OpenApi3_1, read.Diagnostic.SpecificationVersion);
    }

    [Fact]
    public async Task The_gateway_hands_out_the_document_that_is_in_the_repository() =>
        Assert.Equal(Interface.Bytes, (await TestGateway.Send(shared.Gateway.As("H41"), HttpMethod.Get, "/openapi.json")).Body);

    [GeneratedRegex(@"\{\*+")]
    private static partial Regex CatchAll();
}
