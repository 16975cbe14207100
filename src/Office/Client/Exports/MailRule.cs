using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;

namespace Exchange.Office.Client.Exports;

/// <summary>
/// Whether a dispatch may leave the system as a mail to anybody. Nobody decides on it again once it is out, so it is judged as the weakest channel there is: R09 for the channel "mail" without a ceiling,
/// whose reader bears no caveat.
/// </summary>
static class MailRule
{
    /// <param name="label">In force.</param>
    /// <exception cref="RefusedException">ExportMail, naming what bars it; PolicyUnknown: its label is of another policy.</exception>
    public static PolicyLevel Demand(CompiledPolicy policy, Label label)
    {
        if (policy.Content.Policy != label.Policy || policy.Level(label.Class) is not { } level) throw new RefusedException(Refusal.PolicyUnknown);
        if (!level.Handling.Channels.Contains("mail")) throw new RefusedException(Refusal.ExportMail, $"level {level.Code}: the policy lets no mail carry it");
        if (label.Caveats.Length > 0) throw new RefusedException(Refusal.ExportMail, $"it bears the caveat {string.Join(", ", label.Caveats)}");
        if (label.Categories.Any(c => c.Type != "informative")) throw new RefusedException(Refusal.ExportMail, "it bears a category, for which nobody outside is cleared");
        return level;
    }
}
