using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Gateway.Offices;
using Exchange.Gateway.Store;
using Org.BouncyCastle.Asn1.X509;

namespace Exchange.Tests;

public sealed class WorldTests : IDisposable
{
    static readonly TestPki pki = TestPki.Shared;
    readonly TestStore store = new();

    static ReadOnlyMemory<byte> Policy(long version, IReadOnlyList<FileKey>? officers = null)
    {
        using var stream = typeof(WorldTests).Assembly.GetManifestResourceStream("vietnam-state.json")!;
        using var draft = new MemoryStream();
        stream.CopyTo(draft);
        var signers = officers ?? pki.PolicyOfficers;
        return Statement.Sign(PolicyDraft.ToStatement(draft.ToArray(), [.. signers.Select(s => s.Certificate.Key)], version, TestPki.Start, TestPki.Start.AddYears(1)), signers, TestPki.Now).Der;
    }

    /// <summary>What two policy officers sign so that a policy may follow the one in force here.</summary>
    ReadOnlyMemory<byte> Approval(ReadOnlyMemory<byte> next, IReadOnlyList<FileKey>? officers = null, DateTimeOffset? until = null)
    {
        var (world, signers) = (store.Worlds.Current, officers ?? pki.PolicyOfficers);
        var standing = world.StandingOrNone is { } s ? Statement.Read(s.Statement, StatementType.Standing).As<StandingStatement>() : null;
        var diff = PolicyDiff.Between(world.Policy, CompiledPolicy.Compile(Statement.Read(next, StatementType.Policy).As<PolicyStatement>()), standing);
        return Statement.Sign(ActivationApproval.Of(diff, [.. signers.Select(s => s.Certificate.Key)], until ?? TestPki.Now.AddDays(1)), signers, TestPki.Now).Der;
    }

    static ReadOnlyMemory<byte> Standing(long version)
    {
        var clearance = new Clearance { Policy = "2.25.1.3.1", Classes = [10], Categories = [], ValidFrom = 0, ValidTo = 4_000_000_000_000 };
        var content = new StandingStatement
        {
            V = 1, Type = StandingStatement.TypeName, Signers = pki.DirectoryOfficerKeys, Version = version, Issued = 0, Note = "development only",
            Offices = [new("H41", clearance, new("mailbox", clearance, []), [])],
        };
        return Statement.Sign(content, pki.DirectoryOfficers, TestPki.Now).Der;
    }

    static ReadOnlyMemory<byte>[] Directory(long version, Digest? previous, params string[] codes)
    {
        var cards = codes.Select(code => pki.SignCard(TestPki.NewCard(pki[code]))).ToList();
        return [pki.SignDirectory(pki.NewDirectory(version, previous, cards)).Der, .. cards.Select(c => c.Der)];
    }

    PreparedWorld Prepare(params ReadOnlyMemory<byte>[] documents) => WorldActivation.Prepare(store.Worlds.Current, documents, TestStore.Pins, TestPki.Now);

    World Activate(params ReadOnlyMemory<byte>[] documents)
    {
        var prepared = Prepare(documents);
        Assert.True(store.Commit(b => b.Activate(prepared)));
        return store.Worlds.Current;
    }

    Refusal Refused(params ReadOnlyMemory<byte>[] documents) => Assert.Throws<RefusedException>(() => Prepare(documents)).Refusal;

    [Fact]
    public void The_first_documents_make_a_world_that_a_restart_finds_again()
    {
        Assert.False(store.Worlds.Current.Complete);
        Assert.Throws<InvalidOperationException>(() => store.Worlds.Current.Policy);

        var world = Activate([Policy(1), .. Directory(1, null, "G22", "H41"), Standing(1)]);

        Assert.True(world.Complete);
        Assert.Equal(1, world.Id);
        Assert.NotNull(world.Directory.Find("H41"));
        // Policy, directory and standing are entries; cards are covered by their directory.
        Assert.Equal(3, store.Head().Size);
        Assert.Empty(store.Check());

        store.Reopen();
        var again = store.Worlds.Current;
        Assert.Equal((1L, world.Policy.Ref, world.Directory.Ref, world.Standing.Ref), (again.Id, again.Policy.Ref, again.Directory.Ref, again.Standing.Ref));
        Assert.Equal(world.Directory.Find("H41")!.CardRef, again.Directory.Find("H41")!.CardRef);
    }

