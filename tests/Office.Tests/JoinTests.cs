using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Xunit;

namespace Exchange.Tests;

/// <summary>Keys, cards and the officers' two signatures, by the command. The development PKI lends its CA, its officers and what is in force.</summary>
public sealed class JoinTests : IDisposable
{
    readonly DevPkiFixture pki;
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("exchange-join-");

    public JoinTests(DevPkiFixture pki)
    {
        this.pki = pki;
        foreach (var officer in new[] { "one", "two" })
            foreach (var part in new[] { "trust", "statements", "pins.json" }) Copy(pki.At(part), At(officer, part));
        Copy(pki.At("offices"), At("offices"));
        foreach (var part in new[] { "trust", "passphrase" }) Copy(pki.At(part), At(part));
    }

    public void Dispose() => folder.Delete(recursive: true);

    string At(params string[] parts) => Path.Combine([folder.FullName, .. parts]);

    static void Copy(string from, string to)
    {
        if (File.Exists(from)) { File.Copy(from, to); return; }
        Directory.CreateDirectory(to);
        foreach (var entry in Directory.GetFileSystemEntries(from)) Copy(entry, Path.Combine(to, Path.GetFileName(entry)));
    }

    (int Code, string Output, string Error) Run(params string[] args) => DevPkiFixture.Run([.. args, "--passphrase-file", pki.At("passphrase"), "--lang", "en"]);

    (int Code, string Output, string Error) Propose(string target, params string[] args) =>
        Run(["officer", "propose", "--folder", At("one"), "--key", pki.At("officers/directory-1.p12"), "--yes", "--out", At(target), .. args]);

    (int Code, string Output, string Error) Sign(string target, string who, int key) => Run("officer", "sign", At(target), "--folder", At(who), "--key", pki.At($"officers/directory-{key}.p12"), "--yes");

    void Request(string office, params string[] args)
    {
        var (code, _, error) = Run(["keys", "request", "--out", At("offices", office), "--code", office, "--organization", "Cơ quan", "--host", "h.example", .. args]);
        Assert.True(code == 0, error);
    }

