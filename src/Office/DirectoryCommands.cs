using System.CommandLine;
using Exchange.Crypto;
using Exchange.Crypto.Trust;

namespace Exchange.Office;

/// <summary>directory update, list, show.</summary>
static class DirectoryCommands
{
    public static Command Directory(Shell shell)
    {
        var command = new Command("directory", "Offices and their keys, as signed by the directory officers. Danh bạ.");
        command.Subcommands.Add(Update(shell));
        command.Subcommands.Add(shell.Does(new Command("list", "Every office"), (parsed, say, _) => List(shell, parsed, say)));
        command.Subcommands.Add(Show(shell));
        return command;
    }

    static Command Update(Shell shell) => shell.Does(new Command("update", "Fetches directory, policy, revocation lists and checkpoint, and verifies them"), async (parsed, say, cancel) =>
    {
        using var client = shell.Client(parsed, say);
        if (await client.RefreshAsync(cancel).ConfigureAwait(false) is { } offline) throw new RefusedException(offline);
        say.Json(new { directory = client.Directory.Version, policy = client.Policy.Content.Version, offices = client.Directory.Offices.Count });
        say.Say($"directory version {client.Directory.Version} ({client.Directory.Offices.Count} offices), policy version {client.Policy.Content.Version}: verified",
            $"danh bạ phiên bản {client.Directory.Version} ({client.Directory.Offices.Count} cơ quan), chính sách phiên bản {client.Policy.Content.Version}: đã kiểm tra");
        return ExchangeProgram.Good;
    });

    static Task<int> List(Shell shell, ParseResult parsed, Output say)
    {
        using var client = shell.Client(parsed, say);
        var offices = client.Directory.Offices;
        say.Json(offices.Select(Describe));
        say.Table([say.Text("code", "mã"), say.Text("name", "tên"), say.Text("parent", "cơ quan chủ quản"), say.Text("card", "thẻ"), say.Text("keys", "khóa")],
            offices.Select(o => new[] { o.Code, say.Text(o.Name.En, o.Name.Vi), o.Parent ?? "", $"v{o.CardVersion}", $"{o.Signing.Count} sign, {o.Encryption.Count} encrypt, {o.Tls.Count} tls" }));
        return Task.FromResult(ExchangeProgram.Good);
    }

    static Command Show(Shell shell)
    {
        var code = new Argument<string>("CODE") { Description = "Office code" };
        return shell.Does(new Command("show", "One office, every key") { code }, (parsed, say, _) =>
        {
            using var client = shell.Client(parsed, say);
            var office = client.Directory.Find(parsed.GetValue(code)!) ?? throw new RefusedException(Refusal.NotFound, parsed.GetValue(code)!);
            say.Json(Describe(office));
            say.Say($"{office.Code}  {office.Name.Vi} / {office.Name.En}", $"{office.Code}  {office.Name.Vi} / {office.Name.En}");
            if (office.HeldUntil is { } until) say.Say($"new card, held from Mật up until {say.Time(until)}", $"thẻ mới, tạm giữ từ độ Mật trở lên đến {say.Time(until)}");
            say.Table([say.Text("use", "mục đích"), say.Text("key", "khóa"), say.Text("subject", "chủ thể"), say.Text("valid until", "hiệu lực đến")],
                [.. Rows("sign", office.Signing, say), .. Rows("encrypt", office.Encryption, say), .. Rows("tls", office.Tls, say),
                 .. office.Persons.SelectMany(p => Rows(string.Join(", ", p.Roles), [p.Certificate], say))]);
            return Task.FromResult(ExchangeProgram.Good);
        });
    }

    static IEnumerable<string[]> Rows(string use, IEnumerable<Certificate> certificates, Output say) =>
        certificates.Select(c => new[] { use, c.Key.ToString(), c.Subject, say.Time(c.NotAfter) });

    static object Describe(OfficeEntry o) => new
    {
        o.Code, name = o.Name, o.Parent, card = o.CardRef, o.CardVersion, heldUntil = o.HeldUntil, signing = o.Signing.Select(c => c.Key), encryption = o.Encryption.Select(c => c.Key), tls = o.Tls.Select(c => c.Key),
        persons = o.Persons.Select(p => new { p.Roles, key = p.Certificate.Key }),
    };
}
