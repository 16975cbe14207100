using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Exchange.Crypto;
using Exchange.Crypto.Ledger;
using Exchange.Crypto.Policy;
using Exchange.Gateway.Store;

namespace Exchange.Gateway.Audit;

/// <summary>What an auditor asks for, read strictly: a parameter that is not known, doubled or out of its range is refused. Nothing of it is a label's text.</summary>
sealed record AuditQuery
{
    static readonly string[] Names = ["kind", "office", "from", "to", "dispatch", "verdict", "level", "certificate", "at", "after", "limit", "proofs"];
    const int TokenTag = 16;

    public EntryKind? Kind { get; private init; }
    /// <summary>Sender, or whose copy it is.</summary>
    public string? Office { get; private init; }
    /// <summary>Unix milliseconds, inclusive.</summary>
    public long? From { get; private init; }
    /// <summary>Exclusive.</summary>
    public long? To { get; private init; }
    /// <summary>Header id.</summary>
    public Guid? Dispatch { get; private init; }
    public Verdict? Verdict { get; private init; }
    /// <summary>Code of a level of the policy.</summary>
    public string? Level { get; private init; }
    /// <summary>Key of a certificate that the entry names.</summary>
    public Digest? Certificate { get; private init; }
    /// <summary>Size of the tree that pages hold still at; null: the newest published.</summary>
    public long? At { get; private init; }
    public string? After { get; private init; }
    public int Limit { get; private init; }
    /// <summary>Each entry comes with its inclusion in the tree of that size.</summary>
    public bool Proofs { get; private init; }
    /// <summary>Only what is said of copies that are still under way.</summary>
    public bool UnderWay { get; private init; }
    /// <summary>What the question is spelled like, for the ledger: path and parameters in ordinal order, a line each.</summary>
    public required string Canonical { get; init; }

    /// <exception cref="RefusedException"><see cref="Refusal.Request"/>, with the name of what is wrong.</exception>
    public static AuditQuery Read(HttpContext context, int most)
    {
        var query = context.Request.Query;
        Demand(query.Keys.All(Names.Contains), "an unknown parameter");
        Demand(query.All(p => p.Value is [{ Length: > 0 and <= 200 }]), "a parameter twice or empty");
        string? Text(string name) => query.TryGetValue(name, out var values) ? values[0] : null;
        return new AuditQuery
        {
            Kind = Text("kind") is { } kind ? EntryKinds.TryParse(kind, out var found) ? found : throw Wrong("kind") : null,
            Office = Text("office"),
            From = Number(Text("from"), "from"), To = Number(Text("to"), "to"), At = Number(Text("at"), "at"),
            Dispatch = Text("dispatch") is { } id ? Guid.TryParseExact(id, "D", out var envelope) && envelope.ToString() == id ? envelope : throw Wrong("dispatch") : null,
            Verdict = Text("verdict") switch { null => null, "permit" => Crypto.Policy.Verdict.Permit, "hold" => Crypto.Policy.Verdict.Hold, "deny" => Crypto.Policy.Verdict.Deny, _ => throw Wrong("verdict") },
            Level = Text("level"),
            Certificate = Text("certificate") is { } key ? Digest.TryParse(key, out var digest) ? digest : throw Wrong("certificate") : null,
            After = Text("after"),
            Limit = Number(Text("limit"), "limit") is { } limit ? limit >= 1 && limit <= most ? (int)limit : throw Wrong("limit") : most,
            Proofs = Text("proofs") switch { null or "false" => false, "true" => true, _ => throw Wrong("proofs") },
            Canonical = context.Request.Path.Value + string.Concat(query.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"\n{p.Key}={p.Value}")),
        };
    }

    /// <summary>Copies of which the sender was told that half of their time is over.</summary>
    public AuditQuery Overdue() => Kind is null ? this with { Kind = EntryKind.Delay, UnderWay = true } : throw Wrong("kind");

    /// <summary>What was refused.</summary>
    public AuditQuery Refused() => Verdict is null ? this with { Verdict = Crypto.Policy.Verdict.Deny } : throw Wrong("verdict");

    /// <summary>SHA-256 of <see cref="Canonical"/> in UTF-8.</summary>
    public Digest Digest => Crypto.Digest.Of(Encoding.UTF8.GetBytes(Canonical));

    /// <summary>Where this question goes on, at this size and for this auditor; opaque to him. It holds a place that he was shown, so it need not be secret; it fits no other question.</summary>
    public string Token(long place, long size, Digest auditor)
    {
        var bytes = new byte[sizeof(long) + TokenTag];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bytes, place);
        Tag(place, size, auditor).CopyTo(bytes.AsSpan(sizeof(long)));
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>Place from which to go on; 0: from the first.</summary>
    /// <exception cref="RefusedException"><see cref="Refusal.Request"/>: of another question, size or auditor.</exception>
    public long Place(long size, Digest auditor)
    {
        if (After is not { } token) return 0;
        Demand(At is not null && token.Length == Base64Url.GetEncodedLength(sizeof(long) + TokenTag) && Base64Url.IsValid(token), "after: comes with at");
        var bytes = Base64Url.DecodeFromChars(token);
        var place = System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(bytes);
        Demand(place >= 0 && bytes.AsSpan(sizeof(long)).SequenceEqual(Tag(place, size, auditor)), "after: of another question");
        return place;
    }

    byte[] Tag(long place, long size, Digest auditor)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{place}\n{size}\n{auditor}\n{Kind}\n{Office}\n{From}\n{To}\n{Dispatch}\n{Verdict}\n{Level}\n{Certificate}\n{UnderWay}");
        return Crypto.Digest.Of(Encoding.UTF8.GetBytes(text)).ToArray()[..TokenTag];
    }

    static long? Number(string? text, string name) =>
        text is null ? null : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw Wrong(name);

    static void Demand(bool holds, string detail)
    {
        if (!holds) throw Wrong(detail);
    }

    internal static RefusedException Wrong(string detail) => new(Refusal.Request, detail);
}
