using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Office.Join;

/// <summary>An office's card: all keys that it wants to be known by. The first one it signs by itself; each later one by a key of the card before, unless those are lost.</summary>
static class CardWriter
{
    static readonly string[] Needed = ["sign", "encrypt", "tls"];

    /// <summary>A card whose keys are all new: the first, or the one after a loss. The officers vouch for it, and it is held back from Mật up for a day.</summary>
    /// <param name="version">1, or above the version lost.</param>
    public static Statement Alone(string office, long version, IEnumerable<(string Use, Certificate Certificate)> keys, IPrivateKey sign, DateTimeOffset now) =>
        Write(office, version, null, keys.ToList(), sign, now);

    /// <summary>The next card, signed by a key of the one before: what is new first, then what is kept, so that both serve while others still have the old directory.</summary>
    /// <param name="dropped">Uses and roles whose old keys must go.</param>
    /// <param name="good">Whether a key of the card before is still worth keeping.</param>
    public static Statement Next(Statement before, IReadOnlyList<(string Use, Certificate Certificate)> added, IReadOnlyCollection<string> dropped, Func<string, Certificate, bool> good, IPrivateKey sign, DateTimeOffset now)
    {
        var card = before.As<Card>();
        var kept = card.Keys.Select(k => (k.Use, Certificate: new Certificate(k.Certificate)))
            .Concat(card.Persons.SelectMany(p => p.Roles.Select(r => (Use: r, Certificate: new Certificate(p.Certificate)))))
            .Where(k => !dropped.Contains(k.Use) && good(k.Use, k.Certificate));
        return Write(card.Office, card.Version + 1, before.Ref, [.. added, .. kept], sign, now);
    }

    static Statement Write(string office, long version, Digest? previous, List<(string Use, Certificate Certificate)> keys, IPrivateKey sign, DateTimeOffset now)
    {
        foreach (var use in Needed.Where(u => keys.All(k => k.Use != u)))
            throw new UsageException($"no {use} key would be left: ask for a new one with exchange keys request --only {use}", $"sẽ không còn khóa {use}: hãy yêu cầu khóa mới bằng exchange keys request --only {use}");
        var isPerson = keys.ToLookup(k => DirectoryForm.Roles.Contains(k.Use));
        return Statement.Sign(new Card
        {
            V = 1, Type = Card.TypeName, Signers = [sign.Certificate.Key], Office = office, Version = version, Issued = now.ToUnixTimeMilliseconds(), Previous = previous,
            Keys = [.. isPerson[false].Select(k => new CardKey(k.Use, k.Certificate.Der.ToArray()))],
            Persons = [.. isPerson[true].GroupBy(k => k.Certificate).Select(p => new CardPerson([.. p.Select(k => k.Use).Order(StringComparer.Ordinal)], p.Key.Der.ToArray()))],
        }, [sign], now);
    }
}
