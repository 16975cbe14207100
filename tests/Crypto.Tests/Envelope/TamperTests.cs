using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;
using Sut = Exchange.Crypto.Envelope.Envelope;

namespace Exchange.Tests.Envelope;

/// <summary>
/// Every byte flipped, every DER value and every JSON member removed, doubled and appended. Where a signature would refuse for us it is made anew,
/// so that the check behind it has to. Each region has its closed set of codes; what is accepted anywhere is a failure.
/// </summary>
public class TamperTests
{
    static readonly TestPki Pki = TestPki.Shared;

    /// <summary>What reading a statement can answer.</summary>
    static readonly HashSet<string> StatementCodes =
    [
        "E_DER", "E_CERTIFICATE_FORM", "E_SIZE", "E_JSON", "E_STATEMENT_TYPE", "E_STATEMENT_SIGNERS", "E_STATEMENT_ATTRIBUTES", "E_SIGNATURE", "E_ALGORITHM",
    ];

    static Forge Small() => new() { Approvers = [Pki["G22"].Signatory], Files = [("a.pdf", [1, 2, 3])], PayloadBucket = 16 };

    static string? Code(Action action)
    {
        try { action(); }
        catch (RefusedException e) { return e.Refusal.Code; }
        return null;
    }

    static string? VerifyCode(EnvelopeParts parts) => Code(() => Sut.Verify(parts, Forge.Context));

    /// <summary>As it comes from a wire: file form in, opened documents out.</summary>
    static async Task<string?> OpenCode(byte[] file)
    {
        try
        {
            using var stream = new MemoryStream(file);
            var parts = await EnvelopeFile.ReadPartsAsync(stream, default);
            await Forge.Open(parts, file[(int)stream.Position..], "H41");
        }
        catch (RefusedException e) { return e.Refusal.Code; }
        return null;
    }

    static async Task FlipEvery(int step, byte mask)
    {
        var (parts, wire) = Small().Make();
        byte[] file = [.. EnvelopeFile.Write(parts), .. wire];
        int headerEnd = parts.Header.Length, approvalEnd = headerEnd + parts.Approvals[0].Length, manifestEnd = approvalEnd + parts.Manifest.Length;
        await Parallel.ForAsync(0, (file.Length + step - 1) / step, async (n, _) =>
        {
            var i = n * step;
            var flipped = (byte[])file.Clone();
            flipped[i] ^= mask;
            var code = await OpenCode(flipped);
            HashSet<string> expected =
                // A changed length byte at a part's start moves all that follows.
                i < headerEnd ? StatementCodes
                : i < approvalEnd ? StatementCodes
                : i < approvalEnd + 4 ? ["E_DER", "E_SIZE", "E_MANIFEST", "E_PAYLOAD_LENGTH"]
                : i < manifestEnd ? ["E_MANIFEST"] : ["E_PAYLOAD_ROOT"];
            Assert.True(code is not null && expected.Contains(code), $"byte {i} of {headerEnd}/{approvalEnd}/{manifestEnd}/{file.Length}: {code ?? "accepted"}");
        });
    }

    [Fact]
    public Task Every_thirteenth_flipped_byte_of_an_envelope_is_refused() => FlipEvery(13, 0x01);

    [Fact, Trait("tier", "long")]
    public async Task Every_flipped_byte_of_an_envelope_is_refused()
    {
        foreach (var mask in new byte[] { 0x01, 0x80, 0xff }) await FlipEvery(1, mask);
    }

    static readonly byte[] Null = [5, 0];

    /// <summary>Each value removed, doubled, followed by a NULL, and, where it is primitive, one byte longer and one byte shorter.</summary>
    static IEnumerable<(string What, byte[] Der)> Edits(ReadOnlyMemory<byte> der, int step = 1)
    {
        var root = Tlv.Parse(der);
        var all = root.All().ToList();
        for (var i = 0; i < all.Count; i += step)
        {
            var target = all[i];
            yield return ($"{target.Path} removed", Place([]));
            yield return ($"{target.Path} doubled", Place([.. target.Encoded, .. target.Encoded]));
            yield return ($"{target.Path} followed", Place([.. target.Encoded, .. Null]));
            if (target.Children is not null) yield return ($"{target.Path} emptied", Place([target.Encoded[0], 0]));
            else if (target.Encoded.Length is > 2 and < 0x81)
            {
                yield return ($"{target.Path} shorter", Place([target.Encoded[0], (byte)(target.Encoded[1] - 1), .. target.Encoded[2..^1]]));
                yield return ($"{target.Path} longer", Place([target.Encoded[0], (byte)(target.Encoded[1] + 1), .. target.Encoded[2..], 0]));
            }

            byte[] Place(byte[] value) => root.Rebuild(t => ReferenceEquals(t, target) ? value : null);
        }
        yield return ("a byte appended", [.. der.ToArray(), 0]);
        yield return ("itself appended", [.. der.ToArray(), .. der.ToArray()]);
    }

