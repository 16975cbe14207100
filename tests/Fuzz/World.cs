using Exchange.Crypto.Envelope;
using Exchange.Crypto.Statements;
using Exchange.Crypto.Trust;
using Exchange.Tests;

namespace Exchange.Fuzz;

/// <summary>Public halves of one small PKI with its directory, kept in files: what the signed seeds of the corpus are checked against.</summary>
static class World
{
    static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "context");

    public static readonly Certificate Issuing = new(File("issuing.der"));
    public static readonly TrustStore Trust = TrustStore.Create([File("root.der")], [Issuing.Der], [File("root.crl"), File("issuing.crl")]);
    public static readonly EnvelopeContext Context = Open();

    static EnvelopeContext Open()
    {
        var check = new CertificateCheck(Trust);
        var statement = Statement.Read(File("directory.p7s"), StatementType.Directory);
        var cards = Directory.EnumerateFiles(Folder, "card-*.p7s").Select(f => new ReadOnlyMemory<byte>(System.IO.File.ReadAllBytes(f)));
        return new EnvelopeContext(OfficeDirectory.Open(statement.Der, cards, [.. statement.Signers.Select(s => s.Key)], check, TestPki.Now), check, TestPki.Now);
    }

    static byte[] File(string name) => System.IO.File.ReadAllBytes(Path.Combine(Folder, name));
}
