using System.CommandLine;
using Exchange.Crypto;
using Exchange.Office.Client;

namespace Exchange.Office.Join;

/// <summary>keys pin: other pins of the same gateway, after its checkpoint keys changed or another ledger followed.</summary>
static class PinCommand
{
    public static Command Create(Shell shell)
    {
        var file = new Argument<string>("PINS") { Description = "pins.json that the gateway's administrator exported; compare it with him by another way" };
        var yes = new Option<bool>("--yes") { Description = "Takes them without asking: whoever gives it has compared them" };
        var command = new Command("pin", "Shows what changes in whom this office trusts, and takes it into profile.json. Ghim lại khóa của trục.") { file, yes };
        return shell.Does(command, (parsed, say, _) =>
        {
            var (path, before) = (shell.ProfilePath(parsed), shell.Profile(parsed).Pins);
            var profile = Path.GetFullPath(Directory.Exists(path) ? Path.Combine(path, "profile.json") : path);
            var next = EvidenceFolder.PinsOf(parsed.GetValue(file)!);
            var changes = Changes(before, next).ToList();
            if (before.Origin != next.Origin && before.KeysOfLedger.FirstOrDefault(k => !next.KeysOfLedger.Contains(k)) is { } missing)
                throw new UsageException($"{parsed.GetValue(file)}: the ledger has another name there, and key {missing.Name}+{missing.Id:x8} of the one until now is missing: without it nobody can see that the new one follows it",
                    $"{parsed.GetValue(file)}: sổ mang tên khác mà thiếu khóa {missing.Name}+{missing.Id:x8} của sổ hiện nay: không thể kiểm tra sổ mới tiếp nối sổ cũ");
            foreach (var (en, vi) in changes) say.Say(en, vi);
            if (changes.Count == 0) { say.Say("these are the pins that the profile has", "hồ sơ đã có đúng các khóa ghim này"); return Task.FromResult(ExchangeProgram.Good); }
            if (!parsed.GetValue(yes) && !say.IsInteractive) throw new UsageException("nobody sits here to agree: read the lines above, then repeat with --yes", "không có người xác nhận: đọc các dòng trên, rồi chạy lại với --yes");
            if (!parsed.GetValue(yes) && say.Ask("Trust these from now on? Type yes", "Tin các khóa này từ nay? Gõ yes") != "yes") return Task.FromResult(ExchangeProgram.Incomplete);
            // Whole or not at all: a profile with half of the pins would trust nobody.
            DurableFile.Write(profile, ProfileJson.WithPins(File.ReadAllBytes(profile), next));
            say.Json(new { profile, next.Origin });
            return Task.FromResult(ExchangeProgram.Good);
        });
    }

    static IEnumerable<(string En, string Vi)> Changes(Pins before, Pins next)
    {
        if (before.Origin != next.Origin) yield return ($"ledger: {before.Origin} -> {next.Origin}", $"sổ: {before.Origin} -> {next.Origin}");
        if (before.GatewayEvidence != next.GatewayEvidence) yield return ($"key of receipts: {before.GatewayEvidence} -> {next.GatewayEvidence}", $"khóa biên nhận: {before.GatewayEvidence} -> {next.GatewayEvidence}");
        foreach (var (en, vi, was, now) in new[]
        {
            ("directory officer", "cán bộ danh bạ", Texts(before.DirectoryOfficers), Texts(next.DirectoryOfficers)), ("policy officer", "cán bộ chính sách", Texts(before.PolicyOfficers), Texts(next.PolicyOfficers)),
            ("key of checkpoints", "khóa điểm kiểm tra", [.. before.KeysOfLedger.Select(k => $"{k.Name}+{k.Id:x8}")], [.. next.KeysOfLedger.Select(k => $"{k.Name}+{k.Id:x8}")]),
        })
        {
            foreach (var gone in was.Except(now)) yield return ($"- {en} {gone}", $"- {vi} {gone}");
            foreach (var come in now.Except(was)) yield return ($"+ {en} {come}", $"+ {vi} {come}");
        }
        if (before.CheckpointKey != next.CheckpointKey && before.Origin == next.Origin) yield return ("another key of checkpoints comes first", "khóa điểm kiểm tra khác đứng đầu");
    }

    static string[] Texts(IEnumerable<Digest> keys) => [.. keys.Select(k => k.ToString())];
}
