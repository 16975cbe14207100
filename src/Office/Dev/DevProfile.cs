using System.Text.Json;
using System.Text.Json.Nodes;

namespace Exchange.Office.Dev;

/// <summary>A profile in a folder of its own, with the keys of a development PKI and the address of a gateway: several runs share the keys and nothing else.</summary>
static class DevProfile
{
    /// <param name="timeStamps">Authorities; none: nothing is time-stamped.</param>
    /// <returns>Path of the profile.</returns>
    public static string Write(string pki, string office, Uri gateway, string folder, params Uri[] timeStamps)
    {
        var offices = Path.GetFullPath(Path.Combine(pki, "offices", office));
        string At(string relative) => Path.GetFullPath(relative, offices);
        // What `dev pki` wrote, with absolute paths, our address and a state of our own.
        var profile = JsonNode.Parse(File.ReadAllText(Path.Combine(offices, "profile.json")))!.AsObject();
        profile["gateway"] = gateway.AbsoluteUri.TrimEnd('/');
        var keys = profile["keys"]!.AsObject();
        keys["sign"] = At(keys["sign"]!.GetValue<string>());
        keys["encrypt"] = new JsonArray([.. keys["encrypt"]!.AsArray().Select(k => JsonValue.Create(At(k!.GetValue<string>())))]);
        keys["tls"] = At(keys["tls"]!.GetValue<string>());
        foreach (var role in keys["persons"]!.AsObject().Select(p => p.Key).ToList()) keys["persons"]![role] = At(keys["persons"]![role]!.GetValue<string>());
        profile["passphraseFile"] = Path.GetFullPath(Path.Combine(pki, "passphrase"));
        profile["trust"] = Path.GetFullPath(Path.Combine(pki, "trust"));
        profile["state"] = "state";
        if (timeStamps.Length > 0) profile["timestamps"] = new JsonObject { ["authorities"] = new JsonArray([.. timeStamps.Select(u => JsonValue.Create(u.AbsoluteUri))]) };
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, "profile.json");
        File.WriteAllText(path, profile.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n");
        return path;
    }
}
