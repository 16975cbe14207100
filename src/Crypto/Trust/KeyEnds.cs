namespace Exchange.Crypto.Trust;

/// <summary>Until when an office can do what it does: for each use, and for each role of its persons, the end of the last certificate there is. The next key takes the place of the one that ends.</summary>
public static class KeyEnds
{
    /// <summary>Days before an end from which it is told by default.</summary>
    public const int NoticeDays = 60;

    /// <summary>Every use that there is; persons by role come as "person".</summary>
    public static IReadOnlyList<string> Uses { get; } = ["sign", "encrypt", "tls", Person];
    const string Person = "person";

    /// <param name="Use">One of <see cref="Uses"/>.</param>
    /// <param name="Role">Of a person; null: the office's own key.</param>
    public sealed record End(string Use, string? Role, DateTimeOffset Until);

    public static IEnumerable<End> Of(OfficeEntry office)
    {
        (string Use, IReadOnlyList<Certificate> Keys)[] own = [("sign", office.Signing), ("encrypt", office.Encryption), ("tls", office.Tls)];
        foreach (var (use, keys) in own.Where(o => o.Keys.Count > 0)) yield return new(use, null, keys.Max(k => k.NotAfter));
        foreach (var role in office.Persons.SelectMany(p => p.Roles.Select(r => (Role: r, p.Certificate.NotAfter))).GroupBy(p => p.Role, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal))
            yield return new(Person, role.Key, role.Max(r => r.NotAfter));
    }
}
