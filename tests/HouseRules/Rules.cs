using Mono.Cecil;
using Xunit;

namespace Exchange.Tests;

/// <summary>What every rule is made of.</summary>
static class Rules
{
    /// <summary>The name is the prefix, or lies under it.</summary>
    public static bool Under(string name, string prefix) => name == prefix || name.StartsWith(prefix + ".", StringComparison.Ordinal);

    public static bool UnderAny(string name, IEnumerable<string> prefixes) => prefixes.Any(p => Under(name, p));

    /// <summary>Uses of anything in these namespaces or types.</summary>
    public static IEnumerable<Use> Naming(this IEnumerable<Use> uses, params string[] prefixes) => uses.Where(u => UnderAny(u.Type, prefixes));

    public static IEnumerable<Use> Uses(this IEnumerable<TypeDefinition> types) => types.SelectMany(Il.Uses);

    /// <summary>Fails with all findings at once.</summary>
    public static void Empty<T>(IEnumerable<T> findings)
    {
        var found = findings.Select(f => f!.ToString()).Distinct().Order(StringComparer.Ordinal).ToList();
        Assert.True(found.Count == 0, string.Join(Environment.NewLine, found));
    }
}
