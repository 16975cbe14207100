using System.Net;
using System.Net.Http.Headers;
using Exchange.Crypto.Keys;
using Exchange.Office.Client;
using Exchange.Office.Dev;
using Microsoft.Extensions.Time.Testing;

namespace Exchange.Tests;

/// <summary>Two time-stamp authorities behind HttpClient, by the clock of the bench; the first does as a test says, the second always answers while it is there.</summary>
sealed class FakeAuthorities(DevPkiFixture pki, FakeTimeProvider clock) : HttpMessageHandler
{
    public static readonly Uri[] Addresses = [new("http://first.test/tsa"), new("http://second.test/tsa")];
    readonly FileKey key = pki.Key("tsa/tsa.p12");

    /// <summary>What the first does; null: answers.</summary>
    public string? Fault { get; set; }
    /// <summary>Both are.</summary>
    public bool Away { get; set; }
    /// <summary>Host names, in the order in which they were asked.</summary>
    public List<string> Asked { get; } = [];

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Asked.Add(request.RequestUri!.Host);
        Assert.Equal(("POST", "application/timestamp-query"), (request.Method.Method, request.Content!.Headers.ContentType!.MediaType));
        if (Away) throw new HttpRequestException("connection refused");
        var query = await request.Content.ReadAsByteArrayAsync(cancellationToken);
        if (request.RequestUri == Addresses[1] || Fault is null) return Answer(new DevTimeStamps(key).Answer(query, clock.GetUtcNow()));
        switch (Fault)
        {
            case "unreachable": throw new HttpRequestException("connection refused");
            case "breaks off": throw new IOException("reset");
            case "HTTP 500": return new(HttpStatusCode.InternalServerError);
            case "a web page": return Answer("<html>"u8.ToArray(), "text/html");
            case "a redirect": return new(HttpStatusCode.Found) { Headers = { Location = Addresses[1] } };
            case "5 MB": return Answer(new byte[5_000_000]);
            case "5 MB without a length": return new(HttpStatusCode.OK) { Content = new StreamContent(new Endless()) { Headers = { ContentType = new("application/timestamp-reply") } } };
            case "slow":
            case "slow body":
                if (Fault == "slow body") return new(HttpStatusCode.OK) { Content = new StreamContent(new Silent(() => clock.Advance(FetchTimeStamps.Patience))) { Headers = { ContentType = new("application/timestamp-reply") } } };
                clock.Advance(FetchTimeStamps.Patience);
                await Task.Delay(Timeout.Infinite, cancellationToken);
                throw new InvalidOperationException();
            case "another nonce": return Answer(new DevTimeStamps(key) { Heard = q => q with { Nonce = 1 } }.Answer(query, clock.GetUtcNow()));
            case "rejected": return Answer(new DevTimeStamps(key) { Status = 2 }.Answer(query, clock.GetUtcNow()));
            case "another's key": return Answer(new DevTimeStamps(pki.Key("offices/H14/sign.p12")).Answer(query, clock.GetUtcNow()));
            default: throw new InvalidOperationException(Fault);
        }
    }

    static HttpResponseMessage Answer(byte[] body, string type = "application/timestamp-reply") => new(HttpStatusCode.OK) { Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue(type) } } };

    /// <summary>Would fill any memory.</summary>
    sealed class Endless : Feed
    {
        long given;
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            (given += buffer.Length) <= 5_000_000 ? ValueTask.FromResult(buffer.Length) : throw new InvalidOperationException("read on and on");
    }

    /// <summary>Headers, and then nothing.</summary>
    sealed class Silent(Action asked) : Feed
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            asked();
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }
    }

    abstract class Feed : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Flush() { }
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
