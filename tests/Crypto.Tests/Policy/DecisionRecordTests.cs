using System.Text;
using System.Text.Json.Nodes;
using Exchange.Crypto;
using Exchange.Crypto.Policy;
using Xunit;

namespace Exchange.Tests.Policy;

public sealed class DecisionRecordTests
{
    static readonly DateTimeOffset Held = Cases.Now.AddHours(2);

    static DecisionFacts To(RecipientFacts changed) => Cases.Mat(Cases.To("H37"), changed);

    /// <summary>Worlds that differ only on the other side.</summary>
    static IEnumerable<DecisionFacts> OtherSides()
    {
        var h41 = Cases.To("H41");
        yield return To(h41 with { Known = false, KeyCurrent = false, Clearance = null, ChannelCeiling = null });
        yield return To(h41 with { Known = false });
        yield return To(h41 with { Clearance = null });
        yield return To(h41 with { Clearance = Cases.Ordinary });
        yield return To(h41 with { Clearance = Cases.Ordinary, ChannelCeiling = null });
        yield return To(h41 with { ChannelCeiling = null });
        yield return To(h41 with { ChannelCeiling = Cases.Ordinary });
        yield return To(h41 with { HeldUntil = Held });
        yield return To(h41 with { HeldUntil = Held, KeyCurrent = false });
        yield return To(Cases.To("H14") with { Clearance = Cases.Ordinary });
        yield return Cases.Mat(h41 with { Known = false }, Cases.To("H14") with { Clearance = null }, Cases.To("H37") with { ChannelCeiling = null });
    }

    [Fact]
    public void No_such_office_not_cleared_held_and_channel_are_one_answer_byte_for_byte()
    {
        // P9 for the sender's view.
        var views = OtherSides().Select(f => f.Decide()).Select(d => (View: Encoding.UTF8.GetString(d.PublicView()), d.Verdict, d.ForSender)).ToList();
        Assert.All(views, v => Assert.Equal((views[0].View, Verdict.Deny, Refusal.NotReleasable), (v.View, v.Verdict, v.ForSender)));
        Assert.Equal(
            $$"""{"at":{{Cases.Now.ToUnixTimeMilliseconds()}},"code":"E_NOT_RELEASABLE","policy":"{{Policies.Vietnam.Ref}}","type":"decision-view","v":1,"verdict":"deny"}""",
            views[0].View);
        // The records do tell them apart.
        Assert.Equal(OtherSides().Count(), OtherSides().Select(f => Digest.Of(f.Decide().Record)).Distinct().Count());
    }

    [Fact]
    public void What_the_other_side_lacks_does_not_show_behind_what_the_sender_did_wrong()
    {
        var views = OtherSides().Append(Cases.Mat()).Select(f => (f with { Approvals = [] }).Decide().PublicView()).Select(Encoding.UTF8.GetString).Distinct();
        Assert.Contains("E_APPROVAL_MISSING", Assert.Single(views), StringComparison.Ordinal);
    }

    [Fact]
    public void A_record_is_canonical_JSON_of_everything_that_was_asked_and_found()
    {
        var decision = Cases.Mat(Cases.To("H41") with { HeldUntil = Held }).Decide();
        var json = JsonNode.Parse(decision.Record)!;
        Assert.Equal("decision", (string)json["type"]!);
        Assert.Equal(["at", "engine", "facts", "forSender", "perRecipient", "policy", "trace", "type", "v", "verdict"], json.AsObject().Select(m => m.Key));
        Assert.Equal(Held.ToUnixTimeMilliseconds(), (long)json["facts"]!["recipients"]![0]!["heldUntil"]!);
        var r07 = json["trace"]!.AsArray().Single(t => (string)t!["rule"]! == "R07")!;
        Assert.Equal(("deny", "H41", "card-held", true), ((string)r07["outcome"]!, (string)r07["subject"]!, (string)r07["reason"]!, (bool)r07["aboutOther"]!));
        Assert.Equal(decision.Policy.ToString(), (string)json["policy"]!);
    }

    [Fact]
    public void A_record_does_not_replay_under_another_policy()
    {
        var record = Cases.Mat().Decide().Record;
        var other = CompiledPolicy.Compile(Policies.Vietnam.Content with { Version = 2 });
        Assert.True(Decision.Replay(record, Policies.Vietnam));
        Assert.False(Decision.Replay(record, other));
    }

    [Fact]
    public void Any_changed_byte_of_a_record_is_found()
    {
        var record = Cases.Thuong(Cases.To("H41") with { Clearance = Cases.ToMat with { Classes = [20] } }).Decide().Record;
        for (var i = 0; i < record.Length; i++)
        {
            // Another time or fact may be a consistent record of another question; the ledger's digest keeps those apart.
            var changed = (byte[])record.Clone();
            changed[i] ^= 1;
            if (Decision.Replay(changed, Policies.Vietnam)) Assert.Contains(MemberAt(record, i), new[] { "facts", "at" });
        }
        Assert.False(Decision.Replay([], Policies.Vietnam));
        Assert.False(Decision.Replay("{}"u8, Policies.Vietnam));
        Assert.False(Decision.Replay("null"u8, Policies.Vietnam));
    }

    [Fact]
    public void A_forged_verdict_or_trace_does_not_replay()
    {
        var text = Encoding.UTF8.GetString(Cases.Mat(Cases.To("H41") with { Clearance = Cases.Ordinary }).Decide().Record);
        Assert.True(Decision.Replay(Encoding.UTF8.GetBytes(text), Policies.Vietnam));
        foreach (var (from, to) in new[]
                 {
                     ("\"verdict\":\"deny\"", "\"verdict\":\"permit\""), ("\"perRecipient\":[\"deny\"]", "\"perRecipient\":[\"permit\"]"),
                     ("\"forSender\":\"E_NOT_RELEASABLE\"", "\"forSender\":null"), ("\"reason\":\"class\"", "\"reason\":\"office\""),
                     ("\"classes\":[10]", "\"classes\":[10,20]"), ("{\"aboutOther\":false,\"outcome\":\"permit\",\"reason\":null,\"refusal\":null,\"rule\":\"R01\",\"subject\":\"dispatch\"},", ""),
                 })
        {
            Assert.Contains(from, text, StringComparison.Ordinal);
            Assert.False(Decision.Replay(Encoding.UTF8.GetBytes(text.Replace(from, to, StringComparison.Ordinal)), Policies.Vietnam), from);
        }
    }

    /// <summary>Name of the top-level member in which this byte lies.</summary>
    static string MemberAt(byte[] record, int index)
    {
        var reader = new System.Text.Json.Utf8JsonReader(record);
        var member = "";
        while (reader.Read() && reader.TokenStartIndex <= index)
            if (reader.TokenType == System.Text.Json.JsonTokenType.PropertyName && reader.CurrentDepth == 1) member = reader.GetString()!;
        return member;
    }
}
