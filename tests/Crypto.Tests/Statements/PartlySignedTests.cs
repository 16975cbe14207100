using Exchange.Crypto;
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
