using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Exchange.Adapters;

namespace Exchange.Tests;

/// <summary>The other side of one adapter, real: it takes, keeps, and can be looked into.</summary>
abstract class Counterpart : IAsyncDisposable
{
    public abstract IDeliveryAdapter Adapter { get; }
    public abstract IReadOnlyDictionary<string, string> Settings { get; }

    /// <summary>What the other side holds whole and for good under this id; null: nothing.</summary>
    public abstract byte[]? Held(Guid id);

    /// <summary>The acceptance that came beside it.</summary>
    public abstract byte[]? HeldReceipt(Guid id);

    /// <summary>How many parcels have taken effect, under whatever name.</summary>
    public abstract int Effects { get; }

    /// <summary>From now on it can keep nothing.</summary>
    public abstract void Spoil();

    /// <summary>The adapter of the next run of the gateway, which knows nothing of this one.</summary>
    public virtual IDeliveryAdapter Restart() => Adapter;

    /// <summary>How it answers from now on.</summary>
    /// <returns>False: on this channel nobody answers in such a way.</returns>
    public virtual bool Answer(Manner manner) => manner == Manner.Well;

    /// <summary>Of a channel that hands on: waits until the carrier has reported, then asks the adapter.</summary>
    public virtual Task<DeliveryOutcome?> HearAsync(IDeliveryAdapter adapter, Parcel parcel) => adapter.AskAsync(parcel, TestContext.Current.CancellationToken);

    public abstract ValueTask DisposeAsync();

    public Parcel NewParcel(int length) => new(Guid.CreateVersion7(), "H41", length, "the acceptance"u8.ToArray(), Settings);
}

/// <summary>What the seam promises, as checks that any adapter with its counterpart must pass; a check that fails throws.</summary>
static class Conformance
{
    const string Secret = "SECRET-CONTENT-";
    static readonly TimeSpan Promptly = TimeSpan.FromSeconds(3);

    public static readonly IReadOnlyDictionary<string, Func<Counterpart, IDeliveryAdapter, Task>> Checks = new Dictionary<string, Func<Counterpart, IDeliveryAdapter, Task>>
    {
        [nameof(Delivered_means_that_all_bytes_are_there)] = Delivered_means_that_all_bytes_are_there,
        [nameof(The_same_parcel_twice_has_one_effect)] = The_same_parcel_twice_has_one_effect,
        [nameof(What_was_not_kept_is_not_delivered)] = What_was_not_kept_is_not_delivered,
        [nameof(Cancellation_ends_promptly_and_claims_nothing)] = Cancellation_ends_promptly_and_claims_nothing,
        [nameof(Asking_tells_before_from_after)] = Asking_tells_before_from_after,
        [nameof(Different_parcels_go_side_by_side)] = Different_parcels_go_side_by_side,
        [nameof(A_source_that_ends_early_is_not_delivered)] = A_source_that_ends_early_is_not_delivered,
        [nameof(Settings_that_cannot_work_are_named)] = Settings_that_cannot_work_are_named,
        [nameof(No_reason_tells_of_the_payload)] = No_reason_tells_of_the_payload,
        [nameof(A_probe_goes_there_and_has_no_effect)] = A_probe_goes_there_and_has_no_effect,
        [nameof(A_crash_between_sending_and_writing_it_down_has_one_effect)] = A_crash_between_sending_and_writing_it_down_has_one_effect,
        [nameof(A_partner_that_answers_late_is_believed_when_it_is_asked)] = A_partner_that_answers_late_is_believed_when_it_is_asked,
        [nameof(A_partner_that_answers_twice_is_believed_when_it_is_asked)] = A_partner_that_answers_twice_is_believed_when_it_is_asked,
        [nameof(A_partner_that_answers_wrongly_is_believed_when_it_is_asked)] = A_partner_that_answers_wrongly_is_believed_when_it_is_asked,
        [nameof(A_partner_that_never_answers_is_believed_when_it_is_asked)] = A_partner_that_never_answers_is_believed_when_it_is_asked,
    };

