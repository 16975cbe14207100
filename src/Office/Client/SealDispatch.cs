using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Policy;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;

namespace Exchange.Office.Client;

/// <summary>What a clerk wants sent.</summary>
public sealed record SendRequest
{
    public required IReadOnlyList<string> Files { get; init; }
    /// <summary>Office codes.</summary>
    public required IReadOnlyList<string> To { get; init; }
    public IReadOnlyList<string> Cc { get; init; } = [];
    /// <summary>Offices that the author writes to as well and that get it later, by an update, without him.</summary>
    public IReadOnlyList<string> Later { get; init; } = [];
    /// <summary>Sealed to this office as well, which can then open it again; where the policy wants that it is so anyway.</summary>
    public bool Keep { get; init; }
    /// <summary>Code of a level of the active policy. There is no default.</summary>
    public required string? Level { get; init; }
    public string? Basis { get; init; }
    /// <summary>Codes of category values of the policy.</summary>
    public IReadOnlyList<string> Categories { get; init; } = [];
    /// <summary>Besides those that the level always bears.</summary>
    public IReadOnlyList<string> Caveats { get; init; } = [];
    /// <summary>End of protection, where it is to be sooner than the law's.</summary>
    public DateTimeOffset? Term { get; init; }
    public required Sheet Sheet { get; init; }
    public int Urgency { get; init; }
    public TimeSpan Expires { get; init; } = TimeSpan.FromDays(30);
    public DateTimeOffset? RespondBy { get; init; }
    /// <summary>Role of the author; null: the first role of the level for which the profile has a key.</summary>
    public string? As { get; init; }
    /// <summary>Roles that approve.</summary>
    public IReadOnlyList<string> Approve { get; init; } = [];
    /// <summary>Persons of the profile who release it beforehand, where the level asks for that.</summary>
    public IReadOnlyList<string> Release { get; init; } = [];
    /// <summary>Persons of the profile who state that nothing of what is answered is in it.</summary>
    public IReadOnlyList<string> CarriesNothing { get; init; } = [];
    /// <summary>Persons of the profile who state that what the word list found does not make it one of a higher level.</summary>
    public IReadOnlyList<string> BelowFloor { get; init; } = [];
    /// <summary>Dispatches that it answers: received, or sent by this office. Names of envelopes; the first characters will do.</summary>
    public IReadOnlyList<string> ReplyTo { get; init; } = [];
    /// <summary>Of a recall or replacement: which dispatch of this office it is about; null: a new one.</summary>
    public AboutDispatch? About { get; init; }
    /// <summary>Dispatch of this office whose place it takes; the first characters of its id will do.</summary>
    public string? Replaces { get; init; }
    /// <summary>In place of one made from level, basis, categories and caveats: the label of what is recalled.</summary>
    public Label? Label { get; init; }
}

