using System.Security.Cryptography;
using Exchange.Crypto.Trust;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Cms;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Cms;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Security;

namespace Exchange.Crypto.Interop;

/// <summary>
/// CMS EnvelopedData (RFC 5652 section 6) as mail clients read it: AES-256-CBC under a fresh key, which RSA (PKCS #1 v1.5, RFC 3370 4.2.1) or ephemeral ECDH (RFC 5753) brings to each recipient. Written as it
/// comes, in constant memory. It is no envelope of ours and is never read here: CBC shows no change by itself, so what goes in is signed first. AuthEnvelopedData with GCM, which our own envelopes use,
/// would show it, but most mail clients do not read it, and BouncyCastle has no writer for a stream of it.
/// </summary>
public static class MailEnvelope
{
    const int Chunk = 1 << 16;

    /// <param name="output">Gets the ContentInfo, BER; stays open.</param>
    /// <param name="content">Writes what is sealed; called once.</param>
    public static void Write(Stream output, IReadOnlyList<MailRecipient> recipients, Action<Stream> content)
    {
        if (recipients.Count == 0) throw new ArgumentException("Nobody could open it.", nameof(recipients));
        var generator = new CmsEnvelopedDataStreamGenerator(new SecureRandom());
        generator.SetBufferSize(Chunk);
        foreach (var recipient in recipients)
            if (recipient.Curve is { } curve) generator.AddRecipientInfoGenerator(new Agreement(recipient.Certificate, curve));
            else generator.AddKeyTransRecipient(recipient.Certificate.Parsed);
        using var gathered = new Gathered(output);
        using var sealing = generator.Open(gathered, CmsEnvelopedGenerator.Aes256Cbc);
        content(sealing);
    }

    /// <summary>Passes on in large pieces what comes in small and empty ones, and no flush: base64 below takes neither an empty piece nor an end in the middle.</summary>
    sealed class Gathered(Stream below) : Stream
    {
        readonly byte[] gathered = new byte[Chunk];
        int length;

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            while (buffer.Length > 0)
            {
                var taken = Math.Min(buffer.Length, gathered.Length - length);
                buffer[..taken].CopyTo(gathered.AsSpan(length));
                buffer = buffer[taken..];
                if ((length += taken) == gathered.Length) Pass();
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        void Pass()
        {
            if (length > 0) below.Write(gathered, 0, length);
            length = 0;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) Pass();
            base.Dispose(disposing);
        }

        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Flush() { }
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
    }

    /// <summary>One KeyAgreeRecipientInfo. Not BouncyCastle's own, see <see cref="Envelope.EcdhKeyWrap"/>: it knows SHA-1 only. .NET makes the ephemeral key and Z, and X9.63 of one block is a hash over Z and what follows it.</summary>
    sealed class Agreement(Certificate certificate, MailCurve curve) : RecipientInfoGenerator
    {
        public RecipientInfo Generate(KeyParameter contentEncryptionKey, SecureRandom random)
        {
            using var peer = ECDiffieHellman.Create();
            peer.ImportSubjectPublicKeyInfo(certificate.PublicKeyInfo, out _);
            using var ephemeral = ECDiffieHellman.Create(peer.ExportParameters(includePrivateParameters: false).Curve);
            var derived = ephemeral.DeriveKeyFromHash(peer.PublicKey, curve.Hash, null, [0, 0, 0, 1, .. Envelope.EcdhKeyWrap.SharedInfo([])]);
            var (kek, cek) = (derived[..32], contentEncryptionKey.GetKey());
            try
            {
                var wrapped = Envelope.AesKeyWrap.Wrap(kek, cek);
                var point = SubjectPublicKeyInfo.GetInstance(ephemeral.ExportSubjectPublicKeyInfo()).PublicKey;
                var originator = new OriginatorIdentifierOrKey(new OriginatorPublicKey(new AlgorithmIdentifier(new DerObjectIdentifier(Oids.EcPublicKey)), point));
                var wrap = new AlgorithmIdentifier(new DerObjectIdentifier(Oids.Aes256Wrap));
                var who = new KeyAgreeRecipientIdentifier(new Org.BouncyCastle.Asn1.Cms.IssuerAndSerialNumber(certificate.Parsed.IssuerDN, new DerInteger(certificate.Parsed.SerialNumber)));
                return new RecipientInfo(new KeyAgreeRecipientInfo(originator, null, new AlgorithmIdentifier(new DerObjectIdentifier(curve.Agreement), wrap),
                    new DerSequence(new RecipientEncryptedKey(who, new DerOctetString(wrapped)))));
            }
            finally
            {
                CryptographicOperations.ZeroMemory(derived);
                CryptographicOperations.ZeroMemory(kek);
                CryptographicOperations.ZeroMemory(cek);
            }
        }
    }
}
