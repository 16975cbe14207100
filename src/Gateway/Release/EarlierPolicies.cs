using System.Collections.Concurrent;
using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Release;

/// <summary>Policies that were in force here before: what was taken in under one goes out under both.</summary>
sealed class EarlierPolicies(Shared shared)
{
    readonly ConcurrentDictionary<Digest, CompiledPolicy> opened = [];

    /// <summary>null: it never was in force here, or is not readable any more.</summary>
    public CompiledPolicy? Find(Digest policy)
    {
        if (opened.TryGetValue(policy, out var known)) return known;
        DocumentRow? row;
        using (var reader = shared.Engine.Reader()) row = DocumentTable.Find(reader, DocumentKind.Policy, policy);
        if (row is null) return null;
        try { return opened[policy] = CompiledPolicy.Reopen(row.Der, policy); }
        catch (RefusedException) { return null; }
    }
}
