using System.Collections.Concurrent;
using System.Diagnostics;
using Dapper;
using Exchange.Adapters;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Gateway.Journaling;
using Exchange.Tests.Crash;
using Exchange.Tests.Delivery;
using Exchange.Tests.Http;
using Exchange.Tests.Simulation;

/// <summary>
/// Another entry of this test program, by DOTNET_STARTUP_HOOKS: the workload that power loss is tried on and long simulations run in a process of their own, before any test framework
/// starts. Not a module initializer: nothing of this assembly could then run on another thread.
/// </summary>
static class StartupHook
{
    public static void Initialize()
    {
        var (folder, backup) = (Environment.GetEnvironmentVariable(CrashWorkload.Variable), Environment.GetEnvironmentVariable(CrashBackup.Variable));
        var simulation = Environment.GetEnvironmentVariable(SimulationCommand.Variable);
        if (folder is not { Length: > 0 } && backup is not { Length: > 0 } && simulation is not { Length: > 0 }) return;
        try
        {
            if (simulation is { Length: > 0 }) Environment.Exit(SimulationCommand.Run(simulation.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
            if (backup is { Length: > 0 }) CrashBackup.Run(backup.Split('|'));
            else new CrashWorkload(folder!).RunAsync().GetAwaiter().GetResult();
        }
        catch (Exception e)
        {
            Console.Error.WriteLine(e);
            Environment.Exit(3);
        }
        Environment.Exit(0);
    }
}

namespace Exchange.Tests.Crash
{
    /// <summary>A whole gateway with its clients, in one process on one data folder; says "@ACK step fields" the moment a client has its answer.</summary>
    sealed class CrashWorkload(string folder)
    {
        public const string Variable = "EXCHANGE_CRASH_WORKLOAD", Pragma = "EXCHANGE_CRASH_PRAGMA", Faulty = "EXCHANGE_CRASH_FAULTY", Uploads = "EXCHANGE_CRASH_UPLOADS", Data = "data";
        const int Rounds = 8;
        readonly Stream error = Console.OpenStandardError();
        readonly Lock gate = new();

        public TestGateway Gateway { get; private set; } = null!;
        public HttpClient Sender { get; private set; } = null!;
        public HttpClient Recipient { get; private set; } = null!;

        /// <summary>Takes every other try only at the second time.</summary>
        public ScriptedAdapter Channel { get; } = new();

        /// <summary>Copies that the channel was given, the last one last.</summary>
        public ConcurrentQueue<Guid> Tried { get; } = [];

        /// <summary>The last that is held.</summary>
        public SealedEnvelope? Held { get; set; }

        /// <summary>The last that waits for a second person.</summary>
        public LabelChange? Change { get; set; }

        /// <summary>Accepted and not yet handed over.</summary>
        public Queue<SealedEnvelope> Waiting { get; } = [];

        public async Task RunAsync()
        {
            Gateway = await TestGateway.Start(folder: Path.Combine(folder, Data), journal: new JournalOptions(), stop: _ => Process.GetCurrentProcess().Kill(), adapters: Channel, uploadSync: CrashUploads.Group);
            Channel.Answer = Carry;
            await Gateway.Reach("H14", "https");
            // Small, so that the log is carried over into the store and begun anew several times.
            ((SqliteEngine)Gateway.Host.Shared.Engine).Log.CarryAt = 50;
            if (Environment.GetEnvironmentVariable(Pragma) is { Length: > 0 } pragma) Execute(pragma);
            (Sender, Recipient) = (Gateway.As("G22"), Gateway.As("H41"));
            Say("READY now");
            if (Environment.GetEnvironmentVariable(Uploads) is { Length: > 0 } payloads) await new CrashUploads(this, payloads).RunAsync();
            else await RoundsAsync();
            // What the last moments leave unsynced shows only if something comes after the last answer.
            Say("END now");
        }

        async Task RoundsAsync()
        {
            for (var round = 0; round < Rounds; round++)
            {
                await Task.WhenAll(CrashSteps.Together.Select(DoAsync));
                foreach (var step in CrashSteps.After) await DoAsync(step);
            }
        }

        // A step without its answer promises nothing; with injected faults the others go on.
        public async Task DoAsync(CrashStep step)
        {
            string[] said;
            try { said = await step.Do(this); }
            catch (Exception e) when (Environment.GetEnvironmentVariable(Faulty) is not null)
            {
                Say($"NAK {step.Name} {e.GetType().Name}");
                return;
            }
            Say($"ACK {step.Name} {string.Join(' ', said)}");
        }

        public void Say(string line)
        {
            lock (gate) error.Write(System.Text.Encoding.UTF8.GetBytes($"@{line}\n"));
        }

        // The office's endpoint is called: by then the claim is for good.
        Task<DeliveryOutcome> Carry(Parcel parcel, byte[] file, CancellationToken cancel)
        {
            Say($"ACK claim {parcel.Id}");
            var first = !Tried.Contains(parcel.Id);
            Tried.Enqueue(parcel.Id);
            return Task.FromResult<DeliveryOutcome>(!first ? new DeliveryOutcome.Delivered(null) : Tried.Count % 2 == 0 ? new DeliveryOutcome.Unknown("no answer") : new DeliveryOutcome.TryLater("not now"));
        }

        // On the connection that writes, while nothing else does: product code has no such switch.
        void Execute(string pragma)
        {
            using var transaction = Gateway.Host.Shared.Engine.Begin();
            var connection = transaction.Connection;
            transaction.Rollback();
            connection.Execute(pragma);
        }
    }

    /// <summary>One kind of promise.</summary>
    /// <param name="Do">In the child: gets the answer and says what it promised, without blanks.</param>
    /// <param name="Broken">In the recovered folder: what of it is not there; null: all is.</param>
    sealed record CrashStep(string Name, Func<CrashWorkload, Task<string[]>> Do, Func<Recovered, string[], string?> Broken);

    /// <summary>A new kind of promise is one line here.</summary>
    static class CrashSteps
    {
        public static readonly CrashStep[] Together =
        [
            new("inline", w => Accept(w, 1000), Recovered.Accepted),
            new("inline-too", w => Accept(w, 1000), Recovered.Accepted),
            new("blob", w => Accept(w, 40_000), Recovered.Accepted),
            new("upload", Upload, Recovered.Accepted),
            new("refusal", Refuse, Recovered.Refused),
            new("queued", w => Accept(w, 1000, "H14"), Recovered.Accepted),
            new("held", Hold, Recovered.Held),
        ];

        public static readonly CrashStep[] After =
        [
            new("word", w => Say(w, "release-1"), Recovered.Said),
            new("release", w => Say(w, "release-2"), Recovered.Said),
            new("raise", w => Relabel(w, w.Waiting.Peek(), "mat", "G22", 201), Recovered.Labelled),
            new("lower", w => Relabel(w, w.Held!, "mat", "H41", 202), Recovered.Labelled),
            new("lowered", w => Relabel(w, w.Held!, null, "G22", 201), Recovered.Labelled),
            new("handover", w => Acknowledge(w, ReceiptEvent.ContentHandover), Recovered.Filed),
            new("opening", w => Acknowledge(w, ReceiptEvent.ContentOpening), Recovered.Filed),
            new("attempt", Attempt, Recovered.Attempted),
            new("checkpoint", Checkpoint, Recovered.Signed),
            new("delivery", Attempt, Recovered.Attempted),
        ];

        /// <summary>Said when they happen, in the middle of another step.</summary>
        public static readonly CrashStep[] Within =
        [
            new("claim", _ => throw new InvalidOperationException(), Recovered.Claimed),
            new("announced", _ => throw new InvalidOperationException(), CrashUploads.Awaited),
            new("told", _ => throw new InvalidOperationException(), CrashUploads.Durable),
        ];

        public static IEnumerable<CrashStep> All => Together.Concat(After).Concat(Within).Concat(CrashUploads.Steps);

        public static async Task<string[]> Accept(CrashWorkload w, int size, string to = "H41")
        {
            var (envelope, file) = await w.Gateway.SealFile(to, size: size);
            return Took(w, envelope, file, await TestGateway.Send(w.Sender, HttpMethod.Post, "/dispatches", file), to);
        }

        static async Task<string[]> Hold(CrashWorkload w)
        {
            var (envelope, file) = await w.Gateway.SealFile("H41", "toi-mat", size: 40_000);
            var answer = await TestGateway.Send(w.Sender, HttpMethod.Post, "/dispatches", file);
            Demand(202, answer);
            w.Held = envelope;
            return [$"{IdOf(envelope)}", Digest.Of(answer.Body).ToString()];
        }

        // The second word makes a dispatch of it; whoever has its receipt has the word for good, and the dispatch at the next look.
        static async Task<string[]> Say(CrashWorkload w, string person)
        {
            var envelope = w.Held ?? throw new InvalidOperationException("nothing was held");
            var answer = await TestGateway.Send(w.Sender, HttpMethod.Post, $"/dispatches/{IdOf(envelope)}/approvals", w.Gateway.Word(envelope, person));
            Demand(201, answer);
            return [$"{IdOf(envelope)}", Digest.Of(answer.Body).ToString()];
        }

        // A label raised by one; lowered by a person of the recipient, and then by one of the sender who signs the same change.
        static async Task<string[]> Relabel(CrashWorkload w, SealedEnvelope envelope, string? level, string office, int status)
        {
            var relabel = new Relabelling.Relabel(w.Gateway, envelope, []);
            var change = level is null ? w.Change ?? throw new InvalidOperationException("nothing waits") : await relabel.Change(LabelAct.Label, level);
            w.Change = level is null ? null : change;
            var answer = await relabel.Say(change, office: office);
            Demand(status, answer);
            return [$"{IdOf(envelope)}", Digest.Of(answer.Body).ToString(), change.Ref.ToString(), $"{(level is null ? 2 : 1)}", $"{status == 201}"];
        }

        // What a reader sees is committed: the newest attempt on the copy that the channel was given last.
        static async Task<string[]> Attempt(CrashWorkload w)
        {
            await w.Gateway.Deliver();
            var parcel = w.Tried.Last();
            using var reader = w.Gateway.Host.Shared.Engine.Reader();
            // None: its settling failed, so nothing of it was promised.
            var outcome = reader.One<long?>("SELECT outcome FROM attempt WHERE parcel = @parcel ORDER BY fence DESC LIMIT 1", new { parcel }) ?? throw new InvalidOperationException("no attempt was settled");
            return [$"{parcel}", $"{outcome}"];
        }

        static async Task<string[]> Upload(CrashWorkload w)
        {
            var (envelope, file) = await w.Gateway.SealFile("H41", size: 70_000);
            var parts = EnvelopeFile.Write(envelope.Parts);
            Demand(202, await TestGateway.Send(w.Sender, HttpMethod.Post, "/dispatches", parts));
            return Took(w, envelope, file, await TestGateway.Send(w.Sender, HttpMethod.Put, $"/dispatches/{IdOf(envelope)}/payload", file[parts.Length..]));
        }

        public static string[] Took(CrashWorkload w, SealedEnvelope envelope, byte[] file, Answer answer, string to = "H41")
        {
            Demand(201, answer);
            if (to == "H41") lock (w.Waiting) w.Waiting.Enqueue(envelope);
            return [$"{IdOf(envelope)}", Digest.Of(file).ToString(), Digest.Of(answer.Body).ToString()];
        }

        static async Task<string[]> Refuse(CrashWorkload w)
        {
            var (_, file) = await w.Gateway.SealFile("H41", change: r => r with { Gateway = "another/ledger" });
            var answer = await TestGateway.Send(w.Sender, HttpMethod.Post, "/dispatches", file);
            return [Digest.Of(System.Buffers.Text.Base64Url.DecodeFromChars(answer.Json.GetProperty("receipt").GetString())).ToString()];
        }

        static async Task<string[]> Acknowledge(CrashWorkload w, string @event)
        {
            // The opening is of the copy whose handover came before.
            var envelope = @event == ReceiptEvent.ContentHandover ? w.Waiting.Peek() : w.Waiting.Dequeue();
            var list = (await TestGateway.Send(w.Recipient, HttpMethod.Get, "/mailbox?all=true")).Json.GetProperty("parcels").EnumerateArray();
            var parcel = list.First(p => p.GetProperty("envelope").GetGuid() == IdOf(envelope)).GetProperty("parcel").GetGuid();
            var receipt = OfficeReceipts.Sign(envelope, @event);
            Demand(201, await TestGateway.Send(w.Recipient, HttpMethod.Post, $"/mailbox/{parcel}/receipts", receipt));
            return [$"{parcel}", Digest.Of(receipt).ToString()];
        }

        static async Task<string[]> Checkpoint(CrashWorkload w)
        {
            w.Gateway.Clock.Advance(TimeSpan.FromSeconds(30));
            await w.Gateway.Host.Loops.StepAll();
            var note = (await TestGateway.Send(w.Recipient, HttpMethod.Get, "/ledger/checkpoint")).Text.Split('\n');
            return [note[1], Convert.ToHexStringLower(Convert.FromBase64String(note[2]))];
        }

        public static Guid IdOf(SealedEnvelope envelope) => EnvelopeFile.PeekUnverified(envelope.Parts.Header).Id;

        public static void Demand(int status, Answer answer)
        {
            if (answer.Status != status) throw new InvalidOperationException($"{answer.Status}: {answer.Text}");
        }
    }
}
