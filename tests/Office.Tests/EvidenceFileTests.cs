using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Office.Client.Stories;
using Xunit;

namespace Exchange.Tests;

/// <summary>One evidence file: each byte of it is accounted for, and whoever changed, took, added or hid something is found, and where.</summary>
public sealed class EvidenceFileTests
{
    static readonly byte[] Good = StoryCase.File;

    static Finding Bad(byte[] file, Func<Finding, bool> named)
    {
        var story = StoryCase.Tell(file);
        Assert.True(story.ExitCode == 1, StoryCase.Why(story));
        return story.Findings.FirstOrDefault(f => f.Kind == FindingKind.Bad && named(f)) ?? throw new Xunit.Sdk.XunitException(StoryCase.Why(story));
    }

    [Fact]
    public void A_healthy_file_is_good_in_every_finding_and_written_alike_each_time()
    {
        var story = StoryCase.Tell(Good);
        Assert.True(story.ExitCode == 0, StoryCase.Why(story));
        Assert.Equal(Good, EvidenceZip.Write(EvidenceFile.Complete(StoryCase.Evidence(StoryCase.Case.Input), StoryCase.Pins)));
        var findings = new Findings();
        Assert.Equal(StoryCase.Whole.Select(p => p.Name), EvidenceZip.Read(Good, findings).Select(p => p.Name));
        Assert.Equal([new Finding(FindingKind.Good, EvidenceZip.Whole, "form", FindingCode.Ok, $"{StoryCase.Whole.Count} files")], findings.All);
    }

