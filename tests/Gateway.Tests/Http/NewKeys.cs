using System.Security.Cryptography.X509Certificates;
using Exchange.Crypto;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Office.Dev;
using Exchange.Office.Join;

namespace Exchange.Tests.Http;

/// <summary>An office of the development PKI gets another card, as exchange keys take makes it and the officers put it in force.</summary>
static class NewKeys
{
    static readonly Lazy<DevAuthority> issuing = new(() => DevAuthority.Of(X509CertificateLoader.LoadPkcs12FromFile(DevPkiFolder.At("ca", "issuing.p12"), DevPkiFolder.Passphrase)));

    public static X509Certificate2 Issue(string office, KeyUse use) =>
        issuing.Value.Issue(KeyProfile.Subject("Test", office, $"{office} {use}"), use, new Validity(TimeProvider.System.GetUtcNow().AddHours(-1), TimeProvider.System.GetUtcNow().AddYears(1)));

    /// <summary>The next card, signed by a key of the one before: new keys first, the old ones kept but for what is dropped. In force on return.</summary>
    public static async Task Roll(this TestGateway gateway, string office, IReadOnlyList<(string Use, Certificate Certificate)> added, IReadOnlyCollection<string> dropped, FileKey? signer = null)
    {
        var inForce = gateway.Host.Shared.Worlds.Current.Directory;
        var before = Statement.Read(inForce.Cards[inForce.Find(office)!.CardRef], StatementType.Card);
        var card = before.As<Card>();
        var key = signer ?? DevPkiFolder.Sign(office);
        await gateway.Publish(Sign(card with
        {
            Version = card.Version + 1, Previous = before.Ref, Signers = [key.Certificate.Key],
            Keys = [.. added.Select(k => new CardKey(k.Use, k.Certificate.Der.ToArray())), .. card.Keys.Where(k => !dropped.Contains(k.Use) && added.All(a => a.Certificate.Key != Digest.Of(k.Certificate)))],
        }, key, gateway), lost: false);
    }

    /// <summary>A card whose keys are all new and that signs itself: two officers vouch for it, and it is held back for a day from Mật up.</summary>
    public static async Task Lose(this TestGateway gateway, string office)
    {
        var (sign, encrypt, tls) = (FileKey.Of(Issue(office, KeyUse.Sign)), Issue(office, KeyUse.Encrypt), Issue(office, KeyUse.Tls));
        var inForce = gateway.Host.Shared.Worlds.Current.Directory;
        var before = Statement.Read(inForce.Cards[inForce.Find(office)!.CardRef], StatementType.Card).As<Card>();
        await gateway.Publish(Sign(before with
        {
            Version = before.Version + 1, Previous = null, Signers = [sign.Certificate.Key], Keys = [new("sign", sign.Certificate.Der.ToArray()), new("encrypt", encrypt.RawData), new("tls", tls.RawData)],
        }, sign, gateway), lost: true);
    }

    static Statement Sign(Card card, FileKey key, TestGateway gateway) => Statement.Sign(card with { Issued = gateway.Clock.GetUtcNow().ToUnixTimeMilliseconds() }, [key], gateway.Clock.GetUtcNow());

    static async Task Publish(this TestGateway gateway, Statement card, bool lost)
    {
        var (inForce, now) = (gateway.Host.Shared.Worlds.Current.Directory, gateway.Clock.GetUtcNow());
        FileKey[] officers = [DevPkiFolder.Key("officers", "directory-1.p12"), DevPkiFolder.Key("officers", "directory-2.p12")];
        var before = Statement.Read(inForce.Statement, StatementType.Directory);
        var next = before.As<DirectoryStatement>() with
        {
            Signers = [.. officers.Select(o => o.Certificate.Key)], Version = inForce.Version + 1, Previous = before.Ref, Issued = now.ToUnixTimeMilliseconds(),
            Offices = [.. before.As<DirectoryStatement>().Offices.Select(o => o.Code == card.As<Card>().Office ? o with { Card = card.Ref, Vouched = lost ? now.ToUnixTimeMilliseconds() : null } : o)],
        };
        await gateway.Activate(Statement.Sign(next, officers, now).Der.ToArray(), card.Der.ToArray());
    }
}
