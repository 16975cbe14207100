using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Security.Cryptography.Xml;
using System.Xml;

namespace Exchange.Office.Client;

/// <summary>
/// Signatures of an XML document (XML-DSig, as XAdES uses it). .NET's SignedXml verifies; what it is given was looked through before: no DTD, nothing from outside, no transform but enveloped-signature and canonicalisation
/// (no XSLT, XPath, base64), references to this document alone and each to exactly one element. Only a reference to the whole document counts as covering it, so a signed part that was moved into another document does not.
/// </summary>
static class XmlSignatures
{
    const string Namespace = SignedXml.XmlDsigNamespaceUrl, Xades = "http://uri.etsi.org/01903", SignedProperties = Xades + "#SignedProperties";
    // Canonicalisation walks the tree by recursion, and each element's namespaces.
    const int MostDepth = 128, MostNodes = 500_000, MostAttributes = 256, MostReferences = 16, MostTransforms = 4, MostCertificates = 8;

    static readonly HashSet<string> Canonical = [SignedXml.XmlDsigC14NTransformUrl, SignedXml.XmlDsigExcC14NTransformUrl];
    static readonly HashSet<string> Transforms = [.. Canonical, SignedXml.XmlDsigEnvelopedSignatureTransformUrl];
    static readonly HashSet<string> Digests = [SignedXml.XmlDsigSHA256Url, SignedXml.XmlDsigSHA384Url, SignedXml.XmlDsigSHA512Url];
    static readonly HashSet<string> RsaMethods = [SignedXml.XmlDsigRSASHA256Url, SignedXml.XmlDsigRSASHA384Url, SignedXml.XmlDsigRSASHA512Url];
    static readonly string[] IdNames = ["Id", "ID", "id"];

    /// <exception cref="SignatureTroubleException">A DTD, more than is read here, or not XML.</exception>
    public static IReadOnlyList<DocumentSignature> Read(byte[] file)
    {
        if (Count(file) == 0) return [];
        var document = new XmlDocument { PreserveWhitespace = true, XmlResolver = null };
        using (var reader = Reader(file)) document.Load(reader);
        var elements = document.GetElementsByTagName("Signature", Namespace).OfType<XmlElement>().ToList();
        return [.. elements.Select(e => Read(document, e))];
    }

