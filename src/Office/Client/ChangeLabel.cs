using System.Security.Cryptography;
using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Client;

/// <param name="Person">Subject of his certificate in the directory; null: no person of that office any more.</param>
public sealed record LabelWordView(string Office, string? Person, DateTimeOffset Time);

/// <param name="State">"waiting", "accepted" or "ended".</param>
/// <param name="Words">Statements over exactly this change, each verified.</param>
public sealed record LabelChangeView(Digest Ref, LabelChange Change, string State, string Code, DateTimeOffset Time, DateTimeOffset? InForceAt, DateTimeOffset? WaitsUntil, IReadOnlyList<LabelWordView> Words);

/// <summary>The label in force of a dispatch, as far as it is proven: it is the header's, or stands in the change that the gateway names, signed by the persons who are shown.</summary>
/// <param name="Parcel">Copy through which this office has it; null: it is its own.</param>
/// <param name="Id">Of the first envelope of the dispatch, whose label it is.</param>
/// <param name="ManifestDigest">Of that: receipts name it. null: this office has only a later one.</param>
public sealed record LabelView(string Sender, Guid Id, Digest Ctx, Digest? ManifestDigest, Guid? Parcel, Label Author, Label InForce, Digest Previous, DateTimeOffset Since, DateTimeOffset? Extension, bool Stopped,
    IReadOnlyList<LabelChangeView> Changes);

/// <param name="Waits">It is on record and counts once another person has signed it.</param>
public sealed record LabelVerdict(Receipt Receipt, bool Waits);

/// <summary>The label of a dispatch that this office sent or received, and a person's word about it.</summary>
sealed class ChangeLabel(OfficeContext office)
{
    /// <param name="prefix">Of the dispatch's id; of one that another machine of the office sent, all of it.</param>
    /// <exception cref="RefusedException">NotFound, NotReleasable (no clearance for the label in force), or what the gateway says does not hold.</exception>
    public async Task<LabelView> ShowAsync(string prefix, CancellationToken cancel)
    {
        var (header, manifest, parcel) = await FindAsync(prefix, cancel).ConfigureAwait(false);
        var content = header.As<Header>();
        var status = await office.Api.LabelsAsync(content.Id, parcel, cancel).ConfigureAwait(false);
        // An update bears the label of its original: what persons sign about it names that.
        var (id, ctx, digest) = content is { Kind: "update", Target: { } original } ? (original.Id, original.Ref, office.Outbox.Find(original.Id)?.Record.ManifestDigest) : (content.Id, header.Ref, manifest);
        var changes = status.Changes.Select(c => Verified(c, ctx)).ToList();
        // Nobody is believed about the label in force: the change that gives it is here, signed by whom it names, or it is the author's.
        var last = changes.Where(c => c.InForceAt is not null).MaxBy(c => c.InForceAt);
        if (status.Previous != (last?.Ref ?? ctx)) throw new RefusedException(Refusal.LabelChange, "the gateway names another change than it shows");
        var label = last?.Change.Label ?? content.Label;
        if (!Same(label, status.Label)) throw new RefusedException(Refusal.LabelMismatch, "the gateway shows another label than was signed");
        return new LabelView(content.Sender, id, ctx, digest, parcel, content.Label, label, status.Previous, Time(status.Since)!.Value, Time(status.Extension), status.Stopped, changes);
    }

    /// <summary>Signs and hands in. The same again is harmless.</summary>
    public async Task<LabelVerdict> RunAsync(LabelView view, LabelChange change, IPrivateKey person, TimeSpan lapse, CancellationToken cancel)
    {
        var content = new LabelStatement
        {
            V = 1, Type = LabelStatement.TypeName, Signers = [person.Certificate.Key], Office = office.Profile.Office, NotAfter = (office.Now + lapse).ToUnixTimeMilliseconds(), Change = change,
        };
        var (given, waits) = await office.Api.ChangeLabelAsync(view.Id, view.Parcel, Statement.Sign(content, [person], office.Now).Der, cancel).ConfigureAwait(false);
        var subject = new ReceiptSubject(view.Sender, view.Id, view.Ctx, view.ManifestDigest ?? Statement.Read(given, StatementType.Receipt).As<Receipt>().ManifestDigest ?? default, []);
        var receipt = ReceiptCheck.Gateway(given, subject, office.Profile.Pins, office.View.Trust);
        return receipt.Event == ReceiptEvent.LabelChange ? new LabelVerdict(receipt, waits || receipt.Code != "OK") : throw new RefusedException(Refusal.Receipt, "not a receipt for a change of a label");
    }

