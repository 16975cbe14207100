using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;

namespace Exchange.Tests.Statements;

/// <summary>What two administrators want is done only where, and only as, both signed it.</summary>
public sealed class OperationStatementTests
{
    static readonly TestPki Pki = TestPki.Shared;

    static readonly OperationStatement Good = new()
    {
        V = 1, Type = OperationStatement.TypeName, Signers = Pki.DirectoryOfficerKeys, Gateway = "gateway.test/ledger", Act = OperationStatement.Discard,
        Parcels = [Guid.CreateVersion7(TestPki.Now)], Code = "NO_LONGER_NEEDED", Issued = TestPki.Now.ToUnixTimeMilliseconds(),
    };

    static Refusal? Told(OperationStatement content, IReadOnlyList<FileKey>? signers = null)
    {
        var by = signers ?? Pki.DirectoryOfficers;
        var der = Statement.Sign(content with { Signers = [.. by.Select(s => s.Certificate.Key)] }, by, TestPki.Now).Der;
        try { OperationStatement.Open(der, "gateway.test/ledger", Pki.DirectoryOfficerKeys, Pki.Check, TestPki.Now); return null; }
        catch (RefusedException e) { return e.Refusal; }
    }

    [Fact]
    public void Two_pinned_administrators_of_this_gateway_say_what_and_why()
    {
        Assert.Null(Told(Good));
        Assert.Equal(Refusal.Officers, Told(Good, Pki.PolicyOfficers));
        Assert.Equal(Refusal.Officers, Told(Good, [Pki.DirectoryOfficers[0], Pki.Gateway]));
        Assert.Equal(Refusal.OtherGateway, Told(Good with { Gateway = "another.test/ledger" }));
        Assert.Equal(Refusal.Request, Told(Good with { Act = "deliver" }));
        Assert.Equal(Refusal.Request, Told(Good with { Parcels = [] }));
        foreach (var code in new[] { "", "why not", "É", new string('A', 65) }) Assert.Equal(Refusal.Request, Told(Good with { Code = code }));
    }
}