    /// <summary>As a CA that takes what is asked for, unless the test spoils it.</summary>
    void Issue(string office, string name, Action<CertificateRequest>? spoil = null)
    {
        using var ca = X509CertificateLoader.LoadPkcs12FromFile(pki.At("ca/issuing.p12"), pki.Passphrase);
        var request = CertificateRequest.LoadSigningRequestPem(File.ReadAllText(At("offices", office, "request", name + ".csr")), HashAlgorithmName.SHA384, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(ca, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        spoil?.Invoke(request);
        using var key = ca.GetECDsaPrivateKey()!;
        using var issued = request.Create(ca.SubjectName, X509SignatureGenerator.CreateForECDsa(key), DevPkiFixture.Now.AddHours(-1), DevPkiFixture.Now.AddYears(1), RandomNumberGenerator.GetBytes(16).Select((b, i) => i == 0 ? (byte)0x40 : b).ToArray());
        Directory.CreateDirectory(At("issued"));
        File.WriteAllText(At("issued", $"{office}-{name}-{issued.SerialNumber[^8..]}.pem"), issued.ExportCertificatePem());
    }

    void IssueAll(string office)
    {
        foreach (var csr in Directory.GetFiles(At("offices", office, "request"), "*.csr")) Issue(office, Path.GetFileNameWithoutExtension(csr));
    }

    (int Code, string Output, string Error) Take(string office, params string[] args) => Run(["keys", "take", At("issued"), "--out", At("offices", office), .. args]);

    Statement Card(string office, int version) => Statement.Read(File.ReadAllBytes(At("offices", office, $"{office}-{version}.card.p7s")), StatementType.Card);
    DirectoryStatement Directory_(string who) => Statement.Read(File.ReadAllBytes(At(who, "statements", "directory.p7s")), StatementType.Directory).As<DirectoryStatement>();

    [Fact]
    public void Private_keys_are_encrypted_and_their_owners_alone_and_a_request_under_way_is_not_overwritten()
    {
        Request("H99");
        foreach (var name in new[] { "sign", "encrypt", "tls", "signatory", "clerk" })
        {
            var key = At("offices", "H99", "request", name + ".key");
            Assert.StartsWith("-----BEGIN ENCRYPTED PRIVATE KEY-----", File.ReadAllText(key), StringComparison.Ordinal);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key));
        }
        Assert.DoesNotContain(Directory.GetFileSystemEntries(At("offices", "H99")), e => Path.GetFileName(e).StartsWith('.'));
        var (code, _, error) = Run("keys", "request", "--out", At("offices", "H99"), "--code", "H99", "--organization", "x", "--host", "h");
        Assert.Equal(64, code);
        Assert.Contains("a request is under way", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Everything_that_is_wrong_with_the_certificates_is_named_and_nothing_is_written()
    {
        Request("H99");
        Issue("H99", "sign", r => Replace(r, new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], critical: false)));
        Issue("H99", "tls", r => Replace(r, X509("other.example")));
        Issue("H99", "signatory");
        Issue("H99", "clerk", r => Replace(r, new X509KeyUsageExtension(X509KeyUsageFlags.KeyAgreement, critical: true)));
        var (code, _, error) = Take("H99", "--from", pki.Folder, "--gateway", "https://localhost:8443");
        Assert.Equal(1, code);
        Assert.Contains("sign: E_CERTIFICATE_PURPOSE", error, StringComparison.Ordinal);
        Assert.Contains("encrypt: no certificate for this key", error, StringComparison.Ordinal);
        Assert.Contains("tls: the certificate is not for h.example", error, StringComparison.Ordinal);
        Assert.Contains("clerk: E_CERTIFICATE_PURPOSE", error, StringComparison.Ordinal);
        Assert.DoesNotContain("signatory", error, StringComparison.Ordinal);
        Assert.Equal([At("offices", "H99", "request")], Directory.GetFileSystemEntries(At("offices", "H99")));

        static X509Extension X509(string host) { var names = new SubjectAlternativeNameBuilder(); names.AddDnsName(host); return names.Build(); }
        static void Replace(CertificateRequest request, X509Extension with)
        {
            request.CertificateExtensions.Remove(request.CertificateExtensions.First(e => e.Oid!.Value == with.Oid!.Value));
            request.CertificateExtensions.Add(with);
        }
    }

    [Fact]
    public void A_first_card_is_vouched_for_by_two_officers_on_two_machines_and_held()
    {
        Request("H99", "--rsa", "3072");
        IssueAll("H99");
        Assert.Equal(0, Take("H99", "--from", pki.Folder, "--gateway", "https://localhost:8443").Code);
        var profile = Exchange.Office.Client.Profile.Load(At("offices", "H99"));
        Assert.Equal("H99", profile.Office);
        var (code, output, error) = Propose("p", "--office", "H99", "--card", At("offices", "H99", "H99-1.card.p7s"), "--name-vi", "Sở", "--name-en", "Department", "--levels", "thuong,mat", "--parent", "H41");
        Assert.True(code == 0, error);
        Assert.Contains($"compare by telephone with what the office reads: {Card("H99", 1).Ref}", output, StringComparison.Ordinal);
        // One signature: nobody takes it, not even with the same officer's again.
        Assert.Throws<RefusedException>(() => Statement.Read(File.ReadAllBytes(At("p", "directory.p7s")), StatementType.Directory));
        Assert.Contains("E_OFFICERS", Sign("p", "one", 1).Error, StringComparison.Ordinal);
        (code, output, error) = Sign("p", "two", 2);
        Assert.True(code == 0, error);
        Assert.Contains("FIRST card", output, StringComparison.Ordinal);
        Assert.Equal(0, Sign("p", "one", 1).Code);
        foreach (var who in new[] { "one", "two" })
        {
            var cards = Directory.GetFiles(At(who, "statements", "cards")).Select(f => (ReadOnlyMemory<byte>)File.ReadAllBytes(f));
            var opened = OfficeDirectory.Open(File.ReadAllBytes(At(who, "statements", "directory.p7s")), cards, pki.Keys("directoryOfficers"), pki.Check, DevPkiFixture.Now, pki.Directory);
            Assert.Equal(DevPkiFixture.Now.AddHours(24), opened.Find("H99")!.HeldUntil);
            Assert.Equal("H41", opened.Find("H99")!.Parent);
        }
    }