    [Fact]
    public void Activation_is_an_entry_that_names_what_came_into_force()
    {
        var policy = Policy(4);
        var world = Activate(policy);
        using var reader = store.Engine.Reader();
        var detail = Assert.IsType<ActivationDetail>(EntryDetails.Read(EntryTable.Secret(reader, 0)!.Detail));
        Assert.Equal(("policy", world.Policy.Ref, 4L), (detail.What, detail.Ref, detail.Version));
        store.Tamper("DELETE FROM document");
        Assert.Equal(["entry 0: the document it put in force is missing"], store.Check().Select(f => f.ToString()));
    }

    [Fact]
    public async Task A_world_is_in_force_only_once_its_commit_is_durable()
    {
        var prepared = Prepare(Policy(1));
        var task = store.Journal.Commit(b => b.Activate(prepared) ? b.World.Id : -1);
        var after = store.Journal.Commit(b => b.World.Id);
        Assert.Equal(0, store.Worlds.Current.Id);
        store.Journal.Step();
        Assert.Equal((1L, 1L), (await task, await after));
        Assert.Equal(1, store.Worlds.Current.Id);

        // One that throws beside it takes it back, and the run by itself puts it in force after all.
        var next = Prepare(Policy(2), Approval(Policy(2)));
        var second = store.Journal.Commit(b => b.Activate(next));
        _ = store.Journal.Commit<bool>(_ => throw new InvalidOperationException());
        store.Journal.Step();
        Assert.True(await second);
        Assert.Equal(2, store.Worlds.Current.Id);
    }

    [Fact]
    public void What_was_prepared_against_another_world_is_stale()
    {
        var (first, second) = (Prepare(Policy(1)), Prepare(Policy(2)));
        Assert.True(store.Commit(b => b.Activate(first)));
        Assert.False(store.Commit(b => b.Activate(second)));
        Assert.Equal(1, store.Head().Size);
    }

    [Fact]
    public void Versions_rise_strictly()
    {
        var world = Activate([Policy(5), .. Directory(1, null, "G22", "H41"), Standing(5)]);
        foreach (var version in new[] { 4, 5 })
        {
            Assert.Equal(Refusal.VersionOld, Refused(Policy(version)));
            Assert.Equal(Refusal.VersionOld, Refused(Standing(version)));
        }
        Assert.Equal(Refusal.VersionOld, Refused(Directory(1, null, "G22")));
        Assert.Equal(Refusal.VersionOld, Refused([store.Worlds.Current.Directory.Statement]));
        Assert.Equal(6, Activate(Policy(6), Approval(Policy(6))).Policy.Content.Version);
        store.Reopen();
        Assert.Equal(Refusal.VersionOld, Refused(Policy(5)));
        Assert.Equal(world.Standing.Ref, store.Worlds.Current.Standing.Ref);
    }

