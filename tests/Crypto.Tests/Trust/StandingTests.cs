using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Tests.Trust;

public sealed class StandingTests
{
    static readonly TestPki Pki = TestPki.Shared;
    static readonly Clearance Plain = new() { Policy = "2.25.1.3.1", Classes = [10, 20], Categories = [], ValidFrom = 0, ValidTo = 4_000_000_000_000 };

    static StandingStatement Content(params StandingOffice[] offices) => new()
    {
        V = 1, Type = StandingStatement.TypeName, Signers = [.. Pki.DirectoryOfficerKeys], Version = 3, Issued = 0, Note = "development only", Offices = offices,
    };

    static StandingOffice Office(string code = "H41") => new(code, Plain, new StandingChannel("mailbox", Plain, []), ["a", "b"]);

    static Standing Open(StandingStatement content, IReadOnlyList<FileKey>? officers = null, long seen = 0) =>
        Standing.Open(Statement.Sign(content with { Signers = [.. (officers ?? Pki.DirectoryOfficers).Select(o => o.Certificate.Key)] }, officers ?? Pki.DirectoryOfficers, TestPki.Now).Der,
            Pki.DirectoryOfficerKeys, Pki.Check, TestPki.Now, seen);

    static Refusal Refused(Func<object> open) => Assert.Throws<RefusedException>(open).Refusal;

    [Fact]
    public void A_standing_that_two_directory_officers_signed_opens()
    {
        var standing = Open(Content(Office()), seen: 3);
        Assert.Equal([10, 20], standing.Find("H41")!.Clearance.Classes);
        Assert.Null(standing.Find("H14"));
        Assert.Equal("development only", standing.Note);
        Assert.Equal(3, standing.Version);
    }

    [Fact]
    public void The_gateway_or_policy_officers_cannot_give_clearances_and_old_ones_do_not_come_back()
    {
        Assert.Equal(Refusal.Officers, Refused(() => Open(Content(Office()), [Pki.DirectoryOfficers[0], Pki.Gateway])));
        Assert.Equal(Refusal.Officers, Refused(() => Open(Content(Office()), Pki.PolicyOfficers)));
        Assert.Equal(Refusal.VersionOld, Refused(() => Open(Content(Office()), seen: 4)));
    }

    [Fact]
    public void An_office_may_have_channels_for_while_the_first_does_not_work()
    {
        StandingChannel https = new("https", Plain, []), sftp = new("sftp", null, []), mailbox = new("mailbox", null, []);
        Assert.Equal(["https", "sftp", "mailbox"], Open(Content(Office() with { Channel = https, Fallbacks = [sftp, mailbox] })).Find("H41")!.Channels.Select(c => c.Adapter));
        Assert.Equal(["mailbox"], Open(Content(Office())).Find("H41")!.Channels.Select(c => c.Adapter));
        foreach (var wrong in new[] { Office() with { Fallbacks = [sftp] }, Office() with { Channel = https, Fallbacks = [] }, Office() with { Channel = https, Fallbacks = [https] },
            Office() with { Channel = https, Fallbacks = [mailbox, sftp] }, Office() with { Channel = https, Fallbacks = [new("pigeon", null, [])] } })
            Assert.Equal(Refusal.Json, Refused(() => Open(Content(wrong))));
    }

    [Fact]
    public void Clearances_channels_and_groups_are_checked()
    {
        Assert.Equal(Refusal.Json, Refused(() => Open(Content(Office("H41"), Office("H14")))));
        Assert.Equal(Refusal.Json, Refused(() => Open(Content(Office("H41"), Office("H41")))));
        Assert.Equal(Refusal.Json, Refused(() => Open(Content(Office() with { Channel = new("pigeon", null, []) }))));
        Assert.Equal(Refusal.Json, Refused(() => Open(Content(Office() with { NeedToKnow = ["b", "a"] }))));
        Assert.Equal(Refusal.LabelForm, Refused(() => Open(Content(Office() with { Clearance = Plain with { Classes = [20, 10] } }))));
        Assert.Equal(Refusal.LabelForm, Refused(() => Open(Content(Office() with { Clearance = Plain with { ValidTo = 0 } }))));
        Assert.Equal(Refusal.LabelForm, Refused(() => Open(Content(Office() with { Channel = new("mailbox", Plain with { Policy = "x" }, []) }))));
        Assert.NotNull(Open(Content(Office() with { Channel = new("mailbox", null, new() { ["a"] = "b" }) })).Find("H41"));
    }

    static StandingAuditor Auditor(string code = "AUDIT-1", string key = "a") => new(code, Digest.Of(System.Text.Encoding.ASCII.GetBytes(key)), Plain);

    [Fact]
    public void Two_directory_officers_appoint_an_auditor_and_nobody_else_does()
    {
        var standing = Open(Content(Office()) with { Auditors = [Auditor()] });
        Assert.Equal("AUDIT-1", standing.FindAuditor(Auditor().Key)!.Code);
        Assert.Null(standing.FindAuditor(Auditor(key: "b").Key));
        Assert.Equal(Refusal.Officers, Refused(() => Open(Content(Office()) with { Auditors = [Auditor()] }, [Pki.DirectoryOfficers[0], Pki.Gateway])));
    }

    [Fact]
    public void A_standing_without_auditors_has_the_bytes_that_it_had_before_there_were_any()
    {
        var bytes = StrictJson.Write(Content(Office()), StatementJson.Default.StandingStatement);
        Assert.DoesNotContain("auditors", System.Text.Encoding.UTF8.GetString(bytes), StringComparison.Ordinal);
        Assert.Empty(Open(Content(Office())).Auditors);
    }

    [Fact]
    public void Auditors_are_ordered_each_with_a_key_and_a_code_of_its_own()
    {
        Assert.Equal(2, Open(Content(Office()) with { Auditors = [Auditor(), Auditor("AUDIT-2", "b")] }).Auditors.Count);
        StandingAuditor[][] wrong = [[], [Auditor("AUDIT-2", "b"), Auditor()], [Auditor(), Auditor()], [Auditor(), Auditor("AUDIT-2")], [Auditor("audit")], [Auditor("H41")]];
        foreach (var auditors in wrong) Assert.Equal(Refusal.Json, Refused(() => Open(Content(Office()) with { Auditors = auditors })));
        Assert.Equal(Refusal.LabelForm, Refused(() => Open(Content(Office()) with { Auditors = [Auditor() with { Clearance = Plain with { ValidTo = 0 } }] })));
    }
}