    public static async Task Delivered_means_that_all_bytes_are_there(Counterpart there, IDeliveryAdapter adapter)
    {
        foreach (var length in new[] { 1, 64 << 10, (64 << 10) + 1, 900_000 })
        {
            var (parcel, bytes) = (there.NewParcel(length), Bytes(length));
            await DeliveredAsync(there, adapter, parcel, bytes);
            Assert.Equal(bytes, there.Held(parcel.Id));
            Assert.Equal(parcel.Receipt.ToArray(), there.HeldReceipt(parcel.Id));
        }
    }

    public static async Task The_same_parcel_twice_has_one_effect(Counterpart there, IDeliveryAdapter adapter)
    {
        var (parcel, bytes) = (there.NewParcel(200_000), Bytes(200_000));
        var first = await DeliveredAsync(there, adapter, parcel, bytes);
        var second = await DeliveredAsync(there, adapter, parcel, bytes);
        Assert.Equal(first.Receipt?.ToArray(), second.Receipt?.ToArray());
        Assert.Equal(bytes, there.Held(parcel.Id));
        Assert.Equal(1, there.Effects);
    }

    public static async Task What_was_not_kept_is_not_delivered(Counterpart there, IDeliveryAdapter adapter)
    {
        there.Spoil();
        var parcel = there.NewParcel(300_000);
        var outcome = await adapter.DeliverAsync(parcel, Open(Bytes(300_000)), Cancel);
        Assert.Null(there.Held(parcel.Id));
        Assert.IsNotType<DeliveryOutcome.Delivered>(outcome);
        Assert.IsNotType<DeliveryOutcome.Refused>(outcome);
    }

    public static async Task Cancellation_ends_promptly_and_claims_nothing(Counterpart there, IDeliveryAdapter adapter)
    {
        // The source stops giving in the middle: the adapter waits inside its work when it is told to end.
        var parcel = there.NewParcel(400_000);
        using var source = new HaltingStream(Bytes(200_000), 400_000);
        using var stop = new CancellationTokenSource();
        var work = adapter.DeliverAsync(parcel, _ => Task.FromResult<Stream>(source), stop.Token);
        await Task.WhenAny(source.Halted, work).WaitAsync(TimeSpan.FromSeconds(20), Cancel);
        var since = Stopwatch.StartNew();
        await stop.CancelAsync();
        var outcome = await work.WaitAsync(TimeSpan.FromSeconds(20), Cancel);
        Assert.True(since.Elapsed < Promptly, $"{since.Elapsed}");
        Assert.True(outcome is DeliveryOutcome.Unknown or DeliveryOutcome.TryLater, outcome.ToString());
        Assert.Null(there.Held(parcel.Id));
        // The next try is as if there had been none.
        var bytes = Bytes(400_000);
        await DeliveredAsync(there, adapter, parcel, bytes);
        Assert.Equal(bytes, there.Held(parcel.Id));
    }

    public static async Task Asking_tells_before_from_after(Counterpart there, IDeliveryAdapter adapter)
    {
        var (parcel, bytes) = (there.NewParcel(100_000), Bytes(100_000));
        Assert.Null(await adapter.AskAsync(parcel, Cancel));
        var delivered = await DeliveredAsync(there, adapter, parcel, bytes);
        var asked = Assert.IsType<DeliveryOutcome.Delivered>(await adapter.AskAsync(parcel, Cancel));
        Assert.Equal(delivered.Receipt?.ToArray(), asked.Receipt?.ToArray());
        Assert.Null(await adapter.AskAsync(there.NewParcel(1), Cancel));
    }

    public static async Task Different_parcels_go_side_by_side(Counterpart there, IDeliveryAdapter adapter)
    {
        var parcels = Enumerable.Range(0, 16).Select(i => (Parcel: there.NewParcel(50_000 + i), Bytes: Bytes(50_000 + i))).ToList();
        var outcomes = await Task.WhenAll(parcels.Select(p => adapter.DeliverAsync(p.Parcel, Open(p.Bytes), Cancel)));
        foreach (var (parcel, outcome) in parcels.Select(p => p.Parcel).Zip(outcomes)) await HeardAsync(there, adapter, parcel, outcome);
        Assert.All(parcels, p => Assert.Equal(p.Bytes, there.Held(p.Parcel.Id)));
        Assert.Equal(16, there.Effects);
    }

