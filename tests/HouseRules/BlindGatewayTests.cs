using Exchange.Crypto.Keys;
using Mono.Cecil;
using Mono.Cecil.Cil;
using Xunit;

namespace Exchange.Tests;

/// <summary>The gateway cannot open what it carries: its assembly names nothing that unwraps, decrypts, seals or opens, nor reaches it through Crypto.</summary>
public sealed class BlindGatewayTests
{
    /// <summary>Types that have no other purpose.</summary>
    static readonly string[] Types =
    [
        "System.Security.Cryptography.Aes", "System.Security.Cryptography.AesGcm", "System.Security.Cryptography.AesCcm", "System.Security.Cryptography.ChaCha20Poly1305",
        "System.Security.Cryptography.SymmetricAlgorithm", "System.Security.Cryptography.ICryptoTransform", "System.Security.Cryptography.CryptoStream",
        "System.Security.Cryptography.ECDiffieHellman", "System.Security.Cryptography.ECDiffieHellmanCng", "System.Security.Cryptography.ECDiffieHellmanOpenSsl",
        "System.Security.Cryptography.HKDF", "System.Security.Cryptography.Rfc2898DeriveBytes", "System.Security.Cryptography.MLKem",
        "System.Security.Cryptography.RSAOAEPKeyExchangeDeformatter", "System.Security.Cryptography.Pkcs.EnvelopedCms", "Org.BouncyCastle",
    ];

    /// <summary>Members of types that have others too.</summary>
    static readonly (string Type, string Member)[] Members =
    [
        ("Exchange.Crypto.Envelope.Envelope", "SealAsync"), ("Exchange.Crypto.Envelope.Envelope", "OpenAsync"),
        ("Exchange.Crypto.Keys.IPrivateKey", "Agree"), ("Exchange.Crypto.Keys.IPrivateKey", "Decrypt"),
        ("Exchange.Crypto.Keys.FileKey", "Agree"), ("Exchange.Crypto.Keys.FileKey", "Decrypt"),
        ("System.Security.Cryptography.RSA", "Decrypt"), ("System.Security.Cryptography.RSA", "TryDecrypt"),
    ];

    static IEnumerable<Use> Opening(IEnumerable<Use> uses) => uses.Where(u =>
        Rules.UnderAny(u.Type, Types) || Members.Contains((u.Type, u.Member ?? ""))
        || (Rules.Under(u.Namespace, "Exchange.Crypto.Envelope") && u.Type is var type && (type.EndsWith("KeyWrap", StringComparison.Ordinal) || type.EndsWith("KeySchedule", StringComparison.Ordinal)
            || type.EndsWith("EnvelopeOpener", StringComparison.Ordinal) || type.EndsWith("SealedParcelOpener", StringComparison.Ordinal) || type.EndsWith("EnvelopeSealer", StringComparison.Ordinal) || type.EndsWith("OpenRequest", StringComparison.Ordinal) || type.EndsWith("SealRequest", StringComparison.Ordinal))));

    [Fact]
    public void The_gateway_names_nothing_that_opens() => Rules.Empty(Opening(Il.Uses(Il.Gateway)));

    [Fact]
    public void Adapters_name_nothing_that_opens() => Rules.Empty(Opening(Il.Uses(Il.Adapters)));

    [Fact]
    public void Nothing_that_the_gateway_calls_in_Crypto_ends_in_opening()
    {
        var reached = Reach.From(Il.Crypto, Reach.Named(Il.Gateway, Il.Crypto));
        Assert.True(reached.Count > 100, "the walk found next to nothing");
        Assert.Contains(reached, m => m.Name == "Verify" && m.DeclaringType.Name == "Envelope");
        Rules.Empty(Doors(reached));
    }

    [Fact]
    public void The_walk_does_find_opening_where_the_office_starts_it()
    {
        var doors = Doors(Reach.From(Il.Crypto, Reach.Named(Il.Office, Il.Crypto))).ToList();
        Assert.Contains(doors, d => d.Contains("AesGcm::Decrypt", StringComparison.Ordinal));
        Assert.Contains(doors, d => d.Contains("IPrivateKey::Agree", StringComparison.Ordinal));
    }

