using System.Diagnostics;
using System.Text.Json;
using Exchange.Crypto;
using Exchange.Crypto.Trust;

namespace Exchange.Office.Client;

/// <summary>
/// Who signed the documents of a dispatch, as a fact beside it: the bytes stay as they are, and no dispatch is taken or refused for it. Asked after everything is durable and acknowledged.
/// Each document is read in a process of its own (<see cref="SignatureReader"/>) with bounded memory and time and none of our keys or settings: a parser of strangers' files may be made to loop, to swell or to overflow its stack, and then
/// "cannot be told" is the answer. What comes out of it is judged here: whose certificate that is, by this office's own trust.
/// </summary>
/// <param name="trust">null: nobody to trust.</param>
/// <param name="program">The exchange command.</param>
sealed class DocumentSignatures(CertificateCheck? trust, TimeProvider clock, string program)
{
    const int MostDocuments = 32, MostAnswer = 4 << 20;
    static readonly TimeSpan OfOne = TimeSpan.FromSeconds(20), OfAll = TimeSpan.FromSeconds(60);

    public DocumentSignatures(CertificateCheck? trust, TimeProvider clock) : this(trust, clock, Path.Combine(AppContext.BaseDirectory, "exchange")) { }

    /// <summary>Those of the files that bear signatures, or of which it cannot be told; the others are left out.</summary>
    /// <param name="at">When the signers' certificates must have been good.</param>
    public async Task<IReadOnlyList<SignedDocument>> OfAsync(IEnumerable<string> files, DateTimeOffset at, CancellationToken cancel)
    {
        var documents = new List<SignedDocument>();
        var until = clock.GetUtcNow() + OfAll;
        foreach (var file in files)
        {
            if (Kind(file) is not { } kind) continue;
            var read = documents.Count >= MostDocuments ? Trouble(file, kind, SignatureWhy.TooMany)
                : clock.GetUtcNow() >= until ? Trouble(file, kind, SignatureWhy.Patience) : await ReadAsync(file, kind, cancel).ConfigureAwait(false);
            if (read.Signatures.Count > 0 || read.Trouble is not null) documents.Add(read with { Signatures = [.. read.Signatures.Select(s => Judged(s, at))] });
        }
        return documents;
    }

    // Most documents are of another kind, or bear none: no process is started for these. A name written with escapes is not found, and the document then counts as bearing none; nothing is believed for it.
    static string? Kind(string file)
    {
        try
        {
            var kind = DocumentKind.Of(file);
            // Too large to be looked into: the reader says so.
            if (new FileInfo(file).Length > SignatureReader.MostPdf) return kind;
            return kind switch
            {
                DocumentKind.Pdf when Has(file, "/ByteRange"u8) => DocumentKind.Pdf,
                DocumentKind.Xml when Has(file, "www.w3.org/2000/09/xmldsig#"u8) || Has(file, "w\0w\0w\0.\0w\03\0.\0o\0r\0g\0/\02\00\00\00\0/\0"u8) => DocumentKind.Xml,
                _ => null,
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return null; }
    }

    static bool Has(string file, ReadOnlySpan<byte> sought)
    {
        using var stream = File.OpenRead(file);
        var buffer = new byte[1 << 16];
        for (var kept = 0; ;)
        {
            var read = stream.Read(buffer.AsSpan(kept));
            if (read == 0) return false;
            var have = buffer.AsSpan(0, kept + read);
            if (have.IndexOf(sought) >= 0) return true;
            kept = Math.Min(sought.Length - 1, have.Length);
            have[^kept..].CopyTo(buffer);
        }
    }

    async Task<SignedDocument> ReadAsync(string file, string kind, CancellationToken cancel)
    {
        using var patience = new CancellationTokenSource(OfOne, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, patience.Token);
        try
        {
            using var process = Process.Start(Start(file))!;
            try
            {
                process.StandardInput.Close();
                var errors = process.StandardError.BaseStream.CopyToAsync(Stream.Null, both.Token);
                if (await AnswerAsync(process.StandardOutput.BaseStream, both.Token).ConfigureAwait(false) is not { } answer) return Trouble(file, kind, SignatureWhy.Reader);
                await process.WaitForExitAsync(both.Token).ConfigureAwait(false);
                await errors.ConfigureAwait(false);
                return process.ExitCode == 0 && JsonSerializer.Deserialize(answer, SignatureJson.Default.SignedDocument) is { } read ? read with { File = file } : Trouble(file, kind, SignatureWhy.Reader);
            }
            finally
            {
                if (!process.HasExited) process.Kill(entireProcessTree: true);
            }
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested) { return Trouble(file, kind, SignatureWhy.Patience); }
        // It could not be started, or answered something else: the document is as good as before, and nothing is known of its signatures.
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException or IOException or JsonException) { return Trouble(file, kind, SignatureWhy.Reader); }
    }

    ProcessStartInfo Start(string file)
    {
        var start = new ProcessStartInfo(program, ["read-signatures", Path.GetFullPath(file), "--json"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        // Neither passphrases nor profiles are its affair; only what finds the runtime is.
        foreach (var name in start.Environment.Keys.Where(k => k is not ("PATH" or "DOTNET_ROOT" or "DOTNET_ROOT_X64" or "DOTNET_ROOT_ARM64")).ToList()) start.Environment.Remove(name);
        // Hexadecimal: 512 MiB. No dump of a document when it dies, no socket for debuggers in a shared folder.
        start.Environment["DOTNET_GCHeapHardLimit"] = "20000000";
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        return start;
    }

    static async Task<byte[]?> AnswerAsync(Stream output, CancellationToken cancel)
    {
        using var answer = new MemoryStream();
        var buffer = new byte[1 << 14];
        while (await output.ReadAsync(buffer, cancel).ConfigureAwait(false) is > 0 and var read)
        {
            if (answer.Length + read > MostAnswer) return null;
            answer.Write(buffer, 0, read);
        }
        return answer.ToArray();
    }

    // An office or person of this exchange signs with the same profile, and it has to be one of a CA of ours; revocation included.
    DocumentSignature Judged(DocumentSignature signature, DateTimeOffset at)
    {
        if (trust is null || signature.Certificate is not { } der) return signature;
        try
        {
            var verdict = trust.Check(new Certificate(der), Purpose.PersonSigning, at);
            return signature with { Trusted = verdict.Good, Distrust = verdict.Refusal };
        }
        catch (RefusedException e) { return signature with { Trusted = false, Distrust = e.Refusal }; }
    }

    static SignedDocument Trouble(string file, string kind, string why) => new(file, kind, [], why);
}