    public static async Task A_source_that_ends_early_is_not_delivered(Counterpart there, IDeliveryAdapter adapter)
    {
        var parcel = there.NewParcel(200_000);
        foreach (var open in new[] { Open(Bytes(150_000)), Open(Bytes(200_001)), _ => throw new IOException("no such blob") })
        {
            var outcome = await adapter.DeliverAsync(parcel, open, Cancel);
            Assert.True(outcome is DeliveryOutcome.Unknown or DeliveryOutcome.TryLater, outcome.ToString());
            Assert.Null(there.Held(parcel.Id));
        }
    }

    public static async Task Settings_that_cannot_work_are_named(Counterpart there, IDeliveryAdapter adapter)
    {
        string[] wrong = ["", "..", "/etc", "a/b", "http://127.0.0.1", "https://user@127.0.0.1:1", "https://127.0.0.1:1/path", "\0"];
        foreach (var settings in wrong.Select(w => there.Settings.ToDictionary(s => s.Key, _ => w)).Append([]))
        {
            var parcel = there.NewParcel(10) with { Settings = settings };
            Assert.StartsWith("settings: ", Assert.IsType<DeliveryOutcome.TryLater>(await adapter.DeliverAsync(parcel, Open(Bytes(10)), Cancel)).Reason, StringComparison.Ordinal);
            Assert.StartsWith("settings: ", Assert.IsType<DeliveryOutcome.TryLater>(await adapter.AskAsync(parcel, Cancel)).Reason, StringComparison.Ordinal);
        }
    }

    public static async Task A_probe_goes_there_and_has_no_effect(Counterpart there, IDeliveryAdapter adapter)
    {
        var nobody = there.NewParcel(0) with { Receipt = default };
        Assert.Null(await adapter.ProbeAsync(nobody, Cancel));
        Assert.Equal(0, there.Effects);
        Assert.Null(await adapter.AskAsync(nobody, Cancel));
        Assert.StartsWith("settings: ", await adapter.ProbeAsync(nobody with { Settings = new Dictionary<string, string>() }, Cancel), StringComparison.Ordinal);
    }

