namespace Exchange.Adapters;

/// <summary>One office's copy as an adapter sees it: names and opaque bytes. An adapter cannot open what it carries.</summary>
/// <param name="Id">Neutral name: also the idempotency key, the same for all tries.</param>
/// <param name="Office">Recipient's code.</param>
/// <param name="Length">Bytes of the one-file form.</param>
/// <param name="Receipt">The gateway's acceptance (DER); travels beside the envelope, opaque here. Empty: it is inside, and nothing is put beside the envelope.</param>
/// <param name="Settings">The office's channel settings; which names, the adapter's options say.</param>
public sealed record Parcel(Guid Id, string Office, long Length, ReadOnlyMemory<byte> Receipt, IReadOnlyDictionary<string, string> Settings);
