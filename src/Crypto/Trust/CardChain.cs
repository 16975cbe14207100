using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Trust;

/// <summary>
/// Who may give an office new keys: the office itself, by a key of the card before; or, for a first card and after a loss, two officers who vouch for it
/// in the directory, which holds it back from Mật up for a day. Two dishonest officers alone cannot slip in a key unseen, nor can a stolen old card.
/// </summary>
/// <param name="cards">All cards at hand by ref; older ones bridge versions that the reader did not see.</param>
/// <param name="seen">The directory verified before; null at first contact, when only the officers can be believed.</param>
sealed class CardChain(IReadOnlyDictionary<Digest, Statement> cards, OfficeDirectory? seen, CertificateCheck trust, DateTimeOffset at)
{
    /// <exception cref="RefusedException"><see cref="Refusal.Card"/>, <see cref="Refusal.VersionOld"/>.</exception>
    public void Demand(DirectoryOffice office, Statement card)
    {
        var known = seen?.Find(office.Code);
        if (known is not null && known.CardRef == card.Ref) return;
        if (known is not null && card.As<Card>().Version <= known.CardVersion) throw new RefusedException(Refusal.VersionOld, $"card of {office.Code}");
        var good = office.Vouched is not null ? ByKeyOf(card, card) : card.As<Card>().Previous is not null && (seen is null || Follows(card, known));
        if (!good) throw new RefusedException(Refusal.Card, $"{office.Code}: {(office.Vouched is null ? "neither chained nor vouched" : "not signed by its own key")}");
    }

    /// <summary>Each card back to the one seen (or, of an office not seen before, to its first) is signed by the card before it.</summary>
    bool Follows(Statement card, OfficeEntry? known)
    {
        for (var version = long.MaxValue; ; )
        {
            var content = card.As<Card>();
            // Versions fall with each step back, so the walk ends.
            if (content.Version >= version) return false;
            version = content.Version;
            if (content.Previous is not { } previous) return known is null && ByKeyOf(card, card);
            if (!NotRevoked(card.Signers[0])) return false;
            if (known is not null && previous == known.CardRef) return known.Signing.Contains(card.Signers[0]);
            if (!cards.TryGetValue(previous, out var before) || before.As<Card>().Office != content.Office || !ByKeyOf(card, before)) return false;
            card = before;
        }
    }

    static bool ByKeyOf(Statement card, Statement before) =>
        before.As<Card>().Keys.Any(k => k.Use == "sign" && Digest.Of(k.Certificate) == card.Signers[0].Key);

    // A key that has expired since may have signed when it was good, and a reader who was away must be able to catch up; the officers took the card in.
    // A key that is revoked, or that never was a good one, may not.
    bool NotRevoked(Certificate signer) => trust.Check(signer, Purpose.OfficeSigning, at).Refusal is not { } refusal || refusal == Refusal.CertificateTime;
}
