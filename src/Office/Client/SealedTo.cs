using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Trust;
using Exchange.Crypto.Envelope;

namespace Exchange.Office.Client;

/// <summary>To whose keys a dispatch is sealed: its addressees', and besides them whose the policy says. docs/envelope.md section 16.</summary>
static class SealedTo
{
    /// <summary>The first key of a card is the one to seal to; one that the policy keeps for recovery is for nothing else.</summary>
    /// <exception cref="RefusedException">NotFound: no such office. RecipientKeys: it has no key to seal to.</exception>
    public static SealRecipient Addressee(OfficeContext office, string code, string role, PolicyLevel level)
    {
        var entry = office.View.Directory.Find(code) ?? throw new RefusedException(Refusal.NotFound, $"no office {code} in the directory");
        return entry.Encryption.FirstOrDefault(c => !level.Handling.Recovery.Contains(c.Key)) is { } key ? new SealRecipient(code, key, role)
            : throw new RefusedException(Refusal.RecipientKeys, entry.Encryption.Count == 0 ? code : $"{code} has no key but for recovery");
    }

    /// <summary>Keys of roles "recovery" and "self"; no copy goes to them.</summary>
    /// <param name="keep">The sender wants to be able to open it again.</param>
    /// <exception cref="RefusedException">RecipientKeys: a recovery key of the policy is no office's, or the policy bars the sender's own.</exception>
    public static IEnumerable<SealRecipient> Besides(OfficeContext office, PolicyLevel level, bool keep)
    {
        if (keep && level.Handling.Self == false) throw new RefusedException(Refusal.RecipientKeys, $"at level {level.Code} the policy lets no sender keep a copy");
        SealRecipient[] self = keep || level.Handling.Self == true ? [Addressee(office, office.Profile.Office, "self", level)] : [];
        return [.. level.Handling.Recovery.Select(key => Recovery(office.View.Directory, key)), .. self];
    }

    static SealRecipient Recovery(OfficeDirectory directory, Digest key)
    {
        foreach (var office in directory.Offices)
            if (office.Encryption.FirstOrDefault(c => c.Key == key) is { } certificate) return new SealRecipient(office.Code, certificate, "recovery");
        throw new RefusedException(Refusal.RecipientKeys, $"the policy's recovery key {key} is no office's in the directory");
    }
}
