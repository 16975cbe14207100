using System.Globalization;
using System.Net.Http.Headers;

namespace Exchange.Office.Client;

/// <summary>
/// The sealed bytes of one parcel on disk, under fetch/: {id}.part while they come, with {id}.etag when they are fetched by ranges; {id}.receipt, the gateway's acceptance;
/// then {id}.envelope, which is whole and has its receipt. Whoever touches them holds <see cref="TryLock"/>.
/// </summary>
sealed class ParcelFiles
{
    readonly OfficeFiles files;

    public ParcelFiles(OfficeFiles files, Guid parcel)
    {
        (this.files, Parcel) = (files, parcel);
        files.Folder("fetch");
    }

    public Guid Parcel { get; }
    public string Receipt => At("receipt");
    public string Envelope => At("envelope");
    public bool IsWhole => File.Exists(Envelope) && File.Exists(Receipt);
    string Part => At("part");
    string TagFile => At("etag");

    /// <summary>null: another process is at it.</summary>
    public FileStream? TryLock() => OfficeFiles.TryLock(At("lock"));

    public FileStream Open() => new(Envelope, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, useAsync: false);

    /// <summary>The part file, standing at its end.</summary>
    /// <param name="resume">False: emptied.</param>
    public FileStream OpenPart(bool resume)
    {
        if (!resume) File.Delete(TagFile);
        var file = OfficeFiles.Create(Part, keep: resume);
        if (resume && !File.Exists(TagFile)) file.SetLength(0);
        file.Position = file.Length;
        return file;
    }

    /// <summary>Which version the part is of, and how long the whole will be; null: it has no beginning yet.</summary>
    public (EntityTagHeaderValue Tag, long Length)? Tag
    {
        get
        {
            var text = File.Exists(TagFile) ? File.ReadAllText(TagFile).Split(' ', 2) : [];
            return text.Length == 2 && long.TryParse(text[0], NumberStyles.None, CultureInfo.InvariantCulture, out var length) && EntityTagHeaderValue.TryParse(text[1], out var tag) ? (tag, length) : null;
        }
    }

    /// <summary>Crash between the emptied part and this: an empty part of whatever version. Bytes never stand under a tag that is not theirs.</summary>
    public void SetTag(EntityTagHeaderValue tag, long length) => files.Write(TagFile, System.Text.Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{length} {tag}")));

    public void SaveReceipt(ReadOnlySpan<byte> der) => files.Write(Receipt, der);

    /// <summary>The part is all there: durable, then under its name. A crash in between leaves a whole part.</summary>
    public void Complete(FileStream part)
    {
        files.Step("flush part");
        part.Flush(flushToDisk: true);
        part.Dispose();
        files.MoveFile(Part, Envelope);
        File.Delete(TagFile);
    }

    /// <summary>What came is of no use.</summary>
    public void Drop()
    {
        File.Delete(Part);
        File.Delete(TagFile);
    }

    /// <summary>Keeps bytes that do not hold, for whoever looks into it, out of the way of the next fetch.</summary>
    public void SetAside() => files.MoveFile(Envelope, At("damaged"));

    /// <summary>Opened and remembered: the sealed bytes have done their work.</summary>
    public void Remove()
    {
        foreach (var file in new[] { Envelope, Receipt, At("damaged") }) File.Delete(file);
    }

    /// <summary>Parcels whose bytes are whole here.</summary>
    public static IReadOnlyList<Guid> Whole(OfficeFiles files) =>
        [.. Directory.EnumerateFiles(files.Folder("fetch"), "*.envelope").Select(f => Guid.TryParse(Path.GetFileNameWithoutExtension(f), out var id) ? id : default).Where(id => id != default).Order()];

    string At(string kind) => files.At("fetch", $"{Parcel}.{kind}");
}
