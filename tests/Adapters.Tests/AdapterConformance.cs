using Exchange.Adapters;

namespace Exchange.Tests;

/// <summary>A new adapter brings a subclass of this and is measured by the same checks as every other.</summary>
public abstract class AdapterConformance
{
    private protected abstract Task<Counterpart> StartAsync();

    public static TheoryData<string> Checks => [.. Conformance.Checks.Keys];

    [Theory, MemberData(nameof(Checks))]
    public async Task The_adapter_keeps_the_promise(string check)
    {
        await using var there = await StartAsync();
        await Conformance.Checks[check](there, there.Adapter);
    }

    // The controls: adapters that break the promise, each of which the suite must find.

    [Theory]
    [InlineData(nameof(Conformance.What_was_not_kept_is_not_delivered))]
    [InlineData(nameof(Conformance.Cancellation_ends_promptly_and_claims_nothing))]
    [InlineData(nameof(Conformance.A_source_that_ends_early_is_not_delivered))]
    public Task An_adapter_that_always_says_delivered_is_found(string check) => IsFoundAsync(check, real => new AlwaysDelivered(real));

    [Theory]
    [InlineData(nameof(Conformance.Delivered_means_that_all_bytes_are_there))]
    [InlineData(nameof(Conformance.Different_parcels_go_side_by_side))]
    public Task An_adapter_that_never_writes_is_found(string check) => IsFoundAsync(check, real => new NeverWrites(real));

    [Theory]
    [InlineData(nameof(Conformance.The_same_parcel_twice_has_one_effect))]
    [InlineData(nameof(Conformance.Different_parcels_go_side_by_side))]
    public Task An_adapter_that_delivers_twice_is_found(string check) => IsFoundAsync(check, real => new DeliversTwice(real));

    async Task IsFoundAsync(string check, Func<IDeliveryAdapter, IDeliveryAdapter> broken)
    {
        await using var there = await StartAsync();
        var found = await Record.ExceptionAsync(() => Conformance.Checks[check](there, broken(there.Adapter)));
        Assert.IsType<Xunit.Sdk.XunitException>(found, exactMatch: false);
    }

    sealed class AlwaysDelivered(IDeliveryAdapter real) : IDeliveryAdapter
    {
        public string Name => real.Name;
        public bool EndsAtOffice => real.EndsAtOffice;

        public async Task<DeliveryOutcome> DeliverAsync(Parcel parcel, Func<CancellationToken, Task<Stream>> open, CancellationToken cancel)
        {
            await real.DeliverAsync(parcel, open, cancel);
            return new DeliveryOutcome.Delivered(null);
        }

        public Task<DeliveryOutcome?> AskAsync(Parcel parcel, CancellationToken cancel) => Task.FromResult<DeliveryOutcome?>(new DeliveryOutcome.Delivered(null));
    }

    sealed class NeverWrites(IDeliveryAdapter real) : IDeliveryAdapter
    {
        public string Name => real.Name;
        public bool EndsAtOffice => real.EndsAtOffice;

        public async Task<DeliveryOutcome> DeliverAsync(Parcel parcel, Func<CancellationToken, Task<Stream>> open, CancellationToken cancel)
        {
            await using var source = await open(cancel);
            await source.CopyToAsync(Stream.Null, cancel);
            return new DeliveryOutcome.Delivered(null);
        }

        public Task<DeliveryOutcome?> AskAsync(Parcel parcel, CancellationToken cancel) => real.AskAsync(parcel, cancel);
    }

    sealed class DeliversTwice(IDeliveryAdapter real) : IDeliveryAdapter
    {
        public string Name => real.Name;
        public bool EndsAtOffice => real.EndsAtOffice;

        public async Task<DeliveryOutcome> DeliverAsync(Parcel parcel, Func<CancellationToken, Task<Stream>> open, CancellationToken cancel)
        {
            await real.DeliverAsync(parcel with { Id = Guid.CreateVersion7() }, open, cancel);
            return await real.DeliverAsync(parcel, open, cancel);
        }

        public Task<DeliveryOutcome?> AskAsync(Parcel parcel, CancellationToken cancel) => real.AskAsync(parcel, cancel);
    }
}
