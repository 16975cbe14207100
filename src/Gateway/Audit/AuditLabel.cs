using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;

namespace Exchange.Gateway.Audit;

/// <summary>Labels as the audit index files them: what a clearance is held against, without basis and term, so that there are few.</summary>
static class AuditLabel
{
    /// <summary>In the place of whatever basis was given.</summary>
    public const string AnyBasis = "*";

    public static string Write(Label label) =>
        Encoding.UTF8.GetString(StrictJson.Write(label with { Basis = label.Basis is null ? null : AnyBasis, Term = null }, StatementJson.Default.Label));

    public static Label Read(string text) => StrictJson.Read(Encoding.UTF8.GetBytes(text), StatementJson.Default.Label);
}
