using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Office.Client;

namespace Exchange.Office.Join;

/// <param name="From">What the gateway's administrator exported: pins.json and trust/. null: as the profile that is there says.</param>
/// <param name="Lost">The keys before are lost or in other hands: the new card signs itself.</param>
/// <param name="Dropped">Uses and roles whose old keys must go from the card.</param>
/// <param name="Before">The card in force, for a folder that does not know it.</param>
sealed record TakeRequest(string Target, IReadOnlyList<string> Certificates, string? From, string? Gateway, string? PassphraseFile, bool Lost, IReadOnlyList<string> Dropped, string? Before);

/// <param name="Profile">The file: profile.json, or profile.next.json, to be renamed once the directory with the card is in force.</param>
/// <param name="Wrong">Not empty: nothing was written.</param>
sealed record TakeResult(IReadOnlyList<Words> Wrong, IReadOnlyList<TakenKey> Keys, Statement? Card, string CardFile, string Profile);

/// <summary>An office takes its certificates: key files, the card for the directory officers, and a profile.</summary>
sealed class JoinOffice(TakeRequest given, KeyRequest request, string passphrase, TimeProvider clock)
{
    string ProfileFile => Path.Combine(given.Target, "profile.json");

    /// <exception cref="UsageException">Something that is needed was not given.</exception>
    public TakeResult Run()
    {
        // 1. Whom to trust, and what is in force: from the profile that is there, else from what the administrator gave.
        using var client = File.Exists(ProfileFile) ? OfficeClient.Open(Client.Profile.Load(ProfileFile), () => passphrase, clock) : null;
        var pins = client?.Profile.Pins ?? EvidenceFolder.PinsOf(Path.Combine(From, "pins.json"));
        var trust = client is not null && given.From is null ? client.Trust : new CertificateCheck(TrustStore.Load(Path.Combine(From, "trust")));
        if (client is null && given.Gateway is null) throw new UsageException("--gateway: missing; the address of the gateway, https://host:port", "--gateway: thiếu; địa chỉ trục, https://host:port");
        var before = Before(client);

        // 2. The certificates. Something wrong: nothing has been written.
        var take = new TakeCertificates(given.Target, request, passphrase, trust, clock.GetUtcNow());
        var keys = take.Run(given.Certificates);
        if (take.Wrong.Count > 0) return new TakeResult(take.Wrong, [], null, "", "");

        // 3. The card. A crash before the last step: the request is still there, and the same command does it all again.
        var card = Card(client, before, keys, trust);
        var cardFile = Path.Combine(given.Target, $"{request.Code}-{card.As<Card>().Version}.card.p7s");
        DurableFile.Write(cardFile, card.Der.Span);

        // 4. The profile: the one in use stays until the directory names the new keys.
        var next = client is null ? ProfileFile : Path.ChangeExtension(ProfileFile, ".next.json");
        if (client is null) CopyTrust();
        DurableFile.Write(next, Profile(client?.Profile, pins, keys));
        KeyRequest.Remove(given.Target);
        return new TakeResult([], keys, card, cardFile, next);
    }

    string From => given.From ?? throw new UsageException("--from: missing; the folder that the gateway's administrator exported (pins.json, trust/)", "--from: thiếu; thư mục do quản trị trục xuất ra (pins.json, trust/)");

    Statement? Before(OfficeClient? client)
    {
        if (given.Before is { } file) return Statement.Read(File.ReadAllBytes(file), StatementType.Card);
        try { return client?.Directory.Find(request.Code) is { } entry ? Statement.Read(client.Directory.Cards[entry.CardRef], StatementType.Card) : null; }
        catch (RefusedException) when (given.Lost) { throw new UsageException("--before: missing; the card in force, from the directory officers", "--before: thiếu; thẻ đang có hiệu lực, lấy từ cán bộ danh bạ"); }
    }

