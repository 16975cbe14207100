using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Office.Dev;
using Exchange.Office.Join;

namespace Exchange.Tests.Trust;

public sealed class OfficeDirectoryTests
{
    static readonly TestPki Pki = TestPki.Shared;
    static readonly DateTimeOffset Now = TestPki.Now;
    static readonly Statement[] Cards = [.. Pki.Offices.Values.Select(o => Pki.SignCard(TestPki.NewCard(o)))];

    static OfficeDirectory Open(Statement directory, IEnumerable<Statement>? cards = null, OfficeDirectory? seen = null, CertificateCheck? check = null, DateTimeOffset? at = null) =>
        OfficeDirectory.Open(directory.Der, (cards ?? Cards).Select(c => c.Der), Pki.DirectoryOfficerKeys, check ?? Pki.Check, at ?? Now, seen);

    static Refusal Refused(Func<object> open) => Assert.Throws<RefusedException>(open).Refusal;

    static Statement First(IReadOnlyList<FileKey>? officers = null) => Pki.SignDirectory(Pki.NewDirectory(1, null, Cards, officers: officers), officers);

    [Fact]
    public void A_directory_that_two_officers_signed_opens_with_every_office_and_key()
    {
        var directory = Open(First());
        Assert.Equal(["G22", "H14", "H37", "H41"], directory.Offices.Select(o => o.Code));
        var h37 = directory.Find("H37")!;
        Assert.Equal(Pki["H37"].Sign.Certificate, Assert.Single(h37.Signing));
        Assert.Equal(Pki["H37"].Encrypt.Certificate, Assert.Single(h37.Encryption));
        Assert.Equal(Pki["H37"].Tls.Certificate, Assert.Single(h37.Tls));
        Assert.Equal(["clerk", "signatory"], h37.Persons.SelectMany(p => p.Roles).Order());
        Assert.Equal("UBND tỉnh Lạng Sơn", h37.Name.Vi);
        Assert.Same(h37, directory.FindByTls(Pki["H37"].Tls.Certificate.Key));
        Assert.Null(directory.FindByTls(Pki["H37"].Sign.Certificate.Key));
        Assert.Null(directory.Find("h37"));
        Assert.Equal(Now.AddHours(-24), h37.HeldUntil);
        Assert.Equal(Cards.Select(c => c.Ref).Order(), directory.Cards.Keys.Order());
        Assert.Equal(Digest.Of(Statement.Read(directory.Statement, StatementType.Directory).Json.Span), directory.Ref);
    }

    [Fact]
    public void A_directory_signed_by_the_gateways_key_is_refused()
    {
        Assert.Equal(Refusal.Officers, Refused(() => Open(First([Pki.DirectoryOfficers[0], Pki.Gateway]))));
        Assert.Equal(Refusal.Officers, Refused(() => Open(First([Pki.Gateway, Pki.DirectoryOfficers[1]]))));
        Assert.Equal(Refusal.Officers, Refused(() => Open(First([Pki.Gateway, Pki["H41"].Sign]))));
    }

    [Fact]
    public void A_directory_signed_by_policy_officers_or_with_a_forged_officer_is_refused()
    {
        Assert.Equal(Refusal.Officers, Refused(() => Open(First(Pki.PolicyOfficers))));
        using var lookAlike = Pki.Key("Directory", "DIR", "officer 2");
        Assert.Equal(Refusal.Officers, Refused(() => Open(First([Pki.DirectoryOfficers[0], lookAlike]))));
    }

    [Fact]
    public void One_officer_cannot_sign_twice_or_alone()
    {
        var one = Pki.DirectoryOfficers[0];
        Assert.Equal(Refusal.StatementSigners, Refused(() => First([one, one])));
        Assert.Equal(Refusal.StatementSigners, Refused(() => First([one])));
        // The same person pinned twice does not make two.
        Assert.Equal(Refusal.Officers, Refused(() => OfficeDirectory.Open(First().Der, Cards.Select(c => c.Der), [one.Certificate.Key, one.Certificate.Key], Pki.Check, Now)));
    }

