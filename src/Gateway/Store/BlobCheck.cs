using Exchange.Gateway.Journaling;

namespace Exchange.Gateway.Store;

/// <summary>Whether every payload is where it should be, with the length that its header names. Its bytes are checked by whoever opens it.</summary>
internal static class BlobCheck
{
    public static void Run(Source source, BlobStore blobs, List<Finding> findings)
    {
        foreach (var (id, expected, inline) in DispatchTable.Payloads(source))
        {
            if (inline is { } there)
            {
                if (there != expected) findings.Add(new Finding("dispatch", $"{id}", $"its payload has {there} bytes in place of {expected}"));
                continue;
            }
            var length = blobs.Length(id);
            if (length is null) findings.Add(new Finding("blob", $"{id}", "missing"));
            else if (length != expected) findings.Add(new Finding("blob", $"{id}", $"has {length} bytes in place of {expected}"));
        }
    }
}
