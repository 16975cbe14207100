using System.Text.Json.Serialization;
using Exchange.Crypto;

namespace Exchange.Office.Client;

/// <summary>What can be said of one signature in a document.</summary>
public enum SignatureOutcome
{
    /// <summary>The signature fits, and what it covers is the whole document as it is here.</summary>
    Holds,
    /// <summary>It does not fit, or the document is not the one that was signed.</summary>
    DoesNotHold,
    /// <summary>In a form, of a size or by an algorithm that is not judged here.</summary>
    CannotBeTold,
}

/// <summary>Why: a closed list, each said in words by the command.</summary>
public static class SignatureWhy
{
    public const string Whole = "whole";
    /// <summary>Bytes that it does not cover were added, and nobody signed them.</summary>
    public const string ChangedAfter = "changed-after";
    /// <summary>It covers an earlier state; what was added is covered by a later signature that holds.</summary>
    public const string EarlierState = "earlier-state";
    public const string Part = "part", Digest = "digest", Signature = "signature", Certificate = "certificate", Range = "range", Ambiguous = "ambiguous";
    public const string Algorithm = "algorithm", Form = "form", NoCertificate = "no-certificate", TimeStamp = "time-stamp", External = "external", Transform = "transform";
    /// <summary>Of a whole document.</summary>
    public const string TooLarge = "too-large", TooMany = "too-many", Reader = "reader", Patience = "patience", Dtd = "dtd", Encrypted = "encrypted";

    public static IReadOnlyList<string> All { get; } =
        [Whole, ChangedAfter, EarlierState, Part, Digest, Signature, Certificate, Range, Ambiguous, Algorithm, Form, NoCertificate, TimeStamp, External, Transform, TooLarge, TooMany, Reader, Patience, Dtd, Encrypted];
}

/// <summary>One signature as its document says it. Facts for a reader; no dispatch is taken or refused for them.</summary>
/// <param name="Outcome">Of the signature and what it covers. Whose key it is says <see cref="Trusted"/>.</param>
/// <param name="Why">One of <see cref="SignatureWhy"/>.</param>
/// <param name="Covers">What part it covers, where that is not the whole; null: nothing to say. Text of the document: not safe for a terminal as it is.</param>
/// <param name="Signer">Subject of the certificate that it names; null: none. Text of the document.</param>
/// <param name="Claimed">When it was made, as its maker says; null: he does not.</param>
public sealed record DocumentSignature(SignatureOutcome Outcome, string Why, string? Covers, string? Signer, DateTimeOffset? Claimed)
{
    /// <summary>DER of the certificate that it names.</summary>
    public byte[]? Certificate { get; init; }
    /// <summary>Whether a CA that this office trusts says whose key it was at the time asked about; null: nobody was asked.</summary>
    [JsonIgnore] public bool? Trusted { get; init; }
    /// <summary>Why the certificate is not trusted; null: it is, or nobody was asked.</summary>
    [JsonIgnore] public Refusal? Distrust { get; init; }
}

/// <param name="Kind">One of <see cref="DocumentKind"/>.</param>
/// <param name="Trouble">Why nothing can be told of the whole document, one of <see cref="SignatureWhy"/>; null: <paramref name="Signatures"/> are all there are.</param>
public sealed record SignedDocument(string File, string Kind, IReadOnlyList<DocumentSignature> Signatures, string? Trouble);

/// <summary>Documents in which signatures are looked for, told by their first bytes and not by their names.</summary>
public static class DocumentKind
{
    public const string Pdf = "pdf", Xml = "xml";

    /// <returns>null: another kind of file.</returns>
    public static string? Of(string file)
    {
        var start = new byte[1024];
        using var stream = File.OpenRead(file);
        var bytes = start.AsSpan(0, stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false));
        // ISO 32000-2 7.5.2; readers take the header anywhere in the first kilobyte.
        if (bytes.IndexOf("%PDF-"u8) >= 0) return Pdf;
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xef, 0xbb, 0xbf])) bytes = bytes[3..];
        // UTF-16 of either order has zeros.
        var first = bytes.IndexOfAnyExcept(" \t\r\n\0"u8);
        return bytes.StartsWith((ReadOnlySpan<byte>)[0xff, 0xfe]) || bytes.StartsWith((ReadOnlySpan<byte>)[0xfe, 0xff]) ? (bytes.Length > 3 && bytes[2..4].Contains((byte)'<') ? Xml : null)
            : first >= 0 && bytes[first] == '<' ? Xml : null;
    }
}
