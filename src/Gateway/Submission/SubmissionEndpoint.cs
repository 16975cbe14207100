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

    public static void Map(IEndpointRouteBuilder routes, SubmitDispatch submit, UploadPayload upload, DryRun dryRun, Options options)
    {
        var maxSubmission = EnvelopeParts.MaxHeader + EnvelopeParts.MaxApproval * EnvelopeParts.MaxApprovals + EnvelopeParts.MaxManifest + options.Limits.InlinePayloadBytes + 1;

        routes.MapPost("/dispatches", async (HttpContext context) =>
        {
            Answers.BodyUpTo(context, maxSubmission);
            return Answer(await submit.Submit(SignIn.Office(context), context.Request.BodyReader, context.RequestAborted));
        });
        routes.MapPut("/dispatches/{id}/payload", async (HttpContext context, string id) =>
        {
            Answers.BodyUpTo(context, context.Request.ContentLength ?? 0);
            return Answer(await upload.Upload(SignIn.Office(context), Answers.Id(id), context.Request.Body, context.Request.ContentLength, context.RequestAborted));
        });
        routes.MapPost("/dispatches/dry-run", async (HttpContext context) =>
        {
            Answers.BodyUpTo(context, MaxQuestion);
            var question = await Answers.ReadJson(context, AnswerJson.Shared.DryRunRequest);
            return Answers.Json(await dryRun.Ask(SignIn.Office(context), question), AnswerJson.Shared.DryRunAnswer);
        });
    }

    static IResult Answer(Submitted submitted) => submitted switch
    {
        Submitted.Accepted(var id, var receipt) => Answers.Cms(receipt, StatusCodes.Status201Created, $"/dispatches/{id}"),
        Submitted.Before(var id, var receipt) => Answers.Cms(receipt, StatusCodes.Status200OK, $"/dispatches/{id}"),
        Submitted.Awaited(var id) => Answers.Json(new UploadAnswer(id, $"/dispatches/{id}/payload"), AnswerJson.Shared.UploadAnswer, StatusCodes.Status202Accepted, $"/dispatches/{id}"),
        _ => throw new InvalidOperationException("No such outcome."),
    };
}
