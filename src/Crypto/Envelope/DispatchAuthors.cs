using Exchange.Crypto.Statements;
using Exchange.Crypto.TimeStamps;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Envelope;

/// <summary>Who may have signed a dispatch. The same rules when it is opened and when its evidence is verified.</summary>
static class DispatchAuthors
{
    /// <summary>One person of the sender's card in a role that may author, and beside him at most the office, which must be there when asked.</summary>
    /// <param name="context">Its time is that of the submission.</param>
    /// <param name="stamps">One for each signature, or none. A time-stamp shows that the signature was there before T: whoever's certificate ended in between has signed all the same.</param>
    /// <param name="roles">That may author; null: not known here.</param>
    /// <exception cref="RefusedException">DispatchSigners, or what is wrong with a certificate.</exception>
    public static void Check(Statement dispatch, OfficeEntry sender, EnvelopeContext context, IReadOnlyList<VerifiedTimeStamp> stamps, IReadOnlyList<string>? roles, bool officeSigns)
    {
        var persons = sender.Persons.Where(p => dispatch.Signers.Contains(p.Certificate)).ToList();
        var offices = dispatch.Signers.Where(sender.Signing.Contains).ToList();
        if (persons.Count != 1 || offices.Count > 1 || dispatch.Signers.Count != persons.Count + offices.Count) throw new RefusedException(Refusal.DispatchSigners, "not of the sender");
        if (officeSigns && offices.Count == 0) throw new RefusedException(Refusal.DispatchSigners, "the office did not sign");
        if (roles is not null && !persons[0].Roles.Any(roles.Contains)) throw new RefusedException(Refusal.DispatchSigners, "role of the author");
        for (var i = 0; i < dispatch.Signers.Count; i++)
        {
            var at = stamps.Count > 0 && stamps[i].Time < context.At ? stamps[i].Time : context.At;
            context.Trust.Demand(dispatch.Signers[i], offices.Contains(dispatch.Signers[i]) ? Purpose.OfficeSigning : Purpose.PersonSigning, at);
        }
    }
}
