using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;
using Sut = Exchange.Crypto.Envelope.Envelope;

namespace Exchange.Tests.Envelope;

/// <summary>A person's signed change of a label: its one form, whom it is about, and who may have signed it.</summary>
public sealed class LabelStatementTests
{
    static readonly TestPki Pki = TestPki.Shared;
    static readonly (Header Header, Digest Ctx) About = Read();
    static readonly long Later = TestPki.Now.AddDays(1).ToUnixTimeMilliseconds();

    static (Header, Digest) Read()
    {
        var statement = Statement.Read(new Forge().Make().Parts.Header, StatementType.Header);
        return (statement.As<Header>(), statement.Ref);
    }

    static LabelChange Change => new()
    {
        Salt = new byte[32], Sender = About.Header.Sender, Id = About.Header.Id, Ctx = About.Ctx, Previous = About.Ctx, Act = LabelAct.Label,
        Label = About.Header.Label with { Class = 20, Mark = "MẬT", Basis = "1" }, At = null, Until = null, Reason = "reassessed",
    };

    static VerifiedLabelChange Verify(Func<LabelChange, LabelChange>? change = null, FileKey? person = null, string office = "H41", Func<LabelStatement, LabelStatement>? spoil = null, DateTimeOffset? at = null)
    {
        var key = person ?? Pki["H41"].Signatory;
        var content = new LabelStatement
        {
            V = 1, Type = LabelStatement.TypeName, Signers = [key.Certificate.Key], Office = office, NotAfter = Later, Change = change?.Invoke(Change) ?? Change,
        };
        return Sut.VerifyLabelChange(Statement.Sign(spoil?.Invoke(content) ?? content, [key], TestPki.Now).Der, About.Header, About.Ctx, Forge.Context with { At = at ?? TestPki.Now });
    }

    static (Refusal, string?) Refused(Func<VerifiedLabelChange> verify) => Assert.Throws<RefusedException>(verify) is var e ? (e.Refusal, e.Detail) : default;

    [Fact]
    public void A_change_names_its_person_office_and_roles()
    {
        var verified = Verify();
        Assert.Equal(("H41", Pki["H41"].Signatory.Certificate.Key), (verified.Statement.Office, verified.Person.Key));
        Assert.Equal(["signatory"], verified.Roles);
        Assert.Equal(20, verified.Change.Label!.Class);
    }

    [Fact]
    public void Two_persons_of_two_offices_sign_one_change_and_another_change_has_another_ref()
    {
        var (one, two) = (Verify(), Verify(person: Pki["G22"].Clerk, office: "G22"));
        Assert.Equal(one.Ref, two.Ref);
        Assert.NotEqual(one.Statement, two.Statement);
        Assert.NotEqual(one.Ref, Verify(c => c with { Salt = [.. Enumerable.Repeat((byte)1, 32)] }).Ref);
        Assert.NotEqual(one.Ref, Verify(c => c with { Previous = Digest.Of("other"u8) }).Ref);
        Assert.NotEqual(one.Ref, Verify(c => c with { Reason = null }).Ref);
    }

    [Fact]
    public void A_change_reads_back_from_its_bytes() => Assert.Equal(Change.Ref, LabelChange.Read(Change.Write()).Ref);

    public static readonly TheoryData<string, string> Forms = new()
    {
        { "salt", "salt" }, { "sender", "dispatch" }, { "id", "dispatch" }, { "act", "act" }, { "term", "act" }, { "reason", "reason" }, { "free text", "reason" },
        { "label without", "label" }, { "label with at", "at" }, { "label with until", "until" },
        { "succession without label", "label" }, { "succession without at", "at" }, { "succession never", "at" },
        { "extension with label", "label" }, { "extension without until", "until" }, { "extension before time", "until" },
        { "stop with label", "label" }, { "stop with until", "until" },
    };