    [Fact]
    public void A_policy_follows_another_only_with_two_officers_approval_of_what_changes_here()
    {
        Activate([Policy(1), .. Directory(1, null, "G22", "H41"), Standing(1)]);
        var next = Policy(2);
        var approval = Approval(next);
        Assert.Equal(Refusal.ActivationUnapproved, Refused(next));
        Assert.Equal(Refusal.ActivationUnapproved, Refused(approval));
        Assert.Equal(Refusal.ActivationUnapproved, Refused(Policy(3), approval));
        Assert.Equal(Refusal.ActivationUnapproved, Refused(next, Approval(next, until: TestPki.Now.AddSeconds(-1))));
        Assert.Equal(Refusal.Officers, Refused(next, Approval(next, pki.DirectoryOfficers)));
        Assert.Equal(Refusal.StatementSigners, Assert.Throws<RefusedException>(() => Approval(next, [pki.PolicyOfficers[0]])).Refusal);
        // Who was shown other changes has approved something else.
        var content = Statement.Read(approval, StatementType.Activation).As<ActivationApproval>();
        ReadOnlyMemory<byte> Signed(ActivationApproval other) => Statement.Sign(other, pki.PolicyOfficers, TestPki.Now).Der;
        Assert.Equal(Refusal.ActivationUnapproved, Refused(next, Signed(content with { Diff = Digest.Of("nothing"u8) })));
        Assert.Equal(Refusal.ActivationUnapproved, Refused(next, Signed(content with { Previous = Digest.Of("nothing"u8) })));
        // Another standing came in between: they look again.
        Activate(Standing(2));
        Assert.Equal(Refusal.ActivationUnapproved, Refused(next, approval));
        var size = store.Head().Size;
        var world = Activate(next, Approval(next));
        Assert.Equal(2, world.Policy.Content.Version);
        // Both are entries, both are kept, and so is the policy before.
        Assert.Equal(size + 2, store.Head().Size);
        Assert.Empty(store.Check());
        store.Reopen();
        Assert.Equal(2, store.Worlds.Current.Policy.Content.Version);
        using var reader = store.Engine.Reader();
        foreach (var policy in new[] { Policy(1), next })
            Assert.NotNull(DocumentTable.Find(reader, DocumentKind.Policy, Statement.Read(policy, StatementType.Policy).Ref));
    }

    [Fact]
    public void Only_pinned_officers_put_documents_in_force()
    {
        Assert.Equal(Refusal.Officers, Refused(Policy(1, [pki.PolicyOfficers[0], pki.Gateway])));
        Assert.Equal(Refusal.Officers, Refused(Policy(1, pki.DirectoryOfficers)));
        Assert.Equal(Refusal.Request, Refused(Policy(1), Policy(2)));
        Assert.Equal(Refusal.Card, Refused(Directory(1, null, "G22")[1]));
        Assert.Throws<RefusedException>(() => Prepare(new byte[] { 1, 2, 3 }));
    }

