using System.Text;
using System.Text.Json.Nodes;
using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Xunit;

namespace Exchange.Tests.Policy;

public sealed class PolicyFormTests
{
    [Fact]
    public void The_policy_that_ships_has_four_levels_in_order()
    {
        var policy = Policies.Vietnam;
        Assert.Equal(["thuong", "mat", "toi-mat", "tuyet-mat"], policy.Content.Levels.Select(l => l.Code));
        Assert.Equal([10, 20, 30, 40], policy.Content.Levels.Select(l => l.Class));
        Assert.Equal([0, 1, 2, 3], new[] { 10, 20, 30, 40 }.Select(policy.Rank));
        Assert.Equal(["KHÔNG MẬT", "MẬT", "TỐI MẬT", "TUYỆT MẬT"], policy.Content.Levels.Select(l => l.Mark));
        Assert.Equal(-1, policy.Rank(11));
        Assert.Equal(-1, policy.Rank(-1));
        Assert.Equal(-1, policy.Rank(257));
        Assert.Null(policy.Level(15));
        Assert.Equal(30, policy.Level("toi-mat")!.Class);
    }

    [Fact]
    public void The_ref_is_the_hash_of_the_canonical_statement()
    {
        var statement = PolicyDraft.ToStatement(Policies.Draft, Policies.Officers, 1, Policies.Start, Policies.End);
        Assert.Equal(Digest.Of(StrictJson.Write(statement, Exchange.Crypto.Statements.StatementJson.Default.PolicyStatement)), Policies.Vietnam.Ref);
        Assert.NotEqual(Policies.Vietnam.Ref, CompiledPolicy.Compile(statement with { Version = 2 }).Ref);
    }

    [Fact]
    public void A_new_label_has_the_marking_of_its_level()
    {
        var label = Policies.Vietnam.NewLabel("mat", "117.1", [Policies.Restrictive(1), Policies.Informative(2)], ["no-forward", "named-only"]);
        Assert.Equal((20, "MẬT"), (label.Class, label.Mark));
        Assert.Equal(["informative", "restrictive"], label.Categories.Select(c => c.Type));
        Assert.Equal(["named-only", "no-forward"], label.Caveats);
        Assert.Equal(Refusal.LabelClass, Assert.Throws<RefusedException>(() => Policies.Vietnam.NewLabel("bí mật")).Refusal);
    }

