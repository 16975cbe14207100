namespace Exchange.Crypto.Trust;

/// <summary>One thing that is wrong with a certificate or with the path to it.</summary>
/// <param name="Detail">For the log: which certificate of the path, which check. Holds nothing that the certificate says of itself but numbers and OIDs.</param>
/// <param name="Certificate">Which one; null: no one in particular.</param>
public sealed record CertificateFault(Refusal Refusal, string Detail, Certificate? Certificate);

/// <param name="Refusal">null: good. Else the decisive fault: <see cref="CertificateVerdict.Of"/> says which.</param>
/// <param name="Detail">For the log: which certificate of the path, which check.</param>
/// <param name="ValidUntil">Until when (exclusive) a good verdict stands: the earliest notAfter and nextUpdate of the path. A bad one stands for its moment only.</param>
public sealed record CertificateVerdict(Refusal? Refusal, string Detail, DateTimeOffset ValidUntil)
{
    // Callers may forgive what comes late in this order (an expired certificate, a list that is not there yet), so whatever they must not forgive comes before.
    static readonly Refusal[] Precedence =
    [
        Crypto.Refusal.CertificateAlgorithm, Crypto.Refusal.CertificateForm, Crypto.Refusal.CertificatePurpose, Crypto.Refusal.CertificateRevoked,
        Crypto.Refusal.CertificateUntrusted, Crypto.Refusal.CertificateTime, Crypto.Refusal.RevocationUnknown,
    ];

    public bool Good => Refusal is null;
    /// <summary>Of a good verdict: end certificate first, root last.</summary>
    public IReadOnlyList<Certificate> Path { get; init; } = [];
    /// <summary>Of a good verdict: when the newest CRL or OCSP response about the end certificate was issued.</summary>
    public DateTimeOffset RevocationAsOf { get; init; }
    /// <summary>Of a bad verdict: everything that is wrong, the decisive fault first.</summary>
    public IReadOnlyList<CertificateFault> Faults { get; init; } = [];

    /// <summary>All faults in one line, for the log and for whoever has to mend them.</summary>
    public string Explained => Faults.Count < 2 ? Detail : string.Join("; ", Faults.Select(f => f.Refusal == Refusal ? f.Detail : $"{f.Refusal.Code}: {f.Detail}"));

    /// <summary>
    /// A bad verdict. Decisive is the first of: algorithm, form, purpose, revoked, untrusted, time, revocation unknown. Where there is no path at all, and so nothing is known of
    /// its revocation, that comes right after the algorithm.
    /// </summary>
    /// <param name="last">Said besides, and never decisive.</param>
    internal static CertificateVerdict Of(IEnumerable<CertificateFault> faults, DateTimeOffset at, bool noPath = false, params IEnumerable<CertificateFault> last)
    {
        CertificateFault[] sorted = [.. faults.Distinct().OrderBy(f => noPath && f.Refusal == Crypto.Refusal.CertificateUntrusted ? 0.5 : Array.IndexOf(Precedence, f.Refusal)), .. last];
        return new(sorted[0].Refusal, sorted[0].Detail, at) { Faults = sorted };
    }
}