    [Fact]
    public void An_officer_whose_certificate_is_revoked_or_expired_signs_nothing()
    {
        var crl = Pki.Issuing.Crl(2, TestPki.Start, TestPki.NextUpdate, (Pki.DirectoryOfficers[1].ForTls, Now));
        var check = new CertificateCheck(Pki.Trust.WithCrls([crl]));
        Assert.Equal(Refusal.CertificateRevoked, Refused(() => Open(First(), check: check)));
        Assert.Equal(Refusal.CertificateTime, Refused(() => Open(First(), at: Now.AddYears(3))));
    }

    [Fact]
    public void An_older_directory_or_another_one_of_the_same_version_is_refused()
    {
        var first = First();
        var seen1 = Open(first);
        var second = Pki.SignDirectory(Pki.NewDirectory(2, first.Ref, Cards));
        var seen2 = Open(second, seen: seen1);
        Assert.Equal(2, seen2.Version);
        Assert.Equal(Refusal.VersionOld, Refused(() => Open(first, seen: seen2)));
        Assert.Equal(seen2.Ref, Open(second, seen: seen2).Ref);
        var fork = Pki.SignDirectory(Pki.NewDirectory(2, first.Ref, Cards.Take(3)));
        Assert.Equal(Refusal.VersionOld, Refused(() => Open(fork, seen: seen2)));
        var elsewhere = Pki.SignDirectory(Pki.NewDirectory(3, Digest.Of([9]), Cards));
        Assert.Equal(Refusal.VersionOld, Refused(() => Open(elsewhere, seen: seen2)));
    }

    [Fact]
    public void A_missing_card_or_the_card_of_another_office_is_refused()
    {
        var first = First();
        Assert.Equal(Refusal.Card, Refused(() => Open(first, Cards.Skip(1))));
        Assert.Equal(Refusal.Card, Refused(() => Open(first, [])));
        var content = Pki.NewDirectory(1, null, Cards);
        var swapped = Pki.SignDirectory(content with { Offices = [content.Offices[0] with { Card = content.Offices[1].Card }, content.Offices[1] with { Card = content.Offices[0].Card }, .. content.Offices[2..]] });
        Assert.Equal(Refusal.Card, Refused(() => Open(swapped)));
    }

    [Fact]
    public void A_key_in_two_offices_is_refused()
    {
        var h14 = Pki["H14"];
        var stolen = Pki.SignCard(TestPki.NewCard(h14) with { Keys = [new("sign", TestPki.Der(h14.Sign)), new("encrypt", TestPki.Der(h14.Encrypt)), new("tls", TestPki.Der(Pki["G22"].Tls))] });
        var cards = Cards.Where(c => c.As<Card>().Office != "H14").Append(stolen).ToList();
        Assert.Equal(Refusal.Card, Refused(() => Open(Pki.SignDirectory(Pki.NewDirectory(1, null, cards)), cards)));
    }

    [Fact]
    public void A_bad_certificate_in_a_card_removes_that_key_only()
    {
        var h14 = Pki["H14"];
        using var expired = Pki.Key("x", "H14", "tls", KeyUse.TlsClient, validity: new(TestPki.Start, Now.AddHours(-1)));
        using var wrongUse = Pki.Key("x", "H14", "person");
        var card = TestPki.NewCard(h14);
        var bad = Pki.SignCard(card with { Keys = [.. card.Keys, new("tls", TestPki.Der(expired)), new("encrypt", TestPki.Der(wrongUse)), new("sign", [1, 2, 3])] });
        var cards = Cards.Where(c => c.As<Card>().Office != "H14").Append(bad).ToList();
        var directory = Open(Pki.SignDirectory(Pki.NewDirectory(1, null, cards)), cards);
        var office = directory.Find("H14")!;
        Assert.Equal([h14.Tls.Certificate], office.Tls);
        Assert.Equal([h14.Encrypt.Certificate], office.Encryption);
        Assert.Equal([h14.Sign.Certificate], office.Signing);
        Assert.Null(directory.FindByTls(expired.Certificate.Key));
    }