    [Theory, MemberData(nameof(Forms))]
    public void Only_the_members_of_its_act_in_their_ranges_are_in_form(string what, string detail)
    {
        var bare = Change with { Label = null };
        Assert.Equal((Refusal.LabelChange, detail), Refused(() => Verify(c => what switch
        {
            "salt" => c with { Salt = new byte[31] },
            "sender" => c with { Sender = "g22" },
            "id" => c with { Id = Guid.Parse("0190a1b2-c3d4-4e5f-8a6b-7c8d9e0f1a2b") },
            "act" => c with { Act = "lower" },
            // What only the gateway may say, on trusted time.
            "term" => bare with { Act = LabelAct.Term, At = Later },
            "reason" => c with { Reason = "" },
            "free text" => c with { Reason = "vì công văn về X đã đăng báo" },
            "label without" => bare,
            "label with at" => c with { At = Later },
            "label with until" => c with { Until = Later },
            "succession without label" => bare with { Act = LabelAct.Succession, At = Later },
            "succession without at" => c with { Act = LabelAct.Succession },
            "succession never" => c with { Act = LabelAct.Succession, At = -1 },
            "extension with label" => c with { Act = LabelAct.Extension, Until = Later },
            "extension without until" => bare with { Act = LabelAct.Extension },
            "extension before time" => bare with { Act = LabelAct.Extension, Until = 0 },
            "stop with label" => c with { Act = LabelAct.Stop },
            _ => bare with { Act = LabelAct.Stop, Until = Later },
        })));
    }

    [Fact]
    public void Each_act_has_a_form_that_holds()
    {
        var bare = Change with { Label = null };
        Assert.Equal("succession", Verify(c => c with { Act = LabelAct.Succession, At = Later }).Change.Act);
        Assert.Equal("extension", Verify(_ => bare with { Act = LabelAct.Extension, Until = Later }).Change.Act);
        Assert.Equal("stop", Verify(_ => bare with { Act = LabelAct.Stop, Reason = null }).Change.Act);
    }

    [Theory, InlineData("ctx"), InlineData("id"), InlineData("sender")]
    public void A_change_of_another_dispatch_is_refused(string member) => Assert.Equal((Refusal.LabelChange, "another dispatch"), Refused(() => Verify(c => member switch
    {
        "ctx" => c with { Ctx = Digest.Of("other"u8) },
        "id" => c with { Id = Guid.CreateVersion7() },
        _ => c with { Sender = "H14" },
    })));

    [Fact]
    public void A_label_out_of_form_is_refused() => Assert.Equal(Refusal.LabelForm, Refused(() => Verify(c => c with { Label = c.Label! with { Class = 999 } })).Item1);

    [Fact]
    public void It_lapses() => Assert.Equal((Refusal.LabelChange, "lapsed"), Refused(() => Verify(at: TestPki.Now.AddDays(1).AddMilliseconds(1))));

    [Fact]
    public void Who_is_no_person_of_the_office_named_says_nothing()
    {
        Assert.Equal((Refusal.LabelChange, "not a person of the office"), Refused(() => Verify(office: "G22")));
        Assert.Equal((Refusal.LabelChange, "not a person of the office"), Refused(() => Verify(office: "Z99")));
        Assert.Equal((Refusal.LabelChange, "not a person of the office"), Refused(() => Verify(person: Pki["H41"].Sign)));
        Assert.Equal((Refusal.LabelChange, "office"), Refused(() => Verify(spoil: s => s with { Office = "h41" })));
        Assert.Equal((Refusal.LabelChange, "notAfter"), Refused(() => Verify(spoil: s => s with { NotAfter = 0 })));
    }

    [Fact]
    public void Two_signatures_on_one_statement_are_refused()
    {
        var (one, two) = (Pki["H41"].Signatory, Pki["G22"].Signatory);
        var content = new LabelStatement { V = 1, Type = LabelStatement.TypeName, Signers = [one.Certificate.Key, two.Certificate.Key], Office = "H41", NotAfter = Later, Change = Change };
        Assert.Throws<RefusedException>(() => Statement.Sign(content, [one, two], TestPki.Now));
    }

    [Fact]
    public void A_change_that_points_at_nothing_cannot_be_written_in_any_form()
    {
        var json = System.Text.Encoding.UTF8.GetString(Change.Write());
        var member = $"\"previous\":\"{About.Ctx}\"";
        Assert.Contains(member, json, StringComparison.Ordinal);
        foreach (var spoilt in new[] { json.Replace(member, "\"previous\":null", StringComparison.Ordinal), json.Replace("," + member, "", StringComparison.Ordinal) })
            Assert.Equal(Refusal.Json, Assert.Throws<RefusedException>(() => LabelChange.Read(System.Text.Encoding.UTF8.GetBytes(spoilt))).Refusal);
    }
}
