using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Tests.Trust;

/// <summary>How an office changes its keys, and how others do not.</summary>
public sealed class CardChainTests
{
    static readonly TestPki Pki = TestPki.Shared;
    static readonly DateTimeOffset Now = TestPki.Now;

    static readonly TestOffice old = Pki["H41"], renewed = Pki.NewOffice("H41", "UBND tỉnh Nghệ An", "x"), again = Pki.NewOffice("H41", "UBND tỉnh Nghệ An", "x");
    readonly Statement card1;
    readonly Statement directory1;
    readonly OfficeDirectory seen;

    public CardChainTests()
    {
        card1 = Pki.SignCard(TestPki.NewCard(old));
        directory1 = Pki.SignDirectory(Pki.NewDirectory(1, null, [card1]));
        seen = OfficeDirectory.Open(directory1.Der, [card1.Der], Pki.DirectoryOfficerKeys, Pki.Check, Now);
    }

    static Statement Card(TestOffice keys, long version, Digest? previous, FileKey signer) =>
        Pki.SignCard(TestPki.NewCard(keys, version, previous, signer), signer);

    OfficeDirectory Open(Statement card, DateTimeOffset? vouched = null, OfficeDirectory? from = null, Statement[]? others = null, long version = 2, CertificateCheck? check = null, DateTimeOffset? at = null)
    {
        var directory = Pki.SignDirectory(Pki.NewDirectory(version, version == 1 ? null : from?.Ref ?? directory1.Ref, [card], _ => vouched?.ToUnixTimeMilliseconds()));
        return OfficeDirectory.Open(directory.Der, [card.Der, .. (others ?? []).Select(c => c.Der)], Pki.DirectoryOfficerKeys, check ?? Pki.Check, at ?? Now, from);
    }

    static Refusal Refused(Func<object> open) => Assert.Throws<RefusedException>(open).Refusal;

    [Fact]
    public void A_card_signed_by_a_key_of_the_card_before_is_taken_without_a_hold_of_its_own()
    {
        var office = Open(Card(renewed, 2, card1.Ref, old.Sign), from: seen).Find("H41")!;
        Assert.Equal([renewed.Encrypt.Certificate], office.Encryption);
        Assert.Equal(2, office.CardVersion);
    }

    [Fact]
    public void A_card_swapped_for_an_attackers_valid_certificates_is_refused()
    {
        // The CA issues to anyone; the officers are deceived into naming the card; the reader still sees that H41 did not sign it.
        Assert.Equal(Refusal.Card, Refused(() => Open(Card(renewed, 2, card1.Ref, renewed.Sign), from: seen)));
        Assert.Equal(Refusal.Card, Refused(() => Open(Card(renewed, 2, card1.Ref, Pki["H14"].Sign), from: seen)));
        Assert.Equal(Refusal.Card, Refused(() => Open(Card(renewed, 2, card1.Ref, old.Signatory), from: seen)));
        Assert.Equal(Refusal.Card, Refused(() => Open(Card(renewed, 2, card1.Ref, Pki.Gateway), from: seen)));
    }

    [Fact]
    public void A_broken_chain_is_refused()
    {
        Assert.Equal(Refusal.Card, Refused(() => Open(Card(renewed, 2, Digest.Of([7]), old.Sign), from: seen)));
        Assert.Equal(Refusal.Card, Refused(() => Open(Card(renewed, 2, null, old.Sign), from: seen)));
        var card3 = Card(again, 3, Digest.Of([7]), renewed.Sign);
        Assert.Equal(Refusal.Card, Refused(() => Open(card3, from: seen)));
    }

    [Fact]
    public void Of_an_office_not_seen_before_the_whole_chain_is_walked_to_its_first_card()
    {
        TestOffice one = Pki.NewOffice("H99", "x", "x"), two = Pki.NewOffice("H99", "x", "x"), stranger = Pki["H14"];
        var first = Card(one, 1, null, one.Sign);
        Assert.NotNull(Open(Card(two, 2, first.Ref, one.Sign), from: seen, others: [first]).Find("H99"));
        // By a key that is not in the card before; over a card of another office; over one that its own office did not sign.
        Assert.Equal(Refusal.Card, Refused(() => Open(Card(two, 2, first.Ref, two.Sign), from: seen, others: [first])));
        var theirs = Pki.SignCard(TestPki.NewCard(stranger));
        Assert.Equal(Refusal.Card, Refused(() => Open(Card(two, 2, theirs.Ref, stranger.Sign), from: seen, others: [theirs])));
        var forged = Card(one, 1, null, stranger.Sign);
        Assert.Equal(Refusal.Card, Refused(() => Open(Card(two, 2, forged.Ref, one.Sign), from: seen, others: [forged])));
        // Not even one that is kept as a card of the office and leads past the one that was seen.
        var second = Card(again, 2, null, again.Sign);
        Assert.Equal(Refusal.Card, Refused(() => Open(Card(renewed, 3, second.Ref, again.Sign), from: seen, others: [second])));
    }