    [Fact]
    public void Every_value_of_the_manifest_removed_doubled_or_appended_is_refused_though_signed()
    {
        var (parts, _) = Small().Make();
        HashSet<string> expected = ["E_DER", "E_ALGORITHM", "E_MANIFEST_FORM", "E_RECIPIENTS", "E_MANIFEST", "E_SIZE"];
        Each(Edits(parts.Manifest), expected, der => Resign(parts, der));
    }

    [Fact]
    public void Every_value_of_a_header_removed_doubled_or_appended_is_refused()
    {
        var (parts, _) = Small().Make();
        Each(Edits(parts.Header, step: 3), StatementCodes, der => parts with { Header = der });
    }

    [Fact]
    public void Every_value_of_a_header_removed_doubled_or_appended_is_refused_though_signed_anew()
    {
        var (parts, _) = Small().Make();
        // A manifestDigest or label that still has its form but another value reaches the checks behind the signature.
        HashSet<string> expected = [.. StatementCodes, "E_MANIFEST", "E_LABEL_FORM"];
        Each(ButSignature(Edits(parts.Header)), expected, der => parts with { Header = Forge.SignAttributes(der, Pki["G22"].Sign) });
    }

    [Fact]
    public void Every_value_of_an_approval_removed_doubled_or_appended_is_refused_though_signed_anew()
    {
        var (parts, _) = Small().Make();
        Each(ButSignature(Edits(parts.Approvals[0])), StatementCodes, der => parts with { Approvals = [Forge.SignAttributes(der, Pki["G22"].Signatory)] });
    }

    // Signing anew repairs these.
    static IEnumerable<(string What, byte[] Der)> ButSignature(IEnumerable<(string What, byte[] Der)> edits) =>
        edits.Where(e => !e.What.StartsWith("/1/0/4/0/5 ", StringComparison.Ordinal));

    static void Each(IEnumerable<(string What, byte[] Der)> edits, HashSet<string> expected, Func<byte[], EnvelopeParts> make)
    {
        var ran = 0;
        Parallel.ForEach(edits, edit =>
        {
            var code = VerifyCode(make(edit.Der));
            Assert.True(code is not null && expected.Contains(code), $"{edit.What}: {code ?? "accepted"}");
            Interlocked.Increment(ref ran);
        });
        Assert.True(ran > 100, $"only {ran} edits");
    }

    /// <summary>The same header over another manifest.</summary>
    static EnvelopeParts Resign(EnvelopeParts parts, byte[] manifest) => parts with
    {
        Header = new Forge().Sign(StatementType.Header, SignedData.Decode(parts.Header, 1).Content.ToArray(), Pki["G22"].Sign, EssLabel.ToEss(Forge.Thuong), Digest.Of(manifest)),
        Manifest = manifest,
    };

    /// <summary>Each member removed, doubled, renamed, set to null, and one added, at every depth; each list shortened and lengthened with null.</summary>
    static IEnumerable<(string What, string Json)> JsonEdits(string json)
    {
        var count = Objects(JsonNode.Parse(json)!).Sum(o => o.Count);
        for (var i = 0; i < count; i++)
        {
            foreach (var kind in new[] { "removed", "null", "renamed", "added", "string" })
            {
                var root = JsonNode.Parse(json)!;
                var (owner, name) = Objects(root).SelectMany(o => o.Select(m => (o, m.Key))).ElementAt(i);
                var value = owner[name];
                if (kind == "null" && value is null) continue;
                owner.Remove(name);
                if (kind == "null") owner[name] = null;
                if (kind == "renamed") owner[name + "x"] = value?.DeepClone();
                if (kind == "added")
                {
                    owner[name] = value?.DeepClone();
                    owner["zz"] = 1;
                }
                // A number as text, a list as text …: the wrong kind of value.
                if (kind == "string")
                {
                    if (value?.GetValueKind() == System.Text.Json.JsonValueKind.String) owner[name] = 7;
                    else owner[name] = "7";
                }
                yield return ($"{name} {kind}", Canonical(root));
            }
            yield return DoubleMember(json, i);
        }
        foreach (var (what, text) in new[] { ("space", json.Insert(1, " ")), ("newline", json + "\n"), ("BOM", "\uFEFF" + json), ("escape", json.Replace("new", "\\u006eew")), ("fraction", json.Replace("\"v\":1", "\"v\":1.0")) })
            if (text != json) yield return (what, text);
    }

    static (string, string) DoubleMember(string json, int i)
    {
        var root = JsonNode.Parse(json)!;
        var (owner, name) = Objects(root).SelectMany(o => o.Select(m => (o, m.Key))).ElementAt(i);
        var value = owner[name]?.ToJsonString() ?? "null";
        owner[name] = "@@";
        return ($"{name} doubled", Canonical(root).Replace("\"@@\"", $"{value},\"{name}\":{value}"));
    }

    static IEnumerable<JsonObject> Objects(JsonNode node) => node switch
    {
        JsonObject o => o.Select(m => m.Value).OfType<JsonNode>().SelectMany(Objects).Prepend(o),
        JsonArray a => a.OfType<JsonNode>().SelectMany(Objects),
        _ => [],
    };