/// <summary>From files to a durable outbox entry. Nothing leaves the office here.</summary>
sealed class SealDispatch(OfficeContext office)
{
    /// <param name="fixedId">The envelope's name, when the caller had to write it down before; null: a new one.</param>
    public async Task<OutboxEntry> RunAsync(SendRequest request, IProgress<long>? progress, CancellationToken cancel, Guid? fixedId = null)
    {
        var now = office.Now;
        // 1. What the policy asks of this level; what is plainly missing is said before anything is sealed.
        var policy = office.View.Policy;
        var level = LevelOf(request, policy);
        DemandFloor(level, Floor(office, request), policy, request.BelowFloor);
        var label = request.Label is { } given && given.Class == level.Class ? given : LabelOf(request, level, policy);
        var author = AuthorOf(request, level);
        var approvers = ApproversOf(request, level);
        var stamp = Stamping(TimeStampRule.Of(level.Handling), cancel);
        // 2. To whom, by the verified directory, and who else is to be able to open it.
        var recipients = request.To.Select(c => SealedTo.Addressee(office, c, "to", level)).Concat(request.Cc.Select(c => SealedTo.Addressee(office, c, "cc", level))).ToList();
        if (recipients.Count == 0) throw new RefusedException(Refusal.Recipients, "no recipient");
        string[] named = [.. recipients.Concat(request.Later.Select(c => SealedTo.Addressee(office, c, "to", level))).Select(r => r.Office)];
        if (named.Distinct().Count() != named.Length) throw new RefusedException(Refusal.Recipients, "an office is named twice");
        var replaced = request.Replaces is { } prefix ? Replaced(prefix) : null;
        var about = replaced is null ? request.About : RecallDispatch.About(office, replaced, "replace");
        var id = fixedId ?? Guid.CreateVersion7(now);
        // What is replaced may have gone further: those copies are taken back by recalls of their own, sealed before and sent after.
        if (replaced is not null) await new RecallDispatch(office).OfUpdatesAsync(replaced, request, id, cancel).ConfigureAwait(false);
        var seal = new SealRequest
        {
            Id = id,
            Gateway = office.Profile.Pins.Origin,
            Sender = office.Profile.Office,
            Recipients = [.. recipients, .. SealedTo.Besides(office, level, request.Keep)],
            To = named,
            Label = label,
            Urgency = request.Urgency,
            Times = new Times(null, (now + request.Expires).ToUnixTimeMilliseconds(), request.RespondBy?.ToUnixTimeMilliseconds()),
            Policy = policy.Ref,
            Directory = office.View.Directory.Ref,
            Seen = office.Checkpoints.Seen,
            Sheet = request.Sheet,
            Documents = [.. request.Files.Select(SourceOf)],
            Authors = level.Authors.Contains("office") ? [author, office.Keys.Sign] : [author],
            Approvers = approvers,
            Releasers = [.. request.Release.Distinct().Select(Person)],
            Statements = [.. request.CarriesNothing.Distinct().Select(p => (Person(p), ApprovalAct.CarriesNothing)), .. request.BelowFloor.Distinct().Select(p => (Person(p), ApprovalAct.BelowFloor))],
            Kind = about?.Kind ?? "new",
            Revises = replaced?.Record.DispatchRef,
            References = [.. request.ReplyTo.Distinct().Select(ReferenceOf), .. about is null ? Array.Empty<Reference>() : [new Reference(about.Kind, about.Id, about.Ref, about.Revision)]],
            Office = office.Keys.Sign,
            Keeper = about is not { Kind: "recall" } && office.View.Directory.Find(office.Profile.Office)?.Encryption is [var own, ..] ? own : null,
            TimeStamp = stamp,
            ManifestBucket = level.ManifestBucket,
            PayloadBucket = level.PayloadBucket,
            Progress = progress,
        };
        // 3. One pass encrypts into the outbox. 4. What we would refuse ourselves gets no name there and never leaves.
        return await office.Outbox.AddAsync(id, level.Code, request.To, request.Cc, OpenParcel.NumberOf(request.Sheet), author.Certificate.Key, about, now, async payload =>
        {
            var done = await Envelope.SealAsync(seal, payload, office.Clock, cancel).ConfigureAwait(false);
            Envelope.Verify(done.Parts, new EnvelopeContext(office.View.Directory, office.View.Trust, office.Now));
            return done;
        }).ConfigureAwait(false);
    }

    // Who asks for a time-stamp where nobody can be asked is told before gigabytes are read.
    Func<IReadOnlyList<Digest>, Task<IReadOnlyList<ReadOnlyMemory<byte>>>>? Stamping(TimeStampNeed need, CancellationToken cancel)
    {
        if (need == TimeStampNeed.None) return null;
        if (need == TimeStampNeed.Demanded && office.Profile.TimeStamps is null) throw new RefusedException(Refusal.TimeStampAway, "the profile names no authority");
        return async signatures =>
        {
            try { return await new FetchTimeStamps(office).RunAsync(signatures, cancel).ConfigureAwait(false); }
            // The level lets it wait: sealed without, and fetched with the next outbox --send or status.
            catch (RefusedException e) when (e.Refusal == Refusal.TimeStampAway && need == TimeStampNeed.Due) { return []; }
        };
    }

    /// <summary>What the office's word list says of these documents; null: it has none.</summary>
    internal static WordFloor? Floor(OfficeContext office, SendRequest request) =>
        office.Profile.Words is { } words ? new WordList(File.ReadAllBytes(words), office.View.Policy).Floor(request.Files.Where(File.Exists)) : null;

    // R20. What was found is told by the entries' numbers: the words would say what the documents say. Two persons of the card may say that they mislead.
    void DemandFloor(PolicyLevel level, WordFloor? floor, CompiledPolicy policy, IEnumerable<string> below)
    {
        var persons = below.Select(p => Person(p).Certificate.Key).Distinct().Count(k => office.View.Directory.Find(office.Profile.Office)?.Persons.Any(p => p.Certificate.Key == k) ?? false);
        if (floor?.Level is { } least && policy.Rank(level.Class) < policy.Rank(least.Class) && persons < 2)
            throw new RefusedException(Refusal.WordFloor, $"at least {least.Code}, by entries {string.Join(", ", floor.Found.Take(10))} of the word list");
    }

