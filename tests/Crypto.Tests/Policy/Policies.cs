using System.Text;
using System.Text.Json.Nodes;
using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;

namespace Exchange.Tests.Policy;

/// <summary>The policy file that ships, compiled without signatures, and edits of it.</summary>
static class Policies
{
    public static readonly DateTimeOffset Start = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
    public static readonly DateTimeOffset End = Start.AddYears(1);
    public static readonly DateTimeOffset Now = Start.AddDays(20);
    public static readonly Digest[] Officers = [Digest.Of("policy officer 1"u8), Digest.Of("policy officer 2"u8)];

    public static readonly byte[] Draft = Resource("vietnam-state.json");
    public static readonly CompiledPolicy Vietnam = Compile(Draft);

    public const string Fields = "2.25.108316152551476243687665024293336149417.4.1";
    public const string ReleasableTo = "2.25.108316152551476243687665024293336149417.4.2";
    public const string Urgency = "2.25.108316152551476243687665024293336149417.4.3";

    public static CompiledPolicy Compile(byte[] draft) => CompiledPolicy.Compile(PolicyDraft.ToStatement(draft, Officers, 1, Start, End));

    /// <summary>The draft after an edit of its JSON.</summary>
    public static byte[] Edit(Action<JsonObject> change)
    {
        var root = JsonNode.Parse(Draft)!.AsObject();
        change(root);
        return Encoding.UTF8.GetBytes(root.ToJsonString());
    }

    public static JsonObject Level(this JsonObject draft, int rank) => draft["levels"]![rank]!.AsObject();
    public static JsonObject Handling(this JsonObject draft, int rank) => draft.Level(rank)["handling"]!.AsObject();
    public static JsonObject TagSet(this JsonObject draft, int index) => draft["tagSets"]![index]!.AsObject();

    public static Category Restrictive(params int[] values) => new() { Type = "restrictive", Tag = Fields, Values = values };
    public static Category Permissive(params int[] values) => new() { Type = "permissive", Tag = ReleasableTo, Values = values };
    public static Category Informative(params int[] values) => new() { Type = "informative", Tag = Urgency, Values = values };

    public static Clearance Clearance(int[] classes, params Category[] categories) => new()
    {
        Policy = Vietnam.Content.Policy, Classes = classes, Categories = categories,
        ValidFrom = Start.ToUnixTimeMilliseconds(), ValidTo = End.ToUnixTimeMilliseconds(),
    };

    public static byte[] Resource(string name)
    {
        using var stream = typeof(Policies).Assembly.GetManifestResourceStream(name)!;
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.ToArray();
    }
}
