using System.Globalization;
using System.Text;
using Exchange.Crypto;
using Exchange.Gateway.Offices;

namespace Exchange.Gateway.Audit;

/// <summary>What an auditor may ask beside the ledger's tiles. Every answer is on record before it leaves.</summary>
static class AuditEndpoint
{
    public static void Map(IEndpointRouteBuilder app, ReadEntries read)
    {
        var routes = app.MapGroup("").WithMetadata(OpenTo.Auditors);
        // Named as what it is: of a bare lambda over the context the framework would take the answer for nothing.
        void Get(string path, Func<HttpContext, Task<IResult>> answer) => routes.MapGet(path, (Delegate)answer);

        Get("/audit/entries", async (HttpContext context) => Entries(await read.Page(SignIn.Auditor(context), AuditQuery.Read(context, ReadEntries.MaxPage))));

        Get("/audit/refused", async (HttpContext context) => Entries(await read.Page(SignIn.Auditor(context), AuditQuery.Read(context, ReadEntries.MaxPage).Refused())));

        Get("/audit/overdue", async (HttpContext context) => Entries(await read.Page(SignIn.Auditor(context), AuditQuery.Read(context, ReadEntries.MaxPage).Overdue())));

        Get("/audit/counts", async (HttpContext context) =>
            Answers.Json(await read.Counts(SignIn.Auditor(context), AuditQuery.Read(context, ReadEntries.MaxPage)), AnswerJson.Shared.CountsAnswer));

        Get("/audit/details", async (HttpContext context) =>
        {
            var (at, first, count) = (Number(context, "at") ?? throw AuditQuery.Wrong("at"), Number(context, "first") ?? throw AuditQuery.Wrong("first"), Number(context, "count") ?? 1);
            if (!context.Request.Query.Keys.All(k => k is "at" or "first" or "count") || count > ReadEntries.MaxBundles) throw AuditQuery.Wrong("at, first, count");
            var query = Digest.Of(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"/audit/details\nat={at}\ncount={count}\nfirst={first}")));
            return Answers.Bytes(await read.Bundles(SignIn.Auditor(context), at, first, (int)count, query), "text/plain; charset=utf-8", "no-store");
        });
    }

    static IResult Entries(EntriesAnswer answer) => Answers.Json(answer, AnswerJson.Shared.EntriesAnswer);

    static long? Number(HttpContext context, string name) => context.Request.Query[name] switch
    {
        [] => null,
        [{ } text] when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => number,
        _ => throw AuditQuery.Wrong(name),
    };
}
