using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Statements;
using Exchange.Tests.Http;

namespace Exchange.Tests.Holding;

/// <summary>T9: an answer at a lower level than what it answers waits until two persons state that nothing is carried over (rule R12).</summary>
public sealed class ReplyTests : IAsyncLifetime
{
    TestGateway gateway = null!;

    public async ValueTask InitializeAsync() => gateway = await TestGateway.Start();
    public async ValueTask DisposeAsync() => await gateway.DisposeAsync();

    static SealRequest Answering(SealRequest request, SealedEnvelope original) =>
        request with { References = [new("reply", EnvelopeFile.PeekUnverified(original.Parts.Header).Id, original.Ctx, 0)] };

    static (IPrivateKey, string) Says(string person, string act = ApprovalAct.CarriesNothing) => (DevPkiFolder.Person("H41", person), act);

    Task<Answer> Say(SealedEnvelope envelope, string person, string act = ApprovalAct.CarriesNothing) => TestGateway.Send(gateway.As("H41"), HttpMethod.Post,
        $"/dispatches/{EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id}/approvals", gateway.Word(envelope, person, act, null, "H41"));

    async Task<string> State(SealedEnvelope envelope) =>
        (await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, $"/dispatches/{EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id}")).Json.GetProperty("state").GetString()!;

    [Fact]
    public async Task An_ordinary_answer_to_a_secret_dispatch_waits_for_two_persons_and_says_so()
    {
        var (secret, _, _) = await gateway.Accepted("H41", "H41", "mat");
        var (envelope, file) = await gateway.SealFile("G22", change: r => Answering(r, secret), from: "H41");
        var answer = await gateway.Submit(file, "H41");
        Assert.Equal((202, "E_LABEL_BELOW"), (answer.Status, answer.Receipt.Code));
        var held = Assert.Single((await TestGateway.Send(gateway.As("H41"), HttpMethod.Get, "/held")).Json.GetProperty("held").EnumerateArray());
        Assert.Equal("E_LABEL_BELOW", held.GetProperty("code").GetString());
        Assert.Equal("[{\"act\":\"carries-nothing\",\"persons\":2,\"roles\":[],\"missing\":2}]", held.GetProperty("needs").GetRawText());

        // A release is not that sentence, and one person twice is one.
        Assert.Equal("E_APPROVAL", (await Say(envelope, "clerk", ApprovalAct.Release)).Json.GetProperty("code").GetString());
        Assert.Equal(201, (await Say(envelope, "clerk")).Status);
        Assert.Equal(200, (await Say(envelope, "clerk")).Status);
        Assert.Equal("held", await State(envelope));
        Assert.Equal(201, (await Say(envelope, "signatory")).Status);
        Assert.Equal("accepted", await State(envelope));
    }

    [Fact]
    public async Task One_of_its_persons_may_also_end_it()
    {
        var (secret, _, _) = await gateway.Accepted("H41", "H41", "mat");
        var (envelope, file) = await gateway.SealFile("G22", change: r => Answering(r, secret), from: "H41");
        Assert.Equal(202, (await gateway.Submit(file, "H41")).Status);
        Assert.Equal(201, (await Say(envelope, "signatory", ApprovalAct.Refuse)).Status);
        Assert.Equal("refused", await State(envelope));
    }

    [Fact]
    public async Task Both_sentences_in_the_envelope_let_it_through_at_once_and_one_does_not()
    {
        var (secret, _, _) = await gateway.Accepted("H41", "H41", "mat");
        var (_, file) = await gateway.SealFile("G22", change: r => Answering(r, secret) with { Statements = [Says("clerk"), Says("signatory"), Says("clerk", ApprovalAct.BelowFloor)] }, from: "H41");
        Assert.Equal(201, (await gateway.Submit(file, "H41")).Status);
        var (_, one) = await gateway.SealFile("G22", change: r => Answering(r, secret) with { Statements = [Says("clerk"), Says("signatory", ApprovalAct.BelowFloor)] }, from: "H41");
        Assert.Equal(202, (await gateway.Submit(one, "H41")).Status);
    }

    [Fact]
    public async Task An_answer_at_the_same_level_goes_and_what_somebody_else_received_is_as_unknown_as_what_never_was()
    {
        var (plain, _, _) = await gateway.Accepted("H41", "H41");
        Assert.Equal(201, (await gateway.Submit((await gateway.SealFile("G22", change: r => Answering(r, plain), from: "H41")).File, "H41")).Status);
        // H14 never saw it: the answer does not depend on whether it exists, or at which level.
        var (secret, _, _) = await gateway.Accepted("H41", "H41", "mat");
        Assert.Equal(201, (await gateway.Submit((await gateway.SealFile("G22", change: r => Answering(r, secret), from: "H14")).File, "H14")).Status);
        var never = await gateway.Seal("H41", "mat");
        Assert.Equal(201, (await gateway.Submit((await gateway.SealFile("G22", change: r => Answering(r, never), from: "H14")).File, "H14")).Status);
    }
}
