using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Audit;
using Exchange.Gateway.Store;
using Exchange.Tests.Http;

namespace Exchange.Tests.Audit;

/// <summary>Which labels an auditor may see the entries of, and by what each kind of entry is found.</summary>
public sealed class AuditSightTests(SharedGateway shared) : IClassFixture<SharedGateway>
{
    readonly TestGateway gateway = shared.Gateway;

    StandingAuditor All => gateway.Host.Shared.Worlds.Current.Standing.FindAuditor(Digest.Of(DevPkiFolder.AuditorTls("AUDIT-ALL").RawData))!;

    AuditIndex Index => gateway.Host.Shared.AuditIndex!.Index;

    // What is seen of: everybody's, the top's, and the label that is given.
    (bool Everybody, bool Top, bool Label) Seen(Func<Clearance, Clearance> change, Label label, DateTimeOffset? now = null)
    {
        var row = Index.Audience(AuditLabel.Write(label));
        var sight = AuditSight.Of(All with { Clearance = change(All.Clearance) }, Index, gateway.Host.Shared.Worlds.Current, now ?? gateway.Clock.GetUtcNow());
        return (sight.Audiences.Contains(AuditIndex.Everybody), sight.Audiences.Contains(AuditIndex.Top), sight.Audiences.Contains(row));
    }

    Label Known(string level) => gateway.Host.Shared.Worlds.Current.Policy.NewLabel(level, "basis");

    [Fact]
    public void Only_who_may_see_everything_sees_what_has_no_label_or_one_of_another_policy()
    {
        var (mat, foreign, gone) = (Known("mat"), Known("mat") with { Policy = "2.25.1" }, Known("mat") with { Class = 77 });
        foreach (var label in new[] { mat, foreign, gone }) Assert.Equal((true, true, true), Seen(c => c, label));
        // One level, one value of a category, or the one category, is missing.
        var without = new Func<Clearance, Clearance>[] { c => c with { Classes = [10, 20] }, c => c with { Categories = [] }, c => c with { Categories = [.. c.Categories.Select(v => v with { Values = [.. v.Values.SkipLast(1)] })] } };
        foreach (var less in without)
        {
            Assert.Equal((true, false, true), Seen(less, mat));
            Assert.Equal((true, false, false), Seen(less, foreign));
            Assert.Equal((true, false, false), Seen(less, gone));
        }
        Assert.Equal((true, false, false), Seen(c => c with { Classes = [10] }, mat));
        // Of another policy, or when its time is over, a clearance opens nothing.
        Assert.Equal((false, false, false), Seen(c => c with { Policy = "2.25.1" }, mat));
        Assert.Equal((false, false, false), Seen(c => c with { Classes = [20, 30, 40] }, Known("thuong")));
        foreach (var label in new[] { mat, foreign, gone }) Assert.Equal((false, false, false), Seen(c => c, label, DateTimeOffset.FromUnixTimeMilliseconds(All.Clearance.ValidTo)));
    }

    [Fact]
    public void The_narrower_sight_of_a_level_is_that_of_its_class_only()
    {
        var (mat, high) = (Index.Audience(AuditLabel.Write(Known("mat"))), Index.Audience(AuditLabel.Write(Known("toi-mat"))));
        var sight = AuditSight.Of(All, Index, gateway.Host.Shared.Worlds.Current, gateway.Clock.GetUtcNow()).OfLevel(20);
        Assert.Contains(mat, sight.Audiences);
        Assert.DoesNotContain(high, sight.Audiences);
        Assert.DoesNotContain(AuditIndex.Top, sight.Audiences);
    }

    [Fact]
    public void Each_kind_is_found_by_what_its_detail_names()
    {
        var (id, d, key) = (Guid.CreateVersion7(), Digest.Of("d"u8), Digest.Of("key"u8));
        EntryAbout About(LedgerDetail detail) => EntryAbout.Of(detail);
        EntryAbout Copy(Verdict? verdict = null) => new("G22", id, "H41", key, verdict);
        EntryAbout Whole(Verdict? verdict = null) => new("G22", id, null, null, verdict);
        Assert.Equal(Whole(Verdict.Permit), About(new SubmissionDetail("G22", id, d, d, "2.25.1", 10, 1, d, d, d, d) { Time = 1 }));
        Assert.Equal(Whole(Verdict.Deny), About(new RejectionDetail("G22", id, d, "E_LABEL_CLASS", d) { Time = 1 }));
        Assert.Equal(Whole(Verdict.Hold), About(new HoldDetail("G22", id, d, d, "E_AWAITING_RELEASE", 2, d, d) { Time = 1 }));
        foreach (var (said, verdict) in new[] { ("permit", Verdict.Permit), ("hold", Verdict.Hold), ("deny", Verdict.Deny) })
            Assert.Equal(Whole(verdict), About(new LabelDetail("G22", id, d, d, "label", "person", said, "OK", null, d) { Time = 1 }));
        Assert.Equal((Verdict.Permit, Verdict.Deny), (About(new DryRunDetail("G22", "OK", d) { Time = 1 }).Verdict, About(new DryRunDetail("G22", "E_NOT_RELEASABLE", d) { Time = 1 }).Verdict));
        Assert.Equal(Copy(), About(new ConsignmentDetail("G22", id, d, "H41", key, d) { Time = 1 }));
        Assert.Equal(Copy(), About(new DeliveryDetail("G22", id, d, "H41", key, "https") { Time = 1 }));
        Assert.Equal((Copy(), Copy(Verdict.Deny)), (About(new ConsignmentFailureDetail("G22", id, d, "H41", key, "E_EXPIRED", null) { Time = 1 }), About(new ConsignmentFailureDetail("G22", id, d, "H41", key, "E_NOT_RELEASABLE", d) { Time = 1 })));
        Assert.Equal((null, "H41", null), (About(new BreakerDetail("H41", "https", "open") { Time = 1 }) is var b ? (b.Sender, b.Office, b.Key) : default));
        Assert.Equal((null, key), (About(new AuditReadDetail(key, d, 1, 1) { Time = 1 }) is var look ? (look.Office, look.Key) : default));
        // Everybody may know that the gateway started, and nothing that is about a dispatch, a look or nothing.
        Assert.Equal([EntryKind.Start, EntryKind.Stop, EntryKind.Activation, EntryKind.SignInFailures, EntryKind.Breaker, EntryKind.Succession], Enum.GetValues<EntryKind>().Where(EntryAbout.IsForEverybody).OrderBy(Order));

        static int Order(EntryKind kind) => Array.IndexOf([EntryKind.Start, EntryKind.Stop, EntryKind.Activation, EntryKind.SignInFailures, EntryKind.Breaker, EntryKind.Succession], kind);
    }
}
