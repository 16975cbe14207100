using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Evidence;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Client.Stories;

/// <summary>What lies beside evidence for people and for other people's tools. It follows from the evidence, so that a verifier can write it again; as with <see cref="StoryReport"/>, other words are another form.</summary>
static class EvidenceReadme
{
    /// <param name="listed">A list of all files and a report come with it: it is a whole of its own, not a folder inside of something else.</param>
    /// <returns>null: there is no header to speak of.</returns>
    public static EvidencePart? Of(IReadOnlyList<EvidencePart> parts, bool listed)
    {
        if (parts.FirstOrDefault(p => p.Name == "header.p7s") is not { } part) return null;
        Header header;
        try { header = Statement.Read(part.Bytes, StatementType.Header).As<Header>(); }
        catch (RefusedException) { return null; }
        return new EvidencePart(EvidenceFiles.Readme, Encoding.UTF8.GetBytes(Text(header, [.. parts.Select(p => p.Name).Order(StringComparer.Ordinal)], listed)));
    }

    /// <summary>All anchors in one file, roots first: what OpenSSL takes.</summary>
    public static byte[] ChainOf(IReadOnlyList<EvidencePart> parts) => [.. In(parts, "trust/roots/"), .. In(parts, "trust/intermediates/")];

    // By number: the hundredth comes behind the ninety-ninth.
    static IEnumerable<byte> In(IReadOnlyList<EvidencePart> parts, string folder) =>
        parts.Where(p => p.Name.StartsWith(folder, StringComparison.Ordinal)).OrderBy(p => p.Name.Length).ThenBy(p => p.Name, StringComparer.Ordinal).SelectMany(p => p.Bytes.ToArray());

    // The digest is the one by which the header names the signature.
    static string TimeStampLines(Header header, string[] names)
    {
        string[] tokens = [.. names.Where(n => n.StartsWith("timestamps/", StringComparison.Ordinal))];
        return tokens.Length != header.Dispatch.Signatures.Length ? "" : string.Concat(tokens.Select((t, i) =>
            $"  openssl ts -verify -digest {Convert.ToHexStringLower(header.Dispatch.Signatures[i].ToArray())} -token_in -in {t} -CAfile trust/chain.pem\n"));
    }

    static string Text(Header header, string[] names, bool listed) => $"""
        Evidence of dispatch {header.Id}

        With our software, of this folder{(listed ? " or of the file that it came in" : "")}. PINS is what the officers gave you, not the pins.json in here:
          exchange audit story . --pins PINS
          exchange verify --dispatch . --pins PINS

        {(listed ? "Without it. Each file is the one that was listed:\n  sha256sum -c contents.txt\n" : "")}Without it (OpenSSL 3). Each prints the signed JSON when the signature and the chain hold:
          openssl cms -verify -inform DER -in header.p7s -CAfile trust/chain.pem -purpose any
        {(Any(names, "approvals/") ? "  openssl cms -verify -inform DER -in approvals/01.p7s -CAfile trust/chain.pem -purpose any\n" : "")}  for r in receipts/*.p7s{(Any(names, "statuses/") ? " statuses/*.p7s" : "")}; do openssl cms -verify -inform DER -in "$r" -CAfile trust/chain.pem -purpose any; echo; done
        {TimeStampLines(header, names)}
        {(names.Contains("dispatch.p7s") ? Clear : Sealed)}
        {(names.Contains("opened") ? "The file opened lets anyone check the offices' proofs that they opened the dispatch. It opens nothing itself.\n" : "")}pins.json came with it. Compare it with the pins you were given by the officers before you rely on it.

        """;

    static bool Any(string[] names, string folder) => names.Any(n => n.StartsWith(folder, StringComparison.Ordinal));

    const string Sealed = """
        A recipient, with its own encryption key, sees what the author signed (the first 64 bytes bind it to this header):
          openssl pkcs12 -in encrypt.p12 -clcerts -nodes -out encrypt.pem
          openssl cms -decrypt -inform DER -in manifest.p7m -recip encrypt.pem -inkey encrypt.pem | tail -c +65 \
            | openssl cms -verify -inform DER -CAfile trust/chain.pem -purpose any

        """;

    const string Clear = """
        What the author signed, with the SHA-256 of each document (base64url), and whose SHA-256 the header names as dispatch.ref:
          openssl cms -verify -inform DER -in dispatch.p7s -CAfile trust/chain.pem -purpose any

        """;
}
