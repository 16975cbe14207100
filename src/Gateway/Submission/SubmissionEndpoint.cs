using System.Globalization;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;
using Microsoft.AspNetCore.Http.Features;

namespace Exchange.Gateway.Submission;

/// <param name="Upload">Path to PUT the payload to.</param>
sealed record UploadAnswer(Guid Id, string Upload);

/// <param name="Approvals">Roles that will approve.</param>
sealed record DryRunRequest(Label? Label, DryRunRecipient[] Recipients, string[]? Approvals);
sealed record DryRunRecipient(string Office, string? Role);
/// <param name="Verdict">"permit", "hold" or "deny".</param>
/// <param name="Policy">Ref of the policy that decided.</param>
sealed record DryRunAnswer(string Verdict, RefusalAnswer? Refusal, Digest Policy);
sealed record RefusalAnswer(string Code, Bilingual Messages, Bilingual Remedy);

/// <summary>Routes and shapes of handing a dispatch in.</summary>
static class SubmissionEndpoint
{
    const int MaxQuestion = 256 << 10;
    const string Payload = "/dispatches/{id}/payload", OffsetHeader = "Upload-Offset", LengthHeader = "Upload-Length";

    public static void Map(IEndpointRouteBuilder routes, SubmitDispatch submit, UploadPayload upload, DryRun dryRun, Options options)
    {
        var maxSubmission = EnvelopeParts.MaxHeader + EnvelopeParts.MaxApproval * EnvelopeParts.MaxApprovals + EnvelopeParts.MaxManifest + options.Limits.InlinePayloadBytes + 1;

        routes.MapPost("/dispatches", async (HttpContext context) =>
        {
            Answers.BodyUpTo(context, maxSubmission);
            return Answer(context, await submit.Submit(SignIn.Office(context), SignIn.Session(context), context.Request.BodyReader, context.RequestAborted));
        });
        async Task<IResult> Upload(HttpContext context, string id, long? from)
        {
            Answers.BodyUpTo(context, context.Request.ContentLength ?? 0);
            var body = new UploadBody(context.Request.Body, context.Request.ContentLength, from);
            return Answer(context, await upload.TakeIn(SignIn.Office(context), SignIn.Session(context), Answers.Id(id), body, context.RequestAborted));
        }
        routes.MapPut(Payload, (HttpContext context, string id) => Upload(context, id, null));
        routes.MapPatch(Payload, (HttpContext context, string id) => Upload(context, id, Offset(context)));
        routes.MapMethods(Payload, [HttpMethods.Head], (HttpContext context, string id) => Answer(context, upload.Ask(SignIn.Office(context), Answers.Id(id))));
        routes.MapPost("/dispatches/dry-run", async (HttpContext context) =>
        {
            Answers.BodyUpTo(context, MaxQuestion);
            var question = await Answers.ReadJson(context, AnswerJson.Shared.DryRunRequest);
            return Answers.Json(await dryRun.Ask(SignIn.Office(context), SignIn.Session(context), question), AnswerJson.Shared.DryRunAnswer);
        });
    }

    static long Offset(HttpContext context) =>
        context.Request.Headers[OffsetHeader] is [{ } text] && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
            ? offset : throw new RefusedException(Refusal.Request, OffsetHeader);

    static IResult At(HttpContext context, long offset, long length, IResult answer)
    {
        context.Response.Headers[OffsetHeader] = offset.ToString(CultureInfo.InvariantCulture);
        context.Response.Headers[LengthHeader] = length.ToString(CultureInfo.InvariantCulture);
        return answer;
    }

    static IResult Answer(HttpContext context, Submitted submitted) => submitted switch
    {
        Submitted.Accepted(var id, var receipt) => Answers.Cms(receipt, StatusCodes.Status201Created, $"/dispatches/{id}"),
        Submitted.Before(var id, var receipt) => Answers.Cms(receipt, StatusCodes.Status200OK, $"/dispatches/{id}"),
        Submitted.Held(var id, var receipt) => Answers.Cms(receipt, StatusCodes.Status202Accepted, $"/dispatches/{id}"),
        Submitted.Awaited(var id) => Answers.Json(new UploadAnswer(id, $"/dispatches/{id}/payload"), AnswerJson.Shared.UploadAnswer, StatusCodes.Status202Accepted, $"/dispatches/{id}"),
        Submitted.Partly(_, var offset, var length) => At(context, offset, length, TypedResults.NoContent()),
        Submitted.Elsewhere(_, var offset, var length) => At(context, offset, length, Refusals.Answer(Refusal.UploadOffset)),
        _ => throw new InvalidOperationException("No such outcome."),
    };
}
