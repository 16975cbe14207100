namespace Exchange.Gateway.Operations;

/// <summary>gateway.json of a data folder.</summary>
static class Configuration
{
    /// <exception cref="OptionsException">Names everything that is wrong.</exception>
    public static Options Read(string data)
    {
        var file = Path.Combine(data, Options.FileName);
        byte[] json;
        try { json = File.ReadAllBytes(file); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { throw new OptionsException([$"{file}: {e.Message}", "Make a data folder with: exchange-gateway init"]); }
        return Options.Read(json);
    }

    /// <summary>Everything that would keep the gateway from starting, except the store itself.</summary>
    public static IReadOnlyList<string> Check(string data, TimeProvider clock)
    {
        try
        {
            var options = Read(data);
            Equipment.Open(data, options, clock).Dispose();
            return [];
        }
        catch (OptionsException e) { return e.Errors; }
    }
}
