using Exchange.Crypto;
using Exchange.Crypto.Trust;

namespace Exchange.Office.Client;

/// <summary>
/// What CAs say of certificates while these are valid, for evidence that must last longer: when a certificate has expired, later revocation lists may keep silent about it. An answer that came once
/// is kept in the office's folder, so that a later export still has it.
/// </summary>
sealed class StapleResponses(OfficeContext office)
{
    /// <summary>Below trust/ of the evidence, and in the office's own folder; what the files in it end with (RFC 6960 appendix C.2).</summary>
    public const string Folder = "ocsp", Ending = ".ors";

    /// <summary>The newest answer about each of these, and about each CA between them and a root; none about some: their CA has no responder that the gateway asks.</summary>
    /// <param name="online">False: the gateway is not asked; what is kept serves.</param>
    public async Task<IReadOnlyList<(Digest Key, byte[] Response)>> RunAsync(IEnumerable<Certificate> signers, bool online, CancellationToken cancel)
    {
        var store = office.View.Trust.Store;
        var stapled = new List<(Digest, byte[])>();
        office.Files.Folder(Folder);
        foreach (var signer in signers.Concat(store.Intermediates).Distinct().ToList())
        {
            var kept = office.Files.At(Folder, signer.Key + Ending);
            // Of one that has expired a responder may know nothing any more; what it said before is worth more.
            if (online && signer.NotAfter >= office.Now && await office.Api.ResponseAsync(signer.Key, cancel).ConfigureAwait(false) is { } fresh && IsAbout(fresh, signer, store)) office.Files.Write(kept, fresh);
            if (File.Exists(kept)) stapled.Add((signer.Key, await File.ReadAllBytesAsync(kept, cancel).ConfigureAwait(false)));
        }
        return stapled;
    }

    static bool IsAbout(byte[] response, Certificate certificate, TrustStore store)
    {
        try { return OcspResponse.Read(response, store).Says(certificate) is not null; }
        catch (RefusedException) { return false; }
    }
}