    public static TheoryData<string, Action<JsonObject>> Contradictions() => new()
    {
        { "class twice", d => d.Level(1)["class"] = 10 },
        { "code twice", d => d.Level(1)["code"] = "thuong" },
        { "mark twice", d => d.Level(1)["mark"] = "TỐI MẬT" },
        { "colour twice", d => d.Level(1)["colour"] = "#404040" },
        { "name twice", d => d.Level(1)["name"]!["vi"] = "Thường" },
        { "class out of range", d => d.Level(3)["class"] = 257 },
        { "negative class", d => d.Level(0)["class"] = -1 },
        { "mark empty", d => d.Level(0)["mark"] = "" },
        { "mark not NFC", d => d.Level(1)["mark"] = "MẬT".Normalize(NormalizationForm.FormD) },
        { "mark too long", d => d.Level(1)["mark"] = new string('M', 129) },
        { "name with a line break", d => d.Level(1)["name"]!["vi"] = "M\nật" },
        { "colour by name", d => d.Level(0)["colour"] = "red" },
        { "colour in capitals", d => d.Level(0)["colour"] = "#40404F" },
        { "code with a space", d => d.Level(0)["code"] = "toi mat" },
        { "no author roles", d => d.Level(0)["authorRoles"] = new JsonArray() },
        { "roles out of order", d => d.Level(0)["authorRoles"] = new JsonArray("signatory", "clerk") },
        { "office alone as author", d => d.Level(1)["authors"] = new JsonArray("office") },
        { "manifest bucket below a page", d => d.Level(0)["manifestBucket"] = 2048 },
        { "manifest bucket between pages", d => d.Level(0)["manifestBucket"] = 5000 },
        { "payload bucket of nothing", d => d.Level(0)["payloadBucket"] = 0 },
        { "payload bucket too large", d => d.Level(0)["payloadBucket"] = (1 << 30) + 1 },
        { "term of no years", d => d.Handling(1)["terms"]![0]!["years"] = 0 },
        { "term from no day", d => d.Handling(1)["terms"]![0]!["from"] = "2026-02-30" },
        { "terms in disorder", d => d.Handling(1)["terms"]![1]!["from"] = "2020-07-01" },
        { "no channel", d => d.Handling(3)["channels"] = new JsonArray() },
        { "a channel that the level below may not use", d => d.Handling(2)["channels"] = new JsonArray("https", "mail") },
        { "release by nobody's role", d => d.Handling(2)["release"]!["roles"] = new JsonArray() },
        { "release by fewer than below", d => { d.Handling(3)["release"]!["persons"] = 0; d.Handling(3)["release"]!["roles"] = new JsonArray(); } },
        { "an absence that is neither refused nor pending", d => { d.Handling(3)["timestamp"] = true; d.Handling(3)["timestampAway"] = "wait"; } },
        { "the absence of what is not asked for", d => { d.Handling(3)["timestamp"] = false; d.Handling(3)["timestampAway"] = "pending"; } },
        { "a higher level without time-stamp", d => { d.Handling(2)["timestamp"] = true; d.Handling(3)["timestamp"] = false; d.Handling(3).Remove("timestampAway"); } },
        { "a time-stamp that may wait above one that may not", d => { d.Handling(2)["timestamp"] = true; d.Handling(2)["timestampAway"] = "refuse"; d.Handling(3)["timestamp"] = true; d.Handling(3)["timestampAway"] = "pending"; } },
        { "a time-stamp that may wait above one that may not, unsaid", d => { d.Handling(2)["timestamp"] = true; d.Handling(2).Remove("timestampAway"); d.Handling(3)["timestamp"] = true; d.Handling(3)["timestampAway"] = "pending"; } },
        { "directory of any age", d => d.Handling(1)["directory"]!["maxMinutes"] = 0 },
        { "late directory answered otherwise", d => d.Handling(1)["directory"]!["late"] = "warn" },
        { "revocation data of any age", d => d.Handling(3)["revocation"]!["maxMinutes"] = 0 },
        { "late revocation data answered otherwise", d => d.Handling(0)["revocation"]!["late"] = "warn" },
        { "older revocation data than below", d => d.Handling(2)["revocation"]!["maxMinutes"] = 20161 },
        { "late revocation data held where they are denied below", d => d.Handling(3)["revocation"]!["late"] = "hold" },
        { "revocation data of any age above a level that holds them", d => { d.Handling(2).Remove("revocation"); d.Handling(3).Remove("revocation"); } },
        { "caveat that is none", d => d.Handling(3)["caveats"] = new JsonArray("eyes-only") },
        { "a caveat dropped above", d => d.Handling(2)["caveats"] = new JsonArray("originator-control") },
        { "subject in registers above a level where it is not", d => d.Handling(1)["register"] = "type" },
        { "payload kept for no day", d => d.Handling(0)["payloadDays"] = 0 },
        { "payload kept when nothing else is", d => { d.Handling(0)["payloadDays"] = 30; d.Handling(0)["detailDays"] = 29; } },
        { "payload kept for ever when nothing else is", d => { d.Handling(0)["payloadDays"] = null; d.Handling(0)["detailDays"] = 30; } },
        { "a level that shows above one that is hidden", d => d.Handling(2)["hidden"] = true },
        { "a level that is said not to be hidden", d => d.Handling(3)["hidden"] = false },
        { "two levels with one marking", d => d.Level(1)["markings"]!["top"]!["vi"] = "TỐI MẬT" },
        { "a marking not in NFC", d => d.Level(1)["markings"]!["bottom"]!["vi"] = "MẬT".Normalize(System.Text.NormalizationForm.FormD) },
        { "a higher level without basis", d => d.Level(2)["basisRequired"] = false },
        { "a higher level without approval", d => d.Level(3)["approvals"] = new JsonArray() },
        { "a higher level without the office's signature", d => d.Level(3)["authors"] = new JsonArray("person") },
        { "a higher level that does not hold new cards", d => d.Level(3)["holdNewCards"] = false },
        { "a category required only below", d => d.TagSet(0)["requiredOn"] = new JsonArray(20) },
        { "a category required on no level", d => d.TagSet(0)["requiredOn"] = new JsonArray(40, 50) },
        { "no levels", d => d["levels"] = new JsonArray() },
        { "a level that is null", d => d["levels"] = new JsonArray((JsonNode?)null) },
        { "a role that is null", d => d.Level(0)["authorRoles"] = new JsonArray((JsonNode?)null) },
        { "a misspelt tag type", d => d.TagSet(0)["type"] = "restrictve" },
        { "a tag set twice", d => d.TagSet(1)["tag"] = Policies.Fields },
        { "a tag set that is no OID", d => d.TagSet(0)["tag"] = "lĩnh vực" },
        { "a tag set without values", d => d.TagSet(0)["values"] = new JsonArray() },
        { "a value twice", d => d.TagSet(0)["values"]![1]!["value"] = 1 },
        { "a value beyond 65535", d => d.TagSet(0)["values"]![1]!["value"] = 65536 },
        { "a value code twice", d => d.TagSet(0)["values"]![1]!["code"] = "co-yeu" },
        { "policy that is no OID", d => d["policy"] = "3.25.1" },
        { "policy OID with a leading zero", d => d["policy"] = "2.025.1" },
        { "an unknown member", d => d["note"] = "x" },
        { "an unknown member of a level", d => d.Level(0)["padding"] = 1 },
        { "a missing member", d => d.Level(0).Remove("obsolete") },
    };