    [Fact]
    public void Other_tools_read_it_and_sha256sum_agrees_with_its_list()
    {
        using var zip = new ZipArchive(new MemoryStream(Good));
        Assert.Equal(StoryCase.Whole.Select(p => p.Name), zip.Entries.Select(e => e.FullName));
        foreach (var (entry, part) in zip.Entries.Zip(StoryCase.Whole))
        {
            using var bytes = new MemoryStream();
            using (var stream = entry.Open()) stream.CopyTo(bytes);
            Assert.True(part.Bytes.Span.SequenceEqual(bytes.ToArray()), part.Name);
        }
        if (!File.Exists("/usr/bin/python3")) Assert.Skip("no python3 on this machine");
        var folder = Directory.CreateTempSubdirectory("exchange-story-").FullName;
        try
        {
            File.WriteAllBytes(Path.Combine(folder, "x.zip"), Good);
            foreach (var (program, arguments) in new (string, string[])[] { ("python3", ["-c", "import zipfile,sys; z=zipfile.ZipFile('x.zip'); assert z.testzip() is None; z.extractall('x'); print(len(z.namelist()))"]), ("/bin/sh", ["-c", "cd x && sha256sum --strict -c contents.txt"]) })
            {
                using var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true })!;
                var said = process.StandardOutput.ReadToEnd();
                process.WaitForExit();
                Assert.True(process.ExitCode == 0, said);
            }
            // Unpacked by somebody else's tool it is the same story.
            var story = EvidenceFile.Tell(Path.Combine(folder, "x"), StoryCase.Pins, null);
            Assert.True(story.ExitCode == 0, StoryCase.Why(story));
            File.Delete(Path.Combine(folder, "x", "opened"));
            File.CreateSymbolicLink(Path.Combine(folder, "x", "opened"), Path.Combine(folder, "x.zip"));
            Assert.Contains(EvidenceFile.Tell(Path.Combine(folder, "x"), StoryCase.Pins, null).Findings, f => f is { Kind: FindingKind.Bad, Part: "opened" });
        }
        finally { Directory.Delete(folder, recursive: true); }
    }

    // Where each member's bytes lie, so that a finding can be held to the right name.
    static IEnumerable<(string Name, int From, int To)> Members()
    {
        var at = 0;
        foreach (var part in StoryCase.Whole)
        {
            at += 30 + part.Name.Length;
            yield return (part.Name, at, at + part.Bytes.Length);
            at += part.Bytes.Length;
        }
    }

    static void FlipIsFound(int at)
    {
        var file = Good.ToArray();
        file[at] ^= 1 << 2;
        var findings = new Findings();
        var parts = EvidenceZip.Read(file, findings);
        if (parts.Count > 0) EvidenceFiles.Check(parts, whole: true, findings);
        var bad = findings.All.Where(f => f.Kind == FindingKind.Bad).ToList();
        Assert.True(bad.Count > 0, $"byte {at}");
        Assert.All(bad, f => Assert.Equal(Refusal.EvidenceDamaged.Code, f.Code));
        Assert.All(bad.Where(f => f.Detail.Length > 0), f => Assert.NotEqual(f.Detail, DetailWords.Vietnamese(f.Detail)));
        if (Members().FirstOrDefault(m => at >= m.From && at < m.To) is { Name: { } name }) Assert.Contains(bad, f => f.Part == name);
    }

    [Fact]
    public void A_flipped_byte_is_found_and_its_file_named()
    {
        for (var at = 0; at < Good.Length; at += 199) FlipIsFound(at);
        // Each byte of the first header, and of the directory's beginning and end.
        var directory = StoryCase.Whole.Sum(p => 30 + p.Name.Length + p.Bytes.Length);
        foreach (var at in Enumerable.Range(0, 42).Concat(Enumerable.Range(directory, 60)).Concat(Enumerable.Range(Good.Length - 22, 22))) FlipIsFound(at);
        for (var at = 11; at < Good.Length; at += Good.Length / 12)
            Bad([.. Good.Select((b, i) => i == at ? (byte)(b ^ 0x10) : b)], _ => true);
    }

    [Fact, Trait("tier", "long")]
    public void Each_flipped_byte_is_found_and_its_file_named() => Parallel.For(0, Good.Length, FlipIsFound);

    [Fact]
    public void A_member_that_was_taken_added_swapped_or_renamed_is_named()
    {
        foreach (var part in StoryCase.Whole.Where((p, i) => i % 3 == 0 || p.Name is EvidenceFiles.Contents or EvidenceFiles.Report or "opened"))
        {
            Bad(EvidenceZip.Write([.. StoryCase.Whole.Where(p => p.Name != part.Name)]), f => f.Part == part.Name);
            // Listed anew: then it is missing for what is signed, or what followed from it does not any more.
            if (part.Name == EvidenceFiles.Contents) continue;
            var story = StoryCase.Tell(StoryCase.Relisted(StoryCase.Whole.Where(p => p.Name != part.Name)));
            Assert.True(story.ExitCode != 0, part.Name);
        }
        var added = new EvidencePart("receipts/99-x.p7s", StoryCase.Whole.First(p => p.Name == "policy.p7s").Bytes);
        Bad(EvidenceZip.Write([.. StoryCase.Whole, added]), f => f.Part == added.Name && f.Check == "listed");
        Bad(StoryCase.Relisted([.. StoryCase.Whole, added]), f => f.Part == added.Name && f.Check == "signature");
        foreach (var name in new[] { "notes.txt", "receipts/deep/x.p7s", "receipts/x.exe", "decisions/x/y/decision.json", "trust/x.pem" })
            Bad(StoryCase.Relisted([.. StoryCase.Whole, new EvidencePart(name, new byte[1])]), f => f.Part == name && f.Check == "belongs here");
        var (a, b) = (StoryCase.Whole[5], StoryCase.Whole[6]);
        Bad(EvidenceZip.Write([.. StoryCase.Whole.Take(5), b, a, .. StoryCase.Whole.Skip(7)]), f => f.Check == "order");
        var (header, policy) = (StoryCase.Whole.First(p => p.Name == "header.p7s"), StoryCase.Whole.First(p => p.Name == "policy.p7s"));
        Bad(StoryCase.Relisted(StoryCase.Whole.Select(p => p == header ? p with { Bytes = policy.Bytes } : p == policy ? p with { Bytes = header.Bytes } : p)), f => f.Part == "header.p7s");
        Bad(StoryCase.Relisted(StoryCase.Whole.Select(p => p.Name == "statuses/H41-0002.p7s" ? p with { Name = "statuses/H41-0003.p7s" } : p)), f => f.Part == EvidenceFiles.Report);
        // Twice under one name: our writer does not, so it is done to its bytes.
        var latin = Encoding.Latin1.GetString(Good).Replace("statuses/H41-0002.p7s", "statuses/H41-0001.p7s", StringComparison.Ordinal);
        Assert.Contains("twice", Bad(Encoding.Latin1.GetBytes(latin), f => f.Check == "form").Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void What_nobody_signs_must_follow_from_what_is_signed()
    {
        byte[] Changed(string name) => StoryCase.Relisted(StoryCase.With(name, b => [.. b[..^2], (byte)(b[^2] ^ 1), b[^1]]));
        foreach (var name in new[] { EvidenceFiles.Report, EvidenceFiles.Readme, EvidenceFiles.Chain }) Bad(Changed(name), f => f.Part == name && f.Check == "follows from the evidence" && f.Code == Refusal.EvidenceDamaged.Code);
        // A report in a form to come is not called false, and not believed.
        var later = StoryCase.Tell(StoryCase.Relisted(StoryCase.With(EvidenceFiles.Report, b => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(b).Replace("exchange report-2\"", "exchange report-3\"", StringComparison.Ordinal)))));
        Assert.True(later.ExitCode == 2, StoryCase.Why(later));
        Assert.Contains(later.Findings, f => f is { Kind: FindingKind.Incomplete, Part: EvidenceFiles.Report, Detail: StoryCheck.OtherReport });
        Bad(StoryCase.Relisted(StoryCase.With(EvidenceFiles.Report, b => [.. "<p>all is well</p>"u8])), f => f.Part == EvidenceFiles.Report);
        Bad(StoryCase.Relisted(StoryCase.With(EvidenceFiles.Pins, _ => [.. "{}"u8])), f => f.Part == EvidenceFiles.Pins);
    }

    static byte[] Zip(CompressionLevel level, params (string Name, byte[] Bytes)[] members)
    {
        using var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var (name, content) in members)
            {
                using var stream = zip.CreateEntry(name, level).Open();
                stream.Write(content);
            }
        return bytes.ToArray();
    }

    static byte[] Patch(int at, params byte[] bytes) => [.. Good[..at], .. bytes, .. Good[(at + bytes.Length)..]];

    [Fact]
    public void Whatever_else_a_ZIP_can_be_is_refused_in_little_time_and_memory()
    {
        var first = 30 + EvidenceFiles.Contents.Length + StoryCase.Whole[0].Bytes.Length;
        (string What, byte[] File)[] rows =
        [
            ("a bomb", Zip(CompressionLevel.SmallestSize, ("header.p7s", new byte[64 << 20]))), ("another tool's, stored", Zip(CompressionLevel.NoCompression, ("header.p7s", new byte[10]))),
            ("a path upwards", Zip(CompressionLevel.NoCompression, ("../header.p7s", new byte[10]))), ("an absolute path", Zip(CompressionLevel.NoCompression, ("/etc/passwd", new byte[10]))),
            ("encrypted", Patch(6, 1, 0)), ("descriptor behind", Patch(6, 8, 0)), ("UTF-8 flag", Patch(7, 8)), ("deflated", Patch(8, 8)), ("another day", Patch(12, 0x22)), ("extra field", Patch(28, 4, 0)),
            ("Zip64 sizes", Patch(18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)), ("two lengths", Patch(22, 1, 0, 0, 0)), ("longer than the file", Patch(18, 0xff, 0xff, 0x7f, 0, 0xff, 0xff, 0x7f, 0)), ("a name without end", Patch(26, 0xff, 0xff)),
            ("NUL in a name", Patch(31, 0)), ("a backslash", Patch(31, (byte)'\\')), ("a hidden name", Patch(30, (byte)'.')), ("no name", Patch(26, 0, 0)),
            ("bytes in front", [.. "MZ"u8, .. Good]), ("bytes behind", [.. Good, 0]), ("bytes between", [.. Good[..first], 1, 2, 3, .. Good[first..]]), ("a comment", [.. Good[..^2], 1, 0, 65]), ("cut off", Good[..^1]), ("half", Good[..(Good.Length / 2)]),
            ("no members", Good[^22..]), ("nothing", []), ("one byte", [80]), ("a mark alone", [0x50, 0x4b, 3, 4]), ("text", [.. Encoding.ASCII.GetBytes(new string('x', 100_000))]),
            ("two archives", [.. Good, .. Good]), ("a link", Patch(Good.Length - 22 - 46 - StoryCase.Whole[^1].Name.Length + 38, 0, 0, 0xff, 0xa1)),
        ];
        foreach (var (what, file) in rows)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var findings = new Findings();
            EvidenceZip.Read(file, findings);
            Assert.True(findings.All.Any(f => f.Kind == FindingKind.Bad), what);
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 4 << 20, what);
            // Nobody falls over what is left of it.
            Assert.True(StoryCase.Tell(file).ExitCode == 1, what);
        }
        foreach (var name in new[] { "", "/x", "x/", "a//b", "../x", "a/../b", ".x", "a b", "à", new string('x', 201) })
            Assert.Equal(Refusal.EvidenceDamaged, Assert.Throws<RefusedException>(() => EvidenceZip.Write([new(name, new byte[1])])).Refusal);
        Assert.Equal(Refusal.Size, Assert.Throws<RefusedException>(() => EvidenceZip.Write([new("x", new byte[EvidenceZip.MaxPart + 1])])).Refusal);
    }

    [Fact]
    public void More_members_than_there_may_be_are_refused_before_they_are_looked_at()
    {
        // 16,385 empty members, each a right one.
        using var many = new MemoryStream();
        for (var i = 0; i <= EvidenceZip.MaxParts; i++)
        {
            var name = Encoding.ASCII.GetBytes($"x{i:00000}");
            var head = Good[..30].ToArray();
            head.AsSpan(14, 12).Clear();
            BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(26), (ushort)name.Length);
            many.Write([.. head, .. name]);
        }
        var findings = new Findings();
        EvidenceZip.Read(many.ToArray(), findings);
        Assert.Equal("too many members", Assert.Single(findings.All).Detail);
    }
}
