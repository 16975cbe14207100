namespace Exchange.Crypto;

/// <summary>One thing that is wrong, for whoever wants to hear of all of them. Whoever acts on what he reads takes the first, as a <see cref="RefusedException"/>.</summary>
/// <param name="Detail">Which check; nothing that is secret.</param>
public readonly record struct Fault(Refusal Refusal, string Detail)
{
    /// <summary>The first of them as an exception; what comes after it is not even looked for.</summary>
    /// <exception cref="RefusedException">There is one.</exception>
    internal static void DemandNone(IEnumerable<Fault> faults)
    {
        foreach (var fault in faults) throw new RefusedException(fault.Refusal, fault.Detail);
    }

    /// <summary>What a check that ends at its first fault has to say.</summary>
    internal static IEnumerable<Fault> Of(Action check)
    {
        try { check(); }
        catch (RefusedException e) { return [new(e.Refusal, e.Detail)]; }
        return [];
    }
}
