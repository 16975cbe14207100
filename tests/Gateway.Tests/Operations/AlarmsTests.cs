using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Exchange.Gateway.Operations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Exchange.Tests.Operations;

public sealed class AlarmsTests
{
    readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero));

    sealed class Target(string name) : IAlarmTarget
    {
        public string Name => name;
        public List<string[]> Told { get; } = [];
        public Func<string?> Answer { get; set; } = () => null;

        public Task<string?> TellAsync(IReadOnlyList<ToldAlarm> alarms, CancellationToken cancel)
        {
            Told.Add([.. alarms.Select(a => a.Alarm.Detail)]);
            return Task.FromResult(Answer());
        }
    }

    Alarms Of(params IAlarmTarget[] targets) => new(targets, clock, NullLogger<Alarms>.Instance);

    static Alarm Down(string office) => new(AlarmCode.BreakerOpened, office, office);

    async Task Step(Alarms alarms, TimeSpan after)
    {
        clock.Advance(after);
        await alarms.Step(clock.GetUtcNow());
    }

    [Fact]
    public async Task What_comes_together_is_told_in_one_message_and_once()
    {
        var duty = new Target("mail");
        var alarms = Of(duty);
        for (var i = 0; i < 3; i++) alarms.Raise(Down($"H{i}"));
        await Step(alarms, TimeSpan.FromSeconds(1));
        await Step(alarms, TimeSpan.FromSeconds(10));
        Assert.Equal(["H0", "H1", "H2"], Assert.Single(duty.Told));
    }

    [Fact]
    public async Task A_target_that_does_not_take_it_is_tried_again_and_the_other_one_does_not_wait()
    {
        var (bad, good) = (new Target("webhook"), new Target("mail"));
        bad.Answer = () => "HTTP 500";
        var alarms = Of(bad, good);
        alarms.Raise(Down("H41"));
        await Step(alarms, TimeSpan.FromSeconds(1));
        await Step(alarms, TimeSpan.FromSeconds(5));
        Assert.Equal((1, 1), (bad.Told.Count, good.Told.Count));
        bad.Answer = () => throw new InvalidOperationException();
        await Step(alarms, TimeSpan.FromSeconds(5));
        bad.Answer = () => null;
        alarms.Raise(Down("H14"));
        await Step(alarms, TimeSpan.FromSeconds(10));
        Assert.Equal(2, bad.Told.Count);
        await Step(alarms, TimeSpan.FromSeconds(10));
        Assert.Equal(["H41", "H14"], bad.Told[^1]);
        await Step(alarms, TimeSpan.FromSeconds(10));
        Assert.Equal((3, 2), (bad.Told.Count, good.Told.Count));
    }

    [Fact]
    public async Task What_nobody_takes_for_a_day_is_given_up_and_what_came_since_is_not()
    {
        var bad = new Target("webhook") { Answer = () => "HTTP 500" };
        var alarms = Of(bad);
        alarms.Raise(Down("H41"));
        await Step(alarms, TimeSpan.FromHours(20));
        alarms.Raise(Down("H14"));
        bad.Answer = () => null;
        await Step(alarms, TimeSpan.FromHours(5));
        Assert.Equal(["H14"], bad.Told[^1]);
    }

    [Fact]
    public async Task A_thousand_wait_at_most_and_the_newest_are_kept()
    {
        var bad = new Target("webhook") { Answer = () => "HTTP 500" };
        var alarms = Of(bad);
        for (var i = 0; i < 1100; i++) alarms.Raise(Down($"H{i}"));
        bad.Answer = () => null;
        for (var i = 0; i < 20; i++) await Step(alarms, TimeSpan.FromMinutes(1));
        var told = bad.Told.SelectMany(t => t).ToList();
        Assert.Equal((1000, "H100", "H1099"), (told.Count, told[0], told[^1]));
    }

    [Fact]
    public void Every_code_says_what_to_do_in_both_languages()
    {
        foreach (var code in Enum.GetValues<AlarmCode>())
        {
            var words = AlarmWords.Of(code);
            Assert.All([words.En, words.Vi, words.ToDoEn, words.ToDoVi], text => Assert.True(text.Length > 3 && text.EndsWith('.') && text.IsNormalized() || text.EndsWith("discard", StringComparison.Ordinal) || text.EndsWith("queue", StringComparison.Ordinal) || text.EndsWith(".crl", StringComparison.Ordinal), text));
        }
        Assert.Equal(Enum.GetValues<AlarmCode>().Length, Enum.GetValues<AlarmCode>().Select(c => AlarmWords.Of(c).En).Distinct().Count());
    }

    [Fact]
    public async Task A_webhook_is_posted_over_tls_that_its_own_authority_vouches_for_and_to_nobody_else()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l => l.UseHttps(X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null))));
        await using var app = builder.Build();
        var (bodies, tokens, status) = (new List<byte[]>(), new List<string?>(), 204);
        app.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            bodies.Add(body.ToArray());
            tokens.Add(context.Request.Headers.Authorization);
            context.Response.StatusCode = status;
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        var url = new UriBuilder(app.Urls.Single()) { Host = "localhost", Path = "/alarms" }.Uri;
        var token = Path.GetTempFileName();
        await File.WriteAllTextAsync(token, "secret-token\n", TestContext.Current.CancellationToken);
        var alarm = new ToldAlarm(Guid.CreateVersion7(), clock.GetUtcNow(), new Alarm(AlarmCode.BreakerOpened, "H41", "https: connection refused"));

        using (var webhook = new AlarmWebhook(url, "gw.test/ledger", [X509CertificateLoader.LoadCertificate(certificate.RawData)], token))
        {
            Assert.Null(await webhook.TellAsync([alarm], TestContext.Current.CancellationToken));
            var json = JsonDocument.Parse(Assert.Single(bodies)).RootElement;
            Assert.Equal("gw.test/ledger", json.GetProperty("gateway").GetString());
            var one = json.GetProperty("alarms")[0];
            Assert.Equal(("BreakerOpened", "H41", AlarmWords.Of(AlarmCode.BreakerOpened).ToDoVi), (one.GetProperty("code").GetString(), one.GetProperty("office").GetString(), one.GetProperty("toDoVi").GetString()));
            Assert.Equal("Bearer secret-token", tokens[0]);
            status = 302;
            Assert.Equal("HTTP 302", await webhook.TellAsync([alarm], TestContext.Current.CancellationToken));
            File.Delete(token);
            Assert.NotNull(await webhook.TellAsync([alarm], TestContext.Current.CancellationToken));
        }
        using (var stranger = new AlarmWebhook(url, "gw.test/ledger", [], null)) Assert.NotNull(await stranger.TellAsync([alarm], TestContext.Current.CancellationToken));
        Assert.Equal(2, bodies.Count);
    }
}
