using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Office.Client;
using Exchange.Office.Policies;

namespace Exchange.Office.Dev;

/// <summary>What `exchange dev demo` is given.</summary>
/// <param name="Large">A file of about 50 MB; null: one is made.</param>
/// <param name="Once">Stop after the story instead of serving on.</param>
sealed record DemoRequest(string GatewayProgram, string Pki, string Work, string Samples, string? Large, bool Once);

/// <summary>
/// The story that ./run tells: a gateway as its own process, four offices, real dispatches through the real verbs. Every step says the command that
/// does it, so that a reader can do the same; every step is checked, and the exit status says whether all of them came out as told.
/// </summary>
sealed class Demo(Shell shell, Output say, DemoRequest request)
{
    static readonly string[] Offices = ["G22", "H41", "H14", "H37"];
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    readonly string work = Path.GetFullPath(request.Work);
    readonly List<string> failures = [];
    readonly HashSet<string> seen = [];
    int chapter;

    public async Task<int> RunAsync(CancellationToken cancel)
    {
        if (Directory.Exists(work) && Directory.EnumerateFileSystemEntries(work).Any()) throw new UsageException($"--work: {work} is not empty", $"--work: {work} không trống");
        Directory.CreateDirectory(work);
        Chapter("A gateway starts, with an empty ledger", "Trục khởi động, sổ còn trống");
        await ServerProcess.InitAsync(request.GatewayProgram, Data, request.Pki, cancel).ConfigureAwait(false);
        AllowFolders();
        using var gateway = await ServerProcess.ServeAsync(request.GatewayProgram, Data, Path.Combine(work, "gateway.log"), shell.Clock, cancel).ConfigureAwait(false);
        say.Say($"listening on {gateway.Address.AbsoluteUri.TrimEnd('/')}, process {gateway.Id}", $"lắng nghe tại {gateway.Address.AbsoluteUri.TrimEnd('/')}, tiến trình {gateway.Id}");
        using var key = FileKey.Load(Path.Combine(request.Pki, "tsa", "tsa.p12"), File.ReadLines(Path.Combine(request.Pki, "passphrase")).First());
        using var stamps = DevTimeStampServer.Start(new DevTimeStamps(key), port: 0, shell.Clock);
        _ = stamps.RunAsync(cancel);
        foreach (var office in Offices) DevProfile.Write(request.Pki, office, gateway.Address, Folder(office), stamps.Address);
        using var endpoint = await ServerProcess.ReceiveAsync(Self, Folder("H14"), Received("H14"), Path.Combine(work, "H14.log"), shell.Clock, cancel).ConfigureAwait(false);
        try
        {
            await ChannelsAsync(endpoint.Address, cancel).ConfigureAwait(false);
            await StoryAsync(cancel).ConfigureAwait(false);
            End(gateway);
            if (!request.Once) await ServeOnAsync(gateway, cancel).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested) { }
        finally
        {
            if (await endpoint.StopAsync(shell.Clock).ConfigureAwait(false) is not 0) failures.Add(say.Text("H14's endpoint did not stop cleanly", "điểm nhận của H14 không dừng sạch"));
            if (await gateway.StopAsync(shell.Clock).ConfigureAwait(false) is not 0) failures.Add(say.Text("the gateway did not stop cleanly", "trục không dừng sạch"));
            else say.Say("the gateway has stopped; everything is where it was", "trục đã dừng; mọi thứ vẫn còn nguyên");
        }
        foreach (var failure in failures) say.Say($"NOT AS TOLD: {failure}", $"KHÔNG ĐÚNG: {failure}");
        return failures.Count == 0 ? ExchangeProgram.Good : ExchangeProgram.Bad;
    }

