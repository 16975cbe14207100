using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Exchange.Crypto;
using Microsoft.AspNetCore.Http.Features;

namespace Exchange.Gateway.Operations;

/// <summary>Reading requests and writing answers, the same way on every route.</summary>
static class Answers
{
    public const string CmsType = "application/cms", EnvelopeType = "application/vnd.exchange.envelope";

    public static IResult Cms(ReadOnlyMemory<byte> der, int status = StatusCodes.Status200OK, string? location = null) => new BytesResult(der, CmsType, status, location);

    public static IResult Json<T>(T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK, string? location = null) =>
        new BytesResult(JsonSerializer.SerializeToUtf8Bytes(value, type), "application/json", status, location);

    public static IResult Bytes(ReadOnlyMemory<byte> bytes, string mediaType, string cache) => new BytesResult(bytes, mediaType, StatusCodes.Status200OK, null, cache);

    /// <summary>Lower-case UUID, as it stands in headers: one spelling.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.NotFound"/>: nothing has such a name.</exception>
    public static Guid Id(string text) => Guid.TryParseExact(text, "D", out var id) && id.ToString() == text ? id : throw new RefusedException(Refusal.NotFound);

    public static Guid? AfterId(HttpContext context) =>
        context.Request.Query["after"] is [{ } text] ? (Guid.TryParseExact(text, "D", out var id) ? id : throw new RefusedException(Refusal.Request, "after")) : null;

    public static int Number(HttpContext context, string name, int @default, int max)
    {
        var values = context.Request.Query[name];
        if (values.Count == 0) return @default;
        return values is [{ } text] && int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number) && number <= max
            ? number : throw new RefusedException(Refusal.Request, name);
    }

    public static bool Flag(HttpContext context, string name) => context.Request.Query[name] switch
    {
        [] or ["false"] => false,
        ["true"] => true,
        _ => throw new RefusedException(Refusal.Request, name),
    };

    public static void BodyUpTo(HttpContext context, long bytes)
    {
        if (context.Request.ContentLength > bytes) throw new RefusedException(Refusal.TooLarge, "Content-Length");
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = bytes;
    }

    public static async Task<byte[]> ReadBytes(HttpContext context, int max)
    {
        BodyUpTo(context, max);
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        return body.ToArray();
    }

    public static async Task<T> ReadJson<T>(HttpContext context, JsonTypeInfo<T> type) where T : class
    {
        try { return await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted) ?? throw new RefusedException(Refusal.Request, "null"); }
        catch (JsonException e) { throw new RefusedException(Refusal.Request, $"JSON at byte {e.BytePositionInLine} of line {e.LineNumber}"); }
    }

    public static string Base64(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);

    sealed class BytesResult(ReadOnlyMemory<byte> bytes, string mediaType, int status, string? location, string? cache = null) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.StatusCode = status;
            response.ContentType = mediaType;
            response.ContentLength = bytes.Length;
            response.Headers.CacheControl = cache ?? "no-store";
            if (location is not null) response.Headers.Location = location;
            if (!HttpMethods.IsHead(httpContext.Request.Method)) await response.Body.WriteAsync(bytes, httpContext.RequestAborted);
        }
    }
}