    [Fact]
    public void A_roll_over_is_signed_by_the_key_before_keeps_old_keys_but_those_dropped_and_is_not_held()
    {
        Request("H41", "--only", "sign", "tls");
        IssueAll("H41");
        // What stands in the profile beside keys goes on.
        var settings = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(At("offices", "H41", "profile.json")))!;
        settings["words"] = "words.json";
        settings["timestamps"] = System.Text.Json.Nodes.JsonNode.Parse("""{"authorities":["http://a.test/tsa","https://b.test/"],"policy":"1.2.3"}""");
        File.WriteAllText(At("offices", "H41", "words.json"), "{}");
        File.WriteAllText(At("offices", "H41", "profile.json"), settings.ToJsonString());
        var (code, _, error) = Take("H41", "--before", pki.At("statements/cards/H41.p7s"), "--drop", "tls");
        Assert.True(code == 0, error);
        var (old, card) = (Statement.Read(File.ReadAllBytes(pki.At("statements/cards/H41.p7s")), StatementType.Card), Card("H41", 2));
        Assert.Equal(old.Signers[0], card.Signers[0]);
        Assert.Equal(["sign", "tls", "sign", "encrypt"], card.As<Card>().Keys.Select(k => k.Use));
        Assert.Equal(old.As<Card>().Persons.SelectMany(p => p.Certificate), card.As<Card>().Persons.SelectMany(p => p.Certificate));
        // The profile in use stays until the directory is in force.
        var next = Exchange.Office.Client.Profile.Load(At("offices", "H41", "profile.next.json"));
        Assert.Equal((At("offices", "H41", "words.json"), "1.2.3", "http://a.test/tsa https://b.test/"), (next.Words, next.TimeStamps!.Policy, string.Join(' ', next.TimeStamps.Authorities)));
        Assert.StartsWith("sign-", Path.GetFileName(next.Keys.Sign), StringComparison.Ordinal);
        Assert.EndsWith("encrypt.p12", Assert.Single(next.Keys.Encrypt), StringComparison.Ordinal);
        Assert.EndsWith("/sign.p12", Exchange.Office.Client.Profile.Load(At("offices", "H41")).Keys.Sign, StringComparison.Ordinal);

