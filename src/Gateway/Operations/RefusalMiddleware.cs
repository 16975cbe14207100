using Exchange.Crypto;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Submission;
using Microsoft.AspNetCore.Routing;

namespace Exchange.Gateway.Operations;

/// <summary>Turns whatever ends a request into a problem: refusals as they are, an unknown exception into E_INTERNAL with its stack in the log only.</summary>
sealed class RefusalMiddleware(RequestDelegate next, ILogger<RefusalMiddleware> log)
{
    public async Task Invoke(HttpContext context)
    {
        try
        {
            await next(context);
            if (context.Response.HasStarted || context.Response.ContentType is not null) return;
            // Routing answers without a body: no such route, or not with this method.
            if (context.Response.StatusCode == StatusCodes.Status404NotFound) await Refusals.Write(context, Refusal.NotFound);
            else if (context.Response.StatusCode is StatusCodes.Status405MethodNotAllowed or StatusCodes.Status400BadRequest) await Refusals.Write(context, Refusal.Request);
        }
        catch (RejectedException e) { await Answer(context, e.Refusal, "", e.Receipt); }
        catch (LaterException e) { await Answer(context, e.Refusal, "", after: e.After); }
        catch (RefusedException e) { await Answer(context, e.Refusal, e.Detail); }
        catch (BadHttpRequestException e) { await Answer(context, e.StatusCode == StatusCodes.Status413PayloadTooLarge ? Refusal.TooLarge : Refusal.Request, e.Message); }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested) { }
        catch (IOException e) when (context.RequestAborted.IsCancellationRequested || e is Microsoft.AspNetCore.Connections.ConnectionResetException) { }
        catch (IOException e) when (DurableFile.IsFull(e)) { await Answer(context, Refusal.Full, "file"); }
        catch (StoreFull) { await Answer(context, Refusal.Full, ""); }
        catch (Exception e)
        {
            log.RequestFailed(e, Route(context));
            await Answer(context, Refusal.Internal, "");
        }
    }

    async Task Answer(HttpContext context, Refusal refusal, string detail, byte[]? receipt = null, TimeSpan? after = null)
    {
        log.RequestWasRefused(Route(context), refusal.Code, detail);
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }
        context.Response.Clear();
        await Refusals.Write(context, refusal, receipt, after);
    }

    // The pattern, never the path: what a caller types does not get into the log.
    static string Route(HttpContext context) => (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "(none)";
}
