using System.Globalization;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.TimeStamps;
using Exchange.Crypto.Trust;

namespace Exchange.Crypto.Evidence;

/// <summary>When the author's signatures were there, in the words of time-stamp authorities. The dispatch itself is sealed: the header's digests stand for its signatures.</summary>
sealed class TimeStampEvidence(Header header, Findings findings)
{
    const string What = "time-stamp of the author's signature", All = "timestamps";

    /// <param name="at">Of the gateway's receipt for the submission; null: there is none here.</param>
    /// <param name="need">Of the level; <see cref="TimeStampNeed.None"/> also where the policy cannot be told.</param>
    public IReadOnlyList<TimeStampFact> Check(IReadOnlyList<EvidencePart> tokens, CertificateCheck? trust, DateTimeOffset? at, TimeStampNeed need)
    {
        var stamped = new HashSet<Digest>();
        List<TimeStampFact> facts = [];
        foreach (var token in tokens)
        {
            if (trust is null) findings.Incomplete(token.Name, What, FindingCode.Missing, "needs anchors");
            else if (Read(token, trust, at, need) is { } held)
            {
                stamped.Add(held.Imprint);
                facts.Add(new(token.Name, held.Time, held.Authority));
            }
        }
        if (need == TimeStampNeed.None || stamped.Count == header.Dispatch.Signatures.Length) return facts;
        // What a level demands was sealed in with the dispatch; that it is not here says nothing against it.
        if (need == TimeStampNeed.Due) findings.Incomplete(All, What, FindingCode.Pending, "the sender has none yet, or did not give it");
        else findings.Incomplete(All, What, FindingCode.Missing, "sealed with the dispatch; the sender has it");
        return facts;
    }

    VerifiedTimeStamp? Read(EvidencePart token, CertificateCheck trust, DateTimeOffset? at, TimeStampNeed need)
    {
        try
        {
            var held = TimeStampCheck.Run(token.Bytes, header.Dispatch.Signatures, trust);
            // One that was fetched later is late by right, where the level allows that.
            if (need == TimeStampNeed.Demanded && held.Time > at + TimeStampCheck.Skew) throw new RefusedException(Refusal.TimeStamp, "later than the submission");
            findings.Good(token.Name, What, $"there by {held.Time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}, says {held.Authority.Subject}");
            return held;
        }
        catch (RefusedException e)
        {
            findings.Bad(token.Name, What, e.Refusal, e.Detail);
            return null;
        }
    }
}