    [Fact]
    public void Documents_that_the_pins_do_not_cover_any_more_stop_the_start()
    {
        Activate(Policy(1));
        var other = new Pins(pki.DirectoryOfficerKeys, pki.DirectoryOfficerKeys);
        var refused = Assert.Throws<CannotStartException>(() => Worlds.Load(store.Engine, TestStore.Anchors, other, TestPki.Now));
        Assert.Contains("pins", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_revocation_list_counts_from_its_activation_and_after_a_restart()
    {
        Activate([Policy(1), .. Directory(1, null, "G22", "H41"), Standing(1)]);
        var victim = pki["H41"].Sign.Certificate;
        Assert.Contains(victim, store.Worlds.Current.Directory.Find("H41")!.Signing);
        var list = pki.Issuing.Crl(7, TestPki.Now, TestPki.NextUpdate, (X509CertificateLoader.LoadCertificate(victim.Der.Span), TestPki.Now.AddMinutes(-1)));

        var world = Activate(list);

        Assert.Equal(Refusal.CertificateRevoked, world.Trust.Check(victim, Crypto.Trust.Purpose.OfficeSigning, TestPki.Now).Refusal);
        Assert.DoesNotContain(victim, world.Directory.Find("H41")!.Signing);
        Assert.Equal(Refusal.VersionOld, Refused(list));
        store.Reopen();
        Assert.Equal(Refusal.CertificateRevoked, store.Worlds.Current.Trust.Check(victim, Crypto.Trust.Purpose.OfficeSigning, TestPki.Now).Refusal);
        Assert.Empty(store.Check());
    }

    [Fact]
    public void A_list_and_the_delta_that_brings_it_up_to_date_both_stay_in_force_over_a_restart()
    {
        Activate([Policy(1), .. Directory(1, null, "G22", "H41"), Standing(1)]);
        var victim = pki["H41"].Sign.Certificate;
        Activate(pki.Issuing.Crl(7, TestPki.Now, TestPki.NextUpdate));
        var delta = Trust.OddCrl.Build(pki.Issuing, 8, list =>
        {
            list.AddExtension(X509Extensions.DeltaCrlIndicator, true, new CrlNumber(Org.BouncyCastle.Math.BigInteger.ValueOf(7)));
            list.AddCrlEntry(new Org.BouncyCastle.Math.BigInteger(victim.SerialNumber), TestPki.Now.AddMinutes(-1).UtcDateTime, 1);
        });
        Assert.Equal(Refusal.CertificateRevoked, Activate(delta).Trust.Check(victim, Crypto.Trust.Purpose.OfficeSigning, TestPki.Now).Refusal);

        store.Reopen();

        var trust = store.Worlds.Current.Trust;
        Assert.Equal(Refusal.CertificateRevoked, trust.Check(victim, Crypto.Trust.Purpose.OfficeSigning, TestPki.Now).Refusal);
        Assert.True(trust.Check(pki["G22"].Sign.Certificate, Crypto.Trust.Purpose.OfficeSigning, TestPki.Now).Good);
        Assert.Equal(Refusal.VersionOld, Refused(delta));
    }

    [Fact]
    public void What_was_put_in_force_stays_so_over_a_restart_when_an_officers_certificate_has_ended_since()
    {
        var before = Activate([Policy(1), .. Directory(1, null, "G22", "H41"), Standing(1)]);
        (X509Certificate2, DateTimeOffset) Ended(FileKey officer) => (X509CertificateLoader.LoadCertificate(officer.Certificate.Der.Span), TestPki.Now.AddMinutes(-1));
        Activate(pki.Issuing.Crl(8, TestPki.Now, TestPki.NextUpdate, Ended(pki.PolicyOfficers[0]), Ended(pki.DirectoryOfficers[0])));

        store.Reopen();

        var again = store.Worlds.Current;
        Assert.Equal((before.Policy.Ref, before.Directory.Ref, before.Standing.Ref), (again.Policy.Ref, again.Directory.Ref, again.Standing.Ref));
        // What they sign from now on is another matter.
        Assert.Equal(Refusal.CertificateRevoked, Refused(Policy(2)));
        Assert.Equal(Refusal.CertificateRevoked, Refused(Standing(2)));
    }

    [Fact]
    public void An_office_rolls_its_keys_and_the_hold_on_its_first_card_outlives_a_restart()
    {
        var (old, renewed) = (pki["H41"], pki.NewOffice("H41", "UBND tỉnh Nghệ An", "x"));
        var first = pki.SignCard(TestPki.NewCard(old));
        var vouched = TestPki.Now.AddHours(-1);
        var directory = pki.SignDirectory(pki.NewDirectory(1, null, [first], _ => vouched.ToUnixTimeMilliseconds()));
        Activate(directory.Der, first.Der);
        var second = pki.SignCard(TestPki.NewCard(renewed, 2, first.Ref, old.Sign), old.Sign);
        var office = Activate(pki.SignDirectory(pki.NewDirectory(2, directory.Ref, [second], _ => null)).Der, second.Der).Directory.Find("H41")!;

        Assert.Equal((second.Ref, vouched.AddHours(24)), (office.CardRef, office.HeldUntil));
        store.Reopen();
        var again = store.Worlds.Current.Directory.Find("H41")!;
        Assert.Equal((second.Ref, vouched.AddHours(24)), (again.CardRef, again.HeldUntil));
        Assert.Equal([renewed.Encrypt.Certificate], again.Encryption);
    }

    public void Dispose() => store.Dispose();
}