    static XmlReader Reader(byte[] file) => XmlReader.Create(new MemoryStream(file, writable: false),
        new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, MaxCharactersInDocument = 16 << 20, MaxCharactersFromEntities = 1 });

    /// <summary>Signatures; before anything is built in memory.</summary>
    static int Count(byte[] file)
    {
        var (signatures, nodes) = (0, 0);
        try
        {
            using var reader = Reader(file);
            while (reader.Read())
            {
                if (++nodes > MostNodes || reader.Depth > MostDepth || reader.AttributeCount > MostAttributes) throw new SignatureTroubleException(SignatureWhy.TooLarge);
                if (reader is { NodeType: XmlNodeType.Element, LocalName: "Signature", NamespaceURI: Namespace } && ++signatures > SignatureReader.MostSignatures) throw new SignatureTroubleException(SignatureWhy.TooMany);
            }
        }
        // A document with a DTD is refused at the DTD; everything else that is no XML is none.
        catch (XmlException) { throw new SignatureTroubleException(HasDtd(file) ? SignatureWhy.Dtd : SignatureWhy.Form); }
        return signatures;
    }

    // Only for saying why: past it nothing is read.
    static bool HasDtd(byte[] file)
    {
        try
        {
            using var reader = XmlReader.Create(new MemoryStream(file, writable: false), new XmlReaderSettings { DtdProcessing = DtdProcessing.Parse, XmlResolver = null, MaxCharactersInDocument = 16 << 20, MaxCharactersFromEntities = 1 });
            while (reader.Read() && reader.NodeType is not (XmlNodeType.DocumentType or XmlNodeType.Element)) { }
            return reader.NodeType == XmlNodeType.DocumentType;
        }
        catch (XmlException) { return false; }
    }

    static DocumentSignature Read(XmlDocument document, XmlElement element)
    {
        var said = new DocumentSignature(SignatureOutcome.CannotBeTold, SignatureWhy.Form, null, null, Claimed(element));
        // As it stands: the library makes each transform while it reads, and one that it drops would not be looked at.
        if (!element.GetElementsByTagName("Transform", Namespace).OfType<XmlElement>().All(t => Transforms.Contains(t.GetAttribute("Algorithm")))) return said with { Why = SignatureWhy.Transform };
        var signed = new BoundSignedXml(document);
        try { signed.LoadXml(element); }
        catch (CryptographicException) { return said; }
        var certificates = Certificates(signed);
        if (certificates.Count > 0) said = said with { Signer = certificates[0].Subject, Certificate = certificates[0].RawData };
        if (Unfit(signed) is { } unfit) return said with { Why = unfit, Outcome = unfit == SignatureWhy.Ambiguous ? SignatureOutcome.DoesNotHold : SignatureOutcome.CannotBeTold };
        if (certificates.Count == 0) return said with { Why = SignatureWhy.NoCertificate };
        if (!certificates.TrueForAll(CmsSignature.IsKeyOfOurs)) return said with { Why = SignatureWhy.Algorithm };
        // Which of several is the signer's is not said by their order.
        var signer = certificates.Find(c => Verifies(signed, c));
        if (signer is null) return said with { Outcome = SignatureOutcome.DoesNotHold, Why = SignatureWhy.Signature };
        said = said with { Signer = signer.Subject, Certificate = signer.RawData };
        var covered = Covered(document, signed);
        return covered is null ? said with { Outcome = SignatureOutcome.Holds, Why = SignatureWhy.Whole } : said with { Outcome = SignatureOutcome.DoesNotHold, Why = SignatureWhy.Part, Covers = covered };
    }

    /// <summary>What keeps it from being given to a verifier; null: nothing.</summary>
    static string? Unfit(BoundSignedXml signed)
    {
        var info = signed.SignedInfo!;
        if (!Canonical.Contains(info.CanonicalizationMethod)) return SignatureWhy.Transform;
        if (!RsaMethods.Contains(info.SignatureMethod ?? "") && !EcdsaXml.Methods.Contains(info.SignatureMethod ?? "")) return SignatureWhy.Algorithm;
        var references = info.References.Cast<Reference>().ToList();
        if (references.Count is 0 or > MostReferences) return SignatureWhy.Form;
        foreach (var reference in references)
        {
            if (reference.Uri is not { } uri || uri.Length > 0 && uri[0] != '#' || uri.StartsWith("#xpointer", StringComparison.Ordinal)) return SignatureWhy.External;
            if (!Digests.Contains(reference.DigestMethod)) return SignatureWhy.Algorithm;
            var chain = reference.TransformChain;
            if (chain.Count > MostTransforms) return SignatureWhy.Transform;
            for (var i = 0; i < chain.Count; i++)
                if (!Transforms.Contains(chain[i].Algorithm ?? "")) return SignatureWhy.Transform;
            if (uri.Length > 1 && signed.Named(uri[1..]).Count != 1) return SignatureWhy.Ambiguous;
            if (uri.Length == 1) return SignatureWhy.Form;
        }
        return null;
    }

    static bool Verifies(BoundSignedXml signed, X509Certificate2 certificate)
    {
        var isRsa = RsaMethods.Contains(signed.SignedInfo!.SignatureMethod ?? "");
        using AsymmetricAlgorithm? key = isRsa ? certificate.GetRSAPublicKey() : certificate.GetECDsaPublicKey();
        return key is not null && signed.CheckSignature(key);
    }

    /// <summary>The elements that it covers instead of the document; null: it covers the document.</summary>
    static string? Covered(XmlDocument document, BoundSignedXml signed)
    {
        var parts = new List<string>();
        foreach (Reference reference in signed.SignedInfo!.References)
        {
            if (reference.Uri!.Length == 0) return null;
            var element = signed.Named(reference.Uri[1..])[0];
            if (element == document.DocumentElement) return null;
            // What XAdES says of the signature itself is no part of the document.
            if (reference.Type?.StartsWith(SignedProperties, StringComparison.Ordinal) != true) parts.Add($"<{element.Name} {reference.Uri}>");
        }
        return string.Join(", ", parts);
    }

    static List<X509Certificate2> Certificates(SignedXml signed) =>
        [.. signed.KeyInfo.OfType<KeyInfoX509Data>().SelectMany(d => d.Certificates?.Cast<X509Certificate2>() ?? []).Take(MostCertificates)];

    static DateTimeOffset? Claimed(XmlElement signature) => signature.GetElementsByTagName("SigningTime", Xades + "/v1.3.2#").OfType<XmlElement>().FirstOrDefault()?.InnerText is { Length: < 64 } text
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    /// <summary>SignedXml that finds an element by its id only if it is the one with that id in the document, and fetches nothing.</summary>
    sealed class BoundSignedXml : SignedXml
    {
        readonly XmlDocument document;

        static BoundSignedXml() => EcdsaXml.Register();

        public BoundSignedXml(XmlDocument document) : base(document)
        {
            this.document = document;
            Resolver = null!;
        }

        public List<XmlElement> Named(string id) => [.. Elements(document.DocumentElement!).Where(e => Array.Exists(IdNames, n => e.GetAttribute(n) == id) || e.GetAttribute("id", "http://www.w3.org/XML/1998/namespace") == id).Take(2)];

        public override XmlElement? GetIdElement(XmlDocument? document, string idValue) => Named(idValue) is [var one] ? one : null;

        static IEnumerable<XmlElement> Elements(XmlElement root)
        {
            var left = new Stack<XmlElement>([root]);
            while (left.TryPop(out var element))
            {
                yield return element;
                foreach (var child in element.ChildNodes.OfType<XmlElement>()) left.Push(child);
            }
        }
    }
}