    [Fact]
    public void An_office_whose_signing_key_was_revoked_does_not_close_the_directory_for_the_others()
    {
        var crl = Pki.Issuing.Crl(2, TestPki.Start, TestPki.NextUpdate, (Pki["H14"].Sign.ForTls, Now), (Pki["H14"].Tls.ForTls, Now));
        var directory = Open(First(), check: new CertificateCheck(Pki.Trust.WithCrls([crl])));
        Assert.Empty(directory.Find("H14")!.Signing);
        Assert.Null(directory.FindByTls(Pki["H14"].Tls.Certificate.Key));
        Assert.NotNull(directory.FindByTls(Pki["H41"].Tls.Certificate.Key));
    }

    [Fact]
    public void Codes_order_parents_and_names_are_checked()
    {
        var content = Pki.NewDirectory(1, null, Cards);
        DirectoryOffice[] o = content.Offices;
        Assert.Equal(Refusal.Json, RefusedOffices([o[1], o[0], .. o[2..]]));
        Assert.Equal(Refusal.Json, RefusedOffices([o[0], o[0], .. o[1..]]));
        Assert.Equal(Refusal.Json, RefusedOffices([o[0] with { Code = "g22" }, .. o[1..]]));
        Assert.Equal(Refusal.Json, RefusedOffices([o[0] with { Code = "..", }, .. o[1..]]));
        Assert.Equal(Refusal.Json, RefusedOffices([o[0] with { Code = "G22\n" }, .. o[1..]]));
        Assert.Equal(Refusal.Json, RefusedOffices([o[0] with { Code = "../G22" }, .. o[1..]]));
        Assert.Equal(Refusal.Json, RefusedOffices([o[0] with { Parent = "X" }, .. o[1..]]));
        Assert.Equal(Refusal.Json, RefusedOffices([o[0] with { Parent = "H14" }, o[1] with { Parent = "G22" }, .. o[2..]]));
        Assert.Equal(Refusal.Json, RefusedOffices([o[0] with { Name = new("", "x") }, .. o[1..]]));
        Assert.Equal("G22", Open(Pki.SignDirectory(content with { Offices = [o[0], o[1] with { Parent = "G22" }, .. o[2..]] })).Find("H14")!.Parent);
        Refusal RefusedOffices(DirectoryOffice[] offices) => Refused(() => Open(Pki.SignDirectory(content with { Offices = offices })));
    }

    [Fact]
    public void A_card_with_an_unknown_use_or_role_or_without_a_kind_of_key_is_refused()
    {
        var card = TestPki.NewCard(Pki["H14"]);
        Assert.Equal(Refusal.Json, RefusedCard(card with { Keys = [.. card.Keys, new("root", [1])] }));
        Assert.Equal(Refusal.Json, RefusedCard(card with { Keys = card.Keys[..2] }));
        Assert.Equal(Refusal.Json, RefusedCard(card with { Persons = [card.Persons[0] with { Roles = ["minister"] }] }));
        Assert.Equal(Refusal.Json, RefusedCard(card with { Persons = [card.Persons[0] with { Roles = ["signatory", "clerk"] }] }));
        Assert.Equal(Refusal.Json, RefusedCard(card with { Persons = [card.Persons[0] with { Roles = [] }] }));
        static Refusal RefusedCard(Card bad)
        {
            var cards = Cards.Where(c => c.As<Card>().Office != "H14").Append(Pki.SignCard(bad)).ToList();
            return Refused(() => Open(Pki.SignDirectory(Pki.NewDirectory(1, null, cards)), cards));
        }
    }
}