    /// <summary>RFC 8785 order, so that only the members decide.</summary>
    static string Canonical(JsonNode? node) => node switch
    {
        null => "null",
        JsonObject o => "{" + string.Join(',', o.OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => $"\"{m.Key}\":{Canonical(m.Value)}")) + "}",
        JsonArray a => "[" + string.Join(',', a.Select(Canonical)) + "]",
        _ => node.ToJsonString(new System.Text.Json.JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }),
    };

    [Fact]
    public void Every_member_of_the_header_removed_doubled_or_added_is_refused_though_signed()
    {
        var (parts, _) = Small().Make();
        var json = Encoding.UTF8.GetString(SignedData.Decode(parts.Header, 1).Content.Span);
        // A value that could be one ("basis": "7") changes CTX, and the manifest answers.
        EachJson(json, ["E_JSON", "E_STATEMENT_TYPE", "E_HEADER", "E_SUITE", "E_KIND", "E_LABEL_FORM", "E_MANIFEST"], bytes => parts with
        {
            Header = new Forge().Sign(StatementType.Header, bytes, Pki["G22"].Sign, EssLabel.ToEss(Forge.Thuong), Digest.Of(parts.Manifest.Span)),
        });
    }

    [Fact]
    public void Every_member_of_an_approval_removed_doubled_or_added_is_refused_though_signed()
    {
        var (parts, _) = Small().Make();
        var json = Encoding.UTF8.GetString(SignedData.Decode(parts.Approvals[0], 1).Content.Span);
        EachJson(json, ["E_JSON", "E_STATEMENT_TYPE", "E_APPROVAL", "E_LABEL_FORM", "E_LABEL_MISMATCH"], bytes => parts with
        {
            Approvals = [new Forge().Sign(StatementType.Approval, bytes, Pki["G22"].Signatory)],
        });
    }

    static void EachJson(string json, HashSet<string> expected, Func<byte[], EnvelopeParts> make)
    {
        var ran = 0;
        foreach (var (what, text) in JsonEdits(json))
        {
            ran++;
            var code = VerifyCode(make(Encoding.UTF8.GetBytes(text)));
            Assert.True(code is not null && expected.Contains(code), $"{what}: {code ?? "accepted"}");
        }
        Assert.True(ran > 60, $"only {ran} edits");
    }

    /// <summary>The dispatch inside, spoiled and sealed anew: the header around it is as good as the sender can make it.</summary>
    static async Task<string?> InsideCode(Func<byte[], byte[]> spoil, Digest? reference = null)
    {
        var forge = Small();
        forge.Approvers = [];
        forge.DispatchDer = spoil;
        if (reference is { } other) forge.Header = h => h with { Dispatch = h.Dispatch with { Ref = other } };
        var (parts, wire) = forge.Make();
        try { await Forge.Open(parts, wire, "H41"); }
        catch (RefusedException e) { return e.Refusal.Code; }
        return null;
    }

    [Fact]
    public Task Every_fifth_value_of_the_sealed_dispatch_removed_doubled_or_appended_is_refused() => SpoilDispatch(5);

    [Fact, Trait("tier", "long")]
    public Task Every_value_of_the_sealed_dispatch_removed_doubled_or_appended_is_refused() => SpoilDispatch(1);

    static async Task SpoilDispatch(int step)
    {
        // Edits of one dispatch, each spliced over the one of the envelope that carries it: the signature or the ref has to notice.
        var forge = Small();
        forge.Make();
        var model = forge.MadeDispatch!.Der;
        HashSet<string> expected = [.. StatementCodes, "E_CANNOT_OPEN", "E_DISPATCH_MISMATCH", "E_LABEL_MISMATCH"];
        var edits = Edits(model, step).ToList();
        await Parallel.ForEachAsync(edits, async (edit, _) =>
        {
            var code = await InsideCode(_ => edit.Der);
            Assert.True(code is not null && expected.Contains(code), $"{edit.What}: {code ?? "accepted"}");
        });
    }

    [Fact]
    public async Task Every_member_of_the_sealed_dispatch_removed_doubled_or_added_is_refused_though_signed()
    {
        var forge = Small();
        forge.Make();
        var json = Encoding.UTF8.GetString(forge.MadeDispatch!.Json.Span);
        HashSet<string> expected = ["E_JSON", "E_STATEMENT_TYPE", "E_DISPATCH_MISMATCH", "E_DISPATCH_FORM", "E_SENDER_MISMATCH", "E_LABEL_FORM", "E_LABEL_MISMATCH"];
        await Parallel.ForEachAsync(JsonEdits(json), async (edit, _) =>
        {
            var bytes = Encoding.UTF8.GetBytes(edit.Json);
            var signed = new Forge().Sign(StatementType.Dispatch, bytes, Pki["G22"].Signatory, EssLabel.ToEss(Forge.Thuong));
            var code = await InsideCode(_ => signed, Digest.Of(bytes));
            Assert.True(code is not null && expected.Contains(code), $"{edit.What}: {code ?? "accepted"}");
        });
    }
}
