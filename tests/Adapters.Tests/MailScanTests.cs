using System.Diagnostics;
using System.Text;
using Exchange.Adapters;
using Exchange.Adapters.Mail;

namespace Exchange.Tests;

/// <summary>Strangers' mail, without a server. Alone: what a mail costs is what the process allocates.</summary>
[Collection(nameof(Alone))]
public sealed class MailScanTests
{
    const string Domain = "gw.test";
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Hostile => [.. HostileMails.All.Keys];

    [Theory, MemberData(nameof(Hostile))]
    public async Task A_hostile_mail_holds_nothing_and_costs_little(string name)
    {
        using var mail = Written(HostileMails.All[name]);
        var (began, bytes) = (Stopwatch.StartNew(), GC.GetTotalAllocatedBytes(precise: true));
        var scanned = await MailScan.ReadAsync(mail, Cancel);
        var found = scanned is null ? [] : MailParts.Of(scanned);
        // A report about nothing of ours is one until it is read; what is too large is not fetched.
        if (name.StartsWith("a report", StringComparison.Ordinal)) Assert.Null(await ReadReport(mail, scanned, found));
        else if (name != "too large to be fetched") Assert.Empty(found);
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - bytes, 0, 4 << 20);
        Assert.True(began.Elapsed < TimeSpan.FromSeconds(3), $"{began.Elapsed}");
    }

    static async Task<CarrierReport?> ReadReport(Stream mail, ScannedMail? scanned, IReadOnlyList<(MailPart Part, BroughtKind Kind, string Name)> found)
    {
        if (found.Count == 0 || found[0].Part.Length > MailReport.MaxBytes) return null;
        var returned = scanned!.Parts.FirstOrDefault(p => p.Type == "text/rfc822-headers");
        return MailReport.Read(await MailParts.TextAsync(mail, found[0].Part, Cancel), returned is null ? "" : await MailParts.TextAsync(mail, returned, Cancel), Domain);
    }

    [Theory]
    [InlineData("base64", "AAEC/w==", new byte[] { 0, 1, 2, 255 })]
    [InlineData("7bit", "abc", new byte[] { 97, 98, 99 })]
    [InlineData("8bit", "a\r\nb", new byte[] { 97, 13, 10, 98 })]
    [InlineData("quoted-printable", "=00=ff", new byte[] { 0, 255 })]
    [InlineData("BASE64", "AA\r\n ECAw==\r\n", new byte[] { 0, 1, 2, 3 })]
    public async Task An_attachment_comes_out_byte_for_byte(string encoding, string content, byte[] bytes)
    {
        using var mail = Written(HostileMails.Mixed("--b\r\nContent-Type: text/plain\r\n\r\nxin chào\r\n" + HostileMails.Attachment("Công văn 1.exd", encoding, content) + HostileMails.Attachment("r.p7s", encoding, content)));
        var found = MailParts.Of((await MailScan.ReadAsync(mail, Cancel))!);
        Assert.Equal([BroughtKind.Envelope, BroughtKind.Receipt], found.Select(f => f.Kind));
        Assert.All(found, f => Assert.Matches("^[A-Za-z0-9.-]{1,64}$", f.Name));
        foreach (var (part, _, _) in found)
        {
            using var into = new MemoryStream();
            await MailParts.DecodeAsync(mail, part, into, Cancel);
            Assert.Equal(bytes, into.ToArray());
        }
    }

    [Fact]
    public async Task A_multipart_inside_a_multipart_is_looked_into_and_line_ends_belong_to_the_boundary()
    {
        var inner = "--b\r\nContent-Type: multipart/mixed; boundary=\"b2\"\r\n\r\n" + HostileMails.Attachment("a.bin", "8bit", "abc").Replace("--b\r\n", "--b2\r\n", StringComparison.Ordinal) + "--b2--\r\nepilogue\r\n";
        foreach (var lines in new[] { "\r\n", "\n" })
        {
            using var mail = Written(s => { using var m = Written(HostileMails.Mixed(inner)); s.Write(Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(m.ToArray()).Replace("\r\n", lines, StringComparison.Ordinal))); });
            var (part, _, _) = Assert.Single(MailParts.Of((await MailScan.ReadAsync(mail, Cancel))!));
            Assert.Equal(3, part.Length);
        }
    }

    [Theory]
    [InlineData("delivered", "2.0.0", ReportedAction.Delivered, "DSN_2_0_0")]
    [InlineData("failed", "5.1.1 (no such user)", ReportedAction.Failed, "DSN_5_1_1")]
    [InlineData("delayed", "4.4.1", ReportedAction.Delayed, "DSN_4_4_1")]
    [InlineData("relayed (to something)", "2.1.9", ReportedAction.Relayed, "DSN_2_1_9")]
    [InlineData("expanded", "x.y.z", ReportedAction.Relayed, "DSN_X_X_X")]
    public async Task A_report_is_read_by_the_name_of_the_envelope_or_of_the_returned_mail(string action, string status, ReportedAction expected, string code)
    {
        var id = Guid.CreateVersion7();
        foreach (var text in new[] { HostileMails.Report($"Original-Envelope-Id: {id}\r\n", action, status), HostileMails.Report("", action, status, $"Subject: x\r\nMessage-ID: <{id}@{Domain}>\r\n") })
        {
            using var mail = Written(HostileMails.Text(text));
            var scanned = await MailScan.ReadAsync(mail, Cancel);
            Assert.Equal(new CarrierReport(id, "h41@gw.test", expected, code), await ReadReport(mail, scanned, MailParts.Of(scanned!)));
        }
        using var foreign = Written(HostileMails.Text(HostileMails.Report("", action, status, $"Message-ID: <{id}@else.test>\r\n")));
        var other = await MailScan.ReadAsync(foreign, Cancel);
        Assert.Null(await ReadReport(foreign, other, MailParts.Of(other!)));
    }

    [Fact]
    public void Of_a_report_on_several_the_worst_counts()
    {
        var id = Guid.CreateVersion7();
        string Of(params string[] actions) => $"Original-Envelope-Id: {id}\n\n" + string.Join("\n", actions.Select(a => $"Final-Recipient: rfc822; {a}@gw.test\nAction: {a}\nStatus: 5.0.0\n"));
        Assert.Equal(ReportedAction.Delivered, MailReport.Read(Of("delivered", "delivered"), "", Domain)!.Action);
        Assert.Equal(ReportedAction.Relayed, MailReport.Read(Of("delivered", "relayed"), "", Domain)!.Action);
        Assert.Equal((ReportedAction.Failed, "failed@gw.test"), MailReport.Read(Of("delivered", "delayed", "failed"), "", Domain) is { } r ? (r.Action, r.To) : default);
    }

    [Theory]
    [InlineData("a@b.test", true)]
    [InlineData("văn@b.test", false)]
    [InlineData("\"a b\"@b.test", false)]
    [InlineData("a@b.test>\r\nRCPT TO:<c@d.test", false)]
    [InlineData("a@b@c.test", false)]
    [InlineData("a..b@c.test", false)]
    [InlineData("@c.test", false)]
    [InlineData("a@", false)]
    public void An_address_is_one_word(string address, bool good) => Assert.Equal(good, MailAddress.IsGood(address));

    static MemoryStream Written(Action<Stream> write)
    {
        var mail = new MemoryStream();
        write(mail);
        mail.Position = 0;
        return mail;
    }
}