    [Fact]
    public void A_type_that_opens_is_found()
    {
        Assert.Equal(2, Opening(Il.Uses(Il.Fixture<Opener>())).Select(u => u.Type).Distinct().Count());
    }

    /// <summary>Calls, among these methods, that turn ciphertext or a wrapped key into something readable.</summary>
    static IEnumerable<string> Doors(IEnumerable<MethodDefinition> methods) =>
        from method in methods
        where method.HasBody
        from called in method.Body.Instructions.Select(i => i.Operand).OfType<MethodReference>()
        let type = called.DeclaringType.FullName
        where (type == "System.Security.Cryptography.AesGcm" && called.Name == "Decrypt")
            || (called.Name is "Agree" or "Decrypt" && (type is "Exchange.Crypto.Keys.IPrivateKey" or "Exchange.Crypto.Keys.FileKey"))
            || called.Name is "DeriveRawSecretAgreement" or "Unwrap"
        select $"{method.FullName} calls {type}::{called.Name}";

    sealed class Opener
    {
        public static byte[] Open(IPrivateKey key, byte[] text) => key.Decrypt(text);
        public static void Open(System.Security.Cryptography.AesGcm cipher, byte[] b) => cipher.Decrypt(b, b, b, b);
    }
}

/// <summary>A cautious walk over calls: an interface call reaches every implementation, naming a closure or state machine reaches all of it.</summary>
static class Reach
{
    /// <summary>Methods of <paramref name="called"/> that <paramref name="caller"/> names.</summary>
    public static IEnumerable<MethodDefinition> Named(ModuleDefinition caller, ModuleDefinition called) =>
        from type in Il.Types(caller)
        from part in Il.Parts(type)
        from method in part.Methods
        where method.HasBody
        from named in method.Body.Instructions.Select(i => i.Operand).OfType<MethodReference>()
        where named.DeclaringType.Scope.Name == called.Assembly.Name.Name
        // Found by name in that very module: resolving would load a second copy of it, and the walk would stop there.
        let holder = called.GetType(named.DeclaringType.GetElementType().FullName)
        from found in holder.Methods
        where found.Name == named.Name && found.Parameters.Count == named.Parameters.Count
        select found;

    public static HashSet<MethodDefinition> From(ModuleDefinition module, IEnumerable<MethodDefinition> roots)
    {
        var all = module.GetTypes().ToList();
        var reached = new HashSet<MethodDefinition>();
        var waiting = new Stack<MethodDefinition>(roots);
        while (waiting.TryPop(out var method))
        {
            if (!reached.Add(method)) continue;
            if (method.IsVirtual || method.DeclaringType.IsInterface)
                foreach (var other in all.SelectMany(t => t.Methods).Where(m => m.IsVirtual && m.Name == method.Name && m.Parameters.Count == method.Parameters.Count && Fits(m.DeclaringType, method.DeclaringType)))
                    waiting.Push(other);
            if (!method.HasBody) continue;
            foreach (var variable in method.Body.Variables) Made(variable.VariableType, waiting);
            foreach (var operand in method.Body.Instructions.Select(i => i.Operand))
            {
                if (operand is MemberReference { DeclaringType: { } holder }) Made(holder, waiting);
                if (operand is MethodReference called && called.DeclaringType.Scope == module && called.Resolve() is { } next) waiting.Push(next);
                // A type that is touched runs its initialiser.
                if (operand is MemberReference { DeclaringType: { } touched } && touched.Scope == module)
                    foreach (var initialiser in touched.Resolve()?.Methods.Where(m => m.Name == ".cctor") ?? []) waiting.Push(initialiser);
            }
        }
        return reached;
    }

    static void Made(TypeReference named, Stack<MethodDefinition> waiting)
    {
        // The shared holder of a type's closures without state is too coarse: its methods are named one by one.
        if (named.Name == "<>c" || !named.Name.Contains('<', StringComparison.Ordinal)) return;
        foreach (var method in named.Resolve()?.Methods.Where(m => m.Name == "MoveNext") ?? []) waiting.Push(method);
    }

    static bool Fits(TypeDefinition type, TypeDefinition wanted)
    {
        for (TypeDefinition? at = type; at is not null; at = at.BaseType?.Resolve())
            if (at == wanted || at.Interfaces.Any(i => i.InterfaceType.Resolve() == wanted)) return true;
        return false;
    }
}
