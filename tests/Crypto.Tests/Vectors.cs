using Xunit;

namespace Exchange.Tests;

/// <summary>Public test vectors: the folder of EXCHANGE_VECTORS, else shared/vectors in or beside a folder above the test program.</summary>
static class Vectors
{
    static readonly string? Folder = Find();

    /// <summary>Full path of a vector file; the test is skipped, with the reason, where the folder is absent.</summary>
    public static string Path(string relative)
    {
        if (Folder is null) Assert.Skip("no shared/vectors folder beside the project, and EXCHANGE_VECTORS is not set");
        return System.IO.Path.Combine(Folder, relative);
    }

    static string? Find()
    {
        if (Environment.GetEnvironmentVariable("EXCHANGE_VECTORS") is { Length: > 0 } named) return named;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = System.IO.Path.Combine(folder.FullName, "shared", "vectors");
            if (Directory.Exists(candidate)) return candidate;
        }
        return null;
    }
}