    internal static Label LabelOf(SendRequest request, PolicyLevel level, CompiledPolicy policy) =>
        policy.NewLabel(level.Code, request.Basis, policy.CategoriesOf(request.Categories), request.Caveats) with { Term = request.Term?.ToUnixTimeMilliseconds() };

    internal static PolicyLevel LevelOf(SendRequest request, CompiledPolicy policy)
    {
        if (string.IsNullOrEmpty(request.Level)) throw new RefusedException(Refusal.LabelMissing);
        var level = policy.Level(request.Level);
        if (level is null || level.Obsolete) throw new RefusedException(Refusal.LabelClass, request.Level);
        if (level.BasisRequired && string.IsNullOrEmpty(request.Basis) && request.Label is null) throw new RefusedException(Refusal.LabelBasis);
        return level;
    }

    IPrivateKey AuthorOf(SendRequest request, PolicyLevel level)
    {
        var role = request.As ?? level.AuthorRoles.FirstOrDefault(office.Profile.Keys.Persons.ContainsKey);
        if (role is null || !level.AuthorRoles.Contains(role)) throw new RefusedException(Refusal.DispatchSigners, $"authors at this level: {string.Join(", ", level.AuthorRoles)}");
        return office.Keys.Person(role) ?? throw new RefusedException(Refusal.Profile, $"keys.persons.{role}: no key in the profile");
    }

    List<IPrivateKey> ApproversOf(SendRequest request, PolicyLevel level)
    {
        if (level.Approvals.FirstOrDefault(r => !request.Approve.Contains(r)) is { } missing) throw new RefusedException(Refusal.ApprovalMissing, $"approval of: {missing}");
        return [.. request.Approve.Distinct().Select(Person)];
    }

    IPrivateKey Person(string name) => office.Keys.Person(name) ?? throw new RefusedException(Refusal.Profile, $"keys.persons.{name}: no key in the profile");

    Reference ReferenceOf(string prefix)
    {
        var known = office.Received.List().Select(r => (r.Id, r.Ctx)).Concat(office.Outbox.List().Select(e => (e.Id, e.Record.Ctx))).Distinct()
            .Where(r => r.Id.ToString().StartsWith(prefix, StringComparison.OrdinalIgnoreCase)).ToList();
        return known switch
        {
            [var (id, ctx)] => new Reference("reply", id, ctx, 0),
            [] => throw new RefusedException(Refusal.NotFound, $"nothing received or sent here begins with {prefix}"),
            _ => throw new RefusedException(Refusal.NotFound, $"more than one dispatch begins with {prefix}"),
        };
    }

    OutboxEntry Replaced(string prefix) => office.Outbox.List().Where(e => e.Id.ToString().StartsWith(prefix, StringComparison.OrdinalIgnoreCase)).ToList() switch
    {
        [{ Record.About.Kind: "recall" }] => throw new RefusedException(Refusal.RecallTarget, "a recall"),
        [{ Record.About: { Kind: "update", Id: var original } }] => office.Outbox.Find(original) ?? throw new RefusedException(Refusal.NotFound, $"{original} is not here"),
        [var one] => one,
        [] => throw new RefusedException(Refusal.NotFound, $"nothing sent here begins with {prefix}"),
        _ => throw new RefusedException(Refusal.NotFound, $"more than one dispatch begins with {prefix}"),
    };

    static DocumentSource SourceOf(string file)
    {
        var info = new FileInfo(file);
        if (!info.Exists) throw new RefusedException(Refusal.NotFound, $"no file {file}");
        return new DocumentSource(info.Name.Normalize(), MediaTypes.Of(info.Name), info.Length, null, () => new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, useAsync: false));
    }
}

/// <summary>Media types of what offices send; anything else is application/octet-stream.</summary>
static class MediaTypes
{
    public static string Of(string name) => Path.GetExtension(name).ToLowerInvariant() switch
    {
        ".pdf" => "application/pdf",
        ".docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ".xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ".pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ".odt" => "application/vnd.oasis.opendocument.text",
        ".xml" => "application/xml",
        ".txt" => "text/plain",
        ".png" => "image/png",
        ".jpg" or ".jpeg" => "image/jpeg",
        ".tif" or ".tiff" => "image/tiff",
        ".zip" => "application/zip",
        _ => "application/octet-stream",
    };
}
