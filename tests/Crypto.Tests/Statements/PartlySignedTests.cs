using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;

namespace Exchange.Tests.Statements;

public sealed class PartlySignedTests
{
    static readonly DateTimeOffset At = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);

    static StandingStatement By(params SelfSignedKey[] signers) => new()
    {
        V = 1, Type = StandingStatement.TypeName, Signers = [.. signers.Select(s => s.Certificate.Key)], Version = 1, Issued = At.ToUnixTimeMilliseconds(), Note = "", Offices = [],
    };

    static Refusal Refused(Action read) => Assert.Throws<RefusedException>(read).Refusal;

    [Fact]
    public void The_second_signature_makes_a_statement_of_the_bytes_that_the_first_one_signed()
    {
        using SelfSignedKey first = new("CN=First"), second = new("CN=Second");
        var half = PartlySigned.Begin(By(first, second), first, At);
        Assert.Equal([second.Certificate.Key], half.Missing);
        var whole = PartlySigned.Read(half.Der, StatementType.Standing).Add(second, At.AddDays(1));
        Assert.Empty(whole.Missing);
        var statement = Statement.Read(whole.Der, StatementType.Standing);
        Assert.Equal(half.Ref, statement.Ref);
        Assert.Equal([first.Certificate, second.Certificate], statement.Signers);
        Assert.Equal([At, At.AddDays(1)], statement.SigningTimes);
    }

    [Fact]
    public void Nobody_who_relies_on_statements_takes_one_with_a_signature_missing()
    {
        using SelfSignedKey first = new("CN=First"), second = new("CN=Second");
        var half = PartlySigned.Begin(By(first, second), first, At);
        Assert.Equal(Refusal.StatementSigners, Refused(() => Statement.Read(half.Der, StatementType.Standing)));
    }

    [Fact]
    public void A_key_that_is_not_asked_or_has_signed_adds_nothing()
    {
        using SelfSignedKey first = new("CN=First"), second = new("CN=Second"), third = new("CN=Third");
        var half = PartlySigned.Begin(By(first, second), first, At);
        Assert.Equal(Refusal.StatementSigners, Refused(() => half.Add(third, At)));
        Assert.Equal(Refusal.StatementSigners, Refused(() => half.Add(first, At)));
        Assert.Equal(Refusal.StatementSigners, Refused(() => PartlySigned.Begin(By(first, second), third, At)));
        Assert.Equal(Refusal.StatementSigners, Refused(() => PartlySigned.Begin(By(first), first, At)));
    }

    [Fact]
    public void A_half_is_of_its_type_names_each_signer_once_and_carries_no_other_certificate()
    {
        using SelfSignedKey first = new("CN=First"), second = new("CN=Second"), third = new("CN=Third");
        var good = PartlySigned.Begin(By(first, second), first, At);
        Assert.Equal(Refusal.StatementType, Refused(() => PartlySigned.Read(good.Der, StatementType.Directory)));
        Assert.Equal(Refusal.Size, Refused(() => PartlySigned.Read(good.Der, StatementType.Header)));
        Assert.Equal(Refusal.Size, Refused(() => PartlySigned.Read(new byte[(64 << 20) + 1], StatementType.Standing)));
        Assert.Equal(Refusal.StatementType, Refused(() => PartlySigned.Begin(By(first, second) with { V = 2 }, first, At)));
        Assert.Equal(Refusal.StatementType, Refused(() => PartlySigned.Begin(By(first, second) with { Type = "directory" }, first, At)));
        Assert.Equal(Refusal.StatementSigners, Refused(() => PartlySigned.Begin(By(first, second, third), first, At)));
        Assert.Equal(Refusal.StatementSigners, Refused(() => PartlySigned.Begin(By(first, first), first, At)));

        var json = StrictJson.Write(By(first, second), StatementJson.Default.StandingStatement);
        Refusal Of(SelfSignedKey[] certificates, params SelfSignedKey[] signers) => Refused(() => PartlySigned.Read(new SignedData(Oids.ContentType(StatementType.Standing), json, [.. certificates.Select(c => c.Certificate.Der)],
            [.. signers.Select((k, i) => Statement.Signature(StatementType.Standing, json, k, At.AddDays(i)))]).Encode(), StatementType.Standing));
        Assert.Equal(Refusal.StatementSigners, Of([first, third], first));
        Assert.Equal(Refusal.StatementSigners, Of([first], first, first));
        Assert.Equal(Refusal.StatementSigners, Of([first, second], first, first));
        Assert.Equal(Refusal.StatementSigners, Of([second], first));
        Assert.Equal(Refusal.StatementSigners, Of([third], third));
    }

    [Fact]
    public void A_whole_one_carries_the_certificates_of_its_signers_and_no_other()
    {
        using SelfSignedKey first = new("CN=First"), second = new("CN=Second");
        Refusal Of(StandingStatement content, SelfSignedKey[] certificates, params SelfSignedKey[] signers)
        {
            var json = StrictJson.Write(content, StatementJson.Default.StandingStatement);
            return Refused(() => Statement.Read(new SignedData(Oids.ContentType(StatementType.Standing), json, [.. certificates.Select(c => c.Certificate.Der)],
                [.. signers.Select((k, i) => Statement.Signature(StatementType.Standing, json, k, At.AddDays(i)))]).Encode(), StatementType.Standing));
        }
        Assert.Equal(Refusal.StatementSigners, Of(By(first, first), [first], first, first));
        Assert.Equal(Refusal.StatementSigners, Of(By(first, second), [first, second], first, first));
        Assert.Equal(Refusal.StatementSigners, Of(By(first, second), [first], first, second));
        Assert.Equal(Refusal.StatementSigners, Of(By(first), [first], first));
        // Of a type that one signs.
        using var extra = new SelfSignedKey("CN=Extra");
        var approval = new Approval { V = 1, Type = Approval.TypeName, Signers = [first.Certificate.Key], Act = "send", Dispatch = default, Label = Plain, From = "G22", To = ["H41"], NotAfter = 1 };
        var text = StrictJson.Write(approval, StatementJson.Default.Approval);
        Assert.Equal(Refusal.StatementSigners, Refused(() => Statement.Read(new SignedData(Oids.ContentType(StatementType.Approval), text, [first.Certificate.Der, extra.Certificate.Der],
            [Statement.Signature(StatementType.Approval, text, first, At)]).Encode(), StatementType.Approval)));
    }

    static readonly Label Plain = new() { Policy = "2.25.1.3.1", Class = 10, Mark = "KHÔNG MẬT", Categories = [], Basis = null, Term = null, Caveats = [] };

    [Fact]
    public void Any_flipped_byte_of_a_half_is_refused()
    {
        using SelfSignedKey first = new("CN=First"), second = new("CN=Second");
        var half = PartlySigned.Begin(By(first, second), first, At).Der.ToArray();
        for (var i = 0; i < half.Length; i++)
        {
            var bad = (byte[])half.Clone();
            bad[i] ^= 1;
            Assert.Throws<RefusedException>(() => PartlySigned.Read(bad, StatementType.Standing));
        }
    }

    [Fact]
    public void What_a_gateway_would_not_read_is_not_signed()
    {
        using SelfSignedKey first = new("CN=First"), second = new("CN=Second");
        Assert.Equal(Refusal.Json, Refused(() => PartlySigned.Begin(By(first, second) with { Version = 0 }, first, At)));
    }
}
