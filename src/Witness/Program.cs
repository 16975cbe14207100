using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;

namespace Exchange.Witnessing;

/// <summary>The `exchange-witness` command: a witness of C2SP tlog-witness for the ledgers of other agencies. Exit codes: 0 good, 1 refused or bad, 64 usage.</summary>
static class Program
{
    const int Bad = 1, Usage = 64;
    static readonly string[] LanguageVariables = ["LC_ALL", "LC_MESSAGES", "LANG"];
    static readonly Argument<DirectoryInfo> Folder = new("DIR") { Description = "The witness's folder. Thư mục của nhân chứng" };

    public static async Task<int> Main(string[] args)
    {
        var root = new RootCommand("Cosigns the checkpoints of other agencies' ledgers while each continues the one before, and remembers. Ký chứng các điểm kiểm tra của sổ cơ quan khác khi chúng nối tiếp nhau, và ghi nhớ.")
        {
            Init(), AddLog(), Show(), Serve(),
        };
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors) await Console.Error.WriteLineAsync(error.Message);
            await Console.Error.WriteLineAsync("Try --help.");
            return Usage;
        }
        try { return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false }); }
        catch (WitnessException e) { return await Fail(e.Message, e.Vi); }
        catch (RefusedException e) { return await Fail($"{e.Message}: {e.Refusal.En} {e.Refusal.RemedyEn}", $"{e.Message}: {e.Refusal.Vi} {e.Refusal.RemedyVi}"); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException) { return await Fail(e.Message, e.Message); }
    }

    static Command Init()
    {
        var name = new Option<string>("--name") { Description = "The witness's name in its cosignatures, for example witness.h41.example/1. It never changes. Tên nhân chứng, không đổi", Required = true };
        var passphrase = new Option<string>("--passphrase-file") { Description = "File whose first line opens the keys, outside the folder; %d/NAME: a credential of the service manager. Tệp mật khẩu", Required = true };
        var command = new Command("init", "Makes the folder and two keys, Ed25519 and ML-DSA-44, and prints their public halves. Tạo thư mục và hai khóa, in khóa công khai.") { Folder, name, passphrase };
        command.SetAction(async (parsed, _) =>
        {
            WitnessFolder.Create(parsed.GetRequiredValue(Folder).FullName, parsed.GetRequiredValue(name), parsed.GetRequiredValue(passphrase));
            using var folder = WitnessFolder.Open(parsed.GetRequiredValue(Folder).FullName, alone: false);
            return await PrintKeys(folder);
        });
        return command;
    }

    static Command AddLog()
    {
        var keys = new Argument<string[]>("KEY") { Description = "Public keys of a ledger as its pins.json has them (NAME+ID+BASE64); the name is the origin. Khóa công khai của sổ", Arity = ArgumentArity.OneOrMore };
        var command = new Command("add-log", "Watches one more ledger, or one more key of it, from the next start on. Theo dõi thêm một sổ, hoặc thêm khóa của sổ, từ lần khởi động sau.") { Folder, keys };
        command.SetAction((parsed, _) =>
        {
            using var folder = WitnessFolder.Open(parsed.GetRequiredValue(Folder).FullName, alone: false);
            folder.AddLog(parsed.GetRequiredValue(keys));
            return Task.FromResult(0);
        });
        return command;
    }

    static Command Show()
    {
        var command = new Command("show", "Prints the public keys, then each watched ledger with the newest head that was cosigned. In khóa công khai và đầu sổ mới nhất đã ký chứng.") { Folder };
        command.SetAction(async (parsed, _) =>
        {
            using var folder = WitnessFolder.Open(parsed.GetRequiredValue(Folder).FullName, alone: false);
            await PrintKeys(folder);
            var heads = HeadStore.Read(folder.Heads);
            foreach (var origin in folder.Logs().Keys.Order(StringComparer.Ordinal))
                await Console.Out.WriteLineAsync(heads.FirstOrDefault(h => h.Checkpoint.Origin == origin) is { } head
                    ? string.Create(CultureInfo.InvariantCulture, $"{origin} {head.Checkpoint.Size} {Convert.ToBase64String(head.Checkpoint.Root.ToArray())} {DateTimeOffset.FromUnixTimeSeconds(head.Time).UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}") : $"{origin} -");
            return 0;
        });
        return command;
    }

    static Command Serve()
    {
        var listen = new Option<string>("--listen") { Description = "Address and port; port 0: the system chooses. Địa chỉ và cổng", DefaultValueFactory = _ => "127.0.0.1:8455" };
        var tls = new Option<FileInfo?>("--tls") { Description = "PKCS#12 file with the server's certificate, under the passphrase of the keys. Chứng thư máy chủ" };
        var plain = new Option<bool>("--plain") { Description = "Plain HTTP also beyond this machine: something in front of it does TLS. HTTP không mã hóa ra ngoài máy" };
        var command = new Command("serve", "Answers until SIGTERM or Ctrl-C: POST /add-checkpoint, GET /health. Prints where it listens. Phục vụ đến khi nhận SIGTERM hoặc Ctrl-C.") { Folder, listen, tls, plain };
        command.SetAction(async (parsed, _) =>
        {
            var text = parsed.GetRequiredValue(listen);
            if (!IPEndPoint.TryParse(text, out var address) || address.ToString() != text) throw new WitnessException($"--listen {text}: must be ADDRESS:PORT, for example 127.0.0.1:8455", $"--listen {text}: phải là ĐỊA-CHỈ:CỔNG");
            using var process = new ServingProcess();
            var folder = WitnessFolder.Open(parsed.GetRequiredValue(Folder).FullName, alone: true);
            using var certificate = parsed.GetValue(tls) is { } file ? X509CertificateLoader.LoadPkcs12FromFile(file.FullName, WitnessFolder.ReadPassphrase(folder.PassphraseFile)) : null;
            await using var host = await WitnessHost.Start(folder, new ServeSettings(address, certificate, parsed.GetValue(plain), process.Logs));
            await Console.Out.WriteLineAsync($"listening on {host.Address.AbsoluteUri.TrimEnd('/')}");
            await process.Asked;
            return 0;
        });
        return command;
    }

    static async Task<int> PrintKeys(WitnessFolder folder)
    {
        foreach (var key in folder.Keys())
            using (key) await Console.Out.WriteLineAsync(key.VerifierKey.ToString());
        return 0;
    }

    static async Task<int> Fail(string en, string vi)
    {
        var language = LanguageVariables.Select(Environment.GetEnvironmentVariable).FirstOrDefault(v => !string.IsNullOrEmpty(v)) ?? "";
        await Console.Error.WriteLineAsync(language.StartsWith("vi", StringComparison.Ordinal) ? $"lỗi: {vi}" : $"error: {en}");
        return Bad;
    }
}
