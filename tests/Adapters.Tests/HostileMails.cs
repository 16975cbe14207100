using System.Globalization;
using System.Text;

namespace Exchange.Tests;

/// <summary>Mails that strangers, broken programs and loops send: each a name and what writes it. None holds anything of ours, whatever it looks like.</summary>
static class HostileMails
{
    const string Head = "From: <stranger@else.test>\r\nTo: <gw@gw.test>\r\nSubject: x\r\nMIME-Version: 1.0\r\n";

    public static readonly IReadOnlyDictionary<string, Action<Stream>> All = new Dictionary<string, Action<Stream>>
    {
        ["empty"] = _ => { },
        ["plain text"] = Text(Head + "\r\nhello\r\n"),
        ["no header at all"] = Text("hello\r\n\r\nthere\r\n"),
        ["header without an end"] = Text("From: a\r\nSubject: b\r\n"),
        ["bare line feeds"] = Text((Head + "\r\nx\r\n").Replace("\r\n", "\n", StringComparison.Ordinal)),
        ["bare carriage returns"] = Text((Head + "\r\nx\r\n").Replace("\r\n", "\r", StringComparison.Ordinal)),
        ["binary noise"] = s => s.Write(System.Security.Cryptography.RandomNumberGenerator.GetBytes(200_000)),
        ["a bounce in words"] = Text("From: MAILER-DAEMON@else.test\r\nSubject: Returned mail\r\nAuto-Submitted: auto-replied\r\n\r\nUser unknown: 0199aaaa-0000-7000-8000-000000000000\r\n"),
        ["a report about nothing of ours"] = Text(Report("Original-Envelope-Id: 12345\r\n", "failed")),
        ["a report without an action"] = Text(Report($"Original-Envelope-Id: {Guid.Empty}\r\n", null)),
        ["a report with an unknown action"] = Text(Report($"Original-Envelope-Id: {Guid.Empty}\r\n", "teleported")),
        ["a report with two names"] = Text(Report($"Original-Envelope-Id: {Guid.Empty}\r\nOriginal-Envelope-Id: {Guid.AllBitsSet}\r\n", "failed")),
        ["a report of 100 KB"] = Text(Report($"Original-Envelope-Id: {Guid.Empty}\r\nX: {new string('x', 100_000)}\r\n", "failed")),
        ["multiparts in each other, 2000 deep"] = s => Nested(s, 2000),
        ["an attachment 12 multiparts deep"] = s => Nested(s, 12, "Content-Disposition: attachment; filename=a.bin\r\n"),
        ["attached mails in each other, 2000 deep"] = s =>
        {
            for (var i = 0; i < 2000; i++) Write(s, "Content-Type: message/rfc822\r\n\r\n");
            Write(s, "Subject: x\r\n\r\nx\r\n");
        },
        ["100000 parts"] = s =>
        {
            Write(s, Head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
            for (var i = 0; i < 100_000; i++) Write(s, "--b\r\n\r\nx\r\n");
            Write(s, "--b--\r\n");
        },
        ["40 attachments"] = s =>
        {
            Write(s, Head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
            for (var i = 0; i < 40; i++) Write(s, Attachment($"{i}.bin", "base64", "AAAA"));
            Write(s, "--b--\r\n");
        },
        ["a header of 2 MB in one line"] = s =>
        {
            Write(s, "X: ");
            Filled(s, 2_000_000);
            Write(s, "\r\n\r\nx\r\n");
        },
        ["100000 header fields"] = s =>
        {
            for (var i = 0; i < 100_000; i++) Write(s, string.Create(CultureInfo.InvariantCulture, $"X-{i}: y\r\n"));
            Write(s, "\r\nx\r\n");
        },
        ["a header of a part of 1 MB"] = s =>
        {
            Write(s, Head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Disposition: attachment; filename=\"");
            Filled(s, 1_000_000);
            Write(s, ".bin\"\r\n\r\nx\r\n--b--\r\n");
        },
        ["a line of 2 MB"] = s =>
        {
            Write(s, Head + "\r\n");
            Filled(s, 2_000_000);
        },
        ["a boundary of 1000 characters"] = Text($"{Head}Content-Type: multipart/mixed; boundary=\"{new string('b', 1000)}\"\r\n\r\n--{new string('b', 1000)}\r\n\r\nx\r\n--{new string('b', 1000)}--\r\n"),
        ["no boundary"] = Text(Head + "Content-Type: multipart/mixed\r\n\r\n--\r\n\r\nx\r\n----\r\n"),
        ["never the last boundary"] = Text(Head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + Attachment("a.bin", "base64", "AAAA")),
        ["two content types"] = Text(Head + "Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + Attachment("a.bin", "base64", "AAAA") + "--b--\r\n"),
        ["an encoding that nobody knows"] = Mixed(Attachment("a.bin", "x-rot13", "AAAA")),
        ["uuencoded"] = Mixed(Attachment("a.bin", "x-uuencode", "begin 644 a.bin\r\n#86)C\r\n`\r\nend")),
        ["a charset that is none"] = Text(Head + "Subject: =?x-klingon?B?/////w==?=\r\nContent-Type: text/plain; charset=\"\u0001\"\r\n\r\n\u00ff\r\n"),
        ["winmail.dat"] = Mixed("--b\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\neJ8+IgAA\r\n"),
        ["a name with a path"] = Mixed(Attachment("../../etc/passwd", "base64", "AAAA")),
        ["a name in 1000 continuations"] = Mixed($"--b\r\nContent-Type: application/octet-stream{string.Concat(Enumerable.Range(0, 1000).Select(i => $";\r\n name*{i}=x"))}\r\n\r\nx\r\n"),
        ["an attached mail with an envelope in it"] = Mixed("--b\r\nContent-Type: message/rfc822; name=a.bin\r\n\r\n" + Head + "Content-Disposition: attachment; filename=a.bin\r\n\r\nx\r\n"),
        ["only the signature of a signed mail"] = Mixed(Attachment("smime.p7s", "base64", "AAAA")),
        ["too large to be fetched"] = s =>
        {
            Write(s, Head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Disposition: attachment; filename=a.bin\r\n\r\n");
            Filled(s, 4_000_000);
            Write(s, "\r\n--b--\r\n");
        },
    };

    /// <summary>Such that only their length is hostile, or their shape as well; the last one calls itself an envelope and is whole.</summary>
    public static IReadOnlyDictionary<string, Action<Stream>> Long(int length) => new Dictionary<string, Action<Stream>>
    {
        ["a header in one line"] = s => Around(s, "X: ", length, "\r\n\r\nx\r\n"),
        ["a body in one line"] = s => Around(s, Head + "\r\n", length, "\r\n"),
        ["an attachment without an end"] = s => Around(s, Head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + Attachment("a.bin", "base64", ""), length, ""),
        ["nothing but boundaries"] = s =>
        {
            Write(s, Head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
            var some = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("--b\r\n\r\nx\r\n", 1000)));
            for (var n = 0; n < length; n += some.Length) s.Write(some);
        },
        ["an attachment of base64 in one line"] = s => Around(s, Head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + Attachment("a.bin", "base64", "")[..^2], length, "\r\n--b--\r\n"),
    };

    static void Around(Stream s, string before, int length, string after)
    {
        Write(s, before);
        Filled(s, length);
        Write(s, after);
    }

    /// <summary>A report on a parcel, as Postfix writes one.</summary>
    public static string Report(string about, string? action, string status = "5.1.1", string returned = "") =>
        Head + "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; relay.else.test\r\n"
        + about + "\r\nFinal-Recipient: rfc822; h41@gw.test\r\nOriginal-Recipient: rfc822;h41@gw.test\r\n" + (action is null ? "" : $"Action: {action}\r\n") + $"Status: {status}\r\n\r\n"
        + (returned.Length == 0 ? "" : "--b\r\nContent-Type: text/rfc822-headers\r\n\r\n" + returned) + "--b--\r\n";

    public static string Attachment(string name, string encoding, string content) =>
        $"--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"{name}\"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{content}\r\n";

    /// <summary>A mail of these parts.</summary>
    public static Action<Stream> Mixed(string parts, string head = Head) => Text(head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + parts + "--b--\r\n");

    public static Action<Stream> Text(string text) => s => Write(s, text);

    static void Nested(Stream s, int deep, string inmost = "")
    {
        Write(s, Head);
        for (var i = 0; i < deep; i++) Write(s, string.Create(CultureInfo.InvariantCulture, $"Content-Type: multipart/mixed; boundary=b{i}\r\n\r\n--b{i}\r\n"));
        Write(s, inmost + "\r\nx\r\n");
        for (var i = deep - 1; i >= 0; i--) Write(s, string.Create(CultureInfo.InvariantCulture, $"--b{i}--\r\n"));
    }

    static void Filled(Stream s, int count)
    {
        var block = Enumerable.Repeat((byte)'x', 1 << 16).ToArray();
        for (; count > 0; count -= block.Length) s.Write(block, 0, Math.Min(count, block.Length));
    }

    static void Write(Stream s, string text) => s.Write(Encoding.Latin1.GetBytes(text));
}
