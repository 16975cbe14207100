using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Envelope;

/// <summary>Which copy of which envelope something is about.</summary>
public sealed record CopySubject(string Sender, Guid Envelope, Digest Ctx, Digest ManifestDigest, string Office, Digest Key);

/// <summary>What a handling status may say, and who may have said it. Gateway, sender and verifier ask the same questions.</summary>
public static class HandlingStatusCheck
{
    /// <summary>More than any office has to say about one copy; a copy's list stays short.</summary>
    public const long MaxSequence = 1000;

    /// <summary>A status whose signature and form hold. About whose copy it may be is <see cref="DemandAbout"/>, and whose word it is <see cref="DemandSigner"/>.</summary>
    /// <exception cref="RefusedException">Status, or what the statement is refused for.</exception>
    public static (Statement Statement, HandlingStatus Status) Read(ReadOnlyMemory<byte> der)
    {
        var statement = Statement.Read(der, StatementType.Status);
        var status = statement.As<HandlingStatus>();
        Check(status);
        return (statement, status);
    }

    /// <summary>Closed lists, ranges, and for each code exactly its members.</summary>
    /// <exception cref="RefusedException">Status.</exception>
    public static void Check(HandlingStatus status)
    {
        Demand(HeaderRules.IsOfficeCode(status.Sender) && HeaderRules.IsUuidV7(status.Envelope), "envelope");
        Demand(HeaderRules.IsOfficeCode(status.Office), "office");
        Demand(status.Sequence is >= 1 and <= MaxSequence, "sequence");
        Demand(HandlingCode.All.Contains(status.Code), "code");
        var reasons = HandlingReason.Of(status.Code);
        Demand(status.Reason is { } reason ? reasons.Contains(reason) : reasons.Count == 0, "reason");
        Demand(status.Answers is not null == HandlingCode.IsAnswer(status.Code), "answers");
        Demand(status.Answers is not { } answered || (HeaderRules.IsUuidV7(answered.Id) && answered.Revision > 0), "answers");
        Demand(HeaderRules.IsTime(status.Time), "time");
    }

    /// <exception cref="RefusedException">Status: another copy.</exception>
    public static void DemandAbout(HandlingStatus status, CopySubject copy) =>
        Demand(new CopySubject(status.Sender, status.Envelope, status.Ctx, status.ManifestDigest, status.Office, status.Key) == copy, "another copy");

    /// <summary>Signed by a signing key of the office whose copy it is.</summary>
    /// <param name="at">When its certificate must have been good; null: at the time that the status names.</param>
    /// <exception cref="RefusedException">SignerUnknown, or what the certificate is refused for.</exception>
    public static void DemandSigner(Statement statement, OfficeDirectory directory, CertificateCheck trust, DateTimeOffset? at = null)
    {
        var status = statement.As<HandlingStatus>();
        if (statement.Signers is not [var signer] || directory.Find(status.Office) is not { } office || !office.Signing.Contains(signer))
            throw new RefusedException(Refusal.SignerUnknown, "not a signing key of the office");
        trust.Demand(signer, Purpose.OfficeSigning, at ?? DateTimeOffset.FromUnixTimeMilliseconds(status.Time));
    }

    static void Demand(bool holds, string detail)
    {
        if (!holds) throw new RefusedException(Refusal.Status, detail);
    }
}