    [Fact]
    public void A_first_card_that_nobody_vouches_for_is_refused()
    {
        Assert.Equal(Refusal.Card, Refused(() => Open(card1, version: 1)));
        var other = Pki.SignCard(TestPki.NewCard(Pki["H14"]));
        Assert.Equal(Refusal.Card, Refused(() => Open(other, from: seen)));
        Assert.NotNull(Open(other, vouched: Now, from: seen).Find("H14"));
    }

    [Fact]
    public void A_first_card_is_signed_by_its_own_key_even_when_vouched_for()
    {
        var foreign = Card(old, 1, null, Pki["H14"].Sign);
        Assert.Equal(Refusal.Card, Refused(() => Open(foreign, vouched: Now, version: 1)));
    }

    [Fact]
    public void A_vouched_card_after_a_loss_is_taken_and_held_for_a_day()
    {
        var lost = Card(renewed, 2, card1.Ref, renewed.Sign);
        var office = Open(lost, vouched: Now.AddMinutes(-5), from: seen).Find("H41")!;
        Assert.Equal(Now.AddMinutes(-5) + OfficeDirectory.Hold, office.HeldUntil);
        Assert.Equal([renewed.Sign.Certificate], office.Signing);
        Assert.Equal(Refusal.VersionOld, Refused(() => Open(Card(renewed, 1, null, renewed.Sign), vouched: Now, from: seen)));
    }

    [Fact]
    public void A_hold_is_not_shortened_by_rolling_over_or_by_dropping_the_flag()
    {
        var lost = Card(renewed, 2, card1.Ref, renewed.Sign);
        var held = Open(lost, vouched: Now, from: seen);
        Assert.Equal(Now.AddDays(1), Open(Card(again, 3, lost.Ref, renewed.Sign), from: held, version: 3).Find("H41")!.HeldUntil);
        Assert.Equal(Now.AddDays(1), Open(lost, from: held, version: 3).Find("H41")!.HeldUntil);
        Assert.Equal(Now.AddDays(1), Open(lost, vouched: Now.AddDays(-2), from: held, version: 3).Find("H41")!.HeldUntil);
    }

    [Fact]
    public void A_reader_that_missed_versions_catches_up_over_the_cards_between()
    {
        var card2 = Card(renewed, 2, card1.Ref, old.Sign);
        var card3 = Card(again, 3, card2.Ref, renewed.Sign);
        Assert.Equal(Refusal.Card, Refused(() => Open(card3, from: seen, version: 5)));
        Assert.Equal(card3.Ref, Open(card3, from: seen, others: [card2], version: 5).Find("H41")!.CardRef);
        var forged = Card(renewed, 2, card1.Ref, Pki["H14"].Sign);
        Assert.Equal(Refusal.Card, Refused(() => Open(Card(again, 3, forged.Ref, renewed.Sign), from: seen, others: [forged], version: 5)));
        // Versions must fall going back.
        Assert.Equal(Refusal.Card, Refused(() => Open(Card(again, 2, card2.Ref, renewed.Sign), from: seen, others: [card2], version: 5)));
    }

    [Fact]
    public void An_older_card_under_a_newer_directory_is_refused()
    {
        var card2 = Card(renewed, 2, card1.Ref, old.Sign);
        var seen2 = Open(card2, from: seen);
        var e = Assert.Throws<RefusedException>(() => Open(card1, vouched: Now, from: seen2, version: 3));
        Assert.Equal((Refusal.VersionOld, "card of H41"), (e.Refusal, e.Detail));
    }

    [Fact]
    public void At_first_contact_the_officers_are_believed_about_a_card_that_has_a_history()
    {
        Assert.NotNull(Open(Card(again, 3, Digest.Of([7]), renewed.Sign), version: 5).Find("H41"));
    }

    [Fact]
    public void A_revoked_key_hands_over_to_no_other_but_an_expired_one_may_have_done()
    {
        var card2 = Card(renewed, 2, card1.Ref, old.Sign);
        var crl = Pki.Issuing.Crl(2, TestPki.Start, TestPki.NextUpdate, (old.Sign.ForTls, Now));
        var revoked = new CertificateCheck(Pki.Trust.WithCrls([crl]));
        Assert.Equal(Refusal.Card, Refused(() => Open(card2, from: seen, check: revoked)));

        var brief = Pki["H14"] with { Sign = Pki.Key("x", "H14", "brief", validity: new(TestPki.Start, Now.AddHours(1))) };
        var briefCard = Pki.SignCard(TestPki.NewCard(brief), brief.Sign);
        var with = Open(briefCard, vouched: Now, version: 1);
        var next = Pki.SignCard(TestPki.NewCard(Pki["H14"], 2, briefCard.Ref, brief.Sign), brief.Sign);
        Assert.NotEmpty(Open(next, from: with, version: 3, at: Now.AddDays(1)).Find("H14")!.Signing);
    }
}