    public static async Task No_reason_tells_of_the_payload(Counterpart there, IDeliveryAdapter adapter)
    {
        there.Spoil();
        var bytes = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(Secret, 20_000)));
        var parcel = there.NewParcel(bytes.Length);
        using var halting = new HaltingStream(bytes[..200_000], bytes.Length);
        using var stop = new CancellationTokenSource(300);
        DeliveryOutcome?[] outcomes =
        [
            await adapter.DeliverAsync(parcel, Open(bytes), Cancel), await adapter.DeliverAsync(parcel, Open(bytes[..5]), Cancel), await adapter.AskAsync(parcel, Cancel),
            await adapter.DeliverAsync(parcel, _ => throw new IOException(Secret), Cancel), await adapter.DeliverAsync(parcel, _ => Task.FromResult<Stream>(halting), stop.Token),
        ];
        Assert.All(outcomes, o => Assert.DoesNotContain("SECRET", $"{o}", StringComparison.OrdinalIgnoreCase));
    }

    public static async Task A_crash_between_sending_and_writing_it_down_has_one_effect(Counterpart there, IDeliveryAdapter adapter)
    {
        var (parcel, bytes) = (there.NewParcel(300_000), Bytes(300_000));
        var lost = await DeliveredAsync(there, adapter, parcel, bytes);
        // Nobody wrote that down. The next run asks, and may as well send again.
        var next = there.Restart();
        Assert.Equal(lost.Receipt?.ToArray(), Assert.IsType<DeliveryOutcome.Delivered>(await next.AskAsync(parcel, Cancel)).Receipt?.ToArray());
        Assert.Equal(lost.Receipt?.ToArray(), (await DeliveredAsync(there, next, parcel, bytes)).Receipt?.ToArray());
        Assert.Equal(bytes, there.Held(parcel.Id));
        Assert.Equal(1, there.Effects);
    }

    public static Task A_partner_that_answers_late_is_believed_when_it_is_asked(Counterpart there, IDeliveryAdapter adapter) => AnsweredAsync(there, adapter, Manner.Late);
    public static Task A_partner_that_answers_twice_is_believed_when_it_is_asked(Counterpart there, IDeliveryAdapter adapter) => AnsweredAsync(there, adapter, Manner.Twice);
    public static Task A_partner_that_answers_wrongly_is_believed_when_it_is_asked(Counterpart there, IDeliveryAdapter adapter) => AnsweredAsync(there, adapter, Manner.Wrongly);
    public static Task A_partner_that_never_answers_is_believed_when_it_is_asked(Counterpart there, IDeliveryAdapter adapter) => AnsweredAsync(there, adapter, Manner.Never);

    // Whatever it says of the parcel, and whether it has it or not: nothing is claimed without it, and the question afterwards settles it.
    static async Task AnsweredAsync(Counterpart there, IDeliveryAdapter adapter, Manner manner)
    {
        if (!there.Answer(manner)) return;
        var (parcel, bytes) = (there.NewParcel(300_000), Bytes(300_000));
        var outcome = await adapter.DeliverAsync(parcel, Open(bytes), Cancel).WaitAsync(TimeSpan.FromSeconds(20), Cancel);
        // What a partner signs is for the gateway to check; without a signature the adapter answers for it.
        Assert.True(outcome is DeliveryOutcome.Unknown or DeliveryOutcome.TryLater or DeliveryOutcome.HandedOn or DeliveryOutcome.Delivered { Receipt: not null } || (outcome is DeliveryOutcome.Delivered && there.Held(parcel.Id) is not null), outcome.ToString());
        there.Answer(Manner.Well);
        var asked = await there.HearAsync(adapter, parcel);
        if (there.Held(parcel.Id) is null) Assert.Null(asked);
        else Assert.IsType<DeliveryOutcome.Delivered>(asked);
        await DeliveredAsync(there, adapter, parcel, bytes);
        Assert.Equal(bytes, there.Held(parcel.Id));
        Assert.Equal(1, there.Effects);
    }

    static async Task<DeliveryOutcome.Delivered> DeliveredAsync(Counterpart there, IDeliveryAdapter adapter, Parcel parcel, byte[] bytes) =>
        await HeardAsync(there, adapter, parcel, await adapter.DeliverAsync(parcel, Open(bytes), Cancel));

    static async Task<DeliveryOutcome.Delivered> HeardAsync(Counterpart there, IDeliveryAdapter adapter, Parcel parcel, DeliveryOutcome? outcome) =>
        Assert.IsType<DeliveryOutcome.Delivered>(outcome is DeliveryOutcome.HandedOn ? await there.HearAsync(adapter, parcel) : outcome);

    public static byte[] Bytes(int length) => RandomNumberGenerator.GetBytes(length);
    public static Func<CancellationToken, Task<Stream>> Open(byte[] bytes) => _ => Task.FromResult<Stream>(new MemoryStream(bytes, writable: false));
    static CancellationToken Cancel => TestContext.Current.CancellationToken;
}

/// <summary>Gives what it has, then waits until it is cancelled.</summary>
sealed class HaltingStream(byte[] bytes, long length) : Stream
{
    readonly TaskCompletionSource halted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    int position;

    public Task Halted => halted.Task;
    public override bool CanRead => true;
    public override bool CanSeek => true;
    public override bool CanWrite => false;
    public override long Length => length;
    public override long Position { get => position; set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (position == bytes.Length)
        {
            halted.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        var count = Math.Min(buffer.Length, bytes.Length - position);
        bytes.AsMemory(position, count).CopyTo(buffer);
        position += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override void Flush() => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
