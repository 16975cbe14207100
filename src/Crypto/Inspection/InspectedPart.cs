using System.Formats.Asn1;

namespace Exchange.Crypto.Inspection;

/// <summary>What could be read of one part of a file, and everything that is wrong with it.</summary>
/// <param name="Name">"header", "approval 2", "header: signer 1", "payload" …</param>
/// <param name="Offset">Where it begins in the file, in bytes; null: it is inside another part.</param>
public sealed class InspectedPart(string name, long? offset, long length)
{
    /// <summary>Faults that are kept of one part: a file of nothing but faults is not worth a page for each.</summary>
    public const int MostFaults = 50;

    readonly List<(string Name, string Value)> facts = [];
    readonly List<Fault> faults = [];

    public string Name { get; } = name;
    public long? Offset { get; } = offset;
    public long Length { get; } = length;
    /// <summary>Values as they stand in the file, in the order in which they were read: not verified, and not safe for a terminal as they are. Names are words of ours.</summary>
    public IReadOnlyList<(string Name, string Value)> Facts => facts;
    public IReadOnlyList<Fault> Faults => faults;
    /// <summary>Faults beyond <see cref="MostFaults"/>.</summary>
    public int MoreFaults { get; private set; }
    /// <summary>The part whose fault keeps this one, or what has to be compared with it, from being read; null: nothing does.</summary>
    public string? UnreadableBecauseOf { get; internal set; }
    /// <summary>JSON of a statement, when it is any JSON at all; null: there is none.</summary>
    public ReadOnlyMemory<byte>? Json { get; internal set; }
    public bool Sound => faults.Count == 0 && UnreadableBecauseOf is null;

    internal void Says(string what, string value) => facts.Add((what, value));
    internal void Says(string what, DateTimeOffset time) => Says(what, time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture));
    internal void Says(string what, long number) => Says(what, number.ToString(System.Globalization.CultureInfo.InvariantCulture));

    internal void Lacks(Refusal refusal, string detail) => Lacks([new(refusal, detail)]);

    internal void Lacks(IEnumerable<Fault> found)
    {
        foreach (var fault in found)
        {
            if (faults.Contains(fault)) continue;
            if (faults.Count < MostFaults) faults.Add(fault);
            else MoreFaults++;
        }
    }

    /// <summary>Reads something of it; whatever trips a parser is a fault of the part and ends this reading alone.</summary>
    /// <returns>Whether it was read to its end.</returns>
    internal bool Try(string what, Action read)
    {
        try
        {
            read();
            return true;
        }
        catch (RefusedException e) { Lacks(e.Refusal, e.Detail); }
        catch (AsnContentException) { Lacks(Refusal.Der, what); }
        catch (Exception e) when (e is not OutOfMemoryException) { Lacks(Refusal.Der, $"{what}: {e.GetType().Name}"); }
        return false;
    }
}
