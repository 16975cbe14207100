using System.CommandLine;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Office.Join;

/// <summary>keys request, keys take: private keys never leave the machine on which they are used.</summary>
static class KeysCommands
{
    public static Command Keys(Shell shell)
    {
        var command = new Command("keys", "Makes keys and takes their certificates: of an office, a gateway or an officer. Khóa và chứng thư.");
        command.Subcommands.Add(Request(shell));
        command.Subcommands.Add(Take(shell));
        command.Subcommands.Add(PinCommand.Create(shell));
        return command;
    }

    static Command Request(Shell shell)
    {
        var target = new Option<string>("--out") { Description = "Folder of the owner; made when it is not there", Required = true, HelpName = "DIR" };
        var owner = new Option<string>("--for") { Description = "office, gateway or officer", DefaultValueFactory = _ => KeyKind.ForOffice, HelpName = "OWNER" };
        var code = new Option<string>("--code") { Description = "Office code, or a short name of the gateway or officer; A-Z, 0-9, '.', '-'", Required = true, HelpName = "H41" };
        var organization = new Option<string>("--organization") { Description = "Name for the certificates", Required = true, HelpName = "NAME" };
        var country = new Option<string>("--country") { DefaultValueFactory = _ => "VN", HelpName = "CC" };
        var hosts = new Option<string[]>("--host") { Description = "Host name or address under which it is reached by TLS; needed for office and gateway", HelpName = "HOST" };
        var only = new Option<string[]>("--only") { Description = "Only these keys: sign, encrypt, tls, signatory, clerk (and release-officer, which comes only so); evidence, tls of a gateway", AllowMultipleArgumentsPerToken = true, HelpName = "KEY" };
        var rsa = new Option<int?>("--rsa") { Description = "The key that opens dispatches is RSA of so many bits, 3072 to 8192, not P-384", HelpName = "BITS" };
        var passphrase = Passphrase.Option(made: true);
        var command = new Command("request", "Makes private keys, encrypted, and certificate requests (PKCS#10) for the CA in DIR/request") { target, owner, code, organization, country, hosts, only, rsa, passphrase };
        owner.AcceptOnlyFromAmong(KeyKind.ForOffice, KeyKind.ForGateway, KeyKind.ForOfficer);
        return shell.Does(command, (parsed, say, _) =>
        {
            var names = KeyKind.Of(parsed.GetValue(owner)!).Select(k => k.Name).ToList();
            var asked = parsed.GetValue(only) is { Length: > 0 } given ? given : [.. names.Where(n => n != "release-officer")];
            if (asked.FirstOrDefault(a => !names.Contains(a)) is { } foreign) throw new UsageException($"--only: no {foreign} here; there are {string.Join(", ", names)}", $"--only: không có {foreign}; có {string.Join(", ", names)}");
            if (!DirectoryForm.IsCode(parsed.GetValue(code))) throw new UsageException("--code: 1 to 50 of A-Z, 0-9, '.' and '-'", "--code: 1 đến 50 ký tự A-Z, 0-9, '.' và '-'");
            if (parsed.GetValue(rsa) is < 3072 or > 8192) throw new UsageException("--rsa: 3072 to 8192", "--rsa: 3072 đến 8192");
            var request = new KeyRequest(parsed.GetValue(owner)!, parsed.GetValue(code)!, parsed.GetValue(organization)!, parsed.GetValue(country)!, parsed.GetValue(hosts) ?? [], asked);
            if (request.Hosts.Count == 0 && request.Kinds.Any(k => k.Use == KeyUse.Tls)) throw new UsageException("--host: missing; the name under which it is reached", "--host: thiếu; tên máy để kết nối tới");
            var folder = request.Write(Path.GetFullPath(parsed.GetValue(target)!), Passphrase.New(parsed.GetValue(passphrase), say), parsed.GetValue(rsa));
            say.Json(new { folder, requests = asked.Select(a => $"{a}.csr") });
            say.Say($"{folder}: {string.Join(", ", asked.Select(a => a + ".csr"))} for the CA; the .key files stay here", $"{folder}: {string.Join(", ", asked.Select(a => a + ".csr"))} gửi CA; các tệp .key ở lại đây");
            say.Hint("when the certificates have come", "khi đã có chứng thư", $"exchange keys take --out {parsed.GetValue(target)} CERTIFICATES");
            return Task.FromResult(ExchangeProgram.Good);
        });
    }