    /// <summary>A change that points at the label in force now.</summary>
    public static LabelChange New(LabelView view, string act, Label? label, DateTimeOffset? at, DateTimeOffset? until, string? reason) => new()
    {
        Salt = RandomNumberGenerator.GetBytes(32), Sender = view.Sender, Id = view.Id, Ctx = view.Ctx, Previous = view.Previous, Act = act, Label = label, At = at?.ToUnixTimeMilliseconds(),
        Until = until?.ToUnixTimeMilliseconds(), Reason = reason,
    };

    async Task<(Statement Header, Digest Manifest, Guid? Parcel)> FindAsync(string prefix, CancellationToken cancel)
    {
        bool Begins(Guid id) => id.ToString().StartsWith(prefix, StringComparison.OrdinalIgnoreCase);
        var sent = office.Outbox.List().Where(e => Begins(e.Id)).ToList();
        var received = office.Received.List().Where(r => Begins(r.Id)).ToList();
        switch (sent, received)
        {
            case ([var entry], []):
                return (Statement.Read(entry.Parts().Header, StatementType.Header), entry.Record.ManifestDigest, null);
            case ([], [var record]):
                var file = Path.Combine(office.Received.Evidence(record.Sender, record.Id), "header.p7s");
                if (!File.Exists(file)) throw new RefusedException(Refusal.NotFound, $"{record.Id} was not opened here yet");
                return (Statement.Read(File.ReadAllBytes(file), StatementType.Header), record.ManifestDigest, record.Parcel);
            case ([], []) when Guid.TryParseExact(prefix, "D", out var id):
                return await OursAsync(id, cancel).ConfigureAwait(false);
            default:
                throw new RefusedException(Refusal.NotFound, sent.Count + received.Count == 0 ? $"nothing sent or received here begins with {prefix}" : $"more than one dispatch begins with {prefix}");
        }
    }

    // Of another machine of this office: what the gateway shows counts only if our own office signed it.
    async Task<(Statement, Digest, Guid?)> OursAsync(Guid id, CancellationToken cancel)
    {
        var statement = Statement.Read(await office.Api.HeaderAsync(id, cancel).ConfigureAwait(false), StatementType.Header);
        var header = statement.As<Header>();
        var ours = office.View.DirectoryOf(header.Directory).Find(office.Profile.Office) ?? office.View.Directory.Find(office.Profile.Office);
        if (header.Sender != office.Profile.Office || header.Id != id || ours is null || statement.Signers is not [var signer] || !ours.Signing.Contains(signer))
            throw new RefusedException(Refusal.SignerUnknown, "the header is not ours");
        return (statement, statement.ManifestDigest!.Value, null);
    }

    LabelChangeView Verified(LabelChangeStatus status, Digest ctx)
    {
        var change = LabelChange.Read(status.Change);
        if (change.Ref != status.Ref || change.Ctx != ctx) throw new RefusedException(Refusal.LabelChange, "the gateway shows a change of another dispatch");
        return new LabelChangeView(status.Ref, change, status.State, status.Code, Time(status.Time)!.Value, Time(status.InForceAt), Time(status.WaitsUntil), [.. status.Words.Select(w => Verified(w, status.Ref))]);
    }

    LabelWordView Verified(LabelWordStatus word, Digest change)
    {
        var statement = Statement.Read(word.Statement, StatementType.Label);
        var content = statement.As<LabelStatement>();
        if (content.Change.Ref != change || statement.Signers[0].Key != word.Person) throw new RefusedException(Refusal.LabelChange, "a statement is about another change");
        var person = office.View.Directory.Find(content.Office)?.Persons.FirstOrDefault(p => p.Certificate.Key == word.Person);
        return new LabelWordView(content.Office, person?.Certificate.Subject, Time(word.Time)!.Value);
    }

    // A record compares its lists by reference, a label's value is what its bytes in the ESS form and the members beside it say.
    static bool Same(Label one, Label two) => EssLabel.ToEss(one).AsSpan().SequenceEqual(EssLabel.ToEss(two)) && one.Basis == two.Basis && one.Term == two.Term && one.Caveats.SequenceEqual(two.Caveats);

    static DateTimeOffset? Time(long? milliseconds) => milliseconds is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null;
}
