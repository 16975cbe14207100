using Exchange.Crypto;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;

namespace Exchange.Gateway.Offices;

/// <summary>Whose TLS client key it is.</summary>
/// <param name="Code">Of the office or the auditor.</param>
/// <param name="Auditor">null: an office.</param>
sealed record Caller(string Code, StandingAuditor? Auditor)
{
    /// <summary>null: nobody's, or an auditor's whose time is not now. Whether the certificate itself is good is asked elsewhere.</summary>
    public static Caller? Of(Digest key, World world, DateTimeOffset now) =>
        world.Directory.FindByTls(key) is { } office ? new(office.Code, null)
        : world.Standing.FindAuditor(key) is { } auditor && Lattice.InForce(auditor.Clearance, now) ? new(auditor.Code, auditor) : null;
}

/// <summary>Mark of a route: which of the two roles may call it.</summary>
sealed record OpenTo(bool ToOffices, bool ToAuditors)
{
    public static readonly OpenTo Offices = new(true, false), Auditors = new(false, true), Both = new(true, true);
}
