using System.Text.Json;
using Exchange.Crypto;

namespace Exchange.Office.Client.Exports;

/// <summary>That a dispatch was taken out in clear, kept in the office's folder under exports/{time-ordered id}.json. No name, subject or file of it stands there.</summary>
/// <param name="Kind">"asic" or "smime".</param>
/// <param name="Time">Unix milliseconds.</param>
/// <param name="Ctx">Of the envelope that was opened.</param>
/// <param name="Level">In force, as far as it was asked for; else the author's.</param>
/// <param name="Certificates">Keys (SHA-256) of those it was encrypted to; empty: it is in clear.</param>
sealed record ExportRecord(int V, string Kind, long Time, string Sender, Guid Id, Digest Ctx, string Role, string Level, IReadOnlyList<Digest> Certificates)
{
    /// <summary>Durable before the file has its name: what is out is on record, and a crash in between leaves a record of what was about to be.</summary>
    public static void Keep(OfficeContext office, string kind, AsideResult opened, string level, IReadOnlyList<Digest> certificates)
    {
        var (now, header) = (office.Now, opened.Inside.Envelope.Header);
        office.Files.Folder("exports");
        office.Files.Write(office.Files.At("exports", Guid.CreateVersion7(now) + ".json"), JsonSerializer.SerializeToUtf8Bytes(
            new ExportRecord(1, kind, now.ToUnixTimeMilliseconds(), header.Sender, header.Id, opened.Inside.Envelope.Ctx, opened.Role, level, certificates), ClientJson.Default.ExportRecord));
    }
}
