using Exchange.Crypto.Statements;

namespace Exchange.Crypto.Trust;

/// <summary>Two-person authority: the statement is signed by exactly two different officers, both pinned, both with a good certificate.</summary>
static class Officers
{
    const int Needed = 2;

    /// <param name="again">
    /// It was put in force before, and their certificates were judged then: that one has ended since, or that no list says any more what it was on that day, takes nothing back. Two
    /// pinned keys still must have signed it.
    /// </param>
    /// <exception cref="RefusedException"><see cref="Refusal.Officers"/>, or what a certificate is refused for.</exception>
    public static void Demand(Statement statement, IReadOnlyCollection<Digest> pinned, CertificateCheck trust, DateTimeOffset at, bool again)
    {
        // One person with two certificates is still one: the pins are the two officers, one key each.
        var signers = statement.Signers.Select(s => s.Key).ToHashSet();
        if (statement.Signers.Count != Needed || signers.Count != Needed) throw new RefusedException(Refusal.Officers, "not two signers");
        if (!signers.All(pinned.Contains)) throw new RefusedException(Refusal.Officers, "a signer is not pinned");
        if (again) return;
        foreach (var signer in statement.Signers) trust.Demand(signer, Purpose.Officer, at);
    }
}
