using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Statements;

namespace Exchange.Office.Client;

/// <param name="Role">As what this office's key opened it: "self", "recovery", or "archive".</param>
public sealed record AsideResult(string Role, string Sender, Guid Envelope, string? Number, string Level, DateTimeOffset Accepted, string Folder, IReadOnlyList<string> Files)
{
    public required Label Label { get; init; }
    /// <summary>As they travelled.</summary>
    public required EnvelopeParts Parts { get; init; }
    /// <summary>The gateway's acceptance, DER.</summary>
    public required ReadOnlyMemory<byte> Submission { get; init; }
    /// <summary>What the author signed, in clear.</summary>
    public required OpenedEnvelope Inside { get; init; }
}

/// <summary>An envelope whose outside holds, and what opens it here.</summary>
/// <param name="Submission">The gateway's acceptance, DER, verified.</param>
/// <param name="Kept">Under the key given; null: the manifest is.</param>
sealed record AsideCopy(string Role, EnvelopeParts Parts, ReadOnlyMemory<byte> Submission, IPrivateKey Key, ReadOnlyMemory<byte>? Kept);

/// <summary>
/// Opens an envelope of which no copy is this office's, though its key is among the recipients: what it sent itself (self), or what somebody hands it who can no longer open it
/// (recovery). All is checked as always, and nothing leaves: there is no parcel to acknowledge. Needs no gateway.
/// </summary>
sealed class OpenAside(OfficeContext office)
{
    readonly VerifyParcel verify = new(office);

    /// <param name="file">The one-file form, from its first byte.</param>
    /// <param name="submission">The gateway's acceptance, DER.</param>
    /// <exception cref="RefusedException">NotForThisKey: our key is in neither role; or whatever does not hold. Nothing is left.</exception>
    public async Task<AsideResult> RunAsync(Stream file, ReadOnlyMemory<byte> submission, string outFolder, IProgress<long>? progress, CancellationToken cancel) =>
        await RunAsync(await EnvelopeFile.ReadPartsAsync(file, cancel).ConfigureAwait(false), file, submission, outFolder, progress, cancel).ConfigureAwait(false);

    /// <summary>What this office sent, from its outbox.</summary>
    /// <exception cref="RefusedException">NotFound: it was not accepted, or its payload is not here. NotForThisKey: it was not sealed to this office.</exception>
    public async Task<AsideResult> OfOutboxAsync(OutboxEntry entry, string outFolder, IProgress<long>? progress, CancellationToken cancel)
    {
        var acceptance = entry.Acceptance() ?? throw new RefusedException(Refusal.NotFound, $"{entry.Id} was not accepted");
        // An update has none of its own: its original's.
        var source = entry.Record.About is { Kind: "update", Id: var original } ? office.Outbox.Find(original) : entry;
        var parts = entry.Parts();
        verify.Run(default, parts, acceptance, ["self"]);
        if (source is null || !File.Exists(source.PayloadFile)) throw new RefusedException(Refusal.NotFound, "its payload is not in the outbox");
        await using var payload = File.OpenRead(source.PayloadFile);
        return await RunAsync(parts, payload, acceptance, outFolder, progress, cancel).ConfigureAwait(false);
    }

    Task<AsideResult> RunAsync(EnvelopeParts parts, Stream payload, ReadOnlyMemory<byte> submission, string outFolder, IProgress<long>? progress, CancellationToken cancel)
    {
        var held = verify.Run(default, parts, submission, ["self", "recovery"]);
        return PlaceAsync(new AsideCopy(held.Role, parts, held.SubmissionDer, held.Key, null), payload, outFolder, progress, cancel);
    }

    /// <summary>Into a folder of its own under the one given; whole, or not there.</summary>
    internal async Task<AsideResult> PlaceAsync(AsideCopy copy, Stream payload, string outFolder, IProgress<long>? progress, CancellationToken cancel)
    {
        var (role, parts, key, kept) = (copy.Role, copy.Parts, copy.Key, copy.Kept);
        var submission = Statement.Read(copy.Submission, StatementType.Receipt).As<Receipt>();
        var header = EnvelopeFile.PeekUnverified(parts.Header);
        var level = office.View.Policy.Level(header.Label.Class)!;
        var root = Path.GetFullPath(outFolder);
        Directory.CreateDirectory(root);
        var making = Path.Combine(root, ".opening-" + header.Id);
        if (Directory.Exists(making)) Directory.Delete(making, recursive: true);
        Directory.CreateDirectory(making, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        try
        {
            var opened = await Envelope.OpenAsync(new OpenRequest
            {
                Parts = parts, Payload = payload, Context = verify.Context(header, submission), Office = office.Profile.Office, Key = key, Kept = kept, Folder = making,
                OfficeSignsDispatch = level.Authors.Contains("office"), TimeStamp = OpenParcel.NeedOf(office, header, level), Progress = progress,
            }, cancel).ConfigureAwait(false);
            OpenParcel.DemandAuthor(opened, level.AuthorRoles);
            var number = OpenParcel.NumberOf(opened.Dispatch.Sheet);
            var folder = OpenParcel.FreeFolder(root, header.Sender, number, header.Id);
            // A crash before this leaves the folder that the next run empties.
            office.Files.MoveFolder(making, folder);
            return new AsideResult(role, header.Sender, header.Id, number, level.Code, DateTimeOffset.FromUnixTimeMilliseconds(submission.Time), folder, [.. opened.Files.Select(f => Path.Combine(folder, Path.GetFileName(f)))])
            {
                Label = header.Label, Parts = parts, Submission = copy.Submission, Inside = opened,
            };
        }
        catch
        {
            if (Directory.Exists(making)) Directory.Delete(making, recursive: true);
            throw;
        }
    }
}