    // What an administrator writes into gateway.json by hand: below which folder the channel "folder" may write.
    void AllowFolders()
    {
        Directory.CreateDirectory(SharedFolder);
        var settings = Path.Combine(Data, "gateway.json");
        var json = JsonNode.Parse(File.ReadAllText(settings))!;
        json["folders"] = Path.GetDirectoryName(SharedFolder);
        File.WriteAllText(settings, json.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
    }

    async Task ChannelsAsync(Uri endpoint, CancellationToken cancel)
    {
        Chapter("Each office is reached in its own way: H41 looks into its mailbox, H14 has an endpoint, H37 a folder", "Mỗi cơ quan nhận một cách: H41 xem hộp đến, H14 có điểm nhận riêng, H37 có thư mục");
        string second = Path.Combine(work, "standing-2.p7s"), third = Path.Combine(work, "standing-3.p7s");
        await VerbAsync(["dev", "channel", "--pki", request.Pki, "--office", "H14", "--adapter", "https", "--setting", $"url={endpoint.AbsoluteUri.TrimEnd('/')}", "--out", second], 0).ConfigureAwait(false);
        await VerbAsync(["dev", "channel", "--pki", request.Pki, "--from", second, "--office", "H37", "--adapter", "folder", "--setting", "folder=h37", "--out", third], 0).ConfigureAwait(false);
        say.Say($"$ exchange-gateway activate --data …/gateway …/{Path.GetFileName(third)}", null);
        await ServerProcess.ActivateAsync(request.GatewayProgram, Data, third, cancel).ConfigureAwait(false);
        var done = Path.Combine(Data, "incoming", "done");
        await UntilAsync(() => Task.FromResult(Directory.EnumerateFiles(done).Any(f => Path.GetFileName(f).Contains(Path.GetFileNameWithoutExtension(third), StringComparison.Ordinal))),
            say.Text("the new channels are not in force", "các kênh mới chưa có hiệu lực"), cancel).ConfigureAwait(false);
    }

    async Task StoryAsync(CancellationToken cancel)
    {
        var documents = Documents();
        Chapter("G22 sends three documents at level Thường to H41, H14 and H37", "G22 gửi ba tài liệu độ Thường tới H41, H14 và H37");
        var first = await SendAsync("H41,H14,H37", "thuong", "7816", "VPCP-TTĐT", "Triển khai gửi, nhận văn bản điện tử", documents, 0, cancel).ConfigureAwait(false);
        Chapter("H41 fetches it from its mailbox; the documents are byte for byte those that were sent", "H41 tải về từ hộp đến; tài liệu giống hệt từng byte");
        await OpenAsync("H41", ["--all"], documents, cancel).ConfigureAwait(false);
        await VerbAsync(["handle", first.ToString(), "--status", "03", .. Profile("H41")], 0).ConfigureAwait(false);
        Chapter("The gateway carries H14's copy to its endpoint, which opens it at once", "Trục chuyển bản của H14 tới điểm nhận, nơi đó mở ngay");
        await UntilAsync(() => Task.FromResult(Opened("H14").Any()),
            say.Text("nothing came to H14's endpoint", "không có gì tới điểm nhận của H14"), cancel).ConfigureAwait(false);
        await CompareAsync("H14", documents, cancel).ConfigureAwait(false);
        Chapter("The gateway puts H37's copy into its folder, from which H37 opens it", "Trục đặt bản của H37 vào thư mục, H37 mở từ đó");
        await UntilAsync(() => Task.FromResult(Directory.EnumerateFiles(SharedFolder, "*.ready").Any()), say.Text("nothing came into H37's folder", "không có gì tới thư mục của H37"), cancel).ConfigureAwait(false);
        await OpenAsync("H37", ["--from", SharedFolder], documents, cancel).ConfigureAwait(false);
        // What was handed over a moment ago may still be on its way to the gateway's ledger.
        await UntilAsync(() => AllProvenAsync(first, cancel), say.Text("not every copy is proven to be opened", "chưa chứng minh được mọi bản đã mở"), cancel).ConfigureAwait(false);
        Chapter("The sender sees each copy opened, and checks the proof itself", "Nơi gửi thấy từng bản đã mở và tự kiểm tra bằng chứng");
        await VerbAsync(["status", first.ToString(), .. Profile("G22")], 0).ConfigureAwait(false);
        Chapter("One to H41 was sent by mistake: it is taken back, and nobody has fetched it", "Một văn bản gửi nhầm tới H41 được thu hồi khi chưa ai tải về");
        var mistaken = await SendAsync("H41", "thuong", "7819", "VPCP-TTĐT", "Văn bản gửi nhầm", documents[..1], 0, cancel).ConfigureAwait(false);
        await VerbAsync(["recall", mistaken.ToString(), "--reason", "gửi nhầm nơi nhận", .. Profile("G22")], 0).ConfigureAwait(false);
        Chapter("One to H41 whose author also wrote to H37: it goes there later, without him and without its documents", "Văn bản gửi H41 mà người ký cũng gửi H37: chuyển tới đó sau, không cần người ký và tài liệu");
        await FurtherAsync(documents[..1], cancel).ConfigureAwait(false);
        Chapter("A dispatch at level Mật to H41; the signatory approves", "Văn bản độ Mật gửi H41; người có thẩm quyền phê duyệt");
        var lowered = await SendAsync("H41", "mat", "12", "VPCP-M", "Kế hoạch bảo vệ bí mật nhà nước", documents[..1], 0, cancel).ConfigureAwait(false);
        await OpenAsync("H41", ["--all"], documents[..1], cancel).ConfigureAwait(false);
        Chapter("It has become public: H41 proposes to declassify it, and a person of the originating office agrees", "Nội dung đã công bố: H41 đề nghị giải mật, một người của cơ quan ban hành cùng ký");
        await VerbAsync(["label", "declassify", lowered.ToString(), "--reason", "made-public", "--as", "signatory", .. Profile("H41")], ExchangeProgram.Held).ConfigureAwait(false);
        await VerbAsync(["label", "agree", lowered.ToString(), "--as", "signatory", .. Profile("G22")], 0).ConfigureAwait(false);
        Chapter("A dispatch at level Tối mật to H41: the gateway holds it until two release officers of G22 let it go", "Văn bản độ Tối mật gửi H41: trục giữ lại cho đến khi hai cán bộ của G22 cho phép chuyển");
        var secret = await SendAsync("H41", "toi-mat", "14", "VPCP-TM", "Phương án bảo vệ kỳ họp", documents[..1], ExchangeProgram.Held, cancel).ConfigureAwait(false);
        await VerbAsync(["held", .. Profile("G22")], 0).ConfigureAwait(false);
        await VerbAsync(["approve", secret.ToString(), "--as", "release-1", .. Profile("G22")], ExchangeProgram.Held).ConfigureAwait(false);
        await VerbAsync(["approve", secret.ToString(), "--as", "release-2", .. Profile("G22")], 0).ConfigureAwait(false);
        await OpenAsync("H41", ["--all"], documents[..1], cancel).ConfigureAwait(false);
        Chapter("Its level asks for time-stamps: H41 proves, offline, by when both signatures of G22 were there", "Độ mật này yêu cầu dấu thời gian: H41 tự chứng minh hai chữ ký của G22 đã có vào lúc nào");
        await VerbAsync(["verify", Path.Combine(Folder("H41"), "state", "received", "G22", secret.ToString(), "dispatch.p7s"), .. Profile("H41")], 0).ConfigureAwait(false);
        Chapter("The same to H14, which has no clearance for Mật: refused", "Cùng văn bản gửi H14, cơ quan không được phép nhận độ Mật: bị từ chối");
        var refused = await SendAsync("H14", "mat", "13", "VPCP-M", "Kế hoạch bảo vệ bí mật nhà nước", documents[..1], ExchangeProgram.Bad, cancel).ConfigureAwait(false);
        DemandRefused(Refusal.NotReleasable);
        Chapter("The sender is told no more than that; a policy officer reads in the decision's own trace why", "Nơi gửi chỉ được biết như vậy; cán bộ chính sách đọc lý do trong chính bản ghi quyết định");
        await ExplainAsync(refused, cancel).ConfigureAwait(false);
        Chapter("One byte of a sealed dispatch is flipped on the way: refused", "Một byte của văn bản đã niêm phong bị đổi trên đường đi: bị từ chối");
        await FlippedAsync(documents[1], cancel).ConfigureAwait(false);
        Chapter("Everything the first dispatch left behind goes to a folder and is verified offline", "Mọi thứ văn bản đầu tiên để lại được xuất ra thư mục và kiểm tra ngoại tuyến");
        var evidence = Path.Combine(work, "evidence");
        await VerbAsync(["receipts", first.ToString(), "--export", evidence, .. Profile("G22")], 0).ConfigureAwait(false);
        await VerbAsync(["verify", "--dispatch", evidence], 0).ConfigureAwait(false);
        OpenSsl(evidence);
    }

    async Task FurtherAsync(string[] documents, CancellationToken cancel)
    {
        var dispatch = await SendAsync("H41", "thuong", "7820", "VPCP-TTĐT", "Lịch công tác", documents, 0, cancel, later: "H37").ConfigureAwait(false);
        await OpenAsync("H41", ["--all"], documents, cancel).ConfigureAwait(false);
        await VerbAsync(["update", dispatch.ToString(), "--add", "H37", .. Profile("G22")], 0).ConfigureAwait(false);
        await UntilAsync(() => Task.FromResult(Directory.EnumerateFiles(SharedFolder, "*.ready").Any()), say.Text("nothing came into H37's folder", "không có gì tới thư mục của H37"), cancel).ConfigureAwait(false);
        await OpenAsync("H37", ["--from", SharedFolder], documents, cancel).ConfigureAwait(false);
        await UntilAsync(() => AllProvenAsync(dispatch, cancel), say.Text("not every copy is proven to be opened", "chưa chứng minh được mọi bản đã mở"), cancel).ConfigureAwait(false);
        await VerbAsync(["status", dispatch.ToString(), .. Profile("G22")], 0).ConfigureAwait(false);
    }

    // Two real documents from the repository and a large one.
    string[] Documents()
    {
        var samples = Directory.EnumerateFiles(request.Samples).Where(f => Path.GetExtension(f) is ".docx" or ".pdf").Order(StringComparer.Ordinal).ToArray();
        if (samples.Length < 2) throw new UsageException($"--samples: a .docx and a .pdf are expected in {request.Samples}", $"--samples: cần một tệp .docx và một tệp .pdf trong {request.Samples}");
        var large = request.Large is { } given ? Path.GetFullPath(given) : Path.Combine(work, "maps-50mb.bin");
        if (!File.Exists(large))
        {
            using var file = File.Create(large);
            var block = new byte[1_000_000];
            for (var i = 0; i < 50; i++) { RandomNumberGenerator.Fill(block); file.Write(block); }
        }
        return [.. samples.Take(2).Select(Path.GetFullPath), large];
    }

    async Task<Guid> SendAsync(string to, string level, string number, string notation, string subject, string[] files, int expected, CancellationToken cancel, string? later = null)
    {
        // The sheet is a file: a subject has no business on a command line.
        var sheet = Path.Combine(Folder("G22"), $"sheet-{number}.json");
        await File.WriteAllTextAsync(sheet, JsonSerializer.Serialize(new SheetFile(number, notation, subject, "Công văn", "Hà Nội", null, new SheetSignatory("KT.", "Phó Chủ nhiệm", "Nguyễn Văn An")),
            SheetJson.Default.SheetFile), cancel).ConfigureAwait(false);
        string[] secret = level == "thuong" ? [] : ["--basis", "BMNN-VPCP-2.1", "--approve", "signatory"];
        string[] handled = level == "toi-mat" ? ["--caveat", "return-after-use"] : [];
        string[] further = later is null ? [] : ["--later", later];
        await VerbAsync(["send", .. files, "--to", to, .. further, "--level", level, .. secret, .. handled, "--sheet", sheet, .. Profile("G22")], expected).ConfigureAwait(false);
        return Newest().Id;
    }

    async Task OpenAsync(string office, string[] which, string[] sent, CancellationToken cancel)
    {
        await VerbAsync(["open", .. which, "--out", Received(office), .. Profile(office)], 0).ConfigureAwait(false);
        await CompareAsync(office, sent, cancel).ConfigureAwait(false);
    }

    /// <summary>The newest dispatch that this office opened, against what was sent.</summary>
    async Task CompareAsync(string office, string[] sent, CancellationToken cancel)
    {
        var folder = Opened(office).Where(seen.Add).SingleOrDefault();
        foreach (var file in sent)
        {
            var copy = folder is null ? "" : Path.Combine(folder, Path.GetFileName(file));
            var same = File.Exists(copy) && await HashAsync(file, cancel).ConfigureAwait(false) == await HashAsync(copy, cancel).ConfigureAwait(false);
            if (!same) failures.Add(say.Text($"{office}: {Path.GetFileName(file)} is not what was sent", $"{office}: {Path.GetFileName(file)} không giống bản đã gửi"));
        }
        if (failures.Count == 0) say.Say($"{office}: {sent.Length} of {sent.Length} equal by SHA-256", $"{office}: {sent.Length}/{sent.Length} tài liệu trùng SHA-256");
    }

    // The bytes change between sealing and sending, where a disk or a network would do it. The library seals; nobody but a test would do this by a verb.
    async Task FlippedAsync(string document, CancellationToken cancel)
    {
        using (var client = OfficeClient.Open(Exchange.Office.Client.Profile.Load(Folder("G22")), null, shell.Clock))
        {
            await client.RefreshAsync(cancel).ConfigureAwait(false);
            var entry = await client.SealAsync(new SendRequest
            {
                Files = [document], To = ["H41"], Level = "thuong",
                Sheet = new() { Number = "7817", Notation = "VPCP-TTĐT", Subject = "Gửi kế hoạch thử nghiệm", DocumentType = "Công văn", Place = "Hà Nội", Date = "2026-11-24", Signatory = null },
            }, null, cancel).ConfigureAwait(false);
            using var payload = new FileStream(entry.PayloadFile, FileMode.Open, FileAccess.ReadWrite);
            payload.Position = payload.Length / 2;
            var flipped = (byte)(payload.ReadByte() ^ 1);
            payload.Position--;
            payload.WriteByte(flipped);
            say.Say($"sealed {entry.Id}; byte {payload.Position - 1} of its payload now has another bit", $"đã niêm phong {entry.Id}; byte {payload.Position - 1} của nội dung bị đổi một bit");
        }
        await VerbAsync(["outbox", "--send", .. Profile("G22")], ExchangeProgram.Bad).ConfigureAwait(false);
        DemandRefused(Refusal.PayloadRoot);
    }

    async Task ExplainAsync(Guid dispatch, CancellationToken cancel)
    {
        var decisions = Path.Combine(work, "decisions");
        say.Say($"$ exchange-gateway decision {dispatch} --data …/gateway --out …/decisions", null);
        await ServerProcess.DecisionAsync(request.GatewayProgram, Data, dispatch, decisions, cancel).ConfigureAwait(false);
        var folder = Directory.GetDirectories(decisions).Single();
        foreach (var reader in ExplainWords.Readers.Where(r => r != "auditor")) await VerbAsync(["policy", "explain", folder, "--for", reader, "--lang", "vi"], 0).ConfigureAwait(false);
        await VerbAsync(["policy", "replay", folder], 0).ConfigureAwait(false);
    }

    void DemandRefused(Refusal expected)
    {
        var entry = Newest();
        if (entry.State != OutboxState.Refused || entry.Record.Code != expected.Code) failures.Add(say.Text($"expected {expected.Code}, found {entry.State} {entry.Record.Code}", $"cần {expected.Code}, gặp {entry.State} {entry.Record.Code}"));
    }

    OutboxEntry Newest()
    {
        using var client = OfficeClient.Open(Exchange.Office.Client.Profile.Load(Folder("G22")), null, shell.Clock);
        return client.Outbox().MaxBy(e => e.Id) ?? throw new IOException("the outbox is empty");
    }

    /// <summary>A verb as a clerk would type it: shown, then run.</summary>
    async Task VerbAsync(string[] arguments, int expected)
    {
        say.Say($"$ exchange {Quoted(arguments)}", $"$ exchange {Quoted(arguments)}");
        string[] language = arguments.Contains("--lang") ? [] : say.IsVietnamese ? ["--lang", "vi"] : ["--lang", "en"];
        var code = await ExchangeProgram.RunAsync([.. arguments, .. language], shell.Clock, shell.Output, shell.Output).ConfigureAwait(false);
        if (code != expected) failures.Add(say.Text($"exchange {arguments[0]} ended with {code}, expected {expected}", $"exchange {arguments[0]} kết thúc với {code}, cần {expected}"));
    }

    void OpenSsl(string evidence)
    {
        var keys = Path.GetFullPath(Path.Combine(request.Pki, "offices", "H41", "encrypt.p12"));
        say.Say("\nH41 needs none of our software to see what the author signed; with OpenSSL 3:", "\nH41 không cần phần mềm của chúng tôi để xem nội dung đã ký; với OpenSSL 3:");
        say.Say($"""
              cd {evidence}
              openssl cms -verify -inform DER -in header.p7s -CAfile trust/chain.pem -purpose any
              openssl pkcs12 -in {keys} -passin file:{Path.GetFullPath(Path.Combine(request.Pki, "passphrase"))} -clcerts -nodes -out {Path.Combine(work, "h41.pem")}
              openssl cms -decrypt -inform DER -in manifest.p7m -recip {Path.Combine(work, "h41.pem")} -inkey {Path.Combine(work, "h41.pem")} | tail -c +65 \
                | openssl cms -verify -inform DER -CAfile trust/chain.pem -purpose any
            """.Replace("\r", "", StringComparison.Ordinal), null);
    }

    void End(ServerProcess gateway)
    {
        Chapter(failures.Count == 0 ? "All as told" : "Not everything came out as told", failures.Count == 0 ? "Mọi việc đúng như đã kể" : "Có việc không đúng như đã kể");
        say.Say($"the gateway listens on  {gateway.Address.AbsoluteUri.TrimEnd('/')}", $"trục lắng nghe tại     {gateway.Address.AbsoluteUri.TrimEnd('/')}");
        say.Say($"its data is in          {Data}", $"dữ liệu của trục tại   {Data}");
        say.Say($"its log is in           {Path.Combine(work, "gateway.log")}", $"nhật ký của trục tại   {Path.Combine(work, "gateway.log")}");
        if (request.Once) return;
        say.Say($"\nin another terminal:\n  alias exchange={Self}\n  exchange status --profile {Folder("G22")}\n  exchange inbox --watch --profile {Folder("H41")}\n"
            + $"  exchange send {Documents()[0]} --to H41 --level thuong --sheet {Path.Combine(Folder("G22"), "sheet-7816.json")} --profile {Folder("G22")}\n\nCtrl-C stops the gateway.",
            $"\nở cửa sổ khác:\n  alias exchange={Self}\n  exchange status --profile {Folder("G22")}\n  exchange inbox --watch --profile {Folder("H41")}\n"
            + $"  exchange send {Documents()[0]} --to H41 --level thuong --sheet {Path.Combine(Folder("G22"), "sheet-7816.json")} --profile {Folder("G22")}\n\nCtrl-C để dừng trục.");
    }

    async Task ServeOnAsync(ServerProcess gateway, CancellationToken cancel)
    {
        await gateway.Exited.WaitAsync(cancel).ConfigureAwait(false);
        failures.Add(say.Text("the gateway ended by itself", "trục tự dừng"));
    }

    void Chapter(string en, string vi) => say.Say($"\n{++chapter}. {en}", $"\n{chapter}. {vi}");

    async Task UntilAsync(Func<Task<bool>> reached, string otherwise, CancellationToken cancel)
    {
        for (var began = shell.Clock.GetTimestamp(); !await reached().ConfigureAwait(false); await Task.Delay(TimeSpan.FromMilliseconds(100), shell.Clock, cancel).ConfigureAwait(false))
            if (shell.Clock.GetElapsedTime(began) > Patience)
            {
                failures.Add(otherwise);
                return;
            }
    }

    async Task<bool> AllProvenAsync(Guid dispatch, CancellationToken cancel)
    {
        using var client = OfficeClient.Open(Exchange.Office.Client.Profile.Load(Folder("G22")), null, shell.Clock);
        return (await client.TrackAsync(client.Find(dispatch)!, audit: false, cancel).ConfigureAwait(false)).Copies.All(c => c.Evidence == CopyEvidence.OpenedProven);
    }

    static string Self => Environment.ProcessPath ?? "exchange";
    string Data => Path.Combine(work, "gateway");
    string SharedFolder => Path.Combine(work, "folders", "h37");
    string Received(string office) => Path.Combine(Folder(office), "received");
    // While it is being opened a dispatch has a name that begins with a dot.
    IEnumerable<string> Opened(string office) => Directory.Exists(Received(office)) ? Directory.EnumerateDirectories(Received(office)).Where(d => Path.GetFileName(d)[0] != '.') : [];
    string Folder(string office) => Path.Combine(work, office);
    string[] Profile(string office) => ["--profile", Folder(office)];

    string Quoted(string[] arguments) => string.Join(' ', arguments.Select(a => a.Contains(' ') ? $"'{a}'" : a.StartsWith(work, StringComparison.Ordinal) ? "…" + a[work.Length..] : Path.IsPathRooted(a) ? Path.GetFileName(a) : a));

    static async Task<Digest> HashAsync(string file, CancellationToken cancel)
    {
        await using var stream = File.OpenRead(file);
        return new Digest(await SHA256.HashDataAsync(stream, cancel).ConfigureAwait(false));
    }
}
