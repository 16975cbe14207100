using Exchange.Crypto;

namespace Exchange.Gateway.Submission;

/// <summary>Counts what a submission was answered, times it, and is the span around its story.</summary>
static class MeasureSubmission
{
    /// <param name="step">"submit" or "upload".</param>
    public static async Task<Submitted> Run(Shared shared, string step, Func<Task<Submitted>> story)
    {
        using var span = Spans.Start(step);
        var began = shared.Clock.GetTimestamp();
        var answer = "failed";
        try
        {
            var submitted = await story();
            answer = submitted switch { Submitted.Accepted => "accepted", Submitted.Held => "held", Submitted.Before => "repeated", _ => "awaited" };
            if (submitted is Submitted.Accepted) Count("OK");
            return submitted;
        }
        catch (Exception e)
        {
            if (RefusalOf(e) is { } refusal)
            {
                answer = "refused";
                Count(refusal.Code);
            }
            else span.Failed();
            throw;
        }
        finally { shared.Meters.SubmissionDuration.Record(shared.Clock.GetElapsedTime(began).TotalSeconds, new("step", step), new("answer", answer)); }

        void Count(string code)
        {
            span.Code(code);
            shared.Meters.Submissions.Add(1, new KeyValuePair<string, object?>("code", code));
        }
    }

    static Refusal? RefusalOf(Exception e) => e switch
    {
        RejectedException rejected => rejected.Refusal,
        LaterException later => later.Refusal,
        RefusedException refused => refused.Refusal,
        _ => null,
    };
}