    [Theory, MemberData(nameof(Contradictions))]
    public void A_policy_that_contradicts_itself_is_refused(string what, Action<JsonObject> change)
    {
        var e = Assert.Throws<RefusedException>(() => Policies.Compile(Policies.Edit(change)));
        Assert.True(e.Refusal == Refusal.PolicyInvalid, what);
    }

    [Theory]
    [InlineData(false, null, TimeStampNeed.None)]
    [InlineData(true, "pending", TimeStampNeed.Due)]
    [InlineData(true, "refuse", TimeStampNeed.Demanded)]
    [InlineData(true, null, TimeStampNeed.Demanded)]
    public void Who_asks_for_a_time_stamp_and_says_nothing_of_absence_allows_none(bool asked, string? away, TimeStampNeed need)
    {
        var edited = Policies.Edit(d =>
        {
            foreach (var handling in new[] { d.Handling(2), d.Handling(3) })
            {
                handling["timestamp"] = asked;
                handling.Remove("timestampAway");
                if (away is not null) handling["timestampAway"] = away;
            }
        });
        Assert.Equal(need, TimeStampRule.Of(Policies.Compile(edited).Level("tuyet-mat")!.Handling));
    }

    [Fact]
    public void A_level_is_hidden_only_where_the_policy_says_so()
    {
        Assert.False(Policies.Vietnam.HidesLevels);
        Assert.True(Policies.Compile(Policies.Edit(d => d.Handling(3)["hidden"] = true)).HidesLevels);
        Assert.True(Policies.Compile(Policies.Edit(d => { d.Handling(2)["hidden"] = true; d.Handling(3)["hidden"] = true; })).HidesLevels);
    }

    [Fact]
    public void A_doubled_member_is_refused()
    {
        var text = Encoding.UTF8.GetString(Policies.Draft).Replace("\"class\": 10,", "\"class\": 10, \"class\": 20,", StringComparison.Ordinal);
        Assert.Equal(Refusal.PolicyInvalid, Assert.Throws<RefusedException>(() => Policies.Compile(Encoding.UTF8.GetBytes(text))).Refusal);
    }

    [Fact]
    public void Times_version_and_statement_type_are_checked()
    {
        var good = PolicyDraft.ToStatement(Policies.Draft, Policies.Officers, 1, Policies.Start, Policies.End);
        foreach (var bad in new[]
                 {
                     good with { NotAfter = good.NotBefore }, good with { NotBefore = good.NotAfter + 1 }, good with { Version = 0 },
                     good with { Type = "card" }, good with { V = 2 }, good with { NotAfter = long.MaxValue }, good with { NotBefore = -1 },
                 })
            Assert.Equal(Refusal.PolicyInvalid, Assert.Throws<RefusedException>(() => CompiledPolicy.Compile(bad)).Refusal);
    }
}
