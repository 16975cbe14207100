using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Ledger;
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
        Assert.Equal(Refusal.Request, Told(Good with { Succession = new("gateway.test/ledger-2", 7, Digest.Of([7])) }));
        foreach (var code in new[] { "", "why not", "É", new string('A', 65) }) Assert.Equal(Refusal.Request, Told(Good with { Code = code }));
    }

    [Fact]
    public void An_erasure_names_dispatches_and_nothing_else_and_a_discard_none()
    {
        OperatedDispatch named = new("G22", Guid.CreateVersion7(TestPki.Now));
        var erase = Good with { Act = OperationStatement.Erase, Parcels = [], Dispatches = [named], Code = "LAW_13_2" };
        Assert.Null(Told(erase));
        foreach (var bad in new[]
        {
            erase with { Dispatches = null }, erase with { Dispatches = [] }, erase with { Dispatches = [named, named with { }] }, erase with { Dispatches = [named with { Sender = "" }] }, erase with { Parcels = Good.Parcels },
            erase with { Code = "because" }, erase with { Act = "erase-all" }, erase with { Dispatches = [.. Enumerable.Range(0, OperationStatement.MaxDispatches + 1).Select(n => new OperatedDispatch($"H{n}", named.Envelope))] },
            Good with { Dispatches = [named] }, erase with { Act = OperationStatement.Discard },
        }) Assert.Equal(Refusal.Request, Told(bad));
        Assert.Equal(Refusal.Officers, Told(erase, Pki.PolicyOfficers));
        // What a discard was in bytes it still is.
        Assert.DoesNotContain("dispatches", System.Text.Encoding.UTF8.GetString(StrictJson.Write(Good, StatementJson.Default.OperationStatement)), StringComparison.Ordinal);
        Assert.Equal(Refusal.Json, Assert.Throws<RefusedException>(() => StrictJson.Read(System.Text.Encoding.UTF8.GetBytes("{\"dispatches\":null}"), StatementJson.Default.OperationStatement)).Refusal);
    }

    [Fact]
    public void A_new_origin_names_the_very_head_that_ends_and_the_name_that_follows()
    {
        var next = new OperationSuccession("gateway.test/ledger-2", 7, Digest.Of([7]));
        var good = Good with { Act = OperationStatement.NewOrigin, Parcels = [], Succession = next, Code = "RESTORED" };
        Refusal? Of(OperationStatement content, IReadOnlyList<FileKey>? signers = null, long size = 7)
        {
            var by = signers ?? Pki.DirectoryOfficers;
            var der = Statement.Sign(content with { Signers = [.. by.Select(s => s.Certificate.Key)] }, by, TestPki.Now).Der;
            try { OperationStatement.OpenNewOrigin(der, new Checkpoint("gateway.test/ledger", size, Digest.Of([7])), "gateway.test/ledger-2", Pki.DirectoryOfficerKeys, Pki.Check, TestPki.Now); return null; }
            catch (RefusedException e) { return e.Refusal; }
        }
        Assert.Null(Of(good));
        Assert.Equal(Refusal.Officers, Of(good, [Pki.DirectoryOfficers[0], Pki.Gateway]));
        Assert.Equal(Refusal.OtherGateway, Of(good with { Gateway = "gateway.test/ledger-2" }));
        Assert.Equal(Refusal.Fork, Of(good, size: 8));
        Assert.Equal(Refusal.Fork, Of(good with { Succession = next with { Root = Digest.Of([8]) } }));
        foreach (var wrong in new[] { Good, good with { Succession = null }, good with { Parcels = Good.Parcels }, good with { Succession = next with { Origin = "gateway.test/ledger-3" } }, good with { Code = "why not" } })
            Assert.Equal(Refusal.Request, Of(wrong));
        // What was signed before there was such a thing reads as it did.
        Assert.DoesNotContain("succession", System.Text.Encoding.UTF8.GetString(StrictJson.Write(Good, StatementJson.Default.OperationStatement)), StringComparison.Ordinal);
    }
}