    static Command Take(Shell shell)
    {
        var target = new Option<string>("--out") { Description = "Folder given to keys request", Required = true, HelpName = "DIR" };
        var certificates = new Argument<string[]>("CERTIFICATES") { Description = "What the CA issued: files or folders, PEM or DER, in any order", Arity = ArgumentArity.OneOrMore };
        var from = new Option<string?>("--from") { Description = "Folder with trust/ (and, for an office, pins.json): exchange-gateway export makes it. Default: as the profile in DIR says", HelpName = "DIR" };
        var gateway = new Option<string?>("--gateway") { Description = "Address of the gateway, for the profile", HelpName = "https://HOST:PORT" };
        var lost = new Option<bool>("--lost") { Description = "The keys before are lost or leaked: the new card signs itself, and is held back from Mật up for 24 h" };
        var drop = new Option<string[]>("--drop") { Description = "Old keys that must go from the card at once: sign, encrypt, tls, signatory, clerk, release-officer", AllowMultipleArgumentsPerToken = true, HelpName = "KEY" };
        var before = new Option<string?>("--before") { Description = "The card in force, when this folder does not know it", HelpName = "FILE" };
        var passphrase = Passphrase.Option();
        var command = new Command("take", "Takes the certificates: key files (PKCS#12), and for an office its card and profile.json. Names everything that is wrong") { certificates, target, from, gateway, lost, drop, before, passphrase };
        return shell.Does(command, (parsed, say, _) =>
        {
            var folder = Path.GetFullPath(parsed.GetValue(target)!);
            var request = KeyRequest.Read(folder);
            var secret = Passphrase.Get(parsed.GetValue(passphrase), say);
            if (request.Owner != KeyKind.ForOffice) return Task.FromResult(TakeOther(folder, request, secret, parsed.GetValue(certificates)!, parsed.GetValue(from), shell, say));
            var given = new TakeRequest(folder, parsed.GetValue(certificates)!, parsed.GetValue(from), parsed.GetValue(gateway), parsed.GetValue(passphrase), parsed.GetValue(lost), parsed.GetValue(drop) ?? [], parsed.GetValue(before));
            var result = new JoinOffice(given, request, secret, shell.Clock).Run();
            return Task.FromResult(Tell(result, parsed.GetValue(target)!, say));
        });
    }

    static int Tell(TakeResult result, string target, Output say)
    {
        if (result.Wrong.Count > 0) return Wrong(result.Wrong, say);
        Describe(result.Keys, say);
        var card = result.Card!.As<Card>();
        say.Json(new { card = result.Card.Ref, version = card.Version, file = result.CardFile, profile = result.Profile, keys = result.Keys.Select(k => new { k.Kind.Name, k.Certificate.Key, k.File }) });
        say.Say($"card {card.Version} of {card.Office}: {result.CardFile}\nread this to the directory officers by telephone: {result.Card.Ref}", $"thẻ {card.Version} của {card.Office}: {result.CardFile}\nđọc mã này cho cán bộ danh bạ qua điện thoại: {result.Card.Ref}");
        if (card.Version > 1 || card.Previous is not null)
            say.Hint("the old keys are used until the officers' directory is in force; then", "khóa cũ được dùng đến khi danh bạ mới có hiệu lực; sau đó", $"mv {result.Profile} {Path.Combine(target, "profile.json")}");
        return ExchangeProgram.Good;
    }

    static int TakeOther(string folder, KeyRequest request, string passphrase, string[] certificates, string? from, Shell shell, Output say)
    {
        if (from is null) throw new UsageException("--from: missing; a folder with trust/", "--from: thiếu; thư mục có trust/");
        var take = new TakeCertificates(folder, request, passphrase, new CertificateCheck(TrustStore.Load(Path.Combine(from, "trust"))), shell.Clock.GetUtcNow());
        var keys = take.Run(certificates);
        if (take.Wrong.Count > 0) return Wrong(take.Wrong, say);
        // The name under which others pin it; nothing secret.
        foreach (var key in keys) DurableFile.Write(Path.ChangeExtension(key.File, ".pin"), System.Text.Encoding.ASCII.GetBytes(key.Certificate.Key + "\n"));
        KeyRequest.Remove(folder);
        Describe(keys, say);
        say.Json(new { keys = keys.Select(k => new { k.Kind.Name, k.Certificate.Key, k.File }) });
        return ExchangeProgram.Good;
    }

    static int Wrong(IReadOnlyList<Words> wrong, Output say)
    {
        say.Json(new { wrong });
        foreach (var one in wrong) say.Note(one.En, one.Vi);
        say.Note("nothing was taken", "chưa nhận chứng thư nào");
        return ExchangeProgram.Bad;
    }

    static void Describe(IReadOnlyList<TakenKey> keys, Output say) => say.Table([say.Text("use", "mục đích"), say.Text("key", "khóa"), say.Text("subject", "chủ thể"), say.Text("valid until", "hiệu lực đến"), say.Text("file", "tệp")],
        keys.Select(k => new[] { k.Kind.Name, k.Certificate.Key.ToString(), k.Certificate.Subject, say.Time(k.Certificate.NotAfter), Path.GetFileName(k.File) }));
}
