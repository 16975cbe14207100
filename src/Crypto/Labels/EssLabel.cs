namespace Exchange.Crypto.Labels;

/// <summary>ESSSecurityLabel (RFC 2634 section 3.2) as strict DER: a total function of the label, so that attribute bytes can be compared.</summary>
public static class EssLabel
{
    /// <summary>DER of ESSSecurityLabel: SET { INTEGER class, OID policy, UTF8String mark, SET OF categories when any }. Basis, term and caveats do not fit and are left out.</summary>
    public static byte[] ToEss(Label label) => throw new NotImplementedException();
}