    Statement Card(OfficeClient? client, Statement? before, IReadOnlyList<TakenKey> keys, CertificateCheck trust)
    {
        var now = clock.GetUtcNow();
        var added = keys.Select(k => (k.Kind.Name, k.Certificate)).ToList();
        if (before is null || given.Lost)
        {
            var sign = keys.FirstOrDefault(k => k.Kind.Name == "sign")
                ?? throw new UsageException("a card that no key before signs needs all keys anew: exchange keys request without --only", "thẻ không có khóa trước ký cần mọi khóa mới: exchange keys request không có --only");
            using var key = FileKey.Load(sign.File, passphrase);
            return CardWriter.Alone(request.Code, (before?.As<Card>().Version ?? 0) + 1, added, key, now);
        }
        if (client is null) throw new UsageException($"{ProfileFile}: there is none, so the key that must sign the next card is not known; if it is lost, say --lost", $"{ProfileFile}: không có, nên không biết khóa phải ký thẻ kế tiếp; nếu đã mất, dùng --lost");
        using var signer = FileKey.Load(client.Profile.Keys.Sign, passphrase);
        if (trust.Check(signer.Certificate, Purpose.OfficeSigning, now) is { Refusal: { } refusal, Explained: var detail })
            throw new UsageException($"the signing key in use is no longer good ({refusal.Code}: {detail}): it cannot sign the next card; get all keys anew and say --lost", $"khóa ký đang dùng không còn hợp lệ ({refusal.Code}: {detail}): không thể ký thẻ kế tiếp; hãy làm mới mọi khóa và dùng --lost");
        return CardWriter.Next(before, added, given.Dropped, (use, c) => trust.Check(c, PurposeOf(use), now).Good, signer, now);
    }

    static Purpose PurposeOf(string use) => use switch { "sign" => Purpose.OfficeSigning, "encrypt" => Purpose.OfficeEncryption, "tls" => Purpose.TlsClient, _ => Purpose.PersonSigning };

    // Old keys that decrypt stay in the profile whatever the card says: they open what was sealed to them.
    byte[] Profile(Profile? before, Pins pins, IReadOnlyList<TakenKey> keys)
    {
        string? New(string name) => keys.FirstOrDefault(k => k.Kind.Name == name) is { } taken ? Relative(taken.File) : null;
        var persons = before?.Keys.Persons.ToDictionary(p => p.Key, p => Relative(p.Value)) ?? [];
        foreach (var role in keys.Select(k => k.Kind.Name).Where(DirectoryForm.Roles.Contains)) persons[role] = New(role)!;
        string[] encrypt = [.. new[] { New("encrypt") }.OfType<string>(), .. before?.Keys.Encrypt.Select(Relative) ?? []];
        var files = new KeyFiles(New("sign") ?? Relative(before!.Keys.Sign), encrypt, New("tls") ?? Relative(before!.Keys.Tls), persons) { Archive = [.. before?.Keys.Archive.Select(Relative) ?? []] };
        var passphraseFile = given.PassphraseFile is { } file ? Relative(Path.GetFullPath(file)) : before?.PassphraseFile is { } old ? Relative(old) : null;
        return ProfileJson.Write(request.Code, given.Gateway ?? before!.Gateway.AbsoluteUri.TrimEnd('/'), pins, files, passphraseFile,
            before is null ? "trust" : Relative(before.Trust), before is null ? "state" : Relative(before.State),
            before?.Words is { } words ? Relative(words) : null, before?.TimeStamps);
    }

    string Relative(string path) => Path.GetRelativePath(given.Target, path);

    void CopyTrust()
    {
        foreach (var folder in new[] { "roots", "intermediates", "crls" })
        {
            DurableFile.CreateFolder(Path.Combine(given.Target, "trust", folder));
            foreach (var file in Directory.GetFiles(Path.Combine(From, "trust", folder)))
                DurableFile.Write(Path.Combine(given.Target, "trust", folder, Path.GetFileName(file)), File.ReadAllBytes(file));
        }
    }
}
