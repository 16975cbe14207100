using System.Buffers.Text;
using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Exchange.Crypto;

namespace Exchange.Gateway.Operations;

/// <summary>HTTP status of every refusal, and the one shape in which a refusal leaves the gateway (RFC 9457). Texts are in Crypto/Refusal.cs and Refusal.Service.cs.</summary>
static class Refusals
{
    public const string MediaType = "application/problem+json";

    static readonly FrozenDictionary<string, int> Statuses = new Dictionary<int, Refusal[]>
    {
        // What arrived is not what the format says.
        [400] = [Refusal.Json, Refusal.Der, Refusal.StatementType, Refusal.StatementSigners, Refusal.StatementAttributes, Refusal.Algorithm, Refusal.Header, Refusal.Suite,
            Refusal.Kind, Refusal.Recipients, Refusal.ManifestForm, Refusal.LabelForm, Refusal.DocumentName, Refusal.Request, Refusal.Profile, Refusal.Passphrase, Refusal.WitnessPolicy, Refusal.Note, Refusal.PolicyInvalid, Refusal.MappingInvalid, Refusal.WordList],
        // Who you are does not allow it, or the policy does not.
        [403] = [Refusal.NotSignedIn, Refusal.SenderNotYou, Refusal.PolicyUnknown, Refusal.LabelMissing, Refusal.LabelClass, Refusal.LabelCategory, Refusal.LabelBasis,
            Refusal.ApprovalMissing, Refusal.SenderNotCleared, Refusal.CardHeld, Refusal.NotReleasable, Refusal.NotYet, Refusal.AwaitingRelease, Refusal.ReleaseRefused, Refusal.HoldExpired, Refusal.NoMapping, Refusal.WordFloor, Refusal.ActivationUnapproved,
            Refusal.LabelCaveat, Refusal.LabelTerm, Refusal.LabelBelow, Refusal.RelabelPersons, Refusal.OriginatorControl, Refusal.StoreCeiling, Refusal.DirectoryLate, Refusal.RevocationLate, Refusal.Translator, Refusal.ExportMail],
        [404] = [Refusal.NotFound, Refusal.ExportCopy],
        [409] = [Refusal.SameId, Refusal.NotHeld, Refusal.LabelPrevious, Refusal.StatusSequence, Refusal.Revision, Refusal.NothingToRecall, Refusal.HasCopy, Refusal.NotKept, Refusal.Replay, Refusal.NothingToUpload, Refusal.UploadOffset, Refusal.VersionOld, Refusal.Fork],
        [410] = [Refusal.PayloadErased, Refusal.Recalled, Refusal.Resent, Refusal.KeyRetired],
        [413] = [Refusal.Size, Refusal.TooLarge],
        // Well-formed, and its content does not hold.
        [422] = [Refusal.Signature, Refusal.CertificateUntrusted, Refusal.CertificateTime, Refusal.CertificateRevoked, Refusal.CertificatePurpose, Refusal.CertificateAlgorithm, Refusal.CertificateForm,
            Refusal.RevocationUnknown, Refusal.SignerUnknown, Refusal.Officers, Refusal.Card, Refusal.Manifest, Refusal.LabelMismatch, Refusal.LabelChange, Refusal.Approval, Refusal.PayloadLength,
            Refusal.PayloadRoot, Refusal.PayloadPadding, Refusal.DispatchForm, Refusal.NotForThisKey, Refusal.CannotOpen, Refusal.ParcelDamaged, Refusal.NoParcel, Refusal.DispatchMismatch, Refusal.DispatchSigners, Refusal.TimeStamp, Refusal.TimeStampMissing, Refusal.SenderMismatch, Refusal.Addressees,
            Refusal.DocumentDigest, Refusal.Expired, Refusal.ClockSkew, Refusal.RecipientKeys, Refusal.Bucket, Refusal.OtherGateway, Refusal.Receipt, Refusal.Status, Refusal.RecallTarget, Refusal.Proof, Refusal.EvidenceDamaged, Refusal.DecisionRecord],
        // Not now: nothing was decided, nothing is journalled.
        [429] = [Refusal.TooMany, Refusal.Quota],
        [500] = [Refusal.Internal],
        [502] = [Refusal.Unreachable, Refusal.TimeStampAway, Refusal.ChannelRefused, Refusal.Undelivered, Refusal.Delayed, Refusal.Poison],
        [503] = [Refusal.Busy],
        [507] = [Refusal.Full],
    }.SelectMany(pair => pair.Value.Select(refusal => (refusal.Code, pair.Key))).ToFrozenDictionary(pair => pair.Code, pair => pair.Key);

    public static int Status(Refusal refusal) => Statuses[refusal.Code];

    /// <summary>Writes the problem; a pure function of its arguments, so that equal refusals are equal bytes.</summary>
    public static byte[] Problem(Refusal refusal, byte[]? receipt = null) => JsonSerializer.SerializeToUtf8Bytes(new Problem(
        $"urn:exchange:refusal:{refusal.Code}", refusal.Code, Status(refusal), refusal.Code, refusal.En,
        new Bilingual(refusal.En, refusal.Vi), new Bilingual(refusal.RemedyEn, refusal.RemedyVi),
        receipt is null ? null : Base64Url.EncodeToString(receipt)), AnswerJson.Shared.Problem);

    public static IResult Answer(Refusal refusal, byte[]? receipt = null) => new RefusedResult(refusal, receipt);

    sealed class RefusedResult(Refusal refusal, byte[]? receipt) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => Write(httpContext, refusal, receipt);
    }

    /// <param name="after">When to ask again; null: what the refusal itself suggests.</param>
    public static async Task Write(HttpContext context, Refusal refusal, byte[]? receipt = null, TimeSpan? after = null)
    {
        var body = Problem(refusal, receipt);
        context.Response.StatusCode = Status(refusal);
        context.Response.ContentType = MediaType;
        context.Response.ContentLength = body.Length;
        after ??= refusal == Refusal.Busy ? TimeSpan.FromSeconds(2) : refusal == Refusal.Full ? TimeSpan.FromSeconds(60) : null;
        if (after is { } wait) context.Response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }
}

/// <summary>Refused for now, before anything was decided: it is answered with the time after which to ask again, and leaves no entry.</summary>
sealed class LaterException(Refusal refusal, TimeSpan after) : Exception(refusal.Code)
{
    public Refusal Refusal { get; } = refusal;
    public TimeSpan After { get; } = after;
}

sealed record Bilingual(string En, string Vi);

sealed record Problem(string Type, string Title, int Status, string Code, string Detail, Bilingual Messages, Bilingual Remedy,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Receipt);