        (code, _, error) = Propose("p", "--office", "H41", "--card", At("offices", "H41", "H41-2.card.p7s"));
        Assert.True(code == 0, error);
        Assert.Equal(0, Sign("p", "two", 2).Code);
        Assert.Null(Directory_("two").Offices.Single(o => o.Code == "H41").Vouched);
    }

    [Fact]
    public void A_card_that_no_key_before_signed_needs_the_officers_own_knowledge()
    {
        Request("H41");
        IssueAll("H41");
        var (code, _, error) = Take("H41", "--before", pki.At("statements/cards/H41.p7s"), "--lost");
        Assert.True(code == 0, error);
        string[] propose = ["--office", "H41", "--card", At("offices", "H41", "H41-2.card.p7s")];
        (code, _, error) = Propose("p", propose);
        Assert.Equal(64, code);
        Assert.Contains("not signed by a key of the one before", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(At("p")));
        (code, var output, error) = Propose("p", [.. propose, "--loss"]);
        Assert.True(code == 0, error);
        Assert.Contains("LOSS", output, StringComparison.Ordinal);
        Assert.Equal(0, Sign("p", "two", 2).Code);
        Assert.Equal(DevPkiFixture.Now.ToUnixTimeMilliseconds(), Directory_("two").Offices.Single(o => o.Code == "H41").Vouched);
    }

    [Fact]
    public void The_second_officer_signs_nothing_that_does_not_follow_what_he_knows()
    {
        Assert.Equal(0, Propose("a", "--office", "H41", "--name-vi", "Tên", "--name-en", "Name").Code);
        // Another card in the folder than the directory names.
        Request("H99");
        IssueAll("H99");
        Assert.Equal(0, Take("H99", "--from", pki.Folder, "--gateway", "https://localhost:8443").Code);
        Assert.Equal(0, Propose("b", "--office", "H99", "--card", At("offices", "H99", "H99-1.card.p7s"), "--name-vi", "Sở", "--name-en", "Department").Code);
        File.Copy(At("offices", "H99", "H99-1.card.p7s"), At("b", "kept"));
        File.Delete(At("b", "H99-1.card.p7s"));
        Assert.Contains("E_CARD", Sign("b", "two", 2).Error, StringComparison.Ordinal);
        File.Move(At("b", "kept"), At("b", "H99-1.card.p7s"));
        // Version 2 once, then the other version 2.
        Assert.Equal(0, Sign("a", "two", 2).Code);
        Assert.Contains("E_VERSION_OLD", Sign("b", "two", 2).Error, StringComparison.Ordinal);
        // The same of a standing, which names no version before it.
        foreach (var (name, office) in new[] { ("c", "H41"), ("d", "H14") }) Assert.Equal(0, Propose(name, "--office", office, "--channel", "folder", "--setting", "folder=x").Code);
        Assert.Equal(0, Sign("c", "two", 2).Code);
        Assert.Contains("E_VERSION_OLD", Sign("d", "two", 2).Error, StringComparison.Ordinal);
        Assert.Equal("Name", Directory_("two").Offices.Single(o => o.Code == "H41").Name.En);
    }

    [Fact]
    public void A_gateways_new_key_takes_the_old_files_name_and_the_old_one_is_kept_even_when_the_command_runs_twice()
    {
        var at = Directory.CreateDirectory(At("keys")).FullName;
        File.Copy(pki.At("gateway/tls.p12"), Path.Combine(at, "tls.p12"));
        Digest Key(string name) { using var key = Exchange.Crypto.Keys.FileKey.Load(Path.Combine(at, name), pki.Passphrase); return key.Certificate.Key; }
        var old = Key("tls.p12");
        Directory.CreateSymbolicLink(At("offices", "keys"), at);
        Assert.Equal(0, Run("keys", "request", "--for", "gateway", "--only", "tls", "--out", at, "--code", "GATEWAY", "--organization", "Trục", "--host", "localhost").Code);
        Issue("keys", "tls");
        Copy(Path.Combine(at, "request"), At("request-kept"));
        Assert.Equal(0, Run("keys", "take", At("issued"), "--out", at, "--from", pki.Folder).Code);
        Assert.Equal(Key("tls.p12").ToString(), File.ReadAllText(Path.Combine(at, "tls.pin")).Trim());
        // Killed before its end, and run again.
        Copy(At("request-kept"), Path.Combine(at, "request"));
        Assert.Equal(0, Run("keys", "take", At("issued"), "--out", at, "--from", pki.Folder).Code);
        Assert.Equal(old, Key("tls.before.p12"));
        Assert.NotEqual(old, Key("tls.p12"));
    }

    [Fact]
    public void A_new_channel_is_approved_for_the_lowest_level_only_unless_said()
    {
        Assert.Equal(0, Propose("p", "--office", "H41", "--channel", "https", "--setting", "url=https://h.example:8444").Code);
        Assert.Equal(0, Sign("p", "two", 2).Code);
        var standing = Statement.Read(File.ReadAllBytes(At("two", "statements", "standing.p7s")), StatementType.Standing).As<StandingStatement>().Offices.Single(o => o.Code == "H41");
        Assert.Equal(("https", null), (standing.Channel.Adapter, standing.Channel.Ceiling));
        Assert.Equal([10, 20, 30], standing.Clearance.Classes);
        var (code, _, error) = Propose("q", "--office", "H41", "--levels", "most-secret");
        Assert.Equal(64, code);
        Assert.Contains("there are thuong, mat", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Ways_for_while_the_first_does_not_work_are_in_the_standing_in_order_each_with_a_ceiling_of_its_own_until_taken_back()
    {
        StandingOffice Next(string target, params string[] args)
        {
            var (code, output, error) = Propose(target, ["--office", "H41", .. args]);
            Assert.True(code == 0, error);
            Assert.Matches("; while that does not work by sftp folder=/in host=h.example user=x, for thuong, mat.* at most; while that does not work by mailbox, for thuong at most", output);
            foreach (var (who, key) in new[] { ("two", 2), ("one", 1) }) Assert.Equal(0, Sign(target, who, key).Code);
            return Statement.Read(File.ReadAllBytes(At("two", "statements", "standing.p7s")), StatementType.Standing).As<StandingStatement>().Offices.Single(o => o.Code == "H41");
        }
        var office = Next("p", "--channel", "https", "--setting", "url=https://h.example:8444", "--fallback", "sftp host=h.example user=x folder=/in ceiling=thuong,mat", "--fallback", "mailbox");
        Assert.Equal(["https", "sftp", "mailbox"], office.Channels.Select(c => c.Adapter));
        Assert.Equal(["folder=/in", "host=h.example", "user=x"], office.Channels[1].Settings.Select(s => $"{s.Key}={s.Value}"));
        Assert.Equal([10, 20], office.Channels[1].Ceiling!.Classes);
        Assert.Null(office.Channels[2].Ceiling);
        // Another change leaves them; an empty one takes them back.
        Assert.Equal(3, Next("q", "--levels", "thuong,mat").Channels.Count);
        Assert.Null(Next("r", "--fallback", "").Fallbacks);
        Assert.Equal(64, Propose("s", "--office", "H41", "--fallback", "sftp host").Code);
        Assert.Equal(64, Propose("s", "--office", "H41", "--fallback", "sftp ceiling=most-secret").Code);
        // What a gateway would refuse nobody signs: the mailbox only last, no adapter twice.
        Assert.NotEqual(0, Propose("s", "--office", "H41", "--channel", "mailbox", "--fallback", "folder folder=x").Code);
        Assert.NotEqual(0, Propose("s", "--office", "H41", "--channel", "https", "--fallback", "https url=https://other.example").Code);
        Assert.False(Directory.Exists(At("s")));
    }

    [Fact]
    public void An_order_to_a_gateway_is_signed_by_two_administrators_and_by_nobody_else()
    {
        const string Gateway = "gateway.example/ledger", Copy = "0199aaaa-0000-7000-8000-000000000001";
        var (administrators, signed) = (pki.Keys("directoryOfficers"), At("order.json.p7s"));
        File.WriteAllText(At("order.json"), $$"""{"v":1,"act":"discard","office":"H41","reason":null,"parcels":["{{Copy}}"],"code":"DUPLICATE","most":10}""");
        (int Code, string Output, string Error) Operate(string file, string key, params string[] args) => Run(["officer", "operate", At(file), "--key", pki.At($"officers/{key}.p12"), .. args]);
        string[] With(Digest other) => ["--gateway", Gateway, "--with", other.ToString()];

        // Nobody says for which gateway, or with whom; nobody agrees; with himself; not an order.
        Assert.Equal(64, Operate("order.json", "directory-1", "--yes").Code);
        Assert.Equal(64, Operate("order.json", "directory-1", With(administrators[1])).Code);
        Assert.Contains("E_STATEMENT_SIGNERS", Operate("order.json", "directory-1", [.. With(administrators[0]), "--yes"]).Error, StringComparison.Ordinal);
        File.WriteAllText(At("other.json"), """{"act":"discard"}""");
        Assert.Equal(64, Operate("other.json", "directory-1", [.. With(administrators[1]), "--yes"]).Code);
        Assert.False(File.Exists(signed));

        var (code, output, error) = Operate("order.json", "directory-1", [.. With(administrators[1]), "--yes"]);
        Assert.True(code == 0, error);
        Assert.Contains($"discard 1 copies at {Gateway}, DUPLICATE", output, StringComparison.Ordinal);
        Assert.Contains(Copy, output, StringComparison.Ordinal);
        // An order for a new origin says itself for which gateway, shows what it ends, and is for no other.
        File.WriteAllText(At("next.json"), $$"""{"v":1,"act":"new-origin","gateway":"{{Gateway}}","parcels":[],"succession":{"origin":"gateway.example/ledger-2","size":7,"root":"{{administrators[0]}}"},"code":"RESTORED"}""");
        Assert.Equal(64, Operate("next.json", "directory-1", "--with", administrators[1].ToString(), "--gateway", "other/ledger", "--yes").Code);
        (code, output, error) = Operate("next.json", "directory-1", "--with", administrators[1].ToString(), "--yes");
        Assert.True(code == 0, error);
        Assert.Contains($"the ledger {Gateway} ends at 7 entries, root {administrators[0]}; gateway.example/ledger-2 follows it", output, StringComparison.Ordinal);
        (code, _, error) = Operate("next.json.p7s", "directory-2", "--yes");
        Assert.True(code == 0, error);
        OperationStatement.OpenNewOrigin(File.ReadAllBytes(At("next.json.p7s")), new Crypto.Ledger.Checkpoint(Gateway, 7, administrators[0]), "gateway.example/ledger-2", administrators, pki.Check, DevPkiFixture.Now);
        // One signature: no gateway takes it. The same person again, or one who is not named, adds nothing.
        var half = File.ReadAllBytes(signed);
        Assert.Throws<RefusedException>(() => OperationStatement.Open(half, Gateway, administrators, pki.Check, DevPkiFixture.Now));
        foreach (var key in new[] { "directory-1", "policy-1" })
        {
            Assert.Contains("E_STATEMENT_SIGNERS", Operate("order.json.p7s", key, "--yes").Error, StringComparison.Ordinal);
            Assert.Equal(half, File.ReadAllBytes(signed));
        }
        (code, output, error) = Operate("order.json.p7s", "directory-2", "--yes");
        Assert.True(code == 0, error);
        Assert.Contains(Copy, output, StringComparison.Ordinal);
        var operation = OperationStatement.Open(File.ReadAllBytes(signed), Gateway, administrators, pki.Check, DevPkiFixture.Now).As<OperationStatement>();
        Assert.Equal((OperationStatement.Discard, "DUPLICATE", Guid.Parse(Copy)), (operation.Act, operation.Code, Assert.Single(operation.Parcels)));
    }

    [Fact]
    public void An_order_to_erase_names_dispatches_and_who_signs_sees_each()
    {
        const string Gateway = "gateway.example/ledger", Envelope = "0199aaaa-0000-7000-8000-000000000002";
        var administrators = pki.Keys("directoryOfficers");
        File.WriteAllText(At("erase.json"), $$"""{"v":1,"act":"erase","dispatches":[{"sender":"G22","envelope":"{{Envelope}}"}],"code":"LAW_17"}""");
        foreach (var (file, key, more) in new[] { ("erase.json", "directory-1", new[] { "--gateway", Gateway, "--with", administrators[1].ToString() }), ("erase.json.p7s", "directory-2", []) })
        {
            var (code, output, error) = Run(["officer", "operate", At(file), "--key", pki.At($"officers/{key}.p12"), "--yes", .. more]);
            Assert.True(code == 0, error);
            Assert.Contains($"erase 1 dispatches at {Gateway} for good, LAW_17", output, StringComparison.Ordinal);
            Assert.Contains($"G22 {Envelope}", output, StringComparison.Ordinal);
        }
        var operation = OperationStatement.Open(File.ReadAllBytes(At("erase.json.p7s")), Gateway, administrators, pki.Check, DevPkiFixture.Now).As<OperationStatement>();
        Assert.Equal((OperationStatement.Erase, new OperatedDispatch("G22", Guid.Parse(Envelope))), (operation.Act, Assert.Single(operation.Dispatches!)));
        File.WriteAllText(At("strange.json"), """{"v":1,"act":"erase","parcels":[],"code":"LAW_17"}""");
        Assert.Equal(64, Run(["officer", "operate", At("strange.json"), "--key", pki.At("officers/directory-1.p12"), "--yes", "--gateway", Gateway, "--with", administrators[1].ToString()]).Code);
    }
}
