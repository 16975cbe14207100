using System.Text.Json;
using System.Text.RegularExpressions;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Xunit;

namespace Exchange.Tests.Policy;

/// <summary>docs/policy.md names every member and nothing else.</summary>
public sealed partial class PolicyDocumentTests
{
    static readonly string Document = System.Text.Encoding.UTF8.GetString(Policies.Resource("policy.md"));

    public static TheoryData<Type> Records() =>
    [
        typeof(PolicyDraft), typeof(PolicyLevel), typeof(PolicyMarkings), typeof(PolicyHandling), typeof(PolicyTerm), typeof(PolicyRelease), typeof(PolicyFreshness), typeof(PolicyTagSet), typeof(PolicyTag),
        typeof(PolicyStatement), typeof(MappingFile), typeof(MappedLevel), typeof(MappedTagSet), typeof(MappedValue),
    ];

    [Theory]
    [MemberData(nameof(Records), DisableDiscoveryEnumeration = true)]
    public void Each_record_has_the_members_that_its_table_says(Type record) =>
        Assert.Equal(record.GetProperties().Select(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name)), Table(record.Name));

    [Fact]
    public void Every_table_of_members_is_of_a_record() =>
        Assert.Equal(Heading().Matches(Document).Select(m => m.Groups[1].Value).Order(), Records().Select(r => r.Data.Name).Order());

    [Fact]
    public void The_numbers_that_it_gives_are_the_limits()
    {
        // Each range of the tables, tried at its ends and just outside.
        Valid(d => d.Level(0)["payloadBucket"] = 1073741824);
        Invalid(d => d.Level(0)["payloadBucket"] = 1073741825);
        Valid(d => d.Level(0)["manifestBucket"] = 1048576);
        Invalid(d => d.Level(0)["manifestBucket"] = 1048576 + 4096);
        Valid(d => d.Level(3)["class"] = 256);
        Invalid(d => d.Level(3)["class"] = 257);
        Valid(d => d.Handling(0)["payloadDays"] = 36500);
        Invalid(d => d.Handling(0)["payloadDays"] = 36501);
        Valid(d => { d.Handling(0)["payloadDays"] = 36500; d.Handling(0)["detailDays"] = 36500; });
        Invalid(d => { d.Handling(0)["payloadDays"] = 36500; d.Handling(0)["detailDays"] = 36501; });
        Valid(d => d.Handling(0)["directory"]!["maxMinutes"] = 527040);
        Invalid(d => d.Handling(0)["directory"]!["maxMinutes"] = 527041);
        Valid(d => d.Handling(0)["revocation"]!["maxMinutes"] = 527040);
        Invalid(d => d.Handling(0)["revocation"]!["maxMinutes"] = 527041);
        Valid(d => d.Handling(1)["terms"]![0]!["years"] = 100);
        Invalid(d => d.Handling(1)["terms"]![0]!["years"] = 101);
        Valid(d => d.TagSet(0)["values"]![0]!["value"] = 65535);
        Invalid(d => d.TagSet(0)["values"]![0]!["value"] = 65536);
        foreach (var number in new[] { "1073741824", "1048576", "256", "36500", "527040", "100", "65535" }) Assert.Contains(number, Document, StringComparison.Ordinal);
    }

    /// <summary>Codes that the lint table has.</summary>
    public static IReadOnlyList<string> LintCodes => [.. Rows(Document[Document.IndexOf("## What lint says", StringComparison.Ordinal)..])];

    static void Valid(Action<System.Text.Json.Nodes.JsonObject> change) => Policies.Compile(Policies.Edit(change));

    static void Invalid(Action<System.Text.Json.Nodes.JsonObject> change) =>
        Assert.Equal(Exchange.Crypto.Refusal.PolicyInvalid, Assert.Throws<Exchange.Crypto.RefusedException>(() => Policies.Compile(Policies.Edit(change))).Refusal);

    static IEnumerable<string> Table(string record)
    {
        var at = Document.IndexOf($"\n### {record}:", StringComparison.Ordinal);
        Assert.True(at >= 0, $"docs/policy.md has no heading '### {record}:'");
        var next = Document.IndexOf("\n#", at + 5, StringComparison.Ordinal);
        return Rows(Document[at..(next < 0 ? Document.Length : next)]);
    }

    static IEnumerable<string> Rows(string section)
    {
        var next = section.IndexOf("\n## ", 3, StringComparison.Ordinal);
        return Row().Matches(next < 0 ? section : section[..next]).Select(m => m.Groups[1].Value);
    }

    [GeneratedRegex(@"^### (\w+):", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"^\| `([\w-]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
