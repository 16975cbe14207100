using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Operations;

/// <param name="Status">"ready", or "full": submissions are refused, the rest goes on.</param>
sealed record HealthAnswer(string Status, string Origin, long? Checkpoint);

/// <summary>Live: the process answers. Ready: it would take a submission.</summary>
sealed class Health(Journal journal, Room room, LedgerReader ledger, Options options)
{
    public bool Ready => !journal.Full && !room.IsShort && journal.HasRoom(1 << 20);

    HealthAnswer Now => new(journal.Full || room.IsShort ? "full" : "ready", options.Origin, ledger.Newest?.Size);

    /// <summary>For offices, on the mutual-TLS port.</summary>
    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/health", () => Answers.Json(Now, AnswerJson.Shared.HealthAnswer));

    /// <summary>For the operator, plain HTTP on loopback: no content, only whether.</summary>
    public async Task Answer(HttpContext context)
    {
        context.Response.StatusCode = context.Request.Path.Value switch
        {
            "/health/live" => StatusCodes.Status200OK,
            "/health/ready" => Ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable,
            _ => StatusCodes.Status404NotFound,
        };
        if (context.Response.StatusCode != StatusCodes.Status404NotFound)
            await context.Response.WriteAsync(context.Response.StatusCode == StatusCodes.Status200OK ? "ok\n" : "not ready\n");
    }
}
