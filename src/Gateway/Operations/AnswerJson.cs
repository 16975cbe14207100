using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using Exchange.Gateway.Audit;
using Exchange.Gateway.Handling;
using Exchange.Gateway.Holding;
using Exchange.Gateway.Mailbox;
using Exchange.Gateway.Offices;
using Exchange.Gateway.Receipts;
using Exchange.Gateway.Relabelling;
using Exchange.Gateway.Submission;

namespace Exchange.Gateway.Operations;

/// <summary>Every JSON body of the interface; read strictly, Vietnamese written as it is.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = false)]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(UploadAnswer))]
[JsonSerializable(typeof(DryRunRequest))]
[JsonSerializable(typeof(DryRunAnswer))]
[JsonSerializable(typeof(DispatchesAnswer))]
[JsonSerializable(typeof(DispatchAnswer))]
[JsonSerializable(typeof(ReceiptsAnswer))]
[JsonSerializable(typeof(StatusesAnswer))]
[JsonSerializable(typeof(HeldListAnswer))]
[JsonSerializable(typeof(LabelsAnswer))]
[JsonSerializable(typeof(MailboxAnswer))]
[JsonSerializable(typeof(CrlsAnswer))]
[JsonSerializable(typeof(InclusionAnswer))]
[JsonSerializable(typeof(ConsistencyAnswer))]
[JsonSerializable(typeof(CheckpointsAnswer))]
[JsonSerializable(typeof(SuccessionAnswer))]
[JsonSerializable(typeof(EntriesAnswer))]
[JsonSerializable(typeof(CountsAnswer))]
[JsonSerializable(typeof(HealthAnswer))]
sealed partial class AnswerJson : JsonSerializerContext
{
    static AnswerJson? shared;

    public static AnswerJson Shared => shared ??= new(new JsonSerializerOptions(Default.Options!) { Encoder = JavaScriptEncoder.Create(UnicodeRanges.All) });
}
