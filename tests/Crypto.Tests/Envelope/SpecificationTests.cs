using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;

namespace Exchange.Tests.Envelope;

/// <summary>docs/envelope.md says what the code does: its example is recomputed, and read by means that the code does not share.</summary>
public partial class SpecificationTests
{
    const string Begin = "<!-- example: made by WorkedExample -->\n", End = "<!-- end of example -->";

    static string Document()
    {
        using var reader = new StreamReader(typeof(SpecificationTests).Assembly.GetManifestResourceStream("envelope.md")!);
        return reader.ReadToEnd();
    }

    [GeneratedRegex("```hex (?<name>[A-Za-z-]+)\n(?<hex>[0-9a-f\n]*)```")]
    private static partial Regex Blocks();

    static Dictionary<string, byte[]> Values() => Blocks().Matches(Document()).ToDictionary(m => m.Groups["name"].Value, m => Convert.FromHexString(m.Groups["hex"].Value.Replace("\n", "")));

    [Fact]
    public void The_worked_example_is_what_its_texts_give()
    {
        // To write it anew after a change of the format: EXCHANGE_WRITE_EXAMPLE=docs/envelope.md (absolute).
        if (Environment.GetEnvironmentVariable("EXCHANGE_WRITE_EXAMPLE") is { Length: > 0 } path)
        {
            var old = File.ReadAllText(path);
            File.WriteAllText(path, old[..(old.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length)] + "\n" + WorkedExample.Text() + old[old.IndexOf(End, StringComparison.Ordinal)..]);
            return;
        }
        var document = Document();
        var example = document[(document.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length)..document.IndexOf(End, StringComparison.Ordinal)];
        Assert.Equal(WorkedExample.Text(), example.TrimStart('\n'));
    }

    [Fact]
    public async Task The_parts_printed_in_the_document_open_with_our_reader()
    {
        var values = Values();
        var statement = Statement.Read(values["header"], StatementType.Header);
        var header = statement.As<Header>();
        HeaderRules.Check(header);
        Assert.Equal(values["CTX"], statement.Ref.ToArray());
        Assert.Equal(Digest.Of(values["manifest"]), statement.ManifestDigest);
        using var key = WorkedExample.Recipient();
        Assert.Equal(values["recipient-certificate"], key.Certificate.Der.ToArray());
        var manifest = AuthEnveloped.Decode(values["manifest"], 1);
        Manifest.Check(manifest, statement.Ref, [key.Certificate]);
        using var frame = ManifestOpener.Open(manifest, statement.Ref, header.Commitment, key);
        Assert.Equal(values["secret"], frame.Secret.ToArray());
        Assert.Equal(values["dispatch"], frame.Dispatch.ToArray());
        var dispatch = Statement.Read(frame.Dispatch, StatementType.Dispatch).As<Dispatch>();
        DispatchRules.Check(dispatch);
        DispatchRules.CheckAgainst(dispatch, header);
        await Payload.VerifyAsync(new MemoryStream(values["payload"]), header.Payload!, null, null, default);
    }

    // Nothing of src/Crypto below: only what the document says, .NET's primitives and the openssl command.
    [Fact]
    public void The_example_can_be_opened_by_the_document_alone()
    {
        var values = Values();
        using var openssl = new OpenSsl();
        openssl.Write("header.p7s", values["header"]);
        openssl.Write("manifest.p7m", values["manifest"]);
        openssl.Write("recipient.der", values["recipient-certificate"]);
        openssl.Run("x509 -inform DER -in recipient.der -out recipient.pem");
        using (var ecdh = ECDiffieHellman.Create(WorkedExample.Parameters(WorkedExample.Scalar("recipient")))) openssl.Write("recipient.key", ecdh.ExportPkcs8PrivateKeyPem());
        openssl.Run("cms -verify -noverify -inform DER -in header.p7s -out header.json");
        openssl.Run("cms -decrypt -inform DER -in manifest.p7m -recip recipient.pem -inkey recipient.key -out frame");
        var frame = openssl.Read("frame");
        openssl.Write("dispatch.p7s", frame.AsSpan(64));
        openssl.Run("cms -verify -noverify -inform DER -in dispatch.p7s -out dispatch.json");

        Assert.Equal(0, frame.Length % 4096);
        Assert.Equal(SHA256.HashData(openssl.Read("header.json")), frame[..32]);
        var secret = frame[32..64];
        var r = HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, 32, [], Encoding.ASCII.GetBytes("exchange/v1/opened"));
        Assert.Contains($"\"commitment\":\"{Convert.ToBase64String(SHA256.HashData(r)).TrimEnd('=').Replace('+', '-').Replace('/', '_')}\"", Encoding.UTF8.GetString(openssl.Read("header.json")));
        var wire = values["payload"];
        Assert.Equal(values["root"], SHA256.HashData([0, .. wire]));
        using var gcm = new AesGcm(HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, 32, [], Encoding.ASCII.GetBytes("exchange/v1/payload")), 16);
        var plain = new byte[wire.Length - 16];
        gcm.Decrypt([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], wire.AsSpan(0, plain.Length), wire.AsSpan(plain.Length), plain);
        Assert.Equal("Xin chào\n", Encoding.UTF8.GetString(plain).TrimEnd('\0'));
        Assert.Equal(values["proof"], HMACSHA256.HashData(r, (byte[])[.. values["CTX"], .. SHA256.HashData(values["recipient-certificate"])]));
    }
}
