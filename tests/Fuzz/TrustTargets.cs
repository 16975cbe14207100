using Exchange.Crypto;
using Exchange.Crypto.Envelope;
using Exchange.Crypto.Keys;
using Exchange.Crypto.Labels;
using Exchange.Crypto.Trust;

namespace Exchange.Fuzz;

static class TrustTargets
{
    static readonly Purpose[] Purposes = Enum.GetValues<Purpose>();

    /// <summary>Everything that is asked of a certificate once it was parsed.</summary>
    public static void Certificate(byte[] der)
    {
        var certificate = new Certificate(der);
        Targets.Equal(der, certificate.Der.Span);
        _ = certificate.NotBefore;
        _ = certificate.NotAfter;
        _ = certificate.Subject;
        _ = certificate.IssuerDer;
        _ = certificate.SerialNumber;
        _ = certificate.PublicKeyInfo;
        _ = Ecdsa.Of(certificate);
        _ = certificate.PointFor(Ecdsa.P384);
        _ = KeyWraps.Rid(certificate);
        Targets.Try(() => KeyWraps.For(certificate));
        Targets.Try(() => ClearanceAttribute.Of(certificate));
        Targets.Try(() => ClearanceAttribute.ConstraintsOf(certificate));
        Targets.Try(() => TrustStore.Create([der], [], []));
        foreach (var purpose in Purposes) _ = World.Context.Trust.Check(certificate, purpose, World.Context.At);
    }

    /// <summary>A list, read under the CA whose name the seeds bear.</summary>
    public static void Crl(byte[] der)
    {
        var list = RevocationList.Read(der, [World.Issuing]);
        Targets.Equal(der, list.Der);
        _ = list.RevokedFrom(World.Issuing);
        World.Trust.WithCrls([der]);
    }
}
