using Org.BouncyCastle.Asn1.X509;

namespace Exchange.Crypto.Trust;

/// <summary>
/// What a path is held to where RFC 5280 leaves a choice. <see cref="Shipped"/> is the only one in the product: no public door takes another. Other people's vectors, which are about
/// RFC 5280 and not about this profile, are judged under demands of their own.
/// </summary>
sealed record PathDemands
{
    public static readonly PathDemands Shipped = new();

    public int LeastRsaBits { get; init; } = CertificateProfile.MinRsaBits;
    /// <summary>Version 3, serial numbers of at most 20 octets above zero, names equal byte for byte and in one script, key usage in each certificate.</summary>
    public bool ExactForm { get; init; } = true;
    /// <summary>RFC 5280 6.1.1 (c) and (e) to (g).</summary>
    public IReadOnlyCollection<string> Policies { get; init; } = [];
    public bool ExplicitPolicy { get; init; }
    public bool InhibitMapping { get; init; }
    public bool InhibitAnyPolicy { get; init; }

    /// <summary>Whether two names are one. RFC 5280 7.1 folds letter case and spaces; a CA writes its name one way (4.1.2.6).</summary>
    public bool Same(X509Name a, X509Name b) => ExactForm ? a.GetDerEncoded().AsSpan().SequenceEqual(b.GetDerEncoded()) : a.Equivalent(b, inOrder: true);
}
